# SPDX-License-Identifier: Apache-2.0
"""What a download delivered, known by size and digest: while a caller takes it, or from the file where it is.

Never reads what a caller would read, and never waits.
"""

from __future__ import annotations

import hashlib
import os
import stat
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from nova_image.counting import CountedChunks, CountedSizedChunks, Tally

TOO_LARGE = 'too-large'
UNREADABLE = 'unreadable'


class Digest(Tally):
    """A tally that stops hashing, not counting, at ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__()

    def add(self, chunk: Any) -> None:
        """Count a chunk."""
        if self.size <= self.most:
            super().add(chunk)


class Delivered:
    """Size and digest of bytes that were delivered, or an open file that has them, not read yet."""

    def __init__(self, plain: dict[str, Any] | None, why_not: str = '') -> None:
        self._plain = plain
        self._why_not = why_not
        self._handle: int | None = None
        self._stamp: object = None

    @classmethod
    def of(cls, digest: Digest, path: Any) -> Delivered:
        """What went past ``digest``, or what is now in the file at ``path``."""
        if path is None:
            return cls(None, TOO_LARGE) if digest.size > digest.most else cls(digest.plain())
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode):
                return cls(None, UNREADABLE)
            if found.st_size > digest.most:
                return cls(None, TOO_LARGE)
            made = cls(None)
            # Opened now: the name may stand for something else by the time it is read.
            made._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return cls(None, UNREADABLE)
        weakref.finalize(made, os.close, made._handle)
        made._stamp = _stamp(made._handle)
        return made

    def plain(self) -> dict[str, Any] | str:
        """Size and digest, or why there are none."""
        if self._handle is None:
            return self._why_not or self._plain or UNREADABLE
        try:
            with open(self._handle, 'rb', buffering=0, closefd=False) as file:
                digest = hashlib.file_digest(file, 'sha256')
                size = file.tell()
        except OSError:
            return UNREADABLE
        if _stamp(self._handle) != self._stamp:
            return 'changed'
        return {'bytes': size, 'sha256': digest.hexdigest()}


def _stamp(handle: int) -> object:
    found = os.fstat(handle)
    return found.st_size, found.st_mtime_ns


def taken(chunks: Iterator[bytes], most: int) -> dict[str, Any]:
    """Size and digest of what an iterator gives; it is left where it gives more than ``most`` bytes."""
    digest = Digest(most)
    try:
        for chunk in chunks:
            digest.add(chunk)
            if digest.size > most:
                return {'bytes': f'more than {most}', 'sha256': None}
    finally:
        close = getattr(chunks, 'close', None)
        if close is not None:
            close()
    return digest.plain()


def watched(
    chunks: Iterator[bytes], digest: Digest, done: Callable[[bool, BaseException | None], None]
) -> CountedChunks:
    """The iterator, digested as it is taken.

    :param done: called once with whether all was taken, and the error that ended it
    """

    def ended(error: BaseException | None) -> None:
        is_whole = made.is_whole or (hasattr(made, '__len__') and len(made) == digest.size)
        done(is_whole, error)

    made: CountedChunks = (CountedSizedChunks if hasattr(type(chunks), '__len__') else CountedChunks)(
        chunks, digest, ended
    )
    return made
