# SPDX-License-Identifier: Apache-2.0
"""The shape of the house: what is public, who imports whom, what importing costs and does."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nova_image

ROOT = Path(__file__).parents[2]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f'{node.module}.{alias.name}' for alias in node.names)
    return names


def test_all_is_exactly_what_is_exported() -> None:
    assert sorted(nova_image.__all__) == ['API', 'ImageDriver', 'errors', 'listing_arguments', 'parse_image_ref']
    for name in nova_image.__all__:
        assert hasattr(nova_image, name)


@pytest.mark.parametrize('statement', ['import nova_image', 'import nova_image.errors'])
def test_what_a_rewrite_writes_is_there_whatever_of_the_package_a_file_imports(statement: str) -> None:
    program = f'{statement}\nnova_image.api.API.for_reference, nova_image.errors.ImageNotFound\n'
    assert subprocess.run([sys.executable, '-W', 'error', '-c', program], check=False, cwd=ROOT).returncode == 0


@pytest.mark.parametrize('path', sorted((ROOT / 'nova_image').rglob('*.py')), ids=str)
def test_nova_image_never_imports_legacy(path: Path) -> None:
    assert not {name for name in _imports(path) if name.split('.')[0] == 'legacy'}


@pytest.mark.parametrize('name', ['api', 'driver', 'images', 'errors', 'references', 'options'])
def test_the_front_rooms_know_no_client_and_no_driver(name: str) -> None:
    imported = _imports(ROOT / 'nova_image' / f'{name}.py')
    heavy = ('glanceclient', 'keystoneauth1', 'requests', 'nova_image.glance', 'nova_image.local', 'sqlite3')
    assert not {found for found in imported if found.startswith(heavy)}


def test_importing_is_silent_registers_nothing_and_loads_no_client() -> None:
    program = (
        'import sys\n'
        'import nova_image, legacy.glance\n'
        'heavy = {"glanceclient", "keystoneauth1", "requests", "tree_sitter", "sqlite3"} & set(sys.modules)\n'
        'assert not heavy, heavy\n'
    )
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


@pytest.mark.contract('C-012')
def test_nova_image_alone_registers_no_option() -> None:
    program = (
        'from oslo_config import cfg\n'
        'import nova_image\n'
        'assert "image" not in cfg.CONF and "glance" not in cfg.CONF, list(cfg.CONF)\n'
        'nova_image.API()\n'
        'assert "image" in cfg.CONF and "glance" in cfg.CONF\n'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_test_command_of_the_readme_is_the_one_ci_calls() -> None:
    blocks = (ROOT / 'README.md').read_text(encoding='utf-8').split('```sh\n')[1:]
    commands = [block.split('```')[0].strip() for block in blocks[:2]]
    assert all(command and '\n' not in command for command in commands)
    assert 'nova-image prove examples' in commands[0]
    assert 'tox -e lint,types,py3,glance' in commands[1].replace('.venv/bin/', '')
    assert commands[1] in (ROOT / '.ci' / 'run').read_text(encoding='utf-8').splitlines()
