# SPDX-License-Identifier: Apache-2.0
"""The judge itself: recorded forms go in and come out unchanged, and no planted difference slips by."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from legacy.equivalence.compare import differences
from legacy.equivalence.decode import GOLDEN, World, common, load

BOUNDARY = ('boundary-2014.1', 'boundary-14.0.0')


def some_cases(name: str, step: int = 41) -> list[dict[str, Any]]:
    """A part of a set that touches every group."""
    return [case for number, case in enumerate(load(GOLDEN / f'{name}.jsonl.gz')) if number % step == 0]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar of an expectation, with the way to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    else:
        yield path, value


def planted(expect: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of ``expect`` with another value at ``path``."""
    changed = copy.deepcopy(expect)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def is_ignored(expect: dict[str, Any], path: tuple[Any, ...]) -> bool:
    """What the format says does not count: logger names and wording, repr texts, Python's own words."""
    holder: Any = expect
    for step in path[:-1]:
        holder = holder[step]
    name = path[-1]
    if not isinstance(holder, dict):
        return 'mro' in path
    if holder.get('ev') == 'log' and name in ('logger', 'message'):
        return True
    if '$repr' in holder and name == '$repr':
        return True
    if 'mro' in holder:
        return name == 'volatile_message' or (name.startswith('message') and holder.get('volatile_message'))
    return False


@pytest.mark.parametrize('name', BOUNDARY)
def test_an_answer_is_the_same_as_itself(name: str) -> None:
    for case in some_cases(name, 7):
        assert not list(differences(case['expect'], copy.deepcopy(case['expect']))), case['id']


@pytest.mark.parametrize('name', BOUNDARY)
def test_every_planted_difference_is_found(name: str) -> None:
    for case in some_cases(name, 97):
        expect = case['expect']
        for path, value in leaves(expect):
            if is_ignored(expect, path):
                continue
            for other in ('planted', 17, None, True):
                if other == value and type(other) is type(value):
                    continue
                changed = planted(expect, path, other)
                assert list(differences(expect, changed)), (case['id'], path, other)


@pytest.mark.parametrize('name', BOUNDARY)
def test_a_missing_or_extra_event_is_found(name: str) -> None:
    for case in some_cases(name, 23):
        for number, step in enumerate(case['expect']['steps']):
            for place in range(len(step['events'])):
                changed = copy.deepcopy(case['expect'])
                gone = changed['steps'][number]['events'].pop(place)
                assert list(differences(case['expect'], changed)), (case['id'], gone)
                changed['steps'][number]['events'][place:place] = [gone, gone]
                assert list(differences(case['expect'], changed)), (case['id'], gone)


@pytest.mark.parametrize('one, other', [(1, True), (1, 1.0), ('1', 1), (None, False), ([], {}), ('', None)])
def test_types_count(one: Any, other: Any) -> None:
    assert list(differences({'result': one}, {'result': other}))


def test_json_texts_are_compared_parsed_and_only_where_the_format_says_so() -> None:
    one, other = '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'
    assert not list(differences({'mappings': one}, {'mappings': other}))
    assert list(differences({'name': one}, {'name': other}))


def test_an_error_needs_every_recorded_ancestor_and_may_have_more() -> None:
    recorded = {'class': 'nova.exception.Invalid', 'mro': ['Invalid', 'NovaException'], 'message': 'x'}
    richer = {'class': 'nova_image.errors.Invalid', 'mro': ['Invalid', 'A', 'NovaException'], 'message': 'x'}
    poorer = {'class': 'nova_image.errors.Invalid', 'mro': ['Invalid'], 'message': 'x'}
    assert not list(differences(recorded, richer))
    assert list(differences(recorded, poorer))


def test_recorded_forms_survive_the_way_in_and_out() -> None:
    forms: list[Any] = [
        {'$tuple': [1, 'a', {'$bytes': 'YQ=='}]},
        {'$set': [1, 2]},
        {'$dict': [[1, 'one'], [None, 'n']]},
        {'$datetime': '2014-04-17T10:11:12.000123', 'offset': None},
        {'$datetime': '2014-04-17T10:11:12.000000', 'offset': 3600},
        {'$float': 'nan'},
        {'$image': {'id': 'x', 'properties': {}}},
        {'$image': {'id': 'x'}, 'model': 'v2'},
        {'$opaque': 'o'},
        {'$sink': 'out'},
        {'plain': [None, True, 2, 2.5, 'text']},
    ]
    world = World({'release': '2014.1', 'input': {}}, '/nowhere', common())
    for form in forms:
        assert world.encode(world.decode(form)) == form


def test_a_v1_image_has_exactly_its_attributes() -> None:
    world = World({'release': '2014.1', 'input': {}}, '/nowhere', common())
    image = world.decode({'$image': {'id': 'x'}})
    with pytest.raises(AttributeError):
        image.name  # noqa: B018 - reading is the point
