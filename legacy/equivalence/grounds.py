# SPDX-License-Identifier: Apache-2.0
"""What the sides of a twin machine stand on: servers by the names of their stores, and both sides at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Self

from legacy.equivalence import twin_stores
from legacy.equivalence.twin import Session, Side
from legacy.equivalence.twin_pairs import across, store_of

#: what may stand behind the @ of a side
STORES = ('local', 'local-noauth', 'faulty', 'glance', 'tenants')


class Grounds:
    """The servers that sides stand on; started when first needed, stopped at the end of the ``with`` block.

    :param glance: a running Glance without authentication, ``tenants``: one of that mode; else they are started
    """

    def __init__(self, glance: Any = None, tenants: Any = None) -> None:
        self._stack = contextlib.ExitStack()
        self._servers: dict[tuple[str, int], Any] = {}
        for name, server in (('glance', glance), ('tenants', tenants)):
            if server is not None:
                self._servers[name, 0] = server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _server(self, store: str, number: int) -> Any:
        if (store, number) not in self._servers:
            if store == 'faulty':
                from nova_image.testing.faulty import FaultyGlance

                made: Any = FaultyGlance()
            else:
                from nova_image.testing.servers import GlanceServer

                made = GlanceServer('noauth' if store == 'glance' else 'tenants')
            self._servers[store, number] = self._stack.enter_context(made)
        return self._servers[store, number]

    @contextlib.contextmanager
    def side(self, name: str, number: int, *, known: bool, **more: Any) -> Iterator[Side]:
        """The side of that name on an empty store.

        :param number: 0 or 1; sides of one pair do not share a server
        :param known: callers are those that a Glance with projects knows
        """
        style, store = _parts(name)
        who = twin_stores.known_contexts() if known else None
        if store in ('local', 'local-noauth'):
            auth = 'keystone' if store == 'local' else 'noauth'
            with twin_stores.on_local(style, auth, who, **more) as made:
                yield made
            return
        server = self._server(store, number)
        if store == 'faulty':
            yield twin_stores.on_faulty(style, server, self._server(store, number + 2), **more)
            return
        server.reset()
        yield twin_stores.on_glance(style, server.url, 'noauth' if store == 'glance' else 'keystone', who, **more)


def _parts(name: str) -> tuple[str, str]:
    """Style and store of a side. A slip in a name must not pass for a side that behaves otherwise."""
    style, _, store = name.partition('@')
    styles = ('new', *twin_stores.STYLES, *(('plain',) if store == 'faulty' else ()))
    for what, part, known in (('store', store, STORES), ('style', style, styles)):
        if part not in known:
            raise ValueError(f'{name!r} is no side STYLE@STORE: no {what} {part!r}; there are {", ".join(known)}')
    return style, store


@contextlib.contextmanager
def twins(left: str, right: str, grounds: Grounds) -> Iterator[tuple[Session, Session]]:
    """Both sides, on empty stores, with a program under way on each.

    :raises ValueError: a name is none, or no two sides that can be compared
    """
    if 'faulty' in (_parts(left)[1], _parts(right)[1]) and across(left, right):
        raise ValueError(f'{left} and {right} cannot be compared: only one of them fails on demand')
    with contextlib.ExitStack() as stack:
        known = 'tenants' in (store_of(left), store_of(right))
        restrict = not across(left, right)

        def session(name: str, number: int) -> Session:
            side = stack.enter_context(grounds.side(name, number, known=known, restrict=restrict))
            return stack.enter_context(side.session())

        yield session(left, 0), session(right, 1)
