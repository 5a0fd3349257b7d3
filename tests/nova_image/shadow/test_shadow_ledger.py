# SPDX-License-Identifier: Apache-2.0
"""The ledger, the stages and the command: added up between processes, bounded, and promoted by evidence only."""

from __future__ import annotations

import configparser
import json
import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_image import cli, options, settings
from nova_image.shadow import ledger, stages
from nova_image.shadow.compare import IGNORED, differences
from nova_image.shadow.evidence import BRANCHES
from nova_image.shadow.ledger import Ledger
from nova_image.shadow.stages import OPERATIONS, Rule, Stage
from nova_image.shadow.worker import Worker
from nova_image.testing.configuration import make_conf

MIB = 1 << 20


def one(shape: str = 'a', count: int = 1, at: float = 5.0, **seen: Any) -> Ledger:
    made = Ledger()
    told = {'op': 'show', 'branch': 'success', 'candidate_branch': 'success', 'args': {}, 'fields': {}, **seen}
    made.note(shape, told, count, at, at)
    made.calls['show', 'success', 'different'] += count
    return made


def same(op: str, *branches: str, count: int = 1000) -> Ledger:
    made = Ledger()
    made.calls.update({(op, branch, 'same'): count for branch in branches})
    return made


def _append_many(path: str) -> None:
    for _ in range(100):
        ledger.append(path, one('shared'), 8192)


def test_several_processes_lose_nothing_though_the_file_is_written_anew_again_and_again(tmp_path: Path) -> None:
    path = str(tmp_path / 'ledger')
    context = multiprocessing.get_context('fork')
    processes = [context.Process(target=_append_many, args=(path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    found = Ledger.read(path)
    assert found.mismatches['shared']['count'] == found.calls['show', 'success', 'different'] == 300
    assert Path(path).stat().st_size <= 8192
    assert not found.unreadable


def test_a_full_ledger_keeps_the_frequent_ones_and_counts_the_others(tmp_path: Path) -> None:
    path = tmp_path / 'ledger'
    for number in range(200):
        ledger.append(str(path), one(f's{number}', args={'text': 'x' * 100}), 16384)
        ledger.append(str(path), one('often', 10), 16384)
    found = Ledger.read(str(path))
    assert path.stat().st_size <= 16384
    assert found.mismatches['often']['count'] == 2000
    assert found.forgotten > 0
    assert sum(known['count'] for known in found.mismatches.values()) + found.forgotten == 2200


def test_a_mismatch_too_long_for_a_line_is_told_with_fewer_fields(tmp_path: Path) -> None:
    path = str(tmp_path / 'ledger')
    fields = {f'result.properties.{number}': {'control': 'x' * 900, 'candidate': ''} for number in range(20)}
    ledger.append(path, one(fields=fields), MIB)
    (known,) = Ledger.read(path).mismatches.values()
    assert 10 < len(known['seen']['fields']) < 20


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / 'ledger')
    ledger.append(path, one('first'), MIB)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, 'write', lambda handle, data: write(handle, data[: len(data) // 2]))
        with pytest.raises(OSError, match='No space left'):
            ledger.append(path, one('second'), MIB)
    ledger.append(path, one('third'), MIB)
    found = Ledger.read(path)
    assert list(found.mismatches) == ['first', 'third']
    assert not found.unreadable


def test_what_cannot_be_written_waits_for_a_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / 'later'
    conf = make_conf(image_shadow__ledger=str(place / 'ledger'))
    worker = Worker(lambda: settings.current(conf))
    for _ in range(2):
        worker.book.mismatch(one().mismatches['a']['seen'])
        worker.flush()
    place.mkdir()
    worker.flush()
    (known,) = Ledger.read(str(place / 'ledger')).mismatches.values()
    assert known['count'] == 2
    assert caplog.text.count('waits in memory') == 1


def test_the_first_of_a_shape_is_the_example_whatever_the_order_of_the_lines(tmp_path: Path) -> None:
    path = str(tmp_path / 'ledger')
    for at in (7.0, 3.0, 5.0):
        ledger.append(path, one(at=at, args={'at': at}), MIB)
    (known,) = Ledger.read(path).mismatches.values()
    assert (known['first'], known['last'], known['count'], known['seen']['args']) == (3.0, 7.0, 3, {'at': 3.0})


@given(st.lists(st.text(max_size=60)))
def test_lines_that_are_none_are_counted_and_hurt_nobody(lines: list[str]) -> None:
    found = Ledger().add([*lines, *one().lines()])
    assert len(found.mismatches) == 1
    assert found.unreadable == len(lines)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_equal_has_no_differences(value: Any) -> None:
    assert differences('show', {'result': value}, json.loads(json.dumps({'result': value}))) == {}


@given(VALUES, VALUES)
def test_what_is_not_equal_has_some(one: Any, other: Any) -> None:
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
        found = differences('show', {'result': one}, {'result': other})
        assert found or 'locations' in repr(one) or 'stores' in repr(one)


def test_what_is_ignored_has_a_reason() -> None:
    assert all(rule.why for rule in IGNORED)
    assert differences('show', {'result': {'stores': 'a'}}, {'result': {'stores': 'b'}}) == {}
    assert differences('list', {'result': [{'id': '1', 'stores': 'a'}]}, {'result': [{'id': '1'}]}) == {}


def test_stages_are_read_with_shares_and_comments() -> None:
    lines = ['# mine', '', 'show = compare 0.5  # half', 'list: candidate', 'download = OFF']
    assert stages.parsed(lines) == (
        {'show': Rule(Stage.COMPARE, 0.5), 'list': Rule(Stage.CANDIDATE), 'download': Rule(Stage.OFF)}, [],
    )  # fmt: skip


@pytest.mark.parametrize('line', ['show = on', 'show candidate', 'show = candidate 2', 'show = candidate x', 'show'])
def test_a_line_with_a_slip_means_off_and_is_told(line: str) -> None:
    rules, wrong = stages.parsed([line])
    assert rules == {'show': Rule(Stage.OFF)}
    assert repr(line) in wrong[0]


def test_two_lines_for_one_operation_mean_off() -> None:
    rules, wrong = stages.parsed(['show = candidate', 'show = compare'])
    assert rules['show'] == Rule(Stage.OFF)
    assert wrong


def test_changing_a_stage_leaves_the_rest_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / 'stages'
    path.write_text('# ours\nshow = compare 0.5\n\nlist = off\n')
    stages.written(str(path), 'show', Stage.CANDIDATE)
    stages.written(str(path), 'delete', Stage.COMPARE)
    assert path.read_text() == '# ours\nshow = candidate 0.5\n\nlist = off\ndelete = compare\n'


def test_a_share_that_is_none_does_not_stay_with_a_new_stage(tmp_path: Path) -> None:
    path = tmp_path / 'stages'
    path.write_text('show = compare 2\n')
    stages.written(str(path), 'show', Stage.CANDIDATE)
    assert path.read_text() == 'show = candidate\n'


def test_every_operation_says_what_evidence_it_needs() -> None:
    assert set(BRANCHES) == set(OPERATIONS)


def test_the_page_names_options_and_stages_that_there_are() -> None:
    page = (Path(__file__).parents[3] / 'docs' / 'shadow.md').read_text(encoding='utf-8')
    blocks = re.findall(r'```(?:ini)?\n(.*?)```', page, re.DOTALL)
    found = configparser.ConfigParser()
    found.read_string(blocks[0])
    assert set(found['image_shadow']) <= {opt.dest for opt in options.SHADOW_OPTS}
    rules, wrong = stages.parsed(blocks[1].splitlines())
    assert len(rules) == 3
    assert not wrong


def run(*arguments: str) -> int:
    return cli.main(['mismatches', *arguments])


def test_the_command_tells_nothing_some_or_that_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / 'ledger')
    assert run(path) == 2
    assert run() == 2
    Path(path).touch()
    assert run(path) == 0
    assert 'no call was compared' in capsys.readouterr().out
    ledger.append(path, same('show', 'success'), MIB)
    assert run(path) == 0
    assert 'no call was compared' not in capsys.readouterr().out
    fields = {'result.name': {'control': 'a', 'candidate': 'b'}}
    ledger.append(path, one(fields=fields, args={'image_id': 'i'}), MIB)
    capsys.readouterr()
    assert run(path) == 1
    text = capsys.readouterr().out
    assert 'show: 1 call, first 1970-01-01T00:00:05Z' in text
    assert 'result.name: "a" | "b"' in text
    assert run('--format', 'json', path) == 1
    told = json.loads(capsys.readouterr().out)
    assert told['mismatches'][0]['fields'] == fields
    assert {'op': 'show', 'branch': 'success', 'outcome': 'same', 'count': 1000} in told['calls']


def test_a_promotion_needs_evidence_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file = str(tmp_path / 'ledger'), tmp_path / 'stages'
    promote = (path, '--stages', str(file), '--promote', 'show')
    ledger.append(path, same('show', 'success', count=5), MIB)
    assert run(*promote) == 1
    told = capsys.readouterr().out
    assert '5 calls were the same, and 1000 are needed' in told
    assert "no call ended as 'not-found'" in told
    assert not file.exists()
    assert run(*promote, '--calls', '5', '--without', 'not-found') == 0
    assert file.read_text() == 'show = candidate\n'
    assert run('--stages', str(file), '--roll-back', 'show') == 0
    assert file.read_text() == 'show = compare\n'
    ledger.append(path, same('show', 'success', 'not-found'), MIB)
    assert run(*promote) == 0
    ledger.append(path, one(), MIB)
    capsys.readouterr()
    assert run(*promote) == 1
    assert '1 calls differed' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('option', 'value', 'told'),
    [('--without', 'notfound', 'show has to have seen success, not-found'), ('--calls', '0', 'expected 1 or more')],
)
def test_a_promotion_refuses_what_it_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, told: str
) -> None:
    path, file = str(tmp_path / 'ledger'), tmp_path / 'stages'
    ledger.append(path, same('show', 'success', 'not-found', count=1000), MIB)
    assert run(path, '--stages', str(file), '--promote', 'show', option, value) == 2
    said = capsys.readouterr().err
    assert f'{option} {value}: ' in said and told in said
    assert not file.exists()


def test_the_configuration_says_where_both_files_are(tmp_path: Path) -> None:
    conf = tmp_path / 'nova.conf'
    conf.write_text(f'[image_shadow]\nledger = {tmp_path}/ledger\nstages = {tmp_path}/stages\n')
    ledger.append(str(tmp_path / 'ledger'), same('glance_url', 'success'), MIB)
    assert run('--config-file', str(conf), '--promote', 'glance_url') == 0
    assert (tmp_path / 'stages').read_text() == 'glance_url = candidate\n'
    assert run('--config-file', str(tmp_path / 'none.conf')) == 2
