# SPDX-License-Identifier: Apache-2.0
"""What ``status`` knows: one row for each old name in a function, and the evidence that nothing is left."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from legacy import ledger
from legacy.migrate import Result
from legacy.names import NAMES
from legacy.progress import baseline
from legacy.progress.uses import function_of, places

_CAN_RUN = frozenset(name.rpartition('.')[2] for name in NAMES)


@dataclass
class Row:
    """One old name in one function.

    :ivar rewritable: sites that ``migrate`` would rewrite; ``left``: sites that it leaves, ``codes`` why
    :ivar runs: how often it ran, None where no ledger was read or the name is none that runs
    :ivar known: what the baseline allows, None where there is none
    """

    file: str
    function: str
    name: str
    rewritable: int = 0
    left: int = 0
    codes: set[str] = field(default_factory=set)
    runs: int | None = None
    known: int | None = None

    @property
    def found(self) -> int:
        return self.rewritable + self.left

    @property
    def notes(self) -> list[str]:
        """What there is to say of the row, in a fixed order."""
        said = []
        if self.runs and not self.found:
            said.append('ran, not found')
        if self.runs == 0:
            said.append('never ran')
        if self.rewritable and not self.left:
            said.append('can go next')
        if self.codes:
            said.append(f'left: {", ".join(sorted(self.codes))}')
        if self.known is not None and self.found > self.known:
            said.append('not in the baseline')
        return said

    def as_dict(self) -> dict[str, Any]:
        """The row as it stands in JSON."""
        return {
            'file': self.file, 'function': self.function, 'name': self.name, 'rewritable': self.rewritable,
            'left': self.left, 'runs': self.runs, 'baseline': self.known, 'notes': self.notes,
        }  # fmt: skip


@dataclass
class Status:
    """Everything ``status`` knows.

    :ivar proof: what a file of ``nova-image prove --json`` says, with its path; None if none was given
    """

    result: Result
    rows: list[Row]
    ledger: ledger.Ledger | None = None
    ledger_path: str = ''
    proof: dict[str, Any] | None = None
    proof_path: str = ''

    @property
    def evidence(self) -> list[tuple[str, bool, str]]:
        """What has to hold before ``legacy`` can go: (what, whether it does, in words)."""
        found = sum(row.found for row in self.rows)
        problems = len(self.result.problems) + len(self.result.unaccounted)
        static = f'{found} old uses in {self.result.searched} files'
        if problems:
            static += f', {problems} places could not be looked at'
        runs = self.ledger.uses.total() if self.ledger else 0
        runtime = 'not known: give the ledger of a run in production with --ledger FILE'
        if self.ledger is not None:
            runtime = f'{runs} old uses since {self.ledger.since} ({self.ledger_path})'
        proof, passed = 'not known: give the file of "nova-image prove --json FILE" with --prove FILE', False
        if self.proof is not None:
            passed = self.proof['verdict'] == 'proven'
            command = ' '.join(map(str, self.proof['command']))
            proof = f'{self.proof["verdict"]}: {self.proof["path"]} by {command} ({self.proof_path})'
        return [
            ('static', not found and not problems, static),
            ('runtime', self.ledger is not None and not runs, runtime),
            ('proof', passed, proof),
        ]

    @property
    def done(self) -> bool:
        return all(holds for _, holds, _ in self.evidence)

    @property
    def totals(self) -> dict[str, int]:
        """Counts for the last line and for JSON."""
        return {
            'found': sum(row.found for row in self.rows),
            'rewritable': sum(row.rewritable for row in self.rows),
            'left': sum(row.left for row in self.rows),
            'never_ran': sum(row.found for row in self.rows if row.runs == 0),
            'ran_not_found': sum(1 for row in self.rows if row.runs and not row.found),
            'can_go_next': sum(row.rewritable for row in self.rows if not row.left),
        }


def join(
    result: Result, counted: ledger.Ledger | None = None, known: Counter[baseline.Place] | None = None
) -> list[Row]:
    """The rows of a status, by file, function and name."""
    rows: dict[baseline.Place, Row] = {}

    def row(file: str, function: str, name: str) -> Row:
        return rows.setdefault((file, function, name), Row(file, function, name))

    for site, function in places(result):
        each = row(site.file, function, _bare(site.name))
        if site.status == 'left':
            each.left += 1
            each.codes.add(site.pattern)
        else:
            each.rewritable += 1
    if counted is not None:
        for each in rows.values():
            each.runs = 0 if each.name in _CAN_RUN else None
        tree = _Tree(result)
        for (name, file, function), number in counted.uses.items():
            each = row(tree.relative(file), function_of(function), _bare(name))
            each.runs = (each.runs or 0) + number
    if known is not None:
        allowed: Counter[baseline.Place] = Counter()
        for (file, function, name), number in known.items():
            allowed[file, function, _bare(name)] += number
        for place, each in rows.items():
            each.known = allowed[place]
    return [rows[place] for place in sorted(rows)]


def _bare(name: str) -> str:
    """A name as sites and the ledger have it in common: a method without its class, a module as it is."""
    last = name.rpartition('.')[2]
    return last if last in _CAN_RUN else name


class _Tree:
    """Finds the files of the ledger in the tree that was looked at, which may be installed elsewhere."""

    def __init__(self, result: Result) -> None:
        self._root = os.path.realpath(result.root)
        self._by_name: dict[str, list[str]] = {}
        for path in result.files:
            self._by_name.setdefault(path.rpartition('/')[2], []).append(path)

    def relative(self, file: str) -> str:
        """The path as the result shows it; a file outside the tree that is like none in it stays as it is."""
        real = os.path.realpath(file)
        if os.path.isabs(file) and os.path.commonpath([real, self._root]) == self._root:
            return os.path.relpath(real, self._root).replace(os.sep, '/')
        parts = file.split(os.sep)
        alike = [(_shared(path.split('/'), parts), path) for path in self._by_name.get(parts[-1], ())]
        best = max(alike, default=(0, file))
        clear = [each for each in alike if each[0] == best[0]]
        return best[1] if len(clear) == 1 and (best[0] > 1 or best[0] == len(best[1].split('/'))) else file


def _shared(one: list[str], other: list[str]) -> int:
    """How many last parts two paths have in common."""
    number = 0
    while number < min(len(one), len(other)) and one[-1 - number] == other[-1 - number]:
        number += 1
    return number
