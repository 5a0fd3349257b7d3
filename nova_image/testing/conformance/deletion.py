# SPDX-License-Identifier: Apache-2.0
"""Conformance: ``delete``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import ABSENT, CONTENT, RAW, ConformanceBase, content_of, to_override


class DeletionConformance(ConformanceBase):
    """What is gone afterwards, and what cannot be deleted."""

    @pytest.mark.contract('C-184', 'D-4')
    def test_delete_returns_true(self, api: API, member: Any) -> None:
        assert api.delete(member, api.create(member, {})['id']) is True

    @pytest.mark.contract('C-185', 'D-18')
    def test_a_deleted_image_is_gone_for_every_operation(self, api: API, member: Any) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        api.delete(member, image['id'])
        for attempt in (api.get, api.delete, api.download):
            with pytest.raises(errors.ImageNotFound):
                attempt(member, image['id'])
        with pytest.raises(errors.ImageNotFound):
            api.update(member, image['id'], {'name': 'two'})
        assert api.get_all(member) == []

    @pytest.mark.contract('C-185')
    def test_an_absent_image_is_not_found(self, api: API, member: Any) -> None:
        with pytest.raises(errors.ImageNotFound):
            api.delete(member, ABSENT)

    @pytest.mark.contract('C-185')
    def test_a_protected_image_stays(self, api: API, member: Any) -> None:
        image = api.create(member, {'protected': True, **RAW}, CONTENT)
        with pytest.raises(errors.ImageNotAuthorized):
            api.delete(member, image['id'])
        assert content_of(api, member, image) == CONTENT
        api.update(member, image['id'], {'protected': False})
        assert api.delete(member, image['id']) is True

    def test_images_of_equal_bytes_live_apart(self, api: API, member: Any) -> None:
        """Glance's API: an image owns its bytes."""
        first, second = (api.create(member, dict(RAW), CONTENT) for _ in range(2))
        api.delete(member, first['id'])
        assert content_of(api, member, second) == CONTENT

    @pytest.mark.contract('C-249')
    def test_the_id_of_a_deleted_image_stays_taken(self, api: API, member: Any) -> None:
        image = api.create(member, {})
        api.delete(member, image['id'])
        with pytest.raises(errors.ImageConflict):
            api.create(member, {'id': image['id']})


class InUseConformance(ConformanceBase):
    """For drivers whose images can be in use. Override ``in_use``."""

    @pytest.fixture
    def in_use(self) -> Callable[[str], AbstractContextManager[None]]:
        """A function that gives a context in which the image with that id is in use."""
        raise to_override(
            self, 'in_use', 'with a function that gives a context in which an image is in use; a driver without such '
            'images inherits WithoutInUse',
        )  # fmt: skip

    @pytest.mark.contract('C-185')
    def test_an_image_in_use_stays(
        self, api: API, member: Any, in_use: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        with in_use(image['id']), pytest.raises(errors.ImageDeleteConflict):
            api.delete(member, image['id'])
        assert content_of(api, member, image) == CONTENT
        assert api.delete(member, image['id']) is True


class WithoutInUse(ConformanceBase):
    """For drivers that delete an image while somebody reads it: who reads gets all of it."""

    @pytest.mark.contract('C-184')
    def test_an_image_that_is_read_can_be_deleted_and_is_read_to_its_end(self, api: API, member: Any) -> None:
        content = CONTENT * 1000
        image = api.create(member, dict(RAW), content)
        chunks = iter(api.download(member, image['id']) or ())
        first = next(chunks)
        assert api.delete(member, image['id']) is True
        assert first + b''.join(chunks) == content
        with pytest.raises(errors.ImageNotFound):
            api.get(member, image['id'])
