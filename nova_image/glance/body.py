# SPDX-License-Identifier: Apache-2.0
"""An image's bytes off the wire: opened at an offset, never shorter than announced without an error.

Knows HTTP answers and what :mod:`nova_image.transfer` wants of a body; whether to try again is decided
there.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from typing import Any

from glanceclient import exc as glance
from urllib3 import exceptions as urllib3_exc

from nova_image import errors
from nova_image.glance.wire import Wire, image_path
from nova_image.settings import Settings

CHUNK_BYTES = 1024 * 1024
_RANGE = re.compile(r'bytes (\d+)-(\d+)/(\d+|\*)')
_CANNOT_RANGE = (400, 405, 416, 501)


class WireBody:
    """The body of one GET, as :class:`nova_image.transfer.Body`."""

    def __init__(self, response: Any, image_id: str, settings: Settings, offset: int = 0) -> None:
        self._settings = settings
        self.offset = offset
        self._response = response
        self._raw = response.raw
        self._image_id = image_id
        self._decode = response.headers.get('content-encoding', 'identity').lower() != 'identity'
        length = response.headers.get('content-length', '')
        self.length = int(length) if length.isdecimal() and not self._decode else None
        self._received = 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill ``buffer`` with what is there, at least one byte; 0 at the end of a whole body."""
        if self._decode:
            chunk = self._guarded(lambda: self._raw.read(len(buffer), decode_content=True))
            buffer[: len(chunk)] = chunk
            return self._moved(len(chunk))
        # Past urllib3, which would make a new bytes object of every piece.
        return self._moved(self._guarded(lambda: self._raw._fp.readinto(buffer)))

    def __iter__(self) -> Iterator[bytes]:
        while True:
            chunk: bytes = self._guarded(lambda: self._raw.read(CHUNK_BYTES, decode_content=self._decode))
            if not self._moved(len(chunk)):
                return
            yield chunk

    def _guarded(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (urllib3_exc.ReadTimeoutError, TimeoutError) as exc:
            raise errors.ImageTransferStalled(
                image_id=self._image_id,
                moved=self._received,
                seconds=self._settings.stall_timeout,
                expected=self._settings.stall_bytes,
            ) from exc
        except (urllib3_exc.HTTPError, http.client.HTTPException, OSError) as exc:
            raise self._cut() from exc

    def _moved(self, count: int) -> int:
        self._received += count
        if not count and self.length is not None and self._received < self.length:
            raise self._cut()
        return count

    def _cut(self) -> errors.ImageDownloadIncomplete:
        return errors.ImageDownloadIncomplete(
            image_id=self._image_id,
            received=self._received + self.offset,
            expected='all' if self.length is None else self.length + self.offset,
        )

    def close(self) -> None:
        """Give the connection back, or up when the body was not read to its end."""
        if self.length is not None and self._received == self.length and not self._decode:
            self._raw.release_conn()
        self._response.close()


class Opening:
    """Opens one image's bytes, from the start or from an offset; each later time at another server."""

    def __init__(self, wire: Wire, image_id: str, size: int | None) -> None:
        self._wire = wire
        self._image_id = image_id
        self._size = size
        self._opened = False

    def __call__(self, offset: int = 0) -> WireBody:
        """:raises ImageHasNoData: nothing was uploaded (204, C-315)"""
        if self._opened:
            self._wire.choice.move_on()
        self._opened = True
        response = self._get(offset)
        if response.status_code == 204:
            response.close()
            raise errors.ImageHasNoData(image_id=self._image_id, reason='Image has no associated data')
        if response.status_code == 206:
            if offset and self._is_the_rest(response, offset):
                return WireBody(response, self._image_id, self._wire.settings, offset)
            response.close()
            response = self._request({})
            if response.status_code != 200:
                response.close()
                raise errors.ImageServiceError(
                    status=response.status_code,
                    reason=f'image {self._image_id} came in part where all of it was asked for',
                )
        return WireBody(response, self._image_id, self._wire.settings)

    def _get(self, offset: int) -> Any:
        if not offset:
            return self._request({})
        try:
            return self._request({'Range': f'bytes={offset}-'})
        except glance.HTTPException as exc:
            if getattr(exc, 'status', None) not in _CANNOT_RANGE:
                raise
            return self._request({})

    def _request(self, headers: dict[str, str]) -> Any:
        path = image_path(self._image_id, 'file')
        return self._wire.stream(path, {'Accept-Encoding': 'identity', **headers})

    def _is_the_rest(self, response: Any, offset: int) -> bool:
        """Exactly the bytes from ``offset`` to the end: some stores answer 206 with something else."""
        found = _RANGE.fullmatch(response.headers.get('content-range', '').strip())
        if found is None or int(found[1]) != offset:
            return False
        length = response.headers.get('content-length', '')
        if length.isdecimal() and int(length) != int(found[2]) - offset + 1:
            return False
        if self._size is None:
            return found[3] != '*' and int(found[2]) == int(found[3]) - 1
        return int(found[2]) == self._size - 1 and found[3] in ('*', str(self._size))


