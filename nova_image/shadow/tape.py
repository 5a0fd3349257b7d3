# SPDX-License-Identifier: Apache-2.0
"""The HTTP exchanges of a write: taken down while one driver makes them, played to the other driver afterwards.

So the other driver shows which requests it would send, and none of them leaves the process: it is answered from
the tape as long as it asks for the same, and stopped where it does not. Knows requests, not images.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from nova_image import wiretap

#: An answer longer than this is not kept, and ends the comparison there.
MOST_BYTES = 1 << 20
UPLOAD = '(image data)'

_IMAGES = re.compile(r'.*?(/v2/.*)')
#: Ways to the outside. What a child does would be out of sight, so none is started.
_LEAVING = frozenset((
    'socket.connect', 'socket.sendto', 'socket.sendmsg', 'http.client.connect', 'http.client.send',
    'subprocess.Popen', 'os.system', 'os.posix_spawn', 'os.exec', 'os.fork', 'os.forkpty',
))  # fmt: skip


class Stopped(BaseException):
    """The tape has no answer. Not an Exception, so that no driver takes it for a failure to get over."""


@dataclass
class Exchange:
    """One request as plain data, and what came back."""

    asked: dict[str, Any]
    response: Any = None
    error: type[Exception] | None = None
    pieces: list[bytes] = field(default_factory=list)

    def content(self) -> bytes | None:
        """The body of the answer; None: it is not here."""
        known = getattr(self.response, '_content', False)
        body = known if isinstance(known, bytes) else b''.join(self.pieces)
        return body if len(body) <= MOST_BYTES else None


class Tape:
    """Takes down what a driver asks an image service, for :func:`nova_image.glance.limits.between`."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def __call__(self, request: Any, send: Callable[[], Any]) -> Any:
        try:
            asked = told(request)
        except Exception:  # noqa: BLE001 - what cannot be compared is sent all the same
            asked = None
        if asked is None:
            return send()
        exchange = Exchange(asked)
        self.exchanges.append(exchange)
        try:
            exchange.response = send()
        except Exception as error:
            exchange.error = type(error)
            raise
        _keep(exchange)
        return exchange.response

    @property
    def upload(self) -> dict[str, Any] | None:
        """The request with image data, if one was made."""
        return next((each.asked for each in self.exchanges if each.asked.get('body') == UPLOAD), None)


def _keep(exchange: Exchange) -> None:
    """Have the answer's body kept as it is read, by whoever reads it; not a byte more."""
    read = exchange.response.raw.read

    def keeping(*args: Any, **kwargs: Any) -> Any:
        piece = read(*args, **kwargs)
        if sum(map(len, exchange.pieces)) <= MOST_BYTES:
            exchange.pieces.append(piece)
        return piece

    exchange.response.raw.read = keeping


def told(request: Any) -> dict[str, Any] | None:
    """A request as it is compared: without server and credential; None: not to an image service."""
    url = urlsplit(request.url)
    path = _IMAGES.fullmatch(url.path)
    if path is None:
        return None
    headers = {_text(name).lower(): _text(value) for name, value in request.headers.items()}
    asked: dict[str, Any] = {
        'method': request.method,
        'path': path[1],
        'query': dict(parse_qsl(url.query, keep_blank_values=True)),
        'headers': {name: value for name, value in headers.items() if wiretap.is_told(name)},
    }
    if isinstance(request.body, (str, bytes)):
        try:
            asked['body'] = json.loads(request.body)
        except ValueError:
            asked['body'] = {'bytes': len(request.body)}
    elif request.body is not None:
        asked['body'] = UPLOAD
    return asked


def _text(value: Any) -> str:
    return value.decode('latin-1') if isinstance(value, bytes) else str(value)


class Replay:
    """Plays a tape to another driver, for :func:`nova_image.glance.limits.between`.

    :param has_data: False: the body was a stream and is gone, so the upload is where comparing ends
    :param is_open: what comes after the tape's end is not known
    :ivar asked: the requests that were made, the one that has no answer included
    :ivar is_whole: whether all that was asked had an answer
    """

    def __init__(self, exchanges: list[Exchange], *, has_data: bool, is_open: bool) -> None:
        self._exchanges = exchanges
        self._has_data = has_data
        self._is_open = is_open
        self.asked: list[dict[str, Any]] = []
        self.is_whole = True

    def __call__(self, request: Any, send: Callable[[], Any]) -> Any:
        if not self.is_whole:
            raise Stopped
        asked, index = told(request), len(self.asked)
        at_end = index >= len(self._exchanges)
        if asked is None or (at_end and self._is_open):
            self._stop()
        self.asked.append(asked or {})
        if at_end:
            self._stop()
        exchange = self._exchanges[index]
        if any(exchange.asked[name] != self.asked[-1][name] for name in ('method', 'path')):
            self._stop()
        if self.asked[-1].get('body') == UPLOAD:
            if not self._has_data:
                self._stop()
            _read_all(request.body)
        if exchange.error is not None:
            raise exchange.error('as on the tape')
        content = exchange.content()
        if content is None:
            self._stop()
        return _answer(request, exchange.response, content or b'')

    def _stop(self) -> None:
        self.is_whole = False
        raise Stopped


def _read_all(body: Any) -> None:
    if hasattr(body, 'read'):
        while body.read(1 << 20):
            pass
    else:
        for _chunk in body:
            pass


def _answer(request: Any, model: Any, content: bytes) -> Any:
    import requests
    import urllib3

    left_out = ('content-encoding', 'transfer-encoding', 'content-length')
    headers = {name: value for name, value in model.headers.items() if name.lower() not in left_out}
    raw = urllib3.HTTPResponse(
        io.BytesIO(content), headers, model.status_code, reason=model.reason, preload_content=False
    )
    return requests.adapters.HTTPAdapter().build_response(request, raw)


class Gone:
    """Stands for a body that was a stream: it has its size, and not its bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def tell(self) -> int:
        """Where a reader is."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """There is nothing to read."""
        raise Stopped


class GoneChunks:
    """The same for a body of unknown size."""

    def __iter__(self) -> Iterator[bytes]:
        raise Stopped


_sealed: contextvars.ContextVar[bool] = contextvars.ContextVar('sealed', default=False)
_guards: list[bool] = []


@contextlib.contextmanager
def sealed() -> Iterator[None]:
    """Inside, in this thread, nothing leaves the process and no child is started, whatever the driver does."""
    if not _guards:
        _guards.append(True)
        sys.addaudithook(_guard)  # for good: Python lets nobody take one back
    token = _sealed.set(True)
    try:
        yield
    finally:
        _sealed.reset(token)


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _LEAVING and _sealed.get():
        raise Stopped
