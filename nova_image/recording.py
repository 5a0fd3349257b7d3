# SPDX-License-Identifier: Apache-2.0
"""A driver that wraps any driver and writes down each operation, one JSON line each.

Switched on by ``[image] recording`` or ``NOVA_IMAGE_RECORDING`` (a file; several processes may share
it: a line is one append). ``nova-image prove`` compares two such files. A line has::

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
    caller    {file, line, function}: the nearest frame outside nova_image, legacy and wrapt

Tokens, service catalogues, and what in a location or URL is secret (user, password, query, metadata)
are never in it. An error while recording never reaches the caller: it is counted in ``failures`` and
logged once.
"""

from __future__ import annotations

import atexit
import datetime
import hashlib
import itertools
import json
import logging
import os
import re
import stat
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import wrapt

from nova_image.counting import CountedChunks, CountedSizedChunks, Tally, counted
from nova_image.driver import ImageDriver

LOG = logging.getLogger(__name__)
T = TypeVar('T')
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
)
_SECRET_KEY = re.compile(
    r'token|secret|passw|credential|auth_key|api_key|private_key|service_catalog', re.IGNORECASE
)
_URL = re.compile(r'\b([a-z][a-z0-9+.-]*://)([^\s\'"<>]*)', re.IGNORECASE)
_DEEPEST = 16

_numbers = itertools.count(1)
_unfinished: weakref.WeakSet[CountedChunks] = weakref.WeakSet()


class RecordingDriver(ImageDriver):
    """Does what ``inner`` does, and appends one line per operation to the file ``path``.

    :param inner: the driver that does the work; its errors and results pass unchanged
    :param path: file to append to; made when it is not there
    """

    name: ClassVar[str] = 'recording'

    def __init__(self, inner: ImageDriver, path: str) -> None:
        # No super().__init__(): configuration and endpoint are those of the driver inside.
        self.inner = inner
        self.path = os.path.abspath(path)
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        if name == 'inner':  # while unpickling or half built
            raise AttributeError(name)
        return getattr(self.inner, name)

    # -- operations

    def list(self, context: Any, **query: Any) -> list[dict[str, Any]]:
        names = ('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir')
        line = self._line('list', context, None, {name: query.get(name) for name in names})
        return self._run(line, lambda: self.inner.list(context, **query))

    def show(
        self,
        context: Any,
        image_id: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        args = {
            'image_id': image_id,
            'include_locations': include_locations,
            'show_deleted': show_deleted,
        }
        line = self._line('show', context, server, args)
        return self._run(
            line,
            lambda: self.inner.show(
                context, image_id, include_locations, show_deleted, server=server
            ),
        )

    def create(self, context: Any, image_info: dict[str, Any], data: Any = None) -> dict[str, Any]:
        line = self._line('create', context, None, {'image_info': image_info, 'data': _kind(data)})
        body = line.body(data)
        return self._run(line, lambda: self.inner.create(context, image_info, body))

    def update(
        self,
        context: Any,
        image_id: Any,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        args = {
            'image_id': image_id,
            'image_info': image_info,
            'data': _kind(data),
            'purge_props': purge_props,
        }
        line = self._line('update', context, server, args)
        body = line.body(data)
        return self._run(
            line,
            lambda: self.inner.update(
                context, image_id, image_info, body, purge_props, server=server
            ),
        )

    def delete(self, context: Any, image_id: Any, *, server: str | None = None) -> bool:
        line = self._line('delete', context, server, {'image_id': image_id})
        return self._run(line, lambda: self.inner.delete(context, image_id, server=server))

    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
        *,
        server: str | None = None,
    ) -> Iterator[bytes] | None:
        args = {
            'image_id': image_id,
            'data': _kind(data),
            'dest_path': dest_path,
            'trusted_certs': getattr(trusted_certs, 'ids', trusted_certs),
        }
        line = self._line('download', context, server, args)
        sink = line.sink(data)
        line.watch = None if data is not None else dest_path
        chunks = self._run(
            line,
            lambda: self.inner.download(
                context, image_id, sink, dest_path, trusted_certs, server=server
            ),
            keep_open=True,
        )
        if chunks is None:
            self._write(line)
            return None
        return self._counted(line, chunks)

    def copy_to_store(
        self, context: Any, image_id: Any, store: str, *, server: str | None = None
    ) -> None:
        line = self._line('copy_to_store', context, server, {'image_id': image_id, 'store': store})
        return self._run(
            line, lambda: self.inner.copy_to_store(context, image_id, store, server=server)
        )

    # -- what is passed on and not written down

    def glance_url(self, context: Any = None) -> str:
        return self.inner.glance_url(context)

    def is_available(self, context: Any, record: Mapping[str, Any]) -> bool:
        return self.inner.is_available(context, record)

    def close(self) -> None:
        self.inner.close()

    # -- how a line comes about

    def _line(self, op: str, context: Any, server: str | None, args: dict[str, Any]) -> Line:
        where = server or getattr(self.inner, 'endpoint', None)
        try:
            return Line(op, context, where, args)
        except Exception as error:  # noqa: BLE001 - recording never breaks the caller
            self._failed(error)
            return Line(op, None, None, {'unreadable': type(error).__name__})

    def _run(self, line: Line, call: Callable[[], T], keep_open: bool = False) -> T:
        try:
            result = call()
        except BaseException as error:
            line.error = error
            self._write(line)
            raise
        line.result = result
        if not keep_open:
            self._write(line)
        return result

    def _counted(self, line: Line, chunks: Iterator[bytes]) -> Iterator[bytes]:
        line.received = Tally()

        def done(error: BaseException | None) -> None:
            line.error = error
            self._write(line)

        kind = CountedSizedChunks if hasattr(type(chunks), '__len__') else CountedChunks
        watched = kind(chunks, line.received, done)
        _unfinished.add(watched)
        return watched

    def _write(self, line: Line) -> None:
        try:
            _append(self.path, json.dumps(line.plain(), separators=(',', ':')) + '\n')
        except Exception as error:  # noqa: BLE001 - recording never breaks the caller
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            LOG.warning(
                'Recording to %s failed (%s: %s); the image operation itself was not touched. '
                'Further failures are only counted.',
                self.path,
                type(error).__name__,
                error,
            )


class Line:
    """One operation on its way into the file. Arguments are read at the call, the rest at the end."""

    def __init__(self, op: str, context: Any, server: str | None, args: dict[str, Any]) -> None:
        self._token = str(getattr(context, 'auth_token', None) or '')
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

    def _plain(self, value: Any, depth: int = 0, key: str = '') -> Any:
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
            return {
                self._scrubbed(str(name)): self._plain(item, depth + 1, str(name))
                for name, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._plain(item, depth + 1, key) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted((self._plain(item, depth + 1, key) for item in value), key=repr)
        if isinstance(value, os.PathLike):
            return self._scrubbed(os.fsdecode(value))
        return f'<{_name(value)}>'

    def _scrubbed(self, text: str) -> str:
        if self._token and self._token in text:
            text = text.replace(self._token, HIDDEN)
        return _URL.sub(_safe_url, text) if '://' in text else text


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


def _kind(data: Any) -> str | None:
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


def _append(path: str, text: str) -> None:
    # Opened for each line: a descriptor kept open would not survive a caller that closes all of them.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, text.encode('utf-8', 'backslashreplace'))
    finally:
        os.close(handle)


@atexit.register
def _finish_open_iterators() -> None:
    for chunks in list(_unfinished):
        chunks.finish(None)
