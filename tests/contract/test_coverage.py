# SPDX-License-Identifier: Apache-2.0
"""Every statement of contract.md stands behind a test, or in UNCITED with a reason.

A statement is cited by ``@pytest.mark.contract('C-066')``. Marks are read from the source of the tests and
of the suites in ``nova_image.testing``, so that deselected tests count as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from uncited import UNCITED

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LEAST_CITED = 300
STATEMENTS = frozenset(re.findall(r'\*\*(C-\d{3})\*\*', (HERE / 'contract.md').read_text(encoding='utf-8')))


def sources() -> Iterator[Path]:
    """Files that may hold tests."""
    yield from sorted((ROOT / 'tests').rglob('*.py'))
    yield from sorted((ROOT / 'nova_image' / 'testing').rglob('*.py'))


def marks(tree: ast.AST) -> Iterator[str]:
    """The numbers of every ``contract(...)`` mark in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == 'pytest.mark.contract':
            for argument in node.args:
                yield ast.literal_eval(argument)


@pytest.fixture(scope='module')
def cited() -> dict[str, list[str]]:
    """Number to the files that cite it."""
    found: dict[str, list[str]] = {}
    for path in sources():
        for number in marks(ast.parse(path.read_text(encoding='utf-8'), str(path))):
            found.setdefault(number, []).append(str(path.relative_to(ROOT)))
    return found


def test_the_contract_is_whole() -> None:
    assert sorted(STATEMENTS) == [f'C-{number:03}' for number in range(1, 333)]


def test_every_statement_is_cited_or_has_a_reason_not_to_be(cited: dict[str, list[str]]) -> None:
    missing = sorted(STATEMENTS - cited.keys() - UNCITED.keys())
    assert missing == [], 'write a test that fails when the statement is broken, or a reason in uncited.py'


def test_nothing_is_both_cited_and_excused(cited: dict[str, list[str]]) -> None:
    assert {number: cited[number] for number in sorted(UNCITED.keys() & cited.keys())} == {}


def test_only_statements_that_exist_are_cited_or_excused(cited: dict[str, list[str]]) -> None:
    wrong = {number: files for number, files in cited.items() if number.startswith('C-') and number not in STATEMENTS}
    assert wrong == {}
    assert [number for number in cited if not re.fullmatch(r'C-\d{3}|D-\d+', number)] == []
    assert sorted(UNCITED.keys() - STATEMENTS) == []


def test_every_reason_is_a_sentence_of_its_own() -> None:
    assert [number for number, reason in UNCITED.items() if len(reason.split()) < 6] == []
    assert len(set(UNCITED.values())) == len(UNCITED)


def test_enough_statements_are_cited(cited: dict[str, list[str]]) -> None:
    assert len(STATEMENTS & cited.keys()) >= LEAST_CITED
