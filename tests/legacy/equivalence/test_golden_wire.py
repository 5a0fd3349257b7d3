# SPDX-License-Identifier: Apache-2.0
"""The programs recorded against a real Glance, on the embedded store and on a real Glance of today."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from legacy.equivalence import wire, wire_compare
from legacy.equivalence.compare import differences
from legacy.equivalence.decode import GOLDEN, load

pytestmark = pytest.mark.usefixtures('stores_in_memory')

CASES = [case for name in ('wire-14.0.0', 'wire-34.0.0') for case in load(GOLDEN / f'{name}.jsonl.gz')]


def findings(cases: list[dict[str, Any]], frontend: str, server: Any) -> list[str]:
    """Every difference that no deviation computes."""
    found = []
    for case in cases:
        if frontend in wire.frontends(case):
            expected, _, observed = wire_compare.answers(wire.Program(case, frontend, server))
            found += [f'{case["id"]}: {difference}' for difference in differences(expected, observed)]
    return found


@pytest.mark.parametrize('frontend', ['service', 'legacy-api', 'api'])
def test_programs_on_the_embedded_store_answer_as_recorded(frontend: str) -> None:
    found = findings([case for case in CASES if not wire.needs_glance(case)], frontend, None)
    assert not found, '\n'.join(found[:20])


FRONTENDS = ('service', 'legacy-api', 'api')


def _usual(case: dict[str, Any], frontend: str) -> bool:
    """Every program that only a Glance can run, through one front end; of those that the embedded store is held to
    anyway a third."""
    ways = wire.frontends(case) if wire.needs_glance(case) else FRONTENDS
    return ways[zlib.crc32(case['id'].encode()) % len(ways)] == frontend


@pytest.mark.glance
@pytest.mark.parametrize('share', ['usual', pytest.param('rest', marks=pytest.mark.slow)])
@pytest.mark.parametrize('mode', ['noauth', 'tenants'])
@pytest.mark.parametrize('frontend', FRONTENDS)
def test_programs_on_a_real_glance_answer_as_recorded(
    mode: str, frontend: str, share: str, request: pytest.FixtureRequest
) -> None:
    cases = [
        case for case in CASES if case['server'] == mode and _usual(case, frontend) == (share == 'usual')
    ]
    found = findings(cases, frontend, request.getfixturevalue(mode))
    assert not found, '\n'.join(found[:20])


def test_a_planted_difference_in_a_program_is_found() -> None:
    case = next(case for case in CASES if case['program'] == 'delete-missing' and not wire.needs_glance(case))
    frontend = wire.frontends(case)[0]
    expected, _, observed = wire_compare.answers(wire.Program(case, frontend, None))
    assert not list(differences(expected, observed))
    for step in observed['steps']:
        for key in list(step):
            kept = step.pop(key)
            assert list(differences(expected, observed)), key
            step[key] = kept
