# SPDX-License-Identifier: Apache-2.0
"""``GlanceImageService`` and its v2 successor: names, signatures, and what each adds to the new call.

Each method is one call on ``nova_image.API`` (``service.py``). What an old class adds stands in
``names.py`` under ``bridges``, and here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from legacy.deprecation import deprecated
from legacy.inside_v2 import InsideV2
from legacy.seams import glance
from legacy.service import Service, none_as_text
from nova_image import errors, images
from nova_image.api import has_data

__all__ = ['GlanceImageService', 'GlanceImageServiceV2']


class GlanceImageService(Service):
    """The image service of 2012.2 to 15, with exactly the 16 keys of its records (D-2)."""

    _driver = 'V1ClientDriver'

    @deprecated('GlanceImageService')
    def __init__(self, client: Any = None) -> None:
        self._start(client)

    @deprecated('GlanceImageService.detail')
    def detail(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """Records of all images; unknown keywords are ignored (C-066), unknown filters too, with a warning (D-16)."""
        return self._detail(context, kwargs)

    @deprecated('GlanceImageService.show')
    def show(
        self,
        context: Any,
        image_id: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
    ) -> dict[str, Any]:
        """One record. :raises ImageNotFound: absent, or not to be shown to the context (C-091 to C-097)"""
        return self._show(context, image_id, include_locations, show_deleted)

    @deprecated('GlanceImageService.create')
    def create(self, context: Any, image_meta: Any, data: Any = None) -> dict[str, Any]:
        """Make an image. :raises TypeError: an unknown top-level key (C-158 to C-161)"""
        return self._create(context, image_meta, data)

    @deprecated('GlanceImageService.update')
    def update(
        self,
        context: Any,
        image_id: Any,
        image_meta: Any,
        data: Any = None,
        purge_props: Any = True,
    ) -> dict[str, Any]:
        """Change an image; properties that are not named go, except when data is sent (C-173 to C-179)."""
        if self._old_driver() is None:
            purge_props = bool(purge_props) and not has_data(data)
        return self._update(context, image_id, image_meta, data, purge_props)

    @deprecated('GlanceImageService.delete')
    def delete(self, context: Any, image_id: Any) -> bool:
        """Delete, and return True (C-184)."""
        return self._delete(context, image_id)

    @deprecated('GlanceImageService.download')
    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dst_path: Any = None,
        trusted_certs: Any = None,
    ) -> Iterator[bytes] | None:
        """Bytes into ``data``, else to ``dst_path``, else as an iterator (C-126 to C-143)."""
        return self._download(context, image_id, data, dst_path, trusted_certs)

    @deprecated('GlanceImageService.index')
    def index(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """``id`` and ``name`` of all images (C-010)."""
        return [
            {'id': record['id'], 'name': record['name']}
            for record in self.detail(context, **kwargs)
        ]

    @deprecated('GlanceImageService.show_by_name')
    def show_by_name(self, context: Any, name: str) -> dict[str, Any]:
        """The first image of that name. :raises ImageNotFound: with the name as id (C-010)"""
        for record in self.detail(context, filters={'name': name}):
            if record['name'] == name:
                return record
        raise errors.ImageNotFound(image_id=name)

    @deprecated('GlanceImageService.get')
    def get(self, context: Any, image_id: Any, data: Any) -> dict[str, Any]:
        """Write the bytes to ``data`` and return the record (C-010)."""
        record = self.show(context, image_id)
        self.download(context, image_id, data)
        return record

    @deprecated('GlanceImageService.delete_all')
    def delete_all(self) -> None:
        """Nothing, as in every release that had it (C-010)."""

    @deprecated('GlanceImageService.get_location')
    def get_location(self, context: Any, image_id: Any) -> str | None:
        """The direct URL, or None where the server shows none (C-122)."""
        driver = self._old_driver()
        if driver is not None:
            return driver.direct_url(context, image_id)
        api, ref, _old = self._for_image(image_id)
        url: str | None = api.get(context, ref, include_locations=True).get('direct_url')
        return url

    @deprecated('GlanceImageService.get_locations')
    def get_locations(self, context: Any, image_id: Any) -> list[dict[str, Any]]:
        """The name that ``_get_locations`` had for one milestone."""
        return self._get_locations(context, image_id)

    @deprecated('GlanceImageService._get_locations')
    def _get_locations(self, context: Any, image_id: Any) -> list[dict[str, Any]]:
        """A fresh list of locations, the direct URL at the end (C-123 to C-125)."""
        return self._locations(context, image_id)

    @deprecated('GlanceImageService._get_transfer_module')
    def _get_transfer_module(self, scheme: str) -> Any:
        """The handler of a scheme, or None."""
        return self._direct.handler(scheme)

    def _filters(self, filters: Any) -> Any:
        from legacy.filters import known_only

        return known_only(filters)

    def _in(self, method: str, image_meta: Any) -> Any:
        if isinstance(image_meta, Mapping):
            _refuse_unknown(method, image_meta)
        return none_as_text(image_meta)

    def _out(self, record: dict[str, Any], include_locations: bool = False) -> dict[str, Any]:
        keys = (
            (*images.STANDARD_KEYS, 'locations', 'direct_url')
            if include_locations
            else images.STANDARD_KEYS
        )
        return {key: record[key] for key in keys if key in record}

    @staticmethod
    @deprecated('GlanceImageService._extract_query_params')
    def _extract_query_params(params: Any) -> dict[str, Any]:
        """The module function of the same name, a method until 2013.2."""
        asked: dict[str, Any] = glance._extract_query_params(params)
        return asked

    @staticmethod
    @deprecated('GlanceImageService._is_image_available')
    def _is_image_available(context: Any, image: Any) -> bool:
        """The module function of the same name, a method until 2013.2."""
        return bool(glance._is_image_available(context, image))

    @staticmethod
    @deprecated('GlanceImageService._translate_to_glance')
    def _translate_to_glance(image_meta: Any) -> dict[str, Any]:
        """The module function of the same name, a method until 2013.2."""
        sent: dict[str, Any] = glance._translate_to_glance(image_meta)
        return sent

    @staticmethod
    @deprecated('GlanceImageService._translate_from_glance')
    def _translate_from_glance(image: Any) -> dict[str, Any]:
        """The module function of the same name, a method until 2013.2."""
        record: dict[str, Any] = glance._translate_from_glance(image)
        return record


def _refuse_unknown(method: str, image_meta: Mapping[str, Any]) -> None:
    """v1's keywords, and what a record may carry beside them, so that it can be handed back (C-247, C-312)."""
    from legacy.v1 import ACCEPTED

    known = ACCEPTED.union(images.STANDARD_KEYS, images.EXTRA_KEYS, ('locations', 'direct_url'))
    for name in image_meta:
        if name not in known:
            raise TypeError(f'{method}() got an unexpected keyword argument {name!r}')


class GlanceImageServiceV2(InsideV2, Service):
    """The image service of 14 and later: all of Glance's fields, v2's rules, the old defaults."""

    _driver = 'V2ClientDriver'

    @deprecated('GlanceImageServiceV2')
    def __init__(self, client: Any = None) -> None:
        self._start(client)

    @deprecated('GlanceImageServiceV2.detail')
    def detail(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """Records of all images; unknown keywords are ignored (C-066)."""
        return self._detail(context, kwargs)

    @deprecated('GlanceImageServiceV2.show')
    def show(
        self,
        context: Any,
        image_id: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
    ) -> dict[str, Any]:
        """One record. :raises ImageNotFound: absent, or not to be shown to the context (C-091 to C-097)"""
        return self._show(context, image_id, include_locations, show_deleted)

    @deprecated('GlanceImageServiceV2.create')
    def create(self, context: Any, image_meta: Any, data: Any = None) -> dict[str, Any]:
        """Make an image (C-252 to C-260)."""
        return self._create(context, image_meta, data)

    @deprecated('GlanceImageServiceV2.update')
    def update(
        self,
        context: Any,
        image_id: Any,
        image_meta: Any,
        data: Any = None,
        purge_props: Any = True,
    ) -> dict[str, Any]:
        """Change an image; properties that are not named go, except when data is sent (D-3)."""
        purge = bool(purge_props) and not has_data(data)
        return self._update(context, image_id, image_meta, data, purge)

    @deprecated('GlanceImageServiceV2.delete')
    def delete(self, context: Any, image_id: Any) -> bool:
        """Delete, and return True (C-184)."""
        return self._delete(context, image_id)

    @deprecated('GlanceImageServiceV2.download')
    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dst_path: Any = None,
        trusted_certs: Any = None,
    ) -> Iterator[bytes] | None:
        """Bytes into ``data``, else to ``dst_path``, else as an iterator (C-126 to C-143)."""
        return self._download(context, image_id, data, dst_path, trusted_certs)

    @deprecated('GlanceImageServiceV2.image_import_copy')
    def image_import_copy(self, context: Any, image_id: Any, stores: list[str]) -> None:
        """Copy the bytes to each of the stores; asynchronous (C-306)."""
        api, ref, _old = self._for_image(image_id)
        for store in stores:
            api.copy_image_to_store(context, ref, store)

    @deprecated('GlanceImageServiceV2._get_transfer_module')
    def _get_transfer_module(self, scheme: str) -> Any:
        """The handler of a scheme, or None."""
        return self._direct.handler(scheme)

    @deprecated('GlanceImageServiceV2._get_transfer_method')
    def _get_transfer_method(self, scheme: str) -> Any:
        """The ``download`` of a scheme's handler, or None; the name of 22."""
        return getattr(self._direct.handler(scheme), 'download', None)
