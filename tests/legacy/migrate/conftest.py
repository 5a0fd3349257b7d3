# SPDX-License-Identifier: Apache-2.0
"""The two helpers of the migration tests: a program stays as it is, or becomes exactly this.

Both run twice and check that the totals add up; what a program becomes must parse.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from legacy.migrate import Result, run
from legacy.migrate.options import Options
from legacy.migrate.tree import Source

Migrate = Callable[..., Result]


@pytest.fixture
def migrate(tmp_path: Path) -> Migrate:
    """Write files, run over them, and check what holds for every run."""

    def go(files: dict[str, str | bytes], **flags: bool) -> Result:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = run([tmp_path], tmp_path, options=Options(**flags))
        holds(result)
        return result

    return go


def holds(result: Result) -> None:
    """What holds for every run, whatever it found."""
    totals = result.totals
    assert not result.unaccounted
    assert totals['rewritten'] + totals['left'] + totals['not-ours'] == totals['sites']
    mentions = totals['mentions']
    assert mentions['rewritten'] + mentions['left'] + mentions['not-ours'] == mentions['found']
    places = [(site.file, site.line, site.column, site.name) for site in result.sites]
    assert len(set(places)) == len(places), 'a place is listed twice'
    for site in result.sites:
        assert site.pattern and (site.status == 'rewritten' or site.reason), site


@pytest.fixture
def changes(migrate: Migrate, tmp_path: Path) -> Callable[..., Result]:
    """A program becomes exactly this, the second run changes nothing."""

    def check(before: str, after: str, **counts: int) -> Result:
        before, after = textwrap.dedent(before), textwrap.dedent(after)
        assert Source(after.encode()).error() is None, 'the expected text does not parse'
        result = migrate({'a.py': before})
        assert result.files['a.py'].new_bytes.decode() == after
        for status, count in counts.items():
            assert result.totals[status] == count, [str(site) for site in result.sites]
        result.write()
        again = run([tmp_path], tmp_path)
        holds(again)
        assert not again.changed
        return result

    return check


@pytest.fixture
def stays(migrate: Migrate) -> Callable[..., Result]:
    """A program stays as it is; ``patterns`` are those of the sites that are left or not ours."""

    def check(text: str, *patterns: str, status: str = 'left') -> Result:
        text = textwrap.dedent(text)
        result = migrate({'a.py': text})
        assert not result.changed, result.files['a.py'].new_bytes.decode()
        found = {site.pattern for site in result.sites if site.status == status}
        assert set(patterns) <= found, [str(site) for site in result.sites]
        if status == 'not-ours':
            assert result.totals['left'] == 0, [str(site) for site in result.sites]
        return result

    return check
