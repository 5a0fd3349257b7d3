# SPDX-License-Identifier: Apache-2.0
"""The Glance driver: what each image operation is on image service v2 (contract section c).

Decides which requests an operation makes and what happens when one of them fails; how a request is
made, repeated and translated is its neighbours' business.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from nova_image import answers, direct, errors, images, signatures, transfer
from nova_image.driver import ImageDriver
from nova_image.glance import listing, session, translate
from nova_image.glance.body import Opening
from nova_image.glance.creation import Creation
from nova_image.glance.servers import Servers
from nova_image.glance.wire import JSON, Wire, image_path
from nova_image.images import ImageChange
from nova_image.settings import Settings, current

LOG = logging.getLogger(__name__)


class GlanceDriver(ImageDriver):
    """Image service v2. Safe between threads; after a fork the child opens its own connections."""

    name = 'glance'
    verifies_signatures = True
    is_replayable = True

    def __init__(self, conf: Any = None, *, endpoint: str | None = None) -> None:
        super().__init__(conf, endpoint=endpoint)
        self._servers = Servers(endpoint)

    def _wire(self, context: Any, server: str | None = None) -> tuple[Wire, Settings]:
        """The requests of one operation, as ``context``."""
        settings = current(self.conf)
        http = session.session_for(settings)
        auth = session.auth_for(context, settings, self.conf)
        choice = self._servers.choose(context, settings, auth, http, server)
        return Wire(context, settings, choice, http), settings

    @translate.plain_errors(answers.LISTING)
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
        """See :meth:`ImageDriver.list`; ``ceil(n / page_size)`` requests and one more after a full last page."""
        images.check_counts(limit, page_size)
        query = images.list_query(filters)
        wire, settings = self._wire(context, server)
        asked = listing.Asked(query, marker, limit, page_size or settings.page_size, sort_key, sort_dir)
        return listing.records(wire, asked)

    @translate.image_errors(answers.IMAGE)
    def show(
        self,
        context: Any,
        image_id: str,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """See :meth:`ImageDriver.show`; one request. Deleted images are not there on v2 (D-18)."""
        wire, _settings = self._wire(context, server)
        return images.record_from_wire(wire.get(image_path(image_id)), include_locations)

    @translate.plain_errors(answers.PLAIN)
    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None
    ) -> dict[str, Any]:
        """See :meth:`ImageDriver.create`; with data three requests, the last of which verifies (D-9)."""
        change = images.outgoing(image_info, context, creating=True)
        body = None if data is None else transfer.upload(data)
        fields = {**change.fields, **change.properties}
        if body is None and _asks_for_nothing(change):
            fields, body = images.forced(fields), transfer.upload(b'')
        wire, _settings = self._wire(context, server)
        made = Creation(wire, fields).make()
        if not isinstance(made, dict) or not made.get('id'):
            raise errors.ImageServiceError(status='a create', reason=f'no image came back, but {made!r}')
        with _or_delete(wire, made['id']):
            made = self._complete(wire, made, change, body)
        return images.record_from_wire(made)

    def _complete(
        self, wire: Wire, made: JSON, change: ImageChange, body: transfer.Upload | None
    ) -> JSON:
        """What makes the bare record of a create the image that was asked for."""
        image_id = str(made['id'])
        if change.location:
            made = _add_location(wire, made, change.location)
        if change.member:
            wire.post(image_path(image_id, 'members'), {'member': change.member}, 'create')
        if body is not None:
            made = _upload(wire, image_id, body, change.store)
        elif change.copy_from:
            made = _copy_from(wire, image_id, change)
        return made

    @translate.image_errors(answers.IMAGE)
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
        """See :meth:`ImageDriver.update`; two requests, with data four. The patch is one, all or nothing."""
        change = images.outgoing(image_info, context, creating=False)
        body = None if data is None else transfer.upload(data, image_id)
        wire, _settings = self._wire(context, server)
        path = image_path(image_id)
        current = wire.get(path, 'get' if purge_props else 'update')
        changed = wire.patch(path, images.json_patch(current, change, purge_props))
        if change.location:
            changed = _add_location(wire, changed, change.location)
        if body is not None:
            with _or_deactivate(wire, image_id):
                changed = _upload(wire, image_id, body, change.store)
        elif change.copy_from:
            try:
                changed = _copy_from(wire, image_id, change)
            except errors.Invalid as refusal:
                raise errors.ImageBadRequest(image_id=image_id, response=str(refusal)) from refusal
        return images.record_from_wire(changed)

    @translate.image_errors(answers.DELETE)
    def delete(self, context: Any, image_id: str, *, server: str | None = None) -> bool:
        """See :meth:`ImageDriver.delete`; one request."""
        wire, _settings = self._wire(context, server)
        wire.delete(image_path(image_id))
        return True

    @translate.image_errors(answers.IMAGE)
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
        """See :meth:`ImageDriver.download`; two requests, the first for what to check the bytes against.

        To a path, it is the only one where ``[glance] allowed_direct_url_schemes`` has a scheme of one of the
        image's locations, and the bytes can be had there (C-138 to C-140).
        """
        wire, settings = self._wire(context, server)
        record = wire.get(image_path(image_id), 'data')
        expected = transfer.Expected.from_record(record)
        check = signatures.check_for(context, image_id, lambda: record, settings, trusted_certs)
        to_path = dest_path is not None and data is None
        if to_path and direct.fetch(context, record, dest_path, settings=settings, signature=check):
            return None
        opener = Opening(wire, image_id, expected.size)
        return transfer.deliver(
            opener, expected, settings=settings, data=data, dest_path=dest_path, logger=LOG, signature=check
        )

    @translate.image_errors(answers.IMPORT)
    def copy_to_store(self, context: Any, image_id: str, store: str, *, server: str | None = None) -> None:
        """See :meth:`ImageDriver.copy_to_store`: import method ``copy-image`` (C-306)."""
        wire, _settings = self._wire(context, server)
        wire.post(
            image_path(image_id, 'import'),
            {'method': {'name': 'copy-image'}, 'stores': [store], 'all_stores_must_succeed': False},
            'image_import',
        )

    @translate.plain_errors(answers.PLAIN)
    def glance_url(self, context: Any = None) -> str:
        """See :meth:`ImageDriver.glance_url` (C-014, C-322).

        Without a context: host, port and protocol if any of them is set or nothing else is; otherwise the
        first configured server, else the catalogue's. Never by chance.
        """
        settings = current(self.conf)
        nobody = context is None and self.endpoint is None
        if nobody and (settings.is_host_set or not settings.api_servers):
            return settings.host_url
        http = session.session_for(settings)
        auth = session.auth_for(context, settings, self.conf)
        return self._servers.first(context, settings, auth, http)

    def close(self) -> None:
        """Close idle connections and forget service tokens; the next call begins anew."""
        session.close_all()


def _asks_for_nothing(change: ImageChange) -> bool:
    """``size`` is the number 0, and no other source of data is named: an active image of no bytes (C-255)."""
    return type(change.size) is int and change.size == 0 and not (change.location or change.copy_from)


def _upload(wire: Wire, image_id: str, body: transfer.Upload, store: str | None) -> JSON:
    body.image_id = image_id
    wire.upload(image_path(image_id, 'file'), body, store)
    stored = wire.get(image_path(image_id))
    transfer.check_upload(body, stored)
    return stored


def _add_location(wire: Wire, image: JSON, url: str) -> JSON:
    """Register ``url``: by the call of API 2.17, on older servers by a patch (C-257).

    The answer is the image as it was before, since the newer call works in the background.
    """
    image_id = str(image['id'])
    try:
        wire.post(image_path(image_id, 'locations'), {'url': url, 'validation_data': {}}, 'add_image_location')
    except Exception as exc:
        if getattr(exc, 'status', None) not in (404, 405, 501):
            raise
        operation = {'op': 'add', 'path': '/locations/-', 'value': {'url': url, 'metadata': {}}}
        return wire.patch(image_path(image_id), [operation], 'add_location')
    return image


def _copy_from(wire: Wire, image_id: str, change: ImageChange) -> JSON:
    """Let the service fetch the URL in the background, as v1 did (C-316)."""
    request: JSON = {'method': {'name': 'web-download', 'uri': change.copy_from}}
    if change.store:
        request['stores'] = [change.store]
    try:
        wire.post(image_path(image_id, 'import'), request, 'image_import')
    except Exception as exc:
        if getattr(exc, 'status', None) not in (400, 404, 405, 409):
            raise
        raise errors.Invalid(
            f'copy_from cannot be done: this server refuses the import method web-download ({exc})'
        ) from exc
    return wire.get(image_path(image_id))


@contextlib.contextmanager
def _or_delete(wire: Wire, image_id: str) -> Iterator[None]:
    """An image that was made in this call goes again when the call fails (C-253)."""
    try:
        yield
    except BaseException:
        try:
            _delete_even_protected(wire, image_path(image_id))
        except Exception:
            LOG.exception('Image %s was made by a create that failed and could not be deleted', image_id)
        raise


@contextlib.contextmanager
def _or_deactivate(wire: Wire, image_id: str) -> Iterator[None]:
    """What an update stored wrong cannot be taken back, but nobody is to be served it (D-9)."""
    try:
        yield
    except errors.ImageUploadIncomplete:
        path = image_path(image_id)
        try:
            if wire.get(path).get('status') == 'active':
                wire.act(path, 'deactivate')
        except Exception:
            LOG.exception('Image %s holds wrong bytes, is active and could not be deactivated', image_id)
        raise


def _delete_even_protected(wire: Wire, path: str) -> None:
    """An image is protected from its first moment when it is created so."""
    try:
        wire.delete(path)
    except Exception as exc:
        if getattr(exc, 'status', None) != 403:
            raise
        wire.patch(path, [{'op': 'replace', 'path': '/protected', 'value': False}])
        wire.delete(path)
