# SPDX-License-Identifier: Apache-2.0
"""Conformance: the filters of ``get_all``."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase, new_id

IDS = {name: new_id() for name in ('plain', 'full', 'empty')}


class FilterConformance(ConformanceBase):
    """Three images, ``plain``, ``full`` and ``empty``, and which of them a filter leaves."""

    @pytest.fixture
    def three(self, api: API, member: Any) -> None:
        """Make the three images."""
        api.create(member, {'id': IDS['plain'], 'name': 'plain', 'is_public': False})
        full = {
            'id': IDS['full'], 'name': 'full,name', 'min_ram': 64, 'min_disk': 2, 'tags': ['red', 'big'],
            'protected': True, 'properties': {
                'os_type': 'linux', 'type': 'x', 'project_id': 'p', 'Case': 'A', 'a,b': 'c', 'none': 'None',
            }, **RAW,
        }  # fmt: skip
        api.create(member, full, CONTENT)
        api.create(
            member, {'id': IDS['empty'], 'name': 'empty', 'size': 0, 'tags': ['red'], 'properties': {'os_type': 'bsd'}}
        )

    @pytest.fixture(autouse=True)
    def _unprotect(self, request: pytest.FixtureRequest, api: API, member: Any) -> Any:
        """Leave nothing behind that a test against a shared server could not delete."""
        yield
        if 'three' in request.fixturenames:
            api.update(member, IDS['full'], {'protected': False})
            for image_id in IDS.values():
                api.delete(member, image_id)

    def left(self, api: API, context: Any, filters: Any) -> set[str]:
        """The names of the images that a filter leaves."""
        names = {image_id: name for name, image_id in IDS.items()}
        return {names[record['id']] for record in api.get_all(context, filters=filters)}

    @pytest.mark.contract('C-232')
    @pytest.mark.parametrize(
        ('filters', 'expected'),
        [
            ({}, 'plain full empty'),
            ({'name': 'plain'}, 'plain'),
            ({'name': 'Plain'}, ''),
            ({'status': 'active'}, 'full empty'),
            ({'status': 'queued'}, 'plain'),
            ({'disk_format': 'raw'}, 'full empty'),
            ({'container_format': 'bare'}, 'full empty'),
            ({'min_ram': 64}, 'full'),
            ({'min_disk': '2'}, 'full'),
            ({'size_min': 1}, 'full'),
            ({'size_max': 10}, 'empty'),
            ({'size_min': 0, 'size_max': len(CONTENT)}, 'full empty'),
            ({'visibility': 'private'}, 'plain'),
            ({'visibility': 'shared'}, 'full empty'),
            ({'visibility': 'public'}, ''),
            ({'tag': 'red'}, 'full empty'),
            ({'tag': ['red', 'big']}, 'full'),
            ({'tags': ['big']}, 'full'),
            ({'protected': 'true'}, 'full'),
            ({'protected': False}, 'plain empty'),
            ({'status': 'active', 'min_ram': '64'}, 'full'),
            ({'status': 'queued', 'min_ram': '64'}, ''),
            ({'name': 'in:plain,empty'}, 'plain empty'),
            ({'name': ['plain', 'full,name']}, 'plain full'),
            ({'status': 'in:active,queued'}, 'plain full empty'),
        ],
    )
    def test_fields(self, api: API, member: Any, three: None, filters: Any, expected: str) -> None:
        assert self.left(api, member, filters) == set(expected.split())

    @pytest.mark.contract('C-232')
    def test_the_id(self, api: API, member: Any, three: None) -> None:
        assert self.left(api, member, {'id': IDS['plain']}) == {'plain'}
        both = f'in:{IDS["plain"]},{IDS["empty"]}'
        assert self.left(api, member, {'id': both}) == {'plain', 'empty'}

    @pytest.mark.contract('C-226', 'C-227', 'D-11')
    @pytest.mark.parametrize(
        ('filters', 'expected'),
        [
            ({'property-os_type': 'linux'}, 'full'),
            ({'property-type': 'x'}, 'full'),
            ({'property-project_id': 'p'}, 'full'),
            ({'property-Case': 'A'}, 'full'),
            ({'property-Case': 'a'}, ''),
            ({'property-os_type': 'linux', 'property-type': 'x'}, 'full'),
            ({'property-os_type': 'bsd', 'property-type': 'x'}, ''),
            ({'properties': {'os_type': 'bsd'}}, 'empty'),
            ({'properties': {'os_type': 'linux', 'type': 'y'}}, ''),
            ({'os_type': 'linux'}, 'full'),
            ({'property-none': None}, 'full'),
        ],
    )
    def test_properties_by_their_exact_name(
        self, api: API, member: Any, three: None, filters: Any, expected: str
    ) -> None:
        assert self.left(api, member, filters) == set(expected.split())

    @pytest.mark.contract('C-233', 'D-16')
    def test_an_unknown_name_is_a_property_nobody_has(self, api: API, member: Any, three: None) -> None:
        assert self.left(api, member, {'bogus': 1}) == set()

    @pytest.mark.contract('C-233')
    def test_deleted_is_not_a_filter(self, api: API, member: Any, three: None) -> None:
        assert self.left(api, member, {'deleted': True}) == {'plain', 'full', 'empty'}

    @pytest.mark.contract('C-229', 'C-230', 'C-231')
    @pytest.mark.parametrize(
        ('value', 'expected'),
        [
            (None, 'plain full empty'), ('none', 'plain full empty'), ('True', ''), (True, ''), ('1', ''),
            (False, 'plain full empty'), ('false', 'plain full empty'), ('0', 'plain full empty'),
        ],
    )  # fmt: skip
    def test_is_public_false_means_not_public(
        self, api: API, member: Any, three: None, value: Any, expected: str
    ) -> None:
        assert self.left(api, member, {'is_public': value}) == set(expected.split())

    @pytest.mark.contract('C-228')
    def test_changes_since(self, api: API, member: Any, three: None) -> None:
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        for hours, expected in ((-1, {'plain', 'full', 'empty'}), (1, set())):
            when = (now + datetime.timedelta(hours=hours)).strftime('%Y-%m-%dT%H:%M:%SZ')
            assert self.left(api, member, {'changes-since': when}) == expected

    @pytest.mark.contract('C-228', 'C-232')
    @pytest.mark.parametrize(
        'filters',
        [
            {'changes-since': 'yesterday'},
            {'protected': 'perhaps'},
            {'os_hidden': 'perhaps'},
            {'size_min': 'small'},
            {'visibility': 'secret'},
            {'created_at': 'like:2020'},
        ],
    )
    def test_a_value_that_glance_refuses_is_invalid(
        self, api: API, member: Any, three: None, filters: Any
    ) -> None:
        with pytest.raises(errors.Invalid):
            api.get_all(member, filters=filters)

    @pytest.mark.contract('C-070')
    @pytest.mark.parametrize('filters', [['name'], 'name=x', 7])
    def test_filters_that_are_no_dict_are_refused(self, api: API, member: Any, filters: Any) -> None:
        with pytest.raises(errors.BadFilter) as caught:
            api.get_all(member, filters=filters)
        assert isinstance(caught.value, AttributeError)

    @pytest.mark.contract('C-227')
    @pytest.mark.parametrize('filters', [{'properties': 'os_type'}, {'property-': 'x'}])
    def test_a_filter_that_says_nothing_is_refused(self, api: API, member: Any, filters: Any) -> None:
        with pytest.raises(errors.BadFilter):
            api.get_all(member, filters=filters)

    @pytest.mark.contract('C-069')
    def test_filters_stay_as_they_are(self, api: API, member: Any) -> None:
        filters = {'properties': {'a': 'b'}, 'is_public': None, 'property-c': 'd', 'tag': ['x']}
        before = copy.deepcopy(filters)
        api.get_all(member, filters=filters)
        assert filters == before
