# SPDX-License-Identifier: Apache-2.0
"""A regular file, written under a name of its own and given the wanted name when it is complete (D-8).

Keeps mode and owner of the file it replaces, leaves runs of zeros as holes, and falls back to copying
where a file may be written but not replaced. Kill -9 can leave a ``.<name>.<random>.part`` behind.
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
from typing import Any

from nova_image.transfer import cloning
from nova_image.transfer.syncing import (
    descriptor_of,
    start_write_back,
    sync,
    sync_directory,
)

HOLE_BYTES = 64 * 1024
_ZEROS = bytes(HOLE_BYTES)
_COPY_BYTES = 1024 * 1024
_WRITE_BACK_BYTES = 16 * 1024 * 1024
# What rename says where a file cannot be replaced, though it can be written (a bind mount, a sticky directory).
_NOT_REPLACEABLE = (errno.EBUSY, errno.EPERM, errno.EACCES, errno.EXDEV)
_STAGED = re.compile(r'\.(?P<name>.+)\.[0-9a-f]{16}\.part', re.DOTALL)


def staged_target(path: str) -> str | None:
    """The path that a staged file stands for, None if ``path`` is not the name of a staged file."""
    directory, name = os.path.split(path)
    match = _STAGED.fullmatch(name)
    return os.path.join(directory, match['name']) if match else None


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
        self._behind = 0  # how far write-back was started
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
        descriptor, old = descriptor_of(self._file), self._found
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
        if self._position - self._behind >= _WRITE_BACK_BYTES:
            start_write_back(self._file, self._behind, self._position)
            self._behind = self._position

    def clone(self, source: int, length: int) -> cloning.Clone | None:
        """The whole file's bytes from the plain file ``source``, written as they are read from what is returned."""
        descriptor = descriptor_of(self._file)
        made = None if descriptor is None else cloning.clone(source, descriptor, 0, length)
        if made is not None:
            self._position = length
        return made

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
        self._position = self._hole = self._behind = 0
        return True

    def commit(self) -> None:
        """Everything on disk first, then the name; on any failure the old file's content is there.

        Only a file that cannot be replaced is written in place; a failure there puts its old content back.
        """
        try:
            if self._hole:
                self._file.truncate(self._position)
            self._file.flush()
            if not self._copy:
                sync(self._file)
            real_file = descriptor_of(self._file) is not None
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
        self._overwrite()
        self.discard()

    def _overwrite(self) -> None:
        """Copy into the file itself, after its old content was put aside."""
        descriptor, aside = tempfile.mkstemp(prefix=f'{os.path.basename(self._real)[:100]}.', suffix='.old')
        os.close(descriptor)
        try:
            _copy(self._real, aside)
            try:
                _copy(self._staged, self._real)
            except BaseException as exc:
                try:
                    _copy(aside, self._real)
                except BaseException:  # noqa: BLE001 - the first failure is the one to tell
                    exc.add_note(f'the old content of {self._path} could not be put back; it is kept in {aside}')
                    aside = ''
                raise
        finally:
            if aside:
                os.unlink(aside)

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


def _copy(path: str, target: str) -> None:
    """All bytes, runs of zeros as holes, on disk when this returns."""
    with open(path, 'rb') as source, open(target, 'wb') as file:
        while piece := source.read(_COPY_BYTES):
            for begin, end, zeros in _runs(piece, len(piece)):
                if zeros:
                    file.seek(end - begin, io.SEEK_CUR)
                else:
                    file.write(memoryview(piece)[begin:end])
        file.truncate(file.tell())
        file.flush()
        sync(file)
