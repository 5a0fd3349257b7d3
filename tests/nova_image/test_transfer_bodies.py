# SPDX-License-Identifier: Apache-2.0
"""Bodies: buffers that are used again, parts of files, streams that drip."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_image import errors, transfer
from nova_image.glance.limits import Limits
from nova_image.transfer import hashing

IMAGE = random.Random(7).randbytes(300_000)
RESET = ConnectionResetError(errno.ECONNRESET, 'reset')


@dataclasses.dataclass
class Settings:
    num_retries: int = 0
    stall_timeout: float = 60
    stall_bytes: int = 65536
    no_hash: str = 'warn'


def test_a_drip_ends_as_a_stall_and_a_slow_consumer_does_not() -> None:
    watch = transfer.StallWatch(10, 100, 'img')
    for _ in range(50):
        watch.moved(60, 9.0)
        watch.moved(60, 0.5)
    watch.moved(1, 5)
    with pytest.raises(errors.ImageTransferStalled, match=r'2 bytes in 10.0 s.*at least 100'):
        watch.moved(1, 5)


def test_a_stall_timeout_of_0_is_no_limit_to_any_stream() -> None:
    transfer.StallWatch(0, 100, 'img').moved(1, 3600.0)
    socket = Limits(first_byte=1, stall=0, stall_bytes=100)
    socket.body_begins()
    socket.moved(1, 3600.0)
    assert min(socket.wait_s(), socket.send_s()) > 3600


class _Buffered:
    """A body with readinto; ``sizes`` are the most that each call fills."""

    offset = 0

    def __init__(self, image: bytes, sizes: int, failure: BaseException | None = None, offset: int = 0) -> None:
        self.offset, self.length = offset, None
        self._file, self._sizes, self._failure = io.BytesIO(image), sizes, failure
        self._file.seek(offset)

    def readinto(self, buffer: memoryview) -> int:
        got = self._file.readinto(buffer[: self._sizes])
        if not got and self._failure:
            raise self._failure
        return got

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError('readinto is to be used')

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize('beside', [True, False])
@pytest.mark.parametrize('size', [1, 1000, 1 << 20])
def test_a_body_with_readinto_keeps_what_came_before_it_broke(
    beside: bool, size: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hashing, 'THREAD_FROM_BYTES', 0)
    monkeypatch.setattr(hashing, 'second_thread_pays', lambda: beside)
    image = IMAGE * 10 if size > 1 else IMAGE[:3000]
    expected = transfer.Expected(
        size=len(image), hash_algo='sha512', hash_value=hashlib.sha512(image).hexdigest(), image_id='img'
    )
    offsets = []

    def opener(offset: int) -> transfer.Body:
        offsets.append(offset)
        if len(offsets) == 1:
            return _Buffered(image[:1500], size, RESET)
        return _Buffered(image, size, offset=offset)

    path = tmp_path / 'image'
    transfer.deliver(opener, expected, settings=Settings(num_retries=1), dest_path=path, pause=lambda n: None)
    assert path.read_bytes() == image
    assert offsets == [0, 1500]


def test_a_file_body_serves_a_part_and_closes_its_file(tmp_path: Path) -> None:
    (tmp_path / 'source').write_bytes(IMAGE)
    body = transfer.FileBody((tmp_path / 'source').open('rb'), 100, 200_000)
    assert b''.join(body) == IMAGE[100:200_100]
    body.close()
    body.close()
