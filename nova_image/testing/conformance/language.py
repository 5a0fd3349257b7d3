# SPDX-License-Identifier: Apache-2.0
"""Conformance: the language of Glance's filters (``in:``, comparisons, dates, ranges) and orders by several keys."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import RAW, ConformanceBase

HOUR = datetime.timedelta(hours=1)
#: name, memory, bytes; in order of creation
STOCK: tuple[tuple[str, int, bytes | None], ...] = (
    ('b', 1, b'x' * 10),
    ('a', 1, b'x' * 5),
    ('b', 2, None),
    ('a,c', 3, b'x' * 5),
    ('in:a', 0, b''),
)
NAMES = 'vwxyz'


def when(moment: datetime.datetime) -> str:
    """A moment as Glance writes it."""
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


class LanguageConformance(ConformanceBase):
    """Five images, called v to z here in order of creation, and which of them a filter leaves, in which order."""

    @pytest.fixture
    def stock(self, api: API, member: Any) -> dict[str, str]:
        """Letters of the images by their ids."""
        made = {}
        for letter, (name, memory, content) in zip(NAMES, STOCK, strict=True):
            info = {'name': name, 'min_ram': memory, 'min_disk': 4 - memory, 'properties': {'letter': letter}}
            if content:
                image = api.create(member, {**info, **RAW}, content)
            elif content is None:
                image = api.create(member, {**info, 'disk_format': 'qcow2', 'container_format': 'ovf'})
            else:
                image = api.create(member, {**info, 'size': 0})
            made[image['id']] = letter
        return made

    def letters(self, api: API, context: Any, stock: dict[str, str], **asked: Any) -> str:
        """The letters of what is listed."""
        return ''.join(stock[record['id']] for record in api.get_all(context, **asked))

    @pytest.mark.contract('C-232')
    @pytest.mark.parametrize(
        ('filters', 'expected'),
        [
            ({'name': 'in:a'}, 'w'),
            ({'name': 'in:a,b'}, 'vwx'),
            ({'name': 'in:"a,c"'}, 'y'),
            ({'name': 'in:a,"a,c",nobody'}, 'wy'),
            ({'name': ['a', 'a,c']}, 'wy'),
            ({'name': ('b',)}, 'vx'),
            ({'name': 'eq:a'}, 'w'),
            ({'name': 'eq:in:a'}, 'z'),
            ({'name': ['in:a']}, 'z'),
            ({'name': 'in:nobody'}, ''),
            ({'status': 'in:active'}, 'vwyz'),
            ({'status': 'in:queued,killed'}, 'x'),
            ({'status': 'eq:queued'}, 'x'),
            ({'disk_format': 'in:raw,qcow2'}, 'vwxyz'),
            ({'disk_format': ['qcow2']}, 'x'),
            ({'container_format': 'in:ovf,ova'}, 'x'),
            ({'name': 'in:a,b', 'status': 'in:active'}, 'vw'),
            ({'name': 'in:a,b', 'property-letter': 'v'}, 'v'),
        ],
    )
    def test_a_choice_of_values(
        self, api: API, member: Any, stock: dict[str, str], filters: Any, expected: str
    ) -> None:
        assert ''.join(sorted(self.letters(api, member, stock, filters=filters))) == expected

    @pytest.mark.contract('C-232')
    def test_a_choice_of_ids(self, api: API, member: Any, stock: dict[str, str]) -> None:
        some = [image_id for image_id, letter in stock.items() if letter in 'vz']
        for choice in (f'in:{",".join(some)}', some, tuple(some)):
            assert sorted(self.letters(api, member, stock, filters={'id': choice})) == ['v', 'z']

    @pytest.mark.contract('C-232')
    @pytest.mark.parametrize(
        ('filters', 'expected'),
        [
            ({'size_min': 5}, 'vwy'),
            ({'size_min': '6'}, 'v'),
            ({'size_max': 5}, 'wyz'),
            ({'size_min': 1, 'size_max': 9}, 'wy'),
            ({'size_min': 11}, ''),
            ({'size': 5}, 'wy'),
            ({'min_ram_min': 2}, 'xy'),
            ({'min_ram_max': '1'}, 'vwz'),
            ({'min_ram_min': 1, 'min_ram_max': 2}, 'vwx'),
            ({'min_disk_min': 3, 'size_min': 5}, 'vw'),
            ({'size_min': 5, 'name': 'in:a,b', 'min_ram': 1}, 'vw'),
        ],
    )
    def test_a_range_of_numbers(
        self, api: API, member: Any, stock: dict[str, str], filters: Any, expected: str
    ) -> None:
        assert ''.join(sorted(self.letters(api, member, stock, filters=filters))) == expected

    @pytest.mark.contract('C-228', 'C-232')
    @pytest.mark.parametrize('field', ['created_at', 'updated_at'])
    @pytest.mark.parametrize(
        ('operator', 'past', 'future'),
        [
            ('gt:', 'vwxyz', ''), ('gte:', 'vwxyz', ''), ('lt:', '', 'vwxyz'), ('lte:', '', 'vwxyz'),
            ('eq:', '', ''), ('', '', ''), ('neq:', 'vwxyz', 'vwxyz'),
        ],
    )  # fmt: skip
    def test_a_comparison_with_a_moment(
        self, api: API, member: Any, stock: dict[str, str], field: str, operator: str, past: str, future: str
    ) -> None:
        now = datetime.datetime.now(datetime.UTC)
        for moment, expected in ((now - HOUR, past), (now + HOUR, future)):
            found = self.letters(api, member, stock, filters={field: operator + when(moment)})
            assert ''.join(sorted(found)) == expected

    @pytest.mark.contract('C-228', 'C-232')
    def test_a_moment_may_have_an_offset_or_be_a_day(self, api: API, member: Any, stock: dict[str, str]) -> None:
        now = datetime.datetime.now(datetime.UTC)
        east = datetime.timezone(datetime.timedelta(hours=5))
        # By the clock on the wall it is later there, so an offset that is overlooked would find nothing.
        local = (now - HOUR).astimezone(east).isoformat(timespec='seconds')
        for since in (local, '2014-01-01', '2014-01-01T00:00:00', (now - HOUR).strftime('%Y-%m-%dT%H:%M:%S.5Z')):
            assert len(self.letters(api, member, stock, filters={'created_at': f'gte:{since}'})) == len(stock)
            assert len(self.letters(api, member, stock, filters={'changes-since': since})) == len(stock)
            assert self.letters(api, member, stock, filters={'created_at': f'lt:{since}'}) == ''

    @pytest.mark.contract('C-228', 'C-232')
    def test_a_range_of_dates(self, api: API, member: Any) -> None:
        """Times are kept finer than they are shown, so the two images are made in different seconds."""
        first = api.create(member, {'name': 'first'})
        time.sleep(1.1 - datetime.datetime.now(datetime.UTC).microsecond % 100_000 / 1e6)
        second = api.create(member, {'name': 'second'})
        early, late = when(first['created_at']), when(second['created_at'])
        assert early < late
        for filters, expected in (
            ({'created_at': f'gte:{late}'}, ['second']),
            ({'created_at': f'lt:{late}'}, ['first']),
            ({'created_at': f'gte:{early}', 'updated_at': f'lt:{late}'}, ['first']),
            ({'created_at': f'gte:{early}', 'updated_at': f'gte:{late}'}, ['second']),
            ({'created_at': f'lt:{early}', 'updated_at': f'lt:{late}'}, []),
            ({'changes-since': late}, ['second']),
            ({'changes-since': early, 'created_at': f'lt:{late}'}, ['first']),
        ):
            assert [record['name'] for record in api.get_all(member, filters=filters)] == expected

    @pytest.mark.contract('C-228', 'C-232')
    @pytest.mark.parametrize(
        'filters',
        [
            {'name': 'in:"a'},
            {'name': 'in:a"b"'},
            {'name': 'in:"a"b'},
            {'name': 'neq:a'},
            {'status': 'gt:active'},
            {'created_at': 'in:2014-01-01'},
            {'created_at': 'gt:soon'},
            {'created_at': 'after:2014-01-01T00:00:00Z'},
            {'updated_at': ''},
            {'size_min': 'gt:5'},
            {'size_max': ''},
            {'min_ram_min': 'much'},
        ],
    )
    def test_what_is_not_in_the_language_is_invalid(
        self, api: API, member: Any, stock: dict[str, str], filters: Any
    ) -> None:
        with pytest.raises(errors.Invalid):
            api.get_all(member, filters=filters)

    @pytest.mark.contract('C-225')
    @pytest.mark.parametrize(
        ('keys', 'dirs', 'expected'),
        [
            (['name', 'created_at'], ['asc', 'asc'], 'wyvxz'),
            (['name', 'created_at'], ['asc', 'desc'], 'wyxvz'),
            (['name', 'created_at'], ['desc', 'asc'], 'zvxyw'),
            (['name', 'created_at'], 'desc', 'zxvyw'),
            (['name', 'created_at'], ['asc'], 'wyvxz'),
            (('status', 'name', 'created_at'), ('desc', 'asc', 'desc'), 'xwyvz'),
            (['disk_format', 'created_at'], ['desc', 'asc'], 'vwyzx'),
            (['name'], ['asc'], 'wyvxz'),
            ('name', 'desc', 'zxvyw'),
        ],
    )
    def test_orders_by_several_keys_hold_over_pages_and_markers(
        self, api: API, member: Any, stock: dict[str, str], keys: Any, dirs: Any, expected: str
    ) -> None:
        order = {'sort_key': keys, 'sort_dir': dirs}
        assert self.letters(api, member, stock, **order) == expected
        assert self.letters(api, member, stock, page_size=2, **order) == expected
        assert self.letters(api, member, stock, page_size=2, limit=3, **order) == expected[:3]
        by_letter = {letter: image_id for image_id, letter in stock.items()}
        for place, letter in enumerate(expected[:-1]):
            rest = self.letters(api, member, stock, marker=by_letter[letter], **order)
            assert rest == expected[place + 1 :]

    @pytest.mark.contract('C-225', 'C-232')
    def test_filters_and_orders_go_together(self, api: API, member: Any, stock: dict[str, str]) -> None:
        asked: dict[str, Any] = {
            'filters': {'name': ['a', 'b', 'a,c'], 'size_min': 5, 'created_at': 'gt:2014-01-01'},
            'sort_key': ['size', 'name'], 'sort_dir': ['asc', 'desc'],
        }  # fmt: skip
        assert self.letters(api, member, stock, **asked) == 'ywv'
        assert self.letters(api, member, stock, page_size=1, limit=2, **asked) == 'yw'

    @pytest.mark.contract('C-074', 'C-232')
    def test_several_tags_hold_over_pages(self, api: API, member: Any) -> None:
        tags = (['red', 'big'], ['big', 'red'], ['red'], ['big'], ['red', 'big', 'new'])
        made = [api.create(member, {'tags': each})['id'] for each in tags]
        found = api.get_all(member, filters={'tag': ['red', 'big']}, page_size=1, sort_dir='asc')
        assert [record['id'] for record in found] == [made[0], made[1], made[4]]
