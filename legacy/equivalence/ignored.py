# SPDX-License-Identifier: Apache-2.0
"""What comparisons leave out, as data with a reason each; nothing else is left out anywhere.

``Ignored`` places are never compared, because they belong to one side by nature. ``Excused`` differences are real
ones that are accepted: the programs are counted, and long runs assert that they stay below one in a hundred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from legacy.equivalence.outcome import Outcome
from legacy.equivalence.pairing import Mismatch
from legacy.equivalence.programs import Step


@dataclass(frozen=True)
class Ignored:
    """A place in an outcome or a stored record.

    :param place: pattern of the whole path, as in a mismatch: ``result[0].stores``
    :param pairs: what may stand there on both sides, old and new; default anything
    """

    place: str
    why: str
    pairs: tuple[tuple[Any, Any], ...] = ()

    def covers(self, mismatch: Mismatch) -> bool:
        """Whether the mismatch is in that place, and between two such values."""
        if self.pairs and (mismatch.old, mismatch.new) not in self.pairs:
            return False
        return re.fullmatch(self.place, mismatch.path) is not None


@dataclass(frozen=True)
class Excused:
    """A difference that is known and accepted. A program in which it may show is not compared any further.

    :param op: pattern of the operation that has it, or with ``error`` leads to it
    :param fields: what may differ
    :param asked: patterns of arguments of the operation
    :param error: pattern of the text of the error that the operation has on both sides, before anything differs
    """

    op: str
    fields: str
    why: str
    asked: Mapping[str, str] = field(default_factory=dict)
    error: str = ''

    def covers(self, step: Step, old: Outcome, new: Outcome) -> bool:
        """Whether this may be the difference in a step or after it."""
        given = {name: str(value) for name, value in step.arguments.items()}
        return (
            re.fullmatch(self.op, step.op) is not None
            and all(re.search(pattern, given.get(name, '')) for name, pattern in self.asked.items())
            and all(each.error is not None and re.search(self.error, each.error.text) for each in (old, new) if self.error)
        )


#: Between the old and the new path on one kind of store.
PATHS: tuple[Ignored, ...] = ()
_WHERE = Ignored(r'.*\.(locations|direct_url)(\[.*|\..*)?', 'where the bytes are belongs to the service')
#: Between the old and the new path, each on a real Glance of its own.
GLANCES = (_WHERE,)
#: Between two image services.
SERVICES = (
    Ignored(r'error\.text', 'C-190: the words of a refusal are the service\'s own'),
    Ignored(r'error\.fields\.(reason|server|errno|details|response)', 'C-190: words of the service, and where it is'),
    Ignored(r'error\.cause', 'what a driver turns into an error of ours is its own: an HTTP answer, a row, a file'),
    Ignored(r'.*\.stores', 'an administrator of the service chose the names of its stores'),
    _WHERE,
    Ignored(r'logged(\[.*)?', 'what is logged tells of connections and files, which only one side has'),
    Ignored(r'(requests|paused)(\[.*)?', 'only one of two kinds of store may speak HTTP'),
    Ignored(r'streams(\..*|\[.*)?', 'how much of a body is read before a refusal, and how bytes are cut, is the '
            'service\'s; that the bytes are right is compared'),
)  # fmt: skip

#: Between a client of the caller's own, a real glanceclient, and the new API on one kind of server.
CLIENTS = (
    Ignored(r'(requests|paused)(\[.*)?', 'a client asks for schemas and records in an order of its own'),
    Ignored(r'logged(\[.*)?', 'the wrapper names what it called, in the words of its release (C-051)'),
    Ignored(r'error\.(text|fields\..*)', 'C-190: a client words what it gets'),
    Ignored(r'error\.kind', 'C-185, C-188: what no table knows came out as it was; the new class is the old one, too (D-1)',
            (('HTTPConflict', 'ImageConflict'), ('HTTPUnauthorized', 'ImageNotAuthorized'), ('HTTPBadRequest', 'ImageBadRequest'))),
    Ignored(r'error\.cause', 'what came out as it was is its own cause (C-185, C-188)',
            ((None, 'HTTPConflict'), (None, 'HTTPUnauthorized'), (None, 'HTTPBadRequest'))),
    Ignored(r'streams(\..*|\[.*)?', 'a client reads and cuts bodies in pieces of its own'),
)  # fmt: skip
#: Between a program and what is left of it without what must not matter, see ``troubles.plain``.
PLAIN = (Ignored(r'streams\.data(\..*)?', 'bytes come in an object of another kind'),)


#: Accepted differences between ``local`` and a real Glance.
EXCUSED = (
    Excused(
        'update|hold',
        'checksum, os_hash_algo, os_hash_value; then what download and a further update with data answer',
        'Glance 33 leaves the refused bytes (415) with the queued image: its record has their hashes, and reading it '
        'or sending other bytes is a server error (500). The local store drops them, and the image may try again',
        error='does not match stream data|Image failed safety checks|Image format inspection failed',
    ),
    Excused(
        'detail|index',
        'result, error',
        'sorted by size, Glance 33 loses images without one (queued) between two pages, or leads from a page to itself, '
        'which the driver ends with an error. The local store lists them all',
        asked={'page_size': r'\d', 'sort_key': r'\bsize\b'},
    ),
)


def compared(plain: Mapping[str, Any], ignored: Iterable[Ignored]) -> dict[str, Any]:
    """An outcome without the parts that do not count at all: which id stands for which is not learned from them."""
    parts = [rule.place for rule in ignored if not rule.pairs]
    return {name: value for name, value in plain.items() if not any(re.fullmatch(part, name) for part in parts)}


def kept(mismatches: Iterable[Mismatch], ignored: Iterable[Ignored]) -> list[Mismatch]:
    """The mismatches in places that count."""
    rules = tuple(ignored)
    return [each for each in mismatches if not any(rule.covers(each) for rule in rules)]
