# SPDX-License-Identifier: Apache-2.0
"""Comparing two runs: what may differ by nature, and what may not."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from legacy.equivalence.pairing import Pairing, texts

A, B, C, D = (f'{letter * 8}-0000-4000-8000-000000000000' for letter in 'abcd')


def test_a_random_id_stands_for_one_id_of_the_other_run() -> None:
    pairing = Pairing.between([A], [B])
    assert pairing.compare({'id': A}, {'id': B}) == []
    assert pairing.compare([A, f'http://h/images/{A}'], [B, f'http://h/images/{B}']) == []


def test_a_swapped_id_is_seen() -> None:
    pairing = Pairing.between([A, C], [B, D])
    assert pairing.compare([A, C], [B, D]) == []
    assert pairing.compare({'image_id': A}, {'image_id': D}) != []
    assert pairing.compare({'image_id': C}, {'image_id': B}) != []


def test_an_id_that_both_runs_know_is_not_random() -> None:
    pairing = Pairing.between([A, C], [A, D])
    assert pairing.compare(A, D) != []
    assert pairing.compare(A, A) == []


@pytest.mark.parametrize('key', ['checksum', 'sha256', 'os_hash_value'])
def test_hashes_of_contents_have_to_be_the_same(key: str) -> None:
    pairing = Pairing.between([], [])
    assert pairing.compare({key: 'a' * 32}, {key: 'b' * 32}) != []
    assert pairing.compare({'path': 'a' * 40}, {'path': 'b' * 40}) == []


def test_times_of_the_runs_may_differ_and_others_may_not() -> None:
    pairing = Pairing.between([], [], window=(1_800_000_000, 1_800_000_060))
    assert pairing.compare('2027-01-15T08:00:01Z', '2027-01-15T08:00:59+00:00') == []
    assert pairing.compare('gte:2014-01-01T00:00:00', 'gte:2015-01-01T00:00:00') != []
    assert pairing.compare('backup-1800000001.5', 'backup-1800000002.25') == []
    now = datetime.datetime.fromtimestamp(1_800_000_000, datetime.UTC)
    assert pairing.compare(now, now + datetime.timedelta(seconds=3)) == []
    assert pairing.compare(now, None) != []


def test_temporary_names_are_paired_like_ids() -> None:
    pairing = Pairing.between(['/t/tmpabcd_123/x'], ['/t/tmpzyxw_987/x'])
    assert pairing.compare('/t/tmpabcd_123/x', '/t/tmpzyxw_987/x') == []
    assert pairing.compare('/t/tmpabcd_123/x', '/t/tmpzyxw_987/y') != []


@pytest.mark.parametrize(
    ('old', 'new', 'paths'),
    [
        ({'a': 1}, {'a': 1, 'b': 2}, ['b']),
        ([1, 2], [1], ['[1]']),
        ({'a': [{'b': True}]}, {'a': [{'b': 1}]}, ['a[0].b']),
        (None, '', ['']),
        ('x', 'y', ['']),
    ],
)
def test_a_mismatch_says_where(old: Any, new: Any, paths: list[str]) -> None:
    assert [each.path for each in Pairing().compare(old, new)] == paths


def test_all_texts_of_a_value_are_found() -> None:
    assert set(texts({'a': ['b', {'c': ('d', 1, None)}]})) == {'a', 'b', 'c', 'd'}
