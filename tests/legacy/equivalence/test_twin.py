# SPDX-License-Identifier: Apache-2.0
"""The law of D-2: an old call equals the call its rewrite makes; and the local store equals a real Glance.

Programs of image operations run on twin stores; how many stands in ``tests/budgets.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from budgets import budget
from hypothesis import given
from twin_law import same, same_paths, same_stores

from legacy.equivalence import twin_stores
from legacy.equivalence.programs import ABSENT, Body, Program, Step, programs
from legacy.equivalence.twin import compare
from legacy.equivalence.twin_calls import Call, new_call
from nova_image import API

if TYPE_CHECKING:
    from nova_image.testing.servers import GlanceServer

pytestmark = pytest.mark.usefixtures('stores_in_memory')

GOOD = {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare'}
#: A program that touches the corners which the rewrite has to bridge; also what a pasted program looks like.
CORNERS: Program = [
    Step(
        'create',
        'ann',
        None,
        {'image_meta': {**GOOD, 'properties': {'a': None, 'kernel_id': None, 'b': 7}}},
    ),
    Step('update', 'ann', 0, {'image_meta': {'properties': {'c': 'd'}}}),
    Step(
        'update',
        'ann',
        0,
        {'image_meta': {'properties': {'e': None}}, 'data': Body(b'abcdef', 'pipe')},
    ),
    Step(
        'update',
        'ann',
        0,
        {'image_meta': {'properties': {'f': 'g'}}, 'purge_props': False},
        remote=True,
    ),
    Step('create', 'ann', None, {'image_meta': {**GOOD, 'foo': 'bar'}}),
    Step('create', 'ann', None, {'image_meta': {**GOOD, 'name': 'two'}}),
    Step('detail', 'ann', None, {'filters': {'foo': 'bar', 'name': 'one'}, 'unknown': 'word'}),
    Step(
        'detail',
        'nobody',
        None,
        {'filters': {'is_public': 'none'}, 'sort_key': 'name', 'sort_dir': 'asc'},
    ),
    Step('show', 'bob', 0),
    Step('show', 'ann', 'a/b'),
    Step('download', 'ann', 0, {'into': 'both'}),
    Step('download', 'ann', 0, {'into': 'path'}),
    Step('delete', 'ann', ABSENT),
    Step('delete', 'ann', 0),
]


@pytest.mark.contract('D-2')
@budget(40, long=1000)
@given(programs())
def test_an_old_call_equals_its_rewrite_on_the_local_store(program: Program) -> None:
    same(program, twin_stores.old_on_local(program), twin_stores.new_on_local(program))


@pytest.mark.contract('D-2')
@budget(15, long=500)
@given(programs())
def test_an_old_call_equals_its_rewrite_where_nobody_has_to_say_who_they_are(
    program: Program,
) -> None:
    same(
        program,
        twin_stores.old_on_local(program, 'noauth'),
        twin_stores.new_on_local(program, 'noauth'),
    )


@pytest.mark.contract('D-2', 'C-160', 'C-176', 'C-177', 'C-313', 'D-16')
@pytest.mark.parametrize('auth_strategy', ['keystone', 'noauth'])
def test_the_corners_that_a_rewrite_bridges_are_equal(auth_strategy: str) -> None:
    old = twin_stores.old_on_local(CORNERS, auth_strategy)
    assert [each.error for each in old.outcomes[:4]] == [None] * 4
    assert old.outcomes[1].result['properties'] == {'c': 'd'}
    assert old.outcomes[2].result['properties'] == {'c': 'd', 'e': 'None'}
    assert old.outcomes[3].result['properties'] == {'c': 'd', 'e': 'None', 'f': 'g'}
    assert old.outcomes[10].delivered == b'abcdef'
    same(CORNERS, old, twin_stores.new_on_local(CORNERS, auth_strategy))


def _wrong(method: str, **changed: Any) -> Any:
    """A rewrite that gets one argument of one method wrong."""

    def call(api: API) -> Call:
        class Wrong:
            def __getattr__(self, name: str) -> Any:
                made = getattr(api, name)
                return (
                    made
                    if name != method
                    else lambda *args, **given: made(*args, **{**given, **changed})
                )

        return new_call(Wrong())  # type: ignore[arg-type]

    return call


@pytest.mark.parametrize(
    'wrong',
    [
        _wrong('update', purge_props=False),
        _wrong('get_all', filters=None),
        _wrong('download', data=None),
    ],
    ids=['purge', 'filters', 'data'],
)
def test_a_wrong_rewrite_does_not_pass(wrong: Any) -> None:
    old, new = twin_stores.old_on_local(CORNERS), twin_stores.new_on_local(CORNERS, call=wrong)
    assert compare(CORNERS, old, new) is not None


def test_a_program_prints_as_something_that_can_be_pasted() -> None:
    assert eval(repr(CORNERS), {'Step': Step, 'Body': Body}) == CORNERS


KNOWN = twin_stores.known_contexts()


@pytest.mark.glance
@pytest.mark.contract('D-2')
@budget(8, long=400)
@given(program=programs())
def test_an_old_call_equals_its_rewrite_on_a_real_glance(
    noauth: GlanceServer, program: Program
) -> None:
    same_paths(program, noauth)


@pytest.mark.glance
@budget(8, long=400)
@given(program=programs())
def test_the_local_store_cannot_be_told_from_a_glance_without_authentication(
    noauth: GlanceServer, program: Program
) -> None:
    same_stores(program, noauth)


@pytest.mark.glance
@budget(8, long=400)
@given(program=programs())
def test_the_local_store_cannot_be_told_from_a_glance_with_projects(
    tenants: GlanceServer, program: Program
) -> None:
    same_stores(program, tenants, 'keystone', KNOWN)


def test_temporary_directories_are_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    twin_stores.new_on_local(CORNERS)
    assert list(tmp_path.iterdir()) == []
