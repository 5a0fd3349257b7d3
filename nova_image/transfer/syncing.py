# SPDX-License-Identifier: Apache-2.0
"""Make what was written last: fsync of files and directories, and what to think of its refusals (C-137)."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Any

# What fsync says of things that have nothing to sync (C-137).
_NOTHING_TO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)


def descriptor_of(file: Any) -> int | None:
    """The descriptor of an opened file, or the one given; None for what a test put in the place of ``open``."""
    if isinstance(file, int):
        return file
    try:
        descriptor = file.fileno()
    except (AttributeError, OSError):
        return None
    return descriptor if isinstance(descriptor, int) else None


def sync(file: Any) -> None:
    """fsync, except where the kernel says that this kind of file has nothing to sync (C-137)."""
    descriptor = descriptor_of(file)
    if descriptor is None:
        return
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _NOTHING_TO_SYNC or stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise


def start_write_back(file: Any, begin: int, end: int) -> None:
    """Let the kernel begin to write this range, without waiting, so that the final fsync is short.

    Of fresh pages POSIX_FADV_DONTNEED does just that on Linux: dirty ones are queued, not dropped.
    """
    descriptor = descriptor_of(file)
    if descriptor is not None and hasattr(os, 'posix_fadvise'):
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, begin, end - begin, os.POSIX_FADV_DONTNEED)


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
