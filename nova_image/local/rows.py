# SPDX-License-Identifier: Apache-2.0
"""Images as rows: reading one, writing one, and what Glance v2 would show of it.

Works inside a connection of the catalogue; decides nothing about who may do what.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from nova_image import errors
from nova_image.local.contents import Contents
from nova_image.local.query import COLUMNS, microseconds
from nova_image.local.refusals import Refused
from nova_image.local.rules import MAX_MEMBERS

STORE = 'local'
_EPOCH = datetime.datetime(1970, 1, 1)
_SHOWN = (
    'name', 'disk_format', 'container_format', 'visibility', 'size', 'virtual_size', 'status', 'checksum',
    'min_ram', 'min_disk', 'owner', 'os_hash_algo', 'os_hash_value', 'id',
)  # fmt: skip
_BASE = (
    'name', 'visibility', 'owner', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'protected',
    'os_hidden',
)  # fmt: skip


def now() -> int:
    """This moment, as the catalogue keeps it."""
    return microseconds(datetime.datetime.now(datetime.UTC))


def find(connection: sqlite3.Connection, image_id: str) -> sqlite3.Row:
    """:raises Refused: 404"""
    row: sqlite3.Row | None = connection.execute(
        f'SELECT {COLUMNS} FROM images i WHERE i.id = ?', (image_id,)
    ).fetchone()
    if row is None:
        raise Refused(404, f'No image found with ID {image_id}')
    return row


def content(row: sqlite3.Row) -> tuple[str, int] | None:
    """Digest and size of the image's content in this store; None if it has none."""
    for _, _, digest, size in json.loads(row['locations']):
        if digest:
            return digest, size
    return None


def add_member(
    connection: sqlite3.Connection, row: sqlite3.Row, project: str, status: str = 'pending'
) -> None:
    """Share an image with a project.

    :raises Refused: 403 unless the image is of visibility ``shared``, 413 past the limit of members
    """
    if row['visibility'] != 'shared':
        raise Refused(403, 'Only shared images have members.')
    connection.execute('INSERT OR REPLACE INTO members VALUES (?, ?, ?)', (row['id'], project, status))
    count = connection.execute('SELECT count(*) FROM members WHERE image_id = ?', (row['id'],)).fetchone()[0]
    if count > MAX_MEMBERS:
        raise Refused(413, f'{count} members, expected at most {MAX_MEMBERS}.')


def is_member(connection: sqlite3.Connection, image_id: str, project: str | None) -> bool:
    """Whether the image was shared with the project, accepted or not."""
    found = connection.execute(
        'SELECT 1 FROM members WHERE image_id = ? AND member = ?', (image_id, project)
    ).fetchone()
    return found is not None


def wire(row: sqlite3.Row, contents: Contents) -> dict[str, Any]:
    """The image as Glance v2 shows it.

    :raises StoreCorrupt: a value that this package never writes
    """
    try:
        return _wire(row, contents)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
        raise _foreign(row, contents, exc) from exc


def _foreign(row: sqlite3.Row, contents: Contents, exc: Exception) -> errors.StoreCorrupt:
    return errors.StoreCorrupt(
        path=str(contents.root), reason=f'the row of image {row["id"]!r} holds a value of another kind: {exc}'
    )


def _wire(row: sqlite3.Row, contents: Contents) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(row['properties'])
    for key in _SHOWN:
        shown[key] = row[key]
    shown['protected'] = bool(row['protected'])
    shown['os_hidden'] = bool(row['os_hidden'])
    shown['created_at'] = _time(row['created_at'])
    shown['updated_at'] = _time(row['updated_at'])
    shown['tags'] = json.loads(row['tags'])
    shown['locations'] = [
        {'url': url or contents.url(digest), 'metadata': json.loads(metadata)}
        for url, metadata, digest, _ in json.loads(row['locations'])
    ]
    stores = [entry['metadata']['store'] for entry in shown['locations'] if 'store' in entry['metadata']]
    if stores:
        shown['stores'] = ','.join(stores)
    shown['self'] = f'/v2/images/{row["id"]}'
    shown['file'] = f'/v2/images/{row["id"]}/file'
    shown['schema'] = '/v2/schemas/image'
    return shown


def _time(moment: int) -> str:
    return (_EPOCH + datetime.timedelta(seconds=moment // 1_000_000)).strftime('%Y-%m-%dT%H:%M:%SZ')


def insert(
    connection: sqlite3.Connection,
    image_id: str,
    fields: Mapping[str, Any],
    properties: Mapping[str, str],
) -> None:
    """A new image, queued.

    :raises Refused: 409, the id is taken
    """
    values = {
        'id': image_id,
        'status': 'queued',
        'created_at': (moment := now()),
        'updated_at': moment,
        'name': None,
        'visibility': 'shared',
        'owner': None,
        'disk_format': None,
        'container_format': None,
        'min_disk': 0,
        'min_ram': 0,
        'protected': False,
        'os_hidden': False,
        **{key: value for key, value in fields.items() if key in _BASE},
    }
    values['owner'] = values['owner'] or None
    if connection.execute('SELECT 1 FROM gone WHERE id = ?', (image_id,)).fetchone():
        raise Refused(409, f'Image ID {image_id} belonged to an image that was deleted')
    try:
        connection.execute(
            f'INSERT INTO images ({", ".join(values)}) VALUES ({", ".join(":" + key for key in values)})', values
        )
    except sqlite3.IntegrityError as exc:
        raise Refused(409, f'Image ID {image_id} already exists!') from exc
    connection.executemany(
        'INSERT INTO properties VALUES (?, ?, ?)', [(image_id, *item) for item in properties.items()]
    )
    set_tags(connection, image_id, fields.get('tags') or ())


def set_tags(connection: sqlite3.Connection, image_id: str, tags: Iterable[str]) -> None:
    """Exactly these tags."""
    connection.execute('DELETE FROM tags WHERE image_id = ?', (image_id,))
    connection.executemany('INSERT INTO tags VALUES (?, ?)', [(image_id, tag) for tag in dict.fromkeys(tags)])


def change(connection: sqlite3.Connection, image_id: str, **values: Any) -> None:
    """Set columns, and the time of the change."""
    values['updated_at'] = now()
    settings = ', '.join(f'{key} = :{key}' for key in values)
    connection.execute(f'UPDATE images SET {settings} WHERE id = :id', {**values, 'id': image_id})


def set_property(connection: sqlite3.Connection, image_id: str, name: str, value: str | None) -> None:
    """Set a custom property, or with None take it away."""
    if value is None:
        connection.execute('DELETE FROM properties WHERE image_id = ? AND name = ?', (image_id, name))
    else:
        connection.execute('INSERT OR REPLACE INTO properties VALUES (?, ?, ?)', (image_id, name, value))


def add_content(connection: sqlite3.Connection, image_id: str, digest: str, size: int) -> None:
    """Let the image's first location be a content of this store."""
    connection.execute(
        'INSERT INTO locations (image_id, url, metadata, digest, size) VALUES (?, NULL, ?, ?, ?)',
        (image_id, json.dumps({'store': STORE}), digest, size),
    )
    connection.execute('DELETE FROM doomed WHERE digest = ?', (digest,))


def remove(connection: sqlite3.Connection, image_id: str) -> None:
    """Take the image away, its id for good; contents that lose their last image are noted as doomed."""
    digests = connection.execute(
        'SELECT digest FROM locations WHERE image_id = ? AND digest IS NOT NULL', (image_id,)
    ).fetchall()
    connection.execute(
        "INSERT INTO gone SELECT id, name, 'deleted', container_format, disk_format, size, created_at, ? "
        'FROM images WHERE id = ?',
        (now(), image_id),
    )
    connection.execute('DELETE FROM images WHERE id = ?', (image_id,))
    connection.executemany(
        'INSERT OR IGNORE INTO doomed SELECT :d WHERE NOT EXISTS (SELECT 1 FROM locations WHERE digest = :d)',
        [{'d': row['digest']} for row in digests],
    )
