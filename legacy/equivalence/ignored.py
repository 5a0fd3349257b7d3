# SPDX-License-Identifier: Apache-2.0
"""What comparisons leave out, as data with a reason each; nothing else is left out anywhere.

``Ignored`` places are never compared, because they belong to one side by nature. ``Excused`` differences are real
ones that are accepted: the programs are counted, and long runs assert that they stay below one in a hundred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from legacy.equivalence.outcome import Outcome
from legacy.equivalence.pairing import Mismatch


@dataclass(frozen=True)
class Ignored:
    """A place in an outcome or a stored record.

    :param place: pattern of the whole path, as in a mismatch: ``result[0].stores``
    """

    place: str
    why: str

    def covers(self, mismatch: Mismatch) -> bool:
        """Whether the mismatch is in that place."""
        return re.fullmatch(self.place, mismatch.path) is not None


@dataclass(frozen=True)
class Excused:
    """A difference that is known and accepted. A program in which it may show is not compared any further.

    :param op: pattern of the operation that leads to it
    :param error: pattern of the text of the error that this operation has
    :param fields: what may differ from then on
    :param alike: whether both sides have that error; else the new one, and what the operation did is not compared
    """

    op: str
    error: str
    fields: str
    why: str
    alike: bool = True

    def follows(self, op: str, old: Outcome, new: Outcome) -> bool:
        """Whether it may show after an operation that ended so."""
        return re.fullmatch(self.op, op) is not None and all(
            each.error is not None and re.search(self.error, each.error.text) for each in ((old, new) if self.alike else (new,))
        )


#: Between the old and the new path on one kind of store.
PATHS: tuple[Ignored, ...] = ()
#: Between two image services.
SERVICES = (
    Ignored(r'error\.text', 'C-190: the words of a refusal are the service\'s own'),
    Ignored(r'error\.fields\.(reason|server|errno|details|response)', 'C-190: words of the service, and where it is'),
    Ignored(r'error\.cause', 'what a driver turns into an error of ours is its own: an HTTP answer, a row, a file'),
    Ignored(r'.*\.stores', 'an administrator of the service chose the names of its stores'),
    Ignored(r'.*\.(locations|direct_url)(\[.*|\..*)?', 'where the bytes are belongs to the service'),
    Ignored(r'logged(\[.*)?', 'what is logged tells of connections and files, which only one side has'),
    Ignored(r'requests(\[.*)?', 'only one of two kinds of store may speak HTTP'),
    Ignored(r'streams(\..*|\[.*)?', 'how much of a body is read before a refusal, and how bytes are cut, is the '
            'service\'s; that the bytes are right is compared'),
)  # fmt: skip


#: Accepted differences between ``local`` and a real Glance.
EXCUSED = (
    Excused(
        'update|hold',
        'does not match stream data|Image failed safety checks|Image format inspection failed',
        'checksum, os_hash_algo, os_hash_value; then what download and a further update with data answer',
        'Glance 33 leaves the refused bytes (415) with the queued image: its record has their hashes, and reading it '
        'or sending other bytes is a server error (500). The local store drops them, and the image may try again',
    ),
    Excused(
        'detail|index|show_by_name',
        'a second time, expected each page once',
        'result, error',
        'Glance 33 leads from a page to itself where images without a value for the sort key (size of a queued image) '
        'fill it; the driver ends that with an error. The local store lists them',
        alike=False,
    ),
)


def kept(mismatches: Iterable[Mismatch], ignored: Iterable[Ignored]) -> list[Mismatch]:
    """The mismatches in places that count."""
    rules = tuple(ignored)
    return [each for each in mismatches if not any(rule.covers(each) for rule in rules)]
