# SPDX-License-Identifier: Apache-2.0
"""The HTTP side of the faulty Glance: requests in, answers or faults out.

One handler method for each thing that is asked; a fault strikes where bytes are read or written. What
strikes when is decided by :class:`nova_image.testing.faulty.FaultyGlance`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.server
import json
import re
import socket
import struct
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from nova_image.testing.faults import Fault
from nova_image.testing.toy_glance import SCHEMA, Refused

if TYPE_CHECKING:
    from nova_image.testing.faulty import FaultyGlance

PIECE_BYTES = 64 * 1024
_IMAGE = re.compile(r'/v2/images/(?P<id>[^/]+)(?P<file>/file)?')
_MEMBERS = re.compile(r'/v2/images/([^/]+)/members')
_RANGE = re.compile(r'bytes=(\d+)-(\d*)')


@dataclasses.dataclass
class Seen:
    """One request as it came. ``body_bytes`` counts what was read of its body, before any fault too;
    ``connection`` is the client's port, the same for requests on one connection.
    """

    method: str
    path: str
    route: str
    headers: Mapping[str, str]
    body_bytes: int = 0
    status: int = 0
    connection: int = 0

    @property
    def token(self) -> str | None:
        return self.headers.get('X-Auth-Token')


class FaultyServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    glance: FaultyGlance

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what this server is for."""


class _Struck(Exception):
    """The fault has done its work and the connection is over."""


class _Answered(Exception):
    """The fault's answer was sent in full; the connection goes on."""


class FaultyHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    server: FaultyServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        glance = self.server.glance
        url = urllib.parse.urlsplit(self.path)
        match = _IMAGE.fullmatch(url.path)
        kind = 'images' if url.path == '/v2/images' else 'other'
        if match:
            kind = 'file' if match['file'] else 'image'
        self.seen = Seen(self.command, self.path, f'{self.command} {kind}', dict(self.headers.items()))
        self.seen.connection = self.client_address[1]
        self.fault = glance.note(self.seen)
        self._left: Iterator[bytes] = self._body_pieces()
        try:
            if self.fault is not None and self.fault.kind == 'late':
                glance.stopping.wait(self.fault.seconds)
            self._answer(kind, urllib.parse.unquote(match['id']) if match else '', url.query)
        except Refused as exc:
            self._drain()
            self._send(exc.status, exc.reason.encode(), {'Content-Type': 'text/plain'})
        except _Answered:
            pass
        except (_Struck, OSError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    # What is asked.

    def _answer(self, kind: str, image_id: str, query: str) -> None:
        glance, store = self.server.glance, self.server.glance.store
        if self.seen.route == 'PUT file':
            self._take_file(image_id)
            return
        body = b''.join(self._request_body())
        self._strike(None)
        if glance.accepted_tokens is not None and self.seen.token not in glance.accepted_tokens:
            raise Refused(401, 'This server could not verify that you are authorized')
        route, url_path = self.seen.route, urllib.parse.urlsplit(self.path).path
        if route == 'GET file':
            self._give_file(image_id)
        elif route == 'GET images':
            self._list(dict(urllib.parse.parse_qsl(query)))
        elif route == 'POST images':
            self._send_json(201, store.create(json.loads(body)))
        elif route == 'GET image':
            self._send_json(200, store.show(image_id))
        elif route == 'PATCH image':
            self._send_json(200, store.patch(image_id, json.loads(body)))
        elif route == 'DELETE image':
            store.delete(image_id)
            self._send(204, b'')
        elif self.command == 'GET' and self.path.rstrip('/') in ('', '/versions'):
            version = {'id': 'v2.16', 'status': 'CURRENT', 'links': [{'rel': 'self', 'href': f'{glance.url}/v2/'}]}
            self._send_json(300 if self.path == '/' else 200, {'versions': [version]})
        elif self.command == 'POST' and (shared := _MEMBERS.fullmatch(url_path)):
            self._send_json(200, store.share(urllib.parse.unquote(shared[1]), json.loads(body)['member']))
        elif url_path in ('/v2/schemas/image', '/v2/schemas/member'):
            self._send_json(200, SCHEMA)
        else:
            raise Refused(404, f'{self.command} {self.path} is not known here')

    def _list(self, query: dict[str, str]) -> None:
        asked = dict(query)
        records, marker = self.server.glance.store.page(query, self.server.glance.page_size)
        answer: dict[str, Any] = {'images': records, 'first': '/v2/images', 'schema': '/v2/schemas/images'}
        if marker is not None:
            answer['next'] = '/v2/images?' + urllib.parse.urlencode({**asked, 'marker': marker})
        self._send_json(200, answer)

    def _take_file(self, image_id: str) -> None:
        glance, store, fault = self.server.glance, self.server.glance.store, self.fault
        if glance.accepted_tokens is not None and self.seen.token not in glance.accepted_tokens:
            raise Refused(401, 'This server could not verify that you are authorized')
        store.may_store(image_id)
        self._give_up = functools.partial(store.put_back, image_id)
        try:
            contents = b''.join(self._request_body())
            self._strike(None)
            announced = self.headers.get('X-Openstack-Image-Size')
            if announced is not None and int(announced) != len(contents):
                raise Refused(400, f'announced {announced} bytes, got {len(contents)}')
        except BaseException:
            self._let_go()
            raise
        self._give_up = None
        if fault is not None and fault.kind == 'corrupt' and contents:
            contents = _flipped(contents, fault.at or 0)
        elif fault is not None and fault.kind == 'short':
            contents = contents[: fault.at]
        store.store(image_id, contents)
        self._send(204, b'')

    _give_up: Callable[[], None] | None = None

    def _let_go(self) -> None:
        """The upload is over: before the client can know, or it would find the image busy when it comes again."""
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            give_up()

    def _give_file(self, image_id: str) -> None:
        glance = self.server.glance
        if glance.store.show(image_id)['status'] in ('queued', 'saving'):
            self._send(204, b'')
            return
        contents, status, headers = glance.store.contents[image_id], 200, {}
        asked = self.headers.get('Range')
        if asked:
            match = _RANGE.fullmatch(asked)
            if not glance.ranges or match is None:
                raise Refused(400, 'this store cannot give parts')
            first, last = int(match[1]), min(int(match[2] or len(contents) - 1), len(contents) - 1)
            if first > last:
                raise Refused(416, 'Requested range not satisfiable')
            headers['Content-Range'] = f'bytes {first}-{last}/{len(contents)}'
            contents, status = contents[first : last + 1], 206
        self._send(status, contents, {'Content-Type': 'application/octet-stream', **headers})

    # How the request's body is read.

    def _body_pieces(self) -> Iterator[bytes]:
        if 'chunked' in self.headers.get('Transfer-Encoding', ''):
            while size := self._chunk_size():
                yield self._exactly(size)
                self.rfile.readline(100)
            while self.rfile.readline(1000).strip():
                pass
            return
        left = int(self.headers.get('Content-Length') or 0)
        while left:
            piece = self._exactly(min(left, PIECE_BYTES))
            left -= len(piece)
            yield piece

    def _chunk_size(self) -> int:
        line = self.rfile.readline(100)
        if not line.endswith(b'\n'):
            raise _Struck  # the client went away between two chunks
        return int(line.split(b';')[0], 16)

    def _exactly(self, size: int) -> bytes:
        piece = self.rfile.read(size)
        if len(piece) < size:
            raise _Struck  # the client went away in the middle
        return piece

    def _request_body(self) -> Iterator[bytes]:
        """The body; a fault strikes when as much of it was read as the fault says."""
        fault = self.fault
        at = None if fault is None or self.command in ('GET', 'DELETE', 'HEAD') else fault.at
        if at == 0:
            self._strike(0)
        for piece in self._left:
            self.seen.body_bytes += len(piece)
            yield piece
            if at is not None and self.seen.body_bytes >= at:
                self._strike(at)
                at = None

    def _drain(self) -> None:
        with contextlib.suppress(_Struck, OSError, ValueError):
            for _piece in self._left:
                pass

    # How a fault strikes.

    def _strike(self, at: int | None) -> None:
        """End the exchange here if the fault is one of connection or status and due at this point."""
        fault = self.fault
        if fault is None or fault.at != at:
            return
        if fault.kind == 'status':
            self.fault = None
            early = at is not None
            self._let_go()
            headers = {
                name: value.replace('{path}', self.path) for name, value in fault.headers.items() if value is not None
            }
            self._send(fault.status, fault.body, {'Content-Type': 'text/plain', **headers}, close=early)
            if early:
                self._drain()
            raise _Struck if early else _Answered
        self._strike_connection(fault)

    def _strike_connection(self, fault: Fault) -> None:
        if fault.kind in ('stall', 'pause'):
            self.server.glance.stopping.wait(fault.seconds)
        if fault.kind in ('reset', 'cut'):
            self._let_go()
        if fault.kind == 'drip' and self.command in ('PUT', 'POST', 'PATCH'):
            while self.rfile.read(1) and not self.server.glance.stopping.wait(fault.seconds):
                self.seen.body_bytes += 1
            raise _Struck
        if fault.kind == 'reset':
            self._reset()
        if fault.kind in ('cut', 'stall'):
            self.wfile.flush()
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            raise _Struck

    def _reset(self) -> NoReturn:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.rfile.close()
        self.connection.close()
        raise _Struck

    # How an answer is sent.

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value).encode(), {'Content-Type': 'application/json'})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, close: bool = False) -> None:
        fault = self.fault
        if fault is not None and fault.kind == 'lost':
            self._reset()
        self.seen.status = status
        strikes = fault if fault is not None and self.command == 'GET' and fault.at is not None else None
        if strikes is not None and strikes.kind == 'status':
            strikes = None  # too late for another status
        sent: dict[str, str | None] = dict(headers or {})
        if strikes is not None and strikes.kind == 'unterminated':
            sent['Transfer-Encoding'] = 'chunked'
        elif strikes is not None and strikes.kind == 'short':
            close = True
        elif status != 204:
            sent['Content-Length'] = str(len(body))
        if fault is not None and fault.kind == 'headers':
            sent.update(fault.headers)
        if close:
            sent['Connection'] = 'close'
        self.send_response(status)
        for name, value in sent.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if strikes is None:
            self._write(body)
        else:
            self._write_struck(body, strikes)

    def _write(self, body: bytes) -> None:
        view = memoryview(body)
        for start in range(0, len(view), PIECE_BYTES):
            self.wfile.write(view[start : start + PIECE_BYTES])

    def _write_struck(self, body: bytes, fault: Fault) -> None:
        at = fault.at or 0
        if fault.kind == 'corrupt':
            self._write(_flipped(body, at))
            return
        if fault.kind == 'unterminated':
            for start in range(0, at, PIECE_BYTES):
                piece = body[start : min(at, start + PIECE_BYTES)]
                self.wfile.write(b'%x\r\n%b\r\n' % (len(piece), piece))
        else:
            self._write(body[:at])
        self.wfile.flush()
        if fault.kind == 'pause':
            self._strike_connection(fault)
            self._write(body[at:])
            return
        if fault.kind == 'drip':
            for place in range(at, len(body)):
                if self.server.glance.stopping.wait(fault.seconds):
                    raise _Struck
                self.wfile.write(body[place : place + 1])
            return
        if fault.kind == 'reset':
            time.sleep(0.05)  # or the reset overtakes the bytes before it
        if fault.kind in ('short', 'unterminated'):
            raise _Struck
        self._strike_connection(fault)


def _flipped(body: bytes, at: int) -> bytes:
    at = min(at, len(body) - 1)
    return body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :] if body else body
