# SPDX-License-Identifier: Apache-2.0
"""One plain file into another, by the kernel where it can: shared blocks, or copied ones; holes kept everywhere.

What was copied is then read back from the *copy*, so that whoever hashes it hashes what stays, whatever
becomes of the source meanwhile.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from nova_image.transfer.syncing import start_write_back

_FICLONE = 0x40049409
_WINDOW_BYTES = 8 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024
# What copy_file_range says where it cannot do this pair of files at all.
_CANNOT = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.ETXTBSY)


class Clone:
    """Bytes ``[begin, begin + length)`` of the file ``source``, copied to the start of the empty file ``target``.

    Fill buffers with :meth:`readinto`: the bytes come from ``target``, where they are by then. A source that is
    cut meanwhile ends early. The two descriptors stay the caller's, and their positions where they are.
    """

    def __init__(self, source: int, target: int, begin: int, length: int) -> None:
        self._source = source
        self._target = target
        # What was opened for writing alone, as files are that are staged, cannot be read back by itself.
        self._reader = os.open(f'/proc/self/fd/{target}', os.O_RDONLY | os.O_CLOEXEC)
        self._begin = begin
        self._length = length
        self._copied = 0
        self._position = 0
        self._behind = 0
        self._hole_until = 0
        self._by_kernel = True

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes, as many as there are room and copied ones; 0 at the end."""
        if self._position == self._copied and not self._copy_more():
            return 0
        room = buffer[: self._copied - self._position]
        if self._copied <= self._hole_until:
            room[:] = bytes(len(room))
            got = len(room)
        else:
            got = os.preadv(self._reader, [room], self._position)
        self._position += got
        return got

    def close(self) -> None:
        """Give back what is held; harmless twice."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def begin(self) -> None:
        """Copy all at once where blocks can be shared, else a first piece."""
        if self._shares_blocks():
            self._copied = self._length
        os.ftruncate(self._target, self._length)
        self._copy_more()

    def _shares_blocks(self) -> bool:
        if self._begin or os.fstat(self._source).st_size < self._length:
            return False
        try:
            fcntl.ioctl(self._target, _FICLONE, self._source)
        except OSError:
            return False
        return True

    def _copy_more(self) -> bool:
        """One more window of data, or one hole; whether there was anything."""
        if self._copied - self._behind >= 2 * _WINDOW_BYTES:
            start_write_back(self._target, self._behind, self._copied)
            self._behind = self._copied
        if self._copied >= self._length:
            return False
        at = self._begin + self._copied
        data, end = self._next_data(at)
        if data > at:
            self._copied = self._hole_until = min(data - self._begin, self._length)
            return True
        want = min(end - at, self._length - self._copied, _WINDOW_BYTES)
        done = self._copy_range(at, want)
        self._copied += done
        return done > 0

    def _copy_range(self, at: int, want: int) -> int:
        """How much of it was copied. What the kernel cannot is done here by blocks, those of zeros left out."""
        if self._by_kernel:
            try:
                done = os.copy_file_range(self._source, self._target, want, at, self._copied)
            except OSError as exc:
                if exc.errno not in _CANNOT:
                    raise
                done = 0
            if done:
                return done
            self._by_kernel = False
        block = os.pread(self._source, min(want, _BLOCK_BYTES), at)
        written = len(block) if block == bytes(len(block)) else 0
        while written < len(block):
            written += os.pwrite(self._target, memoryview(block)[written:], self._copied + written)
        return written

    def _next_data(self, at: int) -> tuple[int, int]:
        """Where the next data begin, and where they end."""
        whole = self._begin + self._length
        before = os.lseek(self._source, 0, os.SEEK_CUR)
        try:
            data = os.lseek(self._source, at, os.SEEK_DATA)
            return data, os.lseek(self._source, data, os.SEEK_HOLE)
        except OSError as exc:
            size = os.fstat(self._source).st_size
            if exc.errno == errno.ENXIO and size > at:  # nothing but a hole to the end
                return min(whole, size), whole
            return at, whole  # it was cut off, or the file system knows of no holes
        finally:
            os.lseek(self._source, before, os.SEEK_SET)


def clone(source: int, target: int, begin: int, length: int) -> Clone | None:
    """A :class:`Clone` that has begun; None where the bytes have to go through this process instead.

    :param source: descriptor of what may be a plain file
    :param target: descriptor of an empty plain file
    :raises OSError: the target is full, or the source cannot be read
    """
    found = os.fstat(source)
    if not (stat.S_ISREG(found.st_mode) and length and found.st_size >= begin + length):
        return None
    try:
        made = Clone(source, target, begin, length)
    except OSError:  # no /proc, or a target that may be written and not read
        return None
    try:
        made.begin()
    except BaseException:
        made.close()
        raise
    return made
