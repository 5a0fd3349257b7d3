# SPDX-License-Identifier: Apache-2.0
"""The answers recorded at the client boundary, replayed at the old seams, one test per group of cases."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from legacy import deviations
from legacy.equivalence.boundary import Runner
from legacy.equivalence.compare import differences
from legacy.equivalence.decode import GOLDEN, load

FILES = ('boundary-2014.1', 'boundary-14.0.0')


def grouped() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """All public cases by set and group."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for name in FILES:
        for case in load(GOLDEN / f'{name}.jsonl.gz'):
            found[name, case['group']].append(case)
    return found


GROUPS = grouped()


@pytest.mark.parametrize(('name', 'group'), sorted(GROUPS))
def test_answers_are_those_of_the_original(name: str, group: str) -> None:
    findings = []
    with Runner() as runner:
        for case in GROUPS[name, group]:
            expected, _ = deviations.expectation(case, deviations.SEAM)
            found = list(differences(*runner.both(case, expected)))
            findings += [f'{case["id"]}: {difference}' for difference in found[:3]]
    assert not findings, '\n'.join([f'{len(findings)} differences', *findings[:20]])
