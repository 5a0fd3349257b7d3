# SPDX-License-Identifier: Apache-2.0
"""How a result is shown: text for a reader, JSON, GitHub annotations, SARIF, and a unified diff.

Sorted and stable; paths relative. Sites that are not ours stand in JSON and in the totals only (D-20).
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from legacy.migrate.reasons import REASONS
from legacy.migrate.result import FileResult, Result, Site

WORDS = {'rewritten': 'can be rewritten', 'left': 'left', 'not-ours': 'not ours'}


def text(result: Result, *, written: bool = False) -> str:
    """One line a site, then the files that could not be read, then the totals."""
    lines = [_line(site, written) for site in result.sites if site.status != 'not-ours']
    lines += [f'{each.file}: {each.why}' for each in result.problems]
    lines += [f'{each}: not accounted for' for each in result.unaccounted]
    return '\n'.join([*lines, summary(result, written=written)]) + '\n'


def _line(site: Site, written: bool) -> str:
    word = 'rewritten' if site.status == 'rewritten' and written else WORDS[site.status]
    line = f'{site.file}:{site.line}:{site.column}: {site.pattern} {word}: {site.name}'
    if site.status == 'rewritten' and site.replacement:
        line += f' -> {" ".join(site.replacement.split())}'
    if site.reason:
        line += f' ({site.reason})'
    if site.status == 'left' and site.replacement:
        line += f'; instead: {site.replacement}'
    return line


def summary(result: Result, *, written: bool = False) -> str:
    """The totals in one line."""
    totals = result.totals
    word = 'rewritten' if written else 'can be rewritten'
    parts = f'{totals["rewritten"]} {word}, {totals["left"]} left, {totals["not-ours"]} not ours'
    mentions = totals['mentions']
    more = f'; {mentions["found"]} old mentions, all accounted for' if not result.unaccounted else ''
    failed = f'; {len(result.problems)} files could not be read' if result.problems else ''
    return f'{totals["sites"]} sites in {totals["files"]} files: {parts}{more}{failed}'


def as_json(result: Result) -> str:
    """Schema 1 of the answer."""
    return json.dumps(result.as_dict(), indent=2, ensure_ascii=False) + '\n'


def github(result: Result) -> str:
    """Workflow commands that annotate the lines."""
    lines = []
    for site in result.sites:
        if site.status == 'not-ours':
            continue
        level = 'notice' if site.status == 'rewritten' else 'warning'
        message = _escape(_line(site, False).partition(': ')[2])
        lines.append(
            f'::{level} file={_property(site.file)},line={site.line},col={site.column},'
            f'title={site.pattern}::{message}'
        )
    for each in result.problems:
        lines.append(f'::error file={_property(each.file)},line={max(each.line, 1)}::{_escape(each.why)}')
    lines += [f'::error::{_escape(each)}: not accounted for' for each in result.unaccounted]
    return '\n'.join([*lines, summary(result)]) + '\n'


def _escape(message: str) -> str:
    return message.replace('%', '%25').replace('\r', '%0D').replace('\n', '%0A')


def _property(value: str) -> str:
    return _escape(value).replace(':', '%3A').replace(',', '%2C')


def sarif(result: Result) -> str:
    """SARIF 2.1.0 with one rule for each pattern."""
    shown = [site for site in result.sites if site.status != 'not-ours']
    rules = sorted({site.pattern for site in shown})
    results: list[dict[str, Any]] = [
        {
            'ruleId': site.pattern,
            'level': 'note' if site.status == 'rewritten' else 'warning',
            'message': {'text': _line(site, False).partition(': ')[2]},
            'locations': [
                {
                    'physicalLocation': {
                        'artifactLocation': {'uri': quote(os.fsencode(site.file))},
                        'region': {'startLine': site.line, 'startColumn': site.column},
                    }
                }
            ],
        }
        for site in shown
    ]
    failed = [
        {'level': 'error', 'message': {'text': f'{each.file}: {each.why}'}} for each in result.problems
    ] + [{'level': 'error', 'message': {'text': f'{each}: not accounted for'}} for each in result.unaccounted]
    document = {
        '$schema': 'https://json.schemastore.org/sarif-2.1.0.json',
        'version': '2.1.0',
        'runs': [
            {
                'tool': {'driver': {'name': 'nova-image', 'rules': [_rule(each) for each in rules]}},
                'columnKind': 'unicodeCodePoints',
                'invocations': [
                    {'executionSuccessful': not failed, 'toolExecutionNotifications': failed},
                ],
                'results': results,
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + '\n'


def _rule(code: str) -> dict[str, Any]:
    what, why, todo = REASONS[code]
    return {'id': code, 'shortDescription': {'text': what}, 'help': {'text': f'{why} {todo}'}}


def diff(result: Result) -> Iterable[bytes]:
    """The unified diff of all changes, in the files' own bytes, for ``git apply`` or ``patch -p1``."""
    for path in result.changed:
        yield from file_diff(result.files[path])


def file_diff(each: FileResult) -> Iterable[bytes]:
    """The unified diff of one file."""
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        each.old_bytes.splitlines(keepends=True) if b'\r' not in each.old_bytes else _lines(each.old_bytes),
        each.new_bytes.splitlines(keepends=True) if b'\r' not in each.new_bytes else _lines(each.new_bytes),
        b'a/' + os.fsencode(each.path),
        b'b/' + os.fsencode(each.path),
    )
    for line in lines:
        yield line
        if not line.endswith(b'\n'):
            yield b'\n\\ No newline at end of file\n'


def _lines(data: bytes) -> list[bytes]:
    return [each + b'\n' for each in data.split(b'\n')[:-1]] + (
        [data.split(b'\n')[-1]] if data.split(b'\n')[-1] else []
    )


FORMATS = {'text': text, 'json': as_json, 'github': github, 'sarif': sarif}
