# SPDX-License-Identifier: Apache-2.0
"""Conformance: ``get_all``: order, pages, markers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from nova_image import API, errors, wiretap
from nova_image.testing.conformance.base import ABSENT, ConformanceBase, ids, new_id


class ListingConformance(ConformanceBase):
    """Listings as a whole; filters are in a part of their own."""

    @pytest.fixture
    def five(self, api: API, member: Any) -> list[str]:
        """The ids of five images named c, a, e, b, d, in order of creation."""
        return [api.create(member, {'name': name, 'min_ram': i})['id'] for i, name in enumerate('caebd')]

    @pytest.mark.contract('C-072')
    def test_an_empty_store_lists_nothing(self, api: API, member: Any) -> None:
        assert api.get_all(member) == []

    @pytest.mark.contract('C-072')
    def test_the_newest_come_first(self, api: API, member: Any, five: list[str]) -> None:
        records = api.get_all(member)
        assert type(records) is list
        # Although the times shown are whole seconds.
        assert [record['id'] for record in records] == five[::-1]

    @pytest.mark.contract('C-279')
    def test_every_status_is_listed(self, api: API, member: Any) -> None:
        api.create(member, {'name': 'queued'})
        api.create(member, {'name': 'active', 'size': 0})
        assert {record['status'] for record in api.get_all(member)} == {'queued', 'active'}

    @pytest.mark.contract('C-225')
    @pytest.mark.parametrize(
        ('keys', 'dirs', 'expected'),
        [
            ('name', 'asc', 'abcde'),
            ('name', 'desc', 'edcba'),
            ('name', None, 'edcba'),
            ('created_at', 'asc', 'caebd'),
            (['created_at'], ['desc'], 'dbeac'),
            (['size'], ['asc'], 'caebd'),
            (['status', 'name'], ['asc', 'desc'], 'edcba'),
            (['status', 'name'], 'asc', 'abcde'),
        ],
    )
    def test_listings_are_sorted_as_asked(
        self, api: API, member: Any, five: list[str], keys: Any, dirs: Any, expected: str
    ) -> None:
        records = api.get_all(member, sort_key=keys, sort_dir=dirs)
        assert ''.join(record['name'] for record in records) == expected

    @pytest.mark.contract('C-076')
    @pytest.mark.parametrize(
        'asked',
        [
            {'sort_key': 'colour'},
            {'sort_key': 'min_ram'},
            {'sort_key': 'name', 'sort_dir': 'sideways'},
            {'sort_key': ['name', 'size'], 'sort_dir': ['asc', 'desc', 'asc']},
        ],
    )
    def test_an_order_that_does_not_exist_is_invalid(
        self, api: API, member: Any, five: list[str], asked: Any
    ) -> None:
        with pytest.raises(errors.Invalid):
            api.get_all(member, **asked)

    @pytest.mark.contract('C-074')
    @pytest.mark.parametrize('limit', [1, 3, 5, 7])
    def test_limit_is_a_cap_over_all_pages(
        self, api: API, member: Any, five: list[str], limit: int
    ) -> None:
        records = api.get_all(member, limit=limit, page_size=2, sort_key='name', sort_dir='asc')
        assert ''.join(record['name'] for record in records) == 'abcde'[:limit]

    @pytest.mark.contract('C-074')
    @pytest.mark.parametrize('limit', [3, 4])
    def test_no_page_is_asked_for_that_is_not_needed(
        self, api: API, member: Any, five: list[str], limit: int
    ) -> None:
        """Of drivers that speak HTTP from this process; others send nothing that could be counted."""
        api.get_all(member)
        sent: wiretap.Requests = []
        wiretap.listen()
        with wiretap.into(sent):
            assert len(api.get_all(member, limit=limit, page_size=2)) == limit
        assert len(sent) <= 2

    @pytest.mark.contract('C-074', 'C-230')
    @pytest.mark.parametrize('limit', [1, 3])
    def test_limit_is_a_cap_where_public_images_are_left_out_too(
        self, api: API, member: Any, five: list[str], limit: int
    ) -> None:
        """Those are taken out of pages that are not cut to the limit."""
        assert [record['id'] for record in api.get_all(member, filters={'is_public': False}, limit=limit)] == five[
            : -limit - 1 : -1
        ]

    @pytest.mark.contract('C-074')
    @pytest.mark.parametrize('page_size', [1, 2, 5, 6, 5000])
    def test_page_size_does_not_change_the_listing(
        self, api: API, member: Any, five: list[str], page_size: int
    ) -> None:
        assert api.get_all(member, page_size=page_size) == api.get_all(member)

    @pytest.mark.contract('C-067')
    @pytest.mark.parametrize('nothing', [None, 0, '', ()])
    def test_falsy_arguments_are_as_good_as_none(
        self, api: API, member: Any, five: list[str], nothing: Any
    ) -> None:
        asked: Any = dict.fromkeys(
            ('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir'), nothing
        )
        assert api.get_all(member, **asked) == api.get_all(member)

    @pytest.mark.contract('C-225')
    def test_a_marker_starts_behind_that_image(self, api: API, member: Any, five: list[str]) -> None:
        order = [record['id'] for record in api.get_all(member, sort_key='name', sort_dir='asc')]
        for place, marker in enumerate(order):
            rest = api.get_all(member, marker=marker, sort_key='name', sort_dir='asc')
            assert [record['id'] for record in rest] == order[place + 1 :]

    @pytest.mark.contract('C-225')
    def test_a_marker_works_where_images_are_equal(self, api: API, member: Any) -> None:
        for _ in range(4):
            api.create(member, {'name': 'same'})
        order = [record['id'] for record in api.get_all(member, sort_key='name')]
        rest = api.get_all(member, sort_key='name', marker=order[1], page_size=1)
        assert [record['id'] for record in rest] == order[2:]

    @pytest.mark.contract('C-328')
    @pytest.mark.parametrize('marker', [ABSENT, 'no-such-id'])
    def test_an_unknown_marker_is_invalid(
        self, api: API, member: Any, five: list[str], marker: str
    ) -> None:
        with pytest.raises(errors.Invalid):
            api.get_all(member, marker=marker)

    def test_a_negative_limit_is_invalid(self, api: API, member: Any, five: list[str]) -> None:
        """Glance's API: a limit is a whole number from 0 on; 0 means none here (C-067)."""
        with pytest.raises(errors.Invalid):
            api.get_all(member, limit=-1)

    @pytest.mark.contract('D-4')
    def test_an_unknown_keyword_is_a_type_error(self, api: API, member: Any) -> None:
        with pytest.raises(TypeError):
            api.get_all(member, colour='blue')  # type: ignore[call-arg]

    @pytest.mark.contract('C-235')
    def test_hidden_images_are_listed_on_request_only(self, api: API, member: Any) -> None:
        shown = api.create(member, {'name': 'shown'})
        hidden = api.create(member, {'name': 'hidden', 'os_hidden': True})
        assert ids(api.get_all(member)) == {shown['id']}
        assert ids(api.get_all(member, filters={'os_hidden': 'true'})) == {hidden['id']}
        assert api.get(member, hidden['id'])['os_hidden'] is True

    @pytest.mark.contract('C-072')
    def test_ids_chosen_by_the_caller_are_listed_like_others(self, api: API, member: Any) -> None:
        image_id = new_id()
        api.create(member, {'id': image_id})
        assert ids(api.get_all(member)) == {image_id}
