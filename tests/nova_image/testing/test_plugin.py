# SPDX-License-Identifier: Apache-2.0
"""The pytest plug-in in runs of its own: quiet, cheap, and clear about what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(directory: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (directory / 'test_it.py').write_text(test, encoding='utf-8')
    return subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-W', 'error', *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_loading_it_imports_no_client_and_no_server() -> None:
    script = (
        'import sys, pytest\n'
        'before = set(sys.modules)\n'
        'import nova_image.testing.plugin\n'
        "heavy = ('glanceclient', 'keystoneauth1', 'requests', 'sqlite3', 'stevedore', 'legacy',\n"
        "         'nova_image.testing.servers', 'nova_image.testing.conformance')\n"
        'print(*[name for name in set(sys.modules) - before if name.startswith(heavy)])\n'
    )
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', script], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ('', '')


def test_the_local_store_is_ready_to_use(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        'def test_it(local_store, image_contexts):\n'
        "    image = local_store.api.create(image_contexts.member, {'name': 'x'})\n"
        "    assert image['owner'] == 'project-a'\n"
        '    assert local_store.path.is_dir()\n',
    )
    assert done.returncode == 0, done.stdout


def test_a_missing_extra_fails_and_names_the_command(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        'import importlib.util\n'
        'import pytest\n'
        "@pytest.fixture(scope='session', autouse=True)\n"
        'def hide():\n'
        '    find = importlib.util.find_spec\n'
        "    importlib.util.find_spec = lambda name, *a: None if name == 'gunicorn' else find(name, *a)\n"
        'def test_it(hide, glance_server):\n'
        '    pass\n',
    )
    assert done.returncode == 1
    assert 'pip install nova-image[glance]' in done.stdout
    assert 'gunicorn' in done.stdout and 'skipped' not in done.stdout


@pytest.mark.parametrize('marker', ['contract("C-001")', 'glance', 'slow'])
def test_its_markers_are_known_under_strict_rules(tmp_path: Path, marker: str) -> None:
    done = run(
        tmp_path,
        f'import pytest\n@pytest.mark.{marker}\ndef test_it():\n    pass\n',
        '--strict-markers',
    )
    assert done.returncode == 0, done.stdout


def test_a_driver_author_is_told_which_fixture_is_missing(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        'from nova_image.testing.conformance import DriverConformance\n'
        'class TestMine(DriverConformance):\n'
        '    pass\n',
        '-x',
    )
    assert done.returncode == 1
    assert 'TestMine has to override the fixture' in done.stdout
