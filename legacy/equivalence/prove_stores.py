# SPDX-License-Identifier: Apache-2.0
"""The stores that ``prove`` runs COMMAND on: fresh for each side, and what is in one afterwards."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator, Mapping
from typing import Any

from oslo_config import cfg

from legacy.equivalence.prove_run import Side
from legacy.equivalence.prove_tree import CannotProve
from nova_image import driver as drivers
from nova_image import options

#: Whoever looks at a store afterwards: no token, so nobody's view is narrower.
_NOBODY = types.SimpleNamespace(
    auth_token=None, is_admin=True, project_id=None, user_id=None, roles=['admin']
)
#: Together these lists show an administrator every image, whoever else may see it.
_VIEWS: tuple[dict[str, str], ...] = (
    {},
    {'visibility': 'community'},
    {'os_hidden': 'true'},
    {'os_hidden': 'true', 'visibility': 'community'},
)


class Stores:
    """Stores of one kind. ``settings``: environment variables that lead COMMAND to them."""

    driver = 'local'
    settings: Mapping[str, str] = {}

    def fresh(self, side: Side) -> None:
        """Make an empty store for a side; the local one is a directory that is not there yet."""

    def contents(self, side: Side) -> list[dict[str, Any]]:
        """Records of all images of the side's store, oldest first; hashes tell the bytes."""
        if not side.store.exists():
            return []
        return _contents(self.driver, 'image', 'local_path', str(side.store))


class GlanceStores(Stores):
    """One throw-away Glance without authentication, emptied between the sides."""

    driver = 'glance'

    def __init__(self, server: Any) -> None:
        self._server = server
        self.settings = {
            'NOVA_IMAGE_API_SERVERS': server.url,
            'NOVA_IMAGE_AUTH_STRATEGY': 'noauth',
        }

    def fresh(self, side: Side) -> None:
        self._server.reset()

    def contents(self, side: Side) -> list[dict[str, Any]]:
        return _contents(self.driver, 'glance', 'api_servers', [self._server.url])


@contextlib.contextmanager
def stores(driver: str) -> Iterator[Stores]:
    """The stores for a driver.

    :raises CannotProve: a real Glance is asked for and cannot be started
    """
    if driver == 'local':
        yield Stores()
        return
    try:
        from nova_image.testing.servers import GlanceServer, ServerError
    except ImportError as error:
        raise CannotProve(
            f"--driver glance needs {error.name}; install it with: pip install 'nova-image[glance]'"
        ) from error
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(GlanceServer('noauth'))
        except ServerError as error:
            raise CannotProve(f'cannot start a Glance: {" ".join(str(error).split())}') from error
        yield GlanceStores(server)


def _contents(driver: str, group: str, option: str, value: Any) -> list[dict[str, Any]]:
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    options.register(conf)
    conf.set_override(option, value, group=group)
    conf.set_override('auth_strategy', 'noauth', group='api')
    return everything(driver, conf, _NOBODY)


def everything(driver: str, conf: cfg.ConfigOpts, admin: Any) -> list[dict[str, Any]]:
    """All records of a store, by time and name."""
    made = drivers.load(driver)(conf)
    try:
        found = {each['id']: each for view in _VIEWS for each in made.list(admin, filters=view)}
    finally:
        made.close()
    return sorted(found.values(), key=lambda each: (each['created_at'], each['name'] or ''))
