# SPDX-License-Identifier: Apache-2.0
"""What every test shares. Fixtures for users live in ``nova_image.testing.plugin``, loaded by entry point."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def memory_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory of the test's own, in memory where the system has a place for that."""
    place = '/dev/shm' if os.access('/dev/shm', os.W_OK | os.X_OK) else tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix='nova-image-', dir=place) as made:
        yield Path(made)
