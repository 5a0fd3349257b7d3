# SPDX-License-Identifier: Apache-2.0
"""The published fault table: every row counts, every number is reached, and the guide quotes it as it stands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'benchmarks' / 'FAULTS.md').read_text(encoding='utf-8')
OURS = slice(1, 4)


def rows(text: str) -> list[list[str]]:
    """The cells of each line of the first table in ``text``."""
    table = text[text.index('\n| ') :].split('\n\n')[0]
    return [[cell.strip() for cell in line.strip('| ').split(' | ')] for line in table.strip().splitlines()]


def test_the_guide_quotes_the_totals() -> None:
    guide = (ROOT / 'migration_guide.md').read_text(encoding='utf-8')
    quoted = re.search(r'<!-- begin faults -->(.*?)\n<!-- end faults -->', guide, re.DOTALL)
    assert quoted is not None
    assert rows(quoted[1]) == rows(PAGE)


def test_no_number_is_missed() -> None:
    totals = {row[0]: row[OURS] for row in rows(PAGE)[2:]}
    names = ['silent wrong data', 'wrong or partial left behind', 'hangs', 'token given away']
    assert [totals[name] for name in names] == [['0'] * 3] * 4
    memory = totals['memory for an image of 256 MiB, up and down']
    assert all(int(each.removesuffix(' MiB')) <= 32 for each in memory)
    assert totals['sparse local copy of 3 GiB'] == ['OK'] * 3


def test_every_row_of_the_study_counts() -> None:
    faults = rows(PAGE[PAGE.index('\n| fault |') :])[2:]
    assert len(faults) > 70
    assert {row[6] for row in faults if len(row) > 6} == {'yes'}
