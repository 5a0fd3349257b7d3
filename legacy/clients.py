# SPDX-License-Identifier: Apache-2.0
"""The drivers over old-style clients: an injected one, or any while a seam is replaced (D-15).

They stand under ``nova_image.API`` like any driver, speak to the client in the convention of the old class
(C-311), go through the module's names at each step (C-004), and make no call that the old code did not make.
"""

from __future__ import annotations

import abc
import builtins
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from legacy.faults import _translated
from legacy.log import LOG
from legacy.seams import AS_TOLD, glance
from legacy.urls import settings
from nova_image import errors, signatures
from nova_image.api import has_data
from nova_image.driver import ImageDriver
from nova_image.images import RESERVED_PREFIX

__all__ = ['OldClientDriver', 'V1ClientDriver', 'V2ClientDriver']


@contextlib.contextmanager
def _image_errors(image_id: Any) -> Iterator[None]:
    """Errors of the client by the image table, through the module's name for it."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, it is raised again
        glance._reraise_translated_image_exception(image_id)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Errors of the client by the plain table."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, it is raised again
        glance._reraise_translated_exception()


class OldClientDriver(ImageDriver):
    """What both generations of clients have in common.

    :param client: object with the ``call`` of ``GlanceClientWrapper``
    :param image_id: the id as the caller gave it, which is what the client gets; default: the API's text of it
    :param purge_props: the flag as the caller gave it; the v1 server made its own rule of it (C-177)
    """

    name: ClassVar[str] = 'old client'
    verifies_signatures = True
    version: ClassVar[int]

    def __init__(self, client: Any, image_id: Any = None, purge_props: Any = AS_TOLD) -> None:
        super().__init__()
        self.client = client
        self.image_id = image_id
        self.purge_props = purge_props

    def _as_given(self, image_id: Any) -> Any:
        return image_id if self.image_id is None else self.image_id

    @abc.abstractmethod
    def call(self, context: Any, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """One call of the client, in the convention of the old class."""

    def is_available(self, context: Any, record: Mapping[str, Any]) -> bool:
        """Always: the rule was applied to the client's own object already."""
        return True

    def list(self, context: Any, **asked: Any) -> builtins.list[dict[str, Any]]:
        """``detail``: the client's list, translated (C-066 to C-078)."""
        params = self.query(asked)
        try:
            found = list(self.call(context, 'list', **params))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again
            self._reraise_listing(error)
        return [
            glance._translate_from_glance(image)
            for image in found
            if glance._is_image_available(context, image)
        ]

    @abc.abstractmethod
    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The keywords of the client's ``list``."""

    def _reraise_listing(self, error: Exception) -> None:
        """The plain table's error, which is the client's too (C-310)."""
        try:
            glance._reraise_translated_exception()
        except errors.NovaException as ours:
            if ours is error or isinstance(ours, type(error)):
                raise
            both = errors.joined(type(ours), type(error))(str(ours))
            raise both.with_traceback(error.__traceback__) from error

    def show(
        self,
        context: Any,
        image_id: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """One image (C-091 to C-097)."""
        image_id = self._as_given(image_id)
        with _image_errors(image_id):
            image = self.get(context, image_id, include_locations)
        if not show_deleted and getattr(image, 'deleted', False):
            raise errors.ImageNotFound(image_id=image_id)
        if not glance._is_image_available(context, image):
            raise errors.ImageNotFound(image_id=image_id)
        record: dict[str, Any] = (
            glance._translate_from_glance(image, include_locations=True)
            if include_locations
            else glance._translate_from_glance(image)
        )
        return record

    def get(self, context: Any, image_id: Any, include_locations: bool) -> Any:
        """The client's object of one image."""
        return self.call(context, 'get', image_id)

    def delete(self, context: Any, image_id: Any, *, server: str | None = None) -> bool:
        """Only 403, 404 and 409 are translated (C-184, C-185)."""
        image_id = self._as_given(image_id)
        try:
            self.call(context, 'delete', image_id)
        except Exception as error:
            ours = _translated(error, 'DELETE', image_id)
            if ours is error:
                raise
            raise ours from error
        return True

    def locations(self, context: Any, image_id: Any) -> builtins.list[dict[str, Any]]:
        """Locations, the direct URL at the end; asked of the service's own client (C-123 to C-125)."""
        image = self._shown_model(context, image_id)
        found = list(getattr(image, 'locations', None) or ())
        direct_url = getattr(image, 'direct_url', None)
        if direct_url:
            found.append({'url': direct_url, 'metadata': {}})
        return found

    def direct_url(self, context: Any, image_id: Any) -> str | None:
        """The direct URL alone (C-122)."""
        return getattr(self._shown_model(context, image_id), 'direct_url', None)

    def _shown_model(self, context: Any, image_id: Any) -> Any:
        with _image_errors(image_id):
            image = self.client.call(context, 2, 'get', image_id)
        if not glance._is_image_available(context, image):
            raise errors.ImageNotFound(image_id=image_id)
        return image

    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
        *,
        server: str | None = None,
    ) -> Iterator[bytes] | None:
        """Bytes of the client's ``data`` (C-126 to C-136). The client checks them; nothing more is known here.

        Without a target the client's own iterator is handed out, unless a signature is to be verified (C-146).
        """
        check = signatures.check_for(
            context, image_id, lambda: self.show(context, image_id), settings(), trusted_certs
        )
        image_id = self._as_given(image_id)
        with _image_errors(image_id):
            chunks = self.call(context, 'data', image_id)
        if getattr(chunks, 'wrapped', chunks) is None:  # glanceclient wraps what it gives, even None
            raise errors.ImageHasNoData(image_id=image_id, reason='Image has no associated data')
        if check is None and data is None and not dest_path:
            body: Iterator[bytes] = chunks
            return body
        from nova_image import transfer

        return transfer.deliver(
            lambda offset: transfer.ChunksBody(chunks),
            None,
            settings=settings(),
            data=data,
            dest_path=dest_path,
            logger=LOG,
            try_again=False,
            signature=check,
        )


class V1ClientDriver(OldClientDriver):
    """``call(context, 1, method, *args, **kwargs)``, for ``GlanceImageService``."""

    version = 1

    def call(self, context: Any, method: str, /, *args: Any, **kwargs: Any) -> Any:
        return self.client.call(context, 1, method, *args, **kwargs)

    def get(self, context: Any, image_id: Any, include_locations: bool) -> Any:
        if include_locations:
            return self.client.call(context, 2, 'get', image_id)
        return super().get(context, image_id, include_locations)

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = glance._extract_query_params(asked)
        return params

    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None
    ) -> dict[str, Any]:
        """One call; errors by the plain table (C-158 to C-161)."""
        sent = glance._translate_to_glance(image_info)
        if has_data(data):
            sent['data'] = data
        with _plain_errors():
            image = self.call(context, 'create', **sent)
        record: dict[str, Any] = glance._translate_from_glance(image)
        return record

    def update(
        self,
        context: Any,
        image_id: Any,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """One call; the flag goes out as it came, the server knows what to do with it (C-173 to C-179)."""
        image_id = self._as_given(image_id)
        sent = glance._translate_to_glance(image_info)
        sent.pop('id', None)
        sent['purge_props'] = purge_props if self.purge_props is AS_TOLD else self.purge_props
        if has_data(data):
            sent['data'] = data
        with _image_errors(image_id):
            image = self.call(context, 'update', image_id, **sent)
        record: dict[str, Any] = glance._translate_from_glance(image)
        return record


class V2ClientDriver(OldClientDriver):
    """``call(context, 2, method, args=..., kwargs=...)``, for ``GlanceImageServiceV2`` and ``API``."""

    version = 2

    def call(self, context: Any, method: str, /, *args: Any, **kwargs: Any) -> Any:
        given: dict[str, Any] = {}
        if args:
            given['args'] = args
        if kwargs:
            given['kwargs'] = kwargs
        return self.client.call(context, 2, method, **given)

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = glance._extract_query_params_v2(asked)
        return params

    def locations(self, context: Any, image_id: Any) -> builtins.list[dict[str, Any]]:
        found: builtins.list[dict[str, Any]] = self.show(context, image_id, include_locations=True)[
            'locations'
        ]
        return found

    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None
    ) -> dict[str, Any]:
        """Record, location, member, bytes, one call each (C-252 to C-260)."""
        info = dict(image_info)
        activate = info.get('size') == 0 and data is None
        if activate:
            info.setdefault('container_format', 'bare')
            info.setdefault('disk_format', 'raw')  # what today's content inspection lets be empty (C-256)
            data = ''
        properties = info.get('properties')
        member = properties.pop('instance_owner', None) if properties else None
        sent = glance._convert_to_v2(glance._translate_to_glance(info))
        location = sent.pop('location', None)
        with _plain_errors():
            image = self.call(context, 'create', **sent)
            image_id = image['id']
            if location:
                image = self._located(context, image_id, location)
            if member:
                self.client.call(
                    context, 2, 'create', controller='image_members', args=(image_id, member)
                )
            if data is not None:
                image = self._uploaded(context, image_id, data)
        record: dict[str, Any] = glance._translate_from_glance(image)
        return record

    def _located(self, context: Any, image_id: Any, location: str) -> Any:
        """A refused location is the location's fault, not the image's (C-257)."""
        try:
            return self.call(context, 'add_location', image_id, location, {})
        except Exception as error:
            if getattr(error, 'code', None) == 400:
                glance._reraise_translated_exception()
            raise

    def _uploaded(self, context: Any, image_id: Any, data: Any) -> Any:
        self.call(context, 'upload', image_id, data)
        return self.call(context, 'get', image_id)

    def update(
        self,
        context: Any,
        image_id: Any,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """Metadata, location, bytes, one call each (C-261 to C-267)."""
        image_id = self._as_given(image_id)
        sent = glance._convert_to_v2(glance._translate_to_glance(image_info))
        sent.pop('id', None)
        location = sent.pop('location', None)
        sent['image_id'] = image_id
        with _image_errors(image_id):
            if purge_props:
                current = self.show(context, image_id)['properties']
                sent['remove_props'] = [
                    name
                    for name in current
                    if name not in sent and not name.startswith(RESERVED_PREFIX)
                ]
            image = self.call(context, 'update', **sent)
            if location:
                image = self._located(context, image_id, location)
            if data is not None:
                image = self._uploaded(context, image_id, data)
        record: dict[str, Any] = glance._translate_from_glance(image)
        return record
