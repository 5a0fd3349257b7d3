# SPDX-License-Identifier: Apache-2.0
"""Fixtures for pytest: real servers, a local store, callers.

Loaded by entry point in every pytest run of an environment that has nova-image, so importing it must
cost next to nothing; whatever a fixture needs is imported when it is used. A fixture whose packages are
missing fails and says what to install; it never skips.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import pytest

if TYPE_CHECKING:
    from oslo_config import cfg

    from nova_image import API
    from nova_image.testing.contexts import ImageContexts
    from nova_image.testing.running import RunningServer
    from nova_image.testing.servers import GlanceServer, KeystoneServer

Server = TypeVar('Server', bound='RunningServer')

pytest.register_assert_rewrite('nova_image.testing.conformance')

MARKERS = (
    'contract(*numbers): the statements of behaviour this test stands for',
    'glance: needs a real Glance (and Keystone), started from the glance extra',
    'slow: a sweep that runs in an environment of its own',
)


class LocalStore(NamedTuple):
    """An empty store of the local driver."""

    path: Path
    conf: cfg.ConfigOpts
    api: API


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of this package's tests and of the conformance suite."""
    for marker in MARKERS:
        config.addinivalue_line('markers', marker)


def _running(server: Server) -> Iterator[Server]:
    from nova_image.testing.servers import ServerError

    try:
        server.start()
    except ServerError as exc:
        pytest.fail(str(exc), pytrace=False)
    try:
        yield server
    finally:
        server.stop()


def _glance(mode: str, keystone: KeystoneServer | None = None) -> Iterator[GlanceServer]:
    from nova_image.testing.servers import GlanceServer

    yield from _running(GlanceServer(mode, keystone=keystone))  # type: ignore[arg-type]


@pytest.fixture(scope='session')
def glance_server() -> Iterator[GlanceServer]:
    """A real Glance without authentication, shared by the run; call ``reset()`` to begin with an empty one."""
    yield from _glance('noauth')


@pytest.fixture(scope='session')
def glance_tenants() -> Iterator[GlanceServer]:
    """A real Glance that knows the tokens of ``image_contexts``, shared by the run."""
    yield from _glance('tenants')


@pytest.fixture(scope='session')
def keystone_server() -> Iterator[KeystoneServer]:
    """A real Keystone with two projects and an administrator, shared by the run."""
    from nova_image.testing.servers import KeystoneServer

    yield from _running(KeystoneServer())


@pytest.fixture(scope='session')
def glance_keystone(keystone_server: KeystoneServer) -> Iterator[GlanceServer]:
    """A real Glance in the catalogue of ``keystone_server``, shared by the run."""
    yield from _glance('keystone', keystone_server)


@pytest.fixture
def local_store(tmp_path: Path) -> LocalStore:
    """An empty local store, its options, and an API over it."""
    from nova_image import API
    from nova_image.testing.configuration import local_conf

    path = tmp_path / 'image-store'
    conf = local_conf(path)
    return LocalStore(path, conf, API(conf=conf))


@pytest.fixture
def image_contexts() -> ImageContexts:
    """A member, a teammate, a stranger and an administrator, with tokens that ``glance_tenants`` knows."""
    from nova_image.testing.contexts import tenant_contexts

    return tenant_contexts()
