# SPDX-License-Identifier: Apache-2.0
"""What parses outside input understands it or refuses it by name: a few examples here, many in the long run."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from budgets import LONG
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from laws import LAWS, TABLES

from legacy.equivalence import decode
from nova_image import images

SECONDS = 5.0
REPOSITORY = Path(__file__).parents[2]

_scalar = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(['', 'none', '[', '{}', '2024-01-02T03:04:05Z', '0001-01-01T00:00:00+14:00', 'active', 'public'])
)  # fmt: skip
_value = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_keys = st.sampled_from(
    sorted({*images.BASE_FIELDS, *images.JSON_PROPERTIES, 'properties', 'is_public', 'location', 'copy_from', 'store'})
) | st.text(max_size=12)
_filters = st.sampled_from(
    ['is_public', 'changes-since', 'properties', 'property-', 'property-a', 'tag', 'tags', 'deleted', 'size_min']
) | st.text(max_size=12)
_tagged = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*decode._BUILDERS, 'offset', 'args', 'kwargs', 'path', 'model']), inner, max_size=3),
    max_leaves=8,
)
_urls = st.lists(
    st.sampled_from(['http', 'https', '://', '[', ']', '::1', ':', '@', '/', 'v2', 'images', '.', '..', '%', '?', '#',
                     '\x00', '\u2100', 'host', '9292', '99999', 'ü', '\n']), max_size=12,
).map(''.join)  # fmt: skip
_lines = st.lists(
    st.sampled_from(['[glance]', '[image]', '[DEFAULT]', '[api]', '[', ']', ' = ', 'api_servers', 'num_retries', 'true',
                     '-1', 'glance_host', 'glance_api_servers', 'stall_bytes', 'no_hash', 'http://a', '%', '$x', '\x00',
                     '\\', '=', '"', '\n', '\n', '\n', ' ', 'ü']), max_size=40,
).map(''.join)  # fmt: skip
_SNIPPETS = (
    'from nova.image import glance\n', 'import nova.image.glance as g\n', 'from legacy import glance\n', 'def f(self):\n',
    '    s = glance.get_default_image_service()\n', '    s.show(ctx, i)\n', '    return s.detail(ctx, *a, **k)\n',
    'class A(glance.GlanceImageService):\n', '(', ')', '[', '{', '"""', "'", '\\\n', '\x00', '\t', '\r', '\f', 'ü',
    '# coding: latin-1\n', '# coding: rot13\n', '# coding: base64\n', '# coding: undefined\n', '# coding: utf-7\n', 'lambda: ',
    'if x:\n', '@', 'f"{', ':=', '\ufeff', 'async ', 'print "a"\n', '; ',
)  # fmt: skip
_sources = st.lists(st.sampled_from(_SNIPPETS), max_size=14).map(''.join)


def _bytes(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return strategy.map(lambda value: json.dumps(value).encode())


def _encoded(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    codecs = st.sampled_from(['utf-8', 'utf-8', 'utf-8', 'utf-16', 'latin-1'])
    return st.builds(lambda text, codec: text.encode(codec, 'replace'), strategy, codecs)


INPUTS: dict[str, st.SearchStrategy[bytes]] = {
    'reference': _urls.map(lambda text: text.encode()),
    'timestamp': _bytes(_scalar) | st.datetimes().map(lambda when: f'{when.isoformat()}+23:59'.encode()),
    'wire_record': _bytes(st.dictionaries(_keys, _value, max_size=6)),
    'property_text': _bytes(_value),
    'image_info': _bytes(st.dictionaries(_keys, _value, max_size=6)),
    'filters': _bytes(st.dictionaries(_filters, _value, max_size=4)),
    'config_file': _encoded(_lines),
    'old_config_file': _encoded(_lines),
    'golden_file': _bytes(_value).map(gzip.compress)
    | st.binary(max_size=50).map(gzip.compress)
    | st.tuples(_bytes(_value).map(gzip.compress), st.integers(0, 60)).map(lambda cut: cut[0][: cut[1]]),
    'golden_form': _bytes(_tagged),
    'recording_file': st.lists(
        st.dictionaries(
            st.sampled_from(['n', 'pid', 'thread', 'op', 'at', 'caller', 'file', 'line', 'function', 'server', 'context']),
            _value | st.dictionaries(st.sampled_from(['file', 'line', 'function']), _scalar, max_size=3), max_size=8,
        ).map(lambda line: {'n': 1, **line}), max_size=3,
    ).map(lambda lines: '\n'.join(map(json.dumps, lines)).encode()),
    'source_file': _encoded(_sources),
    'store_rows': _bytes(
        st.lists(st.tuples(st.sampled_from(TABLES), st.text('abcdefghijklmnopqrst', max_size=19), _value), min_size=1,
                 max_size=3)
    ),
}  # fmt: skip
_EXAMPLES = {'config_file': 15, 'old_config_file': 25, 'source_file': 25, 'store_rows': 12}


def _hold(law: Callable[[bytes], None], data: bytes) -> None:
    begin = time.thread_time()
    law(data)
    took = time.thread_time() - begin
    assert took < SECONDS, f'{took:.1f} s for {len(data)} bytes'


def test_every_law_has_inputs() -> None:
    assert set(INPUTS) == set(LAWS)


def _fuzzed(name: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(INPUTS[name] | st.binary(max_size=200))
    def run(data: bytes) -> None:
        _hold(LAWS[name], data)

    run()


@pytest.mark.parametrize('name', sorted(LAWS))
def test_law_understood_or_refused_by_name(name: str) -> None:
    _fuzzed(name, _EXAMPLES.get(name, 60))


@pytest.mark.slow
@pytest.mark.parametrize('name', sorted(LAWS))
def test_law_understood_or_refused_by_name_at_length(name: str) -> None:
    _fuzzed(name, (_EXAMPLES.get(name, 100)) * (40 if LONG else 10))


@pytest.mark.parametrize('name', sorted(set(LAWS) - {'store_rows'}))
def test_what_is_very_long_or_very_deep_ends_soon(name: str) -> None:
    for data in (
        b'[' * 20_000, b'{"a":' * 20_000, b'(' * 3_000, b'/' * 50_000, b'http://' + b'a/' * 20_000, b'\x00' * 20_000,
        b'http://h/v' + b'1' * 20_000, b'"' * 10_001, b'9' * 20_000, b'{"mappings": "' + b'[' * 20_000 + b'"}',
        b'if x:\n' + b''.join(b' ' * n + b'if x:\n' for n in range(1, 200)), b'x = ' + b'-' * 3_000 + b'1\n',
        b'x' + b'.y' * 5_000, b'x = (' + b'1 + ' * 3_000 + b'1)', b'[glance]\n' + b'a = b\n' * 5_000,
        b'# coding: punycode\n' + b'a' * 20_000 + b'-' + b'b' * 20_000,
    ):  # fmt: skip
        _hold(LAWS[name], data)


@pytest.mark.parametrize('codec', ['rot13', 'base64', 'zlib', 'hex', 'undefined', 'idna', 'utf-7', 'unicode_escape', 'mbcs'])
def test_a_source_with_an_odd_coding_line_is_reported(codec: str) -> None:
    LAWS['source_file'](f'# coding: {codec}\nfrom nova.image import glance\n# \\x'.encode())


def test_a_real_file_cut_anywhere_is_looked_through() -> None:
    data = (REPOSITORY / 'legacy' / 'services.py').read_bytes()
    for cut in range(0, len(data), len(data) // (60 if LONG else 6)):
        LAWS['source_file'](data[:cut])


def test_a_golden_form_of_nonsense_is_a_value_error() -> None:
    world = decode.World({'release': '34.0.0', 'input': {}}, '/nowhere', {'shared': {}})
    for form in (
        {'$exc': 'no.such.module.Error'}, {'$exc': 'nova.exception.NoSuchError'}, {'$ctx': 'missing'},
        {'$bytes': 'not base64!'}, {'$datetime': 'today'}, {'$dict': [1]}, {'$image': 3}, {'$set': [[1]]},
        {'$exc': 'os.system', 'args': ['false']}, {'$bytes': base64.b64encode(b'x').decode() + '\u00fc'},
    ):  # fmt: skip
        with pytest.raises(ValueError, match='golden form'):
            world.decode(form)
