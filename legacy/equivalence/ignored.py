# SPDX-License-Identifier: Apache-2.0
"""What comparisons leave out, as data with a reason each; nothing else is left out anywhere.

``Ignored`` places are never compared, because they belong to one side by nature. ``Excused`` differences are real
ones that are accepted: they are counted, and long runs assert that they stay below one program in a hundred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

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
    """A difference that is known and accepted, by operation and field.

    :param op: operation of the step, ``stored`` for the stores at the end
    :param place: as in :class:`Ignored`
    """

    op: str
    place: str
    why: str

    def covers(self, op: str, mismatch: Mismatch) -> bool:
        """Whether this is that difference."""
        return op == self.op and re.fullmatch(self.place, mismatch.path) is not None


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
EXCUSED: tuple[Excused, ...] = ()


def kept(mismatches: Iterable[Mismatch], ignored: Iterable[Ignored]) -> list[Mismatch]:
    """The mismatches in places that count."""
    rules = tuple(ignored)
    return [each for each in mismatches if not any(rule.covers(each) for rule in rules)]
