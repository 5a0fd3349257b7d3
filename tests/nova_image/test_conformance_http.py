# SPDX-License-Identifier: Apache-2.0
"""The conformance suite for drivers over HTTP on the Glance driver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_image.glance import session
from nova_image.glance.driver import GlanceDriver
from nova_image.glance.servers import HEALTH
from nova_image.testing.conformance import HTTPConformance, HTTPSConformance
from nova_image.transfer import download


class TestGlanceOverHTTP(HTTPConformance, HTTPSConformance):
    @pytest.fixture
    def make_driver(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[GlanceDriver]]:
        monkeypatch.setattr(download, '_PAUSE_S', 0.01)
        HEALTH.forget()
        yield GlanceDriver
        session.close_all()
