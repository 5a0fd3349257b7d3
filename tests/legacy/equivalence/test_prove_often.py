# SPDX-License-Identifier: Apache-2.0
"""Several calls from one line that differ in different fields: one finding, and no field is lost."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from legacy.equivalence import prove, prove_report

PROGRAM = '''
import types
from legacy import glance

CONTEXT = types.SimpleNamespace(auth_token='t', project_id='p', user_id='u', is_admin=False, roles=['member'])
with open(__file__) as source:
    NEW = 'nova_' + 'image' in source.read()


def make(name, **properties):
    return glance.get_default_image_service().create(CONTEXT, {'name': name, 'properties': properties})


make('one')
make('two' if NEW else '2')
make('three', colour='red' if NEW else 'blue')
'''


def test_what_only_a_later_call_of_the_line_has_is_told_with_how_often(tmp_path: Path) -> None:
    (tmp_path / 'program.py').write_text(PROGRAM)
    proof = prove.prove(str(tmp_path), [sys.executable, str(tmp_path / 'program.py')], root=str(tmp_path))
    text = prove_report.text(proof)
    assert 'create differs in arguments.image_info.fields.name: old "2", new "two"' in text.splitlines()[0]
    told = 'how often: 2 times in 1 of 1 run, first at operation 2 of 3; other times in arguments.image_info.properties.colour, '
    assert told in text
    words = json.loads(json.dumps(prove_report.as_json(proof), default=str))['differences'][0]['often']['words']
    assert 'result.properties.colour' in words
