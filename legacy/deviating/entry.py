# SPDX-License-Identifier: Apache-2.0
"""What one deliberate difference consists of: number, words, statements, and its computation (D-19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from legacy.deviating.programs import Rule
from legacy.deviating.recordings import Answer, Replay

#: Change ``expected`` (a copy) in place where the deviation applies.
Compute = Callable[[Replay, Answer], None]


def _nothing(replay: Replay, expected: Answer) -> None:
    """A deviation of programs only."""


def either(*computes: Compute) -> Compute:
    """One deviation that is computed otherwise at another place."""

    def compute(replay: Replay, expected: Answer) -> None:
        for each in computes:
            each(replay, expected)

    return compute


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One deliberate difference: what, why, which statements, and the computation."""

    number: int
    what: str
    why: str
    contract: tuple[str, ...]
    #: for one case as it was recorded
    compute: Compute = _nothing
    #: for the steps of a program against a server: the first that applies to a step names its deviation
    program: tuple[Rule, ...] = ()
