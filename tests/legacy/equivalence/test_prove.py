# SPDX-License-Identifier: Apache-2.0
"""``nova-image prove``, whole: what is proven, what is caught and where, and what proves nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legacy.equivalence import prove, prove_cli, prove_report, prove_runs
from legacy.equivalence.prove_report import Proof
from legacy.migrate import Result

APP = """\
from nova import exception
from nova.image import glance


class Context:
    auth_token = 'token'
    project_id = 'p'
    user_id = 'u'
    is_admin = False
    roles = ['member']


def upload(ctx, data=b'abcdef'):
    service = glance.get_default_image_service()
    meta = {
        'name': 'one',
        'disk_format': 'raw',
        'container_format': 'bare',
        'properties': {'a': '1'},
    }
    service.create(ctx, dict(meta, name='two'))
    return service.create(ctx, meta, data)['id']


def describe(ctx, ref):
    (service, image_id) = glance.get_remote_image_service(ctx, ref)
    service.update(ctx, image_id, {'properties': {'b': '2'}})


def find(ctx):
    service = glance.get_default_image_service()
    return [row['name'] for row in service.detail(ctx, filters={'name': 'one'})]


def fetch(ctx, ref, path):
    (service, image_id) = glance.get_remote_image_service(ctx, ref)
    service.download(
        ctx,
        image_id,
        dst_path=path,
    )


def never(ctx, ref):
    glance.get_default_image_service().delete(ctx, ref)
"""
MAIN = """\
import app

ctx = app.Context()
ref = app.upload(ctx)
app.describe(ctx, ref)
print(app.find(ctx))
app.fetch(ctx, ref, 'fetched')
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An old caller, and the directory we are in."""
    root = tmp_path / 'project'
    root.mkdir()
    (root / 'app.py').write_text(APP)
    (root / 'main.py').write_text(MAIN)
    monkeypatch.chdir(root)
    return root


def run(path: str = 'app.py', *command: str, **more: Any) -> Proof:
    return prove.prove(path, command or (sys.executable, 'main.py'), **more)


def line_of(text: str, source: str = APP) -> int:
    return source[: source.index(text)].count('\n') + 1


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Make the rewrite wrong: one piece of the new text becomes another."""
    right = prove.migrate

    def planted(good: str, bad: str) -> None:
        def migrate(tree: Path, path: Path, moving: frozenset[str] = frozenset()) -> Result:
            result = right(tree, path, moving)
            file = result.files['app.py']
            assert good.encode() in file.new_bytes, file.new_bytes.decode()
            file.new_bytes = file.new_bytes.replace(good.encode(), bad.encode())
            return result

        monkeypatch.setattr(prove, 'migrate', migrate)

    return planted


def test_a_right_rewrite_is_proven(project: Path) -> None:
    before = {path: path.read_bytes() for path in project.iterdir()}
    proof = run()
    report = prove_report.text(proof)
    assert proof.verdict == 'proven', report
    assert proof.exit_code == 0
    assert proof.comparison.differences == []
    assert [operation.op for operation in proof.comparison.compared] == [
        'create', 'create', 'update', 'list', 'download',
    ]  # fmt: skip
    assert {operation.file for operation in proof.comparison.compared} == {'app.py'}
    assert '0 differences' in report.splitlines()[-1]
    assert {path: path.read_bytes() for path in project.iterdir()} == before, (
        'the tree is not touched'
    )


def test_rewritten_sites_that_were_not_reached_are_listed(project: Path) -> None:
    proof = run()
    wanted = line_of('.delete(ctx')
    assert {site.line for site in proof.not_exercised} == {wanted}
    assert f'app.py:{wanted}:' in prove_report.text(proof)


@pytest.mark.parametrize(
    ('good', 'bad', 'call', 'path'),
    [
        (', purge_props=True', '', 'service.update(', 'arguments.purge_props'),
        ("filters={'name': 'one'}", '', 'service.detail(', 'arguments.filters'),
        ('dest_path=path', 'data=path', 'service.download(', None),
    ],
    ids=['a dropped purge_props', 'a lost filter', 'dst_path and data swapped'],
)
def test_a_wrong_rewrite_is_caught_and_shown_at_its_line(
    project: Path,
    plant: Callable[[str, str], None],
    good: str,
    bad: str,
    call: str,
    path: str | None,
) -> None:
    plant(good, bad)
    proof = run()
    report = prove_report.text(proof)
    assert proof.exit_code == 1, report
    first = proof.comparison.differences[0]
    assert first.file == 'app.py'
    line = line_of(call)
    assert prove_report.as_json(proof)['differences'][0]['old_line'] == line
    if path is not None:
        assert any(each.path.startswith(path) for each in first.mismatches), report
    assert f'app.py:{line}' in report
    assert call in report
    after = prove_report.as_json(proof)['differences'][0]['new_code']
    assert (bad or call.partition('.')[2].replace('detail', 'get_all')) in after


def test_a_difference_in_how_the_command_ends_is_a_difference(
    project: Path, plant: Callable[[str, str], None]
) -> None:
    plant('def find(ctx):', 'def find(ctx, more):')
    proof = run()
    report = prove_report.text(proof)
    assert proof.exit_code == 1
    assert 'COMMAND ends otherwise' in report
    assert "missing 1 required positional argument: 'more'" in report


def test_a_rewrite_that_does_not_even_compile_differs(
    project: Path, plant: Callable[[str, str], None]
) -> None:
    plant('def find(ctx):', 'def find(ctx:')
    proof = run()
    assert proof.exit_code == 1
    assert 'cannot run it' in dict(proof.unproven)['app.py']


def test_a_command_that_fails_on_both_sides_alike_proves_what_it_did(project: Path) -> None:
    (project / 'main.py').write_text(MAIN + 'raise SystemExit(3)\n')
    proof = run()
    assert proof.exit_code == 0
    assert 'COMMAND failed on both sides alike: exit 3' in prove_report.text(proof)


def test_the_command_may_be_a_test_suite_and_an_installed_script(project: Path) -> None:
    (project / 'test_app.py').write_text(
        'import app\n\n\ndef test_it(tmp_path):\n    ctx = app.Context()\n    ref = app.upload(ctx)\n'
        "    app.fetch(ctx, ref, str(tmp_path / 'out'))\n    assert app.find(ctx) == ['one']\n"
    )
    proof = run(
        'app.py', sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_app.py'
    )
    assert proof.exit_code == 0, prove_report.text(proof)
    assert len(proof.comparison.compared) == 4


def test_what_the_old_program_does_differently_by_itself_is_subtracted_per_field(project: Path) -> None:
    (project / 'main.py').write_text(
        MAIN + "import random\napp.describe(ctx, 'x%d' % random.getrandbits(64))\n"
    )
    proof = run()
    report = prove_report.text(proof)
    assert proof.exit_code == 0, report
    assert {(each.op, each.path) for each in proof.noise} >= {('update', 'arguments.image_id')}
    assert 'noise of the old program, subtracted' in report
    assert f'app.py:{line_of("service.update(")} update arguments.image_id: old "x' in report


def test_a_difference_beside_the_noise_is_a_difference(
    project: Path, plant: Callable[[str, str], None]
) -> None:
    (project / 'main.py').write_text(
        MAIN.replace('app.upload(ctx)', 'app.upload(ctx, b"%.16f" % random.random())').replace(
            'import app', 'import random, app'
        )
    )
    plant(', purge_props=True', '')
    proof = run()
    assert proof.exit_code == 1
    assert any(each.path.startswith('sent.') for each in proof.noise)
    assert 'arguments.purge_props' in proof.sentence


def test_threads_and_processes_are_compared_without_an_order(project: Path) -> None:
    (project / 'main.py').write_text(
        'import concurrent.futures, subprocess, sys\nimport app\n'
        'if sys.argv[1:]:\n    print(app.upload(app.Context()))\nelse:\n'
        "    child = subprocess.Popen([sys.executable, 'main.py', 'child'])\n"
        '    with concurrent.futures.ThreadPoolExecutor(4) as pool:\n'
        '        ids = list(pool.map(app.upload, [app.Context()] * 8, [b"%d" % n for n in range(8)]))\n'
        '        list(pool.map(app.describe, [app.Context()] * 8, ids))\n'
        '    raise SystemExit(child.wait())\n'
    )
    proof = run()
    assert proof.exit_code == 0, prove_report.text(proof)
    assert len(proof.comparison.compared) == 26


# -- nothing proven


def test_nothing_recorded_is_nothing_proven(project: Path) -> None:
    proof = run('app.py', sys.executable, '-c', 'import app')
    assert proof.exit_code == 2
    assert 'no image operation was recorded' in proof.reasons
    assert prove_report.text(proof).splitlines()[-1].startswith('nothing proven: ')


def test_no_rewritten_call_executed_is_nothing_proven(project: Path) -> None:
    (project / 'other.py').write_text(APP)
    (project / 'main.py').write_text(MAIN.replace('import app', 'import other as app'))
    proof = run()
    assert proof.exit_code == 2
    assert len(proof.comparison.compared) == 5
    assert 'somewhere else' in ' '.join(proof.reasons)


def test_code_installed_from_elsewhere_is_nothing_proven(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an editable install does: a directory that is not the copy, first on the path.
    elsewhere = tmp_path / 'installed'
    elsewhere.mkdir()
    (elsewhere / 'installed_app.py').write_text(APP)
    (project / 'installed_app.py').write_text(APP)
    (project / 'main.py').write_text(
        f'import sys\nsys.path.insert(0, {str(elsewhere)!r})\n'
        + MAIN.replace('import app', 'import installed_app as app')
    )
    proof = run('installed_app.py')
    assert proof.exit_code == 2
    assert 'somewhere else' in ' '.join(proof.reasons)
    assert str(elsewhere) in ' '.join(proof.notes)


def test_no_site_found_is_nothing_proven_and_runs_nothing(project: Path) -> None:
    proof = run('main.py', sys.executable, '-c', 'import os; os.mkdir("ran")')
    assert proof.exit_code == 2
    assert proof.reasons == ['no old call site was found under main.py']
    assert proof.old is None


@pytest.mark.parametrize('command', [('true',), (sys.executable, '-E', 'main.py')])
def test_a_command_without_a_python_that_we_reach_is_nothing_proven(project: Path, command: tuple[str, ...]) -> None:
    proof = run('app.py', *command)
    assert proof.exit_code == 2
    assert proof.sentence.startswith('nothing proven: COMMAND started no Python process that could be prepared (')
    assert not proof.findings


# -- the command line


def test_the_report_is_json_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove_cli.main(['app.py', '--json', 'out.json', '--', sys.executable, 'main.py']) == 0
    found = json.loads((project / 'out.json').read_text())
    assert (found['schema'], found['verdict'], found['exit']) == (1, 'proven', 0)
    assert found['totals']['operations'] == 5
    assert found['totals']['differences'] == 0
    assert found['runs']['old']['status'] == found['runs']['new']['status'] == 0
    assert {each['line'] for each in found['not_exercised']} == {line_of('.delete(ctx')}
    assert 'proven: ' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['absent.py', '--', 'true'], 'absent.py does not exist'),
        (['app.py', '--', 'no-such-program'], 'command not found: no-such-program'),
        (['app.py', '--', './main.py'], 'command not found: ./main.py is not executable'),
        (['app.py', '--root', 'absent', '--', 'true'], 'is no directory'),
        (['app.py', '--json', 'no/where.json', '--', 'true'], 'cannot write --json'),
        (['app.py'], 'COMMAND is missing'),
        (['app.py', '--timeout', '-5', '--', 'true'], "'-5' is no number of seconds"),
        (['app.py', '--timeout', 'soon', '--', 'true'], "'soon' is no number of seconds"),
        (['app.py', '--repeat', '0', '--', 'true'], "'0' is no number of times"),
        (['app.py', '--repeat', 'x', '--', 'true'], "'x' is no number of times"),
        (['--', 'true'], 'required: PATH'),
        (['app.py', '--driver', 'floppy', '--', 'true'], "invalid choice: 'floppy'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert prove_cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ''
    assert len(told.err.splitlines()) == 1
    assert words in told.err


def test_an_interrupt_is_one_line_and_leaves_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    space = tmp_path / 'space'
    space.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(space))
    monkeypatch.setattr(prove_runs, 'run_side', interrupted)
    assert prove_cli.main(['app.py', '--', 'true']) == 2
    assert capsys.readouterr().err == 'nova-image prove: interrupted; nothing was proven\n'
    assert list(space.iterdir()) == []


def test_a_command_that_hangs_is_stopped_when_asked(project: Path) -> None:
    (project / 'main.py').write_text(MAIN + 'import time\ntime.sleep(600)\n')
    proof = run(timeout=4)
    assert proof.old is not None
    assert proof.old.timed_out
    assert 'stopped after' in prove_report.text(proof)


def test_scratch_space_is_removed_or_kept_as_asked(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(scratch))
    run('main.py', 'true')
    assert list(scratch.iterdir()) == []
    proof = run('app.py', 'true', keep=True)
    (kept,) = scratch.iterdir()
    assert str(kept) in ' '.join(proof.notes)
    assert (kept / 'new' / 'tree' / 'app.py').read_text() != APP


@pytest.mark.glance
def test_a_real_glance_serves_both_sides(project: Path) -> None:
    proof = run(driver='glance')
    assert proof.exit_code == 0, prove_report.text(proof)
    assert len(proof.comparison.compared) == 5
