# SPDX-License-Identifier: Apache-2.0
"""Whether somebody replaced the old client: what a half-done import leaves in sys.modules is no fake."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from unittest import mock

import pytest

from legacy import glance, seams


def test_a_client_that_another_thread_is_importing_is_nobodys_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    half = types.ModuleType('glanceclient')
    half.__spec__ = importlib.machinery.ModuleSpec('glanceclient', None)
    monkeypatch.setattr(half.__spec__, '_initializing', True, raising=False)
    monkeypatch.delitem(glance.__dict__, 'glanceclient', raising=False)
    monkeypatch.setitem(sys.modules, 'glanceclient', half)
    assert not seams.replaced()
    monkeypatch.setattr(half.__spec__, '_initializing', False)
    assert seams.replaced()
    monkeypatch.setitem(sys.modules, 'glanceclient', mock.MagicMock())
    assert seams.replaced()
