# SPDX-License-Identifier: Apache-2.0
"""Bytes to put into images: repeatable content, and a plain HTTP server that hands some out.

The HTTP server is where ``location`` and web-download tests point Glance to.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer


def image_bytes(seed: int, size: int) -> bytes:
    """Give ``size`` bytes that depend on ``seed`` only: sha256("<seed>:0") + sha256("<seed>:1") + ..."""
    parts = [
        hashlib.sha256(f'{seed}:{number}'.encode('ascii')).digest()
        for number in range(-(-size // 32))
    ]
    return b''.join(parts)[:size]


class BlobServer:
    """A loopback HTTP server: every path answers ``image_bytes(7, 4096)``, ``/missing...`` answers 404."""

    CONTENT = image_bytes(7, 4096)

    def __init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f'http://127.0.0.1:{self.port}'

    def start(self) -> None:
        """Listen on a free port, in a thread of this process."""
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def _answer(self, *, with_body: bool) -> None:
                missing = self.path.startswith('/missing')
                content = b'' if missing else BlobServer.CONTENT
                self.send_response(404 if missing else 200)
                self.send_header('Content-Type', 'application/octet-stream')
                self.send_header('Content-Length', str(len(content)))
                self.end_headers()
                if with_body:
                    self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on stderr."""

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        # A short poll keeps stop() quick.
        serve = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name='blobs', daemon=True
        )
        serve.start()

    def stop(self) -> None:
        """Stop listening and free the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
