# SPDX-License-Identifier: Apache-2.0
"""Old code over a local store of each test's own, and old-style clients that are fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from oslo_config import cfg

from nova_image import options


def context(**attributes: Any) -> Any:
    """An Icehouse-style context: a bag of attributes, no plug-in, no request id (C-203)."""
    words: dict[str, Any] = {
        'auth_token': 'tok', 'user': 'u', 'user_id': 'u', 'tenant': 'p', 'project_id': 'p', 'roles': ['member'],
        'is_admin': False, 'service_catalog': [],
    }  # fmt: skip
    return SimpleNamespace(**{**words, **attributes})


@pytest.fixture
def ctx() -> Any:
    return context()


@pytest.fixture
def admin() -> Any:
    return context(is_admin=True, roles=['admin'])


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    """The process's options; what a test overrides is undone."""
    import legacy.download.file
    import legacy.glance  # noqa: F401 - both register options

    found = options.register(cfg.CONF)
    yield found
    found.clear_override('api_servers', group='glance')
    for group, names in {
        'glance': ('num_retries', 'use_glance_v1', 'verify_glance_signatures'),
        'image': ('trusted_servers',),
    }.items():
        for name in names:
            found.clear_override(name, group=group)
    for name in (
        'glance_api_servers', 'glance_num_retries', 'glance_host', 'glance_port', 'glance_protocol',
        'allowed_direct_url_schemes', 'auth_strategy',
    ):  # fmt: skip
        found.clear_override(name)
    found.clear_override('filesystems', group='image_file_url')


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded store behind every API of the test."""
    monkeypatch.setenv('NOVA_IMAGE_DRIVER', 'local')
    monkeypatch.setenv('NOVA_IMAGE_LOCAL_PATH', str(tmp_path / 'store'))
    return tmp_path / 'store'
