# SPDX-License-Identifier: Apache-2.0
"""Every release's module, as surface.json records it: each name exists and takes each call that was legal then."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from legacy.standin import package_names

SURFACE = json.loads((Path(__file__).parents[1] / 'contract' / 'surface.json').read_text(encoding='utf-8'))
ORDER = SURFACE['_meta']['release_order']
RELEASES = ORDER[ORDER.index('2012.2') :]
HOMES = {
    'nova.image.glance': 'legacy.glance',
    'nova.image.api': 'legacy.api',
    'nova.image.download': 'legacy.download',
    'nova.image.download.base': 'legacy.download.base',
    'nova.image.download.file': 'legacy.download.file',
}
#: Names that are no part of what a caller uses: translation marks, the module's own imports by other names.
IMPORTS_THAT_NEED_NOVA = {'flags', 'lv_utils', 'nova', 'objects', 'fields', 'profiler', 'service_auth', 'utils'}
IMPORTS_THAT_NEED_MORE = {'cursive_exception', 'certificate_utils', 'signature_utils', 'greenthread', 'six', 'sslutils'}


def modules(release: str) -> dict[str, Any]:
    found: dict[str, Any] = SURFACE['releases'][release]['modules']
    return found


def here(module: str, name: str) -> Any:
    if module == 'nova.image':
        return package_names()[name]
    return inspect.getattr_static(importlib.import_module(HOMES[module]), name)


def signatures() -> dict[tuple[str, str, str], list[str]]:
    """(module, name, signature) of every function and method since 2012.2, with the releases that had it."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for release in RELEASES:
        for module, content in modules(release).items():
            for name, entry in content['names'].items():
                if entry['kind'] == 'function':
                    found.setdefault((module, name, entry['signature']), []).append(release)
                for method, what in entry.get('methods', {}).items():
                    key = (module, f'{name}.{method}', f'{what["kind"]}|{what["signature"]}')
                    found.setdefault(key, []).append(release)
    return found


@pytest.mark.contract('C-001', 'C-007')
@pytest.mark.parametrize('release', RELEASES)
def test_every_name_of_the_release_exists(release: str) -> None:
    missing = []
    for module, content in modules(release).items():
        for name, entry in content['names'].items():
            if entry['kind'] == 'import':
                continue
            try:
                found = here(module, name)
            except (AttributeError, KeyError):
                missing.append(f'{module}.{name}')
                continue
            missing += [
                f'{module}.{name}.{method}' for method in entry.get('methods', ()) if not hasattr(found, method)
            ]
    assert missing == []


@pytest.mark.contract('C-003')
@pytest.mark.parametrize('release', RELEASES)
def test_what_could_be_patched_through_the_module_is_there(release: str) -> None:
    glance = importlib.import_module('legacy.glance')
    for name, entry in modules(release)['nova.image.glance']['names'].items():
        if entry['kind'] != 'import' or name in IMPORTS_THAT_NEED_NOVA | IMPORTS_THAT_NEED_MORE:
            continue
        assert hasattr(glance, name), name


def parse(text: str) -> inspect.Signature:
    """A recorded signature as one that can be bound."""
    text = text.split('|')[-1].removeprefix('staticmethod ').removeprefix('classmethod ')
    function = ast.parse(f'def f{text}: pass').body[0]
    assert isinstance(function, ast.FunctionDef)
    namespace: dict[str, Any] = {}
    exec(compile(ast.Module([function], []), 'surface', 'exec'), namespace)  # noqa: S102 - our own page
    return inspect.signature(namespace['f'])


def calls(signature: inspect.Signature) -> st.SearchStrategy[tuple[tuple[int, ...], dict[str, int]]]:
    """Argument lists the signature accepts: any split of positional and keyword, optional ones there or not."""
    plain = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    required = sum(p.default is p.empty for p in plain)
    loose = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    many = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())

    @st.composite
    def build(draw: Any) -> tuple[tuple[int, ...], dict[str, int]]:
        positional = draw(st.integers(0, len(plain)))
        named = {p.name: 0 for index, p in enumerate(plain[positional:], positional) if index < required}
        for p in plain[max(positional, required) :]:
            if draw(st.booleans()):
                named[p.name] = 0
        more = draw(st.integers(0, 3)) if many and positional == len(plain) else 0
        if loose:
            named.update(dict.fromkeys(draw(st.sets(st.sampled_from(['filters', 'limit', 'name', 'x'])), ), 0))
        return (0,) * (positional + more), named

    return build()


@pytest.mark.contract('C-002', 'C-008', 'C-309', 'C-323')
@pytest.mark.parametrize(
    ('module', 'name', 'recorded'), signatures(), ids=lambda value: str(value).replace('nova.image.', '')
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_each_call_that_a_release_accepted_is_accepted(module: str, name: str, recorded: str, data: Any) -> None:
    """Law: whatever binds to the recorded signature binds to ours."""
    old = parse(recorded)
    owner, _, method = name.partition('.')
    found = here(module, owner)
    static = False
    if method:
        found = inspect.getattr_static(found, method)
        static = isinstance(found, staticmethod)
        found = found.__func__ if static else found
    ours = inspect.signature(found)
    args, kwargs = data.draw(calls(old))
    old.bind(*args, **kwargs)
    if method and static and 'staticmethod' not in recorded:  # an instance method then, called on an instance
        args = args[1:]
        kwargs.pop('self', None)
    if args or 'self' not in old.parameters:
        ours.bind(*args, **kwargs)


def test_the_names_before_folsom_are_there() -> None:
    glance = importlib.import_module('legacy.glance')
    for name in ('pick_glance_api_server', 'get_glance_client', 'get_image_service'):
        assert callable(getattr(glance, name))
    for name in ('index', 'show_by_name', 'get', 'delete_all'):
        assert callable(getattr(glance.GlanceImageService, name))


def test_a_module_that_is_not_installed_is_named() -> None:
    glance = importlib.import_module('legacy.glance')
    with pytest.raises(AttributeError, match=r'was the module nova\.utils, which is not installed here'):
        glance.utils  # noqa: B018
    with pytest.raises(AttributeError, match='no attribute'):
        glance.nothing_like_it  # noqa: B018
