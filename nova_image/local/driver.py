# SPDX-License-Identifier: Apache-2.0
"""The driver over the embedded store: ``[image] driver = local``, directory ``[image] local_path``.

It behaves as a Glance v2 with default policy does, so that a program cannot tell the two apart. One store
stands for every server that a reference names. Contexts with a token are who they say they are: there is
no identity service to ask.
"""

from __future__ import annotations

import functools
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from nova_image import answers, errors, images, signatures, transfer
from nova_image.driver import ImageDriver
from nova_image.images import ImageChange
from nova_image.local import changes, query, rows, rules
from nova_image.local.contents import Staging
from nova_image.local.refusals import Refused, answering
from nova_image.local.store import Store
from nova_image.references import check_image_id
from nova_image.settings import Settings

_stores: dict[str, Store] = {}
_stores_lock = threading.Lock()


def store_at(path: str | os.PathLike[str]) -> Store:
    """The store in that directory; one object for each directory of a process."""
    real = os.path.abspath(path)
    with _stores_lock:
        if real not in _stores:
            _stores[real] = Store(Path(real))
        return _stores[real]


def _forget_lock() -> None:
    global _stores_lock
    _stores_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


class LocalDriver(ImageDriver):
    """Images in a directory of this host.

    :raises StoreUnreadable: by each operation, when ``[image] local_path`` is not set or cannot be used
    :raises StoreCorrupt: when the catalogue or a content is damaged
    """

    name: ClassVar[str] = 'local'
    verifies_signatures = True

    def list(
        self,
        context: Any,
        *,
        filters: Mapping[str, Any] | None = None,
        marker: Any = None,
        limit: int | None = None,
        page_size: int | None = None,
        sort_key: Any = None,
        sort_dir: Any = None,
        server: str | None = None,
    ) -> list[dict[str, Any]]:
        """As Glance v2 lists: newest first, images of others left out (C-066 to C-078, C-225 to C-236).

        :raises Invalid: a value, an operator, a sort key or a marker that Glance refuses
        """
        images.check_counts(limit, page_size)
        asked = images.list_query(filters)
        who, store = self._who(context), self._store()
        with answering(answers.LISTING), store.reading() as connection:
            most = query.count('limit', limit)
            query.count('page_size', page_size)
            ordering = query.order(sort_key, sort_dir)
            found = query.conditions(asked.params, who, drop_public=asked.drop_public)
            if isinstance(marker, str):  # one that is no text is no marker to the client either (C-225)
                query.after(found, self._marker(connection, who, marker), ordering)
            sql = (
                f'SELECT {query.COLUMNS} FROM images i WHERE {found.sql()} ORDER BY '
                + ', '.join(f'i.{key} {direction}' for key, direction in ordering)
                + f' LIMIT {-1 if most is None else most}'
            )
            listed = connection.execute(sql, found.values).fetchall()
            return [images.record_from_wire(rows.wire(row, store.contents)) for row in listed]

    def _marker(self, connection: Any, who: rules.Identity, image_id: str) -> Any:
        """The image a listing goes on after: absent is a bad request (C-328), another's is forbidden.

        An administrator's listing goes on after an image that was deleted meanwhile.
        """
        if who.is_admin:
            gone = connection.execute('SELECT * FROM gone WHERE id = ?', (image_id,)).fetchone()
            if gone is not None:
                return gone
        try:
            row = rows.find(connection, image_id)
        except Refused as exc:
            raise Refused(400, f'No image found with ID {image_id}, the marker') from exc
        member = rows.is_member(connection, image_id, who.owner)
        if not rules.is_visible(who, row, member):
            raise Refused(403, f'Image {image_id}, the marker, is not visible')
        return row

    def show(
        self,
        context: Any,
        image_id: str,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """One record (C-091 to C-097); deleted images are not there (D-18)."""
        return images.record_from_wire(self._wire(context, image_id), include_locations)

    def _wire(self, context: Any, image_id: Any) -> dict[str, Any]:
        wanted = check_image_id(image_id)
        who, store = self._who(context), self._store()
        with answering(answers.IMAGE, image_id), store.reading() as connection:
            return rows.wire(self._visible(connection, who, wanted), store.contents)

    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None
    ) -> dict[str, Any]:
        """Make an image; with ``data``, or an empty active one for ``size`` 0 (C-158 to C-163, C-255)."""
        change = images.outgoing(image_info, context)
        fields = dict(change.fields)
        if type(change.size) is int and change.size == 0 and data is None:
            fields, data = images.forced(fields), b''
        who, store = self._who(context), self._store()
        upload = None if data is None else transfer.upload(data)
        with answering(answers.PLAIN):
            image_id, staging = self._insert(who, store, fields, change, upload is not None)
            if upload is not None and staging is not None:
                try:
                    self._fill(store, image_id, staging, upload)
                except BaseException:
                    store.abandon_upload(image_id, staging, remove=True)
                    raise
            with store.reading() as connection:
                record = images.record_from_wire(rows.wire(rows.find(connection, image_id), store.contents))
        if upload is not None:
            transfer.check_upload(upload, record)
        return record

    def _insert(
        self, who: rules.Identity, store: Store, fields: dict[str, Any], change: ImageChange, upload: bool
    ) -> tuple[str, Staging | None]:
        """The row of a new image, which is being saved already if there is data for it."""
        changes.check_new(who, fields, change)
        image_id = fields.pop('id', None) or str(uuid.uuid4())
        with store.writing() as connection:
            rows.insert(connection, image_id, fields, change.properties)
            if change.member:
                rows.add_member(connection, rows.find(connection, image_id), change.member)
            if not upload:
                return image_id, None
            try:
                return image_id, store.start_upload(connection, rows.find(connection, image_id))
            except Refused as exc:  # as with Glance: it was made first, and its id is used up
                rows.remove(connection, image_id)
                refused = exc
        raise refused

    def _fill(self, store: Store, image_id: str, staging: Staging, upload: transfer.Upload) -> None:
        """Store the bytes of an upload that :meth:`Store.start_upload` began."""
        upload.image_id = image_id
        md5 = staging.receive(upload)
        sha512 = upload.digest('sha512')
        assert sha512 is not None, 'an upload hashes what it hands out'
        store.finish_upload(image_id, staging, sha512, md5)

    def update(
        self,
        context: Any,
        image_id: str,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """Metadata first, all of it or none; then the data, for a queued image (C-174 to C-183, C-264)."""
        wanted = check_image_id(image_id)
        change = images.outgoing(image_info, context, creating=False)
        upload = None if data is None else transfer.upload(data, image_id)
        who, store = self._who(context), self._store()
        with answering(answers.IMAGE, image_id):
            changes.check_requests(change)
            with store.writing() as connection:
                current = rows.wire(self._visible(connection, who, wanted), store.contents)
                patch = images.json_patch(current, change, purge_props)
                changes.apply(connection, who, current, patch)
            if upload is not None:
                self._upload(who, store, wanted, upload)
        record = self.show(context, image_id)
        if upload is not None:
            transfer.check_upload(upload, record)
        return record

    def _upload(self, who: rules.Identity, store: Store, image_id: str, upload: transfer.Upload) -> None:
        with store.writing() as connection:
            row = self._visible(connection, who, image_id)
            rules.check_may_change(who, row)
            staging = store.start_upload(connection, row)
        try:
            self._fill(store, image_id, staging, upload)
        except BaseException:
            store.abandon_upload(image_id, staging)
            raise

    def delete(self, context: Any, image_id: str, *, server: str | None = None) -> bool:
        """Delete, and return True; its bytes go when no other image has the same (C-184, C-185)."""
        wanted = check_image_id(image_id)
        who, store = self._who(context), self._store()

        def check(connection: Any) -> None:
            row = self._visible(connection, who, wanted)
            rules.check_may_change(who, row)
            if row['protected']:
                raise Refused(403, f'Image {wanted} is protected and cannot be deleted.')

        with answering(answers.DELETE, image_id):
            store.delete(wanted, check)
        return True

    def download(
        self,
        context: Any,
        image_id: str,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
        *,
        server: str | None = None,
    ) -> Iterator[bytes] | None:
        """Bytes, checked against the catalogue's size and hash (C-126 to C-137, D-8).

        :raises ImageHasNoData: nothing was uploaded; ImageNotAuthorized: deactivated
        :raises StoreCorrupt: the content file is missing or has another length
        :raises ImageCorrupt: it has the right length and the wrong bytes
        """
        wanted = check_image_id(image_id)
        who, store = self._who(context), self._store()
        with answering(answers.IMAGE, image_id), store.reading() as connection:
            row = self._visible(connection, who, wanted)
            if row['status'] == 'deactivated' and not who.is_admin:
                raise Refused(403, 'The requested image has been deactivated.')
            content = rows.content(row)
            record = rows.wire(row, store.contents)
            expected = transfer.Expected.from_record(record)
        settings = Settings(self.conf)
        check = signatures.check_for(context, image_id, lambda: record, settings, trusted_certs)
        if content is None:
            raise errors.ImageHasNoData(image_id=image_id, reason='Image has no associated data')
        opener = functools.partial(store.contents.body, content, wanted)
        return transfer.deliver(
            opener,
            expected,
            settings=settings,
            data=data,
            dest_path=dest_path,
            try_again=False,  # a file does not get better by being read again
            signature=check,
        )

    def copy_to_store(self, context: Any, image_id: str, store: str, *, server: str | None = None) -> None:
        """Refused as by a Glance with one store: the bytes are there already, or the store is not (C-306)."""
        row = self._wire(context, image_id)
        who = self._who(context)
        with answering(answers.IMPORT, image_id):
            if row['status'] != 'active':
                raise Refused(409, 'Only images with status active can be targeted for copying')
            if not who.is_admin:
                raise Refused(403, 'You are not authorized to copy images between stores')
            if store != rows.STORE:
                raise Refused(409, f'The selected store {store!r} is not available; there is {rows.STORE!r} only')
            raise Refused(400, f'Image is already present at store {store!r}')

    def set_active(self, context: Any, image_id: str, active: bool) -> None:
        """Deactivate an image, or activate it again, as an administrator does with Glance (C-136)."""
        wanted = check_image_id(image_id)
        who, store = self._who(context), self._store()
        with answering(answers.IMAGE, image_id), store.writing() as connection:
            row = self._visible(connection, who, wanted)
            if not who.is_admin:
                raise Refused(403, 'You are not authorized to change the status of an image')
            if row['status'] not in ('active', 'deactivated'):
                raise Refused(403, f'Not allowed for an image in status {row["status"]!r}')
            rows.change(connection, wanted, status='active' if active else 'deactivated')

    def share(self, context: Any, image_id: str, project: str, status: str = 'accepted') -> None:
        """Share an image of visibility ``shared`` with a project, or set the status of that."""
        wanted = check_image_id(image_id)
        who, store = self._who(context), self._store()
        with answering(answers.IMAGE, image_id), store.writing() as connection:
            row = self._visible(connection, who, wanted)
            rules.check_may_change(who, row)
            rows.add_member(connection, row, project, status)

    def glance_url(self, context: Any = None) -> str:
        """The configured URL of an image service, as a Glance there would say (C-014, C-322)."""
        settings = Settings(self.conf)
        if self.endpoint:
            return self.endpoint.rstrip('/')
        return settings.api_servers[0] if settings.api_servers else settings.host_url

    def close(self) -> None:
        """Close the catalogue in this process; any later operation opens it again."""
        path = Settings(self.conf).local_path
        if path and os.path.abspath(path) in _stores:
            store_at(path).close()

    def _who(self, context: Any) -> rules.Identity:
        return rules.identity(context, Settings(self.conf).auth_strategy)

    def _store(self) -> Store:
        path = Settings(self.conf).local_path
        if not path:
            raise errors.StoreUnreadable(
                path='(none)', reason='[image] local_path is not set; expected the directory of the local store'
            )
        return store_at(path)

    @staticmethod
    def _visible(connection: Any, who: rules.Identity, image_id: str) -> Any:
        row = rows.find(connection, image_id)
        if not rules.is_visible(who, row, rows.is_member(connection, image_id, who.owner)):
            raise Refused(404, f'No image found with ID {image_id}')
        return row
