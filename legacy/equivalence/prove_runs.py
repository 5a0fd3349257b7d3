# SPDX-License-Identifier: Apache-2.0
"""Run COMMAND on both sides, as often as it takes, and compare: repeats, noise, a baseline, inert doubles.

What the runs prove is for ``prove``; how two runs are compared is for ``prove_compare``.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legacy.equivalence.pairing import Mismatch
from legacy.equivalence.prove_baseline import Baseline, Recorded
from legacy.equivalence.prove_compare import Comparison, Difference, compare
from legacy.equivalence.prove_doubles import Double, inert, used
from legacy.equivalence.prove_noise import Noise
from legacy.equivalence.prove_run import Ended, Side, run_side
from legacy.equivalence.prove_stores import Stores
from legacy.equivalence.prove_trace import Operation, in_rewritten, operations, read
from legacy.equivalence.prove_tree import copy_tree
from legacy.migrate import Result

#: Kind, operation, file, line: what makes two differences the same one, in one run or in several.
Place = tuple[str, str, str | None, int]
_TRACE = re.compile(r'^(?: *File "(?P<file>[^"]+)", line (?P<line>\d+)|(?P<short>[\w./-]+\.py):(?P<at>\d+): )', re.MULTILINE)


@dataclass(frozen=True)
class Taken:
    """What one run of COMMAND left behind."""

    ended: Ended
    operations: list[Operation]
    stored: list[dict[str, Any]]
    doubles: Counter[Double] = field(default_factory=Counter)
    side: Side | None = None


@dataclass
class Runs:
    """All runs of one proof, and what comparing them found.

    :param often: how many differences there are at a place, over all runs, and in how many runs
    """

    old: list[Taken]
    new: list[Taken]
    comparison: Comparison
    noise: Noise
    often: dict[Place, tuple[int, int]]


def place_of(difference: Difference) -> Place:
    """What makes it the same difference in another run."""
    return difference.kind, difference.op, difference.file, difference.new_line


class Runner:
    """Makes sides from the two copies, and runs COMMAND in them."""

    def __init__(
        self, migration: Result, command: Sequence[str], kind: Stores, root: Path, cwd: Path, timeout: float | None
    ) -> None:
        self._migration, self._command, self._kind = migration, command, kind
        self._root, self._cwd, self._timeout = root, cwd, timeout
        self._started = time.time()

    def take(self, side: Side) -> Taken:
        """One run; the side's tree is made if it is not there."""
        if not side.tree.exists():
            side.place.mkdir(exist_ok=True)
            copy_tree(self._root, side.tree, side.place.parent)
            if side.is_new:
                self._migration.write(side.tree)
        self._kind.fresh(side)
        watched = [side.tree / file for file in self._migration.changed] if side.is_new else []
        ended = run_side(
            side, self._command, self._root, self._cwd, driver=self._kind.driver, settings=self._kind.settings,
            watched=watched, timeout=self._timeout,
        )  # fmt: skip
        found = read(side, self._migration)
        return Taken(ended, found, self._kind.contents(side), used(side, self._migration), side)

    def runs(self, old: Side, new: Side, repeat: int, baseline: Baseline | None, *, record: bool) -> Runs:
        """Run both sides and compare. The old side runs again when something differs, to know its noise.

        :param baseline: stands for the old side, which is not run then
        :param record: the old side's runs are kept for later, so its noise has to be known in any case
        """

        def again(side: Side, number: int) -> Taken:
            return self.take(Side(f'{side.name}-{number}', side.place.with_name(f'{side.name}-{number}')))

        if baseline is not None:
            olds = [_remembered(run, self._migration) for run in baseline.runs]
        else:
            olds = [self.take(old)]
        news = [self.take(new)]
        for number in range(2, repeat + 1):
            if baseline is None:
                olds.append(again(old, number))
            news.append(again(new, number))
        if baseline is not None:
            news = [self._by_function(each) for each in news]
        compared = [self._differ(olds[min(n, len(olds) - 1)], each) for n, each in enumerate(news)]
        steady = not any(each.differences for each in compared) and not record
        if baseline is None and len(olds) == 1 and not steady and not olds[0].ended.timed_out:
            olds.append(again(old, 2))
        noise = Noise()
        for other in olds[1:]:
            noise.learn(self._differ(olds[0], other).differences)
        for each in olds:
            noise.count(each.operations)
        return self._joined(olds, news, compared, noise)

    def _joined(self, olds: list[Taken], news: list[Taken], compared: list[Comparison], noise: Noise) -> Runs:
        comparison, is_shown = compared[0], False
        often: dict[Place, tuple[int, int]] = {}
        kept: list[Difference] = []
        for new, each in zip(news, compared, strict=True):
            found = inert([old.doubles for old in olds], new.doubles)
            found += _causes_first(noise.subtract(each.differences, new.operations))
            if found and not is_shown:  # the run that is shown: the first with a difference
                comparison, is_shown = each, True
            known = set(often)
            for place, count in Counter(map(place_of, found)).items():
                before, runs = often.get(place, (0, 0))
                often[place] = before + count, runs + 1
            kept += [difference for difference in found if place_of(difference) not in known]
        comparison.differences = kept
        return Runs(olds, news, comparison, noise, often)

    def _differ(self, one: Taken, other: Taken) -> Comparison:
        found = compare(
            one.operations, other.operations, one.stored, other.stored, (self._started, time.time())
        )
        if (one.ended.status, one.ended.timed_out) != (other.ended.status, other.ended.timed_out):
            words = Mismatch('exit', one.ended.words, other.ended.words)
            place = self._failed_at(other if other.ended.status else one)
            found.differences.append(Difference('ended', 'COMMAND', *place, (words,)))
        return found

    def _failed_at(self, taken: Taken) -> tuple[str | None, int]:
        """The last line of the tree in what COMMAND printed as a traceback."""
        if taken.side is None:
            return None, 0
        for found in reversed(list(_TRACE.finditer('\n'.join(taken.ended.tail)))):
            file, line = found['file'] or found['short'], int(found['line'] or found['at'])
            if not Path(file).is_absolute() and (taken.side.tree / file).is_file():
                known = self._migration.files.get(file)
                return file, in_rewritten(known, line, new=taken.side.is_new)
        return None, 0

    def _by_function(self, taken: Taken) -> Taken:
        raws = [each.raw for each in taken.operations]
        found = operations(raws, self._migration, new=True, by_function=True)
        return Taken(taken.ended, found, taken.stored, taken.doubles, taken.side)


def _causes_first(differences: list[Difference]) -> list[Difference]:
    """Where the new program only makes fewer calls, the line at which it ended is why."""
    ended = [each for each in differences if each.kind == 'ended' and each.file]
    others = [each for each in differences if each not in ended]
    fewer = all(each.kind in ('missing', 'stored') for each in others)
    return [*ended, *others] if fewer else differences


def _remembered(run: Recorded, migration: Result) -> Taken:
    found = operations(run.operations, migration, new=False, by_function=True)
    return Taken(run.ended, found, run.stored)


def recorded(taken: Sequence[Taken]) -> list[Recorded]:
    """Runs as a baseline keeps them."""
    return [Recorded(each.ended, [one.raw for one in each.operations], each.stored) for each in taken]
