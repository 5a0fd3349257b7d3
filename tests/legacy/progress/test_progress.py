# SPDX-License-Identifier: Apache-2.0
"""The baseline lets uses go and never come; the status joins what was found, what ran and what is known."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from legacy import ledger
from legacy.progress import baseline, status

MAIN = """\
from nova.image import glance
class C:
    def m(self, c):
        def inner():
            return (lambda: glance.get_api_servers())()
        return inner()
    def kept(self, c, name):
        return getattr(glance, name)
def unused(c):
    glance.get_default_image_service().show(c, 1)
if __name__ == '__main__':
    C().m(1)
    C().kept(1, '_remove_' + 'read_only')({})
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('NOVA_IMAGE_LEGACY_LEDGER', raising=False)
    (tmp_path / 'pkg').mkdir()
    (tmp_path / 'pkg/a.py').write_text(MAIN)
    return tmp_path


def run_program(tree: Path) -> None:
    environment = {**os.environ, 'NOVA_IMAGE_LEGACY_LEDGER': str(tree / 'ledger'), 'NOVA_IMAGE_LEGACY': 'silent'}
    subprocess.run([sys.executable, '-m', 'legacy', 'pkg/a.py'], cwd=tree, env=environment, check=True)


def uses(tree: Path) -> list[list[object]]:
    return [list(row.values()) for row in json.loads((tree / baseline.FILE).read_text())['uses']]


def test_the_baseline_is_keyed_without_lines_and_sorted(tree):
    assert baseline.main(['--write', 'pkg']) == 0
    assert uses(tree) == [
        ['pkg/a.py', '<module>', 'nova.image.glance', 1],
        ['pkg/a.py', 'C.kept', 'nova.image.glance', 1],
        ['pkg/a.py', 'C.m.<locals>.inner', 'get_api_servers', 1],
        ['pkg/a.py', 'unused', 'get_default_image_service', 1],
        ['pkg/a.py', 'unused', 'show', 1],
    ]
    text = (tree / baseline.FILE).read_text()
    (tree / 'pkg/a.py').write_text('\n\n# moved\n' + MAIN)
    assert baseline.main(['pkg']) == 0
    assert baseline.main(['--shrink', 'pkg']) == 0
    assert (tree / baseline.FILE).read_text() == text


def test_more_fails_fewer_does_not_and_shrinking_is_one_command(tree, capsys):
    assert baseline.main(['pkg']) == 2
    assert '--write' in capsys.readouterr().err
    baseline.main(['--write', 'pkg'])
    (tree / 'pkg/a.py').write_text(MAIN.replace('.show(c, 1)', ''))
    assert baseline.main(['pkg']) == 0
    assert '--shrink' in capsys.readouterr().out
    assert baseline.main(['--shrink', 'pkg']) == 0
    assert 'show' not in (tree / baseline.FILE).read_text()
    (tree / 'pkg/a.py').write_text(MAIN)
    for arguments in (['pkg'], ['--shrink', 'pkg']):
        assert baseline.main(arguments) == 1
        assert 'pkg/a.py: unused: show: 1, the baseline has 0' in capsys.readouterr().out
    assert 'show' not in (tree / baseline.FILE).read_text()
    assert baseline.main(['--format', 'json', 'pkg']) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer['more'] == [
        {'file': 'pkg/a.py', 'function': 'unused', 'name': 'show', 'baseline': 0, 'count': 1}
    ]


def test_a_use_that_moves_between_functions_is_not_hidden_by_the_sum(tree):
    baseline.main(['--write', 'pkg'])
    (tree / 'pkg/a.py').write_text(MAIN.replace('def unused', 'def other'))
    assert baseline.main(['pkg']) == 1


def test_a_file_whose_name_is_no_text_is_in_the_baseline_too(tree):
    odd = tree / 'pkg' / os.fsdecode(b'\xff.py')
    odd.write_text('from nova.image import glance\nglance.get_default_image_service()\n')
    assert baseline.main(['--write', 'pkg']) == 0 == baseline.main(['pkg'])
    odd.write_text('from nova.image import glance\nglance.get_default_image_service().show(c, 1)\n')
    assert baseline.main(['pkg']) == 1


def test_files_outside_the_given_paths_are_not_judged(tree):
    (tree / 'b.py').write_text(MAIN)
    baseline.main(['--write', '.'])
    (tree / 'b.py').unlink()
    before = (tree / baseline.FILE).read_text()
    assert baseline.main(['--shrink', 'pkg']) == 0
    assert (tree / baseline.FILE).read_text() == before
    baseline.main(['--shrink', '.'])
    assert {row[0] for row in uses(tree)} == {'pkg/a.py'}


def test_a_file_that_cannot_be_parsed_leaves_the_baseline_alone(tree, capsys):
    baseline.main(['--write', 'pkg'])
    before = (tree / baseline.FILE).read_text()
    (tree / 'pkg/b.py').write_text('def (\n# nova.image.glance\n')
    assert baseline.main(['pkg']) == 2
    assert baseline.main(['--shrink', 'pkg']) == 2
    assert (tree / baseline.FILE).read_text() == before
    (tree / baseline.FILE).write_text('[]')
    assert baseline.main(['pkg']) == 2
    assert 'is no baseline' in capsys.readouterr().err


def rows(capsys, *arguments: str) -> dict[tuple[str, str], dict[str, object]]:
    assert status.main(['--format', 'json', *arguments, 'pkg']) == 1
    found = json.loads(capsys.readouterr().out)['rows']
    return {(row['function'], row['name']): row for row in found}


def test_static_sites_runtime_counts_and_baseline_stand_in_one_table(tree, capsys):
    run_program(tree)
    baseline.main(['--write', 'pkg'])
    capsys.readouterr()
    found = rows(capsys, '--ledger', 'ledger')
    inner = found['C.m.<locals>.inner', 'get_api_servers']
    assert (inner['runs'], inner['baseline']) == (1, 1)
    assert found['unused', 'show']['runs'] == 0
    assert set(found['unused', 'show']['notes']) == {'never ran', 'can go next'}
    hidden = found['<module>', '_remove_read_only']
    assert (hidden['rewritable'], hidden['left'], hidden['runs']) == (0, 0, 1)
    assert hidden['notes'] == ['ran, not found']
    assert found['<module>', 'nova.image.glance']['runs'] is None
    assert status.main(['--ledger', 'ledger', 'pkg']) == 1
    out = capsys.readouterr().out
    assert re.search(r'5 old uses: .*never ran, 1 ran that were not found; \d can go next', out)


def test_an_installed_copy_is_the_same_file(tree, capsys):
    run_program(tree)
    (tree / 'src').mkdir()
    (tree / 'pkg').rename(tree / 'src/pkg')
    assert status.main(['--format', 'json', '--ledger', 'ledger', '--root', 'src', 'src']) == 1
    found = json.loads(capsys.readouterr().out)['rows']
    assert {row['file'] for row in found} == {'pkg/a.py'}


def test_the_page_stands_alone_and_is_escaped(tree, capsys):
    (tree / 'pkg/a.py').rename(tree / 'pkg/a<b>&.py')
    assert status.main(['--format', 'html', 'pkg']) == 1
    page = capsys.readouterr().out
    assert 'a&lt;b&gt;&amp;.py' in page and 'prefers-color-scheme: dark' in page
    assert not re.search(r'src=|href=|url\(|http|<script', page)


def proof(tree: Path, verdict: str) -> str:
    (tree / 'proof.json').write_text(json.dumps({'verdict': verdict, 'path': 'pkg', 'command': ['pytest']}))
    return str(tree / 'proof.json')


def test_done_shows_the_proof_and_nothing_less_will_do(tree, capsys):
    run_program(tree)
    given = ['--done', '--ledger', 'ledger', '--prove', proof(tree, 'proven'), 'pkg']
    assert status.main(given) == 1
    assert 'legacy cannot be deleted yet' in capsys.readouterr().out
    (tree / 'pkg/a.py').write_text('x = 1\n')
    assert status.main(given) == 1
    assert '2 old uses since' in capsys.readouterr().out
    ledger.restart(tree / 'ledger')
    assert status.main(given) == 0
    out = capsys.readouterr().out
    assert f'0 old uses since {ledger._today()}' in out and 'proven: pkg by pytest' in out
    assert 'legacy can be deleted from the project' in out
    assert status.main(['--done', '--ledger', 'ledger', 'pkg']) == 1
    assert 'prove --json FILE' in capsys.readouterr().out
    assert status.main(['--done', '--prove', proof(tree, 'proven'), 'pkg']) == 1
    assert status.main(['--done', '--ledger', 'ledger', '--prove', proof(tree, 'differs'), 'pkg']) == 1
    capsys.readouterr()
    assert status.main(['--format', 'json', *given]) in (0, 1)
    assert [each['what'] for each in json.loads(capsys.readouterr().out)['evidence']] == ['static', 'runtime', 'proof']


def test_what_could_not_be_looked_at_is_never_done(tree, capsys):
    (tree / 'pkg/a.py').write_text('def (\n# nova.image.glance\n')
    ledger.restart(tree / 'ledger')
    assert status.main(['--done', '--ledger', 'ledger', '--prove', proof(tree, 'proven'), 'pkg']) == 2
    assert 'cannot be deleted' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--ledger', 'absent'], 'absent: there is no ledger; run the program with'),
        (['--ledger', 'bad'], 'is no ledger'),
        (['--prove', 'bad'], 'is no answer of'),
        (['--prove', 'far'], 'far is the proof of another tree: other/b.py is not here'),
        (['--baseline', 'bad'], 'is no baseline'),
        (['--restart-ledger'], 'needs --ledger'),
        (['--root', 'absent'], 'is no directory'),
    ],
)
def test_files_that_cannot_be_used_are_one_line_and_exit_2(arguments, words, tree, capsys):
    (tree / 'bad').write_text('[1]')
    said = {'verdict': 'proven', 'path': 'other', 'command': ['pytest']}
    (tree / 'far').write_text(json.dumps({**said, 'files': [{'file': 'other/b.py'}]}))
    there = sorted(tree.rglob('*'))
    assert status.main([*arguments, 'pkg']) == 2
    error = capsys.readouterr().err
    assert words in error and len(error.splitlines()) == 1
    assert sorted(tree.rglob('*')) == there
