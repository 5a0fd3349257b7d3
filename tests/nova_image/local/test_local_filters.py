# SPDX-License-Identifier: Apache-2.0
"""Listing a local store: SQL and a plain reading of the rules agree, whatever the filters."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova_image import errors
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf

NAMES = (None, 'a', 'b', 'B', 'a,b', 'é', 'zz')  # empty next to none would sort as Glance sorts: not at all
VISIBILITIES = ('private', 'shared', 'community', 'public')
PROJECTS = ('p', 'q')


class Stock:
    """A driver, and the records of all its images, newest first."""

    def __init__(self, driver: LocalDriver, records: list[dict[str, Any]]) -> None:
        self.driver = driver
        self.records = records

    def __iter__(self) -> Iterator[Any]:
        return iter((self.driver, self.records))


@pytest.fixture(scope='module')
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """A store with an image of every kind, and its records as an administrator sees them, newest first."""
    driver = LocalDriver(local_conf(tmp_path_factory.mktemp('stock')))
    admin = SimpleNamespace(auth_token='t', project_id='x', user_id='u', is_admin=True, roles=['admin'])
    records = []
    for number in range(40):
        info = {
            'name': NAMES[number % 7],
            'visibility': VISIBILITIES[number % 4],
            'owner': PROJECTS[number % 3 % 2],
            'os_hidden': number % 11 == 0,
            'protected': number % 5 == 0,
            'min_ram': number % 3,
            'tags': ['x', 'y', 'z'][: number % 4],
            'properties': {'color': 'red'} if number % 2 else {'color': 'blue', 'os_type': 'linux'},
        }
        data = b'x' * number if number % 3 else None
        if data:
            info |= {'disk_format': 'raw', 'container_format': 'bare'}
        records.insert(0, driver.create(admin, info, data))
    yield Stock(driver, records)
    driver.close()


def who(project: str, admin: bool) -> Any:
    return SimpleNamespace(auth_token='t', project_id=project, user_id='u', is_admin=admin, roles=['member'])


FILTERS: dict[str, tuple[Any, Any]] = {
    'name': (st.sampled_from([name for name in NAMES if name is not None]), lambda r, v: r['name'] == v),
    'status': (st.sampled_from(['queued', 'active']), lambda r, v: r['status'] == v),
    'owner': (st.sampled_from([*PROJECTS, 'nobody']), lambda r, v: r['owner'] == v),
    'size_min': (st.integers(-1, 45), lambda r, v: r['checksum'] is not None and r['size'] >= v),
    'size_max': (st.integers(-1, 45), lambda r, v: r['checksum'] is not None and r['size'] <= v),
    'min_ram': (st.integers(0, 3), lambda r, v: r['min_ram'] == v),
    'protected': (st.booleans(), lambda r, v: r['protected'] == v),
    'tag': (
        st.lists(st.sampled_from(['x', 'y', 'z', 'w']), max_size=3),
        lambda r, v: set(v) <= set(r['tags']),
    ),
    'property-color': (st.sampled_from(['red', 'blue', 'green']), lambda r, v: r['properties']['color'] == v),
    'property-os_type': (st.just('linux'), lambda r, v: r['properties'].get('os_type') == v),
    'is_public': (st.sampled_from([None, 'none']), lambda r, v: True),
}


def visible(record: dict[str, Any], project: str, admin: bool) -> bool:
    """Who finds which images without asking for a visibility (C-235)."""
    if record['os_hidden']:
        return False
    if record['visibility'] == 'community':
        return bool(record['owner'] == project)
    return bool(admin or record['visibility'] == 'public' or record['owner'] == project)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_filter_finds_what_it_says(stocked: Stock, data: st.DataObject) -> None:
    driver, records = stocked
    names = data.draw(st.sets(st.sampled_from(sorted(FILTERS)), max_size=3))
    filters = {name: data.draw(FILTERS[name][0], label=name) for name in sorted(names)}
    project, admin = data.draw(st.sampled_from(PROJECTS)), data.draw(st.booleans())
    found = driver.list(who(project, admin), filters=dict(filters))
    wanted = [
        record
        for record in records
        if visible(record, project, admin)
        and all(FILTERS[name][1](record, value) for name, value in filters.items())
    ]
    assert found == wanted


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(['name', 'status', 'disk_format', 'id', 'created_at']), min_size=1, unique=True),
    st.sampled_from(['asc', 'desc']),
    st.integers(1, 7),
)
def test_pages_put_together_are_the_whole_list(stocked: Stock, keys: list[str], direction: str, size: int) -> None:
    driver, _ = stocked
    caller = who('p', True)
    whole = driver.list(caller, sort_key=keys, sort_dir=direction)
    pages: list[dict[str, Any]] = []
    while page := driver.list(
        caller, sort_key=keys, sort_dir=direction, limit=size, marker=pages[-1]['id'] if pages else None
    ):
        assert len(page) <= size
        pages += page
        assert len(pages) <= len(whole)
    assert pages == whole


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(['name', 'created_at', 'updated_at', 'id', 'status', 'size_min', 'foo_max', 'tags']),
            st.text(min_size=1, max_size=12),
        ),
        st.one_of(
            st.text(max_size=20),
            st.builds('{}:{}'.format, st.sampled_from(['in', 'gt', 'lte', 'neq', 'eq']), st.text(max_size=12)),
        ),
        max_size=3,
    ),
    st.one_of(st.none(), st.text(max_size=8), st.integers(), st.lists(st.integers(), max_size=2)),
    st.one_of(st.none(), st.integers(-2, 2**70), st.text(max_size=4)),
)
def test_whatever_is_asked_is_answered_or_refused(stocked: Stock, filters: Any, sort_key: Any, limit: Any) -> None:
    driver, _ = stocked
    try:
        driver.list(who('p', True), filters=filters, sort_key=sort_key, limit=limit)
    except (errors.Invalid, errors.ImageServiceError):
        pass


@pytest.mark.contract('C-328')
def test_a_marker_that_is_not_there_is_a_bad_request(stocked: Stock) -> None:
    driver, _ = stocked
    with pytest.raises(errors.Invalid, match='nowhere'):
        driver.list(who('p', False), marker='nowhere')


def test_an_administrators_pages_go_on_after_a_deleted_image(driver: LocalDriver, admin: Any) -> None:
    first, second, third = (driver.create(admin, {'name': name}) for name in 'abc')
    driver.delete(admin, second['id'])
    assert driver.list(admin, marker=second['id']) == [first]
    assert driver.list(admin, marker=second['id'], sort_dir='asc') == [third]


@pytest.mark.contract('C-231')
def test_not_public_means_every_other_visibility(stocked: Stock) -> None:
    driver, records = stocked
    found = driver.list(who('p', True), filters={'is_public': False})
    assert {record['visibility'] for record in found} == {'private', 'shared', 'community'}
    assert len(found) == sum(visible(r, 'p', True) and not r['is_public'] for r in records)
