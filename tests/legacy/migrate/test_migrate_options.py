# SPDX-License-Identifier: Apache-2.0
"""Skip comments, the selection of patterns, and where settings are read."""

from __future__ import annotations

import pytest

from legacy.migrate import run
from legacy.migrate.cli import migrate_main, scan_main
from legacy.migrate.options import BadSettings, load

OLD = 'from nova.image import glance\ndef f(c):\n    svc = glance.get_default_image_service()\n'
TEXT = OLD + '    svc.show(c, 1)\n    svc.delete(c, 1)\n'


def test_a_skip_comment_keeps_the_whole_group_and_gives_its_reason(migrate):
    result = migrate(
        {'a.py': TEXT.replace('svc.delete(c, 1)', 'svc.delete(c, 1)  # nova-image: skip: for the audit')}
    )
    assert b'svc.show' in result.files['a.py'].new_bytes
    reasons = [site.reason for site in result.sites if site.name in ('show', 'delete')]
    assert all('for the audit' in reason for reason in reasons), reasons


def test_a_skip_comment_on_an_import_keeps_it(stays):
    stays('from nova.image import glance  # nova-image: skip\nglance.get_api_servers()\n', 'P-01')


def test_the_word_in_a_string_is_no_comment(changes):
    changes(
        'from nova.image import glance\nglance.get_default_image_service().show(c, "# nova-image: skip")\n',
        'import nova_image.api\nnova_image.api.API().get(c, "# nova-image: skip")\n',
    )


@pytest.mark.parametrize('arguments', [['--ignore', 'P-32'], ['--select', 'P-08,P-26']])
def test_a_selection_never_splits_a_group(arguments, tmp_path):
    (tmp_path / 'a.py').write_text(TEXT)
    migrate_main(['--write', '--root', str(tmp_path), *arguments, str(tmp_path)])
    text = (tmp_path / 'a.py').read_text()
    assert 'svc.show(' in text and 'get_default_image_service' in text


def test_a_selection_of_all_patterns_of_a_group_takes_it(tmp_path):
    (tmp_path / 'a.py').write_text(TEXT)
    migrate_main(['--write', '--root', str(tmp_path), '--select', 'P-01 P-08 P-26 P-32', str(tmp_path)])
    assert 'nova.image' not in (tmp_path / 'a.py').read_text()


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('tox.ini', '[nova-image]\nexclude = vendor/*\nignore =\n    P-30\n    P-31\n'),
        ('setup.cfg', '[nova-image]\nexclude = vendor/*\nignore = P-30, P-31\n'),
        ('pyproject.toml', '[tool.nova-image]\nexclude = ["vendor/*"]\nignore = ["P-30", "P-31"]\n'),
    ],
)
def test_settings_are_read_and_the_command_line_wins(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    options = load(tmp_path, {})
    assert options.exclude == ('vendor/*',) and not options.wants('P-31') and options.wants('P-26')
    assert load(tmp_path, {'ignore': 'P-26'}).wants('P-31')


def test_an_excluded_file_is_not_looked_at(tmp_path):
    (tmp_path / 'vendor').mkdir()
    (tmp_path / 'vendor/a.py').write_text(TEXT)
    (tmp_path / 'tox.ini').write_text('[nova-image]\nexclude = vendor/*\n')
    assert scan_main(['--root', str(tmp_path), str(tmp_path)]) == 0
    assert run([tmp_path], tmp_path).sites


@pytest.mark.parametrize('text', ['colour = red', 'select = show'])
def test_a_setting_that_cannot_be_used_is_one_line_and_exit_2(text, tmp_path, capsys):
    (tmp_path / 'tox.ini').write_text(f'[nova-image]\n{text}\n')
    with pytest.raises(BadSettings, match='tox.ini'):
        load(tmp_path, {})
    assert scan_main(['--root', str(tmp_path), str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ('name', 'text', 'words'),
    [
        ('tox.ini', '[nova-image]\nselect\n = = P-26\nselect = x\nselect = y\n', 'tox.ini'),
        ('pyproject.toml', '[tool.nova-image]\nselect = [\n', 'pyproject.toml cannot be read'),
        ('pyproject.toml', '[tool]\nnova-image = 1\n', 'expected a table'),
        ('pyproject.toml', '[tool.nova-image\nselect = "P-26"\n', 'pyproject.toml cannot be read'),
        ('pyproject.toml', '[tool."nova-image"]\nselect = P-26\n', 'pyproject.toml cannot be read'),
        ('pyproject.toml', 'tool.nova-image.select = "P-26" "P-27"\n', 'pyproject.toml cannot be read'),
        ('pyproject.toml', '[tool.nova-image]\ncolour = "red"\n', "unknown setting 'colour'"),
        ('pyproject.toml', '[tool.nova-image]\nexclude = 3\n', 'exclude is 3, expected a text or a list'),
        ('pyproject.toml', '[tool.nova-image]\nselect = ["P-26", 27]\n', 'expected a text or a list'),
        ('pyproject.toml', '[tool.nova-image]\nignore = {a = "P-26"}\n', 'expected a text or a list'),
        ('setup.cfg', '[nova-image]\nignore = P-99\n', 'P-99'),
        ('setup.cfg', '[nova-image]\ncolour = red\n', "unknown setting 'colour'"),
        ('setup.cfg', '[nova-image\nignore = P-26\n', 'setup.cfg cannot be read'),
        ('tox.ini', '[tox]\n[nova-image]\nselect\n', 'tox.ini cannot be read'),
    ],
)
def test_settings_that_cannot_be_read_are_said_in_one_line(name, text, words, tmp_path, capsys):
    (tmp_path / name).write_text(text)
    assert scan_main(['--root', str(tmp_path), str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert words in error and len(error.splitlines()) == 1


def test_a_broken_file_without_a_word_of_us_is_not_ours_to_judge(tmp_path):
    (tmp_path / 'tox.ini').write_text('= =\n')
    for text in ('[', 'tool = 1\n'):
        (tmp_path / 'pyproject.toml').write_text(text)
        assert load(tmp_path, {}).select == frozenset()
    assert scan_main(['--root', str(tmp_path), str(tmp_path)]) == 0


def test_any_number_of_jobs_gives_the_same_answer(tmp_path, capsys):
    for number in range(12):
        (tmp_path / f'm{number}.py').write_text(TEXT)
    answers = set()
    for jobs in ('0', '1', '3'):
        assert migrate_main(['--format', 'json', '--jobs', jobs, '--root', str(tmp_path), str(tmp_path)]) == 1
        answers.add(capsys.readouterr().out)
    assert len(answers) == 1
    for bad in ('-1', 'many'):
        with pytest.raises(SystemExit, match='2'):
            migrate_main(['--jobs', bad, str(tmp_path)])
