# SPDX-License-Identifier: Apache-2.0
"""Conformance: URLs, locations and stores."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from nova_image import API, ImageDriver, errors
from nova_image.testing.conformance.base import ABSENT, CONTENT, RAW, ConformanceBase, content_of, to_override


class PlaceConformance(ConformanceBase):
    """References that the API hands out lead back to the image."""

    @pytest.mark.contract('C-014', 'C-322', 'D-6')
    def test_the_base_url_has_a_scheme_and_no_slash_at_the_end(self, api: API, member: Any) -> None:
        url = api.generate_glance_url(member)
        assert urlsplit(url).scheme and not url.endswith('/')

    @pytest.mark.contract('C-016', 'C-322', 'D-6')
    def test_an_image_url_is_below_the_base_url(self, api: API, member: Any) -> None:
        assert api.generate_image_url('x', member) == f'{api.generate_glance_url(member)}/images/x'

    @pytest.mark.contract('C-278')
    def test_every_operation_takes_the_url_of_an_image(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one', **RAW}, CONTENT)
        for url in (
            api.generate_image_url(image['id'], member),
            f'{api.generate_glance_url(member)}/v2/images/{image["id"]}',
        ):
            assert api.get(member, url) == api.get(member, image['id'])
            assert content_of(api, member, {'id': url}) == CONTENT
            assert api.update(member, url, {'name': url[-40:]})['id'] == image['id']
        assert api.delete(member, url) is True

    @pytest.mark.contract('C-195')
    @pytest.mark.parametrize('ref', ['http://[bad/images/x', 'no/url', 'http://h:port/images/x', 'ftp://h/x'])
    def test_a_reference_that_is_no_image_url_is_invalid(self, api: API, member: Any, ref: str) -> None:
        with pytest.raises(errors.InvalidImageRef):
            api.get(member, ref)

    @pytest.mark.contract('C-094', 'C-195')
    def test_an_id_with_a_slash_is_no_reference_and_is_not_found(self, api: API, member: Any) -> None:
        """For callers that took it for an id, and for those that took it for a reference."""
        with pytest.raises(errors.ImageNotFound) as caught:
            api.get(member, 'no/id')
        assert isinstance(caught.value, errors.InvalidImageRef)


class WithoutStores(ConformanceBase):
    """For drivers with one store: the optional operation says who does not have it."""

    @pytest.mark.contract('C-288')
    def test_copy_to_store_names_the_driver_that_has_none(
        self, api: API, driver: ImageDriver, member: Any
    ) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        with pytest.raises(NotImplementedError, match=driver.name):
            api.copy_image_to_store(member, image['id'], 'fast')


class StoreConformance(ConformanceBase):
    """For drivers of services with named stores. Override ``store``."""

    @pytest.fixture
    def store(self) -> str:
        """The name of a store that can be written to."""
        return 'fast'

    @pytest.mark.contract('C-306')
    def test_an_absent_image_cannot_be_copied(self, api: API, publisher: Any, store: str) -> None:
        with pytest.raises(errors.ImageNotFound):
            api.copy_image_to_store(publisher, ABSENT, store)

    @pytest.mark.contract('C-306')
    def test_an_image_without_data_cannot_be_copied(self, api: API, publisher: Any, store: str) -> None:
        image = api.create(publisher, dict(RAW))
        with pytest.raises(errors.ImageImportImpossible):
            api.copy_image_to_store(publisher, image['id'], store)

    @pytest.mark.contract('C-306')
    def test_an_unknown_store_is_refused(self, api: API, publisher: Any) -> None:
        image = api.create(publisher, dict(RAW), CONTENT)
        with pytest.raises((errors.ImageBadRequest, errors.ImageImportImpossible)):
            api.copy_image_to_store(publisher, image['id'], 'no-such-store')


class WithoutLocations(ConformanceBase):
    """For drivers that keep bytes and no references: they say so, and keep nothing."""

    @pytest.mark.contract('C-253', 'C-316')
    @pytest.mark.parametrize('kind', ['location', 'copy_from'])
    def test_a_reference_to_bytes_elsewhere_is_refused(self, api: API, member: Any, kind: str) -> None:
        with pytest.raises(errors.Invalid, match='http://elsewhere'):
            api.create(member, {kind: 'http://elsewhere/image', **RAW})
        assert api.get_all(member) == []


class LocationConformance(ConformanceBase):
    """For drivers that register bytes at a URL. Override ``location_url`` and ``location_content``."""

    @pytest.fixture
    def location_url(self) -> str:
        """A URL of ``location_content`` that the service can read."""
        raise to_override(self, 'location_url', 'with a URL that the service can read')

    @pytest.fixture
    def location_content(self) -> bytes:
        """The bytes at ``location_url``."""
        raise to_override(self, 'location_content', 'with the bytes at that URL')

    @pytest.mark.contract('C-257', 'C-095')
    def test_a_location_becomes_the_images_bytes(
        self, api: API, publisher: Any, location_url: str, location_content: bytes
    ) -> None:
        image = _when_active(api, publisher, api.create(publisher, {'location': location_url, **RAW}))
        shown = api.get(publisher, image['id'], include_locations=True)
        assert [entry['url'] for entry in shown['locations']][:1] == [location_url]
        assert content_of(api, publisher, image) == location_content

    @pytest.mark.contract('C-316')
    def test_copy_from_is_begun_and_ends_in_the_background(
        self, api: API, publisher: Any, location_url: str
    ) -> None:
        image = api.create(publisher, {'copy_from': location_url, **RAW})
        assert api.get(publisher, image['id'])['status'] in ('queued', 'importing', 'saving', 'active')

    @pytest.mark.contract('C-253', 'C-316')
    def test_copy_from_of_what_the_service_may_not_read_leaves_no_image(self, api: API, publisher: Any) -> None:
        with pytest.raises(errors.NovaException):
            api.create(publisher, {'copy_from': 'file:///etc/passwd', **RAW})
        assert api.get_all(publisher) == []

    @pytest.mark.contract('C-258')
    @pytest.mark.parametrize('nothing', [None, ''])
    def test_a_falsy_location_is_none(self, api: API, member: Any, nothing: Any) -> None:
        assert api.create(member, {'location': nothing})['status'] == 'queued'

    @pytest.mark.contract('C-253', 'C-257')
    def test_a_location_that_is_refused_leaves_no_image(self, api: API, publisher: Any) -> None:
        with pytest.raises(errors.NovaException):
            api.create(publisher, {'location': 'file:///etc/passwd', **RAW})
        assert api.get_all(publisher) == []


def _when_active(api: API, context: Any, image: dict[str, Any]) -> dict[str, Any]:
    """Services fetch bytes in the background."""
    deadline = time.monotonic() + 10
    while image['status'] != 'active' and time.monotonic() < deadline:
        time.sleep(0.05)
        image = api.get(context, image['id'])
    return image
