# SPDX-License-Identifier: Apache-2.0
"""What every test shares. Fixtures for users live in ``nova_image.testing.plugin``, loaded by entry point."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# The servers of the tests are on loopback, which is never behind a proxy.
os.environ['no_proxy'] = os.environ['NO_PROXY'] = '127.0.0.1,localhost'


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the environment of the developer out of the tests: it overrides configuration."""
    for name in list(os.environ):
        if name.startswith('NOVA_IMAGE_') and name != 'NOVA_IMAGE_HYPOTHESIS':
            monkeypatch.delenv(name)
    yield
