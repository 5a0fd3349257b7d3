# SPDX-License-Identifier: Apache-2.0
"""A run that is killed at any step can be finished or undone, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from legacy.migrate import journal, run
from legacy.migrate.cli import migrate_main, scan_main

HELPER = 'def fetch(service, ctx, ref):\n    return service.show(ctx, ref)\n'
CALLER = (
    'from nova.image import glance\nfrom pkg import helper\n'
    'def go(ctx, ref):\n    return helper.fetch(glance.get_default_image_service(), ctx, ref)\n'
)
PLAIN = 'from nova.image import glance\nglance.get_default_image_service().show(c, 1)\n'
FILES = {'pkg/__init__.py': '', 'pkg/helper.py': HELPER, 'pkg/caller.py': CALLER, 'b/plain.py': PLAIN}
#: Everything that the writing asks of the system; the process is killed before, and after, each.
CALLS = ('open', 'rename', 'replace', 'fsync', 'unlink', 'chmod', 'ftruncate')


def plant(tree: Path) -> None:
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)


def texts(tree: Path) -> dict[str, str]:
    return {str(each.relative_to(tree)): each.read_text() for each in tree.rglob('*') if each.is_file()}


def killed_at(number: int, tree: Path) -> bool:
    """Write in a child that ends without a word at its n-th call; False if it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            result = run([tree], tree)
            count = 0

            def dying(function):
                def call(*args, **kwargs):
                    nonlocal count
                    count += 1
                    if count == number:
                        os._exit(9)
                    answer = function(*args, **kwargs)
                    count += 1
                    if count == number:
                        os._exit(9)
                    return answer

                return call

            for name in CALLS:
                setattr(os, name, dying(getattr(os, name)))
            result.write()
            os._exit(0)
        finally:
            os._exit(3)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 9


@pytest.mark.parametrize('way', ['--resume', '--undo', '--write'])
def test_killed_at_any_step_every_file_is_old_or_new_and_the_next_run_settles_it(way, tmp_path, capsys):
    model = tmp_path / 'model'
    plant(model)
    run([model], model).write()
    old, new = {**FILES}, texts(model)
    assert [name for name in old if old[name] != new[name]] == ['pkg/helper.py', 'pkg/caller.py', 'b/plain.py']
    number, halves = 1, 0
    while True:
        tree = tmp_path / f'{number}'
        plant(tree)
        alive = not killed_at(number, tree)
        now = texts(tree)
        assert all(now[name] in (old[name], new[name]) for name in FILES)
        halves += now != old and now != new
        if any(now[name] != old[name] for name in FILES) and any(now[name] != new[name] for name in FILES):
            assert scan_main(['--root', str(tree), str(tree)]) == 2
            assert '--resume' in capsys.readouterr().err
        if way == '--write':
            assert migrate_main(['--write', '--root', str(tree), str(tree)]) in (0, 1)
            assert texts(tree) == new
        else:
            assert migrate_main([way, str(tree / 'pkg')]) == 0
            assert migrate_main([way, str(tree)]) == 0
            settled = texts(tree)
            assert settled in (old, new)
            assert journal.NAME not in now or settled == (new if way == '--resume' else old)
        if alive:
            break
        number += 1
    assert number > 30 and halves > 10


def test_a_file_that_cannot_be_written_puts_the_others_back(tmp_path, monkeypatch, capsys):
    plant(tmp_path)
    replace, count = os.replace, 0

    def third(*args):
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, 'No space left on device')
        replace(*args)

    monkeypatch.setattr(os, 'replace', third)
    assert migrate_main(['--write', '--root', str(tmp_path), str(tmp_path)]) == 2
    assert 'No space left' in capsys.readouterr().err
    assert texts(tmp_path) == FILES


def test_a_file_saved_by_an_editor_during_the_writing_is_kept_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    plant(tmp_path)
    before, replace = texts(tmp_path), journal.replace

    def and_saved(target, data, like=None):
        replace(target, data, like)
        (tmp_path / 'pkg/helper.py').write_text('saved = 1\n')

    monkeypatch.setattr(journal, 'replace', and_saved)
    assert migrate_main(['--write', str(tmp_path)]) == 2
    assert 'pkg/helper.py changed during the run, nothing is written; run again' in capsys.readouterr().err
    assert texts(tmp_path) == {**before, 'pkg/helper.py': 'saved = 1\n'}


def test_a_full_disk_is_told_with_the_place(tmp_path, monkeypatch, capsys):
    plant(tmp_path)
    before = texts(tmp_path)

    def full(_handle):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    assert migrate_main(['--write', str(tmp_path)]) == 2
    assert f"No space left on device: '{tmp_path}'" in capsys.readouterr().err
    assert texts(tmp_path) == before


def test_a_file_changed_since_the_interruption_is_not_overwritten(tmp_path, capsys):
    plant(tmp_path)
    number = 1
    while killed_at(number, tmp_path) and texts(tmp_path)['b/plain.py'] == PLAIN:
        number += 1
        for each in journal.pending([tmp_path]):
            journal.settle(each, forward=False)
    (tmp_path / 'b/plain.py').write_text('# mine\n')
    before = {name: text for name, text in texts(tmp_path).items() if name in FILES}
    for way in ('--resume', '--undo', '--write'):
        assert migrate_main([way, str(tmp_path)]) == 2
        assert 'plain.py was changed since' in capsys.readouterr().err
    assert before.items() <= texts(tmp_path).items()


def test_two_runs_at_once_are_one_too_many(tmp_path, capsys):
    plant(tmp_path)
    step = journal.Step(tmp_path / 'b/plain.py', PLAIN.encode(), b'')
    with journal._begun(tmp_path, [step]):
        assert migrate_main(['--write', str(tmp_path)]) == 2
        assert 'another run is writing' in capsys.readouterr().err
    assert texts(tmp_path) == FILES


def test_something_else_in_the_place_of_a_journal_is_named(tmp_path, capsys):
    (tmp_path / journal.NAME).write_text('{}')
    assert migrate_main(['--resume', str(tmp_path)]) == 2
    assert 'is no journal' in capsys.readouterr().err
    (tmp_path / journal.NAME).unlink()
    assert migrate_main(['--undo', str(tmp_path)]) == 0


def test_mode_attributes_and_other_names_of_a_file_are_kept(tmp_path, capsys):
    path, other = tmp_path / 'a.py', tmp_path / 'other'
    path.write_text(PLAIN)
    path.chmod(0o2754)
    os.link(path, other)
    try:
        os.setxattr(path, 'user.note', b'kept')
    except OSError:
        pass
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    assert migrate_main(['--write', str(path)]) == 1
    assert path.read_text() != PLAIN and other.read_text() == PLAIN
    assert 'hard links' in capsys.readouterr().err
    assert path.stat().st_mode & 0o7777 == 0o2754
    assert {name: os.getxattr(path, name) for name in os.listxattr(path)} == attributes


def git(tree: Path, *arguments: str) -> None:
    identity = ['-c', 'user.name=n', '-c', 'user.email=e@example.org', '-c', 'commit.gpgsign=false']
    subprocess.run(['git', '-C', str(tree), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    plant(tmp_path)
    git(tmp_path, 'init', '-q')
    git(tmp_path, 'add', '.')
    git(tmp_path, 'commit', '-q', '-m', 'all')
    return tmp_path


def test_a_work_tree_with_uncommitted_changes_is_refused_unless_forced(repository, capsys):
    (repository / 'pkg/__init__.py').write_text('# changed\n')
    arguments = ['--write', '--root', str(repository), str(repository)]
    assert migrate_main(arguments) == 2
    error = capsys.readouterr().err
    assert 'pkg/__init__.py' in error and '--force' in error and len(error.splitlines()) == 1
    assert (repository / 'b/plain.py').read_text() == PLAIN
    assert migrate_main(['--write', '--root', str(repository), str(repository / 'b')]) == 1, 'outside of the paths'
    assert migrate_main([*arguments, '--force']) == 1
    assert migrate_main(arguments) == 0, 'nothing to write, nothing to refuse'


def test_a_file_git_does_not_know_counts_only_if_it_would_change(repository, capsys):
    (repository / 'notes.txt').write_text('mine')
    (repository / 'new.py').write_text(PLAIN)
    assert migrate_main(['--write', str(repository)]) == 2
    assert 'new.py,' in capsys.readouterr().err
    (repository / '.git/info/exclude').write_text('new.py\nmade/\n')
    (repository / 'new.py').rename(repository / 'b/new.py')
    (repository / 'made').mkdir()
    (repository / 'made/new.py').write_text(PLAIN)
    assert migrate_main(['--write', str(repository)]) == 2
    assert 'changes in b/new.py, made/new.py, nothing' in capsys.readouterr().err, 'ignored'
    (repository / 'b/new.py').unlink()
    (repository / 'made/new.py').write_text('mine')
    assert migrate_main(['--write', str(repository)]) == 1


def test_without_git_on_the_machine_nobody_is_asked(repository, monkeypatch):
    (repository / 'pkg/__init__.py').write_text('# changed\n')
    monkeypatch.setenv('PATH', str(repository))
    assert migrate_main(['--write', str(repository)]) == 1
