# SPDX-License-Identifier: Apache-2.0
"""The body of one upload: knows its start, counts and hashes what was sent, is never sent from the middle.

Whoever sends it just iterates. Iterating again (a retry, a 401, a redirect, by whatever layer below)
puts the source back to its start first, or is refused (C-059, C-210, D-9). Has no ``read`` and no
``len()`` on purpose: HTTP libraries would take the first for a licence to go on from where they were.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from nova_image import errors
from nova_image.transfer import hashing

CHUNK_BYTES = 256 * 1024


class _Source(Protocol):
    """Where the bytes come from: ``size`` from the start if known, ``chunks`` from the present position."""

    size: int | None
    repeatable: bool

    def chunks(self) -> Iterator[bytes]: ...

    def rewind(self, pulled: int) -> bool: ...


class _Bytes:
    repeatable = True

    def __init__(self, data: bytes) -> None:
        self.size: int | None = len(data)
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        if self.size and self.size <= CHUNK_BYTES:
            yield self._data
            return
        view = memoryview(self._data)
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
        self.repeatable = self._start is not None
        self.size: int | None = None if self._text or self._start is None else self._bytes_left()

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
                chunk = chunk[:left]
                left -= len(chunk)
            yield chunk

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


class Upload:
    """Bytes for one image, to be iterated by whatever sends them.

    :ivar size: bytes from the start position, when known beforehand; what is sent never differs from it
    :ivar sent: bytes handed out in the present pass
    :ivar started: whether anything was taken from the source since the start or the last rewind
    :ivar failure: what the *source* raised (or the refusal to send it again), for a driver that finds it
        wrapped in an error of its HTTP library
    :ivar image_id: named in errors; a driver sets it once it knows
    """

    def __init__(self, source: _Source, image_id: str = '') -> None:
        self.image_id = image_id
        self.size = source.size
        self.sent = 0
        self.started = False
        self.failure: BaseException | None = None
        self._source = source
        self._pulled = 0
        # What Glance may hash with is not known yet. A source that can be read again gives MD5 later.
        self._algorithms = ('sha512',) if source.repeatable else ('sha512', 'md5')
        self._lane: hashing.Lane | None = None
        self._digests: dict[str, str] = {}

    def rewind(self) -> bool:
        """Back to the start, verified by ``tell()``. False: cannot, and must not be sent again (C-210)."""
        if self.started:
            if not self._source.rewind(self._pulled):
                return False
            self._forget()
        return True

    def _forget(self) -> None:
        self._end_lane()
        self.sent = self._pulled = 0
        self.started = False
        self.failure = None
        self._digests = {}

    def __iter__(self) -> Iterator[bytes]:
        if not self.rewind():
            self.failure = errors.ImageUploadNotRepeatable(
                image_id=self.image_id, reason=f'after {self.sent} bytes were read'
            )
            raise self.failure
        return self._pass()

    def _pass(self) -> Iterator[bytes]:
        lane = self._lane = hashing.lane(self._algorithms, self.size)
        try:
            for chunk in self._pull():
                self.sent += len(chunk)
                slot = lane.take()
                lane.give(slot, chunk)
                yield chunk
            if self.size is not None and self.sent != self.size:
                raise errors.ImageUploadIncomplete(
                    image_id=self.image_id, what='the length of the data', actual=self.sent, expected=self.size
                )
        except GeneratorExit:
            raise
        except BaseException as exc:
            self.failure = exc
            raise
        finally:
            if self._lane is lane:
                self._end_lane()

    def _pull(self) -> Iterator[bytes]:
        self.started = True
        for chunk in self._source.chunks():
            self._pulled += len(chunk)
            if chunk:  # an empty chunk would end a chunked request
                yield chunk

    def _end_lane(self) -> None:
        if self._lane is not None:
            self._digests = self._lane.digests()
            self._lane = None

    def digest(self, algorithm: str) -> str | None:
        """Hex digest of what was sent; None if it was not computed and the source cannot be read again.

        An algorithm that was not computed on the way costs one more reading of the source.
        """
        self._end_lane()
        if algorithm not in self._digests:
            if not hashing.is_known(algorithm) or not self._source.rewind(self._pulled):
                return None
            again, left = hashing.new(algorithm), self.sent
            self._pulled = 0
            for chunk in self._pull():
                again.update(chunk[:left])
                left -= len(chunk)
                if left <= 0:
                    break
            if left > 0:
                return None
            self._digests[algorithm] = again.hexdigest()
        return self._digests[algorithm]

    def sha512(self) -> str | None:
        """Of what was sent in the present pass."""
        return self.digest('sha512')

    def md5(self) -> str | None:
        """Of what was sent in the present pass; see :meth:`digest`."""
        return self.digest('md5')


def upload(data: Any, image_id: str = '') -> Upload:
    """An :class:`Upload` of bytes, text (as UTF-8), a file object from its current position, or chunks.

    File objects are read to their end as of now, and not closed. ``data`` of any other type is refused
    before anything is sent.

    :raises BadImageInfo: not something that has bytes
    """
    source: _Source
    if isinstance(data, (bytes, bytearray, memoryview, str)):
        source = _Bytes(_as_bytes(data))
    elif callable(getattr(data, 'read', None)):
        source = _File(data)
    elif isinstance(data, Iterable) and not isinstance(data, Mapping):
        source = _Chunks(data)
    else:
        raise errors.BadImageInfo(
            name='data', value=data, expected='bytes, text, a file object or an iterable of bytes'
        )
    return Upload(source, image_id)


def check_upload(sent: Upload, record: Mapping[str, Any]) -> None:
    """Compare what was sent with what the image's final record says is stored (D-9).

    :raises ImageUploadIncomplete: other size or other hash; the caller puts the record back
    """
    image_id = sent.image_id or str(record.get('id') or '')

    def differ(what: str, actual: Any, expected: Any) -> None:
        raise errors.ImageUploadIncomplete(
            image_id=image_id, what=what, actual=actual, expected=expected
        )

    if sent.size is not None and sent.sent != sent.size:
        differ('the number of bytes sent', sent.sent, sent.size)
    stored = record.get('size')
    if stored is None and record.get('status') in ('queued', 'killed', 'deleted', 'pending_delete'):
        stored = 0
        if not sent.sent:
            differ('the status', record.get('status'), 'active')
    if stored is not None and stored != sent.sent:
        differ('the stored size', stored, sent.sent)
    algorithm, value = record.get('os_hash_algo'), record.get('os_hash_value')
    if algorithm and value:
        ours = sent.digest(str(algorithm).lower())
        if ours is not None:
            if ours != str(value).lower():
                differ(f'the stored {algorithm}', value, ours)
            return
    if checksum := record.get('checksum'):
        ours = sent.md5()
        if ours is not None and ours != str(checksum).lower():
            differ('the stored md5', checksum, ours)
