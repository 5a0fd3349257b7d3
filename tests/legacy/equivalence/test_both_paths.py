# SPDX-License-Identifier: Apache-2.0
"""The marker on tests that pytest does not simply run: skipped, expected to fail, and with a slip in the marker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from legacy.equivalence import prove
from legacy.equivalence.prove_tree import CannotProve

CALLER = '''
from legacy import glance


def backup(context):
    return glance.get_default_image_service().create(context, {'name': 'nightly'})
'''
#: A user's tests. That one is skipped and one is expected to fail is what is asked here: the marker must end them so.
MARKED = '''
import types

import caller
import pytest

pytestmark = pytest.mark.both_image_paths
CONTEXT = types.SimpleNamespace(auth_token='token', project_id='p', user_id='u', is_admin=False, roles=['member'])
NEVER = True


def test_that_skips_itself():
    caller.backup(CONTEXT)
    pytest.skip('not today')


@pytest.mark.skipif('NEVER', reason='by a text')
def test_that_is_skipped_by_a_text():
    raise AssertionError


@pytest.mark.xfail(strict=True, reason='known')
def test_that_fails_as_expected():
    caller.backup(CONTEXT)
    raise AssertionError


@pytest.mark.both_image_paths(drivr='glance')
def test_with_a_slip_in_a_name():
    raise AssertionError


@pytest.mark.both_image_paths('caller.py', 'another.py')
def test_with_two_paths():
    raise AssertionError


@pytest.mark.both_image_paths(driver='glanze')
def test_with_a_slip_in_a_driver():
    raise AssertionError
'''


def test_what_a_marked_test_ends_with_is_what_it_ends_with_on_both_paths(tmp_path: Path) -> None:
    (tmp_path / 'caller.py').write_text(CALLER)
    (tmp_path / 'test_marked.py').write_text(MARKED)
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-rA'],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    said = done.stdout
    assert '3 failed, 2 skipped, 1 xfailed' in said, said + done.stderr
    assert ': not today' in said and ': by a text' in said
    assert 'XFAIL test_marked.py::test_that_fails_as_expected - known' in said
    assert "\nboth_image_paths: got an unexpected keyword argument 'drivr'" in said
    assert '\nboth_image_paths: too many positional arguments' in said
    assert "\nboth_image_paths: no driver 'glanze'; there are local, glance" in said


@pytest.mark.parametrize('start', ['sub', '..'])
def test_a_marked_test_is_proven_wherever_pytest_is_started(tmp_path: Path, start: str) -> None:
    root = tmp_path / 'root'
    (root / 'sub').mkdir(parents=True)
    (root / 'pytest.ini').write_text('[pytest]\npythonpath = .\n')
    (root / 'caller.py').write_text(CALLER)
    (root / 'sub' / 'test_marked.py').write_text(MARKED.partition('def ')[0] + 'def test_it(): caller.backup(CONTEXT)\n')
    file = os.path.relpath(root / 'sub' / 'test_marked.py', root / start)
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-rP', file],
        cwd=root / start, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and '1 image operation equal, before and after' in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ('given', 'told'),
    [
        ({'driver': 'glanze'}, "no driver 'glanze'"),
        ({'repeat': 0}, '0 is no number of times'),
        ({'timeout': 0}, '0 is no number of seconds'),
        ({'moving': frozenset({'test'})}, "'test' cannot be rewritten besides"),
    ],
)
def test_a_slip_in_an_option_is_told_before_anything_runs(tmp_path: Path, given: dict[str, object], told: str) -> None:
    with pytest.raises(CannotProve, match=told):
        prove.prove(str(tmp_path), ['python'], **given)  # type: ignore[arg-type]


def test_that_the_command_failed_is_said_first_where_nothing_was_proven(tmp_path: Path) -> None:
    (tmp_path / 'caller.py').write_text(CALLER)
    proof = prove.prove(str(tmp_path), [sys.executable, '-c', 'raise SystemExit(3)'], root=str(tmp_path))
    assert proof.sentence.startswith('nothing proven: COMMAND failed on both sides alike (exit 3); no image operation')
