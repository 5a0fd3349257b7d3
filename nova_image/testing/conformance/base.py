# SPDX-License-Identifier: Apache-2.0
"""What the parts of the conformance suite share: fixtures to override, and words for common steps."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from nova_image import API, ImageDriver
from nova_image.testing.contexts import Context, ImageContexts

ABSENT = '00000000-dead-4bad-8bad-0123456789ab'
RAW = {'disk_format': 'raw', 'container_format': 'bare'}
CONTENT = bytes(range(256)) * 20


def to_override(suite: object, fixture: str, how: str) -> NotImplementedError:
    """The error of a fixture that only the driver's author can give."""
    return NotImplementedError(f'{type(suite).__name__} has to override the fixture "{fixture}" {how}')


class ConformanceBase:
    """Fixtures. A driver's author overrides ``driver`` and either ``contexts`` or ``member``."""

    @pytest.fixture
    def driver(self) -> ImageDriver:
        """The driver under test, over an empty store."""
        raise to_override(self, 'driver', 'with one that returns a driver over an empty store')

    @pytest.fixture
    def contexts(self) -> ImageContexts:
        """The four callers; only drivers that tell projects apart need more than ``member``."""
        raise to_override(self, 'contexts', '(or "member", for a driver that does not tell callers apart)')

    @pytest.fixture
    def member(self, contexts: ImageContexts) -> Context:
        """An ordinary caller."""
        return contexts.member

    @pytest.fixture
    def publisher(self, member: Context) -> Context:
        """A caller who may make images public."""
        return member

    @pytest.fixture
    def api(self, driver: ImageDriver) -> API:
        """The API over the driver: drivers are judged by what callers get."""
        return API(driver, conf=driver.conf)


def new_id() -> str:
    """Give an id for a new image."""
    return str(uuid.uuid4())


def content_of(api: API, context: Any, image: Any) -> bytes:
    """Download an image into memory."""
    chunks = api.download(context, image['id'])
    # Not by its truth: the iterator of an empty image has the length 0.
    assert chunks is not None
    return b''.join(chunks)


def ids(records: list[dict[str, Any]]) -> set[str]:
    """Give the ids of a listing, where its order does not matter."""
    return {record['id'] for record in records}
