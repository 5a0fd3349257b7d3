# SPDX-License-Identifier: Apache-2.0
"""The twin machine: every public operation has a rule, sides agree, and a failure is saved as a file that runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from legacy.equivalence import machine, twin_calls, twin_stores
from legacy.equivalence.ignored import CLIENTS, EXCUSED, PATHS, PLAIN, SERVICES
from legacy.equivalence.programs import Program, programs, steps
from legacy.equivalence.twin import Run, compare
from legacy.names import NAMES
from nova_image import API

if TYPE_CHECKING:
    from nova_image.testing.servers import GlanceServer

pytestmark = pytest.mark.usefixtures('stores_in_memory')

#: programs of the tests that always run; ``slow`` ones run hundreds
EXAMPLES = 5
#: quick, and faults are not in each
EXAMPLES_ON_FAULTY = 15
ON_LOCAL = [name for name, pair in machine.PAIRS.items() if all('local' in side for side in pair)]
ON_FAULTY = [name for name, pair in machine.PAIRS.items() if all('faulty' in side for side in pair)]


def test_every_public_operation_has_a_rule() -> None:
    rules = set(steps())
    assert set(twin_calls.COVERED) == rules
    covered = {name for names in twin_calls.COVERED.values() for name in names}
    public = {name for name, entry in NAMES.items() if not entry.is_private}
    methods = {f'API.{name}' for name, value in vars(API).items() if callable(value) and not name.startswith('_')}
    assert covered - methods == public - set(twin_calls.NOT_COVERED)
    assert methods <= covered
    assert all(twin_calls.NOT_COVERED.values()) and set(twin_calls.NOT_COVERED) <= public


def test_whatever_is_left_out_of_a_comparison_has_a_reason() -> None:
    assert all(len(each.why) > 20 for each in (*PATHS, *SERVICES, *CLIENTS, *PLAIN, *EXCUSED))
    assert all(machine.NOT_ACROSS.values()) and set(machine.NOT_ACROSS) <= set(steps())


@pytest.mark.parametrize(
    ('left', 'told'),
    [
        ('old@locl', "no store 'locl'; there are local,"), ('odl@local', "no style 'odl'; there are new,"),
        ('old', "no store ''"), ('plain@local', "no style 'plain'"), ('old@faulty', 'only one of them fails on demand'),
    ],
)  # fmt: skip
def test_a_slip_in_a_name_is_no_difference(left: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        machine.check([], left, 'new@local')


def test_an_operation_without_a_rule_is_told() -> None:
    with pytest.raises(ValueError, match='no rules for shwo between old@local and new@local; there are '):
        machine.run('old@local', 'new@local', examples=1, only=['show', 'shwo'])


@pytest.mark.contract('D-2')
@pytest.mark.parametrize('pair', ON_LOCAL)
def test_the_two_sides_do_the_same(pair: str) -> None:
    tally = machine.run(*machine.PAIRS[pair], examples=EXAMPLES)
    assert tally.programs >= EXAMPLES and tally.steps['create']


@pytest.mark.contract('D-2', 'D-15')
@pytest.mark.parametrize('pair', ON_FAULTY)
def test_the_two_sides_do_the_same_on_a_server_that_fails(pair: str) -> None:
    tally = machine.run(*machine.PAIRS[pair], examples=EXAMPLES_ON_FAULTY)
    assert tally.programs >= EXAMPLES_ON_FAULTY and tally.steps['fault']
    assert tally.steps['configure'] >= EXAMPLES_ON_FAULTY


#: A fault in the old path, planted at the start of whatever Python runs beside it: a delete that deletes nothing.
FAULT = '''
from legacy.services import GlanceImageService
GlanceImageService._delete = lambda self, context, image_id: True
'''


def _python(arguments: list[str], directory: Path, *, faulty: bool) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[3])
    path = [str(directory / 'faulty'), root] if faulty else [root]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(path), 'PYTHONDONTWRITEBYTECODE': '1'}
    return subprocess.run(
        [sys.executable, *arguments], cwd=directory, env=env, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_planted_fault_is_saved_as_a_file_that_fails_until_the_fault_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / 'test_saved_failure.py'
    with monkeypatch.context() as patch:
        patch.setattr('legacy.services.GlanceImageService._delete', lambda self, context, image_id: True)
        with pytest.raises(machine.Diverged, match='old@local and new@local differ'):
            machine.run('old@local', 'new@local', examples=20, save=saved, only=('create', 'delete', 'show'))
        with pytest.raises(machine.Diverged, match='it is not saved: .*No such file'):
            machine.run('old@local', 'new@local', examples=20, save=tmp_path / 'no' / 'x.py', only=('create', 'delete'))
    text = saved.read_text()
    assert 'differ, in ' in text and text.count('Step(op=') <= 2  # shrunk: make it, delete it
    (tmp_path / 'faulty').mkdir()
    (tmp_path / 'faulty' / 'sitecustomize.py').write_text(FAULT)
    failed = _python(['-m', 'pytest', '-q', '-p', 'no:cacheprovider', saved.name], tmp_path, faulty=True)
    assert failed.returncode == 1 and 'Diverged' in failed.stdout, failed
    passed = _python([saved.name], tmp_path, faulty=False)
    assert passed.returncode == 0 and passed.stdout == 'no difference\n', passed


@pytest.mark.contract('D-2')
@settings(
    max_examples=4, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)  # fmt: skip
@given(programs(longest=6))
def test_threads_that_share_a_store_do_not_disturb_each_other(program: Program) -> None:
    """The law holds for each of four callers at once, and for the store they share."""
    program = [step._replace(era='', remote=False) for step in program if 'id' not in step.arguments.get('image_meta', ())]
    for left, right in zip(_crowd('old', program), _crowd('new', program), strict=True):
        found = compare(program, left, right)
        assert found is None, f'{found}\nin the program\n{program!r}'


def _crowd(style: str, program: Program, threads: int = 4) -> list[Run]:
    """The program in several threads on one store, each of a project of its own."""
    runs = {}
    base = vars(twin_stores.contexts()['ann'])

    def one(name: str) -> None:
        with side.session() as session:
            for step in program:
                session.do(step._replace(who=name))
            runs[name] = session.found

    names = [f'crowd-{number}' for number in range(threads)]
    who = {
        name: types.SimpleNamespace(**{**base, 'project_id': name, 'user_id': name, 'auth_token': name}) for name in names
    }
    with twin_stores.on_local(style, who=who, warned=False) as side, warnings.catch_warnings(), side.around():
        warnings.simplefilter('ignore')
        side.around, side.places = contextlib.nullcontext, ()  # both are the process's, not a thread's
        started = [threading.Thread(target=one, args=(name,)) for name in names]
        for each in started:
            each.start()
        for each in started:
            each.join(60)
    return [runs[name] for name in names]


@pytest.mark.glance
@pytest.mark.parametrize('pair', ['stores', 'stores with projects', 'paths on Glance'])
def test_the_two_sides_do_the_same_on_a_real_glance(
    pair: str, glance_server: GlanceServer, glance_tenants: GlanceServer
) -> None:
    with machine.Grounds(glance_server, glance_tenants) as grounds:
        tally = machine.run(*machine.PAIRS[pair], examples=EXAMPLES, grounds=grounds)
    assert tally.programs >= EXAMPLES


@pytest.mark.glance
@pytest.mark.slow
@pytest.mark.parametrize('pair', ['stores', 'stores with projects'])
def test_five_thousand_programs_cannot_tell_the_local_store_from_a_glance(
    pair: str, glance_server: GlanceServer, glance_tenants: GlanceServer, record_property: Any
) -> None:
    """Half of the 5,000 for each kind of Glance; excuses cover less than one program in a hundred."""
    with machine.Grounds(glance_server, glance_tenants) as grounds:
        tally = machine.run(*machine.PAIRS[pair], examples=2500, grounds=grounds, derandomize=False)
    record_property('tally', str(tally))
    assert tally.programs >= 2500
    assert tally.excused < tally.programs / 100, tally.excuses


@pytest.mark.slow
@pytest.mark.parametrize('pair', [*ON_LOCAL, *ON_FAULTY])
def test_the_two_sides_do_the_same_at_length(pair: str) -> None:
    assert machine.run(*machine.PAIRS[pair], examples=1000, derandomize=False).programs >= 1000
