# SPDX-License-Identifier: Apache-2.0
"""Compare two values of two runs of one program, in which ids, times and scratch paths differ by nature.

An id of one run stands for exactly one id of the other: which for which is found while comparing, and
from then on it has to hold. A text that occurs in both runs is no such id and has to be the same.
Knows nothing of images.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'(?P<id>(?<![0-9a-f])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,128})'
    r'(?![0-9a-f]))'
    r'|(?P<temporary>\btmp[a-z0-9_]{8}\b)'
    r'|(?P<time>\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)'
    r'|(?P<epoch>(?<![\w.])1[0-9]{9}(?:\.[0-9]+)?(?![\w-]))',
    re.IGNORECASE,
)
#: Hashes of contents are no ids: they have to be the same.
_HASHES = frozenset(('checksum', 'os_hash_value', 'sha256'))
_SLACK = datetime.timedelta(days=1)
MISSING = '(absent)'

Window = tuple[float, float]


@dataclass(frozen=True)
class Mismatch:
    """Where in the value, and what is there on either side."""

    path: str
    old: Any
    new: Any


@dataclass
class Pairing:
    """Which id of the old run stands for which of the new one; also what both runs have in common.

    :param common: texts that occur in both runs, see :meth:`between`
    :param window: seconds since the epoch between which a time counts as "now"
    """

    common: frozenset[str] = frozenset()
    window: Window | None = None
    to_new: dict[str, str] = field(default_factory=dict)
    to_old: dict[str, str] = field(default_factory=dict)

    @classmethod
    def between(
        cls, old: Iterable[str], new: Iterable[str], window: Window | None = None
    ) -> Pairing:
        """A pairing for two runs, given all their text."""
        return cls(frozenset(_ids(old) & _ids(new)), window)

    def copy(self) -> Pairing:
        return Pairing(self.common, self.window, dict(self.to_new), dict(self.to_old))

    def take(self, other: Pairing) -> None:
        """Believe what the other pairing found out."""
        self.to_new, self.to_old = other.to_new, other.to_old

    def bind(self, old: str, new: str) -> None:
        """Let an id stand for another before anything is compared."""
        if old not in self.common and new not in self.common:
            self.to_new[old], self.to_old[new] = new, old

    def compare(self, old: Any, new: Any, path: str = '') -> list[Mismatch]:
        """All places where the two values differ by more than their runs; empty when they are equal."""
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found: list[Mismatch] = []
            for key in sorted({*old, *new}, key=str):
                inner = f'{path}.{key}' if path else str(key)
                if key in old and key in new:
                    found += self.compare(old[key], new[key], inner)
                else:
                    found.append(Mismatch(inner, old.get(key, MISSING), new.get(key, MISSING)))
            return found
        if _is_sequence(old) and _is_sequence(new):
            found = []
            for index in range(max(len(old), len(new))):
                inner = f'{path}[{index}]'
                if index < len(old) and index < len(new):
                    found += self.compare(old[index], new[index], inner)
                else:
                    left = old[index] if index < len(old) else MISSING
                    found.append(Mismatch(inner, left, new[index] if index < len(new) else MISSING))
            return found
        if isinstance(old, str) and isinstance(new, str):
            return [] if self._texts(old, new, path) else [Mismatch(path, old, new)]
        if isinstance(old, datetime.datetime) and isinstance(new, datetime.datetime):
            return (
                [] if self._times(old.isoformat(), new.isoformat()) else [Mismatch(path, old, new)]
            )
        same = type(old) is type(new) and old == new
        return [] if same else [Mismatch(path, old, new)]

    def _texts(self, old: str, new: str, path: str) -> bool:
        if path.rpartition('.')[2] in _HASHES:
            return old == new
        before, after = list(_TOKEN.finditer(old)), list(_TOKEN.finditer(new))
        if len(before) != len(after) or skeleton(old) != skeleton(new):
            return False
        return all(self._tokens(a, b) for a, b in zip(before, after, strict=True))

    def _tokens(self, old: re.Match[str], new: re.Match[str]) -> bool:
        if old.lastgroup != new.lastgroup:
            return False
        if old.lastgroup == 'time':
            return self._times(old[0], new[0])
        if old.lastgroup == 'epoch':
            return old[0] == new[0] or (self._now(float(old[0])) and self._now(float(new[0])))
        return self._stands_for(old[0], new[0])

    def _stands_for(self, old: str, new: str) -> bool:
        if old in self.common or new in self.common:
            return old == new
        if old not in self.to_new and new not in self.to_old:
            self.to_new[old] = new
            self.to_old[new] = old
        return self.to_new.get(old) == new and self.to_old.get(new) == old

    def _times(self, old: str, new: str) -> bool:
        if old == new:
            return True
        try:
            left, right = _parsed(old), _parsed(new)
        except ValueError:
            return False
        return self._now(left.timestamp()) and self._now(right.timestamp())

    def _now(self, moment: float) -> bool:
        slack = _SLACK.total_seconds()
        return self.window is None or self.window[0] - slack <= moment <= self.window[1] + slack


def skeleton(text: str) -> str:
    """A text without its ids, times and temporary names."""
    return _TOKEN.sub('\0', text)


def _ids(texts: Iterable[str]) -> set[str]:
    return {
        found[0]
        for text in texts
        for found in _TOKEN.finditer(text)
        if found.lastgroup in ('id', 'temporary')
    }


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _parsed(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def texts(value: Any) -> Iterable[str]:
    """Every text in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif _is_sequence(value):
        for item in value:
            yield from texts(item)
