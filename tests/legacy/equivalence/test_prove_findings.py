# SPDX-License-Identifier: Apache-2.0
"""Deliberately wrong migrations, inert doubles, baselines: the report names the line, and says what is wrong first."""

from __future__ import annotations

import html.parser
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from legacy.equivalence import prove, prove_cli, prove_report, prove_run, report_html
from legacy.equivalence.prove_report import Proof
from legacy.migrate import Result

ROOT = Path(__file__).parents[3]
EXAMPLES = ('backup_rotation.py', 'image_cache.py', 'request.py', 'snapshot_upload.py')
SCHEMA = json.loads((ROOT / 'docs' / 'prove.schema.json').read_text())
GUARDED = """\
from nova import exception
from nova.image import glance
from request import Context


def words(context, ref):
    (service, image_id) = glance.get_remote_image_service(context, ref)
    try:
        return service.show(context, image_id)['properties']
    except Exception:
        return {}


def name(context, ref):
    (service, image_id) = glance.get_remote_image_service(context, ref)
    try:
        return service.show(context, image_id)['name']
    except exception.ImageNotFound:
        return 'nobody'


context = Context('p', 'u')
made = glance.get_default_image_service().create(context, {'name': 'n', 'properties': {'a': '1'}})
print(words(context, made['id']), name(context, 'f3a2b1c0-0000-4000-8000-00000000dead'))
"""
MOCKED = """\
from unittest import mock

import app
from nova.image import glance

RECORD = {'name': 'from the double'}


@mock.patch('nova.image.glance.get_remote_image_service')
def test_by_decorator(get_pair):
    get_pair.return_value = (mock.Mock(show=mock.Mock(return_value=RECORD)), 'an-id')
    app.name(None, 'an-id')


def test_by_monkeypatch(monkeypatch):
    monkeypatch.setattr(
        glance.GlanceImageService, 'show', lambda *args, **kwargs: RECORD
    )
    app.name(None, 'an-id')


def test_of_nothing():
    with mock.patch.object(glance, 'get_default_image_service'):
        pass
"""
APP = """\
from nova.image import glance


def name(context, ref):
    try:
        (service, image_id) = glance.get_remote_image_service(context, ref)
        return service.show(context, image_id)['name']
    except Exception:
        return None
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / 'project'
    root.mkdir()
    for name in EXAMPLES:
        (root / name).write_bytes((ROOT / 'examples/programs' / name).read_bytes())
    (root / 'guarded.py').write_text(GUARDED)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    right = prove.migrate

    def planted(name: str, good: str, bad: str) -> None:
        def migrate(tree: Path, path: Path, moving: frozenset[str] = frozenset()) -> Result:
            result = right(tree, path, moving)
            file = result.files[name]
            assert good.encode() in file.new_bytes, file.new_bytes.decode()
            file.new_bytes = file.new_bytes.replace(good.encode(), bad.encode())
            return result

        monkeypatch.setattr(prove, 'migrate', migrate)

    return planted


def line_of(file: Path, text: str) -> int:
    source = file.read_text()
    return source[: source.index(text)].count('\n') + 1


def run(path: str, *command: str, **more: Any) -> Proof:
    return prove.prove(path, (sys.executable, *(command or (path,))), **more)


@pytest.mark.parametrize(
    ('name', 'good', 'bad', 'old', 'sentence'),
    [
        ('snapshot_upload.py', 'image, None, purge_props=True', 'image, None', 'image_service.update(context, image_id, image, None)',
         'update differs in arguments.purge_props: old true, new false'),
        ('image_cache.py', 'download(context, image_href, target)', 'download(context, image_href, dest_path=target)', 'image_service.download(context, image_id, target)',
         'COMMAND ends otherwise: old exit 0, new exit 1'),
        ('backup_rotation.py', 'context, filters=filters, sort_key', 'context, sort_key', 'image_service.detail(context, filters=filters',
         'list differs in arguments.filters'),
        ('guarded.py', 'except exception.ImageNotFound', 'except KeyError', "service.show(context, image_id)['name']",
         'COMMAND ends otherwise: old exit 0, new exit 1'),
        ('guarded.py', "get(context, ref)['properties']", "show(context, ref)['properties']", "service.show(context, image_id)['properties']",
         "only the old program calls show; the new one raises AttributeError: 'API' object has no attribute 'show' there"),
    ],
    ids=['a wrong purge default', 'path and data swapped', 'a lost filter', 'another error class', 'half a hand-over'],
)  # fmt: skip
def test_a_wrong_migration_is_told_first_with_its_line(
    project: Path, plant: Callable[[str, str, str], None], name: str, good: str, bad: str, old: str, sentence: str
) -> None:
    plant(name, good, bad)
    started = time.monotonic()
    proof = run(name)
    text = prove_report.text(proof)
    assert time.monotonic() - started < 60
    assert proof.exit_code == 1, text
    told = [each.sentence for each in proof.findings]
    place = f'{name}:{line_of(project / name, old)}: '
    assert any(each.startswith(place + sentence) for each in told), text
    assert text.splitlines()[0] == told[0]
    order = [text.index(word) for word in ('fields that differ:', 'how often: ', 'run it again: nova-image prove ')]
    assert order == sorted(order)
    page = report_html.page(proof)
    assert place in page
    answer = json.loads(json.dumps(prove_report.as_json(proof), default=str))
    jsonschema.validate(answer, SCHEMA)


def test_the_first_sentence_of_a_wrong_purge_has_all_that_follows(
    project: Path, plant: Callable[[str, str, str], None]
) -> None:
    plant('snapshot_upload.py', 'image, None, purge_props=True', 'image, None')
    text = prove_report.text(run('snapshot_upload.py'))
    assert text.startswith(f'snapshot_upload.py:{line_of(project / "snapshot_upload.py", "image, None)")}: update ')
    words = ['smallest program', 'old call and new call:', 'fields that differ:', 'how often: 1 time in 1 of 1 run, ',
             'run it again: ', 'likely entry: GlanceImageService.update in legacy/names_public.py:']  # fmt: skip
    places = [text.index(each) for each in words]
    assert places == sorted(places), text
    assert "image_1 = images.create(context, {'name': 'snapshot ümlaut'" in text
    assert '- images.update(context, image_1, ' in text


def test_doubles_that_went_inert_are_told_with_their_line(project: Path) -> None:
    # As pytest does with plug-ins that are installed, but not as editable: it loads their modules itself.
    (project / 'conftest.py').write_text("import pytest\npytest.register_assert_rewrite('legacy', 'nova_image')\n")
    (project / 'app.py').write_text(APP)
    (project / 'test_app.py').write_text(MOCKED)
    proof = run('app.py', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_app.py')
    text = prove_report.text(proof)
    assert proof.exit_code == 1, text
    inert = [each for each in proof.findings if each.difference.kind == 'inert']
    assert {(each.line, each.difference.subject) for each in inert} == {
        (line_of(project / 'test_app.py', '@mock.patch('), 'get_remote_image_service'),
        (line_of(project / 'test_app.py', 'monkeypatch.setattr('), 'GlanceImageService.show'),
    }
    assert ' went inert: the old code calls it, the new code passes it by' in text.splitlines()[0]
    jsonschema.validate(json.loads(json.dumps(prove_report.as_json(proof), default=str)), SCHEMA)


def test_a_baseline_is_recorded_once_and_compared_with_later(
    project: Path, plant: Callable[[str, str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ['guarded.py', '--baseline', '../base.json', '--', sys.executable, 'guarded.py']
    assert prove_cli.main(words) == 0
    assert 'recorded in ../base.json' in capsys.readouterr().out
    migrated = prove.migrate(project, Path('guarded.py'))
    migrated.write()
    (project / 'guarded.py').write_text('\n\n' + (project / 'guarded.py').read_text())
    assert prove_cli.main(words) == 0, capsys.readouterr().out
    assert '3 image operations equal, the recording of ' in capsys.readouterr().out
    broken = (project / 'guarded.py').read_text().replace("{'a': '1'}", "{'a': '2'}")
    (project / 'guarded.py').write_text(broken)
    assert prove_cli.main(words) == 1
    told = capsys.readouterr().out
    assert 'create differs in arguments.image_info.properties.a: old "1", new "2"' in told.splitlines()[0]
    assert '; since the recording of ' in told


@pytest.mark.parametrize(
    ('place', 'value', 'told'),
    [
        (('schema',), 2, 'has schema 2, expected 1'),
        (('runs',), [], 'is no recording of this tool'),
        (('runs', 0, 'operations', 0), {}, 'is no recording of this tool'),
        (('runs', 0, 'operations', 0, 'args'), [1], 'is no recording of this tool'),
        (('runs', 0, 'operations', 0, 'caller'), 'x', 'is no recording of this tool'),
        (('runs', 0, 'ended', 'status'), 'x', 'is no recording of this tool'),
        (('runs', 0, 'stored'), [{'id': 'x'}], 'is no recording of this tool'),
        ((), '[' * 100_000, 'is no recording of this tool'),
        ((), 'x', 'is no recording of this tool'),
    ],
)
def test_a_file_that_is_no_baseline_is_one_line_and_exit_2(
    project: Path, capsys: pytest.CaptureFixture[str], place: tuple[Any, ...], value: Any, told: str
) -> None:
    operation = {'op': 'list', 'n': 1, 'at': 1.0, 'args': {}, 'caller': None}
    ended = {'status': 0, 'seconds': 1.0, 'timed_out': False}
    content: Any = {'schema': 1, 'made': 'then', 'command': [], 'runs': [{'ended': ended, 'operations': [operation], 'stored': []}]}
    inside = content
    for step in place[:-1]:
        inside = inside[step]
    if place:
        inside[place[-1]] = value
    file = project.parent / 'base.json'
    file.write_text(json.dumps(content) if place else value)
    assert prove_cli.main(['guarded.py', '--baseline', str(file), '--', sys.executable, 'guarded.py']) == 2
    assert capsys.readouterr().err == f'nova-image prove: --baseline {file} {told}; remove it to record anew\n'


def test_repeated_runs_say_in_how_many_of_them(project: Path, plant: Callable[[str, str, str], None]) -> None:
    plant('guarded.py', "'name': 'n'", "'name': 'm'")
    proof = run('guarded.py', repeat=2)
    assert proof.findings[0].often() == '1 time in 2 of 2 runs, first at operation 1 of 3'.replace('1 time', '2 times')


def test_a_difference_of_a_later_run_is_shown_with_the_operations_of_that_run(
    project: Path, plant: Callable[[str, str, str], None]
) -> None:
    seen = project.parent / 'seen'
    (project / 'later.py').write_text(
        f'import os\n\n\ndef name():\n    if os.path.exists({str(seen)!r}):\n        return "m"\n'
        f'    open({str(seen)!r}, "w").close()\n    return "n"\n'
    )
    plant('guarded.py', "'name': 'n'", "'name': __import__('later').name()")
    proof = run('guarded.py', repeat=2, timeout=50.0, moving=frozenset({'tests'}))
    (finding, *_) = proof.findings
    assert finding.often() == '1 time in 1 of 2 runs, first at operation 1 of 3'
    assert 'class="bad"' in report_html.page(proof)
    assert 'prove guarded.py --repeat 2 --timeout 50.0 --tests -- ' in finding.again()


def test_processes_that_stay_are_waited_for_or_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / 'main.py').write_text(
        "import subprocess, sys\nif sys.argv[1:]:\n    import time\n    time.sleep(0.5)\n    import guarded\n"
        "    time.sleep(float(sys.argv[1]))\nelse:\n    subprocess.Popen([sys.executable, 'main.py', '0'])\n"
        "    subprocess.Popen([sys.executable, 'main.py', '600'])\n"
    )
    monkeypatch.setattr(prove_run, 'CHILDREN_SECONDS', 5.0)
    proof = run('guarded.py', 'main.py')
    assert proof.exit_code == 0, prove_report.text(proof)
    assert len(proof.comparison.pairs) == 6
    assert any('left a process running' in note and 'main.py 600' in note for note in proof.notes)


def test_an_editable_installation_leads_into_the_copy(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / 'site'
    site.mkdir()
    (site / 'sitecustomize.py').write_text(f'import sys\nsys.path.append({str(project)!r})\n')
    script = tmp_path / 'script.py'
    script.write_text('import guarded\n')
    monkeypatch.setenv('PYTHONPATH', str(site))
    proof = run('guarded.py', str(script))
    assert proof.exit_code == 0, prove_report.text(proof)


def test_a_command_that_fails_alike_says_so_first(project: Path) -> None:
    with (project / 'guarded.py').open('a') as program:
        program.write('raise SystemExit(3)\n')
    proof = run('guarded.py')
    assert proof.exit_code == 0
    assert prove_report.text(proof).splitlines()[0] == (
        '3 image operations equal before and after, up to where COMMAND fails on both sides alike (exit 3)'
    )


def test_files_that_cannot_be_read_are_told_on_stderr(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / 'odd.py').write_bytes(b'# coding: no-such-code\nfrom nova.image import glance\n')
    assert prove_cli.main(['odd.py', '--', 'true']) == 2
    assert 'nova-image prove: odd.py: ' in capsys.readouterr().err


def test_json_goes_to_stdout_alone_and_keeps_to_the_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove_cli.main(['guarded.py', '--format', 'json', '--', sys.executable, 'guarded.py']) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), SCHEMA)


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_the_page_has_nothing_from_elsewhere_and_escapes_everything(
    project: Path, plant: Callable[[str, str, str], None]
) -> None:
    plant('guarded.py', "'name': 'n'", "'name': '<script>&\"</script>'")
    assert prove_cli.main(['guarded.py', '--html', 'out.html', '--', sys.executable, 'guarded.py']) == 1
    page = (project / 'out.html').read_text()
    found = _Tags()
    found.feed(page)
    assert not {'script', 'link', 'img', 'iframe'} & set(found.tags)
    assert not [name for name, _ in found.attributes if name in ('src', 'href') or name.startswith('on')]
    assert '&lt;script&gt;' in page
    assert '<svg' in page
    assert 'prefers-color-scheme: dark' in page


def test_every_option_and_exit_status_stands_in_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        prove_cli.main(['--help'])
    offered = set(re.findall(r'--[a-z]+', capsys.readouterr().out)) - {'--help'}
    page = (ROOT / 'docs' / 'prove.md').read_text()
    assert offered == set(re.findall(r'^\| `(--[a-z]+)', page, re.MULTILINE))
    assert dict(re.findall(r'^\| (\d) \| `([a-z ]+)`', page, re.MULTILINE)) == {
        str(status): verdict for verdict, status in prove_report.EXIT.items()
    }


@pytest.mark.glance
def test_on_a_real_glance_the_requests_are_shown(project: Path, plant: Callable[[str, str, str], None]) -> None:
    plant('backup_rotation.py', 'context, filters=filters, sort_key', 'context, sort_key')
    text = prove_report.text(run('backup_rotation.py', driver='glance'))
    assert '  + GET /v2/images?limit=1000&sort_key=created_at&sort_dir=desc\n' in text
    assert '&backup_type=daily&' in text[text.index('requests:') : text.index('how often:')]
