# SPDX-License-Identifier: Apache-2.0
"""Where downloaded bytes go: a caller's object, a special file in place, or a staged file (D-8).

A target is opened only when bytes are at hand (C-129), and from then on ends in ``commit`` or
``discard``. What can be put back says so in ``restart``; nothing here knows of bodies, hashes or retries.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from typing import Any, Protocol

from nova_image.transfer.staging import Staged
from nova_image.transfer.syncing import descriptor_of, sync


class Target(Protocol):
    """``open`` once, ``write`` in order, then ``commit`` or ``discard``.

    ``write`` takes the first ``count`` bytes of ``data``. ``restart`` forgets what was written, so that
    writing begins again, and says False where that turns out to be impossible; ``can_restart`` asks first.
    """

    def open(self) -> None: ...

    def write(self, data: bytes | bytearray, count: int) -> None: ...

    def can_restart(self) -> bool: ...

    def restart(self) -> bool: ...

    def commit(self) -> None: ...

    def discard(self) -> None: ...


def target_for(data: Any, dest_path: Any) -> Target:
    """``data`` wins over ``dest_path`` (C-128); see D-8 for which paths are written in place.

    :raises OSError: the path cannot be written, as ``open`` says it (C-133)
    """
    if data is not None:
        return CallersObject(data)
    if not isinstance(dest_path, (str, bytes, os.PathLike)):
        return InPlace(dest_path)
    path = os.fsdecode(dest_path)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        real = os.path.realpath(path)
        if os.path.basename(path) in ('', os.curdir, os.pardir):
            return InPlace(dest_path)  # names a directory: open() says so in its own words
        return Staged(path, real, None)
    except (OSError, ValueError):
        return InPlace(dest_path)
    if not stat.S_ISREG(found.st_mode):
        return InPlace(dest_path)
    real = os.path.realpath(path)
    with contextlib.suppress(OSError):
        if os.path.samestat(os.stat(real), found):
            return Staged(path, real, found)
    return InPlace(dest_path)  # reached through a descriptor only: its name is gone


class CallersObject:
    """Somebody's writable object: neither flushed nor closed (C-128)."""

    def __init__(self, sink: Any) -> None:
        self._sink = sink
        # Only raw files may write less than they were given; buffered ones and foreign objects take all.
        self._raw = isinstance(sink, io.RawIOBase)
        self._start: int | None = None
        self._written = 0

    def open(self) -> None:
        self._start = self._tell()

    def _tell(self) -> int | None:
        sink = self._sink
        try:
            if not (callable(sink.seek) and callable(sink.truncate) and sink.seekable()):
                return None
            where = sink.tell()
        except Exception:  # noqa: BLE001 - a foreign object that raises here cannot be put back
            return None
        return where if isinstance(where, int) else None

    def write(self, data: bytes | bytearray, count: int) -> None:
        piece = data if isinstance(data, bytes) and count == len(data) else bytes(memoryview(data)[:count])
        if self._raw:
            rest = memoryview(piece)
            while rest:
                rest = rest[self._sink.write(rest) or _blocked(self._sink) :]
        else:
            self._sink.write(piece)
        self._written += count

    def can_restart(self) -> bool:
        return self._start is not None and self._tell() == self._start + self._written

    def restart(self) -> bool:
        if self._start is None or not self.can_restart():
            return False
        try:
            self._sink.seek(0, io.SEEK_END)
            end = self._tell()
            self._sink.seek(self._start)
            if end == self._start + self._written:
                # All that stands behind the start is ours. Older bytes further on are left alone.
                self._sink.truncate()
        except Exception:  # noqa: BLE001 - see _tell
            return False
        self._written = 0
        return self._tell() == self._start

    def commit(self) -> None:
        pass

    def discard(self) -> None:
        pass


def _blocked(sink: Any) -> int:
    raise BlockingIOError(f'{sink!r} is in non-blocking mode and takes no bytes now; expected a file that waits')


class InPlace:
    """A device, FIFO, socket or anything else that is not a regular file: written where it is."""

    def __init__(self, path: Any) -> None:
        self._path = path
        self._file: Any = None

    def open(self) -> None:
        self._file = open(self._path, 'wb')  # noqa: SIM115 - closed by commit or discard

    def write(self, data: bytes | bytearray, count: int) -> None:
        self._file.write(data if count == len(data) else memoryview(data)[:count])

    def can_restart(self) -> bool:
        descriptor = descriptor_of(self._file)
        return descriptor is not None and stat.S_ISBLK(os.fstat(descriptor).st_mode)

    def restart(self) -> bool:
        if not self.can_restart():
            return False
        self._file.seek(0)
        return True

    def commit(self) -> None:
        file, self._file = self._file, None
        try:
            file.flush()
            sync(file)
        finally:
            file.close()

    def discard(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
                file.close()
