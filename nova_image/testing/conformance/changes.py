# SPDX-License-Identifier: Apache-2.0
"""Conformance: ``update``."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import ABSENT, CONTENT, RAW, ConformanceBase, content_of, new_id


class ChangeConformance(ConformanceBase):
    """Metadata changes, purging, and what cannot be changed."""

    @pytest.mark.contract('C-183')
    def test_update_changes_the_named_fields_and_returns_the_record(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one', 'min_ram': 5})
        changed = api.update(member, image['id'], {'name': 'two', 'min_disk': 3})
        assert (changed['name'], changed['min_ram'], changed['min_disk']) == ('two', 5, 3)
        assert api.get(member, image['id']) == changed
        assert changed['created_at'] == image['created_at'] <= changed['updated_at']

    @pytest.mark.contract('C-174')
    def test_an_id_in_the_change_is_ignored(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one'})
        other = new_id()
        assert api.update(member, image['id'], {'id': other, 'name': 'two'})['id'] == image['id']

    @pytest.mark.contract('C-176', 'C-289', 'D-3')
    def test_other_properties_stay_without_purge(self, api: API, member: Any) -> None:
        image = api.create(member, {'properties': {'a': '1', 'b': '2'}})
        changed = api.update(member, image['id'], {'properties': {'b': '3', 'c': '4'}})
        assert changed['properties'] == {'a': '1', 'b': '3', 'c': '4'}

    @pytest.mark.contract('C-176', 'C-282')
    def test_purge_leaves_exactly_the_given_properties(self, api: API, member: Any) -> None:
        image = api.create(member, {'properties': {'a': '1', 'b': '2'}})
        changed = api.update(member, image['id'], {'properties': {'b': '3'}}, purge_props=True)
        assert changed['properties'] == {'b': '3'}

    @pytest.mark.contract('C-176')
    def test_purge_without_properties_removes_all(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one', 'properties': {'a': '1'}})
        changed = api.update(member, image['id'], {'name': 'two'}, purge_props=True)
        assert (changed['name'], changed['properties']) == ('two', {})

    @pytest.mark.contract('C-320', 'D-3')
    @pytest.mark.parametrize(('purge', 'left'), [(True, {'b': '2'}), (False, {'a': '1', 'b': '2'})])
    def test_purge_means_the_same_when_data_is_sent(self, api: API, member: Any, purge: bool, left: Any) -> None:
        image = api.create(member, {'properties': {'a': '1'}, **RAW})
        changed = api.update(member, image['id'], {'properties': {'b': '2'}}, CONTENT, purge_props=purge)
        assert (changed['status'], changed['properties']) == ('active', left)

    @pytest.mark.contract('C-313')
    @pytest.mark.parametrize('purge', [True, False])
    def test_a_property_of_none_is_removed(self, api: API, member: Any, purge: bool) -> None:
        image = api.create(member, {'properties': {'a': '1', 'b': '2'}})
        change = {'properties': {'a': None, 'b': '2', 'never-there': None}}
        assert api.update(member, image['id'], change, purge_props=purge)['properties'] == {'b': '2'}

    @pytest.mark.contract('C-243')
    @pytest.mark.parametrize('value', ['', 'None', None])
    def test_an_empty_kernel_id_removes_it(self, api: API, member: Any, value: Any) -> None:
        image = api.create(member, {'properties': {'kernel_id': new_id(), 'ramdisk_id': new_id()}})
        change = {'properties': {'kernel_id': value, 'ramdisk_id': value}}
        assert api.update(member, image['id'], change)['properties'] == {}

    @pytest.mark.contract('C-263')
    def test_a_value_may_move_to_another_property(self, api: API, member: Any) -> None:
        image = api.create(member, {'properties': {'old': 'same'}})
        changed = api.update(member, image['id'], {'properties': {'new': 'same'}}, purge_props=True)
        assert changed['properties'] == {'new': 'same'}

    @pytest.mark.contract('C-250')
    def test_odd_property_names_can_be_changed_and_removed(self, api: API, member: Any) -> None:
        names = ('a/b', 'a~b', 'a b', 'ä', 'A', 'a')
        image = api.create(member, {'properties': dict.fromkeys(names, '1')})
        changed = api.update(member, image['id'], {'properties': dict.fromkeys(names, '2')})
        assert changed['properties'] == dict.fromkeys(names, '2')
        assert api.update(member, image['id'], {}, purge_props=True)['properties'] == {}

    @pytest.mark.contract('C-267')
    def test_an_empty_change_changes_nothing(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one', 'properties': {'a': '1'}})
        changed = api.update(member, image['id'], {})
        assert {**changed, 'updated_at': None} == {**image, 'updated_at': None}

    @pytest.mark.contract('C-251')
    @pytest.mark.parametrize('purge', [True, False])
    def test_a_record_given_back_changes_nothing(self, api: API, member: Any, purge: bool) -> None:
        info = {'name': 'one', 'properties': {'a': '1', 'mappings': [{'b': 2}]}, 'tags': ['t'], **RAW}
        image = api.create(member, info, CONTENT)
        changed = api.update(member, image['id'], api.get(member, image['id']), purge_props=purge)
        assert {**changed, 'updated_at': None} == {**image, 'updated_at': None}

    @pytest.mark.contract('C-239')
    def test_is_public_false_leaves_a_shared_image_shared(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one'})
        assert api.update(member, image['id'], {'is_public': False})['visibility'] == 'shared'

    @pytest.mark.contract('C-239')
    def test_is_public_false_makes_a_public_image_private(self, api: API, publisher: Any) -> None:
        image = api.create(publisher, {'is_public': True})
        assert api.update(publisher, image['id'], {'is_public': False})['visibility'] == 'private'

    def test_tags_are_replaced_whole(self, api: API, member: Any) -> None:
        """Glance's API: ``tags`` is one field; a tag is there once."""
        image = api.create(member, {'tags': ['a', 'b']})
        assert sorted(api.update(member, image['id'], {'tags': ['b', 'c', 'c']})['tags']) == ['b', 'c']
        assert api.update(member, image['id'], {'tags': []})['tags'] == []

    @pytest.mark.contract('C-185')
    def test_an_absent_image_is_not_found(self, api: API, member: Any) -> None:
        with pytest.raises(errors.ImageNotFound):
            api.update(member, ABSENT, {'name': 'two'})
        with pytest.raises(errors.ImageNotFound):
            api.update(member, ABSENT, {'name': 'two'}, CONTENT)

    @pytest.mark.contract('C-265')
    @pytest.mark.parametrize('change', [{'disk_format': 'iso'}, {'container_format': 'ovf'}])
    def test_formats_of_an_active_image_are_fixed(self, api: API, member: Any, change: Any) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        with pytest.raises(errors.ImageNotAuthorized):
            api.update(member, image['id'], {**change, 'name': 'two'})
        assert api.get(member, image['id']) == image

    @pytest.mark.contract('C-265')
    def test_formats_of_a_queued_image_may_change(self, api: API, member: Any) -> None:
        image = api.create(member, dict(RAW))
        changed = api.update(member, image['id'], {'disk_format': 'iso', 'container_format': 'ovf'})
        assert (changed['disk_format'], changed['container_format']) == ('iso', 'ovf')

    @pytest.mark.contract('C-318')
    @pytest.mark.parametrize(
        'change',
        [
            {'name': 'n' * 256},
            {'disk_format': 'floppy'},
            {'visibility': 'secret'},
            {'min_ram': -1},
            {'protected': 'perhaps'},
        ],
    )
    def test_a_value_that_glance_refuses_is_a_bad_request(self, api: API, member: Any, change: Any) -> None:
        image = api.create(member, {'name': 'one', 'properties': {'a': '1'}})
        with pytest.raises(errors.ImageBadRequest):
            api.update(member, image['id'], {**change, 'properties': {'a': '2'}})
        assert api.get(member, image['id']) == image

    @pytest.mark.contract('C-266')
    @pytest.mark.parametrize(
        'change', [None, ['name'], {'properties': None}, {'properties': 7}, {'min_disk': None}, {'odd': 7}]
    )
    def test_a_wrong_type_is_refused_and_changes_nothing(self, api: API, member: Any, change: Any) -> None:
        image = api.create(member, {'name': 'one'})
        with pytest.raises(errors.BadImageInfo):
            api.update(member, image['id'], change)
        assert api.get(member, image['id']) == image

    @pytest.mark.contract('C-174')
    def test_arguments_stay_as_they_are(self, api: API, member: Any) -> None:
        image = api.create(member, {'name': 'one'})
        change = {'name': 'two', 'properties': {'mappings': [{'a': 1}], 'none': None}, 'id': 'x', 'size': 4}
        before = copy.deepcopy(change)
        api.update(member, image['id'], change, purge_props=True)
        assert change == before

    def test_metadata_of_an_active_image_may_change(self, api: API, member: Any) -> None:
        """Glance's API: only formats and bytes are fixed by activation."""
        image = api.create(member, {'name': 'one', **RAW}, CONTENT)
        changed = api.update(member, image['id'], {'name': 'two', 'properties': {'a': 'b'}, 'os_hidden': True})
        assert (changed['name'], changed['os_hidden'], changed['status']) == ('two', True, 'active')
        assert content_of(api, member, image) == CONTENT
