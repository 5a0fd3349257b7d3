# SPDX-License-Identifier: Apache-2.0
"""Bytes outside the edits, encodings, Python 2, writing, links, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from legacy.migrate import run
from legacy.migrate.cli import migrate_main, scan_main

OLD = 'from nova.image import glance\nglance.get_default_image_service().show(c, 1)\n'
NEW = 'import nova_image.api\nnova_image.api.API().get(c, 1)\n'
PYTHON2 = """# -*- coding: latin-1 -*-
from nova.image import glance
def f(ctx, ref):
\tprint "Grün", `ref`, 0777, 10L
\ttry:
\t\tsvc, i = glance.get_remote_image_service(ctx, ref)   
\t\texec "x = 1" in {}
\texcept (ValueError, TypeError), e:
\t\traise e, None, sys.exc_info()[2]
\treturn svc.show(ctx, i) <> ur"x"
"""


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        (OLD.encode(), NEW.encode()),
        (OLD.replace('\n', '\r\n').encode(), NEW.replace('\n', '\r\n').encode()),
        (b'\xef\xbb\xbf' + OLD.encode(), b'\xef\xbb\xbf' + NEW.encode()),
        (OLD.rstrip().encode(), NEW.rstrip().encode()),
        (
            f'# coding: latin-1\n# Grün\n{OLD}'.encode('latin-1'),
            f'# coding: latin-1\n# Grün\n{NEW}'.encode('latin-1'),
        ),
        (f'# Grün \u4e2d\n{OLD}x = "\u4e2d"; glance\n'.encode(), None),
        (
            f'# vim: set fileencoding=shift_jis :\n# \u4e2d\n{OLD}'.encode('shift_jis'),
            f'# vim: set fileencoding=shift_jis :\n# \u4e2d\n{NEW}'.encode('shift_jis'),
        ),
    ],
)
def test_bytes_outside_the_edits_stay(before, after, migrate):
    result = migrate({'a.py': before})
    if after is not None:
        assert result.files['a.py'].new_bytes == after
    assert not result.problems


def test_a_python_2_file_is_rewritten_with_tabs_and_trailing_spaces(migrate):
    result = migrate({'a.py': PYTHON2.encode('latin-1')})
    expected = (
        PYTHON2.replace('from nova.image import glance', 'import nova_image.api')
        .replace('glance.get_remote_image_service(ctx, ref)', 'nova_image.api.API(), ref')
        .replace('svc.show', 'svc.get')
    )
    new = result.files['a.py'].new_bytes.decode('latin-1')
    assert new != PYTHON2
    assert new.count('\t') == PYTHON2.count('\t') and 'ref)   \n' not in expected
    assert result.totals['left'] == 0


def test_columns_count_characters(migrate):
    result = migrate({'a.py': 'from legacy import glance\nx = "\u4e2d\u4e2d"; glance.get_api_servers()\n'})
    assert [(site.line, site.column) for site in result.sites] == [(1, 20), (2, 11)]


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        (b'# coding: klingon\n' + OLD.encode(), 'klingon'),
        (b'x = "\xff"\n' + OLD.encode(), 'utf-8'),
        (OLD.encode('utf-16'), 'UTF-16'),
        (b'# coding: klingon\nx = 1\n', 'klingon'),
    ],
)
def test_a_file_that_cannot_be_decoded_is_reported_and_the_run_goes_on(data, words, tmp_path, capsys):
    (tmp_path / 'bad.py').write_bytes(data)
    (tmp_path / 'good.py').write_text(OLD)
    assert migrate_main(['--write', '--root', str(tmp_path), str(tmp_path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and 'bad.py' in errors[0] and words in errors[0]
    assert (tmp_path / 'bad.py').read_bytes() == data
    assert (tmp_path / 'good.py').read_text() == NEW


def test_a_path_that_does_not_exist_stops_before_anything_is_changed(tmp_path, capsys):
    (tmp_path / 'good.py').write_text(OLD)
    for bad in ([str(tmp_path / 'absent')], ['--root', str(tmp_path / 'absent')]):
        assert migrate_main(['--write', str(tmp_path), *bad]) == 2
        error = capsys.readouterr().err
        assert 'absent' in error and len(error.splitlines()) == 1
    assert (tmp_path / 'good.py').read_text() == OLD


def test_scan_and_the_default_write_nothing(tmp_path, capsysbinary):
    path = tmp_path / 'a.py'
    path.write_text(OLD)
    assert scan_main(['--root', str(tmp_path), str(tmp_path)]) == 1
    assert migrate_main(['--root', str(tmp_path), str(tmp_path)]) == 1
    assert migrate_main(['--check', '--root', str(tmp_path), str(tmp_path)]) == 1
    out = capsysbinary.readouterr().out.decode()
    assert '-from nova.image import glance\n' in out and '+import nova_image.api\n' in out
    assert path.read_text() == OLD


def test_write_changes_the_file_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / 'tool'
    path.write_text('#!/usr/bin/env python\n' + OLD)
    path.chmod(0o750)
    assert migrate_main(['--write', '--root', str(tmp_path), str(tmp_path)]) == 1
    assert path.read_text() == '#!/usr/bin/env python\n' + NEW
    assert path.stat().st_mode & 0o777 == 0o750
    assert os.listdir(tmp_path) == ['tool']
    assert migrate_main(['--write', '--root', str(tmp_path), str(tmp_path)]) == 0


def test_links_are_respected(tmp_path):
    outside, tree = tmp_path / 'outside', tmp_path / 'tree'
    outside.mkdir()
    tree.mkdir()
    (outside / 'a.py').write_text(OLD)
    (tree / 'b.py').write_text(OLD)
    (tree / 'a.py').symlink_to(outside / 'a.py')
    (tree / 'more').symlink_to(outside)
    (tree / 'c.py').symlink_to('b.py')
    run([tree], tree).write()
    assert (outside / 'a.py').read_text() == OLD
    assert (tree / 'b.py').read_text() == NEW
    assert (tree / 'a.py').is_symlink() and (tree / 'c.py').is_symlink()
    link = tmp_path / 'link.py'
    link.symlink_to(outside / 'a.py')
    run([link], tmp_path).write()
    assert link.is_symlink() and (outside / 'a.py').read_text() == NEW


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / 'a.py'
    path.write_text(OLD)
    result = run([tmp_path], tmp_path)
    path.write_text('# mine\n')
    with pytest.raises(OSError, match='changed while'):
        result.write()
    assert path.read_text() == '# mine\n'


def test_a_result_can_be_written_below_another_root(tmp_path):
    (tmp_path / 'src').mkdir()
    (tmp_path / 'src/a.py').write_text(OLD)
    result = run([tmp_path / 'src'], tmp_path)
    result.write(tmp_path / 'copy')
    assert (tmp_path / 'copy/src/a.py').read_text() == NEW
    assert (tmp_path / 'src/a.py').read_text() == OLD


def test_lines_of_the_input_are_found_in_the_output(migrate):
    result = migrate(
        {
            'a.py': 'from nova.image import glance, x\n'
            'def f(c, r):\n'
            '    s, i = glance.get_remote_image_service(c, r[0])\n'
            '    s.show(c, i)\n'
            '    return i\n'
            'def g(c):\n'
            '    return glance.get_default_image_service(\n    ).show(c, 1)\n'
        }
    )
    each = result.files['a.py']
    lines = each.new_bytes.decode().splitlines()
    for site in each.sites:
        if site.status == 'rewritten' and site.pattern != 'P-01':
            text = '\n'.join(lines[site.new_line - 1 : site.new_end_line])
            assert site.replacement in text, (site, text)


def test_json_has_the_schema(tmp_path, capsys):
    (tmp_path / 'a.py').write_text('# nova.image.glance\n' + OLD + 'x = glance.get_api_servers()\n')
    (tmp_path / 'b.py').write_text('def (\n# nova.image.glance\n')
    assert scan_main(['--format', 'json', '--root', str(tmp_path), str(tmp_path)]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer['schema'] == 1
    keys = {'file', 'line', 'column', 'name', 'pattern', 'status', 'reason', 'replacement'}
    assert all(set(site) == keys for site in answer['sites'])
    assert {site['status'] for site in answer['sites']} == {'rewritten', 'left', 'not-ours'}
    assert [each['file'] for each in answer['files']] == ['b.py']
    totals = answer['totals']
    assert (
        totals['rewritten'] + totals['left'] + totals['not-ours'] == totals['sites'] == len(answer['sites'])
    )


@pytest.mark.parametrize('form', ['github', 'sarif', 'text'])
def test_other_formats_show_what_is_to_do_and_nothing_else(form, tmp_path, capsys):
    (tmp_path / 'a.py').write_text('# nova.image.glance\n' + OLD)
    assert scan_main(['--format', form, '--root', str(tmp_path), str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert 'P-09' in out and 'P-57' not in out
    if form == 'sarif':
        assert json.loads(out)['version'] == '2.1.0'


def test_the_diff_applies(tmp_path):
    path = tmp_path / 'a.py'
    path.write_bytes(OLD.replace('\n', '\r\n').rstrip().encode())
    program = f'import sys; from legacy.migrate.cli import *; sys.exit(migrate_main(["a.py"]))'  # noqa: F541
    done = subprocess.run([sys.executable, '-c', program], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    subprocess.run(['git', 'apply', '-'], input=done.stdout, cwd=tmp_path, check=True)
    assert path.read_bytes() == NEW.replace('\n', '\r\n').rstrip().encode()


def test_importing_the_package_loads_no_parser():
    program = 'import sys, legacy.migrate, legacy.migrate.cli; assert not any("tree_sitter" in m for m in sys.modules)'
    subprocess.run([sys.executable, '-c', program], check=True)


def test_nothing_to_do_is_exit_0(tmp_path, capsys):
    (tmp_path / 'a.py').write_text('x = 1\n')
    assert scan_main(['--root', str(tmp_path), str(Path(tmp_path))]) == 0
    assert '0 sites' in capsys.readouterr().out


def test_sarif_explains_its_rules_and_names_files_that_could_not_be_looked_at(tmp_path, capsys):
    (tmp_path / 'a b.py').write_text(OLD)
    (tmp_path / 'bad.py').write_text('def (\n# nova.image.glance\n')
    assert scan_main(['--format', 'sarif', '--root', str(tmp_path), str(tmp_path)]) == 2
    (answer,) = json.loads(capsys.readouterr().out)['runs']
    rules = {each['id']: each for each in answer['tool']['driver']['rules']}
    assert all(each['shortDescription']['text'] and each['help']['text'] for each in rules.values())
    assert {each['ruleId'] for each in answer['results']} == rules.keys()
    places = [each['locations'][0]['physicalLocation']['artifactLocation']['uri'] for each in answer['results']]
    assert 'a%20b.py' in places
    (invocation,) = answer['invocations']
    assert not invocation['executionSuccessful'] and 'bad.py' in str(invocation['toolExecutionNotifications'])


PAIR = 'def f(c, r):\n    s, i = {}\n    {}\n    return s.{}(c, {})\n'


@pytest.mark.parametrize('line', ['x = `s.show(c, 1)`', 'print `s`, "`"'])
def test_a_service_in_backticks_is_left(line, migrate):
    """P-58: to the parser it is a text, in which nothing is followed."""
    text = 'from legacy import glance\n' + PAIR.format('glance.get_remote_image_service(c, r)', line, 'show', 'i')
    assert not migrate({'a.py': text}).changed


def test_an_old_name_in_backticks_is_a_file_that_cannot_be_parsed(migrate):
    result = migrate({'a.py': 'from nova.image import glance\nx = `glance.get_default_image_service()`\n'})
    assert not result.changed and {site.pattern for site in result.sites} == {'P-58'}
    assert result.problems[0].line == 2 and '`glance' in result.problems[0].why


def test_a_parsed_id_in_backticks_is_still_the_parsed_id(migrate):
    result = migrate({'a.py': 'from nova.image import glance\n' + PAIR.format('glance.get_remote_image_service(c, r)', 'x = `i`', 'show', 'i')})
    new = PAIR.format('nova_image.api.API(), nova_image.parse_image_ref(r).image_id', 'x = `i`', 'get', 'r')
    assert result.files['a.py'].new_bytes.decode() == 'import nova_image.api\n' + new


def test_backticks_in_texts_and_comments_are_nothing(migrate):
    text = '"""See ``nova``."""\nfrom nova.image import glance\nx = "`", "``a``"  # `y`\nglance.get_default_image_service().show(c, 1)\n'
    assert migrate({'a.py': text}).changed == ['a.py']


@pytest.mark.parametrize('form', ['text', 'json', 'github', 'sarif'])
def test_a_file_may_have_any_name(form, tmp_path, capsysbinary):
    path = os.path.join(os.fsencode(tmp_path), b'a b\xff%.py')
    Path(os.fsdecode(path)).write_text(OLD + 'S = glance.get_default_image_service()\n')
    assert scan_main(['--format', form, '--root', str(tmp_path), str(tmp_path)]) == 1
    assert migrate_main(['--diff', '--root', str(tmp_path), str(tmp_path)]) == 1
    written = capsysbinary.readouterr().out
    assert b'\n+++ b/a b\xff%.py\n' in written and (form != 'sarif' or b'a%20b%FF%25.py' in written)


@pytest.mark.parametrize('arguments', [['migrate', '--diff'], ['scan'], ['migrate', '--format', 'json']])
def test_a_reader_who_has_gone_is_no_error(arguments, tmp_path):
    (tmp_path / 'a.py').write_text(OLD)
    command = [sys.executable, '-m', 'nova_image.cli', *arguments, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.close()
        error = running.stderr.read()
    assert running.returncode == 1 and 'pipe' not in error, error
