# SPDX-License-Identifier: Apache-2.0
"""The guide is true: its tables are those of the code, its snippets run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from legacy.guide import rendered

GUIDE = Path(__file__).parents[1] / 'migration_guide.md'
SNIPPETS = re.findall(r'^```python\n(.*?)^```', GUIDE.read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE)


def test_the_tables_are_those_of_the_code() -> None:
    text = GUIDE.read_text(encoding='utf-8')
    assert rendered(text) == text, 'run: python -m legacy.guide migration_guide.md'


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) >= 3


@pytest.mark.parametrize('number', range(len(SNIPPETS)))
def test_each_snippet_runs_on_its_own(number: int, tmp_path: Path) -> None:
    program = tmp_path / 'snippet.py'
    program.write_text(SNIPPETS[number], encoding='utf-8')
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_guide_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match='begin names'):
        rendered('# nothing here')
