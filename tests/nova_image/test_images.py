# SPDX-License-Identifier: Apache-2.0
"""Records, outgoing metadata, patches and filters, as plain data."""

from __future__ import annotations

import copy
import datetime
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_image import errors, images

WIRE: dict[str, Any] = {
    'id': 'i1', 'name': 'n', 'status': 'active', 'visibility': 'shared', 'size': 3, 'checksum': 'c', 'owner': 'p',
    'min_disk': 1, 'min_ram': 2, 'disk_format': 'raw', 'container_format': 'bare', 'protected': False, 'tags': ['t'],
    'created_at': '2014-04-17T10:11:12Z', 'updated_at': '2014-04-17T10:11:13.5', 'os_hidden': False,
    'os_hash_algo': 'sha512', 'os_hash_value': 'h', 'virtual_size': None, 'self': '/v2/images/i1',
    'file': '/v2/images/i1/file', 'schema': '/v2/schemas/image', 'colour': 'red', 'mappings': '[{"a": 1}]',
    'locations': [{'url': 'file:///x'}], 'direct_url': 'file:///x',
}  # fmt: skip
ADMIN = types.SimpleNamespace(is_admin=True)
MEMBER = types.SimpleNamespace(is_admin=False)


@pytest.mark.contract('C-101', 'C-108')
def test_a_record_has_the_16_keys_and_glances_additions() -> None:
    record = images.record_from_wire(WIRE)
    assert set(images.STANDARD_KEYS) <= set(record)
    assert set(record) - set(images.STANDARD_KEYS) == {
        'visibility', 'tags', 'protected', 'os_hidden', 'os_hash_algo', 'os_hash_value', 'virtual_size',
    }  # fmt: skip
    assert record['properties'] == {'colour': 'red', 'mappings': [{'a': 1}]}
    assert set(images.restrict(record)) == set(images.STANDARD_KEYS)


@pytest.mark.contract('C-104')
def test_times_are_aware_utc_with_fractions_kept() -> None:
    record = images.record_from_wire(WIRE)
    assert record['created_at'] == datetime.datetime(2014, 4, 17, 10, 11, 12, tzinfo=datetime.UTC)
    assert record['updated_at'].microsecond == 500000
    with pytest.raises(ValueError, match='soon'):
        images.parse_time('soon')
    assert images.parse_time('') == ''


@pytest.mark.contract('C-105')
def test_size_is_never_none() -> None:
    assert images.record_from_wire({**WIRE, 'size': None})['size'] == 0


@pytest.mark.contract('C-095', 'C-096')
def test_locations_are_given_only_when_asked_for() -> None:
    assert 'locations' not in images.record_from_wire(WIRE)
    record = images.record_from_wire(WIRE, include_locations=True)
    assert record['locations'] == [{'url': 'file:///x', 'metadata': {}}] * 2
    assert record['direct_url'] == 'file:///x'


@pytest.mark.contract('C-078')
def test_one_bad_json_property_stays_text_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert images.record_from_wire({**WIRE, 'mappings': '{'})['properties']['mappings'] == '{'
    assert caplog.records[0].levelname == 'WARNING'


@pytest.mark.contract('C-106')
def test_a_record_shares_nothing_with_the_wire() -> None:
    wire = copy.deepcopy(WIRE)
    record = images.record_from_wire(wire, include_locations=True)
    record['tags'].append('x')
    record['locations'][0]['metadata']['k'] = 'v'
    assert wire == WIRE


@pytest.mark.contract('C-237', 'C-240', 'C-114')
def test_outgoing_values_are_what_glance_takes() -> None:
    change = images.outgoing(
        {'name': 'n', 'min_ram': '5', 'min_disk': 7.9, 'size': 3, 'deleted': False, 'status': 'x',
         'properties': {'a': 1, 'b': True, 'mappings': []}}
    )  # fmt: skip
    assert change.fields == {'name': 'n', 'min_ram': 5, 'min_disk': 7}
    assert change.properties == {'a': '1', 'b': 'True', 'mappings': '[]'}
    assert change.size == 3


@pytest.mark.contract('C-247', 'C-251', 'C-312')
def test_a_record_can_be_handed_back_and_changes_nothing() -> None:
    change = images.outgoing(images.record_from_wire(WIRE), ADMIN, creating=False)
    current = {**WIRE, 'mappings': images.outgoing({'properties': {'mappings': [{'a': 1}]}}).properties['mappings']}
    assert images.json_patch(current, change, purge_props=True) == []


@pytest.mark.contract('C-238', 'C-239')
def test_is_public_false_hides_a_public_image_and_leaves_a_shared_one() -> None:
    assert images.outgoing({'is_public': False}).fields['visibility'] == 'private'
    change = images.outgoing({'is_public': False}, creating=False)
    assert images.json_patch({'visibility': 'shared'}, change, False) == []
    assert images.json_patch({'visibility': 'public'}, change, False) == [
        {'op': 'replace', 'path': '/visibility', 'value': 'private'}
    ]


@pytest.mark.contract('C-242', 'C-243', 'C-313')
def test_none_and_empty_image_ids_are_omitted_and_removed() -> None:
    change = images.outgoing({'properties': {'kernel_id': ' None ', 'ramdisk_id': '', 'gone': None}}, creating=False)
    assert change.properties == {}
    patch = images.json_patch({'kernel_id': 'k', 'gone': 'g', 'kept': 'x'}, change, False)
    assert sorted(step['path'] for step in patch) == ['/gone', '/kernel_id']


@pytest.mark.contract('C-244')
@pytest.mark.parametrize('name', ['visibility', 'location', 'id', 'owner', 'tags', 'self', 'image_id', 'remove_props', 'backend'])
def test_a_property_never_reaches_a_base_field(name: str, caplog: pytest.LogCaptureFixture) -> None:
    change = images.outgoing({'name': 'n', 'properties': {name: 'x'}}, ADMIN)
    assert (change.fields, change.properties) == ({'name': 'n'}, {})
    assert name in caplog.text


@pytest.mark.contract('C-245')
def test_an_unknown_key_is_a_property_if_text_and_an_error_otherwise() -> None:
    assert images.outgoing({'colour': 'red'}).properties == {'colour': 'red'}
    with pytest.raises(errors.BadImageInfo, match="'colour' is 5"):
        images.outgoing({'colour': 5})


@pytest.mark.contract('C-248', 'C-329')
def test_owner_counts_for_admins_only() -> None:
    assert images.outgoing({'owner': 'p'}, ADMIN).fields == {'owner': 'p'}
    assert images.outgoing({'owner': 'p'}, MEMBER).fields == {}


@pytest.mark.contract('C-259')
def test_the_instance_owner_becomes_a_member_and_the_argument_stays() -> None:
    info = {'properties': {'instance_owner': 'p', 'a': '1'}}
    kept = copy.deepcopy(info)
    assert images.outgoing(info).member == 'p'
    assert info == kept


@pytest.mark.contract('C-266')
@pytest.mark.parametrize('properties', [None, 'text', [], 5, {1: 'x'}])
def test_properties_of_a_wrong_type_are_one_clear_error(properties: object) -> None:
    with pytest.raises(errors.BadImageInfo, match='expected'):
        images.outgoing({'properties': properties})


@pytest.mark.contract('C-266')
@pytest.mark.parametrize('value', ['text', 1])
def test_a_key_that_is_no_text_is_one_clear_error(value: object) -> None:
    with pytest.raises(errors.BadImageInfo, match='key is 3, expected text'):
        images.outgoing({3: value})  # type: ignore[dict-item]


@pytest.mark.contract('C-261', 'C-262', 'C-263')
def test_purge_removes_what_is_not_named_but_nothing_of_the_service() -> None:
    current = {'name': 'n', 'a': '1', 'b': '2', 'os_glance_importing': ''}
    change = images.outgoing({'properties': {'c': '1'}}, creating=False)
    patch = images.json_patch(current, change, purge_props=True)
    assert {(step['op'], step['path']) for step in patch} == {('add', '/c'), ('remove', '/a'), ('remove', '/b')}


def test_pointers_escape_slash_and_tilde() -> None:
    change = images.ImageChange(properties={'a/b~c': '1'})
    assert images.json_patch({}, change, False)[0]['path'] == '/a~1b~0c'


@pytest.mark.contract('C-226', 'C-227', 'C-228', 'C-229', 'C-230', 'C-231', 'C-232')
@pytest.mark.parametrize(
    ('filters', 'params', 'drop_public'),
    [
        ({'property-os_type': 'x'}, [('os_type', 'x')], False),
        ({'properties': {'a': 1}}, [('a', '1')], False),
        ({'changes-since': '2014-01-01'}, [('updated_at', 'gte:2014-01-01')], False),
        ({'is_public': 'True'}, [('visibility', 'public')], False),
        ({'is_public': True}, [('visibility', 'public')], False),
        ({'is_public': None}, [], False),
        ({'is_public': 'none'}, [], False),
        ({'is_public': False}, [], True),
        ({'is_public': '0'}, [], True),
        ({'protected': False}, [('protected', 'false')], False),
        ({'deleted': False, 'name': None}, [('name', 'None')], False),
        ({'tag': ['a', 'b']}, [('tag', 'a'), ('tag', 'b')], False),
        ({'status': ['active', 'queued']}, [('status', 'in:active,queued')], False),
        (None, [], False),
    ],
)
def test_filters_become_what_glance_takes(filters: Any, params: list[Any], drop_public: bool) -> None:
    kept = copy.deepcopy(filters)
    query = images.list_query(filters)
    assert (list(query.params), query.drop_public) == (params, drop_public)
    assert filters == kept


@pytest.mark.parametrize('filters', [{'property-': 'x'}, {'properties': 'x'}])
def test_a_filter_without_a_name_is_one_clear_error(filters: Any) -> None:
    with pytest.raises(errors.BadFilter, match='cannot be used'):
        images.list_query(filters)


@pytest.mark.contract('C-079', 'C-080', 'C-082', 'C-083', 'C-084', 'C-085', 'C-086')
@pytest.mark.parametrize(
    ('context', 'record', 'answer'),
    [
        ({'auth_token': 't'}, {}, True),
        ({'is_admin': True}, {}, True),
        ({}, {'is_public': True}, True),
        ({'project_id': 'p'}, {'properties': {'owner_id': 'p', 'project_id': 'q'}}, True),
        ({'project_id': 'p'}, {'properties': {'project_id': 'q', 'user_id': 'u'}, 'user': 'u'}, False),
        ({'project_id': 'p'}, {'properties': {}}, False),
        ({'project_id': None, 'user_id': 'u'}, {'properties': {'owner_id': 'x', 'user_id': 'u'}}, True),
        ({'user_id': None}, {'properties': {'user_id': 'None'}}, True),
    ],
)
def test_the_availability_rule(context: dict[str, Any], record: dict[str, Any], answer: bool) -> None:
    assert images.is_available(types.SimpleNamespace(**context), record) is answer


TEXT = st.text(max_size=8)


@given(st.dictionaries(TEXT, st.one_of(TEXT, st.none(), st.integers(), st.booleans())), st.dictionaries(TEXT, TEXT))
def test_a_patch_always_leads_from_current_to_wanted(given_props: dict[str, Any], current: dict[str, str]) -> None:
    """Law: applying the patch of a purge leaves exactly the wanted custom properties."""
    change = images.outgoing({'properties': given_props}, creating=False)
    state = {key: value for key, value in current.items() if key not in images.BASE_FIELDS}
    for step in images.json_patch(state, change, purge_props=True):
        key = step['path'][1:].replace('~1', '/').replace('~0', '~')
        if step['op'] == 'remove':
            del state[key]
        else:
            assert (key in state) == (step['op'] == 'replace')
            state[key] = step['value']
    assert {k: v for k, v in state.items() if not k.startswith(images.RESERVED_PREFIX)} == {
        k: v for k, v in change.properties.items() if not k.startswith(images.RESERVED_PREFIX)
    }


@pytest.mark.parametrize('size', [float('nan'), float('inf'), 1.5])
def test_a_size_that_is_no_number_of_bytes_is_refused(size: float) -> None:
    with pytest.raises(errors.ImageServiceError, match='its size is'):
        images.record_from_wire({'id': 'i', 'size': size})


def test_locations_that_are_none_are_refused_without_what_they_hold() -> None:
    with pytest.raises(errors.ImageServiceError) as caught:
        images.record_from_wire({'id': 'i', 'locations': ['swift://user:secret@host']}, include_locations=True)
    assert 'secret' not in str(caught.value)
    assert caught.value.__cause__ is None
