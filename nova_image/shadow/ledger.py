# SPDX-License-Identifier: Apache-2.0
"""What was compared and what was found, in a file of JSON lines that several processes share.

Lines are added up when they are read: ``calls`` counts an outcome of comparing per operation and branch,
``mismatch`` a difference of one shape. When the file is full it is written anew, added up; if that is still too
long, the rarest mismatches go, and are counted. Knows no driver.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SCHEMA = 1
#: Of a full ledger, what is left when it is written anew.
_KEPT = 0.5
#: A longer mismatch is told with fewer of its fields.
_LONGEST_LINE = 16 * 1024
#: The year 9999; what is later is no time that anybody could read.
_LAST_TIME = 253_402_300_800

#: what a mismatch tells
_TOLD = {'op', 'branch', 'candidate_branch', 'args', 'fields'}

Key = tuple[str, str, str]


class Ledger:
    """Counts and mismatches, added up.

    :ivar calls: (operation, branch of the control, what came of comparing) -> number
    :ivar mismatches: shape -> the first one of it, with ``count``, ``first`` and ``last``
    :ivar forgotten: calls that differed, and of which only the number is left
    :ivar unreadable: lines that are none, of which nobody knows what they said
    """

    def __init__(self) -> None:
        self.calls: Counter[Key] = Counter()
        self.mismatches: dict[str, dict[str, Any]] = {}
        self.forgotten = 0
        self.unreadable = 0

    @classmethod
    def read(cls, path: str) -> Ledger:
        """What the file says. :raises OSError: it cannot be read"""
        with open(path, encoding='utf-8', errors='replace') as file:
            return cls().add(file)

    def add(self, lines: Iterable[str]) -> Ledger:
        """Add lines; one that is not whole is counted, not guessed at."""
        for line in lines:
            try:
                self._add(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                self.unreadable += 1
        return self

    def _add(self, line: Mapping[str, Any]) -> None:
        if line['schema'] != SCHEMA:
            raise ValueError('another schema')
        if 'calls' in line:
            op, branch, what = map(str, line['calls'])
            self.calls[op, branch, what] += _number(line['count'])
        elif 'forgotten' in line:
            self.forgotten += _number(line['forgotten'])
        elif 'unreadable' in line:
            self.unreadable += _number(line['unreadable'])
        else:
            first, last = _time(line['first']), _time(line['last'])
            self.note(str(line['mismatch']), _seen(line['seen']), _number(line['count']), first, last)

    def note(self, shape: str, seen: Mapping[str, Any], count: int, first: float, last: float) -> None:
        """Count a mismatch; of several of one shape, the earliest is the example."""
        known = self.mismatches.get(shape)
        if known is None:
            self.mismatches[shape] = {'seen': dict(seen), 'count': count, 'first': float(first), 'last': float(last)}
            return
        if first < known['first']:
            known['seen'] = dict(seen)
        known['count'] += count
        known['first'], known['last'] = min(known['first'], first), max(known['last'], last)

    def lines(self) -> list[str]:
        """The ledger as lines, the most frequent mismatches first."""
        found: list[dict[str, Any]] = [
            {'calls': key, 'count': count} for key, count in sorted(self.calls.items()) if count
        ]
        if self.forgotten:
            found.append({'forgotten': self.forgotten})
        if self.unreadable:
            found.append({'unreadable': self.unreadable})
        counts = [_line(each) for each in found]
        return [*counts, *(_mismatch(shape, known) for shape, known in self.by_count())]

    def by_count(self) -> list[tuple[str, dict[str, Any]]]:
        """The mismatches, the most frequent first."""
        return sorted(self.mismatches.items(), key=lambda item: (-item[1]['count'], item[0]))

    def shrink(self, most_bytes: int) -> None:
        """Forget the rarest mismatches until the lines fit."""
        sizes = {shape: len(json.dumps(known)) + 100 for shape, known in self.mismatches.items()}
        total = sum(sizes.values())
        for shape, known in reversed(self.by_count()):
            if total <= most_bytes:
                break
            total -= sizes[shape]
            self.forgotten += known['count']
            del self.mismatches[shape]


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError('no number')
    return value


def _time(value: Any) -> float:
    if not 0 <= value < _LAST_TIME:  # NaN neither
        raise ValueError('no time')
    return float(value)


def _seen(told: Any) -> dict[str, Any]:
    """A mismatch of which everything can be told; a damaged line may lack something."""
    pairs = told['fields'].values()
    if not told.keys() >= _TOLD or not all(values.keys() >= {'control', 'candidate'} for values in pairs):
        raise ValueError('no mismatch')
    return {**told}


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps({'schema': SCHEMA, **content}, separators=(',', ':')) + '\n'


def _mismatch(shape: str, known: Mapping[str, Any]) -> str:
    line = _line({'mismatch': shape, **known})
    fields = dict(known['seen'].get('fields', ()))
    while len(line) > _LONGEST_LINE and fields:
        fields.popitem()
        line = _line({'mismatch': shape, **known, 'seen': {**known['seen'], 'fields': fields}})
    return line


def append(path: str, ledger: Ledger, most_bytes: int) -> None:
    """Add to the file, which stays below ``most_bytes``.

    :raises OSError: it cannot be written
    """
    text = ''.join(ledger.lines())
    with _locked(path):
        size = os.path.getsize(path) if os.path.exists(path) else 0
        if size + len(text) <= most_bytes:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # A line that was cut off must not spoil the next one.
                if size and os.pread(handle, 1, size - 1) != b'\n':
                    text = f'\n{text}'
                if os.write(handle, text.encode()) < len(text):
                    os.ftruncate(handle, size)  # half a line would spoil the next one
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
            finally:
                os.close(handle)
            return
        merged = Ledger.read(path) if size else Ledger()
        merged.add(text.splitlines(keepends=True))
        merged.shrink(int(most_bytes * _KEPT))
        _replace(path, ''.join(merged.lines()))


def _replace(path: str, text: str) -> None:
    handle, staged = tempfile.mkstemp(dir=os.path.dirname(path) or '.', prefix='.ledger-')
    try:
        with open(handle, 'w', encoding='utf-8') as file:
            file.write(text)
        os.replace(staged, path)
    except BaseException:
        os.unlink(staged)
        raise


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    # A record lock: a child that is forked meanwhile does not hold it, as it would a flock. Between threads it is none.
    with _lock:
        handle = os.open(f'{path}.lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


_lock = threading.Lock()


def _forget_lock() -> None:
    """In a child: the lock may be held by a thread that is not here."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)
