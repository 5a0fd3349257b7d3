# SPDX-License-Identifier: Apache-2.0
"""Recordings that no longer fit quite: lines moved under a program with noise, another driver, another COMMAND."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from legacy.equivalence import prove
from legacy.equivalence.prove_report import Proof
from legacy.equivalence.prove_tree import CannotProve

NOISY = '''
import sys, types, uuid
from legacy import glance

CONTEXT = types.SimpleNamespace(auth_token='t', project_id='p', user_id='u', is_admin=False, roles=['member'])


def main(name='nightly'):
    service = glance.get_default_image_service()
    made = service.create(CONTEXT, {'name': name, 'disk_format': 'raw', 'container_format': 'bare'}, uuid.uuid4().bytes)
    service.update(CONTEXT, made['id'], {'properties': {'colour': 'red'}})


main()
'''


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / 'tree').mkdir()
    made = tmp_path / 'tree' / 'noisy.py'
    made.write_text(NOISY)
    return made


def _prove(program: Path, *words: str, driver: str = 'local') -> Proof:
    baseline = program.parent.parent / 'base.json'
    command = [sys.executable, str(program), *words]
    return prove.prove(str(program), command, root=str(program.parent), baseline=str(baseline), driver=driver)


def test_noise_of_a_recording_counts_where_its_lines_are_now(program: Path) -> None:
    assert _prove(program).verdict == 'proven'
    program.write_text('# a comment\n# above all\n' + NOISY)
    moved = _prove(program)
    assert moved.verdict == 'proven', moved.sentence
    line = NOISY.splitlines().index('def main(name=\'nightly\'):') + 5
    assert line in {each.new_line for each in moved.noise}
    program.write_text('\n' + NOISY.replace('nightly', 'weekly'))
    assert _prove(program).sentence.startswith(f'noisy.py:{line - 1}: create differs in arguments.image_info.fields.name')


def test_a_recording_of_something_else_says_so(program: Path) -> None:
    _prove(program)
    with pytest.raises(CannotProve, match='was recorded on the driver local; give --driver local'):
        _prove(program, driver='glance')
    assert any(' of another COMMAND: ' in note for note in _prove(program, 'word').notes)
    assert not any(' of another COMMAND: ' in note for note in _prove(program).notes)
    file = program.parent.parent / 'base.json'
    early = json.loads(file.read_text())
    del early['driver']
    file.write_text(json.dumps(early))
    assert _prove(program).verdict == 'proven'
