# SPDX-License-Identifier: Apache-2.0
"""A mention that no rule claimed is found by the independent search, listed, and ends the run with 2."""

from __future__ import annotations

import json

import pytest

from legacy.migrate.cli import migrate_main, scan_main
from legacy.migrate.sites import Book

TEXT = 'from nova.image import glance\nglance.get_default_image_service().show(c, 1)\n# nova.image.glance\n'


@pytest.fixture
def forgetful(monkeypatch):
    """Rules that overlook comments and strings."""
    monkeypatch.setattr(Book, 'mentions', lambda *args, **kwargs: None)


@pytest.mark.parametrize('form', ['text', 'json', 'github', 'sarif'])
def test_what_the_rules_overlook_is_listed_and_nothing_is_written(form, forgetful, tmp_path, capsys):
    path = tmp_path / 'a.py'
    path.write_text(TEXT)
    for command in (scan_main, migrate_main):
        write = ['--write'] if command is migrate_main else []
        assert command([*write, '--format', form, '--root', str(tmp_path), str(tmp_path)]) == 2
        out, err = capsys.readouterr()
        assert 'a.py:3: nova.image.glance' in out and 'not accounted for: a.py:3' in err
        if form == 'json':
            assert json.loads(out)['unaccounted'] == ['a.py:3: nova.image.glance']
    assert path.read_text() == TEXT
