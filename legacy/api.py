# SPDX-License-Identifier: Apache-2.0
"""``nova.image.api``: the API class of 2014.2 to 20, of ``nova.image.glance`` since 21 (contract d.1).

The same methods as ``nova_image.API``, looked up through the old factories at each call (C-278).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from legacy.deprecation import deprecated
from legacy.seams import glance, is_original
from legacy.services import GlanceImageServiceV2
from nova_image import API as ImageAPI
from nova_image import pauses

__all__ = ['API']


class API:
    """Takes no arguments and holds no state (C-277)."""

    @deprecated('nova.image.api.API')
    def __init__(self) -> None:
        pass

    @deprecated('nova.image.api.API._get_session')
    def _get_session(self, _context: Any) -> Any:
        """The service for calls without a reference."""
        if is_original('get_default_image_service'):
            return GlanceImageServiceV2()
        return glance.get_default_image_service()

    @deprecated('nova.image.api.API._get_session_and_image_id')
    def _get_session_and_image_id(self, context: Any, id_or_uri: Any) -> tuple[Any, Any]:
        """The service of a reference, and the image id on it."""
        service, image_id = glance.get_remote_image_service(context, id_or_uri)
        if is_original('get_remote_image_service') and is_original('get_default_image_service'):
            return GlanceImageServiceV2(service._client), image_id
        return service, image_id

    @deprecated('nova.image.api.API.get_all')
    def get_all(self, context: Any, **kwargs: Any) -> Any:
        """Records of all images (C-279); unknown keywords are ignored."""
        return self._get_session(context).detail(context, **kwargs)

    @deprecated('nova.image.api.API.get')
    def get(
        self,
        context: Any,
        id_or_uri: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
    ) -> Any:
        """One record."""
        service, image_id = self._get_session_and_image_id(context, id_or_uri)
        return service.show(
            context, image_id, include_locations=include_locations, show_deleted=show_deleted
        )

    @deprecated('nova.image.api.API.create')
    def create(self, context: Any, image_info: Any, data: Any = None) -> Any:
        """Make an image."""
        return self._get_session(context).create(context, image_info, data=data)

    @deprecated('nova.image.api.API.update')
    def update(
        self,
        context: Any,
        id_or_uri: Any,
        image_info: Any,
        data: Any = None,
        purge_props: bool = False,
    ) -> Any:
        """Change an image; ``purge_props`` is done as told, data or not (C-282)."""
        service, image_id = self._get_session_and_image_id(context, id_or_uri)
        if isinstance(service, GlanceImageServiceV2) and 'update' not in vars(service):
            return service._update(context, image_id, image_info, data, purge_props)
        return service.update(context, image_id, image_info, data=data, purge_props=purge_props)

    @deprecated('nova.image.api.API.delete')
    def delete(self, context: Any, id_or_uri: Any) -> Any:
        """Delete an image."""
        service, image_id = self._get_session_and_image_id(context, id_or_uri)
        return service.delete(context, image_id)

    @deprecated('nova.image.api.API.download')
    def download(
        self,
        context: Any,
        id_or_uri: Any,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
    ) -> Iterator[bytes] | None:
        """Bytes into ``data``, else to ``dest_path``, else as an iterator (C-283)."""
        service, image_id = self._get_session_and_image_id(context, id_or_uri)
        more = {} if trusted_certs is None else {'trusted_certs': trusted_certs}
        chunks: Iterator[bytes] | None = service.download(
            context, image_id, data=data, dst_path=dest_path, **more
        )
        return chunks

    @staticmethod
    @deprecated('nova.image.api.API.generate_image_url')
    def generate_image_url(image_ref: Any, context: Any = None) -> str:
        """``<server>/images/<ref>`` (C-018)."""
        return f'{glance.generate_glance_url(context)}/images/{image_ref}'

    @deprecated('nova.image.api.API.copy_image_to_store')
    def copy_image_to_store(self, context: Any, image_id: Any, store: str) -> None:
        """Copy the bytes to another store; asynchronous (C-284)."""
        with pauses.steady():
            ImageAPI().copy_image_to_store(context, image_id, store)


@deprecated('nova.image.API')
def new_api() -> API:
    """``nova.image.API()``: a new API object (C-277)."""
    return API()
