# SPDX-License-Identifier: Apache-2.0
"""Stores to run twin programs on: fresh directories, and a real Glance that is emptied in between.

Also the callers of programs, as contexts of each kind of store.
"""

from __future__ import annotations

import contextlib
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from oslo_config import cfg

from legacy.equivalence.programs import Program, callers
from legacy.equivalence.prove_stores import everything
from legacy.equivalence.twin import Call, Run, Side, new_call, old_call
from nova_image import API, options


def contexts() -> dict[str, Any]:
    """The callers of programs for a store that takes a context at its word: ``nobody`` and ``guest`` have no token."""
    who = {
        'ann': ('p-one', 'tok-ann', False),
        'bob': ('p-two', 'tok-bob', False),
        'root': ('p-root', 'tok-root', True),
        'nobody': ('p-one', None, False),
        'guest': (None, None, False),
    }
    assert set(who) == set(callers())
    return {
        name: types.SimpleNamespace(
            user_id=f'u-{name}', project_id=project, auth_token=token, is_admin=admin,
            roles=['admin'] if admin else ['member'], service_catalog=[],
        )
        for name, (project, token, admin) in who.items()
    }  # fmt: skip


def settings(**values: Any) -> cfg.ConfigOpts:
    """Options of their own, with some set: ``group__name=value``."""
    conf = cfg.ConfigOpts()
    conf([], project='nova-image-twin', default_config_files=[], default_config_dirs=[])
    options.register(conf)
    _set(conf, values)
    return conf


def _set(conf: cfg.ConfigOpts, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        group, _, option = name.partition('__')
        conf.set_override(option, value, group=group)


@contextlib.contextmanager
def process_settings(**values: Any) -> Iterator[None]:
    """The process's own options, with some set for a while; that is where the old module reads them."""
    conf = options.register(None)
    _set(conf, values)
    try:
        yield
    finally:
        for name in values:
            group, _, option = name.partition('__')
            conf.clear_override(option, group=group)


def stored(conf: cfg.ConfigOpts, name: str) -> list[dict[str, Any]]:
    """All records of a store, as an administrator sees them."""
    context = types.SimpleNamespace(
        auth_token='tok-admin',
        is_admin=True,
        project_id='project-admin',
        user_id='admin',
        roles=['admin'],
    )
    return everything(name, conf, context)


def old_on_local(program: Program, auth_strategy: str = 'keystone') -> Run:
    """Run a program through the old module on a fresh local store."""
    with _directory() as path:
        values = {
            'image__driver': 'local', 'image__local_path': path, 'api__auth_strategy': auth_strategy,
        }  # fmt: skip
        with process_settings(**values):
            conf = settings(**values)
            return Side(contexts(), old_call, lambda: stored(conf, 'local')).run(program)


def new_on_local(
    program: Program,
    auth_strategy: str = 'keystone',
    who: Mapping[str, Any] | None = None,
    call: Callable[[API], Call] = new_call,
    *,
    restrict: bool = True,
) -> Run:
    """Run a program through the new API on a fresh local store.

    :param call: how calls are rewritten
    """
    with _directory() as path:
        conf = settings(image__local_path=path, api__auth_strategy=auth_strategy)
        api = API('local', conf=conf)
        side = Side(who or contexts(), call(api), lambda: stored(conf, 'local'), restrict=restrict)
        try:
            return side.run(program)
        finally:
            api.driver.close()


def old_on_glance(program: Program, url: str, auth_strategy: str = 'noauth') -> Run:
    """Run a program through the old module on an empty Glance."""
    values = {
        'image__driver': 'glance', 'glance__api_servers': [url], 'api__auth_strategy': auth_strategy,
    }  # fmt: skip
    conf = settings(**values)
    with process_settings(**values):
        return Side(contexts(), old_call, lambda: stored(conf, 'glance')).run(program)


def new_on_glance(
    program: Program,
    url: str,
    auth_strategy: str = 'noauth',
    who: Mapping[str, Any] | None = None,
    *,
    restrict: bool = True,
) -> Run:
    """Run a program through the new API on an empty Glance."""
    conf = settings(glance__api_servers=[url], api__auth_strategy=auth_strategy)
    api = API('glance', conf=conf)
    side = Side(who or contexts(), new_call(api), lambda: stored(conf, 'glance'), restrict=restrict)
    return side.run(program)


@contextlib.contextmanager
def _directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix='nova-image-twin-') as path:
        yield str(Path(path) / 'store')
