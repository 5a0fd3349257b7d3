# SPDX-License-Identifier: Apache-2.0
"""The table of old names: complete, true to the code, and the only place that spells a replacement."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from legacy.entry import OldName, Rewrite, message
from legacy.names import NAMES, OLD_MODULES, table
from nova_image import API

CONTRACT = (Path(__file__).parents[1] / 'contract' / 'contract.md').read_text(encoding='utf-8')
GOOD = {
    'name': 'old',
    'new': 'nova_image.API()',
    'since': '1.0',
    'removed_in': '3.0',
    'why': 'a reason',
    'rewrite': Rewrite(pattern='P-26', to=None),
    'contract': ('C-001',),
}


@pytest.mark.parametrize('missing', GOOD)
def test_an_entry_that_lacks_a_field_does_not_load(missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        OldName(**{**GOOD, missing: type(GOOD[missing])() if missing != 'rewrite' else None})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        OldName(**{key: value for key, value in GOOD.items() if key != missing})  # type: ignore[arg-type]


def test_a_name_cannot_stand_in_the_table_twice() -> None:
    entry = OldName(**GOOD)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='twice'):
        table((entry,), (entry,))


def test_a_rewrite_without_a_target_cannot_be_automatic() -> None:
    with pytest.raises(ValueError, match='AUTOMATIC'):
        Rewrite(pattern='P-26', to=None, how='AUTOMATIC')
    with pytest.raises(ValueError, match='P-nn'):
        Rewrite(pattern='26', to=None)


@pytest.mark.parametrize('entry', NAMES.values(), ids=lambda entry: entry.name)
def test_every_contract_number_that_the_table_cites_exists(entry: OldName) -> None:
    for number in entry.contract:
        assert number.startswith('D-') or re.search(rf'\*\*{number}\*\*', CONTRACT), number


@pytest.mark.parametrize('entry', NAMES.values(), ids=lambda entry: entry.name)
def test_every_rewrite_names_a_method_of_the_new_api_and_its_parameters(entry: OldName) -> None:
    rewrite = entry.rewrite
    if rewrite.to in (None, 'API'):
        return
    parameters = inspect.signature(getattr(API, rewrite.to)).parameters
    used = {new for old, new in rewrite.params.items() if old in rewrite.positional}
    assert used <= set(parameters)
    assert set(rewrite.keywords) | set(rewrite.known) <= set(parameters)


def home_of(name: str) -> Any:
    """The thing that an old name stands for in this package."""
    if name == 'nova.image.API':
        return importlib.import_module('legacy.api').new_api
    for module in sorted(OLD_MODULES, key=len, reverse=True):
        if name.startswith(module + '.'):
            found: Any = importlib.import_module(OLD_MODULES[module])
            rest = name.removeprefix(module + '.')
            break
    else:
        found, rest = importlib.import_module('legacy.glance'), name
    for part in rest.split('.'):
        found = inspect.getattr_static(found, part)
    return found


@pytest.mark.contract('C-001', 'C-007', 'C-010')
@pytest.mark.parametrize('name', NAMES)
def test_every_name_of_the_table_exists_and_warns_with_the_words_of_its_own_entry(name: str) -> None:
    found = home_of(name)
    if name == 'glance_opts':
        return
    if isinstance(found, type):
        found = inspect.getattr_static(found, '__init__') if name != 'nova.image.download.base.TransferBase' else None
    if isinstance(found, staticmethod):
        found = found.__func__
    if found is not None:
        assert found._self_old_name == name


def test_the_words_of_an_entry_say_what_since_until_when_and_what_instead() -> None:
    entry = dataclasses.replace(OldName(**GOOD), name='x')  # type: ignore[arg-type]
    assert message(entry) == (
        'x is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()'
    )


def test_methods_and_private_names_are_told_apart() -> None:
    assert NAMES['GlanceImageService.show'].is_method
    assert NAMES['nova.image.api.API.get'].is_method
    assert not NAMES['nova.image.api.API'].is_method
    assert not NAMES['get_remote_image_service'].is_method
    assert NAMES['_parse_image_ref'].is_private
    assert NAMES['GlanceImageService._get_locations'].is_private
