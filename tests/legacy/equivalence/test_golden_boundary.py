# SPDX-License-Identifier: Apache-2.0
"""The answers recorded at the client boundary, replayed at the old seams, one test per group of cases."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from legacy import deviations
from legacy.equivalence import verify
from legacy.equivalence.boundary import Runner
from legacy.equivalence.compare import differences
from legacy.equivalence.decode import GOLDEN, load

FILES = ('boundary-2014.1', 'boundary-14.0.0')


def grouped() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """All public cases by set and group."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for name in FILES:
        for case in load(GOLDEN / f'{name}.jsonl.gz'):
            found[name, case['group']].append(case)
    return found


GROUPS = grouped()


@pytest.mark.parametrize(('name', 'group'), sorted(GROUPS))
def test_answers_are_those_of_the_original(name: str, group: str) -> None:
    findings = []
    with Runner() as runner:
        for case in GROUPS[name, group]:
            expected, _ = deviations.expectation(case, deviations.SEAM)
            found = list(differences(*runner.both(case, expected)))
            findings += [f'{case["id"]}: {difference}' for difference in found[:3]]
    assert not findings, '\n'.join([f'{len(findings)} differences', *findings[:20]])


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--golden', 'nowhere'], 'no such file: nowhere'),
        (['--golden', 'text'], 'text holds no recorded answers'),
        (['--id', 'of no case'], 'nothing was replayed'),
        (['--group', 'of no case'], 'nothing was replayed'),
    ],
)
def test_a_replay_of_nothing_is_one_line_and_exit_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('text').write_text('no gzip', encoding='utf-8')
    assert verify.main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1
