# SPDX-License-Identifier: Apache-2.0
"""The marks for type checkers: written from the table, seen by mypy."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from legacy import marks
from legacy.names import NAMES, message

ROOT = str(Path(__file__).parents[2])
SAMPLE = """\
from legacy import glance
from legacy.glance import get_default_image_service
from legacy.download.file import get_schemes
glance.GlanceImageService().show(None, 'x')
glance.get_remote_image_service(None, 'x')
glance.API()
get_schemes()
"""


@pytest.mark.parametrize('name', marks.MODULES)
def test_each_stub_is_what_table_and_code_say(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    written = Path(module.__file__).with_suffix('.pyi').read_text(encoding='utf-8')
    assert written == marks.stub_of(module), 'run python -m legacy.marks'


def test_every_old_name_is_marked_with_the_words_of_the_table() -> None:
    stubs = '\n'.join(marks.stub_of(importlib.import_module(name)) for name in marks.MODULES)
    unmarked = [
        entry.name
        for entry in NAMES.values()
        if f'@deprecated({message(entry)!r})' not in stubs
    ]
    # A list of options and a class without a constructor have nothing that a mark could stand on.
    assert unmarked == ['glance_opts', 'nova.image.download.base.TransferBase']


def test_mypy_sees_the_marks(tmp_path: Path) -> None:
    pytest.importorskip('mypy', reason='the environment types has mypy, and runs this')
    sample = tmp_path / 'sample.py'
    sample.write_text(SAMPLE, encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--enable-error-code', 'deprecated', '--no-incremental', str(sample)],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, 'MYPYPATH': ROOT},
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if 'sample.py' in line and '[deprecated]' in line]
    assert {int(line.split(':')[1]) for line in found} == {2, 3, 4, 5, 6}, done.stdout
