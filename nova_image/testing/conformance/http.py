# SPDX-License-Identifier: Apache-2.0
"""Conformance of drivers that speak image API v2 over HTTP: what they do when the server, or the way to it, is bad.

A class of its own beside :class:`DriverConformance`; its author says how a driver is made from options::

    class TestMineOverHTTP(HTTPConformance):
        @pytest.fixture
        def make_driver(self):
            return MyDriver

The options given are those of ``[glance]``, ``[image]`` and ``[api]`` that every release of this package has. The server
is :class:`nova_image.testing.faulty.FaultyGlance`, and limits that are waited for are tenths of a second.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nova_image import API, ImageDriver
from nova_image.testing.configuration import make_conf
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase, to_override
from nova_image.testing.contexts import Context
from nova_image.testing.faulty import FaultyGlance

TOKEN = 'the-token-of-the-caller'
ApiAt = Callable[..., API]
#: A call for each kind of request.
CALLS = {
    'GET images': lambda api, member, image: api.get_all(member),
    'GET image': lambda api, member, image: api.get(member, image),
    'PATCH image': lambda api, member, image: api.update(member, image, {'name': 'two'}),
    'DELETE image': lambda api, member, image: api.delete(member, image),
    'POST images': lambda api, member, image: api.create(member, dict(RAW)),
    'GET file': lambda api, member, image: api.download(member, image, io.BytesIO()),
    'PUT file': lambda api, member, image: api.create(member, dict(RAW), CONTENT),
}


@dataclass
class Caller(Context):
    """Somebody with a token, and perhaps with a request id that other services know (C-308)."""

    user_id: str | None = 'user'
    project_id: str | None = 'project'
    auth_token: str | None = TOKEN
    roles: tuple[str, ...] = ('member',)
    global_id: str | None = None


class HTTPBase(ConformanceBase):
    """Fixtures. A driver's author overrides ``make_driver``."""

    @pytest.fixture
    def make_driver(self) -> Callable[[Any], ImageDriver]:
        """A function that makes the driver under test from a ``ConfigOpts``."""
        raise to_override(self, 'make_driver', 'with one that returns a function from options to a driver, like its class')

    @pytest.fixture
    def api_at(self, make_driver: Callable[[Any], ImageDriver]) -> ApiAt:
        """Give an API over a driver for these servers: ``api_at(*servers, **options)``; pauses are short."""

        def at(*servers: FaultyGlance | str, **options: Any) -> API:
            urls = [each if isinstance(each, str) else each.url for each in servers]
            settings = {'image__longest_pause': 0.01, 'glance__num_retries': 1, **options}
            if urls:
                settings['glance__api_servers'] = urls
            conf = make_conf(**settings)
            return API(make_driver(conf), conf=conf)

        return at

    @pytest.fixture
    def glance(self) -> Iterator[FaultyGlance]:
        """The server."""
        with FaultyGlance() as server:
            yield server

    @pytest.fixture
    def member(self) -> Context:
        """The caller."""
        return Caller()
