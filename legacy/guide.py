# SPDX-License-Identifier: Apache-2.0
"""The generated parts of the migration guide: old names, deviations, reason codes of the migration.

``python -m legacy.guide migration_guide.md`` writes them between their markers; a test compares.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from legacy.deviations import DEVIATIONS
from legacy.migrate.reasons import REASONS
from legacy.names import NAMES, OldName

__all__ = ['main', 'rendered']


def names_table() -> str:
    """Public old names, what to write instead, how the rewrite goes and why."""
    lines = ['| old | write instead | rewritten | why |', '| --- | --- | --- | --- |']
    for entry in NAMES.values():
        if not entry.is_private:
            lines.append(f'| `{entry.name}` | {_code(entry.new)} | {_how(entry)} | {_cell(entry.why)} |')
    return '\n'.join(lines)


def deviations_table() -> str:
    """The deliberate differences, each with its reason and contract numbers."""
    lines = ['| no. | what differs | why | statements |', '| --- | --- | --- | --- |']
    lines += [
        f'| {entry.number} | {_cell(entry.what)} | {_cell(entry.why)} | {", ".join(entry.contract)} |'
        for entry in DEVIATIONS
    ]
    return '\n'.join(lines)


def reasons() -> str:
    """One paragraph for each reason code: what it is, why it is left, what to do."""
    return '\n\n'.join(f'**{code}** {what}: {why} *{todo}*' for code, (what, why, todo) in REASONS.items())


def _how(entry: OldName) -> str:
    return f'{entry.rewrite.how.lower()}, {entry.rewrite.pattern}'


def _code(text: str) -> str:
    try:
        ast.parse(text, mode='eval')
    except SyntaxError:
        return _cell(text)
    return f'`{text}`'


def _cell(text: str) -> str:
    return ' '.join(text.split()).replace('|', '\\|')


PARTS = {'names': names_table, 'deviations': deviations_table, 'reasons': reasons}


def rendered(text: str) -> str:
    """``text`` with every generated part made anew.

    :raises ValueError: a marker pair is missing
    """
    for name, make in PARTS.items():
        begin, end = f'<!-- begin {name} -->\n', f'\n<!-- end {name} -->'
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not (found and closed):
            raise ValueError(f'the guide has no part between {begin.strip()!r} and {end.strip()!r}')
        text = head + begin + make() + end + tail
    return text


def main(argv: list[str]) -> int:
    """Write the generated parts of the files named."""
    for name in argv:
        path = Path(name)
        path.write_text(rendered(path.read_text(encoding='utf-8')), encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
