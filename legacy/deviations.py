# SPDX-License-Identifier: Apache-2.0
"""Where this package differs from the original on purpose (D-19).

Each entry computes the answer that stands in place of the recorded one; the replay compares with that
and counts. A difference that no entry computes is a bug. The guide's table is made from this list; the
entries and their computations are in ``legacy/deviating/``.
"""

from __future__ import annotations

import copy
from typing import Any

from legacy.deviating.entry import Deviation
from legacy.deviating.listed_calls import CALLS
from legacy.deviating.listed_servers import SERVERS
from legacy.deviating.programs import Rule
from legacy.deviating.recordings import DRIVER, GLANCE, LOCAL, SEAM, Answer, Replay

__all__ = ['DEVIATIONS', 'DRIVER', 'GLANCE', 'LOCAL', 'SEAM', 'Deviation', 'expectation']

DEVIATIONS: tuple[Deviation, ...] = (*CALLS, *SERVERS)


def program_rules() -> tuple[tuple[int, Rule], ...]:
    """The rules for programs, in the order in which they are asked."""
    return tuple((entry.number, rule) for entry in DEVIATIONS for rule in entry.program)


def expectation(case: dict[str, Any], place: str, frontend: str = '') -> tuple[Answer, list[int]]:
    """What the case is expected to come to here, and the numbers of the deviations that say so."""
    replay = Replay(case, place, frontend)
    expected: Answer = copy.deepcopy(case['expect'])
    before: Answer = case['expect']
    touched: list[int] = []
    for entry in DEVIATIONS:
        try:
            entry.compute(replay, expected)
        except (AttributeError, LookupError, TypeError, ValueError):
            # A case of a shape that the computation was not written for: it says nothing about it.
            expected = copy.deepcopy(before)
        if expected != before:
            before = copy.deepcopy(expected)
            touched.append(entry.number)
    return expected, touched
