# SPDX-License-Identifier: Apache-2.0
"""What a driver hands to a download: an opener, the bodies it opens, and what is known of the image.

Plain descriptions; the transfer itself is in :mod:`.download`. A driver with a stream of another shape
writes a class with the four names of :class:`Body`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol

from nova_image.transfer import hashing
from nova_image.transfer.syncing import descriptor_of

CHUNK_BYTES = 64 * 1024


class Body(Protocol):
    """One open stream of image bytes.

    * ``offset``: where in the image the first byte stands. An opener that was asked for an offset and
      could not have it (no Range on this store, a Content-Range that does not say exactly that) says 0
      and streams from the start.
    * ``length``: bytes this body will carry, as announced (Content-Length), or None.
    * iteration: non-empty ``bytes``, in order, once. A stream that is cut, reset or times out raises
      (an :class:`~nova_image.errors.ImageTransferError` or an ``OSError`` such as ConnectionResetError or
      TimeoutError: then the transfer tries again where it may); it never just ends.
    * ``close()``: gives the connection up; may be called more than once and before the end.

    Three names are optional. ``descriptor`` is a file descriptor of a file that holds exactly the body's bytes
    at ``offset`` and after, for the kernel to copy from where that is possible. ``readinto(buffer) -> int`` fills a writable buffer with at least one byte and
    returns how many (0 = end); it is used instead of iteration and saves a copy. ``resumable = True`` says
    that the opener can open at any offset, so even a target that cannot be put back may be continued.
    """

    @property
    def offset(self) -> int: ...

    @property
    def length(self) -> int | None: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


Opener = Callable[[int], Body]
"""Opens the image's bytes from an offset (0 = whole). Each call may go to another server."""


class TransferSettings(Protocol):
    """The settings a transfer reads; ``nova_image.settings.Settings`` has them all."""

    @property
    def num_retries(self) -> int: ...

    @property
    def stall_timeout(self) -> float: ...

    @property
    def stall_bytes(self) -> int: ...

    @property
    def no_hash(self) -> str: ...


class ChunksBody:
    """A body over any iterable of chunks, closed through its own ``close`` if it has one."""

    def __init__(self, chunks: Iterable[bytes], length: int | None = None, offset: int = 0) -> None:
        self.length = length
        self.offset = offset
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        close = getattr(self._chunks, 'close', None)
        if callable(close):
            close()


class FileBody:
    """A body over an open binary file, from ``offset`` to its end or for ``length`` bytes; closes the file."""

    resumable = True

    def __init__(self, file: BinaryIO, offset: int = 0, length: int | None = None) -> None:
        self.length = length
        self.offset = offset
        self._file = file
        self._left = length
        self.descriptor = descriptor_of(file)
        if offset:
            file.seek(offset)

    def readinto(self, buffer: memoryview) -> int:
        room = buffer if self._left is None else buffer[: self._left]
        got: int = self._file.readinto(room) if len(room) else 0  # type: ignore[attr-defined]
        if self._left is not None:
            self._left -= got
        return got

    def __iter__(self) -> Iterator[bytes]:
        buffer = bytearray(CHUNK_BYTES)
        view = memoryview(buffer)
        while got := self.readinto(view):
            yield bytes(view[:got])

    def close(self) -> None:
        self._file.close()


@dataclasses.dataclass(frozen=True)
class Expected:
    """What the image's record says its bytes must be; None for what is not known."""

    size: int | None = None
    checksum: str | None = None
    hash_algo: str | None = None
    hash_value: str | None = None
    image_id: str = ''

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Expected:
        """From a record of :mod:`nova_image.images` or a wire record: both use these names.

        A size of 0 without any hash is "not known": an image that was really uploaded empty has hashes.
        """
        algo, value = record.get('os_hash_algo'), record.get('os_hash_value')
        known = bool(algo and value)
        checksum, size = record.get('checksum'), record.get('size')
        if not isinstance(size, int) or (size == 0 and not known and not checksum):
            size = None
        return cls(
            size=size,
            checksum=str(checksum).lower() if checksum else None,
            hash_algo=str(algo).lower() if known else None,
            hash_value=str(value).lower() if known else None,
            image_id=str(record.get('id') or ''),
        )

    def best_hash(self) -> tuple[str, str] | None:
        """(algorithm, hex value) to check: os_hash when this Python knows the algorithm, else MD5."""
        if self.hash_algo and self.hash_value and hashing.is_known(self.hash_algo):
            return self.hash_algo, self.hash_value
        return ('md5', self.checksum) if self.checksum else None
