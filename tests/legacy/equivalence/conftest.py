# SPDX-License-Identifier: Apache-2.0
"""Stores of property tests in memory where the system has a place for that: nothing there waits for a disk."""

from __future__ import annotations

import os

import pytest

IN_MEMORY = '/dev/shm'


@pytest.fixture
def stores_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary directories of the test are in memory, if they can be; the store itself does all it always does."""
    if os.access(IN_MEMORY, os.W_OK | os.X_OK):
        monkeypatch.setattr('tempfile.tempdir', IN_MEMORY)
