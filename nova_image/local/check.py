# SPDX-License-Identifier: Apache-2.0
"""``nova-image check-store``: what is wrong with a local store, and mending what can be mended.

Looks at the catalogue, at every content (length and sha512), and at what dead writers left. Only
``--repair`` changes anything; it never removes an image or a content that an image refers to. A damaged
catalogue is copied row by row into a new one, and the old one is kept beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nova_image import errors
from nova_image.local.catalogue import Catalogue
from nova_image.local.store import Store
from nova_image.transfer import hashing

TABLES = ('images', 'properties', 'tags', 'members', 'locations', 'gone')
_CHUNK = 1 << 20


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
            images = {
                (row['digest'], row['size']): row['ids']
                for row in connection.execute(
                    "SELECT digest, size, group_concat(image_id, ' ') AS ids FROM locations "
                    'WHERE digest IS NOT NULL GROUP BY digest, size'
                )
            }
            saving = connection.execute("SELECT id, staging FROM images WHERE status = 'saving'").fetchall()
    except errors.StoreCorrupt as exc:
        yield Finding(f'catalogue: {exc}', True)
        return
    finally:
        store.close()
    for (digest, size), ids in sorted(images.items()):
        wrong = _content(store, digest, size, ids)
        if wrong:
            yield Finding(wrong, False)
    for row in saving:
        if not store.contents.is_being_written(row['staging'] or ''):
            yield Finding(f'image {row["id"]}: its upload was cut off and it is still "saving"', True)
    for path in store.contents.abandoned():
        yield Finding(f'{path}: left by an upload that was cut off', True)
    for digest in sorted(set(store.contents.digests()) - {digest for digest, _ in images}):
        yield Finding(f'{store.contents.path(digest)}: no image has this content', True)


def _content(store: Store, digest: str, size: int, ids: str) -> str | None:
    try:
        fd = store.contents.open(digest, size, ids)
    except errors.StoreError as exc:
        return str(exc.kwargs['reason']).partition('. ')[0]
    found = hashing.new('sha512')
    with os.fdopen(fd, 'rb') as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return None if found.hexdigest() == digest else f'the content of image {ids} was altered ({store.contents.path(digest)})'


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
        store.settle(everything=True)


def _rebuild(root: Path) -> None:
    """A new catalogue with every row of the damaged one that can still be read."""
    old, draft = root / 'catalogue.sqlite', root / 'catalogue.mended'
    draft.unlink(missing_ok=True)
    Catalogue.make(draft)
    source = sqlite3.connect(f'file:{old}?mode=ro', uri=True)
    target = sqlite3.connect(draft, isolation_level=None)
    try:
        for table in TABLES:
            for row in _readable(source, table):
                marks = ', '.join('?' * len(row))
                with contextlib.suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
                    target.execute(f'INSERT INTO {table} VALUES ({marks})', row)
        found = target.execute('SELECT count(*) FROM images').fetchone()[0]
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


def _readable(source: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """Rows of a damaged table: in order, and once more from the other end, past what cannot be read."""
    for order in ('ASC', 'DESC'):
        with contextlib.suppress(sqlite3.DatabaseError):
            yield from source.execute(f'SELECT * FROM {table} ORDER BY 1 {order}')
    with contextlib.suppress(sqlite3.DatabaseError):
        yield from source.execute(f'SELECT * FROM {table} NOT INDEXED')


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
