# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on a shadow over two local drivers on one store: callers cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_image import ImageDriver
from nova_image.local.driver import LocalDriver
from nova_image.shadow.driver import ShadowDriver
from nova_image.testing.configuration import local_conf
from nova_image.testing.conformance import (
    DriverConformance,
    StoreConformance,
    TenantConformance,
    WithoutInUse,
    WithoutLocations,
)
from nova_image.testing.contexts import ImageContexts, tenant_contexts

pytestmark = pytest.mark.slow  # what it finds beyond the tests beside it is rare


class TestShadowOverTwoLocalDrivers(
    TenantConformance, DriverConformance, StoreConformance, WithoutLocations, WithoutInUse
):
    """Every call is compared, and no call differs."""

    @pytest.fixture
    def store(self) -> str:
        return 'local'

    @pytest.fixture
    def driver(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageDriver]:
        settings = {'download_sample': 1, 'load': 1, 'queue': 10_000, 'timeout': 60}
        conf = local_conf(
            tmp_path_factory.mktemp('store'), **{f'image_shadow__{name}': value for name, value in settings.items()}
        )
        shadow = ShadowDriver(conf, control=LocalDriver(conf), candidate=LocalDriver(conf))
        shadow.worker.flush = lambda: None  # type: ignore[method-assign]
        yield shadow
        shadow.drain(20)
        found = shadow.worker.book.taken()
        assert not found.mismatches
        assert {what for _, _, what in found.calls} <= {'same', 'changed', 'abandoned', 'unreadable'}

    @pytest.fixture
    def contexts(self) -> ImageContexts:
        return tenant_contexts()
