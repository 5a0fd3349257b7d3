# SPDX-License-Identifier: Apache-2.0
"""What a proof says: a table, what was left and not reached, the first difference, the verdict; or JSON."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from legacy.equivalence.prove_facts import ELSEWHERE, Facts, Verdict
from legacy.equivalence.prove_runs import place_of
from legacy.equivalence.prove_trace import old_line
from legacy.equivalence.report_finding import Finding, short
from legacy.migrate import Site

EXIT: dict[Verdict, int] = {'proven': 0, 'differs': 1, 'nothing proven': 2}
COLUMNS = ('found', 'rewritten', 'left', 'not ours', 'operations', 'differences')
MOST_MISMATCHES = 10


class Proof(Facts):
    """A finished proof."""

    @property
    def exit_code(self) -> int:
        return EXIT[self.verdict]

    @property
    def findings(self) -> list[Finding]:
        """The differences, one for each place."""
        places = {place_of(each): each for each in reversed(self.comparison.differences)}
        return [Finding(self, each) for each in reversed(places.values())]

    @property
    def sentence(self) -> str:
        """The first thing to know."""
        if self.verdict == 'differs':
            return self.findings[0].sentence
        if self.verdict == 'nothing proven':
            return f'nothing proven: {"; ".join(self.reasons)}'
        count = _many(len(self.comparison.pairs), 'image operation')
        if self.failed_alike and self.new:
            return f'{count} equal before and after, up to where COMMAND fails on both sides alike ({self.new.words})'
        than = f'the recording of {self.baseline.made} and now' if self.baseline else 'before and after the rewrite'
        return f'{count} equal, {than}'


def text(proof: Proof) -> str:
    """The report for people."""
    return '\n'.join(_report(proof)) + '\n'


def _report(proof: Proof) -> Iterator[str]:
    yield proof.sentence
    yield ''
    if proof.comparison.differences:
        yield from _differences(proof)
    yield from _noise(proof)
    rows = [*proof.rows(), ('total', proof.totals())]
    width = max(len(name) for name, _ in rows)
    widths = [len(column) for column in COLUMNS]
    yield '  '.join(['file'.ljust(width), *COLUMNS])
    for name, numbers in rows:
        cells = (str(number).rjust(each) for number, each in zip(numbers, widths, strict=True))
        yield '  '.join([name.ljust(width), *cells])
    yield ''
    if proof.old and proof.new:
        yield f'COMMAND {" ".join(proof.command)}'
        for name, ended in (('old', proof.old), ('new', proof.new)):
            yield f'  {name}: {ended.words}, {ended.seconds:.1f} s'
        yield ''
    yield from _sites('left as they are', proof.left)
    yield from _sites('rewritten, but not reached by COMMAND', proof.not_exercised)
    if proof.unproven:
        yield f'unproven files ({len(proof.unproven)}):'
        yield from (f'  {file}: {why}' for file, why in proof.unproven)
        yield ''
    yield from _output(proof)
    yield from (f'note: {note}' for note in proof.notes)
    yield verdict(proof)


def verdict(proof: Proof) -> str:
    """The last line."""
    found, rewritten, left, not_ours, operations, differences = proof.totals()
    files = len({site.file for site in proof.migration.sites})
    counts = (
        f'{_many(found, "site")} in {_many(files, "file")} ({rewritten} rewritten, {left} left, '
        f'{not_ours} not ours), {_many(operations, "operation")} compared, '
        f'{_many(differences, "difference")}'
    )
    if proof.verdict == 'nothing proven':
        return f'nothing proven: {"; ".join(proof.reasons)} ({counts})'
    return f'{proof.verdict}: {counts}'


def _many(number: int, what: str) -> str:
    return f'{number} {what}{"" if number == 1 else "s"}'


def _sites(title: str, sites: Sequence[Site]) -> Iterator[str]:
    if sites:
        yield f'{title} ({len(sites)}):'
        for site in sites:
            reason = f'  {site.reason}' if site.reason else ''
            yield f'  {site.file}:{site.line}:{site.column}  {site.name}  {site.pattern}{reason}'
        yield ''


def _differences(proof: Proof) -> Iterator[str]:
    first, *others = proof.findings
    yield from _finding(first)
    if others:
        yield f'then ({len(others)}):'
        yield from (f'  {each.sentence}' for each in others[:20])
        if len(others) > 20:
            yield f'  and {len(others) - 20} more'
        yield ''


def _finding(finding: Finding) -> Iterator[str]:
    program = finding.program()
    if program:
        yield 'smallest program (images = nova_image.API()):'
        yield from (f'  {line}' for line in program)
    code = list(finding.code())
    if code:
        yield 'old call and new call:'
    for sign, line, text in code:
        yield f'{sign} {finding.difference.file}:{line}'
        yield from textwrap.indent(textwrap.dedent('\n'.join(text)), f'{sign}   ').splitlines()
    mismatches = finding.difference.mismatches
    if mismatches:
        yield 'fields that differ:'
    for mismatch in mismatches[:MOST_MISMATCHES]:
        yield f'  {mismatch.path or finding.difference.subject}'
        yield f'    - old {short(mismatch.old)}'
        yield f'    + new {short(mismatch.new)}'
    if len(mismatches) > MOST_MISMATCHES:
        yield f'  and {len(mismatches) - MOST_MISMATCHES} more places in it'
    old, new = finding.wire()
    if old or new:
        yield 'requests:'
        yield from (f'  {line}' for line in difflib.ndiff(old, new) if not line.startswith('?'))
    yield f'how often: {finding.often()}'
    yield f'run it again: {finding.again()}'
    entry = finding.entry()
    if entry:
        yield f'likely entry: {entry[0]} in {entry[1]}:{entry[2]}'
    yield ''


def _noise(proof: Proof) -> Iterator[str]:
    if proof.noise:
        yield f'noise of the old program, subtracted ({len(proof.noise)} fields):'
    for each in proof.noise:
        line = old_line(proof.migration.files.get(each.file or ''), each.new_line) or each.new_line
        seen = ', '.join(dict.fromkeys(short(value, 40) for value in each.seen[:4]))
        path = f' {each.path}' if each.path else ''
        yield f'  {each.file or ELSEWHERE}:{line} {each.op}{path}: old {seen}; new {short(each.new, 40)}'
    if proof.noise:
        yield ''


def _output(proof: Proof) -> Iterator[str]:
    """The end of what a side that failed printed, the new one's if both did."""
    if proof.old and proof.new and (proof.old.status or proof.new.status):
        name, ended = ('new', proof.new) if proof.new.status else ('old', proof.old)
        yield f'end of what the {name} side printed:'
        yield from (f'  | {line}' for line in ended.tail[-15:])
        yield ''


def as_json(proof: Proof) -> dict[str, Any]:
    """The report for programs, schema 1."""
    names = [column.replace(' ', '_') for column in COLUMNS]
    return {
        'schema': 1,
        'verdict': proof.verdict,
        'exit': proof.exit_code,
        'sentence': proof.sentence,
        'reasons': proof.reasons,
        'path': proof.path,
        'command': list(proof.command),
        'driver': proof.driver,
        'repeat': proof.repeat,
        'baseline': proof.baseline.made if proof.baseline else None,
        'runs': {
            name: {
                'status': each.status,
                'seconds': round(each.seconds, 3),
                'timed_out': each.timed_out,
            }
            for name, each in (('old', proof.old), ('new', proof.new))
            if each is not None
        },
        'files': [
            {'file': file, **dict(zip(names, row, strict=True))} for file, row in proof.rows()
        ],
        'totals': dict(zip(names, proof.totals(), strict=True)),
        'differences': [_difference(each) for each in proof.findings],
        'noise': [
            {'file': each.file, 'new_line': each.new_line or None, 'op': each.op, 'kind': each.kind,
             'path': each.path, 'old': each.seen, 'new': each.new, 'excused': each.excused}
            for each in proof.noise
        ],
        'left': [site.as_dict() for site in proof.left],
        'not_exercised': [site.as_dict() for site in proof.not_exercised],
        'unproven': [{'file': file, 'why': why} for file, why in proof.unproven],
        'notes': proof.notes,
    }


def _difference(finding: Finding) -> dict[str, Any]:
    difference = finding.difference
    code = {sign: '\n'.join(lines) for sign, _, lines in finding.code()}
    old, new = finding.wire()
    times, runs = finding.proof.often.get(place_of(difference), (1, 1))
    entry = finding.entry()
    return {
        'sentence': finding.sentence,
        'kind': difference.kind,
        'op': difference.op,
        'subject': difference.subject or None,
        'file': difference.file,
        'old_line': finding.line or None,
        'new_line': difference.new_line or None,
        'program': finding.program(),
        'old_code': code.get('-'),
        'new_code': code.get('+'),
        'mismatches': [
            {'path': each.path, 'old': each.old, 'new': each.new} for each in difference.mismatches
        ],
        'raised': finding.raised or None,
        'requests': {'old': old, 'new': new},
        'often': {'times': times, 'runs': runs, 'words': finding.often()},
        'again': finding.again(),
        'entry': entry and {'name': entry[0], 'file': entry[1], 'line': entry[2]},
    }
