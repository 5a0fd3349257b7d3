# SPDX-License-Identifier: Apache-2.0
"""What a proof says: a table, what was left and not reached, the first difference, the verdict; or JSON."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from legacy.equivalence.prove_compare import Comparison, Difference
from legacy.equivalence.prove_run import Ended
from legacy.equivalence.prove_trace import old_line
from legacy.migrate import FileResult, Result, Site

Verdict = Literal['proven', 'differs', 'nothing proven']
EXIT: dict[Verdict, int] = {'proven': 0, 'differs': 1, 'nothing proven': 2}
_ELSEWHERE = '(elsewhere)'
_COLUMNS = ('found', 'rewritten', 'left', 'not ours', 'operations', 'differences')
_LONGEST = 160
_MOST_MISMATCHES = 10
_MOST_LINES = 8


@dataclass
class Proof:
    """A finished proof. ``reasons`` say why nothing was proven; ``notes`` what else there is to know."""

    path: str
    command: Sequence[str]
    driver: str
    migration: Result
    verdict: Verdict = 'nothing proven'
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    old: Ended | None = None
    new: Ended | None = None
    comparison: Comparison = field(default_factory=Comparison)
    not_exercised: list[Site] = field(default_factory=list)
    unproven: list[tuple[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return EXIT[self.verdict]

    @property
    def left(self) -> list[Site]:
        return [site for site in self.migration.sites if site.status == 'left']

    def rows(self) -> list[tuple[str, list[int]]]:
        """Per file: sites found, rewritten, left, not ours; operations compared; differences."""
        sites = Counter((site.file, site.status) for site in self.migration.sites)
        operations = Counter(each.file or _ELSEWHERE for each in self.comparison.compared)
        differences = Counter(each.file or _ELSEWHERE for each in self.comparison.differences)
        files = sorted({file for file, _ in sites} | {*operations, *differences} - {_ELSEWHERE})
        if operations[_ELSEWHERE] or differences[_ELSEWHERE]:
            files.append(_ELSEWHERE)
        rows = []
        for file in files:
            by_status = [sites[file, status] for status in ('rewritten', 'left', 'not-ours')]
            rows.append((file, [sum(by_status), *by_status, operations[file], differences[file]]))
        return rows

    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*(row for _, row in self.rows()), strict=True)] or [
            0
        ] * 6


def text(proof: Proof) -> str:
    """The report for people."""
    return '\n'.join(_report(proof)) + '\n'


def _report(proof: Proof) -> Iterator[str]:
    rows = [*proof.rows(), ('total', proof.totals())]
    width = max(len(name) for name, _ in rows)
    widths = [len(column) for column in _COLUMNS]
    yield '  '.join(['file'.ljust(width), *_COLUMNS])
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
    if proof.comparison.differences:
        yield from _differences(proof)
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
    first, *others = proof.comparison.differences
    yield f'first difference of {len(others) + 1}: {_title(first, proof.migration)}'
    file = proof.migration.files.get(first.file or '')
    if file is not None and first.new_line:
        for sign, line, code in _code(file, first.new_line):
            yield f'{sign} {file.path}:{line}'
            yield from textwrap.indent(textwrap.dedent('\n'.join(code)), f'{sign}   ').splitlines()
    for mismatch in first.mismatches[:_MOST_MISMATCHES]:
        yield f'  {mismatch.path}'
        yield f'    - old {_short(mismatch.old)}'
        yield f'    + new {_short(mismatch.new)}'
    if len(first.mismatches) > _MOST_MISMATCHES:
        yield f'  and {len(first.mismatches) - _MOST_MISMATCHES} more places in it'
    if others:
        yield 'then:'
        yield from (f'  {_title(each, proof.migration)}' for each in others[:20])
        if len(others) > 20:
            yield f'  and {len(others) - 20} more'
    yield ''


def _output(proof: Proof) -> Iterator[str]:
    """The end of what a side that failed printed, the new one's if both did."""
    if proof.old and proof.new and (proof.old.status or proof.new.status):
        name, ended = ('new', proof.new) if proof.new.status else ('old', proof.old)
        yield f'end of what the {name} side printed:'
        yield from (f'  | {line}' for line in ended.tail[-15:])
        yield ''


_WORDS = {
    'changed': '{op} differs',
    'missing': 'only the old program calls {op}',
    'extra': 'only the new program calls {op}',
    'stored': 'the stores differ at the end',
    'ended': 'COMMAND ends otherwise',
}


def _title(difference: Difference, migration: Result) -> str:
    words = _WORDS[difference.kind].format(op=difference.op)
    if difference.file is None:
        return words
    before = old_line(migration.files.get(difference.file), difference.new_line)
    shown = f'{difference.file}:{before or difference.new_line}'
    if before != difference.new_line:
        shown += f' (line {difference.new_line} after the rewrite)'
    if difference.kind == 'stored':
        return f'{words}, last changed at {shown}'
    return f'{words}, {shown}'


def _code(file: FileResult, new_line: int) -> Iterator[tuple[str, int, list[str]]]:
    """The call before and after the rewrite."""
    before, after = (
        content.decode('utf-8', 'replace').splitlines()
        for content in (file.old_bytes, file.new_bytes)
    )
    line = old_line(file, new_line)
    site = next((each for each in file.sites if each.new_line == new_line), None)
    last, new_last = (site.end_line, site.new_end_line) if site else (line, new_line)
    if line:
        yield '-', line, before[line - 1 : max(line, last)][:_MOST_LINES]
    yield '+', new_line, after[new_line - 1 : max(new_line, new_last)][:_MOST_LINES]


def _short(value: Any) -> str:
    shown = value if value == '(absent)' else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= _LONGEST else f'{shown[:_LONGEST]}… ({len(shown)} characters)'


def as_json(proof: Proof) -> dict[str, Any]:
    """The report for programs, schema 1."""
    names = [column.replace(' ', '_') for column in _COLUMNS]
    migration = proof.migration
    return {
        'schema': 1,
        'verdict': proof.verdict,
        'exit': proof.exit_code,
        'reasons': proof.reasons,
        'path': proof.path,
        'command': list(proof.command),
        'driver': proof.driver,
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
        'differences': [_difference(each, migration) for each in proof.comparison.differences],
        'left': [site.as_dict() for site in proof.left],
        'not_exercised': [site.as_dict() for site in proof.not_exercised],
        'unproven': [{'file': file, 'why': why} for file, why in proof.unproven],
        'notes': proof.notes,
    }


def _difference(difference: Difference, migration: Result) -> dict[str, Any]:
    file = migration.files.get(difference.file or '')
    line = old_line(file, difference.new_line) if difference.file else 0
    code = {}
    if file is not None and difference.new_line:
        code = {sign: '\n'.join(lines) for sign, _, lines in _code(file, difference.new_line)}
    return {
        'kind': difference.kind,
        'op': difference.op,
        'file': difference.file,
        'old_line': line or None,
        'new_line': difference.new_line or None,
        'old_code': code.get('-'),
        'new_code': code.get('+'),
        'mismatches': [
            {'path': each.path, 'old': each.old, 'new': each.new} for each in difference.mismatches
        ],
    }
