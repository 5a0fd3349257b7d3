# SPDX-License-Identifier: Apache-2.0
"""Which operations of two runs are the same step, and what noise excuses; on made-up recordings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from legacy.equivalence.pairing import MISSING, Mismatch
from legacy.equivalence.prove_compare import Difference, compare
from legacy.equivalence.prove_noise import Field, Noise
from legacy.equivalence.prove_run import Side, run_side
from legacy.equivalence.prove_trace import TREE, Operation, operations
from legacy.migrate import Result


def recording(*steps: tuple[str, int, str]) -> list[Operation]:
    """Operations by (thread, line, image id), in that order."""
    lines: list[dict[str, Any]] = [
        {'n': n, 'at': float(n), 'pid': 1, 'thread': thread, 'op': 'show', 'args': {'image_id': image},
         'result': {'id': image}, 'caller': {'file': f'{TREE}/app.py', 'line': line, 'function': 'f'}}
        for n, (thread, line, image) in enumerate(steps, 1)
    ]  # fmt: skip


    return operations(lines, Result(Path()), new=True)


def kinds(old: list[Operation], new: list[Operation]) -> list[str]:
    return [each.kind for each in compare(old, new, [], [], (0, 1)).differences]


A = [('a', 1, 'x'), ('b', 1, 'y'), ('a', 2, 'x'), ('b', 2, 'y')]


def test_the_order_across_threads_does_not_count() -> None:
    other = [('T9', 1, 'y'), ('T9', 2, 'y'), ('T8', 1, 'x'), ('T9', 3, 'y'), ('T8', 2, 'x')]
    assert kinds(recording(*A, ('b', 3, 'y')), recording(*other)) == []


def test_the_order_inside_a_thread_counts() -> None:
    assert kinds(recording(*A), recording(('a', 2, 'x'), ('b', 1, 'y'), ('a', 1, 'x'), ('b', 2, 'y'))) == ['order']


def test_a_call_that_a_thread_lost_is_missing() -> None:
    assert kinds(recording(*A), recording(*A[:3], ('c', 9, 'z'))) == ['missing', 'extra']


def test_of_steps_that_all_differ_the_most_alike_are_compared() -> None:
    old = recording(('a', 1, 'x'), ('b', 1, 'y'), ('a', 2, 'x'), ('b', 2, 'y'), ('a', 3, 'x'))
    new = recording(('b', 1, 'y'), ('a', 1, 'x'), ('b', 2, 'y'), ('a', 2, 'x'), ('b', 3, 'y'))
    for n, each in enumerate([*old, *new]):
        each.raw['result'] = {**each.raw['result'], 'noise': n}
    told = compare(old[:4], new[:4], [], [], (0, 1)).differences
    assert {mismatch.path for each in told for mismatch in each.mismatches} == {'result.noise'}


def test_a_step_that_became_another_is_told_once_where_it_is() -> None:
    found = compare(recording(('a', 1, 'x'), ('a', 2, 'x')), recording(('a', 1, 'x'), ('a', 2, 'q')), [], [], (0, 1))
    assert [(each.kind, each.file, each.new_line) for each in found.differences] == [('changed', 'app.py', 2)]


@pytest.mark.parametrize(
    ('seen', 'new', 'allowed'),
    [
        (['backup-81ab', 'backup-77fe'], 'backup-0000', True),
        (['backup-81ab', 'backup-77fe'], 'other-0000', False),
        (['x15', 'x17'], 'x23', True),
        (['Image x1 is gone.', 'Image x2 is gone.'], 'Image x3 is gone.', True),
        (['Image x1 is gone.', 'Image x2 is gone.'], 'Image x3 is here.', False),
        ([1, 2], 3, True),
        ([1, 2], '3', False),
        ([1, 2], None, False),
        ([1, 2], True, False),
        ([1, MISSING], MISSING, True),
        ([True, False], False, True),
    ],
)
def test_noise_excuses_values_of_the_same_kind_only(seen: list[Any], new: Any, allowed: bool) -> None:
    assert Field('changed', 'show', 'app.py', 1, 'result.name', seen).allows(new) is allowed


def test_noise_excuses_its_own_field_and_no_other() -> None:
    def differing(*paths: str) -> Difference:
        return Difference('changed', 'show', 'app.py', 1, tuple(Mismatch(path, 'u1', 'u2') for path in paths))

    noise = Noise()
    noise.learn([differing('result[0].name')])
    (left,) = noise.subtract([differing('result[3].name', 'result[3].size')], [])
    assert [each.path for each in left.mismatches] == ['result[3].size']
    assert [(each.path, each.excused) for each in noise.told] == [('result[*].name', 1)]


def test_a_call_that_the_old_program_always_makes_may_not_vanish_in_the_noise() -> None:
    once, twice = recording(('a', 1, 'x')), recording(('a', 1, 'x'), ('a', 1, 'x'))
    noise = Noise()
    noise.learn([Difference('extra', 'show', 'app.py', 1)])
    noise.count(once)
    noise.count(twice)
    missing = Difference('missing', 'show', 'app.py', 1)
    assert noise.subtract([missing], once) == []
    assert noise.subtract([missing], []) == [missing]


def test_what_a_command_printed_cannot_do_anything_to_a_terminal_or_a_page(tmp_path: Path) -> None:
    side = Side('new', tmp_path)
    program = 'import sys; sys.stdout.write("\\x1b[31mred\\x1b[0m\\x1b[2J \\0\\b\\x1b]0;title\\7 ü\\tend\\n"); sys.exit(3)'
    ended = run_side(side, [sys.executable, '-X', 'utf8', '-c', program], tmp_path, tmp_path)
    assert ended.tail == ('red \ufffd\ufffd\ufffd]0;title\ufffd ü\tend',)
