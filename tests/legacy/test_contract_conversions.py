# SPDX-License-Identifier: Apache-2.0
"""The conversions between records and what the client takes and gives, step by step."""

from __future__ import annotations

import copy
import datetime
import json
from types import SimpleNamespace
from typing import Any

import pytest

from legacy import glance

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
WHOLE = {
    'id': 'i', 'name': 'n', 'status': 'active', 'size': 5, 'checksum': 'c', 'owner': 'p', 'disk_format': 'raw',
    'container_format': 'bare', 'min_disk': 0, 'min_ram': 0, 'is_public': True, 'deleted': False,
    'created_at': '2014-04-17T10:11:12', 'updated_at': '2014-04-17T10:11:12', 'deleted_at': None, 'properties': {},
}  # fmt: skip


@pytest.mark.contract('C-116')
@pytest.mark.parametrize('keys', ['abc', 'cba', 'bca'])
def test_json_text_keeps_the_order_of_the_dict(keys: str) -> None:
    meta = {'properties': {'mappings': [dict.fromkeys(keys, 'x')]}}
    text = glance._convert_to_string(meta)['properties']['mappings']
    assert list(json.loads(text)[0]) == list(keys)
    assert text == json.dumps(meta['properties']['mappings'])


@pytest.mark.contract('C-117')
def test_conversion_there_and_back_changes_nothing_and_shares_nothing() -> None:
    meta = {
        'name': 'n',
        'properties': {
            'a': '1', 'mappings': [{'device': 'vda', 'virtual': 'ami'}], 'block_device_mapping': [{'no_device': True}],
        },
    }  # fmt: skip
    before = copy.deepcopy(meta)
    text = glance._convert_to_string(meta)
    assert {type(value) for value in text['properties'].values()} == {str}
    assert glance._convert_from_string(text) == meta == before
    assert isinstance(text['properties']['mappings'], str)
    plain = {'properties': {'a': ['nested']}}
    for convert in (glance._convert_to_string, glance._convert_from_string):
        again = convert(plain)
        again['properties']['a'].append('more')
        assert plain == {'properties': {'a': ['nested']}}


@pytest.mark.contract('C-118')
def test_four_read_only_fields_are_taken_out_of_a_deep_copy() -> None:
    meta = {**WHOLE, 'properties': {'a': ['nested']}}
    before = copy.deepcopy(meta)
    left = glance._remove_read_only(meta)
    assert set(meta) - set(left) == {'status', 'updated_at', 'created_at', 'deleted_at'}
    left['properties']['a'].append('more')
    assert meta == before
    assert glance._remove_read_only({'name': 'n'}) == {'name': 'n'}


@pytest.mark.contract('C-119')
def test_what_goes_out_has_json_text_and_nothing_read_only(conf: Any) -> None:
    meta = {**WHOLE, 'properties': {'mappings': [1], 'a': '1'}}
    before = copy.deepcopy(meta)
    sent = glance._translate_to_glance(meta)
    assert sent['properties'] == {'mappings': '[1]', 'a': '1'}
    assert set(meta) - set(sent) == {'status', 'created_at', 'updated_at', 'deleted_at'}
    conf.set_override('use_glance_v1', False, group='glance')
    flat = glance._translate_to_glance(meta)
    assert (flat['mappings'], flat['a'], flat['visibility'], 'properties' in flat) == ('[1]', '1', 'public', False)
    assert meta == before


@pytest.mark.contract('C-119', 'C-120')
def test_the_steps_of_both_translations_come_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def watch(name: str) -> None:
        original = getattr(glance, name)
        monkeypatch.setattr(glance, name, lambda *args: steps.append(name) or original(*args))

    for name in (
        '_convert_to_string', '_remove_read_only', '_extract_attributes', '_convert_timestamps_to_datetimes',
        '_convert_from_string',
    ):  # fmt: skip
        watch(name)
    glance._translate_to_glance(WHOLE)
    assert steps == ['_convert_to_string', '_remove_read_only']
    steps.clear()
    record = glance._translate_from_glance(SimpleNamespace(**{**WHOLE, 'properties': {'mappings': '[1]'}}))
    assert steps == ['_extract_attributes', '_convert_timestamps_to_datetimes', '_convert_from_string']
    assert record['created_at'] == datetime.datetime(2014, 4, 17, 10, 11, 12, tzinfo=datetime.UTC)
    assert record['properties'] == {'mappings': [1]}


@pytest.mark.contract('C-121')
def test_timestamps_are_converted_in_the_dict_that_was_given() -> None:
    meta = {'created_at': '2014-04-17T10:11:12', 'updated_at': None, 'name': 'n'}
    assert glance._convert_timestamps_to_datetimes(meta) is meta
    created = datetime.datetime(2014, 4, 17, 10, 11, 12, tzinfo=datetime.UTC)
    assert meta == {'created_at': created, 'updated_at': None, 'name': 'n'}
