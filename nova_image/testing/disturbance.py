# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that disturbs a real server: what :mod:`.faulty` does to a toy, done to the real Glance.

Knows no HTTP beyond a marker: a disturbance with ``marker=b'PUT '`` waits for those bytes from the
client and counts from there, so that connections kept alive do not matter.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import threading
import urllib.parse
from typing import Literal, Self

PIECE_BYTES = 64 * 1024


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """One thing that happens to a connection.

    :ivar kind: ``cut`` (both sides closed), ``reset`` (RST to the client), ``stall`` (nothing moves for
        ``seconds``, then cut), ``drip`` (a byte each ``seconds``), ``corrupt`` (one byte changed) or
        ``answer`` (the server is cut off and the client gets ``answer``)
    :ivar direction: ``up`` to the server or ``down`` to the client
    :ivar at: bytes in that direction, from the marker on, that pass before it strikes
    :ivar marker: bytes of the client that arm it; empty = from the connection's start
    :ivar times: how many connections it strikes, 0 = all
    """

    kind: Literal['cut', 'reset', 'stall', 'drip', 'corrupt', 'answer']
    direction: Literal['up', 'down'] = 'up'
    at: int = 0
    marker: bytes = b''
    times: int = 1
    seconds: float = 3600
    answer: bytes = b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'


class DisturbingProxy:
    """Stands before ``target_url`` on a port of its own; a context manager."""

    def __init__(self, target_url: str) -> None:
        target = urllib.parse.urlsplit(target_url)
        self._target = (target.hostname or '127.0.0.1', target.port or 80)
        self._listener = socket.create_server(('127.0.0.1', 0), backlog=128)
        self._left: list[list[int | Disturbance]] = []
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self.connections = 0
        self.struck: list[Disturbance] = []
        self._thread = threading.Thread(target=self._accept, name='disturbing-proxy', daemon=True)

    @property
    def url(self) -> str:
        """Base URL of the proxy, without a slash at the end."""
        return f'http://127.0.0.1:{self._listener.getsockname()[1]}'

    def disturb(self, *disturbances: Disturbance) -> Self:
        """Arm disturbances; the first armed that fits a connection and is not used up strikes."""
        with self._lock:
            self._left += [[each.times or -1, each] for each in disturbances]
        return self

    def take(self, direction: str, disturbance: Disturbance) -> bool:
        """Whether it may strike now; counts it. For the links."""
        with self._lock:
            for entry in self._left:
                if entry[1] is disturbance and entry[0]:
                    entry[0] -= 1  # type: ignore[operator]
                    self.struck.append(disturbance)
                    return True
        return False

    def armed(self) -> list[Disturbance]:
        """What is not used up."""
        with self._lock:
            return [each for count, each in self._left if count and isinstance(each, Disturbance)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            links = list(self._links)
        for link in links:
            link.cut()
        for link in links:
            link.join()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            link.start()

    def forget(self, link: _Link) -> None:
        """A link that ended by itself. For the links."""
        with self._lock:
            self._links.discard(link)


class _Link:
    """One connection through the proxy: two threads, one each way."""

    def __init__(self, proxy: DisturbingProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._passed = {'up': 0, 'down': 0}
        self._starts: dict[tuple[Disturbance, str], int] = {}
        self._tail = b''
        self._lock = threading.Lock()
        self._running = 2
        self._over = False  # no polite end any more
        self._threads = [
            threading.Thread(target=self._pump, args=each, name='disturbing-link', daemon=True)
            for each in ((client, server, 'up'), (server, client, 'down'))
        ]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def join(self) -> None:
        for each in self._threads:
            each.join(5)

    def cut(self) -> None:
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        try:
            while data := source.recv(PIECE_BYTES):
                if direction == 'up':
                    self._look_for_markers(data)
                self._forward(data, sink, direction)
            with contextlib.suppress(OSError):
                if not self._over:
                    sink.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()
        finally:
            with self._lock:
                self._running -= 1
                last = not self._running
            if last:
                self._client.close()
                self._server.close()
                self._proxy.forget(self)

    def _look_for_markers(self, data: bytes) -> None:
        """From where each armed disturbance counts, in both directions."""
        window, before = self._tail + data, self._passed['up'] - len(self._tail)
        for each in self._proxy.armed():
            found = window.find(each.marker)
            if (each, 'up') not in self._starts and found >= 0:
                self._starts[each, 'up'] = before + found if each.marker else 0
                self._starts[each, 'down'] = self._passed['down'] if each.marker else 0
        self._tail = window[-64:]

    def _forward(self, data: bytes, sink: socket.socket, direction: str) -> None:
        passed = self._passed[direction]
        for each in self._proxy.armed():
            start = self._starts.get((each, direction))
            if each.direction != direction or start is None:
                continue
            place = start + each.at - passed
            if place < len(data) and self._proxy.take(direction, each):
                place = max(place, 0)
                sink.sendall(data[:place])
                data = self._strike(each, data[place:], sink)
                break
        self._passed[direction] += len(data)
        sink.sendall(data)

    def _strike(self, what: Disturbance, rest: bytes, sink: socket.socket) -> bytes:
        """Do it; what is left to be passed on afterwards, if the connection lives."""
        stopping = self._proxy.stopping
        if what.kind == 'corrupt':
            return bytes([rest[0] ^ 0xFF]) + rest[1:]
        if what.kind == 'drip':
            for place in range(len(rest)):
                if stopping.wait(what.seconds):
                    break
                sink.sendall(rest[place : place + 1])
            return b''
        if what.kind == 'stall':
            stopping.wait(what.seconds)
        if what.kind == 'reset':
            self._over = True
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RD)  # wakes the other thread, or close() would wait for it
            self._client.close()
            raise ConnectionResetError
        if what.kind == 'answer':
            self._over = True
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._client.sendall(what.answer)
            self._client.settimeout(5)
            while self._client.recv(PIECE_BYTES):
                pass
        self.cut()
        raise ConnectionAbortedError
