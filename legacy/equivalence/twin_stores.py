# SPDX-License-Identifier: Apache-2.0
"""Stores to run twin programs on, and the sides that stand on them.

A side is named ``STYLE@STORE`` (``old@local``, ``new@glance``): the style says how a call is made (``STYLES``), the
store where it goes. Also the callers of programs, as contexts of each kind of store.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from legacy.equivalence.programs import Program, callers
from legacy.equivalence.prove_stores import everything
from legacy.equivalence.twin import Run, Side
from legacy.equivalence.twin_calls import Call, api_call, new_call, old_call, positional_call, v2_call
from nova_image import API, options
from nova_image.testing.contexts import context_of
from nova_image.testing.tenants_filter import IDENTITIES

if TYPE_CHECKING:
    from nova_image.testing.faulty import FaultyGlance

#: calling styles over the old module; ``new`` is the API itself
STYLES: Mapping[str, Call] = {'old': old_call, 'positional': positional_call, 'v2': v2_call, 'api': api_call}


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


def known_contexts() -> dict[str, Any]:
    """The callers with tokens that the Glance of mode ``tenants`` knows.

    Nobody who may only read: that mode has the old policies, by which members and readers are the same.
    """
    users = {'ann': 'alice', 'bob': 'bob', 'root': 'admin', 'nobody': 'anna', 'guest': 'bob'}
    return {name: context_of(IDENTITIES[user]) for name, user in users.items()}


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
        auth_token='tok-admin', is_admin=True, project_id='project-admin', user_id='admin', roles=['admin'],
    )  # fmt: skip
    return everything(name, conf, context)


def side(
    style: str,
    values: Mapping[str, Any],
    who: Mapping[str, Any] | None = None,
    *,
    call: Callable[[API], Call] = new_call,
    **more: Any,
) -> Side:
    """A side on the store that these options lead to.

    :param style: ``new`` or one of ``STYLES``
    :param values: options, as for :func:`settings`
    :param call: how calls are rewritten
    """
    conf = settings(**values)
    name = values['image__driver']
    given = {'restrict': True, **more}
    if style == 'new':
        made = call(API(conf=conf))
    else:
        made = STYLES[style]
        given.setdefault('around', functools.partial(process_settings, **values))
    return Side(who or contexts(), made, lambda: stored(conf, name), **given)


@contextlib.contextmanager
def on_local(style: str, auth_strategy: str = 'keystone', who: Any = None, **more: Any) -> Iterator[Side]:
    """A side on a fresh local store."""
    with tempfile.TemporaryDirectory() as path:
        place = str(Path(path) / 'store')
        values = {'image__driver': 'local', 'image__local_path': place, 'api__auth_strategy': auth_strategy}
        try:
            yield side(style, values, who, places=(path,), **more)
        finally:
            API('local', conf=settings(**values)).driver.close()


def on_glance(style: str, url: str, auth_strategy: str = 'noauth', who: Any = None, **more: Any) -> Side:
    """A side on a Glance; nothing is emptied here."""
    values = {'image__driver': 'glance', 'glance__api_servers': [url], 'api__auth_strategy': auth_strategy}
    return side(style, values, who, address=url.rpartition('/')[2], **more)


def on_faulty(style: str, glance: FaultyGlance, **more: Any) -> Side:
    """A side on a Glance that fails on demand, emptied first; failures are tried again once, without waiting."""
    from nova_image.testing import faults

    def arm(fault: Mapping[str, Any]) -> None:
        given = dict(fault)
        glance.inject(getattr(faults, given.pop('kind'))(**given))

    glance.forget()
    glance.store.records.clear()
    glance.store.contents.clear()
    values = {
        'image__driver': 'glance', 'glance__api_servers': [glance.url], 'api__auth_strategy': 'noauth',
        'glance__num_retries': 1, 'image__first_byte_timeout': 5,
    }  # fmt: skip
    made = side(style, values, arm=arm, address=f'127.0.0.1:{glance.port}', **more)

    def look() -> list[dict[str, Any]]:
        glance.forget()
        return stored(settings(**values), 'glance')

    made.stored = look
    return made


def old_on_local(program: Program, auth_strategy: str = 'keystone') -> Run:
    """Run a program through the old module on a fresh local store."""
    with on_local('old', auth_strategy) as made:
        return made.run(program)


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
    with on_local('new', auth_strategy, who, call=call, restrict=restrict) as made:
        return made.run(program)


def old_on_glance(program: Program, url: str, auth_strategy: str = 'noauth') -> Run:
    """Run a program through the old module on an empty Glance."""
    return on_glance('old', url, auth_strategy).run(program)


def new_on_glance(
    program: Program,
    url: str,
    auth_strategy: str = 'noauth',
    who: Mapping[str, Any] | None = None,
    *,
    restrict: bool = True,
) -> Run:
    """Run a program through the new API on an empty Glance."""
    return on_glance('new', url, auth_strategy, who, restrict=restrict).run(program)
