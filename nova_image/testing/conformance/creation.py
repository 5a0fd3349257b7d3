# SPDX-License-Identifier: Apache-2.0
"""Conformance: ``create`` without data."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase, ids, new_id


class CreationConformance(ConformanceBase):
    """What becomes of ``image_info``."""

    @pytest.mark.contract('C-158')
    def test_fields_are_stored_as_given(self, api: API, member: Any) -> None:
        info = {
            'name': 'näme', 'disk_format': 'qcow2', 'container_format': 'ovf', 'min_disk': 3, 'min_ram': 512,
            'protected': False, 'visibility': 'private', 'tags': ['x', 'y'],
        }  # fmt: skip
        record = api.get(member, api.create(member, info)['id'])
        assert sorted(record.pop('tags')) == sorted(info.pop('tags'))  # type: ignore[call-overload]
        assert {key: record[key] for key in info} == info

    @pytest.mark.contract('C-168', 'C-249')
    def test_an_image_needs_no_field_at_all(self, api: API, member: Any) -> None:
        record = api.create(member, {})
        assert record['name'] is None and record['properties'] == {}
        assert (record['min_disk'], record['min_ram']) == (0, 0)

    @pytest.mark.contract('C-102', 'C-166', 'C-240')
    def test_property_values_become_text(self, api: API, member: Any) -> None:
        given = {'text': 'a', 'number': 7, 'flag': True, 'empty': '', 'float': 1.5}
        record = api.create(member, {'properties': given})
        expected = {'text': 'a', 'number': '7', 'flag': 'True', 'empty': '', 'float': '1.5'}
        assert record['properties'] == expected

    @pytest.mark.contract('C-250', 'C-314')
    def test_property_names_keep_case_and_dashes(self, api: API, member: Any) -> None:
        given = {'A-b_C': '1', 'a_b_c': '2', 'with space': '3', 'ünï': '4', 'a/b~c': '5'}
        assert api.create(member, {'properties': given})['properties'] == given

    @pytest.mark.contract('C-313')
    def test_a_property_of_none_is_left_out(self, api: API, member: Any) -> None:
        record = api.create(member, {'properties': {'gone': None, 'kept': 'x'}})
        assert record['properties'] == {'kept': 'x'}

    @pytest.mark.contract('C-242')
    @pytest.mark.parametrize('value', ['', ' ', 'None', 'none ', None])
    def test_kernel_and_ramdisk_ids_of_nothing_are_left_out(self, api: API, member: Any, value: Any) -> None:
        given = {'kernel_id': value, 'ramdisk_id': value, 'other': 'None'}
        assert api.create(member, {'properties': given})['properties'] == {'other': 'None'}

    @pytest.mark.contract('C-114', 'C-115')
    def test_block_device_mappings_travel_as_json(self, api: API, member: Any) -> None:
        given = {'mappings': [{'device': 'sda', 'virtual': 'ami'}], 'block_device_mapping': []}
        record = api.create(member, {'properties': given})
        assert record['properties'] == given
        assert api.get_all(member)[0]['properties'] == given

    @pytest.mark.contract('C-114', 'C-115')
    def test_json_given_as_text_comes_back_decoded(self, api: API, member: Any) -> None:
        record = api.create(member, {'properties': {'mappings': '[{"a": 1}]'}})
        assert record['properties'] == {'mappings': [{'a': 1}]}

    @pytest.mark.contract('C-078', 'D-11')
    def test_a_mapping_that_is_no_json_breaks_nothing(self, api: API, member: Any) -> None:
        image = api.create(member, {'properties': {'mappings': 'no json'}})
        assert [record['id'] for record in api.get_all(member)] == [image['id']]

    @pytest.mark.contract('C-238', 'C-319')
    def test_visibility_follows_is_public(self, api: API, member: Any, publisher: Any) -> None:
        for info, visibility in (({}, 'shared'), ({'is_public': False}, 'private'), ({'is_public': None}, 'private')):
            record = api.create(member, info)
            assert (record['visibility'], record['is_public']) == (visibility, False)
        record = api.create(publisher, {'is_public': True})
        assert (record['visibility'], record['is_public']) == ('public', True)

    @pytest.mark.contract('C-237')
    def test_least_sizes_become_whole_numbers(self, api: API, member: Any) -> None:
        record = api.create(member, {'min_disk': '5', 'min_ram': 7.9})
        assert (record['min_disk'], record['min_ram']) == (5, 7)

    @pytest.mark.contract('C-237', 'C-242', 'C-245', 'C-266')
    @pytest.mark.parametrize(
        ('info', 'also'),
        [
            (None, AttributeError),
            (['name'], AttributeError),
            ({'properties': None}, AttributeError),
            ({'properties': ['a']}, AttributeError),
            ({'properties': {7: 'x'}}, TypeError),
            ({'properties': {'kernel_id': 7}}, AttributeError),
            ({'min_disk': None}, TypeError),
            ({'min_ram': '1.5'}, ValueError),
            ({'name': 7}, TypeError),
            ({'no_such_field': 7}, TypeError),
        ],
    )
    def test_a_wrong_type_is_refused_before_anything_is_stored(
        self, api: API, member: Any, info: Any, also: type[Exception]
    ) -> None:
        with pytest.raises(errors.BadImageInfo) as caught:
            api.create(member, info)
        assert isinstance(caught.value, also)
        assert api.get_all(member) == []

    @pytest.mark.contract('C-245')
    def test_an_unknown_text_field_is_a_property(self, api: API, member: Any) -> None:
        assert api.create(member, {'os_distro': 'x'})['properties'] == {'os_distro': 'x'}

    @pytest.mark.contract('C-244')
    def test_a_property_cannot_pose_as_a_field(self, api: API, member: Any) -> None:
        given = {'visibility': 'public', 'id': new_id(), 'owner': 'x', 'min_disk': '9', 'mine': 'x'}
        record = api.create(member, {'name': 'one', 'properties': given})
        assert record['properties'] == {'mine': 'x'}
        assert (record['visibility'], record['min_disk']) == ('shared', 0)
        assert record['id'] != given['id'] and record['owner'] != 'x'

    @pytest.mark.contract('C-247', 'C-312')
    def test_a_record_without_its_id_makes_another_image(self, api: API, member: Any) -> None:
        record = api.create(member, {'name': 'one', 'properties': {'a': 'b'}, **RAW}, CONTENT)
        again = api.create(member, {key: value for key, value in record.items() if key != 'id'})
        assert again['id'] != record['id']
        assert (again['name'], again['properties'], again['status']) == ('one', {'a': 'b'}, 'queued')

    @pytest.mark.contract('C-249')
    def test_an_id_may_be_chosen(self, api: API, member: Any) -> None:
        image_id = new_id()
        assert api.create(member, {'id': image_id})['id'] == image_id

    @pytest.mark.contract('C-161', 'C-249')
    def test_an_id_that_is_taken_is_a_conflict(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one', **RAW}, CONTENT)
        with pytest.raises(errors.ImageConflict):
            api.create(member, {'id': image['id'], 'name': 'two', **RAW}, b'other')
        assert api.get(member, image['id']) == image

    @pytest.mark.contract('C-249', 'C-318')
    @pytest.mark.parametrize(
        'info',
        [
            {'id': 'no-uuid'},
            {'name': 'n' * 256},
            {'disk_format': 'floppy'},
            {'container_format': 'bottle'},
            {'visibility': 'secret'},
            {'min_disk': -1},
            {'protected': 'perhaps'},
        ],
    )
    def test_a_value_that_glance_refuses_is_invalid(self, api: API, member: Any, info: Any) -> None:
        with pytest.raises(errors.Invalid):
            api.create(member, info)
        assert api.get_all(member) == []

    @pytest.mark.contract('C-158', 'C-259')
    def test_arguments_stay_as_they_are(self, api: API, member: Any) -> None:
        info = {'name': 'one', 'properties': {'mappings': [{'a': 1}], 'b': 2, 'none': None}, 'status': 'x'}
        before = copy.deepcopy(info)
        api.create(member, info)
        assert info == before

    def test_images_may_share_a_name(self, api: API, member: Any) -> None:
        """Glance's API: names are not unique."""
        made = [api.create(member, {'name': 'same'}) for _ in range(2)]
        assert ids(api.get_all(member, filters={'name': 'same'})) == ids(made)

    @pytest.mark.parametrize(
        'info', [{'name': 'smile \U0001f600'}, {'properties': {'mood': '\U0001f600'}}, {'min_ram': 2**31}]
    )
    def test_what_the_database_of_a_service_has_no_room_for_is_refused(
        self, api: API, member: Any, info: dict[str, Any]
    ) -> None:
        """Glance's API: no characters of four bytes, no number above 32 bits."""
        with pytest.raises(errors.Invalid):
            api.create(member, info)
        assert api.get_all(member) == []
