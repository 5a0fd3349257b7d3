# SPDX-License-Identifier: Apache-2.0
"""Hash bytes beside a transfer: in a thread of its own where that pays, in line where it does not.

hashlib gives the interpreter up while it works, so a second core hides SHA-512 behind the network. A lane
owns a fixed number of buffers, which bounds memory however slow the hash is.
"""

from __future__ import annotations

import functools
import hashlib
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from typing import Protocol

BUFFER_BYTES = 1024 * 1024
SLOTS = 4
BATCH_BYTES = 512 * 1024
THREAD_FROM_BYTES = 4 * 1024 * 1024
GREEN_BYTES = 256 * 1024


class Lane(Protocol):
    """Bytes to hash, in order: ``add`` a chunk that stays as it is, or fill a buffer that is used again.

    ``take`` a buffer, fill it, ``give`` it back with the part that counts. ``digests`` ends the lane and
    may be asked again; ``close`` ends it unasked.
    """

    def add(self, chunk: bytes) -> None: ...

    def take(self) -> bytearray: ...

    def give(self, buffer: bytearray, part: memoryview) -> None: ...

    def digests(self) -> dict[str, str]: ...

    def close(self) -> None: ...


class InLine:
    """Hash on the calling thread; also the lane for no hash at all.

    Lets other green threads run now and then: files, and servers that are quick enough, make nobody wait.
    """

    def __init__(self, algorithms: Sequence[str], buffer_bytes: int) -> None:
        self._hashes = {name: new(name) for name in algorithms}
        self._buffer = bytearray(buffer_bytes)
        self._is_green = _threads_are_green()
        self._since_others = 0

    def add(self, chunk: bytes | memoryview) -> None:
        for each in self._hashes.values():
            each.update(chunk)
        self._since_others += len(chunk)
        if self._is_green and self._since_others >= GREEN_BYTES:
            self._since_others = 0
            time.sleep(0)

    def take(self) -> bytearray:
        return self._buffer

    def give(self, buffer: bytearray, part: memoryview) -> None:
        self.add(part)

    def digests(self) -> dict[str, str]:
        return {name: each.hexdigest() for name, each in self._hashes.items()}

    def close(self) -> None:
        pass


class Beside:
    """Hash on a second thread. At most :data:`SLOTS` buffers or batches wait; then the caller does."""

    def __init__(self, algorithms: Sequence[str], buffer_bytes: int) -> None:
        self._hashes = {name: new(name) for name in algorithms}
        self._work: queue.SimpleQueue[tuple[bytearray, Sequence[bytes | memoryview]] | None]
        self._work = queue.SimpleQueue()
        self._free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        for _ in range(SLOTS):
            self._free.put(bytearray(buffer_bytes))
        self._batch: list[bytes] = []
        self._batched = 0
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name='nova-image-hash', daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            buffer, parts = work
            try:
                for part in parts:
                    for each in self._hashes.values():
                        each.update(part)
            except Exception as exc:  # noqa: BLE001 - raised by digests(); a dead thread would give no buffer back
                self._failure = exc
            self._free.put(buffer)

    def add(self, chunk: bytes) -> None:
        # One hand-over for each small chunk would cost more than the hash of it.
        self._batch.append(chunk)
        self._batched += len(chunk)
        if self._batched >= BATCH_BYTES:
            self._hand_over()

    def _hand_over(self) -> None:
        batch, self._batch, self._batched = self._batch, [], 0
        self._work.put((self.take(), batch))

    def take(self) -> bytearray:
        return self._free.get()

    def give(self, buffer: bytearray, part: memoryview) -> None:
        self._work.put((buffer, (part,)))

    def digests(self) -> dict[str, str]:
        if self._batch:
            self._hand_over()
        self.close()
        if self._failure is not None:
            raise self._failure
        return {name: each.hexdigest() for name, each in self._hashes.items()}

    def close(self) -> None:
        if self._thread.is_alive() and not sys.is_finalizing():  # a daemon does not run any more by then
            self._work.put(None)
            if threading.current_thread() is not self._thread:  # a collected generator may end it from anywhere
                self._thread.join()


def lane(algorithms: Sequence[str], size: int | None, buffer_bytes: int = 0) -> Lane:
    """A lane for a body of ``size`` bytes (None = not known).

    :param buffer_bytes: size of each buffer that ``take`` gives; 0 when only chunks are added
    """
    if algorithms and (size is None or size >= THREAD_FROM_BYTES) and second_thread_pays():
        return Beside(algorithms, buffer_bytes)
    return InLine(algorithms, buffer_bytes)


def is_known(algorithm: str) -> bool:
    """Whether this Python has the algorithm, and its digest has one length."""
    return algorithm in hashlib.algorithms_available and not algorithm.startswith('shake')


def new(algorithm: str) -> hashlib._Hash:
    """A hash for integrity, allowed on hosts that forbid MD5 for security."""
    return hashlib.new(algorithm, usedforsecurity=False)


def second_thread_pays() -> bool:
    """Whether a real thread on a second core can be had: not on one core, not where threads are green."""
    return _cores() > 1 and not _threads_are_green()


@functools.cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _threads_are_green() -> bool:
    eventlet = sys.modules.get('eventlet.patcher')
    if eventlet is not None and eventlet.is_monkey_patched('thread'):
        return True
    gevent = sys.modules.get('gevent.monkey')
    return gevent is not None and bool(gevent.is_module_patched('threading'))
