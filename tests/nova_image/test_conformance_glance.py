# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on the Glance driver over a real Glance: without authentication, with Keystone."""

from __future__ import annotations

import contextlib
import dataclasses
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import signing_kit

from nova_image import API, ImageDriver, errors
from nova_image.glance.driver import GlanceDriver
from nova_image.testing.blobs import BlobServer
from nova_image.testing.configuration import glance_conf
from nova_image.testing.conformance import (
    DamageConformance,
    DriverConformance,
    InUseConformance,
    LocationConformance,
    StoreConformance,
    TenantConformance,
)
from nova_image.testing.conformance.base import CONTENT, RAW, content_of
from nova_image.testing.contexts import Context, ImageContexts, tokenless_context
from nova_image.testing.servers import GlanceServer, KeystoneServer

pytestmark = pytest.mark.glance


class GlanceConformance(DriverConformance, DamageConformance, StoreConformance, InUseConformance):
    """What holds however callers are told apart; ``server`` says which Glance."""

    @pytest.fixture
    def driver(self, server: GlanceServer) -> ImageDriver:
        server.reset()
        return GlanceDriver(glance_conf(server))

    @pytest.fixture
    def signed(self) -> Iterator[Callable[[bytes], dict[str, str]]]:
        with signing_kit.signer() as sign:
            yield sign

    @pytest.fixture
    def in_use(self, server: GlanceServer) -> Callable[[str], AbstractContextManager[None]]:
        """What Glance answers where its store keeps the bytes: the file store keeps none."""

        @contextlib.contextmanager
        def used(image_id: str) -> Iterator[None]:
            fault = {'status': '409 Conflict', 'body': 'in use', 'type': 'text/plain', 'method': 'DELETE'}
            server.inject([{**fault, 'contains': image_id}])
            yield

        return used

    @pytest.fixture
    def damage(self, server: GlanceServer) -> Callable[[str], None]:
        def flip(image_id: str) -> None:
            path = server.stored_file(image_id)
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 0xFF
            path.write_bytes(content)

        return flip


class TestGlanceWithoutAuthentication(GlanceConformance):
    """Without locations: that call of Glance needs an authenticated caller, and answers 500 to others."""

    @pytest.fixture
    def server(self, glance_server: GlanceServer) -> GlanceServer:
        return glance_server

    @pytest.fixture
    def member(self) -> Context:
        return tokenless_context()


class TestGlanceWithKeystone(TenantConformance, LocationConformance, GlanceConformance):
    @pytest.fixture
    def server(self, glance_keystone: GlanceServer) -> GlanceServer:
        return glance_keystone

    @pytest.fixture
    def contexts(self, keystone_server: KeystoneServer) -> ImageContexts:
        return keystone_server.contexts()

    @pytest.fixture
    def location_url(self, server: GlanceServer) -> str:
        return f'{server.blobs.url}/blob'

    @pytest.fixture
    def location_content(self) -> bytes:
        return BlobServer.CONTENT

    @pytest.mark.contract('C-136')
    def test_a_deactivated_image_is_not_given_out(
        self, api: API, server: GlanceServer, member: Context, admin: Context
    ) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        request = urllib.request.Request(
            f'{server.url}/v2/images/{image["id"]}/actions/deactivate',
            method='POST',
            headers={'X-Auth-Token': admin.auth_token or ''},
        )
        urllib.request.urlopen(request).close()
        assert api.get(member, image['id'])['status'] == 'deactivated'
        with pytest.raises(errors.ImageNotAuthorized):
            api.download(member, image['id'])
        assert content_of(api, admin, image) == CONTENT

    @pytest.mark.contract('C-185', 'C-188', 'C-236')
    def test_a_token_that_is_not_valid_is_refused_by_every_operation(self, api: API, member: Context) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        other = dataclasses.replace(member, auth_token='not a token')
        with pytest.raises(errors.Forbidden):
            api.get_all(other)
        with pytest.raises(errors.Forbidden):
            api.create(other, {})
        for attempt in (api.get, api.download):
            with pytest.raises(errors.ImageNotAuthorized):
                attempt(other, image['id'])
        with pytest.raises(errors.ImageNotAuthorized):
            api.update(other, image['id'], {'name': 'two'})
        with pytest.raises(errors.NovaException):
            api.delete(other, image['id'])
        assert api.get(member, image['id']) == image
