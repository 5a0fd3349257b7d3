# SPDX-License-Identifier: Apache-2.0
"""What a line of a recording has, and what is never in one. It has::

    schema    1
    n         number of the operation in its process, counted from 1 at the call
    at        time of the call, seconds since the epoch
    pid, thread
    op        list, show, create, update, delete, download, copy_to_store
    server    base URL that the call was sent to, null for the configured one
    context   project_id, user_id, is_admin, roles, and authenticated: whether it had a token
    args      the other arguments, all of them, under the driver's names; a body or sink as its type
    sent      {bytes, sha256} of the body that was read, or null
    received  {bytes, sha256} of what went to a sink or came out of the iterator, or null
    file      {bytes, sha256} of the destination path afterwards, or {state: why not}, or null
    result    what was returned (an iterator: "iterator"), when there was no error
    error     {class, text, code} when there was one
    requests  HTTP requests that were sent for it: [{method, path, headers, body}], or null; see ``wiretap.py``
    caller    {file, line, function}: the nearest frame outside nova_image, legacy and wrapt

Tokens, service catalogues, and what in a location or URL is secret (user, password, query, metadata)
are never in it.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import os
import re
import stat
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import wrapt

from nova_image.counting import Tally, counted
from nova_image.wiretap import Requests

SCHEMA = 1
HIDDEN = '***'

_HERE = os.path.dirname(os.path.abspath(__file__))
#: Code in these directories is never "the caller".
_INSIDE = tuple(
    place + os.sep
    for place in (
        _HERE,
        os.path.join(os.path.dirname(_HERE), 'legacy'),
        os.path.dirname(os.path.abspath(wrapt.__file__)),
    )
) + (contextlib.__file__,)  # what a context manager decorates is called from there
_SECRET_KEY = re.compile(
    r'token|secret|passw|passphrase|credential|authorization|auth_key|api_key|private_key|service_catalog', re.IGNORECASE
)
_URL = re.compile(r'\b([a-z][a-z0-9+.-]*://)([^\s\'"<>]*)', re.IGNORECASE)
#: A text that is one URL: then quotes belong to it.
_WHOLE_URL = re.compile(r'([a-z][a-z0-9+.-]*://)(\S*)', re.IGNORECASE)
_DEEPEST = 16
#: A shorter token is a stand-in, and taking its letters out of every text would make the line unreadable.
_SHORTEST_TOKEN = 4

_numbers = itertools.count(1)


class Plain:
    """Makes values plain data, without what is secret: by their name, in URLs, and the token of ``context``."""

    def __init__(self, context: Any) -> None:
        token = str(getattr(context, 'auth_token', None) or '')
        self._token = token if len(token) >= _SHORTEST_TOKEN else ''

    def __call__(self, value: Any, depth: int = 0, key: str = '') -> Any:
        """``value`` as JSON has it; ``key`` is the name it stands under."""
        if key and value is not None and _SECRET_KEY.search(key):
            return HIDDEN
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self._scrubbed(value)
        if isinstance(value, datetime.datetime):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray)):
            return {'bytes': len(value), 'sha256': hashlib.sha256(value).hexdigest()}
        if depth >= _DEEPEST:
            return f'<{_name(value)}>'
        if isinstance(value, Mapping):
            if key == 'metadata':
                return {self._scrubbed(str(name)): HIDDEN for name in value}
            # A step of a JSON patch names its value by a path.
            keys = {'value': str(value['path']).rpartition('/')[2]} if 'op' in value and 'path' in value else {}
            return {
                self._scrubbed(str(name)): self(item, depth + 1, keys.get(name, str(name)))
                for name, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self(item, depth + 1, key) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted((self(item, depth + 1, key) for item in value), key=repr)
        if isinstance(value, os.PathLike):
            return self._scrubbed(os.fsdecode(value))
        return f'<{_name(value)}>'

    def _scrubbed(self, text: str) -> str:
        if self._token and self._token in text:
            text = text.replace(self._token, HIDDEN)
        if '://' not in text:
            return text
        whole = _WHOLE_URL.fullmatch(text)
        return _safe_url(whole) if whole else _URL.sub(_safe_url, text)


class Line:
    """One operation on its way into the file. Arguments are read at the call, the rest at the end."""

    def __init__(self, op: str, context: Any, server: str | None, args: dict[str, Any]) -> None:
        self._plain = Plain(context)
        self._head: dict[str, Any] = {
            'schema': SCHEMA,
            'n': next(_numbers),
            'at': time.time(),
            'pid': os.getpid(),
            'thread': threading.current_thread().name,
            'op': op,
            'server': self._plain(server),
            'context': self._plain(_identity(context)),
            'args': self._plain(args),
            'caller': _caller(),
        }
        self.sent: Tally | None = None
        self.received: Tally | None = None
        self.watch: Any = None
        self.requests: Requests = []
        self.result: Any = None
        self.error: BaseException | None = None

    def body(self, data: Any) -> Any:
        """The body to hand on, counted while it is read."""
        if data is None:
            return None
        self.sent = Tally()
        if isinstance(data, (str, bytes, bytearray, memoryview)):
            self.sent.add(data)
            return data
        return counted(data, self.sent)

    def sink(self, data: Any) -> Any:
        """The sink to hand on, counted while it is written."""
        if data is None or not hasattr(data, 'write'):
            return data
        self.received = Tally()
        return counted(data, self.received)

    def plain(self) -> dict[str, Any]:
        """The line as JSON has it."""
        line = dict(self._head)
        line['sent'] = self.sent.plain() if self.sent else None
        line['received'] = self.received.plain() if self.received else None
        line['file'] = None if self.watch is None else _file(self.watch)
        line['requests'] = self._plain([_asked(each.plain()) for each in self.requests]) or None
        if self.error is not None:
            line['error'] = {
                'class': type(self.error).__name__,
                'text': self._plain(str(self.error)),
                'code': self._plain(getattr(self.error, 'code', None)),
            }
        elif isinstance(self.result, (dict, list, bool, str, int, float, type(None))):
            line['result'] = self._plain(self.result)
        else:
            line['result'] = 'iterator'
        return line

def _asked(request: dict[str, Any]) -> dict[str, Any]:
    """A request whose query hides what its names call secret."""
    path, mark, query = request['path'].partition('?')
    parts = [part.partition('=') for part in query.split('&')]
    shown = '&'.join(f'{name}={HIDDEN if _SECRET_KEY.search(name) else value}' if equals else name
                     for name, equals, value in parts)  # fmt: skip
    return {**request, 'path': path + mark + shown}


def _safe_url(found: re.Match[str]) -> str:
    """A URL without what may be secret: user and password, query, fragment."""
    rest = re.split(r'[?#]', found[2], maxsplit=1)
    kept = rest[0]
    if '@' in kept:
        kept = f'{HIDDEN}@{kept.rpartition("@")[2]}'
    return found[1] + kept + (f'?{HIDDEN}' if len(rest) > 1 else '')


def _identity(context: Any) -> dict[str, Any] | None:
    if context is None:
        return None
    return {
        'project_id': getattr(context, 'project_id', None),
        'user_id': getattr(context, 'user_id', None),
        'is_admin': bool(getattr(context, 'is_admin', False)),
        'roles': list(getattr(context, 'roles', None) or ()),
        'authenticated': bool(getattr(context, 'auth_token', None)),
    }


def kind(data: Any) -> str | None:
    return None if data is None else f'<{_name(data)}>'


def _name(value: Any) -> str:
    return f'{type(value).__module__}.{type(value).__qualname__}'


def _file(path: Any) -> dict[str, Any]:
    """What is at the destination now; only regular files are read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return {'state': 'not a regular file'}
        with open(path, 'rb') as source:
            digest = hashlib.file_digest(source, 'sha256')
            return {'bytes': source.tell(), 'sha256': digest.hexdigest()}
    except FileNotFoundError:
        return {'state': 'absent'}
    except (OSError, ValueError, TypeError) as error:
        return {'state': f'unreadable: {type(error).__name__}'}


def _caller() -> dict[str, Any] | None:
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_INSIDE):
            return {'file': code.co_filename, 'line': frame.f_lineno, 'function': code.co_qualname}
        frame = frame.f_back  # type: ignore[assignment]
    return None
