# SPDX-License-Identifier: Apache-2.0
"""A loopback server that answers as a test says, and a caller."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

IMAGE_ID = '11111111-2222-4333-8444-555555555555'


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int
    server: str


@dataclass
class Answer:
    """What to send back; ``raw`` replaces all of it."""

    status: int = 200
    body: bytes = b''
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[Any], None] | None = None


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {'Content-Type': 'application/json', **headers})


def an_image(**changes: Any) -> dict[str, Any]:
    return {
        'id': IMAGE_ID, 'name': 'one', 'status': 'active', 'visibility': 'shared', 'size': 5,
        'checksum': '5d41402abc4b2a76b9719d911017c592', 'owner': 'p', 'disk_format': 'raw',
        'container_format': 'bare', 'min_disk': 0, 'min_ram': 0, 'tags': [], 'protected': False,
        'os_hidden': False, 'created_at': '2024-01-02T03:04:05Z', 'updated_at': '2024-01-02T03:04:05Z',
        'schema': '/v2/schemas/image', 'self': f'/v2/images/{IMAGE_ID}', 'file': f'/v2/images/{IMAGE_ID}/file',
        **changes,
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def _serve(self) -> None:
        owner = self.server.owner  # type: ignore[attr-defined]
        if self.headers.get('Transfer-Encoding') == 'chunked':
            body = b''
            while size := int(self.rfile.readline().strip() or b'0', 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        request = Request(
            self.command, self.path, dict(self.headers.items()), body, self.client_address[1], owner.url
        )
        with owner.lock:
            owner.requests.append(request)
        answer = owner.answer(request)
        if answer.raw is not None:
            answer.raw(self)
            self.close_connection = True
            return
        self.send_response(answer.status)
        headers = dict(answer.headers)
        if answer.status != 204:
            headers.setdefault('Content-Length', str(len(answer.body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, *_args: Any) -> None:
        pass


class Server:
    """Answers with ``answer(request)``, writes down every request."""

    def __init__(self, answer: Callable[[Request], Answer] | None = None) -> None:
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.answer = answer or (lambda request: as_json(an_image()))
        self._http = ThreadingHTTPServer(('127.0.0.1', 0), _Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_args: None  # type: ignore[method-assign]
        self._http.owner = self  # type: ignore[attr-defined]
        self.url = f'http://127.0.0.1:{self._http.server_address[1]}'
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def calls(self) -> list[tuple[str, str]]:
        return [(request.method, request.path) for request in self.requests]


class Caller:
    """A request context."""

    def __init__(self, token: str | None = 'secret-token', **more: Any) -> None:
        self.auth_token = token
        self.is_admin = False
        self.project_id = 'p'
        self.user_id = 'u'
        self.__dict__.update(more)
