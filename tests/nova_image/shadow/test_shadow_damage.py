# SPDX-License-Identifier: Apache-2.0
"""A ledger that a crash or a person has damaged: what is whole still counts, nothing breaks, nothing is promoted on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nova_image import cli
from nova_image.shadow import ledger
from nova_image.shadow.ledger import Ledger

SEEN = {'op': 'show', 'branch': 'success', 'candidate_branch': 'success', 'args': {}, 'fields': {}}
MISMATCH = {'schema': 1, 'mismatch': 'a', 'seen': SEEN, 'count': 1, 'first': 1, 'last': 1}


def text(**changed: Any) -> str:
    return json.dumps({**MISMATCH, **changed})


DAMAGED = {
    'endless': '{"schema":1,"calls":["show","success","same"],"count":1e999}',
    'less than none': '{"schema":1,"calls":["show","success","same"],"count":-5}',
    'nested': '[' * 5000,
    'empty': text(seen={}),
    'no fields': text(seen={**SEEN, 'fields': 3}),
    'no sides': text(seen={**SEEN, 'fields': {'result.size': 1}}),
    'no time': text(first=float('nan')),
    'late': text(last=1e300),
    'words': text(first='then'),
    'cut off': text()[:-20],
}


def equal() -> Ledger:
    made = Ledger()
    made.calls.update({('show', branch, 'same'): 1000 for branch in ('success', 'not-found')})
    return made


@pytest.mark.parametrize('line', DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_counted_and_everything_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = tmp_path / 'ledger'
    path.write_text(line)  # without an end: the process was killed there
    ledger.append(str(path), equal(), 8192)
    found = Ledger.read(str(path))
    assert found.unreadable == 1
    assert found.calls == equal().calls
    assert cli.main(['mismatches', str(path)]) == 1
    assert '1 lines of the ledger cannot be read' in capsys.readouterr().out
    assert cli.main(['mismatches', str(path), '--format', 'json']) == 1
    promote = ['mismatches', str(path), '--promote', 'show', '--stages', str(tmp_path / 'stages')]
    assert cli.main(promote) == 1
    ledger.append(str(path), equal(), 1)  # written anew
    again = Ledger.read(str(path))
    assert (again.unreadable, again.calls['show', 'success', 'same']) == (1, 2000)


def test_a_mismatch_whose_number_is_lost_still_speaks_against_a_promotion(tmp_path: Path) -> None:
    path = tmp_path / 'ledger'
    path.write_text(f'{text()}\n')
    ledger.append(str(path), equal(), 8192)
    assert cli.main(['mismatches', str(path), '--promote', 'show', '--stages', str(tmp_path / 'stages')]) == 1
    assert not (tmp_path / 'stages').exists()
