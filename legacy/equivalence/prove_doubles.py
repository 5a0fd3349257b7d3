# SPDX-License-Identifier: Apache-2.0
"""Doubles of old names that the new program passes by (P-48 to P-50): tests that test nothing any more.

Reads what ``prove_inside_doubles`` noted in the processes of both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from legacy.equivalence.pairing import Mismatch
from legacy.equivalence.prove_compare import Difference
from legacy.equivalence.prove_run import Side, notes
from legacy.equivalence.prove_trace import in_rewritten
from legacy.migrate import Result

#: Old name, file, line in the rewritten file.
Double = tuple[str, str, int]


def used(side: Side, migration: Result) -> Counter[Double]:
    """How often doubles made at each place were used, 0 for those that were only made."""
    tree = side.tree.resolve()
    found: Counter[Double] = Counter()
    for note in notes(side):
        if 'double' in note and Path(note['file']).is_relative_to(tree):
            file = Path(note['file']).relative_to(tree).as_posix()
            line = in_rewritten(migration.files.get(file), int(note['line']), new=side.is_new)
            found[note['double'], file, line] += bool(note['used'])
    return found


def inert(old: Sequence[Counter[Double]], new: Counter[Double]) -> list[Difference]:
    """The places whose doubles are used less often than in any run of the old program.

    A double that was rewritten stands for a new name at the same place.
    """
    found, uses = [], _by_place(new)
    for name, file, line in sorted({place for run in old for place in run}):
        before, after = min(run[name, file, line] for run in old), uses[file, line]
        if after < before:
            times = Mismatch('uses of the double', before, after)
            found.append(Difference('inert', name, file, line, (times,), name))
    return found


def _by_place(doubles: Counter[Double]) -> Counter[tuple[str, int]]:
    found: Counter[tuple[str, int]] = Counter()
    for (_, file, line), uses in doubles.items():
        found[file, line] += uses
    return found
