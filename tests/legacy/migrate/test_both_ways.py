# SPDX-License-Identifier: Apache-2.0
"""Programs run before the rewrite through legacy and after it through nova_image, on twin local stores.

What is logged, the error a program ends with, the files it leaves and what is in the store afterwards are equal.
Each program has an image and a name of its own, so that one pair of stores serves all.
"""

from __future__ import annotations

import io
import os
import sys
import time
import uuid
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from made_programs import Maker

import legacy
from legacy.migrate import run
from legacy.migrate.tree import Source, compiles
from nova_image import API
from nova_image.images import STANDARD_KEYS

#: Every AUTOMATIC pattern and modifier of the catalogue that a running program can show.
AUTOMATIC = (
    'P-01', 'P-02', 'P-03', 'P-08', 'P-09', 'P-10', 'P-12', 'P-14', 'P-16', 'P-17', 'P-19', 'P-24', 'P-26', 'P-27',
    'P-28', 'P-29', 'P-30', 'P-31', 'P-32', 'P-33', 'P-34', 'P-35', 'P-47', 'P-60',
    'P-15 stays',
)  # fmt: skip
KEPT = tuple(key for key in STANDARD_KEYS if not key.endswith('_at'))


class Stream(io.BytesIO):
    """Bytes that count as nothing, and are data all the same (C-217)."""

    def __init__(self) -> None:
        super().__init__(b'streamed')

    def __bool__(self) -> bool:
        return False


class Context:
    """A caller without a token: what it may do is what the record's owner allows."""

    auth_token, user_id, project_id, is_admin, roles = None, 'u', 'p', True, ()
    tenant = project_id
    user = user_id
    service_catalog: tuple[Any, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {}


class Twins:
    """Two stores with the same images, and programs that run on either."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, monkeypatch
        monkeypatch.setenv('NOVA_IMAGE_DRIVER', 'local')
        monkeypatch.setattr(os, 'fsync', lambda _fd: None)
        self.context = Context()
        self.seen: Counter[str] = Counter()
        self.ran = self.changed = 0

    def on(self, side: str) -> API:
        self.patch.setenv('NOVA_IMAGE_LOCAL_PATH', str(self.folder / side))
        return API()

    def outcome(self, side: str, text: str, image: str, number: int) -> Any:
        """What one run of a program shows."""
        api, name, path = self.on(side), f'n{image}', self.folder / f'{side}.out'
        odd, flag = number % 7 == 0, bool(number % 2)
        api.create(
            self.context,
            {'id': image, 'name': name, 'disk_format': 'raw', 'container_format': 'bare', 'properties': {'b': '2'}},
            data=b'bytes' if number % 5 else None,
        )
        other = str(uuid.UUID(int=number + (2 << 100)))
        api.create(self.context, {'id': other, 'name': 'other', 'disk_format': 'raw', 'container_format': 'bare'}, data=b'o')
        path.unlink(missing_ok=True)
        Path(f'{path}.in').write_bytes(b'from a file')
        new = {'name': name, 'disk_format': 'raw', 'container_format': 'bare', 'properties': {'made': 'yes'}}
        row = {
            'id': image, 'other': other, 'name': name, 'ref': f'http://other:9292/images/{image}', 'filters': {'name': name},
            'meta': {'min_disk': 1, 'properties': {'x': '7'}}, 'new': new,
            'asked': {'filters': {'name': name}, 'colour': 1, **({'marker': None} if flag else {})},
            'data': (None, b'', Stream(), 'text')[number // 2 % 4],
        }  # fmt: skip
        ref = 'http://[bad/images/x' if odd else image if number % 3 else f'http://host:9292/v1/images/{image}'
        events: list[Any] = []
        space: dict[str, Any] = {'__name__': 'made', 'spawn': lambda function, *args, **more: function(*args, **more)}
        error = ''
        try:
            exec(compile(text, 'made', 'exec'), space)  # noqa: S102
            data = (None, '', b'more', 'text')[number % 4]
            space['Driver']().run(
                self.context, ref, row, data, flag, str(path), lambda it: events.append(self.plain(it, image))
            )
        except Exception as err:  # noqa: BLE001  any error is an outcome
            error = f'{type(err).__name__}: {err}' if type(err).__module__ == 'builtins' else type(err).__name__
        left = sorted(map(repr, (self.plain(each, image) for each in api.get_all(self.context, filters={'name': name}))))
        return events, error, left, path.read_bytes() if path.exists() else None

    def plain(self, value: Any, image: str) -> Any:
        """A value without what is another one in every run."""
        if isinstance(value, dict):
            kept = {key: value[key] for key in KEPT if key in value}
            return sorted((key, repr(each)) for key, each in kept.items() if key != 'id' or each == image)
        if isinstance(value, list):
            return [self.plain(each, image) for each in value]
        return value

    def check(self, text: str, number: int) -> None:
        """Rewrite a program and run both forms."""
        path = self.folder / 'program.py'
        path.write_text(text)
        assert compiles(text.encode()), text
        result = run([path], self.folder)
        assert not result.unaccounted and not result.problems
        assert not any('taken back' in site.reason for site in result.sites), text
        new = result.files['program.py'].new_bytes
        assert Source(new).error() is None and compiles(new), new.decode()
        patterns = [site.pattern for site in result.sites if site.status == 'rewritten']
        patterns += ['P-15 stays' * any('stays at the server' in site.reason for site in result.sites)]
        patterns += ['P-47'] if any('P-47' in site.reason for site in result.sites) else []
        patterns += ['P-60'] * (b'_nova_image_api' in new)
        patterns += ['P-24'] * (b'def again' in new and bool(patterns))
        patterns += ['P-35'] * any(word in text for word in ('image_id=row', 'image_meta=', '"dst_path"', '"image_meta"'))
        image = str(uuid.UUID(int=number + (1 << 100)))
        before = self.outcome('old', text, image, number)
        after = self.outcome('new', new.decode(), image, number)
        assert after == before, f'{text}\n----\n{new.decode()}\nnumber {number}'
        self.seen.update(set(patterns) - {''})
        self.ran += 1
        self.changed += new.decode() != text


@pytest.fixture
def twins(tmp_path, monkeypatch):
    folder = Path('/dev/shm') if os.access('/dev/shm', os.W_OK) else tmp_path
    import tempfile

    with tempfile.TemporaryDirectory(dir=folder) as made:
        legacy.install()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                yield Twins(Path(made), monkeypatch)
        finally:
            legacy.uninstall()
            for name in [each for each in sys.modules if each == 'nova' or each.startswith('nova.')]:
                del sys.modules[name]


def many(twins: Twins, count: int, seed: int) -> None:
    maker = Maker(seed)
    for number in range(count):
        twins.check(maker.program(), number)


def test_programs_do_the_same_on_twin_stores_after_the_rewrite(twins):
    """A few hundred; the long environment runs ten thousand."""
    many(twins, 150, seed=1)
    assert twins.changed > 75


@pytest.mark.slow
def test_ten_thousand_programs_do_the_same_and_every_pattern_is_among_them(twins, capsys):
    """At least 100 programs for each AUTOMATIC pattern and modifier; the counts are printed."""
    started = time.monotonic()
    many(twins, 10_000, seed=2)
    with capsys.disabled():
        print(f'\n{twins.ran} programs, {twins.changed} rewritten, {time.monotonic() - started:.0f} s')
        print(', '.join(f'{pattern} {count}' for pattern, count in sorted(twins.seen.items())))
    assert all(twins.seen[each] >= 100 for each in AUTOMATIC), twins.seen
