# SPDX-License-Identifier: Apache-2.0
"""The thread in which calls are compared, off the callers' path, and what it counts.

One for each process, begun at the first call; a bounded queue, so that a caller never waits; a share of a
processor that it keeps to; a time limit after which a call is given up, its thread with it. Knows no driver.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import logging
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from nova_image.settings import Settings
from nova_image.shadow import ledger
from nova_image.shadow.compare import shape

LOG = logging.getLogger(__name__)

NAME = 'nova-image-shadow'
#: Threads that were given up and still hang; beyond, nothing is compared until one of them comes back.
MOST_HUNG = 4
#: Seconds between two writes to the ledger while calls wait.
FLUSH_S = 1.0
#: Seconds that the end of the process waits for calls that are not compared yet.
DRAIN_S = 1.0
#: How long, after a call, and how often the thread looks for another before it sleeps until it is woken.
LOOKING_S = 10.0
LOOK_EVERY_S = 0.05
_LONGEST_REST_S = 60.0

#: What a comparison does to the book; what it returns is not used.
Note = Callable[['Book'], object]
Job = Callable[[], Note]


class Book:
    """Counts and mismatches that are not in the ledger yet. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found = ledger.Ledger()
        self._told: set[str] = set()

    def count(self, op: str, branch: str, what: str) -> None:
        """Count what came of comparing one call."""
        with self._lock:
            self._found.calls[op, branch, what] += 1

    def mismatch(self, seen: Mapping[str, Any]) -> None:
        """Count a mismatch; of each shape the first is logged."""
        places = [seen['op'], seen['branch'], seen['candidate_branch'], *shape(seen['fields'])]
        key = hashlib.sha256('\n'.join(places).encode()).hexdigest()[:16]
        now = time.time()
        with self._lock:
            self._found.calls[seen['op'], seen['branch'], 'different'] += 1
            self._found.note(key, seen, 1, now, now)
            is_new = key not in self._told and len(self._told) < 1000
            if is_new:
                self._told.add(key)
        if is_new:
            LOG.warning('Shadowed %s differs from the control: %s', seen['op'], json.dumps(seen))

    def taken(self) -> ledger.Ledger:
        """All of it, and begin anew."""
        with self._lock:
            found, self._found = self._found, ledger.Ledger()
        return found

    def put_back(self, found: ledger.Ledger, most_bytes: int) -> None:
        """What was taken, and could not be written."""
        with self._lock:
            self._found.add(found.lines())
            self._found.shrink(most_bytes)


class _Run:
    """One thread, and what it is at."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.given_up: Note | None = None
        self.is_lost = False


class Worker:
    """Compares in the background. Belongs to one process.

    :param settings: the options of this moment
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.pid = os.getpid()
        self.book = Book()
        self._settings = settings
        self._queue: queue.Queue[tuple[Job, Note]] = queue.Queue()
        self._lock = threading.Lock()
        self._run: _Run | None = None
        self._hung = 0
        self._hurry = threading.Event()
        self._flushed = 0.0
        self._cannot_write = False
        _workers.add(self)

    def has_room(self) -> bool:
        """Whether a call would be compared; asked before anything is done for it."""
        self._watch()
        return self._hung < MOST_HUNG and self._queue.qsize() < self._settings().shadow_queue

    def _watch(self) -> None:
        """Give up a call that takes longer than it may; there is no thread to look after the thread."""
        run = self._run
        since = None if run is None or self._hung >= MOST_HUNG else run.since
        if run is not None and since is not None and time.monotonic() - since > self._settings().shadow_timeout:
            self._give_up(run)

    def put(self, job: Job, given_up: Note) -> None:
        """Have a call compared.

        :param job: compares; what it returns is then done to the book
        :param given_up: done to the book instead when the job takes longer than it may
        """
        self._queue.put((job, given_up))
        if self._run is None:
            with self._lock:
                if self._run is None:
                    self._start()

    def drain(self, seconds: float = DRAIN_S) -> bool:
        """Compare what waits, without rests, and write it down; whether that was done in time."""
        until = time.monotonic() + seconds
        self._hurry.set()
        try:
            while self._is_busy() and time.monotonic() < until:
                self._watch()
                time.sleep(0.002)
            done = not self._is_busy()
            self.flush()
            return done
        finally:
            self._hurry.clear()

    def _is_busy(self) -> bool:
        return self._run is not None and self._queue.unfinished_tasks > 0

    def _start(self, given_up: Note | None = None) -> None:
        run = _Run()
        # A daemon: a candidate that hangs must not keep the process from ending.
        threading.Thread(target=self._work, args=(run, given_up), name=NAME, daemon=True).start()
        self._run = run

    def _give_up(self, run: _Run) -> None:
        with self._lock:
            if run.is_lost or run is not self._run:
                return
            run.is_lost = True
            self._hung += 1
            self._start(run.given_up)

    def _work(self, run: _Run, given_up: Note | None) -> None:
        if given_up is not None:  # at once: the calls that wait may hang as well, and nobody would come to it
            self._flushed = 0.0
            self._apply(given_up)
            self._queue.task_done()
        while not run.is_lost:
            job, run.given_up = self._next()
            cpu = time.thread_time()
            run.since = time.monotonic()
            try:
                note = job()
            except BaseException as error:  # noqa: BLE001 - nothing that happens here is a caller's business
                note = _failed(error)
            with self._lock:
                run.since = None
                if run.is_lost:
                    self._hung -= 1
                    return
            self._apply(note)
            self._queue.task_done()
            cpu = time.thread_time() - cpu
            rest = min(_LONGEST_REST_S, cpu / self._settings().shadow_load - cpu)
            self._hurry.wait(rest)

    def _next(self) -> tuple[Job, Note]:
        """The next call. For a while it is looked for, so that a caller need not wake this thread for each one."""
        until = time.monotonic() + LOOKING_S
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                return self._queue.get_nowait()
            if self._hurry.wait(LOOK_EVERY_S):
                time.sleep(0.001)
        return self._queue.get()

    def _apply(self, note: Note) -> None:
        try:
            note(self.book)
            if self._queue.empty() or time.monotonic() - self._flushed > FLUSH_S:
                self.flush()
        except Exception:
            LOG.exception('A comparison could not be noted')

    def flush(self) -> None:
        """Write what is in the book to the ledger."""
        self._flushed = time.monotonic()
        settings = self._settings()
        found = self.book.taken()
        if not settings.shadow_ledger or not found.calls:
            return
        try:
            ledger.append(settings.shadow_ledger, found, settings.shadow_ledger_bytes)
            self._cannot_write = False
        except OSError as error:
            self.book.put_back(found, settings.shadow_ledger_bytes)
            if not self._cannot_write:
                self._cannot_write = True
                LOG.warning('Ledger of the shadow driver: %s; what is found waits in memory', error)


def _failed(error: BaseException) -> Note:
    LOG.warning('A comparison failed by itself', exc_info=error)
    return lambda book: book.count('(comparing)', type(error).__name__, 'failed')


_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


@atexit.register
def _drain_all() -> None:
    until = time.monotonic() + DRAIN_S
    for worker in list(_workers):
        if worker.pid == os.getpid():
            worker.drain(max(0.0, until - time.monotonic()))
