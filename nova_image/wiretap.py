# SPDX-License-Identifier: Apache-2.0
"""The HTTP requests that an operation sends, as the standard library tells them (audit event ``http.client.send``).

For recordings only: whatever the driver's client is, nothing of it is patched. Tokens are never kept: of the
headers only those in ``HEADERS``, and no request for a token at all. Knows HTTP, not images.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

#: Headers that say what is asked for; all others depend on the client, the machine, or who is asking.
HEADERS = ('content-type', 'range', 'transfer-encoding')
_HEADER_PREFIXES = ('x-image-meta-', 'x-openstack-image-', 'x-glance-')
_HEAD = re.compile(rb'([A-Z]+) (\S+) HTTP/1\.[01]\r\n')
#: Longer JSON is told by its length only.
_LONGEST = 65536
_TOKENS = re.compile(r'/tokens/?(\?|$)')
_MARK = '_nova_image_request'

Requests = list['Request']
_current: contextvars.ContextVar[Requests | None] = contextvars.ContextVar('requests', default=None)


class Request:
    """One request on its way out."""

    def __init__(self, method: str, path: str, headers: dict[str, str]) -> None:
        self.method, self.path, self.headers = method, path, headers
        self._size = 0
        self._text = bytearray()

    def add(self, data: bytes) -> None:
        """Count a piece of the body."""
        self._size += len(data)
        if 'json' in self.headers.get('content-type', '') and len(self._text) <= _LONGEST:
            self._text += data

    def plain(self) -> dict[str, Any]:
        """Method, path with query, chosen headers, and the body: JSON as such, else its number of bytes."""
        told: dict[str, Any] = {'method': self.method, 'path': self.path, 'headers': self.headers}
        if self._text and len(self._text) == self._size:
            with contextlib.suppress(ValueError):
                return {**told, 'body': json.loads(self._text)}
        if self._size and self.headers.get('transfer-encoding') != 'chunked':  # chunks come with their framing
            told['body'] = {'bytes': self._size}
        return told


@contextlib.contextmanager
def into(requests: Requests) -> Iterator[None]:
    """Requests that are sent inside, in this context, are appended to ``requests``."""
    token = _current.set(requests)
    try:
        yield
    finally:
        _current.reset(token)


def is_told(header: str) -> bool:
    """Whether that header, in lower case, says what is asked for."""
    return header in HEADERS or header.startswith(_HEADER_PREFIXES)


def listen() -> None:
    """Hear of requests from now on; once per process, since Python lets nobody take an audit hook back."""
    if not _listening:
        _listening.append(True)
        sys.addaudithook(_heard)


_listening: list[bool] = []


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event != 'http.client.send':
        return
    requests = _current.get()
    if requests is None:
        return
    connection, data = arguments
    with contextlib.suppress(Exception):  # a recording never breaks the caller
        _note(requests, connection, bytes(data))


def _note(requests: Requests, connection: Any, data: bytes) -> None:
    head = _HEAD.match(data)
    if head is None:
        request = getattr(connection, _MARK, None)
        if request is not None:
            request.add(data)
        return
    path = head[2].decode('latin-1')
    text, _, body = data[head.end() :].partition(b'\r\n\r\n')
    headers = {}
    for line in text.decode('latin-1').split('\r\n'):
        name, _, value = line.partition(':')
        if is_told(name.lower()):
            headers[name.lower()] = value.strip()
    request = Request(head[1].decode(), path, headers)
    setattr(connection, _MARK, request)
    if body:
        request.add(body)
    if not _TOKENS.search(path):
        requests.append(request)
