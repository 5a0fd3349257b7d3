# SPDX-License-Identifier: Apache-2.0
"""What a proof puts into the processes of COMMAND, and that the processes do not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from legacy.equivalence.prove_inside import VARIABLE, sitecustomize
from legacy.equivalence.prove_run import read_lines


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / 'inject').mkdir()
    (tmp_path / 'inject' / 'sitecustomize.py').write_text(sitecustomize())
    return tmp_path.resolve()


def run(
    place: Path, *arguments: str, python_path: str = '', watched: list[str] | None = None
) -> str:
    task: dict[str, Any] = {
        'inject': str(place / 'inject'),
        'notes': str(place / 'notes'),
        'executed': str(place / 'executed'),
        'watched': watched or [],
    }
    environment = {
        **os.environ,
        VARIABLE: json.dumps(task),
        'PYTHONPATH': os.pathsep.join(filter(None, (str(place / 'inject'), python_path))),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ''
    return done.stdout


def test_the_old_names_are_there_and_the_process_is_noted(place: Path) -> None:
    program = 'from nova.image import glance; print(glance.__name__)'
    assert run(place, '-W', 'ignore', '-c', program).strip() in (
        'legacy.glance',
        'nova.image.glance',
    )
    (note,) = read_lines(place / 'notes')
    assert note['python'] == sys.executable
    assert 'problem' not in note


def test_the_users_own_sitecustomize_runs_too(place: Path) -> None:
    (place / 'mine').mkdir()
    (place / 'mine' / 'sitecustomize.py').write_text('mark = "mine"\n')
    program = (
        'import sitecustomize, sys; print(sitecustomize.mark, any("inject" in p for p in sys.path))'
    )
    assert run(place, '-c', program, python_path=str(place / 'mine')).split() == ['mine', 'False']


def test_nothing_of_ours_is_imported_before_the_program_asks(place: Path) -> None:
    program = "import sys; print([m for m in sys.modules if m.partition('.')[0] in ('legacy', 'nova_image')])"
    assert run(place, '-c', program).strip() == '[]'


def test_old_names_that_cannot_be_installed_are_noted_and_the_program_runs(place: Path) -> None:
    (place / 'mine').mkdir()
    (place / 'mine' / 'legacy.py').write_text('raise ImportError("not here")\n')
    (place / 'mine' / 'nova.py').write_text('mark = "theirs"\n')
    assert (
        run(place, '-c', 'import nova; print(nova.mark)', python_path=str(place / 'mine')).strip()
        == 'theirs'
    )
    problems = [note['problem'] for note in read_lines(place / 'notes') if 'problem' in note]
    assert problems == ['cannot install the old names: ImportError: not here']


def test_a_python_without_this_package_is_noted(place: Path) -> None:
    run(place, '-S', '-c', 'pass')
    assert read_lines(place / 'notes') == [], 'without site, nothing of ours runs'


def test_lines_of_watched_files_are_noted_once_and_no_others(place: Path) -> None:
    watched = place / 'watched.py'
    watched.write_text(
        'def f(x):\n    if x:\n        return 1\n    return 2\n\n\ndef g():\n    return 3\n'
    )
    other = place / 'other.py'
    other.write_text('import threading\nimport watched\nfor _ in range(3):\n    watched.f(0)\n'
                     't = threading.Thread(target=watched.g)\nt.start()\nt.join()\n')  # fmt: skip
    run(place, str(other), watched=[str(watched)])
    found = [(entry['file'], entry['line']) for entry in read_lines(place / 'executed')]
    assert found == [(str(watched), line) for line in (1, 7, 2, 4, 8)]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / 'lines').write_text('{"a": 1}\n{"b": \n')
    assert read_lines(tmp_path / 'lines') == [{'a': 1}]
    assert read_lines(tmp_path / 'absent') == []
