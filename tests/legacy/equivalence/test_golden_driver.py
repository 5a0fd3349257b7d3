# SPDX-License-Identifier: Apache-2.0
"""The boundary cases again, on the Glance driver over a scripted wire, and that this run would find a fault (D-15)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from legacy import deviations
from legacy.equivalence import boundary_plan
from legacy.equivalence.boundary_driver import DriverRunner
from legacy.equivalence.boundary_plan import NotOverHTTP
from legacy.equivalence.compare import Difference, differences
from legacy.equivalence.decode import GOLDEN, load

REASONS = {value for name, value in vars(boundary_plan).items() if name.isupper() and isinstance(value, str)}


def run(runner: DriverRunner, case: dict[str, Any]) -> list[Difference]:
    expected, _ = deviations.expectation(case, deviations.DRIVER)
    return list(differences(*runner.both(case, expected)))


def first(name: str, label: str) -> dict[str, Any]:
    """A case that covers ``label``."""
    return next(case for case in load(GOLDEN / f'{name}.jsonl.gz') if label in case['covers'])


@pytest.mark.parametrize(('name', 'least'), [('boundary-2014.1', 1300), ('boundary-14.0.0', 1300)])
def test_what_http_can_express_is_answered_as_recorded(name: str, least: int) -> None:
    findings, ran, reasons = [], 0, set()
    with DriverRunner() as runner:
        for case in load(GOLDEN / f'{name}.jsonl.gz'):
            try:
                found = run(runner, case)
            except NotOverHTTP as reason:
                reasons.add(str(reason))
                continue
            ran += 1
            findings += [f'{case["id"]}: {difference}' for difference in found[:3]]
    assert not findings, '\n'.join([f'{len(findings)} differences', *findings[:20]])
    assert ran >= least
    assert reasons <= REASONS


@pytest.mark.parametrize(
    ('group', 'way'),
    [
        ('show', ('result', 'name')),
        ('create', ('events', -1, 'kwargs', 'name')),
        ('update', ('events', -1, 'args', 0)),
        ('detail', ('events', -1, 'kwargs', 'filters', 'name')),
    ],
)
def test_a_planted_difference_is_found(group: str, way: tuple[Any, ...]) -> None:
    cases = [case for case in load(GOLDEN / 'boundary-2014.1.jsonl.gz') if case['group'] == group]
    planted = 0
    with DriverRunner() as runner:
        for case in cases:
            changed = copy.deepcopy(case)
            place = changed['expect']['steps'][-1]
            if 'result' not in place:
                continue
            try:
                for key in way[:-1]:
                    place = place[key]
                place[way[-1]] = f'not {place[way[-1]]}'
                whole = run(runner, case)
            except (KeyError, IndexError, TypeError, NotOverHTTP):
                continue
            assert not whole
            assert run(runner, changed), case['id']
            planted += 1
            if planted == 5:
                return
    assert planted, 'no case to plant it in'


def test_an_answer_that_http_cannot_carry_is_not_run() -> None:
    case = first('boundary-2014.1', 'show:error-KeyError')
    with DriverRunner() as runner, pytest.raises(NotOverHTTP, match='no answer of a server'):
        run(runner, case)
