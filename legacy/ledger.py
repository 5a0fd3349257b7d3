# SPDX-License-Identifier: Apache-2.0
"""How often each function of a program used each old name, over all its processes, however they ended.

Counts live in memory until a ledger is on (``NOVA_IMAGE_LEGACY_LEDGER`` or ``[image] legacy_ledger``); then each
process counts in a mapped file of its own beside the ledger (``LEDGER.*.part``), which outlives ``os._exit`` and a
kill. A part is merged into the ledger when its process ends, on :func:`flush`, or by the next one that merges.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import fcntl
import glob
import json
import mmap
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

__all__ = ['Key', 'Ledger', 'begin', 'flush', 'read', 'restart']

#: (old name, file, function)
Key = tuple[str, str, str]
#: Different keys that one process tells apart; what is more is counted under the last.
CAPACITY = 4096
REST: Key = ('(more)', '', '')
#: The place that counts calls of our own code, which nobody reads.
NOBODY = CAPACITY
_COUNTS_BYTES = 8 * (CAPACITY + 1)
#: Different keys of a whole ledger; what is more is counted under ``REST`` too.
_MOST_KEYS = 16 * CAPACITY
_MOST_PARTS = 256


@dataclass
class Ledger:
    """A ledger as it was read.

    :ivar since: day from which on it counts, in UTC
    """

    since: str
    uses: Counter[Key] = field(default_factory=Counter)
    absorbed: list[str] = field(default_factory=list)


class Here:
    """The counts of this process. ``counts[i]`` is incremented in place, which no other thread interrupts."""

    counts: Any = [0] * (CAPACITY + 1)
    index: dict[Key, int]
    path: Path | None = None
    part: FileIO | None = None
    broken = False


Here.index = {}
_lock = threading.RLock()


def slot(key: Key) -> int:
    """The place of ``counts`` that counts a key."""
    found = Here.index.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in Here.index:
            if len(Here.index) >= CAPACITY - 1:
                return slot(REST) if key != REST else _put(REST)
            _put(key)
        return Here.index[key]


def _put(key: Key) -> int:
    number = len(Here.index)
    if Here.part is not None:
        _write_keys(Here.part, [key])
    Here.index[key] = number
    return number


def begin(path: str | os.PathLike[str]) -> None:
    """Count in the ledger at ``path`` from now on; what was counted before goes there too."""
    with _lock:
        if Here.path is not None or Here.broken:
            return
        try:
            _open_part(Path(os.path.abspath(path)))
        except OSError as err:  # a report must not break the program it is about
            Here.broken = True
            print(f'nova-image: no ledger at {os.fspath(path)}: {err}', file=sys.stderr)
            return
        atexit.unregister(_end)
        atexit.register(_end)


def _open_part(path: Path, *, carry: bool = True) -> None:
    handle, name = tempfile.mkstemp(prefix=f'{path.name}.{os.getpid()}-', suffix='.part', dir=path.parent)
    part = open(name, 'r+b', buffering=0)  # noqa: SIM115 - stands until the process ends
    os.close(handle)
    handle = part.fileno()
    fcntl.flock(handle, fcntl.LOCK_EX)  # until the process ends: a part without a lock is of a dead one
    part.truncate(_COUNTS_BYTES)
    part.seek(_COUNTS_BYTES)
    _write_keys(part, list(Here.index))
    counts = Here.counts
    Here.counts = mapped = memoryview(mmap.mmap(handle, _COUNTS_BYTES)).cast('Q')
    Here.part, Here.path = part, path
    if carry:  # after the exchange, so that nothing is lost that another thread counts meanwhile
        for number in range(len(Here.index)):
            mapped[number] += counts[number]


def _write_keys(part: FileIO, keys: list[Key]) -> None:
    if keys:
        part.write(''.join(json.dumps(key) + '\n' for key in keys).encode())


def flush() -> None:
    """Merge what this process counted, and what dead ones left, into the ledger."""
    with _lock:
        if Here.path is None or Here.part is None:
            return
        path, counted = Here.path, Here.part
        try:
            _open_part(path, carry=False)
            counted.close()
            _merge(path)
        except (OSError, ValueError) as err:
            print(f'nova-image: the ledger {path} cannot be written: {err}', file=sys.stderr)


def _end() -> None:
    """At exit: as :func:`flush`, and no part stays."""
    with _lock:
        flush()
        path, part = Here.path, Here.part
        if path is None or part is None:
            return
        Here.path = Here.part = None
        Here.counts = [0] * (CAPACITY + 1)
        with contextlib.suppress(OSError):
            if not _read_part(Path(part.name)):
                os.unlink(part.name)
        part.close()


def read(path: str | os.PathLike[str]) -> Ledger:
    """The ledger with every part beside it, those of living processes too.

    :raises FileNotFoundError: neither a ledger nor a part is there
    :raises ValueError: the file is no ledger
    """
    place = Path(path)
    if not place.exists() and not _parts(place):
        raise FileNotFoundError(
            f'{path}: there is no ledger; run the program with NOVA_IMAGE_LEGACY_LEDGER={path}, or name another file'
        )
    while True:  # nothing is written here, so where no process has merged yet there is no lock to take
        with contextlib.ExitStack() as held:
            locked = _lock_of(place).exists()
            if locked:
                fcntl.flock(held.enter_context(open(_lock_of(place), 'rb')).fileno(), fcntl.LOCK_SH)
            ledger = _read_base(place)
            for part in _parts(place):
                if part.name not in ledger.absorbed:
                    with contextlib.suppress(FileNotFoundError):  # its process has ended
                        ledger.uses.update(_read_part(part))
        if locked or not _lock_of(place).exists():
            return ledger


def restart(path: str | os.PathLike[str]) -> Ledger:
    """Begin the ledger anew, today; what was counted is dropped."""
    place = Path(path)
    with _alone(place):
        ledger = Ledger(_today())
        for part in _parts(place):
            if not _taken(part, ledger):
                with open(part, 'r+b') as stream:  # of a living process, which goes on counting from zero
                    stream.write(bytes(_COUNTS_BYTES))
        ledger.uses.clear()
        _write_base(place, ledger)
        _drop(place, ledger)
    return ledger


def _merge(path: Path) -> None:
    with _alone(path):
        ledger = _read_base(path)
        _drop(path, ledger)
        ledger.absorbed = []
        for part in _parts(path):
            _taken(part, ledger)
        _write_base(path, ledger)  # names the parts it has taken in, so that none counts twice
        _drop(path, ledger)


def _taken(part: Path, ledger: Ledger) -> bool:
    """Take the counts of a part in if its process is dead."""
    try:
        with open(part, 'rb') as stream:
            fcntl.flock(stream.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            ledger.uses.update(_read_part(part))
    except BlockingIOError:
        return False
    ledger.absorbed.append(part.name)
    return True


def _drop(path: Path, ledger: Ledger) -> None:
    for name in ledger.absorbed:
        (path.parent / name).unlink(missing_ok=True)


def _parts(path: Path) -> list[Path]:
    return [Path(each) for each in sorted(glob.glob(f'{glob.escape(str(path))}.*.part'))]


def _read_part(part: Path) -> Counter[Key]:
    data = part.read_bytes()
    counts = memoryview(data[:_COUNTS_BYTES].ljust(_COUNTS_BYTES, b'\0')).cast('Q')
    uses: Counter[Key] = Counter()
    lines = data[_COUNTS_BYTES:].split(b'\n')[:-1]  # a line without its end was being written
    for number, line in enumerate(lines[:CAPACITY]):
        if counts[number]:
            name, file, function = json.loads(line)
            uses[name, file, function] += counts[number]
    return uses


def _read_base(path: Path) -> Ledger:
    try:
        answer = json.loads(path.read_bytes())
        uses = {(row['name'], row['file'], row['function']): int(row['count']) for row in answer['uses']}
        return Ledger(answer['since'], Counter(uses), list(answer['absorbed']))
    except FileNotFoundError:
        return Ledger(_today())
    except (KeyError, TypeError, ValueError) as err:
        raise ValueError(f'{path} is no ledger of old image names ({err}); name another file') from err


def _write_base(path: Path, ledger: Ledger) -> None:
    for key in sorted(ledger.uses, key=ledger.uses.__getitem__)[: max(0, len(ledger.uses) - _MOST_KEYS)]:
        ledger.uses[REST] += ledger.uses.pop(key)
    rows = [
        {'name': name, 'file': file, 'function': function, 'count': count}
        for (name, file, function), count in sorted(ledger.uses.items())
    ]
    answer = {'schema': 1, 'since': ledger.since, 'uses': rows, 'absorbed': ledger.absorbed}
    staged = path.with_name(f'{path.name}.new')
    staged.write_text(json.dumps(answer, indent=1) + '\n', encoding='utf-8')
    os.replace(staged, path)


def _lock_of(path: Path) -> Path:
    return path.with_name(f'{path.name}.lock')


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with open(_lock_of(path), 'ab') as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        yield


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _after_fork() -> None:
    """A child counts on its own, from zero, in a part of its own."""
    global _lock
    _lock = threading.RLock()
    Here.counts = [0] * (CAPACITY + 1)
    path, part = Here.path, Here.part
    Here.path = Here.part = None
    if part is not None and path is not None:
        part.close()  # the parent's lock stays: it belongs to the open file, which the parent still has
        try:
            if len(_parts(path)) > _MOST_PARTS:
                _merge(path)
            _open_part(path)
        except (OSError, ValueError) as err:
            print(f'nova-image: no ledger at {path}: {err}', file=sys.stderr)


os.register_at_fork(after_in_child=_after_fork)
