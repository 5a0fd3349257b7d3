# SPDX-License-Identifier: Apache-2.0
"""Write down what crosses the wire in front of Glance, and answer injected faults.

``Recorder`` is WSGI middleware inside the server process (standard library only). It is driven over
HTTP below ``CONTROL_PATH``; ``nova_image.testing.servers.GlanceServer`` has the methods for that.
While it neither records nor holds a fault it hands requests on untouched.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL_PATH = '/_nova_image_testing'

#: Bodies above this size are kept as size and digest only.
LARGEST_BODY_KEPT = 64 * 1024


def describe_body(body: bytes) -> dict[str, Any] | None:
    """Give a body as ``{'base64'}``, or, when it is large, as ``{'digest': {'size', 'md5'}}``."""
    if not body:
        return None
    if len(body) > LARGEST_BODY_KEPT:
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return {'digest': {'size': len(body), 'md5': md5}}
    return {'base64': base64.b64encode(body).decode('ascii')}


class Recorder:
    """Middleware with a list of exchanges and a queue of faults."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._recording = False
        self._exchanges: list[dict[str, Any]] = []
        self._faults: list[dict[str, Any]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get('PATH_INFO', '').startswith(CONTROL_PATH):
            return self._control(environ, start_response)
        fault = self._take_fault(environ)
        if not self._recording and fault is None:
            return self.app(environ, start_response)
        body = _read_body(environ)
        if not self._recording:
            assert fault is not None
            return _answer_fault(fault, start_response, lambda *_: None)
        exchange = _request_of(environ, body)
        with self._lock:
            self._exchanges.append(exchange)

        def note(status: str, headers: list[tuple[str, str]], content: bytes) -> None:
            exchange['response'] = {
                'status': int(status.split(' ', 1)[0]),
                'reason': status.partition(' ')[2],
                'headers': headers,
                'body': describe_body(content),
            }

        if fault is not None:
            exchange['injected'] = True
            return _answer_fault(fault, start_response, note)
        return _record_answer(self.app, environ, start_response, note)

    def _take_fault(self, environ: WSGIEnvironment) -> dict[str, Any] | None:
        if not self._faults:
            return None
        target = _target(environ)
        with self._lock:
            for fault in self._faults:
                if fault.get('method') not in (None, environ['REQUEST_METHOD']):
                    continue
                if fault.get('contains', '') not in target:
                    continue
                fault['times'] = fault.get('times', 1) - 1
                if fault['times'] == 0:
                    self._faults.remove(fault)
                return fault
        return None

    def _control(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        name = environ['PATH_INFO'][len(CONTROL_PATH) :].strip('/')
        sent = json.loads(_read_body(environ) or b'null')
        answer: object = None
        with self._lock:
            if name == 'faults':
                self._faults = list(sent)
            elif name == 'record':
                self._recording = bool(sent)
                self._exchanges = []
            elif name == 'exchanges':
                answer = list(self._exchanges)
                if sent == 'clear':
                    self._exchanges = []
            else:
                start_response('404 Not Found', [('Content-Type', 'text/plain')])
                return [f'no control named {name!r}'.encode()]
        start_response('200 OK', [('Content-Type', 'application/json')])
        return [json.dumps(answer).encode('ascii')]


def _target(environ: WSGIEnvironment) -> str:
    raw: str = environ.get('RAW_URI') or environ.get('REQUEST_URI') or environ['PATH_INFO']
    return raw


def _read_body(environ: WSGIEnvironment) -> bytes:
    """Read the request body and put a readable copy in its place, its framing unchanged."""
    source = environ['wsgi.input']
    if environ.get('CONTENT_LENGTH'):
        body: bytes = source.read(int(environ['CONTENT_LENGTH']))
    elif environ.get('HTTP_TRANSFER_ENCODING', '').lower() == 'chunked':
        body = source.read()
    else:
        body = b''
    environ['wsgi.input'] = io.BytesIO(body)
    return body


def _request_of(environ: WSGIEnvironment, body: bytes) -> dict[str, Any]:
    path, _, query = _target(environ).partition('?')
    headers = {
        key[5:].replace('_', '-').title(): value
        for key, value in environ.items()
        if key.startswith('HTTP_')
    }
    for key in ('CONTENT_TYPE', 'CONTENT_LENGTH'):
        if environ.get(key):
            headers[key.replace('_', '-').title()] = environ[key]
    return {
        'method': environ['REQUEST_METHOD'],
        'path': path,
        'query_string': query,
        'headers': headers,
        'body': describe_body(body),
        'injected': False,
        'response': None,
    }


Note = Callable[[str, list[tuple[str, str]], bytes], None]


def _answer_fault(fault: dict[str, Any], start_response: StartResponse, note: Note) -> list[bytes]:
    content = fault.get('body', '').encode('utf-8')
    headers = [
        ('Content-Type', fault.get('type', 'text/plain')),
        ('Content-Length', str(len(content))),
        *((name, value) for name, value in fault.get('headers', ())),
    ]
    status = str(fault.get('status', '503 Service Unavailable'))
    note(status, headers, content)
    start_response(status, headers)
    return [content]


def _record_answer(
    app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, note: Note
) -> Iterator[bytes]:
    """Hand the answer on whole, after it was written down: callers then see it in the record."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return start_response(status, headers)

    answer = app(environ, start)
    try:
        content = b''.join(answer)
    finally:
        close = getattr(answer, 'close', None)
        if close is not None:
            close()
    status, headers = started[-1]
    note(status, headers, content)
    return iter([content])
