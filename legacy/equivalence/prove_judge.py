# SPDX-License-Identifier: Apache-2.0
"""What two runs prove: the verdict, and the reasons why it is none."""

from __future__ import annotations

from collections.abc import Sequence

from legacy.equivalence.prove_report import Proof
from legacy.equivalence.prove_run import Side, notes
from legacy.equivalence.prove_trace import Operation, gaps, span
from legacy.migrate import Site

_IMPORTS = frozenset(f'P-0{number}' for number in range(1, 8))


def judge(
    proof: Proof,
    old: Side,
    new: Side,
    before: Sequence[Operation],
    after: Sequence[Operation],
    lines: set[tuple[str, int]],
) -> None:
    """Set the verdict. Without an operation and a rewritten line that ran, nothing is proven."""
    rewritten = [site for site in proof.migration.sites if site.status == 'rewritten']
    proof.not_exercised = [site for site in rewritten if not _ran(site, lines)]
    ran = [site for site in rewritten if site not in proof.not_exercised and site.pattern not in _IMPORTS]
    ended_alike = not any(each.kind == 'ended' for each in proof.comparison.differences)
    problems = [
        entry['problem'] for side in (old, new) for entry in notes(side) if 'problem' in entry
    ]
    lost = gaps(before) + gaps(after)
    is_prepared = bool(notes(old) or notes(new))
    if not is_prepared:
        proof.reasons.append(
            'COMMAND started no Python process that could be prepared (PYTHONPATH has to reach it: no -E, -I or -S)'
        )
    elif not before and not after:
        proof.reasons.append('no image operation was recorded')
    if is_prepared and not ran and rewritten:
        files = {file for file, _ in lines} & set(proof.migration.changed)
        proof.reasons.append(
            'no rewritten call was executed'
            if files
            else 'COMMAND executed none of the rewritten files; does it run the code from somewhere else '
            'than the tree that was copied (an installed package: set PYTHONPATH=$PWD; or a directory above it: '
            'give --root)?'
        )
        proof.notes += _from_elsewhere(after)
    if lost:
        proof.reasons.append(f'{lost} operations are missing in the recordings')
    if proof.migration.unaccounted:
        count = len(proof.migration.unaccounted)
        proof.reasons.append(
            f'{count} mentions of the old module have no site: {proof.migration.unaccounted[0]}'
        )
    if proof.reasons:
        proof.notes += [f'in COMMAND: {problem}' for problem in dict.fromkeys(problems)]
    inert = any(each.kind == 'inert' for each in proof.comparison.differences)
    if not is_prepared:
        proof.comparison.differences = []
    elif proof.comparison.differences and (ran or inert or not ended_alike or lines or proof.baseline):
        proof.verdict = 'differs'
    elif not proof.reasons:
        proof.verdict = 'proven'
    if proof.new and proof.new.status and ended_alike:
        proof.failed_alike = True
        proof.notes.append(f'COMMAND failed on both sides alike: {proof.new.words}')
        if is_prepared and proof.reasons:  # and this is likely why
            proof.reasons.insert(0, f'COMMAND failed on both sides alike ({proof.new.words})')
    if proof.comparison.concurrent:
        proof.notes.append('operations ran at the same time; their order was not compared')


def _from_elsewhere(operations: Sequence[Operation]) -> list[str]:
    """Files outside the tree that made operations, as a hint."""
    files = {
        str((each.raw.get('caller') or {}).get('file')) for each in operations if each.file is None
    }
    return [f'operations came from {", ".join(sorted(files)[:3])}'] if files else []


def _ran(site: Site, lines: set[tuple[str, int]]) -> bool:
    if site.pattern in _IMPORTS:
        return any(file == site.file for file, _ in lines)
    first, last = span(site)
    return any((site.file, line) in lines for line in range(first, last + 1))
