# SPDX-License-Identifier: Apache-2.0
"""Stores of property tests in memory where the system has a place for that, and servers that begin empty."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nova_image.testing.servers import GlanceServer

IN_MEMORY = '/dev/shm'


@pytest.fixture
def stores_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary directories of the test are in memory, if they can be; the store itself does all it always does."""
    if os.access(IN_MEMORY, os.W_OK | os.X_OK):
        monkeypatch.setattr('tempfile.tempdir', IN_MEMORY)


@pytest.fixture
def noauth(glance_server: GlanceServer) -> GlanceServer:
    """A Glance without images, to which nobody has to say who they are."""
    glance_server.reset()
    return glance_server


@pytest.fixture
def tenants(glance_tenants: GlanceServer) -> GlanceServer:
    """A Glance without images that knows projects."""
    glance_tenants.reset()
    return glance_tenants
