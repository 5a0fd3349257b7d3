# SPDX-License-Identifier: Apache-2.0
"""Conformance: what a record looks like, and which ids find one."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.images import EXTRA_KEYS, STANDARD_KEYS
from nova_image.testing.conformance.base import ABSENT, CONTENT, RAW, ConformanceBase, content_of, new_id


class RecordConformance(ConformanceBase):
    """``get``, and the shape of what every operation returns."""

    @pytest.mark.contract('C-101', 'C-103', 'D-2')
    def test_a_record_has_the_16_keys_and_the_additions_of_glance(self, api: API, member: Any) -> None:
        record = api.create(member, {'name': 'one', **RAW}, CONTENT)
        assert set(STANDARD_KEYS) <= set(record)
        assert set(record) - set(STANDARD_KEYS) <= set(EXTRA_KEYS)
        assert {'visibility', 'tags', 'protected', 'os_hidden'} <= set(record)
        for key in ('id', 'name', 'status', 'disk_format', 'container_format', 'checksum', 'visibility'):
            assert isinstance(record[key], str), key
        for key in ('size', 'min_disk', 'min_ram'):
            assert type(record[key]) is int, key
        for key in ('is_public', 'deleted', 'protected', 'os_hidden'):
            assert type(record[key]) is bool, key
        assert record['deleted'] is False and record['deleted_at'] is None
        assert isinstance(record['tags'], list)

    @pytest.mark.contract('C-104')
    def test_times_are_aware_and_utc(self, api: API, member: Any) -> None:
        before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
        record = api.create(member, {'name': 'one'})
        for key in ('created_at', 'updated_at'):
            assert record[key].utcoffset() == datetime.timedelta(0)
            assert before <= record[key] <= datetime.datetime.now(datetime.UTC)

    @pytest.mark.contract('C-105', 'C-107', 'C-163')
    def test_an_image_without_data_is_queued_with_size_0(self, api: API, member: Any) -> None:
        record = api.create(member, {'name': 'one'})
        assert (record['status'], record['size'], record['checksum']) == ('queued', 0, None)
        assert record['disk_format'] is None and record['container_format'] is None

    @pytest.mark.contract('C-113')
    def test_create_returns_what_get_returns(self, api: API, member: Any) -> None:
        created = api.create(member, {'name': 'one', 'properties': {'a': 'b'}, **RAW}, CONTENT)
        assert api.get(member, created['id']) == created

    @pytest.mark.contract('C-072', 'C-113')
    def test_a_listing_holds_what_get_returns(self, api: API, member: Any) -> None:
        created = api.create(member, {'name': 'one', 'properties': {'a': 'b'}, **RAW}, CONTENT)
        assert api.get_all(member) == [api.get(member, created['id'])]

    @pytest.mark.contract('C-106')
    def test_a_record_belongs_to_the_caller(self, api: API, member: Any) -> None:
        image_id = api.create(member, {'name': 'one', 'tags': ['t'], 'properties': {'a': 'b'}})['id']
        record = api.get(member, image_id)
        record['properties']['a'] = 'changed'
        record['tags'].append('changed')
        again = api.get(member, image_id)
        assert again['properties'] == {'a': 'b'} and again['tags'] == ['t']

    @pytest.mark.contract('C-093')
    @pytest.mark.parametrize('image_id', [ABSENT, 'no-such-id', '', None, 7, b'bytes', 'ü'])
    def test_an_unknown_id_is_not_found_and_named(self, api: API, member: Any, image_id: Any) -> None:
        with pytest.raises(errors.ImageNotFound, match=f'Image {image_id} could not be found'):
            api.get(member, image_id)

    @pytest.mark.contract('C-093', 'C-185')
    @pytest.mark.parametrize('image_id', [None, '', 7, b'bytes'])
    def test_an_id_of_a_wrong_type_is_not_found_by_any_operation(
        self, api: API, member: Any, image_id: Any
    ) -> None:
        for attempt in (api.delete, api.download):
            with pytest.raises(errors.ImageNotFound):
                attempt(member, image_id)
        with pytest.raises(errors.ImageNotFound):
            api.update(member, image_id, {'name': 'two'})

    @pytest.mark.contract('C-093')
    def test_ids_are_case_sensitive(self, api: API, member: Any) -> None:
        image_id = new_id()[:-1] + 'a'
        api.create(member, {'id': image_id})
        with pytest.raises(errors.ImageNotFound):
            api.get(member, image_id.upper())

    @pytest.mark.contract('C-094')
    @pytest.mark.parametrize('shape', ['{}?x', '{}#x', '{}%20', '..', '.'])
    def test_an_id_cannot_reach_beyond_its_place(self, api: API, member: Any, shape: str) -> None:
        image = api.create(member, {'name': 'one', **RAW}, CONTENT)
        image_id = shape.format(image['id'])
        for attempt in (api.get, api.delete, api.download):
            with pytest.raises(errors.ImageNotFound):
                attempt(member, image_id)
        with pytest.raises(errors.ImageNotFound):
            api.update(member, image_id, {'name': 'two'})
        assert api.get(member, image['id']) == image
        assert content_of(api, member, image) == CONTENT

    @pytest.mark.contract('C-096')
    def test_locations_are_shown_only_on_request(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one', **RAW}, CONTENT)
        assert not {'locations', 'direct_url'} & set(api.get(member, image['id']))

    @pytest.mark.contract('C-095')
    def test_locations_on_request_are_a_list_of_url_and_metadata(self, api: API, member: Any) -> None:
        queued = api.create(member, {'name': 'queued'})
        assert api.get(member, queued['id'], include_locations=True)['locations'] == []
        image = api.create(member, {'name': 'one', **RAW}, CONTENT)
        locations = api.get(member, image['id'], include_locations=True)['locations']
        assert all(isinstance(entry['url'], str) for entry in locations)
        assert all(isinstance(entry['metadata'], dict) for entry in locations)

    @pytest.mark.contract('C-268', 'D-18')
    @pytest.mark.parametrize('show_deleted', [True, False])
    def test_a_deleted_image_is_not_found(self, api: API, member: Any, show_deleted: bool) -> None:
        image_id = api.create(member, {'name': 'one'})['id']
        api.delete(member, image_id)
        with pytest.raises(errors.ImageNotFound):
            api.get(member, image_id, show_deleted=show_deleted)
