# SPDX-License-Identifier: Apache-2.0
"""Everything that parses what comes from outside, each as a function of bytes that ends or breaks the law.

The law: any input is understood or refused with an error that is documented, in bounded time. Shared by
the Hypothesis tests and the coverage-guided run (``run_atheris.py``).
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_image import errors, images, options, references, settings

CONTEXT = types.SimpleNamespace(is_admin=False, project_id='p', user_id='u', auth_token=None, roles=[])


def _json(data: bytes) -> Any:
    """The JSON value of ``data``; what is none is not worth a run."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _object(data: bytes) -> dict[str, Any]:
    found = _json(data)
    return found if isinstance(found, dict) else {}


def reference(data: bytes) -> None:
    text = data.decode('utf-8', 'surrogateescape')
    references.without_user(text)
    try:
        server, image_id = references.parse_image_ref(text)
        references.check_image_id(image_id)
    except (errors.InvalidImageRef, errors.ImageNotFound):
        return
    if server is not None:
        assert references.origin(server)[0] in ('http', 'https')
    assert not set(image_id) & set('/?#%')


def timestamp(data: bytes) -> None:
    for given in (data.decode('utf-8', 'surrogateescape'), _json(data)):
        with contextlib.suppress(ValueError):
            images.parse_time(given)


def wire_record(data: bytes) -> None:
    wire = _object(data)
    try:
        record = images.record_from_wire(wire, include_locations=True)
    except errors.ImageServiceError:
        return
    assert set(images.STANDARD_KEYS) <= set(record)
    images.restrict(record)
    images.is_available(CONTEXT, record)


def property_text(data: bytes) -> None:
    """One property with bad JSON never breaks its image (C-078)."""
    text = data.decode('utf-8', 'surrogateescape')
    record = images.record_from_wire({'mappings': text, 'block_device_mapping': text})
    assert set(record['properties']) == {'mappings', 'block_device_mapping'}


def image_info(data: bytes) -> None:
    wanted = _object(data)
    before = json.dumps(wanted)
    with contextlib.suppress(errors.NovaException):
        change = images.outgoing(wanted, CONTEXT)
        images.json_patch({'name': 'x', 'tags': [], 'a': 'b'}, change, True)
    assert json.dumps(wanted) == before


def filters(data: bytes) -> None:
    with contextlib.suppress(errors.BadFilter):
        for name, value in images.list_query(_object(data)).params:
            assert isinstance(name, str)
            assert isinstance(value, str)


def config_file(data: bytes) -> None:
    """Options are read when they are used, so that is when one may be refused."""
    with tempfile.NamedTemporaryFile(suffix='.conf') as file:
        file.write(data)
        file.flush()
        conf = cfg.ConfigOpts()
        try:
            conf([], project='nova-image-fuzz', default_config_files=[file.name])
            options.register(conf)
            current = settings.current(conf)
        except (cfg.Error, ValueError):
            return
        for name in dir(type(current)):
            if not name.startswith('_'):
                with contextlib.suppress(cfg.Error, ValueError):
                    getattr(current, name)


def old_config_file(data: bytes) -> None:
    from legacy import config

    with tempfile.NamedTemporaryFile(suffix='.conf') as file:
        file.write(data)
        file.flush()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert config.main([file.name, '--release', '2014.1']) in (0, 1, 2)


def golden_file(data: bytes) -> None:
    from legacy.equivalence import decode

    with tempfile.NamedTemporaryFile(suffix='.jsonl.gz') as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(ValueError):
            list(decode.load(Path(file.name)))


def golden_form(data: bytes) -> None:
    from legacy.equivalence import decode

    world = decode.World({'release': '34.0.0', 'input': {}}, '/nowhere', {'shared': {}})
    with contextlib.suppress(ValueError, decode.Unbound):
        world.decode(_json(data))


def recording_file(data: bytes) -> None:
    from legacy.equivalence import prove_run, prove_trace
    from legacy.migrate import Result

    with tempfile.NamedTemporaryFile(suffix='.jsonl') as file:
        file.write(data)
        file.flush()
        lines = prove_run.read_lines(Path(file.name))
    with contextlib.suppress(ValueError):
        for operation in prove_trace.operations(lines, Result(Path('/nowhere')), new=False):
            assert isinstance(operation.key[0], str)
            assert isinstance(operation.content, dict)


def source_file(data: bytes) -> None:
    """Any file is looked through; one that cannot be read is reported, and rewriting is all or nothing."""
    from legacy import migrate

    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, 'module.py')
        place.write_bytes(data)
        result = migrate.run([place], directory)
        assert place.read_bytes() == data
        result.write(directory)
    for found in result.files.values():
        assert found.path == 'module.py'


def store_rows(data: bytes) -> None:
    """A catalogue in which somebody wrote values of other kinds."""
    from nova_image.local import check
    from nova_image.local.driver import LocalDriver

    given = _json(data)
    rows = given if isinstance(given, list) else [given]
    with _store() as (root, conf):
        with contextlib.closing(sqlite3.connect(root / 'catalogue.sqlite')) as connection, connection:
            for row in rows[:8]:
                table, column, value = (*row, None, None, None)[:3] if isinstance(row, list) else (None, row, row)
                _overwrite(connection, str(table), str(column), value)
        driver = LocalDriver(conf)
        for call in (
            lambda: driver.list(CONTEXT),
            lambda: driver.show(CONTEXT, IMAGE_ID, include_locations=True),
            lambda: driver.download(CONTEXT, IMAGE_ID, data=io.BytesIO()),
        ):
            with contextlib.suppress(errors.NovaException):
                call()
        driver.close()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert check.main([str(root), '--repair']) in (0, 1, 2)


IMAGE_ID = '11111111-2222-4333-8444-555555555555'
TABLES = ('images', 'properties', 'tags', 'members', 'locations')
_template: Path | None = None


@contextlib.contextmanager
def _store() -> Iterator[tuple[Path, cfg.ConfigOpts]]:
    """A store with one image; made once, copied for each run."""
    from nova_image.local.driver import LocalDriver
    from nova_image.testing.configuration import make_conf

    global _template
    if _template is None:
        _template = Path(tempfile.mkdtemp(prefix='nova-image-fuzz-'))
        driver = LocalDriver(make_conf(image__driver='local', image__local_path=str(_template)))
        info = {'id': IMAGE_ID, 'name': 'n', 'disk_format': 'raw', 'container_format': 'bare', 'tags': ['t'],
                'properties': {'a': 'b'}, 'visibility': 'public'}  # fmt: skip
        driver.create(CONTEXT, info, b'bytes')
        driver.close()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, 'store')
        shutil.copytree(_template, root)
        yield root, make_conf(image__driver='local', image__local_path=str(root))


def _overwrite(connection: sqlite3.Connection, table: str, column: str, value: Any) -> None:
    """As loosely as SQLite allows; names that are none here are chosen by their length."""
    if table not in TABLES:
        table = TABLES[len(table) % len(TABLES)]
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info({table})')]
    if column not in columns:
        column = columns[len(column) % len(columns)]
    if isinstance(value, (list, dict)):
        value = json.dumps(value).encode()
    with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError):
        connection.execute(f'UPDATE {table} SET {column} = ?', (value,))


LAWS: dict[str, Callable[[bytes], None]] = {
    law.__name__: law
    for law in (
        reference, timestamp, wire_record, property_text, image_info, filters, config_file, old_config_file,
        golden_file, golden_form, recording_file, source_file, store_rows,
    )
}  # fmt: skip
