# SPDX-License-Identifier: Apache-2.0
"""The conformance suite itself: every test says what it stands on, and wrong drivers fail it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from nova_image.testing import conformance
from nova_image.testing.conformance.base import ConformanceBase

CLASSES = [getattr(conformance, name) for name in conformance.__all__]
TESTS = sorted(
    {
        (function.__qualname__, function)
        for cls in CLASSES
        for name, function in inspect.getmembers(cls, inspect.isfunction)
        if name.startswith('test_')
    },
    key=lambda pair: pair[0],
)


@pytest.mark.parametrize(('name', 'test'), TESTS, ids=[name for name, _ in TESTS])
def test_every_conformance_test_names_what_it_stands_on(name: str, test: object) -> None:
    numbers = [
        number
        for mark in getattr(test, 'pytestmark', [])
        if mark.name == 'contract'
        for number in mark.args
    ]
    rule = (inspect.getdoc(test) or '').startswith(('Glance', 'D-'))
    assert numbers or rule


def test_no_part_hides_a_test_of_another() -> None:
    seen: dict[str, str] = {}
    for name, _ in TESTS:
        owner, _, test = name.partition('.')
        assert seen.setdefault(test, owner) == owner


def test_every_part_is_built_on_the_same_fixtures() -> None:
    assert all(issubclass(cls, ConformanceBase) for cls in CLASSES)


#: a method that a driver got wrong, and the test that has to notice
WRONG = {
    'test_limit_is_a_cap': """
    def list(self, context, **asked):
        asked.pop('limit', None)
        return super().list(context, **asked)
""",
    'test_properties_by_their_exact_name': """
    def list(self, context, **asked):
        asked.pop('filters', None)
        return super().list(context, **asked)
""",
    'test_delete_returns_true': """
    def delete(self, *args, **kwargs):
        super().delete(*args, **kwargs)
""",
    'test_other_properties_stay': """
    def update(self, context, image_id, info, data=None, purge_props=False, **kwargs):
        return super().update(context, image_id, info, data, True, **kwargs)
""",
    'test_an_image_without_data_leaves_an_older_file_alone': """
    def download(self, context, image_id, data=None, dest_path=None, trusted_certs=None, **kwargs):
        open(dest_path or '/dev/null', 'wb').close()
        return super().download(context, image_id, data, dest_path, trusted_certs, **kwargs)
""",
}
FILE = """
import pytest
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf
from nova_image.testing.conformance import DriverConformance
from nova_image.testing.contexts import tokenless_context

class Wrong(LocalDriver):
{method}

class TestWrong(DriverConformance):
    @pytest.fixture
    def driver(self, tmp_path_factory):
        return Wrong(local_conf(tmp_path_factory.mktemp('store'), auth_strategy='noauth'))

    @pytest.fixture
    def member(self):
        return tokenless_context()
"""


@pytest.mark.parametrize('test', WRONG)
def test_a_wrong_driver_fails_the_test_for_it(test: str, tmp_path: Path) -> None:
    (tmp_path / 'test_wrong.py').write_text(FILE.format(method=WRONG[test]), encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-x', '-p', 'no:cacheprovider', '-k', test],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert '1 failed' in done.stdout
