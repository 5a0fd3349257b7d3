# SPDX-License-Identifier: Apache-2.0
"""``nova-image verify``: what it refuses to judge, and that no deviation outlives what it explains."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from legacy import deviations
from legacy.equivalence import verify
from legacy.equivalence.boundary_driver import DriverRunner
from legacy.equivalence.boundary_plan import NotOverHTTP, over_http
from legacy.equivalence.decode import GOLDEN, load
from legacy.equivalence.verify import Tally

GUIDE = Path(__file__).parents[3] / 'migration_guide.md'


@pytest.fixture
def case() -> dict[str, Any]:
    return next(load(GOLDEN / 'boundary-2014.1.jsonl.gz'))


def written(path: Path, *cases: Any) -> str:
    with gzip.open(path, 'wt', encoding='utf-8') as lines:
        lines.writelines(json.dumps(each) + '\n' for each in cases)
    return str(path)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'release': '15.0.0'}, "is 'boundary' of release '15.0.0'; known are"),
        ({'kind': 'dream'}, "is 'dream' of release"),
        ({'weather': 'fine'}, "another version of the format: it has the unknown 'weather'"),
        ({'flags': None}, "another version of the format: it has no 'flags'"),
        ({'id': None}, 'it has no id'),
        ({'expect': {'steps': []}}, 'not one expected answer for each step'),
    ],
)
def test_a_case_of_another_format_is_named_and_not_judged(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], said: str
) -> None:
    changed = {name: value for name, value in {**case, **change}.items() if value is not None}
    assert verify.main(['--golden', written(tmp_path / 'other.jsonl.gz', changed)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1


@pytest.mark.parametrize('size', [40, 400])
def test_a_file_that_is_cut_off_is_not_judged(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    whole = Path(written(tmp_path / 'whole.jsonl.gz', case, case, case)).read_bytes()
    (tmp_path / 'cut.jsonl.gz').write_bytes(whole[:size])
    assert verify.main(['--golden', str(tmp_path / 'cut.jsonl.gz')]) == 2
    assert 'holds no recorded answers that can be used' in capsys.readouterr().err


def test_a_case_that_differs_is_exit_1_and_one_that_agrees_exit_0(case: dict[str, Any], tmp_path: Path) -> None:
    told = ['--on', 'seams', '--golden']
    assert verify.main([*told, written(tmp_path / 'same.jsonl.gz', case)]) == 0
    other = json.loads(json.dumps(case))
    other['expect']['steps'][0]['events'].append({'ev': 'sleep', 'args': [1]})
    assert verify.main([*told, written(tmp_path / 'other.jsonl.gz', other)]) == 1


def test_a_deviation_that_explains_nothing_fails_a_whole_run_only(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [entry.number for entry in deviations.DEVIATIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    all_but_one = Tally('set', cases=1, excused=Counter(numbers[:-1]))
    assert verify.report([all_but_one], shown=0, whole=True) == 1
    assert f'to be removed: [{numbers[-1]}]' in capsys.readouterr().out
    assert verify.report([all_but_one], shown=0, whole=False) == 0
    assert verify.report([Tally('set', cases=1, excused=Counter(numbers))], shown=0, whole=True) == 0


def paragraphs() -> set[int]:
    """The deviations that have a paragraph of their own in the guide."""
    return {int(number) for number in re.findall(r'^\*\*(\d+), ', GUIDE.read_text(encoding='utf-8'), re.MULTILINE)}


@pytest.mark.parametrize('name', ['boundary-2014.1', 'boundary-14.0.0'])
@pytest.mark.parametrize('place', [deviations.SEAM, deviations.DRIVER])
def test_what_touches_a_twentieth_of_a_set_has_a_paragraph_in_the_guide(name: str, place: str) -> None:
    touched: Counter[int] = Counter()
    total = 0
    for case in load(GOLDEN / f'{name}.jsonl.gz'):
        if place == deviations.DRIVER:
            try:
                over_http(case)
            except NotOverHTTP:
                continue
        total += 1
        touched.update(deviations.expectation(case, place)[1])
    often = {number for number, count in touched.items() if count * 20 > total}
    assert often <= paragraphs(), sorted(often - paragraphs())


def test_the_driver_run_says_why_it_leaves_a_case_out(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    able = next(
        each
        for each in load(GOLDEN / 'boundary-2014.1.jsonl.gz')
        if each['group'] == 'show' and 'result' in each['expect']['steps'][-1] and not each['flags']['v1_only']
    )
    helper = next(each for each in load(GOLDEN / 'boundary-2014.1.jsonl.gz') if each['group'] == 'helper-exc')
    with DriverRunner() as runner, pytest.raises(NotOverHTTP):
        runner.both(helper, helper['expect'])
    verify.main(['--on', 'driver', '--golden', written(tmp_path / 'two.jsonl.gz', able, helper)])
    out = capsys.readouterr().out
    assert '1 of 2 cases cannot be expressed over HTTP' in out
    assert 'nothing in it asks a server' in out
    assert 'steps judged by the recording, 0 by another run of ours' in out


def test_a_program_that_registers_locations_is_judged_by_its_later_recording_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The held-out programs come in files of their own, all front ends of one program together."""
    from legacy.equivalence import wire_compare

    def renamed(name: str, frontend: str) -> dict[str, Any]:
        cases = load(GOLDEN / f'{name}.jsonl.gz')
        found = next(
            case for case in cases if case['program'] == 'update-top-level-attrs-1' and case['frontend'] == frontend
        )
        return {**found, 'program': 'held-out', 'id': f't2-{frontend}-held-out'}

    monkeypatch.setattr(wire_compare, 'LATER_IN', [GOLDEN])
    alone, both = tmp_path / 'alone', tmp_path / 'both'
    alone.mkdir()
    both.mkdir()
    older = renamed('wire-14.0.0', 'newton-service')
    told = ['--on', 'local', '--golden']
    assert verify.main([*told, written(alone / 'older.jsonl.gz', older)]) == 1
    assert 'put the file with that beside this one' in capsys.readouterr().out
    written(both / 'newer.jsonl.gz', renamed('wire-34.0.0', '34-api'))
    assert verify.main([*told, written(both / 'older.jsonl.gz', older)]) == 0
