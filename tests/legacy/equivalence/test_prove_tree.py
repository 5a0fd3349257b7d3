# SPDX-License-Identifier: Apache-2.0
"""The scratch copies of a proof, and commands that point into them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from legacy.equivalence.prove_tree import (
    CannotProve,
    copy_tree,
    moved_command,
    moved_paths,
    root_of,
    search_path,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / 'project'
    for name in ('pkg', '.git', '.venv/bin', 'deep/env', '__pycache__'):
        (root / name).mkdir(parents=True)
    (root / 'pkg' / 'mod.py').write_text('x = 1\n')
    (root / 'deep' / 'env' / 'pyvenv.cfg').touch()
    (root / '__pycache__' / 'mod.pyc').touch()
    (root / 'run.sh').write_text('#!/bin/sh\n')
    (root / 'run.sh').chmod(0o755)
    return root.resolve()


def test_the_root_is_the_git_top_level(tree: Path) -> None:
    assert root_of(tree / 'pkg', None) == tree
    assert root_of(tree / 'pkg' / 'mod.py', None) == tree


def test_without_git_the_root_is_the_directory_of_the_path(tmp_path: Path) -> None:
    (tmp_path / 'app').mkdir()
    (tmp_path / 'app' / 'a.py').touch()
    assert root_of(tmp_path / 'app' / 'a.py', None) == tmp_path / 'app'
    assert root_of(tmp_path / 'app', None) == tmp_path / 'app'


def test_without_git_the_current_directory_is_copied_if_the_path_is_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'app').mkdir()
    monkeypatch.chdir(tmp_path)
    assert root_of(tmp_path / 'app', None) == tmp_path
    monkeypatch.setenv('HOME', str(tmp_path))
    assert root_of(tmp_path / 'app', None) == tmp_path / 'app'


def test_a_root_has_to_contain_the_path(tree: Path, tmp_path: Path) -> None:
    (tmp_path / 'other').mkdir()
    with pytest.raises(CannotProve, match='not under --root'):
        root_of(tree / 'pkg', str(tmp_path / 'other'))
    with pytest.raises(CannotProve, match='no directory'):
        root_of(tree / 'pkg', str(tmp_path / 'absent'))


def test_a_copy_has_the_program_and_nothing_of_its_surroundings(tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tree / 'pipe')
    copy_tree(tree, tmp_path / 'copy', tmp_path)
    names = sorted(
        path.relative_to(tmp_path / 'copy').as_posix() for path in (tmp_path / 'copy').rglob('*')
    )
    assert names == ['deep', 'pkg', 'pkg/mod.py', 'run.sh']
    assert os.access(tmp_path / 'copy' / 'run.sh', os.X_OK)


def test_the_scratch_space_is_not_copied_into_itself(tree: Path) -> None:
    scratch = tree / 'tmp-of-mine'
    scratch.mkdir()
    copy_tree(tree, scratch / 'copy', scratch)
    assert not (scratch / 'copy' / 'tmp-of-mine').exists()


def test_links_stay_in_the_copy_or_lead_where_they_led(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / 'outside.txt'
    outside.write_text('far')
    (tree / 'relative').symlink_to('pkg/mod.py')
    (tree / 'absolute').symlink_to(tree / 'pkg' / 'mod.py')
    (tree / 'away').symlink_to('../outside.txt')
    copy = tmp_path / 'elsewhere' / 'copy'
    copy.parent.mkdir()
    copy_tree(tree, copy, tmp_path / 'elsewhere')
    assert (copy / 'relative').resolve() == copy / 'pkg' / 'mod.py'
    assert (copy / 'absolute').resolve() == copy / 'pkg' / 'mod.py'
    assert (copy / 'away').read_text() == 'far'


def test_what_cannot_be_read_is_named(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(13, 'Permission denied', str(source))

    monkeypatch.setattr('shutil.copy2', refuse)
    with pytest.raises(CannotProve, match=r'cannot copy .*: Permission denied'):
        copy_tree(tree, tmp_path / 'copy', tmp_path)


@pytest.fixture
def copied(tree: Path, tmp_path: Path) -> tuple[Path, Path]:
    new = (tmp_path / 'scratch' / 'tree').resolve()
    new.parent.mkdir()
    copy_tree(tree, new, new.parent)
    return tree, new


def test_a_command_runs_in_the_same_place_of_the_copy(copied: tuple[Path, Path]) -> None:
    old, new = copied
    path = os.environ['PATH']
    assert moved_command(['sh', 'pkg/mod.py', '-x'], old, old, new, path)[0][1:] == [
        'pkg/mod.py',
        '-x',
    ]
    assert moved_command(['sh', 'mod.py'], old / 'pkg', old, new, path)[1] == new / 'pkg'
    assert moved_command(['sh', str(old / 'pkg')], old, old, new, path)[0][1] == str(new / 'pkg')
    option = f'--cov={old / "pkg"}'
    assert moved_command(['sh', option], old, old, new, path)[0][1] == f'--cov={new / "pkg"}'


def test_a_command_from_outside_the_tree_is_led_into_the_copy(copied: tuple[Path, Path]) -> None:
    old, new = copied
    command, cwd = moved_command(
        ['sh', 'project/pkg/mod.py', 'word'], old.parent, old, new, os.environ['PATH']
    )
    assert command[1:] == [str(new / 'pkg' / 'mod.py'), 'word']
    assert cwd == old.parent


def test_a_program_of_the_tree_is_that_of_the_copy(copied: tuple[Path, Path]) -> None:
    old, new = copied
    assert moved_command(['./run.sh'], old, old, new, None)[0] == [str(new / 'run.sh')]
    assert moved_command([str(old / 'run.sh')], old, old, new, None)[0] == [str(new / 'run.sh')]


def test_a_program_that_was_not_copied_is_the_original(copied: tuple[Path, Path]) -> None:
    old, new = copied
    python = old / '.venv' / 'bin' / 'python'
    python.write_text('#!/bin/sh\n')
    python.chmod(0o755)
    assert moved_command(['.venv/bin/python'], old, old, new, None)[0] == [str(python)]


@pytest.mark.parametrize('program', ['no-such-program', './absent', './pkg', 'pkg/mod.py'])
def test_a_program_that_is_not_there_is_told(copied: tuple[Path, Path], program: str) -> None:
    old, new = copied
    with pytest.raises(CannotProve, match='command not found'):
        moved_command([program], old, old, new, '/usr/bin')


def test_a_python_path_into_the_tree_leads_into_the_copy(copied: tuple[Path, Path]) -> None:
    old, new = copied
    value = os.pathsep.join((str(old / 'pkg'), '', '/usr/lib', 'pkg'))
    expected = os.pathsep.join((str(new / 'pkg'), '/usr/lib', str(new / 'pkg')))
    assert moved_paths(value, old, old, new) == expected


def test_the_environment_of_this_python_comes_first_unless_another_is_active() -> None:
    assert search_path({'PATH': '/bin'}, '/v', '/usr', '/v/bin/python') == '/v/bin:/bin'
    assert (
        search_path({'PATH': '/bin', 'VIRTUAL_ENV': '/w'}, '/v', '/usr', '/v/bin/python') == '/bin'
    )
    assert search_path({'PATH': '/bin'}, '/usr', '/usr', '/usr/bin/python') == '/bin'
    assert search_path({}, '/v', '/usr', '/v/bin/python') == '/v/bin'
