# SPDX-License-Identifier: Apache-2.0
"""What is checked of a download, and the iterator form, which checks as it hands out (C-126, C-132, D-8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self

from nova_image import errors
from nova_image.transfer import hashing
from nova_image.transfer.bodies import Body, Expected, TransferSettings
from nova_image.transfer.stalling import StallWatch


class SignatureCheck(Protocol):
    """What verifies a signature beside the hashes; :class:`nova_image.signatures.Check` does."""

    def update(self, chunk: bytes | memoryview) -> None: ...

    def restart(self) -> None: ...

    def verify(self) -> None: ...


class Count:
    """How many bytes came, against what the body announced and what the record says."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self.position = 0

    def add(self, count: int) -> None:
        self.position += count
        if self._expected.size is not None and self.position > self._expected.size:
            raise self._too_long(self._expected.size)

    def check_end(self, body: Body) -> None:
        """At the end of ``body``: all that was announced is there, and the whole image with it."""
        announced = None if body.length is None else body.offset + body.length
        size = self._expected.size
        for whole in (announced, size):
            if whole is not None and self.position < whole:
                raise errors.ImageDownloadIncomplete(
                    image_id=self._expected.image_id, received=self.position, expected=whole
                )
            if whole is not None and self.position > whole:
                raise self._too_long(whole)

    def _too_long(self, whole: int) -> errors.ImageCorrupt:
        image_id = self._expected.image_id
        return errors.ImageCorrupt(
            f'Corrupt image download. Image {image_id} has {whole} bytes, the server sent more.', image_id=image_id
        )


def check_hash(lane: hashing.Lane, expected: Expected) -> None:
    """End the lane and compare. No hash known: nothing to compare."""
    digests = lane.digests()
    best = expected.best_hash()
    if best is not None and digests[best[0]] != best[1]:
        raise errors.ImageCorrupt(
            image_id=expected.image_id, actual=digests[best[0]], expected=best[1]
        )


def lane_for(expected: Expected, size: int | None, buffer_bytes: int = 0) -> hashing.Lane:
    best = expected.best_hash()
    return hashing.lane([best[0]] if best else [], size, buffer_bytes)


class DownloadedChunks:
    """The iterator form: the body's chunks, checked on the way (C-126).

    A chunk that completes the image is checked before it is handed out; so is the end of a body whose size
    was not known. A failed check raises instead of ending. Nothing is retried, since what was handed out
    cannot be taken back (C-302). ``len()`` is the image's size in bytes. ``close()`` ends it early; it is
    never closed on the caller's behalf before its end (C-307), unless nobody can read on.

    :param signature: verified with the other checks (C-146); where no size is known the last chunk waits for it
    """

    def __init__(
        self, body: Body, expected: Expected, settings: TransferSettings, signature: SignatureCheck | None = None
    ) -> None:
        self._body = body
        self._expected = expected
        self._count = Count(expected)
        self._size = expected.size if expected.size is not None else body.length
        self._lane = lane_for(expected, self._size)
        self._chunks = StallWatch(settings.stall_timeout, settings.stall_bytes, expected.image_id).watch(body)
        self._signature = signature
        self._held: bytes | None = None
        self._checked = False
        self._failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __len__(self) -> int:
        if self._size is None:
            raise TypeError(f'the size of image {self._expected.image_id} is not known before its end')
        return self._size

    def __next__(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            if self._signature is not None and self._expected.size is None:
                return self._one_behind()
            return self._counted()
        except StopIteration:
            self._finish()
            raise
        except BaseException as exc:
            self._fail(exc)
            raise

    def _counted(self) -> bytes:
        chunk = next(self._chunks)
        while not chunk:
            chunk = next(self._chunks)
        self._count.add(len(chunk))
        self._lane.add(chunk)
        if self._signature is not None:
            self._signature.update(chunk)
        if self._expected.size is not None and self._count.position == self._expected.size:
            self._check()
        return chunk

    def _one_behind(self) -> bytes:
        """The chunk before the newest: the last one is handed out when all that came has been verified."""
        chunk = self._counted() if self._held is None else self._held
        self._held = None
        try:
            self._held = self._counted()
        except StopIteration:
            self._check_end()
        return chunk

    def _check(self) -> None:
        if not self._checked:
            self._checked = True
            check_hash(self._lane, self._expected)
            if self._signature is not None:
                self._signature.verify()

    def _check_end(self) -> None:
        self._count.check_end(self._body)
        self._check()

    def _finish(self) -> None:
        try:
            self._check_end()
        except BaseException as exc:
            self._fail(exc)
            raise
        self._failure = StopIteration()
        self.close()

    def _fail(self, exc: BaseException) -> None:
        self._failure = exc
        self.close()

    def close(self) -> None:
        """Give the connection up. The rest of the image is not read and nothing is checked any more."""
        if self._failure is None:
            self._failure = ValueError(
                f'the download of image {self._expected.image_id} was closed after {self._count.position} bytes'
            )
        self._lane.close()
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Dropped before its end: the hash's thread would wait for more for ever.
        if getattr(self, '_failure', self) is None:
            self.close()
