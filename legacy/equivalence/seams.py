# SPDX-License-Identifier: Apache-2.0
"""The faked surroundings of a boundary case: client, clock, shuffle, files, logs, plug-ins, options.

Each fake stands exactly where the recordings' fakes stood (``golden/FORMAT.md`` section 2), so that what
crosses the boundary is seen in order. Nothing of the package under test is replaced.
"""

from __future__ import annotations

import contextlib
import random
import time
import types
import warnings
from collections.abc import Iterator
from typing import Any
from unittest import mock

import glanceclient

from legacy.equivalence import signing
from legacy.equivalence.decode import Source, World
from legacy.equivalence.files import Files
from legacy.equivalence.logged import logged
from legacy.equivalence.plugins import Plugins


class PastTheEnd(Exception):
    """The code called the backend more often than the script has outcomes."""


class Backend:
    """The client at its constructor and at its controllers, answering from the script."""

    def __init__(self, world: World, given: dict[str, Any]) -> None:
        self._world = world
        self._outcomes: list[dict[str, Any]] = list(given.get('backend', ()))
        self._starts: dict[str, int] = {}
        self._constructions: list[dict[str, Any]] = list(given.get('clients', ()))

    @property
    def left(self) -> int:
        """Outcomes that nobody asked for."""
        return len(self._outcomes)

    def construct(self, version: Any = None, endpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Stands for ``glanceclient.Client``."""
        world = self._world
        client = _Client(self, len(world.clients))
        world.clients.append(client)
        world.event(
            'client',
            client=client.number,
            version=world.encode(version),
            endpoint=world.encode(endpoint),
            kwargs=world.encode(kwargs),
        )
        if self._constructions:
            outcome = self._constructions.pop(0)
            if 'raise' in outcome:
                raise world.decode(outcome['raise'])
        return client

    def call(self, number: int, controller: str, method: str, args: Any, kwargs: Any) -> Any:
        """One method of one controller of client ``number``."""
        world = self._world
        named = {} if controller == 'images' else {'controller': controller}
        world.event(
            'call',
            client=number,
            method=method,
            args=world.encode(list(args)),
            kwargs=world.encode(dict(kwargs)),
            **named,
        )
        if method == 'list' and isinstance(kwargs.get('filters'), dict):
            kwargs['filters'].clear()  # today's client takes out what it has read (C-061)
        if not self._outcomes:
            raise PastTheEnd(method)
        outcome = self._outcomes.pop(0)
        self._read_bodies([*args, *kwargs.values()], failing='raise' in outcome)
        if 'raise' in outcome:
            raise world.decode(outcome['raise'])
        if 'gen' in outcome:
            return self._generate(outcome['gen'])
        return world.decode(outcome['return'])

    def _read_bodies(self, given: list[Any], *, failing: bool) -> None:
        """A client that fails has read what it was to send, and whoever asks again has to put it back (C-059)."""
        for body in given:
            if isinstance(body, Source):
                start = self._starts.setdefault(body.source_name, body.tell())
                if body.tell() != start:
                    self._world.event('only the rest is sent', of=body.source_name)
                if failing:
                    body.read()

    def _generate(self, items: list[Any]) -> Iterator[Any]:
        for item in items:
            if isinstance(item, dict) and set(item) == {'raise'}:
                raise self._world.decode(item['raise'])
            yield self._world.decode(item)


class _Client:
    def __init__(self, backend: Backend, number: int) -> None:
        self.number = number
        self.images = _Controller(backend, number, 'images')
        self.schemas = _Controller(backend, number, 'schemas')
        self.image_members = _Controller(backend, number, 'image_members')


_METHODS = {
    'images': ('list', 'get', 'data', 'create', 'update', 'delete', 'upload', 'add_location'),
    'schemas': ('get',),
    'image_members': ('create',),
}


class _Controller:
    def __init__(self, backend: Backend, number: int, name: str) -> None:
        self._backend, self._number, self._name = backend, number, name

    def __getattr__(self, method: str) -> Any:
        if method not in _METHODS[self._name]:
            raise AttributeError(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._backend.call(self._number, self._name, method, args, kwargs)

        return call


def _logs(world: World) -> contextlib.AbstractContextManager[None]:
    """Log records as events."""

    def note(entry: dict[str, Any]) -> None:
        if entry['exc'] is None:
            del entry['exc']
        world.event('log', **{**entry, 'message': world.text(entry['message'])})

    return logged(note)


def _shuffler(world: World, how: Any) -> Any:
    def shuffle(servers: list[Any], *args: Any) -> None:
        world.event('shuffle', n=len(servers))
        if how == 'reverse':
            servers.reverse()
        elif how == 'rotate':
            servers[:] = servers[1:] + servers[:1]
        elif isinstance(how, list):
            servers[:] = [servers[place] for place in how]

    return shuffle


#: What the recordings assumed where a case sets nothing, as far as ours differs.
_DEFAULTS: dict[str, dict[str, Any]] = {
    '2014.1': {
        'my_ip': '192.0.2.10',
        'glance_host': '$my_ip',
        'glance_num_retries': 0,
        'auth_strategy': 'noauth',
    },
    '14.0.0': {'my_ip': '192.0.2.10', 'glance.num_retries': 0, 'auth_strategy': 'noauth'},
}


@contextlib.contextmanager
def configured(release: str, given: dict[str, Any]) -> Iterator[None]:
    """The options of the process, as the case wants them."""
    from oslo_config import cfg

    from legacy.download import file as download_file
    from nova_image import options

    conf = options.register(cfg.CONF)
    done: list[tuple[str, str | None]] = []
    try:
        for name, value in {**_DEFAULTS[release], **given}.items():
            prefix, _, option = name.rpartition('.')
            group = prefix or None
            if prefix.startswith('image_file_url:'):
                download_file.register_filesystem(conf, prefix)
            conf.set_override(option, value, group=group)
            done.append((option, group))
        yield
    finally:
        for option, group in done:
            conf.clear_override(option, group=group)


class Traps(types.SimpleNamespace):
    """What a runner asks after the steps."""

    files: Files
    backend: Backend


@contextlib.contextmanager
def installed(world: World, given: dict[str, Any], *, client: bool = True) -> Iterator[Traps]:
    """Everything faked for one case; undone afterwards.

    :param client: fake the old client too; False where something below it is faked
    """
    from legacy.deprecation import LegacyImageAPIWarning

    backend, files = Backend(world, given), Files(world, given)
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter('ignore', LegacyImageAPIWarning)
        stack.enter_context(configured(world.release, world.decode(given.get('config', {}))))
        if client:
            stack.enter_context(mock.patch.object(glanceclient, 'Client', backend.construct))
        stack.enter_context(
            mock.patch.object(time, 'sleep', lambda *args: world.event('sleep', args=list(args)))
        )
        shuffle = _shuffler(world, given.get('shuffle', 'keep'))
        stack.enter_context(mock.patch.object(random, 'shuffle', shuffle))
        stack.enter_context(files.installed())
        stack.enter_context(Plugins(world, given).installed())
        stack.enter_context(signing.installed(world, given))
        stack.enter_context(_logs(world))
        yield Traps(files=files, backend=backend)
