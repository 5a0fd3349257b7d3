# SPDX-License-Identifier: Apache-2.0
"""What a proof found out, as plain data, and its counts per file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from legacy.equivalence.prove_baseline import Baseline
from legacy.equivalence.prove_compare import Comparison
from legacy.equivalence.prove_noise import Field
from legacy.equivalence.prove_run import Ended
from legacy.equivalence.prove_runs import Place
from legacy.migrate import Result, Site

Verdict = Literal['proven', 'differs', 'nothing proven']
#: Stands for the file of what happened in none of the given ones.
ELSEWHERE = '(elsewhere)'


@dataclass
class Facts:
    """What a proof found out. ``reasons`` say why nothing was proven; ``notes`` what else there is to know; ``options``
    are those that decide what is compared, as on the command line."""

    path: str
    command: Sequence[str]
    driver: str
    migration: Result
    options: Sequence[str] = ()
    verdict: Verdict = 'nothing proven'
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    old: Ended | None = None
    new: Ended | None = None
    comparison: Comparison = field(default_factory=Comparison)
    not_exercised: list[Site] = field(default_factory=list)
    unproven: list[tuple[str, str]] = field(default_factory=list)
    often: dict[Place, tuple[int, int]] = field(default_factory=dict)
    noise: list[Field] = field(default_factory=list)
    raised: dict[tuple[str, int], str] = field(default_factory=dict)
    repeat: int = 1
    baseline: Baseline | None = None
    failed_alike: bool = False

    @property
    def left(self) -> list[Site]:
        return [site for site in self.migration.sites if site.status == 'left']

    def rows(self) -> list[tuple[str, list[int]]]:
        """Per file: sites found, rewritten, left, not ours; operations compared; differences."""
        sites = Counter((site.file, site.status) for site in self.migration.sites)
        operations = Counter(each.file or ELSEWHERE for each in self.comparison.compared)
        differences = Counter(each.file or ELSEWHERE for each in self.comparison.differences)
        files = sorted({file for file, _ in sites} | {*operations, *differences} - {ELSEWHERE})
        if operations[ELSEWHERE] or differences[ELSEWHERE]:
            files.append(ELSEWHERE)
        rows = []
        for file in files:
            by_status = [sites[file, status] for status in ('rewritten', 'left', 'not-ours')]
            rows.append((file, [sum(by_status), *by_status, operations[file], differences[file]]))
        return rows

    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*(row for _, row in self.rows()), strict=True)] or [0] * 6
