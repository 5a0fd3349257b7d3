# SPDX-License-Identifier: Apache-2.0
"""The faults of the mutation check still apply to the tree; whether they are found is asked by ``tox -e mutation``."""

from __future__ import annotations

from collections import Counter

import mutants
import planted_new
import planted_old
import pytest
import survivors

FAULTS = (*planted_new.FAULTS, *planted_old.FAULTS)


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.name)
def test_each_planted_fault_applies_once_and_compiles(fault: mutants.Mutant) -> None:
    source = (mutants.ROOT / fault.file).read_text(encoding='utf-8')
    compile(fault.applied(source), fault.file, 'exec')
    assert fault.lines(source) and fault.breaks


def test_every_area_has_faults_and_every_fault_a_name_of_its_own() -> None:
    counts = Counter(fault.area for fault in FAULTS)
    assert set(counts) == set(mutants.AREAS) and min(counts.values()) >= 5
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_every_area_has_its_files() -> None:
    for area in mutants.AREAS:
        found = list(mutants.files(area))
        assert found and all(mutants.area_of(file) == area for file in found)


def test_a_fault_that_changes_nothing_or_is_no_python_is_refused() -> None:
    source = 'def f(x: int) -> int:\n    return x\n'
    for old, new, said in (
        ('return', 'give', 'no Python'),
        ('int', 'str', '2 times'),
        ('x: int', 'x: str', 'mean the same'),
    ):
        with pytest.raises(mutants.DoesNotApply, match=said):
            mutants.Mutant('a', 'nova_image/api.py', old, new, 'b').applied(source)


def test_every_explanation_says_something_and_is_about_one_fault() -> None:
    explained = (*survivors.EQUIVALENT, *survivors.OVERLOOKED)
    assert all(len(each.why) > 20 for each in explained)
    assert all(each.equivalent for each in survivors.EQUIVALENT)
    assert not any(each.equivalent for each in survivors.OVERLOOKED)
    assert len({(each.name, each.change) for each in explained}) == len(explained)
    written = {fault.name for fault in FAULTS}
    assert all(each.name in written for each in explained if not each.change)
