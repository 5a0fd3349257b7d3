# SPDX-License-Identifier: Apache-2.0
"""What every test shares. Fixtures for users live in ``nova_image.testing.plugin``, loaded by entry point."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the environment of the developer out of the tests: it overrides configuration."""
    for name in list(os.environ):
        if name.startswith('NOVA_IMAGE_') and name != 'NOVA_IMAGE_HYPOTHESIS':
            monkeypatch.delenv(name)
    yield
