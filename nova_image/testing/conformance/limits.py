# SPDX-License-Identifier: Apache-2.0
"""Conformance: how much an image holds (the defaults of Glance's quotas and columns)."""

from __future__ import annotations

from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import ConformanceBase

MOST = 128


def _many(count: int) -> dict[str, str]:
    return {f'p{number}': 'x' for number in range(count)}


class LimitConformance(ConformanceBase):
    """255 characters, 128 properties, 128 tags: the last that fits, and the first that does not."""

    def test_names_have_up_to_255_characters(self, api: API, member: Any) -> None:
        """Glance's API: ``name`` has maxLength 255; 256 is refused in the parts on create and update."""
        assert api.create(member, {'name': 'ü' * 255})['name'] == 'ü' * 255

    def test_tags_have_up_to_255_characters(self, api: API, member: Any) -> None:
        """Glance's API: an item of ``tags`` has maxLength 255."""
        image = api.create(member, {'tags': ['t' * 255]})
        assert image['tags'] == ['t' * 255]
        with pytest.raises(errors.Invalid):
            api.create(member, {'tags': ['t' * 256]})
        with pytest.raises(errors.ImageBadRequest):
            api.update(member, image['id'], {'tags': ['t' * 256]})

    def test_property_names_have_up_to_255_characters(self, api: API, member: Any) -> None:
        """Glance's API: a property's name fits a column of 255."""
        image = api.create(member, {'properties': {'p' * 255: 'x'}})
        assert image['properties'] == {'p' * 255: 'x'}
        with pytest.raises(errors.Invalid):
            api.create(member, {'properties': {'p' * 256: 'x'}})

    def test_an_image_has_up_to_128_properties(self, api: API, member: Any) -> None:
        """Glance's option ``image_property_quota``."""
        image = api.create(member, {'properties': _many(MOST)})
        assert len(image['properties']) == MOST
        with pytest.raises(errors.ImageQuotaExceeded):
            api.create(member, {'properties': _many(MOST + 1)})
        with pytest.raises(errors.ImageQuotaExceeded):
            api.update(member, image['id'], {'properties': {'more': 'x'}})
        assert api.get(member, image['id'])['properties'] == _many(MOST)

    def test_an_image_has_up_to_128_tags(self, api: API, member: Any) -> None:
        """Glance's option ``image_tag_quota``."""
        image = api.create(member, {'tags': list(_many(MOST))})
        assert len(image['tags']) == MOST
        with pytest.raises(errors.ImageQuotaExceeded):
            api.create(member, {'tags': list(_many(MOST + 1))})
        with pytest.raises(errors.ImageQuotaExceeded):
            api.update(member, image['id'], {'tags': list(_many(MOST + 1))})

    def test_a_property_may_be_exchanged_at_the_limit(self, api: API, member: Any) -> None:
        """Glance's option ``image_property_quota`` counts what is left after the whole change."""
        image = api.create(member, {'properties': _many(MOST)})
        changed = api.update(member, image['id'], {'properties': {'other': 'x'}}, purge_props=True)
        assert changed['properties'] == {'other': 'x'}
