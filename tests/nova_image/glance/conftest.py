# SPDX-License-Identifier: Apache-2.0
"""Scripted servers, drivers that talk to them, and pauses that are not taken."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from oslo_config import cfg
from scripted_server import Answer, Request, Server

from nova_image import options
from nova_image.glance import retries, servers, session
from nova_image.glance.driver import GlanceDriver


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(answer: Callable[[Request], Answer] | None = None) -> Server:
        started.append(Server(answer))
        return started[-1]

    yield start
    session.close_all()
    for server in started:
        server.stop()


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    return start_server()


@pytest.fixture
def dead_url() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(('127.0.0.1', 0))
        yield f'http://127.0.0.1:{reserved.getsockname()[1]}'


@pytest.fixture
def make_driver() -> Iterator[Callable[..., GlanceDriver]]:
    """A driver with these options; ``[glance]`` ones by plain name, ``[image]`` ones too."""

    def make(*urls: str, endpoint: str | None = None, **values: Any) -> GlanceDriver:
        conf = cfg.ConfigOpts()
        conf([], project='nova-image-tests', default_config_files=[])
        options.register(conf)
        if urls:
            conf.set_override('api_servers', list(urls), group='glance')
        for name, value in values.items():
            group = 'api' if name == 'auth_strategy' else ('image' if name in conf.image else 'glance')
            conf.set_override(name, value, group=group)
        return GlanceDriver(conf, endpoint=endpoint)

    yield make
    session.close_all()


@pytest.fixture(autouse=True)
def forget_failures() -> Iterator[None]:
    servers.HEALTH.forget()
    yield
    servers.HEALTH.forget()


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts, not taken."""
    taken: list[float] = []

    class Clock:
        monotonic = staticmethod(retries.time.monotonic)
        sleep = staticmethod(taken.append)

    monkeypatch.setattr(retries, 'time', Clock)
    return taken
