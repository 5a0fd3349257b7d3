# SPDX-License-Identifier: Apache-2.0
"""How a status is shown: a table for a reader, JSON, or one HTML page without anything from elsewhere."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence

from legacy.progress.rows import Row, Status

_COLUMNS = ('file', 'function', 'old name', 'rewritable', 'left', 'runs', 'baseline', 'notes')


def text(status: Status, done: bool) -> str:
    """The table, the totals, and with ``--done`` the evidence."""
    cells = [_COLUMNS, *map(_cells, status.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ['  '.join(map(_padded, row, widths, range(len(row)))).rstrip() for row in cells] if status.rows else []
    lines += ['', *_evidence(status)] if done else ['', totals(status)]
    return '\n'.join(lines).lstrip('\n') + '\n'


def _padded(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if 3 <= column <= 6 else cell.ljust(width)


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (row.rewritable, row.left, row.runs, row.known)
    shown = ('-' if number is None else str(number) for number in numbers)
    return (row.file, row.function, row.name, *shown, '; '.join(row.notes))


def totals(status: Status) -> str:
    """The counts in one line."""
    counts = status.totals
    line = f'{counts["found"]} old uses: {counts["rewritable"]} can be rewritten, {counts["left"]} left'
    if status.ledger is not None:
        line += (
            f'; since {status.ledger.since} {counts["never_ran"]} never ran, '
            f'{counts["ran_not_found"]} ran that were not found'
        )
    return f'{line}; {counts["can_go_next"]} can go next'


def _evidence(status: Status) -> Iterator[str]:
    for what, holds, words in status.evidence:
        yield f'{"ok" if holds else "no":<3} {what:<8} {words}'
    yield 'legacy can be deleted from the project' if status.done else 'legacy cannot be deleted yet'


def as_json(status: Status, done: bool) -> str:
    """Schema 1."""
    answer = {
        'schema': 1,
        'rows': [row.as_dict() for row in status.rows],
        'totals': status.totals,
        'since': status.ledger.since if status.ledger is not None else None,
    }
    if done:
        answer['done'] = status.done
        answer['evidence'] = [
            {'what': what, 'holds': holds, 'words': words} for what, holds, words in status.evidence
        ]
    return json.dumps(answer, indent=2, ensure_ascii=False) + '\n'


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Old image names</title>
<style>
:root {{ color-scheme: light dark; --line: #d0d4da; --soft: #f3f5f8; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #3b424c; --soft: #20252c; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }}
th {{ background: var(--soft); position: sticky; top: 0; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
code {{ font-size: .92em; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>Old image names</h1>
{summary}
<div class="wide">
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</body>
</html>
"""


def page(status: Status, done: bool) -> str:
    """One static page."""
    lines = [totals(status), *(_evidence(status) if done else ())]
    return _PAGE.format(
        summary='\n'.join(f'<p>{html.escape(line)}</p>' for line in lines),
        head=_row('th', _COLUMNS),
        body='\n'.join(f'<tr>{_row("td", _cells(row))}</tr>' for row in status.rows),
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    made = []
    for number, cell in enumerate(cells):
        kind = ' class="n"' if 3 <= number <= 6 else ''
        shown = f'<code>{html.escape(cell)}</code>' if tag == 'td' and number < 3 else html.escape(cell)
        made.append(f'<{tag}{kind}>{shown}</{tag}>')
    return ''.join(made)


FORMATS = {'text': text, 'json': as_json, 'html': page}
