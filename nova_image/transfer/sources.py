# SPDX-License-Identifier: Apache-2.0
"""Where uploaded bytes come from: bytes and text, file objects, chunks.

Each kind knows its size if that can be known, and whether it can really be put back to its start;
what a foreign object says about itself is verified first (C-059, C-210).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from nova_image import errors
from nova_image.transfer import cloning

CHUNK_BYTES = 256 * 1024


class Source(Protocol):
    """Where the bytes come from: ``size`` from the start if known, ``chunks`` from the present position.

    ``repeatable`` is a guess, for choosing what to compute; ``rewind`` is the proof.
    """

    size: int | None
    repeatable: bool

    def chunks(self) -> Iterator[bytes]: ...

    def rewind(self, pulled: int) -> bool: ...


class _Bytes:
    """Bytes, or a buffer of somebody's that is not copied as a whole."""

    repeatable = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.size: int | None = memoryview(data).nbytes
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        if self.size and self.size <= CHUNK_BYTES:
            yield bytes(self._data)
            return
        with memoryview(self._data) as whole, whole.cast('B') as view:
            for start in range(0, len(view), CHUNK_BYTES):
                yield bytes(view[start : start + CHUNK_BYTES])

    def rewind(self, pulled: int) -> bool:
        return True


class _File:
    """A file-like object from its current position; never closed, never trusted when it says it moved."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._text = isinstance(file, io.TextIOBase)
        self._start = _position(file)
        self.size: int | None = None if self._text or self._start is None else self._bytes_left()
        self.repeatable = self.size is not None
        self._clone: cloning.Clone | None = None

    def copy_to(self, target: int) -> bool:
        """Have the kernel copy the bytes of a plain file as the next pass hands them out (see Upload.copy_to)."""
        file, raw = self._file, getattr(self._file, 'raw', self._file)
        if type(file) not in (io.BufferedReader, io.FileIO) or type(raw) is not io.FileIO or not raw.readable():
            return False  # somebody's own read() may give something else than the file has
        if self.size and self._start is not None:
            self._clone = cloning.clone(raw.fileno(), target, self._start, self.size)
        return self._clone is not None

    def _cloned(self, clone: cloning.Clone) -> Iterator[bytes]:
        view, handed = memoryview(bytearray(CHUNK_BYTES)), self._start or 0
        try:
            while got := clone.readinto(view):
                handed += got
                yield bytes(view[:got])
        finally:
            self._clone = None
            clone.close()
            self._file.seek(handed)

    def _bytes_left(self) -> int | None:
        """Bytes to the end, found by going there; None when the object does not really move (C-210)."""
        file, start = self._file, self._start
        try:
            file.seek(0, io.SEEK_END)
        except Exception:  # noqa: BLE001 - what a foreign object raises here only means that it cannot tell
            return None
        end = _position(file)
        try:
            file.seek(start)
        except Exception as exc:
            raise errors.BadImageInfo(name='data', value=file, expected=_SEEKS_BACK) from exc
        if end is None or start is None or _position(file) != start:
            raise errors.BadImageInfo(name='data', value=file, expected=_SEEKS_BACK)
        # At the end already: an empty rest, a file without a size (procfs), or a seek() that does nothing.
        return end - start if end > start else None

    def chunks(self) -> Iterator[bytes]:
        return self._cloned(self._clone) if self._clone is not None else self._read()

    def _read(self) -> Iterator[bytes]:
        left = self.size
        while left is None or left > 0:
            piece = self._file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
            if piece is None and isinstance(self._file, io.IOBase):
                raise BlockingIOError(
                    f'image data {self._file!r} is in non-blocking mode and has nothing to read now; '
                    'expected an object whose read() waits'
                )
            if not piece:
                return
            chunk = _as_bytes(piece)
            if left is not None:
                # The image is the file as it was when the call was made; what is appended meanwhile is not.
                if isinstance(piece, str) and len(chunk) > left:
                    raise self._other_bytes()
                chunk = chunk[:left]
                left -= len(chunk)
                if not left and self._has_more():
                    raise self._other_bytes()
            yield chunk

    def _has_more(self) -> bool:
        """Whether read() gives more than seek() and tell() promised, as what unpacks or converts a file may do."""
        at_end = _position(self._file) == (self._start or 0) + (self.size or 0)
        return not at_end and bool(self._file.read(1))

    def _other_bytes(self) -> errors.BadImageInfo:
        return errors.BadImageInfo(
            name='data',
            value=self._file,
            expected=f'an object whose tell() counts the bytes that read() gives; there are more than {self.size}. '
            'Give its chunks instead, or an object without seek()',
        )

    def rewind(self, pulled: int) -> bool:
        file, start = self._file, self._start
        if start is None:
            return False
        now = _position(file)
        if now is None or (pulled and now == start) or (not self._text and now != start + pulled):
            return False  # tell() did not follow what was read, so seek() proves nothing either
        try:
            file.seek(start)
        except Exception:  # noqa: BLE001 - as above
            return False
        return _position(file) == start


_SEEKS_BACK = 'a file object whose seek() can go back to where it was'


class _Chunks:
    """An iterator, a generator, or a list of chunks; only a list or tuple can be sent again."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self.repeatable = isinstance(chunks, (list, tuple))
        self._chunks = chunks
        self.size: int | None = None
        if isinstance(chunks, (list, tuple)):
            self.size = sum(len(_as_bytes(each)) for each in chunks)

    def chunks(self) -> Iterator[bytes]:
        for piece in self._chunks:
            yield _as_bytes(piece)

    def rewind(self, pulled: int) -> bool:
        return self.repeatable


def _position(file: Any) -> int | None:
    """What tell() says, if the object claims to be seekable (or makes no claim) and answers a number."""
    try:
        seekable = getattr(file, 'seekable', None)
        if callable(seekable) and not seekable():
            return None
        where = file.tell()
    except Exception:  # noqa: BLE001 - pipes raise OSError, odd objects anything
        return None
    return where if isinstance(where, int) and not isinstance(where, bool) and where >= 0 else None


def _as_bytes(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        return piece.encode('utf-8')
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise errors.BadImageInfo(name='data', value=piece, expected='chunks of bytes or text')


def source_of(data: Any) -> Source:
    """The source that reads ``data``.

    :raises BadImageInfo: not something that has bytes
    """
    if isinstance(data, (bytes, bytearray, memoryview, str)):
        if isinstance(data, str) or not memoryview(data).c_contiguous:
            data = _as_bytes(data)
        return _Bytes(data)
    if callable(getattr(data, 'read', None)):
        return _File(data)
    if isinstance(data, Iterable) and not isinstance(data, Mapping):
        return _Chunks(data)
    raise errors.BadImageInfo(
        name='data', value=data, expected='bytes, text, a file object or an iterable of bytes'
    )
