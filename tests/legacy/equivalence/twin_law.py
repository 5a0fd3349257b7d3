# SPDX-License-Identifier: Apache-2.0
"""What every comparison of two runs of a program asks for."""

from __future__ import annotations

from typing import Any

from legacy.equivalence.programs import Program
from legacy.equivalence.twin import Run, compare


def same(program: Program, old: Run, new: Run, **how: Any) -> None:
    """The two runs are the same, and nobody's arguments were changed."""
    found = compare(program, old, new, **how)
    assert found is None, f'{found}\nin the program\n{program!r}'
    for run in (old, new):
        untouched(program, run)


def untouched(program: Program, run: Run) -> None:
    """Only a body is read, and only a target is written to."""
    for step, each in zip(program, run.outcomes, strict=True):
        assert not each.arguments, f'{step!r} changed {each.arguments}'
        for state in each.streams.values():
            assert not isinstance(state, dict) or not state.get('closed'), f'{step!r} closed its body'
        assert not each.open_files and not each.warned
