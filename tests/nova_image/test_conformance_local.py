# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on the local driver: with callers of several projects, and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import signing_kit

from nova_image import API, ImageDriver, errors
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf
from nova_image.testing.conformance import (
    DamageConformance,
    DriverConformance,
    StoreConformance,
    TenantConformance,
    WithoutInUse,
    WithoutLocations,
)
from nova_image.testing.conformance.base import CONTENT, RAW
from nova_image.testing.contexts import (
    Context,
    ImageContexts,
    tenant_contexts,
    tokenless_context,
)


class LocalConformance(DriverConformance, DamageConformance, StoreConformance, WithoutLocations, WithoutInUse):
    """What holds however callers are told apart."""

    @pytest.fixture
    def store(self) -> str:
        return 'local'

    @pytest.fixture
    def signed(self) -> Iterator[Callable[[bytes], dict[str, str]]]:
        with signing_kit.signer() as sign:
            yield sign

    @pytest.fixture
    def damage(self, api: API, member: Context) -> Callable[[str], None]:
        def flip(image_id: str) -> None:
            image = api.get(member, image_id, include_locations=True)
            path = Path(urlsplit(image['locations'][0]['url']).path)
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 0xFF
            path.chmod(0o600)
            path.write_bytes(content)

        return flip

    @pytest.mark.contract('C-253')
    def test_an_upload_that_failed_leaves_no_file(self, api: API, driver: ImageDriver, member: Context) -> None:
        def failing() -> Iterator[bytes]:
            yield CONTENT
            raise ConnectionAbortedError('the source went away')

        with pytest.raises(ConnectionAbortedError):
            api.create(member, dict(RAW), failing())
        image_id = api.create(member, dict(RAW))['id']
        with pytest.raises(ConnectionAbortedError):
            api.update(member, image_id, {}, failing())
        kept = Path(driver.conf.image.local_path)
        assert [path for name in ('staging', 'contents') for path in (kept / name).rglob('*') if path.is_file()] == []

    @pytest.mark.contract('D-8')
    def test_a_content_that_was_cut_is_damage_and_no_download(self, api: API, member: Context) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        shown = api.get(member, image['id'], include_locations=True)
        path = Path(urlsplit(shown['locations'][0]['url']).path)
        path.chmod(0o600)
        path.write_bytes(CONTENT[:-1])
        with pytest.raises(errors.StoreCorrupt):
            api.download(member, image['id'])


class TestLocalWithoutAuthentication(LocalConformance):
    @pytest.fixture
    def driver(self, tmp_path_factory: pytest.TempPathFactory) -> ImageDriver:
        return LocalDriver(local_conf(tmp_path_factory.mktemp('store'), auth_strategy='noauth'))

    @pytest.fixture
    def member(self) -> Context:
        return tokenless_context()


class TestLocalWithProjects(TenantConformance, LocalConformance):
    @pytest.fixture
    def driver(self, tmp_path_factory: pytest.TempPathFactory) -> ImageDriver:
        return LocalDriver(local_conf(tmp_path_factory.mktemp('store')))

    @pytest.fixture
    def contexts(self) -> ImageContexts:
        return tenant_contexts()
