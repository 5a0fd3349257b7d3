# SPDX-License-Identifier: Apache-2.0
"""The catalogue: a SQLite file in WAL mode, shared by threads and processes.

A connection serves one thread at a time and never crosses a fork. Reads are one statement; writes run in
:meth:`Catalogue.writing`, which takes the one write lock at its start. The file is only ever opened through
SQLite: closing another descriptor of it would drop this process's locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nova_image import errors
from nova_image.local.pool import GATE, Pool
from nova_image.local.refusals import Refused

APPLICATION_ID = 0x4E496D67
VERSION = 1
BUSY_SECONDS = 60.0

SCHEMA = """
CREATE TABLE images (
    id TEXT PRIMARY KEY, name TEXT, status TEXT NOT NULL, visibility TEXT NOT NULL, owner TEXT,
    disk_format TEXT, container_format TEXT, size INTEGER, virtual_size INTEGER,
    checksum TEXT, os_hash_algo TEXT, os_hash_value TEXT,
    min_disk INTEGER NOT NULL, min_ram INTEGER NOT NULL,
    protected INTEGER NOT NULL, os_hidden INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, staging TEXT);
CREATE INDEX images_by_age ON images (created_at, id);
CREATE TABLE properties (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    name TEXT NOT NULL, value TEXT, PRIMARY KEY (image_id, name)) WITHOUT ROWID;
CREATE INDEX properties_by_name ON properties (name, value);
CREATE TABLE tags (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    value TEXT NOT NULL, PRIMARY KEY (image_id, value)) WITHOUT ROWID;
CREATE TABLE members (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    member TEXT NOT NULL, status TEXT NOT NULL, PRIMARY KEY (image_id, member)) WITHOUT ROWID;
CREATE TABLE locations (
    id INTEGER PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    url TEXT, metadata TEXT NOT NULL, digest TEXT, size INTEGER);
CREATE INDEX locations_by_image ON locations (image_id);
CREATE INDEX locations_by_digest ON locations (digest);
CREATE TABLE gone (
    id TEXT PRIMARY KEY, name TEXT, status TEXT, container_format TEXT, disk_format TEXT, size INTEGER,
    created_at INTEGER, updated_at INTEGER) WITHOUT ROWID;
CREATE TABLE doomed (digest TEXT PRIMARY KEY) WITHOUT ROWID;
"""


_left_by_parent: list[Pool] = []  # closing a parent's connection in a child would harm the parent


class Catalogue:
    """The catalogue of the store at ``root``; made on first use.

    :raises StoreUnreadable: the directory or the file cannot be used
    :raises StoreCorrupt: the file is damaged, or is something else
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / 'catalogue.sqlite'
        self._pool = Pool()
        self._finalizer = weakref.finalize(self, Pool.retire, self._pool)

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        self._own_pool().close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for single statements, each of which sees one moment."""
        with GATE.using(), self._translating():
            pool = self._current_pool()
            with pool.lock:
                connection = pool.idle.pop() if pool.idle else None
            if connection is None:
                connection = self._open(pool)
            broken = True
            try:
                yield connection
                broken = False
            finally:
                if connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        connection.rollback()
                    broken = broken or connection.in_transaction
                if not broken or self._still_works(connection):
                    with pool.lock:
                        if connection in pool.all:
                            pool.idle.append(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; committed if the block ends well."""
        with self.reading() as connection:
            connection.execute('BEGIN IMMEDIATE')
            yield connection
            connection.execute('COMMIT')

    def _own_pool(self) -> Pool:
        pool = self._pool
        if pool.pid != os.getpid():
            _left_by_parent.append(pool)
            pool = self._new_pool()
        return pool

    def _current_pool(self) -> Pool:
        """The pool of this process, unless the file it is about has been replaced or removed meanwhile."""
        pool = self._own_pool()
        if pool.file is not None and pool.file != self._file():
            with pool.lock:
                for connection in pool.idle:
                    connection.close()
                pool.idle = []
            pool = self._new_pool()
        return pool

    def _new_pool(self) -> Pool:
        self._finalizer.detach()
        pool = self._pool = Pool()
        self._finalizer = weakref.finalize(self, Pool.retire, pool)
        return pool

    def _file(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @staticmethod
    def _still_works(connection: sqlite3.Connection) -> bool:
        try:
            connection.execute('SELECT 1 FROM images LIMIT 1').fetchone()
        except sqlite3.Error:
            return False
        return True

    def _open(self, pool: Pool) -> sqlite3.Connection:
        try:
            if not self.path.exists():
                self._create_once()
        except OSError as exc:
            raise errors.StoreUnreadable(
                path=str(self.root), reason=f'{exc.strerror or exc}; expected a directory that can be written'
            ) from exc
        connection = self._connect()
        try:
            connection.execute('PRAGMA foreign_keys = ON')
            connection.execute('PRAGMA synchronous = FULL')
            self._check_version(connection)
        except BaseException:
            connection.close()
            raise
        with pool.lock:
            pool.all.append(connection)
            pool.file = self._file()
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _check_version(self, connection: sqlite3.Connection) -> None:
        application = connection.execute('PRAGMA application_id').fetchone()[0]
        version = connection.execute('PRAGMA user_version').fetchone()[0]
        if application != APPLICATION_ID or version != VERSION:
            raise errors.StoreCorrupt(
                path=str(self.path),
                reason=f'it is not a version {VERSION} catalogue (application id {application:#x}, version '
                f'{version}). Nothing was changed; move it away or point [image] local_path elsewhere',
            )

    def _create_once(self) -> None:
        """Make directory and catalogue, once, however many processes try.

        The tables are made in a file of another name that is then renamed: the catalogue is there whole or
        not at all. A store that has contents but no catalogue has lost it, and is not started afresh.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.root / 'creating.lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.path.exists():
                return
            if any((self.root / 'contents').glob('*/*')):
                raise errors.StoreCorrupt(
                    path=str(self.root),
                    reason='it has contents but no catalogue.sqlite. Put the catalogue back, or start with an '
                    'empty directory; the contents were left as they are',
                )
            draft = self.root / 'catalogue.new'
            draft.unlink(missing_ok=True)
            self.make(draft)
            os.rename(draft, self.path)
        finally:
            os.close(lock)

    @staticmethod
    def make(path: Path) -> None:
        """An empty catalogue, all of it in the one file."""
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.executescript(
                f'PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};{SCHEMA}'
            )
            connection.execute('PRAGMA journal_mode = WAL')
        finally:
            connection.close()

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as exc:
            raise Refused(400, f'{exc.object!r} is no text: {exc.reason}') from exc
        except sqlite3.OperationalError as exc:
            raise errors.StoreUnreadable(path=str(self.path), reason=self._why(exc)) from exc
        # sqlite3 quotes a damaged schema in its message, and cannot always decode that.
        except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
            if isinstance(exc, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)):
                raise
            raise errors.StoreCorrupt(
                path=str(self.path), reason=f'{exc}. Run "nova-image check-store {self.root}"'
            ) from exc

    def _why(self, exc: sqlite3.OperationalError) -> str:
        text = str(exc)
        if 'disk is full' in text:
            raise Refused(413, f'Image storage media is full: {text} ({self.path})') from exc
        if 'locked' in text or 'busy' in text:
            return f'another process has kept the catalogue locked for {BUSY_SECONDS:.0f} s'
        if 'no such' in text or 'malformed' in text:
            raise errors.StoreCorrupt(
                path=str(self.path), reason=f'{text}. Run "nova-image check-store {self.root}"'
            ) from exc
        return f'{text}; expected a file that can be read and written'


def marks(values: Sequence[Any]) -> str:
    """Placeholders for that many values."""
    return ', '.join('?' * len(values))
