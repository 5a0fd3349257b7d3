# SPDX-License-Identifier: Apache-2.0
"""The open connections of a process, and that there are none while it forks.

SQLite remembers per process, not per connection, which locks it holds on a file. A child that inherits
those notes believes in locks that it does not have: its writes can get lost when the parent closes the file,
or wait for a thread that exists in the parent only. So a fork waits until no connection is in use, and closes
the idle ones first; parent and child open new ones when they need them.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator

#: How long a fork waits for the connections in use; then it happens anyway.
PATIENCE = 60.0


class Pool:
    """The connections of one process; after a fork the child leaves it alone and makes its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.idle: list[sqlite3.Connection] = []
        self.all: list[sqlite3.Connection] = []
        self.file: tuple[int, int] | None = None
        GATE.pools.add(self)

    def close(self) -> None:
        if self.pid == os.getpid():
            with self.lock:
                for connection in self.all:
                    connection.close()
                self.idle, self.all = [], []

    def retire(self) -> None:
        """Close what nobody uses. At the end of a process a daemon thread may be amid a statement, and would crash."""
        if self.pid == os.getpid():
            with self.lock:
                for connection in self.idle:
                    connection.close()
                    self.all.remove(connection)
                self.idle = []


class Gate:
    """Counts who uses a connection; shut while the process forks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._forking = 0
        self._mine = threading.local()
        self.pools: weakref.WeakSet[Pool] = weakref.WeakSet()

    @contextlib.contextmanager
    def using(self) -> Iterator[None]:
        """Around each use of a connection; may be nested in a thread."""
        depth = getattr(self._mine, 'depth', 0)
        if not depth:
            with self._changed:
                self._changed.wait_for(lambda: not self._forking)
                self._users += 1
        self._mine.depth = depth + 1
        try:
            yield
        finally:
            self._mine.depth = depth
            if not depth:
                with self._changed:
                    self._users -= 1
                    self._changed.notify_all()

    def before_fork(self) -> None:
        """Let nobody in, wait for those inside (this thread may be one of them), close what is open."""
        own = 1 if getattr(self._mine, 'depth', 0) else 0
        self._changed.acquire()
        self._forking += 1
        if not self._changed.wait_for(lambda: self._users <= own, PATIENCE) or own:
            return
        for pool in list(self.pools):
            pool.close()

    def after_in_parent(self) -> None:
        self._forking -= 1
        self._changed.notify_all()
        self._changed.release()

    def after_in_child(self) -> None:
        """Only this thread exists here; what others were doing did not come along."""
        self._changed = threading.Condition()
        self._forking = 0
        self._users = 1 if getattr(self._mine, 'depth', 0) else 0


GATE = Gate()
os.register_at_fork(
    before=lambda: GATE.before_fork(),
    after_in_parent=lambda: GATE.after_in_parent(),
    after_in_child=lambda: GATE.after_in_child(),
)
