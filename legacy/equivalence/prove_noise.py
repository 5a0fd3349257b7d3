# SPDX-License-Identifier: Apache-2.0
"""What the old program does differently from run to run by itself, field by field, and its subtraction.

A field that two runs of the old program fill differently excuses a new value of the same kind: the same type,
and for texts what those of the old runs begin and end with alike. Everything else is a difference.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from legacy.equivalence.pairing import MISSING, Mismatch
from legacy.equivalence.prove_compare import Difference
from legacy.equivalence.prove_trace import Operation

#: Operation, where it stands in the program, line; of a baseline the function, for lines move (``Operation.key``).
Place = tuple[str, str | None, int]
_INDEX = re.compile(r'\[\d+\]')
_NOT_WORDS = re.compile(r'[^0-9A-Za-z]')


@dataclass
class Field:
    """One field that is not steady: where, what the old runs had in it, what the new one had, how often."""

    kind: str
    op: str
    file: str | None
    new_line: int
    path: str
    seen: list[Any] = field(default_factory=list)
    new: Any = MISSING
    excused: int = 0

    def allows(self, value: Any) -> bool:
        """Whether the old program could have had that value as well."""
        if any(type(each) is type(value) and each == value for each in self.seen):
            return True
        if value == MISSING or value is None or isinstance(value, bool) or self.kind == 'ended':
            return False
        if isinstance(value, str):
            texts = [each for each in self.seen if isinstance(each, str) and each != MISSING]
            start, end = _shared(texts)
            return bool(texts) and value.startswith(start) and value.endswith(end)
        return any(type(each) is type(value) for each in self.seen)


@dataclass
class Noise:
    """Noise of the old program, by field, and how often it makes each call."""

    fields: dict[tuple[str, Place, str], Field] = field(default_factory=dict)
    counts: list[Counter[Place]] = field(default_factory=list)

    def learn(self, differences: Iterable[Difference]) -> None:
        """Take in how one run of the old program differs from another."""
        for each in differences:
            for mismatch in each.mismatches or (Mismatch('', MISSING, MISSING),):
                self._at(each, mismatch.path).seen += [mismatch.old, mismatch.new]

    def count(self, operations: Sequence[Operation]) -> None:
        """Take in how often one run of the old program makes each call."""
        self.counts.append(_counted(operations))

    def subtract(self, differences: Iterable[Difference], new: Sequence[Operation]) -> list[Difference]:
        """The differences that are none of the old program's own."""
        counts = _counted(new)
        left: list[Difference] = []
        for each in differences:
            if each.kind in ('missing', 'extra'):
                if not self._presence(each, counts):
                    left.append(each)
            elif each.kind == 'order':
                if not self._excused(each, Mismatch('', MISSING, MISSING)):
                    left.append(each)
            else:
                rest = tuple(one for one in each.mismatches if not self._excused(each, one))
                if rest:
                    left.append(dataclasses.replace(each, mismatches=rest))
        return left

    @property
    def told(self) -> list[Field]:
        """The fields that excused something, in order."""
        return [each for each in self.fields.values() if each.excused]

    def _at(self, each: Difference, path: str) -> Field:
        kind = 'presence' if each.kind in ('missing', 'extra') else each.kind
        path = '' if kind == 'presence' else _INDEX.sub('[*]', path)
        made = Field(kind, each.op, each.file, each.new_line, path)
        return self.fields.setdefault((kind, _place(each), path), made)

    def _known(self, each: Difference, path: str) -> Field | None:
        found = self._at(each, path)
        return found if found.seen else None

    def _excused(self, each: Difference, mismatch: Mismatch) -> bool:
        known = self._known(each, mismatch.path)
        if known is None or not known.allows(mismatch.new):
            return False
        known.new, known.new_line = mismatch.new, each.new_line
        known.excused += 1
        return True

    def _presence(self, each: Difference, new: Counter[Place]) -> bool:
        """Whether a call too few or too many is the program's own: it happens with no run as with none of these."""
        place = _place(each)
        known = self._known(each, '')
        if known is None or (new[place] == 0 and all(counts[place] for counts in self.counts)):
            return False
        known.seen = [f'{counts[place]} calls' for counts in self.counts]
        known.new, known.new_line = f'{new[place]} calls', each.new_line
        known.excused += 1
        return True


def _counted(operations: Sequence[Operation]) -> Counter[Place]:
    return Counter(each.key for each in operations)


def _place(each: Difference) -> Place:
    shown = each.new or each.old
    return (each.op, *shown.key[1:]) if shown else (each.op, each.file, each.new_line)


def _shared(texts: Sequence[str]) -> tuple[str, str]:
    """What the texts begin and end with alike, cut back to whole words."""
    if not texts:
        return '', ''
    start = os.path.commonprefix(list(texts))
    end = os.path.commonprefix([text[len(start) :][::-1] for text in texts])[::-1]
    cuts = [found.end() for found in _NOT_WORDS.finditer(start)]
    first = _NOT_WORDS.search(end)
    return start[: cuts[-1]] if cuts else '', end[first.start() :] if first else ''
