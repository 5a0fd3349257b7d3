# SPDX-License-Identifier: Apache-2.0
"""Where downloaded bytes go: a caller's object, a special file in place, or a staged file (D-8).

A target is opened only when bytes are at hand (C-129), and from then on ends in ``commit`` or
``discard``. What can be put back says so in ``restart``; nothing here knows of bodies, hashes or retries.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from typing import Any, Protocol

HOLE_BYTES = 64 * 1024
_ZEROS = bytes(HOLE_BYTES)
_COPY_BYTES = 1024 * 1024
# What fsync says of things that have nothing to sync (C-137).
_NOTHING_TO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)
# What rename says where a file cannot be replaced, though it can be written (a bind mount, a sticky directory).
_NOT_REPLACEABLE = (errno.EBUSY, errno.EPERM, errno.EACCES, errno.EXDEV)
_STAGED = re.compile(r'\.(?P<name>.+)\.[0-9a-f]{16}\.part', re.DOTALL)


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


def staged_target(path: str) -> str | None:
    """The path that a staged file stands for, None if ``path`` is not the name of a staged file."""
    directory, name = os.path.split(path)
    match = _STAGED.fullmatch(name)
    return os.path.join(directory, match['name']) if match else None


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
            end = self._sink.seek(0, io.SEEK_END)
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
        descriptor = _descriptor(self._file)
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
            file.close()


class Staged:
    """A regular file: written under another name beside it, put in its place when complete.

    :param path: as the caller said it, for errors
    :param real: where it is, symbolic links followed
    :param found: its status if it exists
    """

    def __init__(self, path: str, real: str, found: os.stat_result | None) -> None:
        self._path = path
        self._real = real
        self._found = found
        self._staged = ''
        self._file: Any = None
        self._position = 0
        self._hole = 0
        self._copy = False  # put in place by copying, where the file can be written but not replaced

    def open(self) -> None:
        if self._found is not None:
            # Asks the kernel, not the mode bits: root, ACLs, read-only mounts and running programs count.
            os.close(os.open(self._path, os.O_WRONLY | getattr(os, 'O_CLOEXEC', 0)))
        try:
            self._open_beside(os.path.dirname(self._real))
        except OSError as exc:
            if self._found is None or exc.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                exc.filename = self._path
                raise
            self._copy = True
            self._open_beside(tempfile.gettempdir())

    def _open_beside(self, directory: str) -> None:
        name = os.path.basename(self._real)
        while len(os.fsencode(name)) > 255 - len('..0123456789abcdef.part'):
            name = name[:-1]
        self._staged = os.path.join(directory, f'.{name}.{secrets.token_hex(8)}.part')
        self._file = open(self._staged, 'wb')  # noqa: SIM115 - closed by commit or discard
        try:
            self._take_over_mode_and_owner()
        except BaseException:
            self.discard()
            raise

    def _take_over_mode_and_owner(self) -> None:
        descriptor, old = _descriptor(self._file), self._found
        if descriptor is None or old is None:
            return
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            try:
                os.fchown(descriptor, old.st_uid, old.st_gid)
            except OSError:
                self._copy = True  # only the old inode has that owner
        mode = stat.S_IMODE(old.st_mode)
        os.fchmod(descriptor, mode & 0o700 | stat.S_IRUSR | stat.S_IWUSR if self._copy else mode)

    def write(self, data: bytes | bytearray, count: int) -> None:
        if count < HOLE_BYTES:
            self._put(data, 0, count)
        else:
            for begin, end, zeros in _runs(data, count):
                if zeros:
                    self._hole += end - begin
                else:
                    self._put(data, begin, end)
        self._position += count

    def _put(self, data: bytes | bytearray, begin: int, end: int) -> None:
        if self._hole:
            self._file.seek(self._hole, io.SEEK_CUR)
            self._hole = 0
        self._file.write(data if end - begin == len(data) else memoryview(data)[begin:end])

    def can_restart(self) -> bool:
        return True

    def restart(self) -> bool:
        self._file.seek(0)
        self._file.truncate()
        self._position = self._hole = 0
        return True

    def commit(self) -> None:
        """Everything on disk first, then the name; on any failure the old file is untouched."""
        try:
            if self._hole:
                self._file.truncate(self._position)
            self._file.flush()
            if not self._copy:
                sync(self._file)
            real_file = _descriptor(self._file) is not None
            file, self._file = self._file, None
            file.close()
            if real_file:  # where somebody patched open() there is nothing to rename
                self._publish()
        except BaseException:
            self.discard()
            raise

    def _publish(self) -> None:
        if not self._copy:
            try:
                os.replace(self._staged, self._real)
            except OSError as exc:
                if self._found is None or exc.errno not in _NOT_REPLACEABLE:
                    raise
            else:
                self._staged = ''
                sync_directory(os.path.dirname(self._real))
                return
        with open(self._staged, 'rb') as source, open(self._real, 'wb') as file:
            _copy_sparse(source, file, self._position)
            file.flush()
            sync(file)
        self.discard()

    def discard(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                file.close()
        if self._staged:
            staged, self._staged = self._staged, ''
            with contextlib.suppress(OSError):
                os.unlink(staged)


def _runs(data: bytes | bytearray, count: int) -> Iterator[tuple[int, int, bool]]:
    """(begin, end, is it all zeros) over whole blocks of zeros and everything between them."""
    begin = 0
    was_zero = False
    for block in range(0, count, HOLE_BYTES):
        # startswith compares with memcmp and gives up at the first byte that differs.
        is_zero = block + HOLE_BYTES <= count and data.startswith(_ZEROS, block)
        if is_zero != was_zero:
            if block > begin:
                yield begin, block, was_zero
            begin, was_zero = block, is_zero
    yield begin, count, was_zero


def _copy_sparse(source: Any, file: Any, size: int) -> None:
    while piece := source.read(_COPY_BYTES):
        for begin, end, zeros in _runs(piece, len(piece)):
            if zeros:
                file.seek(end - begin, io.SEEK_CUR)
            else:
                file.write(memoryview(piece)[begin:end])
    file.truncate(size)


def _descriptor(file: Any) -> int | None:
    """The descriptor of an opened file; None for what a test put in the place of ``open``."""
    try:
        descriptor = file.fileno()
    except (AttributeError, OSError):
        return None
    return descriptor if isinstance(descriptor, int) else None


def sync(file: Any) -> None:
    """fsync, except where the kernel says that this kind of file has nothing to sync (C-137)."""
    descriptor = _descriptor(file)
    if descriptor is None:
        return
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _NOTHING_TO_SYNC or stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise


def sync_directory(path: str) -> None:
    """Make a rename in ``path`` last; quietly nothing on filesystems that cannot."""
    try:
        descriptor = os.open(path or os.curdir, os.O_RDONLY | getattr(os, 'O_DIRECTORY', 0))
    except OSError:  # a directory one may write but not read
        return
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _NOTHING_TO_SYNC:
            raise
    finally:
        os.close(descriptor)
