# SPDX-License-Identifier: Apache-2.0
"""``nova-image check-store``: what is wrong with a local store, and mending what can be mended.

Looks at the catalogue, at every content (length and sha512), and at what dead writers left. Only
``--repair`` changes anything; it never removes an image or a content. A damaged catalogue is copied row by
row into a new one and kept beside it; contents that no image refers to are kept in ``lost/``. From there they
come back when an image that refers to them is there again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nova_image import errors
from nova_image.images import record_from_wire
from nova_image.local import rows
from nova_image.local.catalogue import Catalogue, marks
from nova_image.local.contents import sha512
from nova_image.local.query import COLUMNS
from nova_image.local.store import Store

_EVERY = f'SELECT {COLUMNS} FROM images i'
_CONTENTS = (
    "SELECT digest, size, group_concat(image_id, ' ') AS ids FROM locations "
    'WHERE digest IS NOT NULL GROUP BY digest, size ORDER BY digest, size'
)
_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)  # it quotes damage in messages, undecoded
_SMALLEST_ROW = 64  # bytes; bounds how many rows to look for where the end of a table cannot be read


@dataclass(frozen=True)
class Finding:
    """``what`` is wrong, and whether ``--repair`` mends it."""

    what: str
    repairable: bool


def check(root: Path) -> Iterator[Finding]:
    """Everything that is wrong with the store at ``root``; changes nothing.

    :raises StoreUnreadable: it cannot be looked at
    """
    if not (root / 'catalogue.sqlite').is_file():
        raise errors.StoreUnreadable(path=str(root), reason='it is no local store: there is no catalogue.sqlite')
    store = Store(root)
    catalogue = store.catalogue
    try:
        with catalogue.reading() as connection:
            damage = [row[0] for row in connection.execute('PRAGMA integrity_check').fetchall()]
        if damage != ['ok']:
            yield Finding(f'catalogue: {"; ".join(damage[:5])}', True)
            return
        with catalogue.reading() as connection:
            contents = connection.execute(_CONTENTS).fetchall()
            strange = [finding for finding in map(partial(_strange, store), connection.execute(_EVERY)) if finding]
            saving = connection.execute("SELECT id, staging FROM images WHERE status = 'saving'").fetchall()
    except errors.StoreCorrupt as exc:
        yield Finding(f'catalogue: {exc}', exc.__cause__ is not None)  # no error of SQLite: it is another's
        return
    finally:
        store.close()
    yield from (Finding(each, False) for each in strange)
    for digest, size, ids in contents:
        wrong = _content(store, digest, size, ids)
        if wrong:
            yield Finding(wrong, _is_content(store.contents.lost / digest, digest, size))
    for row in saving:
        if not store.contents.is_being_written(row['staging'] or ''):
            yield Finding(f'image {row["id"]}: its upload was cut off and it is still "saving"', True)
    for path in store.contents.abandoned():
        yield Finding(f'{path}: left by an upload that was cut off', True)
    for digest in sorted(set(store.contents.digests()) - {row['digest'] for row in contents}):
        yield Finding(f'{store.contents.path(digest)}: no image has this content', True)


def _strange(store: Store, row: sqlite3.Row) -> str | None:
    """What in the row of an image keeps it from being shown."""
    try:
        record_from_wire(rows.wire(row, store.contents))
    except errors.NovaException as exc:
        return str(exc)
    return None


def _content(store: Store, digest: str, size: int, ids: str) -> str | None:
    try:
        fd = store.contents.open(digest, size, ids)
    except errors.StoreError as exc:
        return str(exc.kwargs['reason']).partition('. ')[0]
    altered = f'the content of image {ids} was altered ({store.contents.path(digest)})'
    return None if sha512(fd) == digest else altered


def _is_content(path: Path, digest: str, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size and sha512(path) == digest


def repair(root: Path) -> None:
    """Mend what :func:`check` calls repairable."""
    try:
        with contextlib.closing(Store(root)) as store, store.catalogue.reading() as connection:
            sound = connection.execute('PRAGMA integrity_check').fetchone()[0] == 'ok'
    except errors.StoreCorrupt:
        sound = False
    if not sound:
        _rebuild(root)
    with contextlib.closing(Store(root)) as store:
        _bring_back(store)
        store.settle(everything=True)


def _bring_back(store: Store) -> None:
    """Contents in ``lost/`` take the place of those that images refer to and that are missing or damaged."""
    with store.writing() as connection:
        for digest, size, ids in connection.execute(_CONTENTS).fetchall():
            lost = store.contents.lost / digest
            if _is_content(lost, digest, size) and _content(store, digest, size, ids):
                store.contents.place(lost, digest)


def _rebuild(root: Path) -> None:
    """A new catalogue with every row of the damaged one that can still be read."""
    old, draft = root / 'catalogue.sqlite', root / 'catalogue.mended'
    draft.unlink(missing_ok=True)
    Catalogue.make(draft)
    source = sqlite3.connect(f'file:{old}?mode=ro', uri=True)
    target = sqlite3.connect(draft, isolation_level=None)
    try:
        target.execute('BEGIN')
        found = _salvage(source, target, old.stat().st_size // _SMALLEST_ROW)
        target.execute('COMMIT')
    finally:
        source.close()
        target.close()
    if not found:
        draft.unlink()
        raise errors.StoreCorrupt(
            path=str(old), reason='no image can be read from it; it was left as it is. Put a copy of it back'
        )
    kept = root / 'catalogue.damaged'
    number = 0
    while kept.exists():
        number += 1
        kept = root / f'catalogue.damaged.{number}'
    for suffix in ('-wal', '-shm'):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f'{old}{suffix}', f'{kept}{suffix}')
    os.link(old, kept)
    os.rename(draft, old)


def _salvage(source: sqlite3.Connection, target: sqlite3.Connection, most: int) -> int:
    """Copy rows one look-up at a time, so that a page that cannot be read costs its own rows only."""

    def copy(table: str, where: str, value: object = None) -> None:
        with contextlib.suppress(*_UNREADABLE):
            values = [value] if '?' in where else []
            for row in source.execute(f'SELECT * FROM {table} {where}', values):
                with contextlib.suppress(*_UNREADABLE):
                    target.execute(f'INSERT OR IGNORE INTO {table} VALUES ({marks(row)})', row)

    for table in ('images', 'locations'):
        for rowid in range(1, _last_rowid(source, table, most) + 1):
            copy(table, 'NOT INDEXED WHERE rowid = ?', rowid)
    images = [row[0] for row in target.execute('SELECT id FROM images')]
    for table in ('properties', 'tags', 'members'):
        for image_id in images:
            copy(table, 'WHERE image_id = ?', image_id)
    copy('gone', 'ORDER BY id')
    copy('gone', 'ORDER BY id DESC')
    return len(images)


def _last_rowid(source: sqlite3.Connection, table: str, most: int) -> int:
    try:
        return int(source.execute(f'SELECT max(rowid) FROM {table} NOT INDEXED').fetchone()[0] or 0)
    except _UNREADABLE:
        return most


def main(argv: Sequence[str]) -> int:
    """The command: 0 nothing wrong (left), 1 something is, 2 could not look."""
    parser = argparse.ArgumentParser(
        prog='nova-image check-store', description='Report what is wrong with a local image store.'
    )
    parser.add_argument('path', help='the directory that [image] local_path names')
    parser.add_argument(
        '--repair', action='store_true', help='mend what can be mended; stop what uses the store before'
    )
    arguments = parser.parse_args(argv)
    root = Path(arguments.path)
    try:
        found = list(check(root))
        if arguments.repair and any(finding.repairable for finding in found):
            repair(root)
            left = list(check(root))
        else:
            left = found
    except errors.NovaException as exc:
        print(f'nova-image check-store: {exc}', file=sys.stderr)
        return 2
    for finding in found:
        state = 'repaired' if finding not in left else 'can be repaired' if finding.repairable else 'not repairable'
        print(f'{state}: {finding.what}')
    for finding in left:
        if finding not in found:
            print(f'found after repair: {finding.what}')
    print(f'{len(found)} found, {len(found) - len(left)} repaired' if found else 'nothing wrong')
    return 1 if left else 0
