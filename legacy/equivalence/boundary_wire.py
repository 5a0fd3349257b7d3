# SPDX-License-Identifier: Apache-2.0
"""A scripted Glance v2 below the HTTP library: it answers the driver's requests from a case's actions (D-15).

It stands where the connection would be (a transport adapter of ``requests``), so sessions, credentials,
retries, translation and transfers of the Glance driver are the real ones. A request that the script does not
expect is an error that nobody catches.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
import requests.adapters
import urllib3

from legacy.equivalence.boundary_plan import Action
from legacy.equivalence.seams import PastTheEnd

_IMAGE = re.compile(r'/v2/images/([^/]+)(/file|/locations|/members)?')


class _Cut(io.BytesIO):
    """A body that breaks off after its bytes."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size) or self._broken()

    def readinto(self, buffer: Any) -> int:
        return super().readinto(buffer) or len(self._broken())

    def _broken(self) -> bytes:
        raise urllib3.exceptions.ProtocolError('Connection broken: reset by peer')


class ScriptedGlance(requests.adapters.HTTPAdapter):
    """Answers requests in the order of the actions, and writes down what each said.

    :ivar asked: for each action that was asked for, what the request said, and the image as it was last shown
    """

    def __init__(self, actions: list[Action]) -> None:
        super().__init__()
        self._actions = list(actions)
        self._last: dict[str, Any] = {}
        self.asked: list[tuple[Action, dict[str, Any], dict[str, Any]]] = []
        self._refused: Any = None
        self._strange: list[str] = []

    @property
    def unmatched(self) -> dict[str, list[str]]:
        """Actions that nobody asked for, and requests that are no action."""
        return {'never asked': [action.kind for action in self._actions], 'strange': self._strange}

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """In place of the network, with no session, driver or memory of servers from before."""
        from nova_image import api
        from nova_image.glance import limits, retries, servers, session

        real = limits.timed_session

        def scripted() -> requests.Session:
            made = real()
            for scheme in ('http://', 'https://'):
                made.mount(scheme, self)
            return made

        with (
            mock.patch.object(limits, 'timed_session', scripted),
            mock.patch.object(session, '_process', session._Process()),
            mock.patch.object(api, '_shared', {}),
            mock.patch.object(servers, 'HEALTH', servers.Health()) as health,
            mock.patch.object(retries, 'HEALTH', health),  # imported above: it takes a name for itself
        ):
            yield

    def send(self, request: Any, *how: Any, verify: Any = True, **more: Any) -> requests.Response:
        """One request and its answer."""
        content = _content(request.body)
        url = urlsplit(request.url)
        path = unquote(''.join(url.path.partition('/v2/')[1:]))
        said = {
            'method': request.method,
            'path': path,
            'image': _id(path),
            'server': request.url.partition('/v2/')[0],
            'query': parse_qsl(url.query, keep_blank_values=True),
            'content': content,
            'token': request.headers.get('X-Auth-Token'),
            'insecure': verify is False,
        }
        return self._answer(request, said)

    def _answer(self, request: Any, said: dict[str, Any]) -> requests.Response:
        action = self._actions[0] if self._actions else None
        refused, self._refused = self._refused, None
        shape = _shape(said)
        if refused is not None and shape == 'update' and b'/locations/-' in said['content']:
            return self._response(request, refused.error[1], None, refused.error[2], 'text/plain; charset=utf-8')
        if shape == 'share':
            return self._response(request, 200, {})
        if action is not None and shape in _REQUESTS[action.kind]:
            final = shape == _REQUESTS[action.kind][-1] and _names(said, action)
            fails = action.error is not None and action.error[0] != 'cut' and _names(said, action)
            if fails and (final or action.kind == 'data'):
                return self._fail(request, action, said)
            if final:
                return self._serve(request, action, said)
            if shape == 'get' and _names(said, action):
                self._last = self._before(action)
                return self._response(request, 200, self._last)
        if shape == 'get' and self._last.get('id') == said['image']:
            return self._response(request, 200, self._last)
        self._strange.append(f'{said["method"]} {said["path"]}')
        raise PastTheEnd(f'{said["method"]} {said["path"]}')

    def _before(self, action: Action) -> dict[str, Any]:
        """The image that is fetched before it is changed, or before its bytes are."""
        if action.images:
            return action.images[0]
        return {'id': action.image_id, 'status': 'active', 'visibility': 'public'}

    def _fail(self, request: Any, action: Action, said: dict[str, Any]) -> requests.Response:
        del self._actions[0]
        self.asked.append((action, said, self._last))
        assert action.error is not None
        name, status, text = action.error
        if action.kind == 'locate' and status in _OLDER_SERVERS:
            self._refused = action
        if not status:
            silence = requests.ConnectTimeout if name == 'InvalidEndpoint' else requests.ConnectionError
            raise silence(name, request=request)
        return self._response(request, status, None, text, 'text/plain; charset=utf-8')

    def _serve(self, request: Any, action: Action, said: dict[str, Any]) -> requests.Response:
        del self._actions[0]
        self.asked.append((action, said, self._last))
        if action.images and action.kind != 'list':
            self._last = action.images[0]
        if action.kind == 'data':
            return self._data(request, action)
        if action.kind == 'list':
            return self._response(request, 200, {'images': action.images})
        if action.kind in ('delete', 'upload'):
            return self._response(request, 204, None)
        return self._response(request, 201 if action.kind == 'create' else 200, action.images[0])

    def _data(self, request: Any, action: Action) -> requests.Response:
        if action.body is None:
            return self._response(request, 204, None)
        kind = 'application/octet-stream'
        if action.error is not None:
            return self._built(request, 200, _Cut(action.body), {'content-type': kind})
        return self._response(request, 200, None, action.body, kind)

    def _response(
        self, request: Any, status: int, body: Any, content: bytes = b'', kind: str = 'application/json'
    ) -> requests.Response:
        if body is not None:
            content = json.dumps(body).encode()
        headers = {'content-type': kind, 'content-length': str(len(content))}
        return self._built(request, status, io.BytesIO(content), headers)

    def _built(self, request: Any, status: int, body: Any, headers: dict[str, str]) -> requests.Response:
        raw = urllib3.HTTPResponse(body=body, headers=headers, status=status, preload_content=False)
        return self.build_response(request, raw)


#: What a server says that only takes locations by the older way, which is then tried.
_OLDER_SERVERS = (404, 405, 501)
#: What an action may be asked by: the last one is the action itself.
_REQUESTS = {
    'get': ('get',),
    'list': ('list',),
    'data': ('get', 'data'),
    'create': ('create',),
    'update': ('get', 'update'),
    'upload': ('get', 'upload'),
    'locate': ('locate',),
    'delete': ('delete',),
}
_SHAPES = {
    ('GET', None): 'get', ('GET', '/file'): 'data', ('PUT', '/file'): 'upload', ('PATCH', None): 'update',
    ('DELETE', None): 'delete', ('POST', '/locations'): 'locate', ('POST', '/members'): 'share',
}  # fmt: skip


def _content(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, 'read'):
        return b''.join(iter(lambda: body.read(65536), b''))
    return body if isinstance(body, bytes) else b''.join(body or ())


def _shape(said: dict[str, Any]) -> str:
    if said['path'] == '/v2/images':
        return {'GET': 'list', 'POST': 'create'}.get(said['method'], '')
    found = _IMAGE.fullmatch(said['path'])
    return _SHAPES.get((said['method'], found[2]), '') if found else ''


def _id(path: str) -> str | None:
    found = _IMAGE.fullmatch(path)
    return found[1] if found else None


def _names(said: dict[str, Any], action: Action) -> bool:
    """Whether the request is about the action's image."""
    return action.kind in ('list', 'create') or said['image'] == str(action.image_id)
