# SPDX-License-Identifier: Apache-2.0
"""A local store of each test's own, and callers for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf


def _caller(project: str = 'project-a', **attributes: Any) -> Any:
    words = {'auth_token': 'token', 'user_id': 'user', 'is_admin': False, 'roles': ['member'], **attributes}
    return SimpleNamespace(project_id=project, **words)


@pytest.fixture
def caller() -> Callable[..., Any]:
    """Makes a context with a token, of the project given."""
    return _caller


@pytest.fixture
def tmp_path(memory_path: Path) -> Path:
    """In memory: a store syncs a lot, and no law here is about what a disk does."""
    return memory_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / 'store'


@pytest.fixture
def driver(root: Path) -> Iterator[LocalDriver]:
    made = LocalDriver(local_conf(root))
    yield made
    made.close()


@pytest.fixture
def someone() -> Any:
    return _caller()


@pytest.fixture
def admin() -> Any:
    return _caller('project-admin', is_admin=True)
