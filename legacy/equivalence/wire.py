# SPDX-License-Identifier: Apache-2.0
"""Run one recorded wire program: on a real Glance, or on the embedded store.

A program (``golden/FORMAT.md`` section 3) goes through one of three front ends: the old service class,
the old API class, the new API. What comes out has the form of the recorded ``expect`` with the requests
that count, so :mod:`legacy.equivalence.wire_compare` can hold the two against each other.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from unittest import mock

from legacy.equivalence.logged import logged
from legacy.equivalence.wire_bridge import bridge, taken_away
from legacy.equivalence.wire_values import Arguments, NotRun, digest

#: Operations that only a real Glance can answer.
GLANCE_ONLY = frozenset({'raw', 'fault', 'corrupt', 'truncate_store', 'copy_to_store', 'pause', 'config'})


def needs_glance(case: dict[str, Any]) -> bool:
    """Whether the program can only run on a real Glance: the store has no server to fail or to leave."""
    steps = case['input']['steps']
    return (
        any(step['op'] in GLANCE_ONLY or 'href' in step for step in steps)
        or '<blobs>' in json.dumps(steps)
        or 'api_servers' in case['input']['config']
    )


def frontends(case: dict[str, Any]) -> tuple[str, ...]:
    """The front ends of this package that stand for the recorded one."""
    return ('service',) if case['frontend'].endswith('service') else ('legacy-api', 'api')


class Server(Protocol):
    """What a program needs of the Glance it runs on (``nova_image.testing.servers.GlanceServer``)."""

    blobs: Any
    url: str
    port: int
    store_directory: Any

    def reset(self) -> None: ...
    def record(self, on: bool = True) -> None: ...
    def exchanges(self, *, clear: bool = False) -> list[dict[str, Any]]: ...
    def inject(self, faults: Any) -> None: ...
    def stored_file(self, image_id: str) -> Any: ...


class Program:
    """One run of one program through one front end; ``server`` None means the embedded store."""

    def __init__(
        self, case: dict[str, Any], frontend: str, server: Server | None, speaks_for: str | None = None
    ) -> None:
        self.case, self.frontend, self.server = case, frontend, server
        #: the front end whose calls are made here in this one's words (the rewrites of names.py)
        self.speaks_for = speaks_for or frontend
        self.root = tempfile.mkdtemp(prefix='golden-wire-')
        self.arguments = Arguments(
            case,
            server.url if server else 'http://127.0.0.1:9292',
            server.blobs.url if server else 'http://127.0.0.1:1',
        )
        #: steps that another run of ours answered, set by the comparison
        self.elsewhere: set[int] = set()
        self._sleeps: list[Any] = []
        self._logs: list[dict[str, Any]] = []

    def let_readers_write(self) -> None:
        """As on the recorded servers, whose policies were the older ones."""
        for context in self.arguments.contexts.values():
            if getattr(context, 'roles', None) == ['reader']:
                context.__dict__['roles'] = ['member', 'reader']

    def run(self) -> dict[str, Any]:
        """The steps' outcomes."""
        try:
            with self._surroundings():
                steps = [self._step(step) for step in self.case['input']['steps']]
        finally:
            shutil.rmtree(self.root, ignore_errors=True)
        return {'steps': steps}

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        from legacy.deprecation import LegacyImageAPIWarning

        if self.server is not None:
            self.server.reset()
            self.server.record()
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter('ignore', LegacyImageAPIWarning)
            stack.enter_context(self._configured())
            stack.enter_context(mock.patch('random.shuffle', lambda servers, *rest: None))
            stack.enter_context(mock.patch('random.uniform', lambda least, most: least))
            stack.enter_context(mock.patch('time.sleep', lambda *args: self._sleeps.extend(args)))
            stack.enter_context(logged(self._logs.append))
            yield
        if self.server is not None:
            self.server.record(False)

    @contextlib.contextmanager
    def _configured(self) -> Iterator[None]:
        from oslo_config import cfg

        from nova_image import API, options

        conf = options.register(cfg.CONF)
        given = {
            'num_retries': 0 if self.case['release'] == '14.0.0' else 3,
            'api_servers': [self.arguments.glance_url],
            **self.case['input']['config'],
        }
        if self.frontend == 'service':
            given['use_glance_v1'] = False  # the default of release 14: its factories hand out the v2 class
        self._overridden = [('glance', name) for name in given]
        for name, value in given.items():
            conf.set_override(name, self.arguments.build(value), group='glance')
        if self.server is None:
            conf.set_override('driver', 'local', group='image')
            conf.set_override('local_path', os.path.join(self.root, 'store'), group='image')
            self._overridden += [('image', 'driver'), ('image', 'local_path')]
            if self.case['server'] == 'noauth':
                conf.set_override('auth_strategy', 'noauth', group='api')
                self._overridden.append(('api', 'auth_strategy'))
        try:
            yield
        finally:
            if self.server is None:
                API('local').driver.close()  # its files are open until then
            for group, name in self._overridden:
                conf.clear_override(name, group=group)

    def _step(self, step: dict[str, Any]) -> dict[str, Any]:
        self._sleeps.clear()
        self._logs.clear()
        if self.server is not None:
            self.server.exchanges(clear=True)
        seen: dict[str, Any] = {}
        try:
            seen['result'] = _OPERATIONS[step['op']](self, step, seen)
            if 'bind' in step:
                self.arguments.variables[step['bind']] = seen['result']
        except NotRun as missing:
            return {'not_run': str(missing)}
        except Exception as error:  # noqa: BLE001 - the answer of the step
            seen['exception'] = error
            self.arguments.variables.pop(str(step.get('bind')), None)
        seen['sleeps'], seen['logs'] = list(self._sleeps), list(self._logs)
        if self.server is not None:
            seen['requests'] = self.server.exchanges(clear=True)
        return seen

    # -- operations ---------------------------------------------------------------------------------

    def _bound(self, step: dict[str, Any], name: str) -> tuple[Callable[..., Any], list[Any]]:
        """The method of this front end, and its arguments after the context, in its words."""
        args = self.arguments.build(step.get('args', []))
        context = self.arguments.contexts[step['as']]
        target: Any
        if self.frontend == 'service':
            from legacy import glance

            if step.get('href'):
                target, args[0] = glance.get_remote_image_service(context, args[0])
            else:
                target = glance.GlanceImageServiceV2()
            name = {'get_all': 'detail', 'get': 'show'}.get(name, name)
        elif self.frontend == 'legacy-api':
            from legacy import glance

            target = glance.API()
        else:
            import nova_image

            target = nova_image.API()
        return getattr(target, name), [context, *args]

    def _call(self, name: str, step: dict[str, Any]) -> Any:
        method, args = self._bound(step, name)
        kwargs = self.arguments.build(step.get('kwargs', {}))
        if self.speaks_for != self.frontend:
            if self.speaks_for == 'api' and step['op'] == 'update':
                self._take_away(step, args, kwargs)
            bridge(self.speaks_for, step['op'], args, kwargs)
        return method(*args, **kwargs)

    def _take_away(self, step: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> None:
        """The new API's None, which the old one has no word for: what it does instead."""
        info: Any = args[2] if len(args) > 2 else None
        if taken_away(info) and not kwargs.get('purge_props'):
            read, given = self._bound({**step, 'args': step['args'][:1]}, 'get')
            stay = {**read(*given)['properties'], **info['properties']}
            info['properties'] = {name: value for name, value in stay.items() if name not in taken_away(info)}
            kwargs['purge_props'] = True

    def _download(self, step: dict[str, Any], seen: dict[str, Any]) -> Any:
        mode = step['mode']
        sink, path = io.BytesIO(), os.path.join(self.root, step.get('file', 'img'))
        targets: dict[str, Any] = {}
        if mode in ('sink', 'both'):
            targets['data'] = sink
        if mode in ('path', 'both', 'badpath'):
            word = 'dst_path' if self.frontend == 'service' else 'dest_path'
            targets[word] = os.path.join(self.root, 'no/such') if mode == 'badpath' else path
        try:
            method, args = self._bound(step, 'download')
            returned = method(*args, **targets)
            return {'returned': None} if returned is None else _read(returned)
        finally:
            if 'data' in targets:
                seen['sink_closed'] = sink.closed
                seen['sink'] = None if sink.closed else digest(sink.getvalue())
            if mode in ('path', 'both'):
                seen['file'] = _file(path)

    def _url(self, step: dict[str, Any], seen: dict[str, Any]) -> Any:
        (reference,) = self.arguments.build(step['args'])
        context = self.arguments.contexts[step['as']]
        from legacy import glance

        if self.frontend == 'api':
            import nova_image

            return nova_image.API().generate_image_url(reference, context)
        if self.case['release'] == '14.0.0':
            return glance.generate_image_url(reference)
        return glance.API().generate_image_url(reference, context)

    def _copy_to_store(self, step: dict[str, Any], seen: dict[str, Any]) -> Any:
        method, args = self._bound(step, 'copy_image_to_store')
        return method(*args)

    def _updater(self, step: dict[str, Any], seen: dict[str, Any]) -> Any:
        from legacy import glance

        context = self.arguments.contexts[step['as']]
        return glance.UpdateGlanceImage(context, *self.arguments.build(step['args'])).start()

    def _raw(self, step: dict[str, Any], seen: dict[str, Any]) -> Any:
        assert self.server is not None
        path = self.arguments.path(step['path'])
        headers = {'X-Auth-Token': step['token']}
        body = None
        if 'body' in step:
            body, headers['Content-Type'] = json.dumps(step['body']), 'application/json'
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(step['method'], path, body, headers)
            answer = connection.getresponse()
            answer.read()
        return {'status': answer.status}

    def _fault(self, step: dict[str, Any], seen: dict[str, Any]) -> None:
        assert self.server is not None
        self.server.inject(step['faults'])

    def _config(self, step: dict[str, Any], seen: dict[str, Any]) -> None:
        from oslo_config import cfg

        for name, value in step['set'].items():
            cfg.CONF.set_override(name, self.arguments.build(value), group='glance')
            self._overridden.append(('glance', name))

    def _stored(self, step: dict[str, Any]) -> Any:
        assert self.server is not None
        return self.server.stored_file(str(self.arguments.referred(step['image'])))

    def _corrupt(self, step: dict[str, Any], seen: dict[str, Any]) -> None:
        path = self._stored(step)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(bytes(content))

    def _pause(self, step: dict[str, Any], seen: dict[str, Any]) -> None:
        _really_sleep(step['seconds'])


_really_sleep = time.sleep

_OPERATIONS: dict[str, Callable[[Program, dict[str, Any], dict[str, Any]], Any]] = {
    'list': lambda program, step, seen: program._call('get_all', step),
    'get': lambda program, step, seen: program._call('get', step),
    'create': lambda program, step, seen: program._call('create', step),
    'update': lambda program, step, seen: program._call('update', step),
    'delete': lambda program, step, seen: program._call('delete', step),
    'download': Program._download,
    'url': Program._url,
    'updater': Program._updater,
    'copy_to_store': Program._copy_to_store,
    'raw': Program._raw,
    'fault': Program._fault,
    'config': Program._config,
    'corrupt': Program._corrupt,
    'truncate_store': lambda program, step, seen: program._stored(step).unlink(),
    'pause': Program._pause,
}


def _read(returned: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {'returned': 'iterator'}
    try:
        seen['len'] = len(returned)
    except Exception as error:  # noqa: BLE001 - recorded by name
        seen['len_error'] = type(error).__name__
    content = bytearray()
    seen['end'] = 'exhausted'
    try:
        for chunk in returned:
            content += chunk
    except Exception as error:  # noqa: BLE001 - whatever ends the iteration is the answer
        seen['end'] = {'$exc': error}
    seen['content'] = digest(bytes(content))
    return seen


def _file(path: str) -> dict[str, Any] | None:
    if not os.path.exists(path):
        return None
    with open(path, 'rb') as file:
        return digest(file.read())
