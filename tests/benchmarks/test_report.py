# SPDX-License-Identifier: Apache-2.0
"""The page of the measurements: every ratio beside its aim, whichever side of it the figures fall."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / 'benchmarks'


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import report

    yield report
    del sys.modules['report']


@pytest.fixture
def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BENCHMARKS / 'results.json').read_text(encoding='utf-8'))
    return found


def test_the_published_page_is_what_the_published_figures_render_to(report: Any, results: dict[str, Any]) -> None:
    assert (BENCHMARKS / 'RESULTS.md').read_text(encoding='utf-8') == report.render(results)


def test_an_aim_that_is_missed_is_said_so_in_its_own_row(report: Any, results: dict[str, Any]) -> None:
    medians = results['medians']
    medians['get']['nova_image']['requests'] = 2
    medians['import']['legacy.glance']['cpu'] = 2 * medians['import']['wrapt and oslo.config']['cpu']
    medians['download']['nova_image']['wall'] = medians['download']['nova']['wall'] / 1.4
    missed = [line for line in report.aims(medians, results['images']) if '**no**' in line]
    for row in (r'get, requests \| 2 ', r'import: .* \| 2\.00 ', r'download, wall: nova : nova_image \| 1\.40 '):
        assert any(re.search(row, line) for line in missed), row


def test_a_ratio_is_reached_on_its_own_side(report: Any, results: dict[str, Any]) -> None:
    medians = results['medians']
    for what, case, figure, first, second, _words, aim, smaller in report.RATIOS:
        medians[case][second][figure] = 1.0
        medians[case][first][figure] = aim * (0.9 if smaller else 1.1)
        rows = [line for line in report.aims(medians, results['images']) if f'{what}: {first} : {second} ' in line]
        (row,) = rows
        assert row.endswith('| yes |')


@pytest.mark.parametrize(
    ('images', 'requests', 'mark'), [(9_999, 10, 'yes'), (10_000, 11, 'yes'), (10_001, 12, '**no**')]
)
def test_a_listing_may_ask_once_for_each_page_and_once_more_after_a_full_one(
    report: Any, results: dict[str, Any], images: int, requests: int, mark: str
) -> None:
    results['medians']['list']['nova_image']['requests'] = requests
    (row,) = (line for line in report.aims(results['medians'], images) if line.startswith('| listing, requests'))
    assert row.endswith(f'| {mark} |')


@pytest.mark.parametrize(
    ('seconds', 'text'), [(2.0, '2 s'), (0.01, '10 ms'), (4.2e-5, '42 µs'), (3.3e-8, '33 ns')]
)
def test_times_are_in_the_unit_that_keeps_their_digits(report: Any, seconds: float, text: str) -> None:
    assert report.time_text(seconds) == text
