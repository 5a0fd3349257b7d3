# SPDX-License-Identifier: Apache-2.0
"""The store: catalogue and contents together, and the order in which they change.

A content is on disk before the row that points to it is committed, and goes after the last such row is
gone. Whatever a killed process leaves behind is put right by :meth:`Store.settle`, at the first use of the
store by the next process.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nova_image import errors
from nova_image.local import formats, rows
from nova_image.local.catalogue import Catalogue
from nova_image.local.contents import Contents, Staging
from nova_image.local.refusals import Refused


class Store:
    """The store in the directory ``root``; safe between threads and processes, and across forks.

    :raises StoreUnreadable: the directory cannot be used; StoreCorrupt: the catalogue is damaged
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalogue = Catalogue(root)
        self.contents = Contents(root)
        self._settled_by = 0

    def close(self) -> None:
        self.catalogue.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        self._first_use()
        with self.catalogue.reading() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        self._first_use()
        with self.catalogue.writing() as connection:
            yield connection

    def _first_use(self) -> None:
        if self._settled_by == os.getpid():
            return
        if os.path.exists(self.root) and not os.path.isdir(self.root):
            raise errors.StoreUnreadable(
                path=str(self.root), reason='it is no directory; set [image] local_path to one'
            )
        self._settled_by = os.getpid()
        try:
            self.settle()
        except BaseException:
            self._settled_by = 0
            raise

    def settle(self, *, everything: bool = False) -> None:
        """Undo what dead writers left: staged files and images that stay ``saving``.

        Contents without an image are set aside in ``lost/``.


        :param everything: look even where nothing hints at a writer that died
        """
        with self.catalogue.reading() as connection:
            saving = connection.execute("SELECT 1 FROM images WHERE status = 'saving' LIMIT 1").fetchone()
            doomed = connection.execute('SELECT 1 FROM doomed LIMIT 1').fetchone()
        if not everything and not saving and not doomed and not any(self.contents.staging.glob('*')):
            return
        with self.catalogue.writing() as connection:
            lost = self._settle_images(connection)
            for path in self.contents.abandoned():
                path.unlink(missing_ok=True)
            self._remove_doomed(connection)
            if lost or everything:
                # One of them may have died between placing its content and committing the row.
                known = {row['digest'] for row in connection.execute('SELECT digest FROM locations')}
                for digest in sorted(set(self.contents.digests()) - known):
                    self.contents.set_aside(digest)

    def _settle_images(self, connection: sqlite3.Connection) -> int:
        saving = connection.execute("SELECT id, staging FROM images WHERE status = 'saving'").fetchall()
        lost = [row['id'] for row in saving if not self.contents.is_being_written(row['staging'] or '')]
        for image_id in lost:
            rows.change(connection, image_id, status='queued', staging=None, size=None, virtual_size=None)
        return len(lost)

    def _remove_doomed(self, connection: sqlite3.Connection) -> None:
        for row in connection.execute('SELECT digest FROM doomed').fetchall():
            digest = row['digest']
            if not connection.execute('SELECT 1 FROM locations WHERE digest = ?', (digest,)).fetchone():
                self.contents.remove(digest)
            connection.execute('DELETE FROM doomed WHERE digest = ?', (digest,))

    def delete(self, image_id: str, check: Callable[[sqlite3.Connection], None]) -> None:
        """Delete an image after ``check(connection)``, then the contents that nobody else has."""
        with self.writing() as connection:
            check(connection)
            rows.remove(connection, image_id)
            doomed = connection.execute('SELECT 1 FROM doomed LIMIT 1').fetchone()
        if doomed:
            # In a transaction of its own: a content must not go before the deletion of its last row is safe.
            with self.writing() as connection:
                self._remove_doomed(connection)

    def start_upload(self, connection: sqlite3.Connection, row: Any) -> Staging:
        """Take a queued image for an upload; within a write transaction.

        :raises Refused: 409 if it is not queued, 400 if its formats are not set
        """
        if row['status'] != 'queued':
            raise Refused(
                409, f'Image status transition from {row["status"]} to saving is not allowed; expected queued'
            )
        _check_formats(row['disk_format'], row['container_format'])
        staging = self.contents.stage(row['id'])
        try:
            rows.change(connection, row['id'], status='saving', staging=staging.name)
        except BaseException:
            staging.discard()
            raise
        return staging

    def finish_upload(self, image_id: str, staging: Staging, sha512: str, md5: str) -> None:
        """Place what was staged and make the image active, or put it back to ``queued`` and raise.

        :raises Refused: 415 for content that is not what it is declared to be, 410 if the image is gone
        """
        staging.sync()
        mine = 'SELECT * FROM images WHERE id = ? AND staging = ?', (image_id, staging.name)
        gone = Refused(410, f'Image {image_id} could not be found after upload; it may have been deleted')
        with self.reading() as connection:
            row = connection.execute(*mine).fetchone()
        if row is None:
            raise gone
        virtual = formats.virtual_size(staging.fd, staging.size, row['disk_format'], row['container_format'])
        with self.writing() as connection:
            if connection.execute(*mine).fetchone() is None:
                raise gone
            self.contents.publish(staging, sha512)
            rows.add_content(connection, image_id, sha512, staging.size)
            rows.change(
                connection,
                image_id,
                status='active',
                staging=None,
                size=staging.size,
                virtual_size=virtual,
                checksum=md5,
                os_hash_algo='sha512',
                os_hash_value=sha512,
            )

    def abandon_upload(self, image_id: str, staging: Staging, *, remove: bool = False) -> None:
        """Put an image whose upload failed back to ``queued``, or with ``remove`` take it away."""
        with self.writing() as connection:
            if remove:
                rows.remove(connection, image_id)
            else:
                connection.execute(
                    "UPDATE images SET status = 'queued', staging = NULL, size = NULL, virtual_size = NULL, "
                    "updated_at = ? WHERE id = ? AND status = 'saving' AND staging = ?",
                    (rows.now(), image_id, staging.name),
                )
            if staging.published:
                # Placed, but its row could not be committed.
                connection.execute('INSERT OR IGNORE INTO doomed VALUES (?)', (staging.published,))
                self._remove_doomed(connection)
            staging.discard()


def _check_formats(disk_format: str | None, container_format: str | None) -> None:
    """:raises Refused: 400, data needs both (C-254)"""
    given = {'disk_format': disk_format, 'container_format': container_format}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise Refused(400, f'{" and ".join(missing)} must be set prior to saving data.')

