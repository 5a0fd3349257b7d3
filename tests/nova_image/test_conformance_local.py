# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on the local driver: with callers of several projects, and without."""

from __future__ import annotations

import pytest

from nova_image import ImageDriver
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf
from nova_image.testing.conformance import DriverConformance, TenantConformance
from nova_image.testing.contexts import Context, ImageContexts, tenant_contexts, tokenless_context


class TestLocalWithoutAuthentication(DriverConformance):
    @pytest.fixture
    def driver(self, tmp_path_factory: pytest.TempPathFactory) -> ImageDriver:
        return LocalDriver(local_conf(tmp_path_factory.mktemp('store'), auth_strategy='noauth'))

    @pytest.fixture
    def member(self) -> Context:
        return tokenless_context()


class TestLocalWithProjects(TenantConformance, DriverConformance):
    @pytest.fixture
    def driver(self, tmp_path_factory: pytest.TempPathFactory) -> ImageDriver:
        return LocalDriver(local_conf(tmp_path_factory.mktemp('store')))

    @pytest.fixture
    def contexts(self) -> ImageContexts:
        return tenant_contexts()
