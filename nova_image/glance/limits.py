# SPDX-License-Identifier: Apache-2.0
"""Time limits that hold: on the socket, for every byte of an exchange (D-10).

A timeout of requests or urllib3 is per ``recv``, so a server that drips one byte now and then is never
caught. Here each read and each write asks :class:`Limits` how long it may still take. Knows sockets and
connection pools, nothing of Glance.
"""

from __future__ import annotations

import contextlib
import contextvars
import errno
import functools
import http.client
import http.cookiejar
import io
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3
import urllib3.connection
from keystoneauth1 import session as ksa_session
from urllib3.util import wait_for_read

from nova_image.settings import UNLIMITED_S, Settings
from nova_image.transfer.stalling import Progress

SEND_PIECE_BYTES = 64 * 1024
POOL_CONNECTIONS = 64
HERE_S = 1.0  # for an answer that seems to be there


class Stalled(TimeoutError):
    """Less moved than the limit demands; urllib3 and requests report it as a read timeout."""


class Limits:
    """How long one HTTP exchange may wait.

    :param first_byte: seconds from the end of the request to the end of the answer's head
    :param stall: seconds of waiting in which ``stall_bytes`` have to move, in either direction
    :param deadline: a :func:`time.monotonic` value after which nothing may wait any more, or None
    :param connect: seconds until a connection stands

    Only time spent waiting for the peer counts, so a slow consumer of an iterator is never blamed.
    """

    __slots__ = ('_connect', '_head_waited_s', '_progress', 'deadline', 'first_byte')

    def __init__(
        self,
        first_byte: float,
        stall: float,
        stall_bytes: int,
        deadline: float | None = None,
        connect: float = UNLIMITED_S,
    ) -> None:
        self.first_byte = first_byte
        self.deadline = deadline
        self._connect = connect
        self._head_waited_s: float | None = 0.0
        self._progress = Progress(stall, stall_bytes)

    @classmethod
    def of(cls, settings: Settings, first_byte: float, deadline: float | None) -> Limits:
        """With what the options say of the rest."""
        return cls(first_byte, settings.stall_timeout, settings.stall_bytes, deadline, settings.connect_timeout)

    def head_begins(self) -> tuple[float, float]:
        """A request is about to be sent: seconds for the connection and for the first read, for requests."""
        self._head_waited_s = 0.0
        self._progress.restart()
        left = UNLIMITED_S if self.deadline is None else self.deadline - time.monotonic()
        return max(0.001, min(self._connect, left)), self.first_byte

    def body_begins(self) -> None:
        """The head of the answer is here; from now on the stall limit counts."""
        self._head_waited_s = None
        self._progress.restart()

    def wait_s(self) -> float:
        """Seconds that the next read may wait."""
        if self._head_waited_s is None:
            return self._within(self._progress.left_s())
        return self._within(self.first_byte - self._head_waited_s)

    def _within(self, left: float) -> float:
        if self.deadline is not None:
            left = min(left, self.deadline - time.monotonic())
        if left <= 0:
            raise Stalled('timed out')
        return left

    def send_s(self) -> float:
        """Seconds that the next piece of the request may wait."""
        return self._within(self._progress.left_s())

    def sent(self, count: int, waited: float) -> None:
        """``count`` bytes of the request went away in ``waited`` seconds."""
        self._progress.add(count, waited)

    def moved(self, count: int, waited: float) -> None:
        """``count`` bytes came after ``waited`` seconds."""
        if self._head_waited_s is None:
            self._progress.add(count, waited)
        else:
            self._head_waited_s += waited


_CURRENT: contextvars.ContextVar[Limits | None] = contextvars.ContextVar('limits', default=None)


def current() -> Limits | None:
    """The limits of the exchange that this thread is in."""
    return _CURRENT.get()


@contextlib.contextmanager
def applied(limits: Limits) -> Iterator[Limits]:
    """Exchanges started inside, in this thread, keep to ``limits``; so do their bodies, read later."""
    token = _CURRENT.set(limits)
    try:
        yield limits
    finally:
        _CURRENT.reset(token)


class _TimedReader(io.RawIOBase):
    """The socket's raw stream with a limit before every ``recv``."""

    def __init__(self, sock: Any, raw: Any, limits: Limits) -> None:
        self._sock = sock
        self._raw = raw
        self._limits = limits

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._limits.wait_s())
        before = time.monotonic()
        count: int | None = self._raw.readinto(buffer)
        self._limits.moved(count or 0, time.monotonic() - before)
        return count

    def close(self) -> None:
        if not self.closed:
            try:
                self._raw.close()
            finally:
                super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        limits = _CURRENT.get()
        if limits is not None:
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_TimedReader(sock, raw, limits), SEND_PIECE_BYTES)


def _send_in_pieces(connection: Any, data: Any, send: Any) -> None:
    limits = _CURRENT.get()
    if limits is None or not isinstance(data, (bytes, bytearray, memoryview)):
        send(data)
        return
    if connection.sock is None:
        connection.connect()
    sys.audit('http.client.send', connection, data)  # as the method does in whose place this is
    sock, view = connection.sock, memoryview(data)
    while view:
        before = time.monotonic()
        try:
            sock.settimeout(limits.send_s())
            count = sock.send(view[:SEND_PIECE_BYTES])
        except TimeoutError as exc:
            if not wait_for_read(sock, 0):
                raise
            limits.first_byte = min(limits.first_byte, HERE_S)
            raise BrokenPipeError(errno.EPIPE, 'it has answered already, and reads no more') from exc
        except (ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as exc:
            # What urllib3 takes for a server that may have answered early, and else for a lost connection.
            raise BrokenPipeError(errno.EPIPE, str(exc)) from exc
        limits.sent(count, time.monotonic() - before)
        view = view[count:]


class _TimedConnection(urllib3.connection.HTTPConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        _send_in_pieces(self, data, super().send)


class _TimedTLSConnection(urllib3.connection.HTTPSConnection):
    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        _send_in_pieces(self, data, super().send)


class _TimedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TimedTLSConnection


_POOLS = {'http': _TimedPool, 'https': _TimedTLSPool}


Between = Callable[[Any, Callable[[], Any]], Any]
_BETWEEN: contextvars.ContextVar[Between | None] = contextvars.ContextVar('between', default=None)


@contextlib.contextmanager
def between(answer: Between) -> Iterator[None]:
    """Each request that is made inside, in this thread, goes to ``answer(request, send)``, which may ``send()`` it."""
    token = _BETWEEN.set(answer)
    try:
        yield
    finally:
        _BETWEEN.reset(token)


class TimedAdapter(ksa_session.TCPKeepAliveAdapter):
    """keystoneauth's adapter with connections that know :class:`Limits`."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Under the limits that apply, which count anew: a request may be one for a token, before the one meant."""
        limits, answer = _CURRENT.get(), _BETWEEN.get()
        if limits is not None:
            kwargs['timeout'] = limits.head_begins()
        if answer is None:
            return super().send(request, *args, **kwargs)
        return answer(request, functools.partial(super().send, request, *args, **kwargs))

    def __init__(self) -> None:
        super().__init__(pool_maxsize=POOL_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


_ENVIRONMENT = (
    *(name for kind in ('http', 'https', 'all', 'no') for name in (f'{kind}_proxy', f'{kind}_proxy'.upper())),
    'REQUESTS_CA_BUNDLE',
    'CURL_CA_BUNDLE',
)


class _Session(requests.Session):
    """requests reads the whole environment twice for each URL, a seventh of a small request; this once.

    Redirects are :mod:`.wire`'s.
    """

    def __init__(self) -> None:
        super().__init__()
        self._merged: dict[Any, Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        if proxies or not sys.platform.startswith('linux'):  # elsewhere proxies are not only in variables
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        server = '/'.join(url.split('/', 3)[:3])
        key = (server, verify, cert, *map(os.environ.get, _ENVIRONMENT))
        found = self._merged.get(key)
        if found is None:
            if len(self._merged) > 64:
                self._merged.clear()
            found = super().merge_environment_settings(url, {}, stream, verify, cert)
            self._merged[key] = found
        return {**found, 'stream': stream, 'proxies': dict(found['proxies'])}

    def get_redirect_target(self, resp: Any) -> None:
        """Nowhere: requests, asked not to follow, parses the address all the same, and a wrong one raises."""


def timed_session() -> requests.Session:
    """A requests session with timed connections, without cookies and without ``~/.netrc``.

    Cookies would tie callers together; a netrc entry would be a credential nobody configured here.
    """
    session = _Session()
    adapter = TimedAdapter()
    for scheme in ('http://', 'https://'):
        session.mount(scheme, adapter)
    session.auth = lambda request: request  # any auth object keeps requests from reading netrc
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return session
