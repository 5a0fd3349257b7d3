# SPDX-License-Identifier: Apache-2.0
"""The whole-tree example: one command migrates it with its tests, and the proof finds no difference."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from legacy.equivalence import prove_cli
from legacy.migrate.cli import migrate_main

ROOT = Path(__file__).parents[2]


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, 'NOVA_IMAGE_LEGACY': 'silent'}
    environment |= {'NOVA_IMAGE_DRIVER': 'local', 'NOVA_IMAGE_LOCAL_PATH': str(folder / 'store')}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_one_command_migrates_the_tree_and_its_tests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = tmp_path / 'whole_tree'
    shutil.copytree(ROOT / 'examples/whole_tree', tree)
    shutil.copy(ROOT / 'examples/programs/request.py', tree)
    before = _python(tmp_path, '-m', 'legacy', 'whole_tree/check.py')
    assert before.returncode == 0, before.stderr
    assert migrate_main(['--tests', '--write', '--root', str(tree), str(tree)]) == 1
    assert ' 0 left' in capsys.readouterr().out
    assert not any('nova.image' in each.read_text() for each in tree.rglob('*.py'))
    for program in ('check.py', 'run.py'):
        after = _python(tmp_path, f'whole_tree/{program}')
        assert after.returncode == 0, after.stderr
    assert migrate_main(['--tests', '--check', '--root', str(tree), str(tree)]) == 0


def test_the_tree_is_proven_with_its_tests(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    both = ' && '.join(f'{sys.executable} examples/whole_tree/{each}.py' for each in ('run', 'check'))
    code = prove_cli.main(['examples/whole_tree', '--tests', '--', 'sh', '-c', both])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    rows = [line.split() for line in told.out.splitlines() if line.startswith('examples/whole_tree/')]
    assert rows and sum(int(row[-2]) for row in rows) > 0
    assert 'not reached' not in told.out
    assert told.out.splitlines()[-1].startswith('proven: 17 sites in 5 files (17 rewritten, 0 left, 0 not ours), ')
