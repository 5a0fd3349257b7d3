# SPDX-License-Identifier: Apache-2.0
"""Every reason code that a rule can report has its paragraph in the guide."""

from __future__ import annotations

import re
from pathlib import Path

from legacy import guide
from legacy.migrate.reasons import REASONS
from legacy.names import NAMES

ROOT = Path(__file__).parents[3]


def test_every_code_of_the_rules_and_of_the_table_has_a_reason():
    source = ''.join(each.read_text() for each in (ROOT / 'legacy/migrate').rglob('*.py'))
    reported = set(re.findall(r"'(P-\d\d)'", source)) | {entry.rewrite.pattern for entry in NAMES.values()}
    assert reported <= REASONS.keys() and list(REASONS) == [f'P-{number:02}' for number in range(1, 62)]


def test_the_guide_has_one_paragraph_for_each():
    text = (ROOT / 'migration_guide.md').read_text()
    assert re.findall(r'^\*\*(P-\d\d)\*\*', text, re.MULTILINE) == list(REASONS)
    assert guide.reasons() in text
