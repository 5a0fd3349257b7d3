# SPDX-License-Identifier: Apache-2.0
"""Where this package differs from the original on purpose (D-19).

Each entry computes the answer that stands in place of the recorded one; the replay compares with that
and counts. A difference that no entry computes is a bug. The guide's table is made from this list; the
computations are in ``legacy/deviating/``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from legacy.deviating import records
from legacy.deviating.recordings import GLANCE, LOCAL, SEAM, Answer, Replay

__all__ = ['DEVIATIONS', 'GLANCE', 'LOCAL', 'SEAM', 'Deviation', 'expectation']

#: Change ``expected`` (a copy) in place where the deviation applies.
Compute = Callable[[Replay, Answer], None]


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One deliberate difference: what, why, which statements, and the computation."""

    number: int
    what: str
    why: str
    contract: tuple[str, ...]
    compute: Compute


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        number=1,
        what='Records of the v2 classes and of API carry visibility, tags, protected and virtual_size',
        why='A record that is read, changed and written back must lose nothing that Glance knows.',
        contract=('C-108', 'C-109', 'C-312'),
        compute=records.additions,
    ),
)


def expectation(case: dict[str, Any], place: str, frontend: str = '') -> tuple[Answer, list[int]]:
    """What the case is expected to come to here, and the numbers of the deviations that say so."""
    replay = Replay(case, place, frontend)
    expected: Answer = case['expect']
    touched: list[int] = []
    for entry in DEVIATIONS:
        changed = copy.deepcopy(expected)
        entry.compute(replay, changed)
        if changed != expected:
            expected = changed
            touched.append(entry.number)
    return expected, touched
