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
from urllib.parse import urlsplit

from oslo_config import cfg

from legacy.equivalence import real_clients
from legacy.equivalence.laws import LAWS, OF_ANY, Exchange
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
STYLES: Mapping[str, Call] = {
    'old': old_call, 'positional': positional_call, 'v2': v2_call, 'api': api_call, **real_clients.STYLES,
}  # fmt: skip


#: what oslo.config calls the group of the options without one
_OPTIONS: Mapping[str, str | None] = {'DEFAULT': None}


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
        conf.set_override(option, value, group=_OPTIONS.get(group, group))


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
            conf.clear_override(option, group=_OPTIONS.get(group, group))


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
    return side(style, values, who, addresses=(url.rpartition('/')[2],), **more)


def on_faulty(style: str, glance: FaultyGlance, other: FaultyGlance, **more: Any) -> Side:
    """A side on a Glance that fails on demand, emptied first; nobody waits between attempts.

    :param style: as for :func:`side`; ``plain`` is ``new`` without what must not matter (see ``troubles``)
    :param other: a second address of it, for configurations with two
    """
    from legacy.equivalence import troubles
    from nova_image.glance.servers import HEALTH
    from nova_image.testing import faults

    other.store, other.requests, other._faults = glance.store, glance.requests, glance._faults
    store, urls = glance.store, (glance.url, other.url)
    now: dict[str, Any] = {}

    def arm(fault: Mapping[str, Any]) -> None:
        given = dict(fault)
        kind = given.pop('kind')
        if kind == 'zoneless':
            for record in store.records.values():
                record.update({name: record[name].rstrip('Z') for name in ('created_at', 'updated_at')})
        elif kind == 'copying':
            for record in store.records.values():
                record['os_glance_importing_to_stores'] = 'fast'
        else:
            glance.inject(getattr(faults, kind)(**given))

    def asked(configuration: Mapping[str, Any]) -> Side:
        now.clear()
        now.update(troubles.options_of(configuration, urls))
        store.hashes = tuple(configuration.get('hashes', ('sha512', 'md5')))
        glance.requests.clear()
        HEALTH.forget()
        return side('new' if style == 'plain' else style, dict(now))

    def configure(configuration: Mapping[str, Any]) -> None:
        again = asked(configuration)
        made.call, made.around = again.call, again.around

    def look() -> Exchange:
        return Exchange(dict(store.records), dict(store.contents), tuple(glance.requests), now['image__no_hash'])

    def stored() -> list[dict[str, Any]]:
        members = {image_id: {'members': list(names)} for image_id, names in store.members.items()}
        return [
            {**record, **members.get(image_id, {}), 'bytes': store.contents.get(image_id)}
            for image_id, record in store.records.items()
        ]

    glance.forget()
    for held in (store.records, store.contents, store.members):
        held.clear()
    base = asked({})
    made = Side(
        base.contexts, base.call, stored, around=base.around, arm=arm, configure=configure, look=look, hurried=True,
        laws=OF_ANY if style in real_clients.STYLES else LAWS,
        addresses=(urlsplit(glance.url).netloc, urlsplit(other.url).netloc),
        fit=troubles.plain if style == 'plain' else lambda step: step, **more,
    )  # fmt: skip
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
