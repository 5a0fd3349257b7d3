# SPDX-License-Identifier: Apache-2.0
"""When a stream counts as stalled (D-10): fewer than ``stall_bytes`` in ``stall_timeout`` seconds of waiting.

Only time spent waiting for the stream counts, so a slow consumer is never taken for a slow server. The
sockets of the Glance driver ask how long they may still wait; other streams are judged after each read.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from nova_image import errors
from nova_image.settings import UNLIMITED_S


class Progress:
    """Bytes moved and seconds waited since ``stall_bytes`` had moved last; a ``stall_timeout`` of 0 is no limit."""

    __slots__ = ('moved', 'stall_bytes', 'stall_timeout', 'waited_s')

    def __init__(self, stall_timeout: float, stall_bytes: int) -> None:
        self.stall_timeout = stall_timeout or UNLIMITED_S
        self.stall_bytes = stall_bytes
        self.restart()

    def restart(self) -> None:
        self.moved = 0
        self.waited_s = 0.0

    def add(self, count: int, waited_s: float) -> None:
        """``count`` bytes came after ``waited_s``."""
        self.moved += count
        self.waited_s += waited_s
        if self.moved >= self.stall_bytes:
            self.restart()

    def left_s(self) -> float:
        """Seconds that may still be waited; 0 or less: stalled."""
        return self.stall_timeout - self.waited_s


class StallWatch:
    """Ends a stream that stalls. One read that blocks for ever is the business of the socket's own timeout."""

    def __init__(self, stall_timeout: float, stall_bytes: int, image_id: str = '') -> None:
        self._progress = Progress(stall_timeout, stall_bytes)
        self._image_id = image_id

    def moved(self, count: int, waited_s: float) -> None:
        """Tell of one read of ``count`` bytes that took ``waited_s``.

        :raises ImageTransferStalled: too little moved for too long
        """
        progress = self._progress
        progress.add(count, waited_s)
        if progress.left_s() <= 0:
            raise errors.ImageTransferStalled(
                image_id=self._image_id,
                moved=progress.moved,
                seconds=round(progress.waited_s, 1),
                expected=progress.stall_bytes,
            )

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, each wait measured."""
        iterator = iter(chunks)
        while True:
            begin = time.monotonic()
            try:
                chunk = next(iterator)
            except StopIteration:
                return
            self.moved(len(chunk), time.monotonic() - begin)
            yield chunk
