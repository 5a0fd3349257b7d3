# SPDX-License-Identifier: Apache-2.0
"""The work behind both old service classes: which API serves a call, with which reference and context.

Over the configured driver, or over the old-style client where one was put in or a seam is replaced
(D-15). Speaks no old name; what the classes are called and what they accept is in ``services.py``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from legacy.log import LOG
from legacy.seams import AS_TOLD, glance, replaced
from legacy.translation import LIST_PARAMS, json_default
from legacy.urls import settings
from legacy.wrapper import GlanceClientWrapper
from nova_image import API as ImageAPI
from nova_image import errors, images, pauses, signatures
from nova_image.references import check_image_id

if TYPE_CHECKING:
    from legacy.clients import OldClientDriver

__all__ = ['Service', 'none_as_text']



class Service:
    """What both service classes have in common; speaks no old name of its own."""

    #: which driver of ``clients.py`` speaks to an old-style client of this class
    _driver: ClassVar[str]

    def _start(self, client: Any) -> None:
        self._client = client or glance.GlanceClientWrapper()
        from legacy.direct import DirectTransfer

        self._direct = DirectTransfer()
        self._download_handlers = self._direct.handlers

    def _old_driver(
        self, image_id: Any = None, purge_props: Any = AS_TOLD
    ) -> OldClientDriver | None:
        """The driver over the old-style client, or None where the configured driver serves (D-15)."""
        client = self._client
        if type(client) is GlanceClientWrapper and not client.is_injected and not replaced():
            return None
        from legacy import clients

        driver: OldClientDriver = getattr(clients, self._driver)(client, image_id, purge_props)
        return driver

    def _api(self) -> tuple[ImageAPI, bool]:
        """The API for calls that name no image, and whether it stands over an old-style client."""
        driver = self._old_driver()
        if driver is not None:
            return ImageAPI(driver), True
        return self._new_api(), False

    def _new_api(self) -> ImageAPI:
        reference = self._client.reference
        if reference is not None:
            return ImageAPI.for_reference(reference)  # a bad one is told in the caller's words (C-195)
        return ImageAPI(endpoint=self._client.server_url)

    def _for_image(self, image_id: Any, purge_props: Any = AS_TOLD) -> tuple[ImageAPI, Any, bool]:
        """The API, and the reference it gets for an image of this service (C-094, C-208)."""
        image_id = _plain_id(image_id)
        if '/' in str(image_id):
            raise errors.ImageNotFound(image_id=image_id)
        driver = self._old_driver(image_id, purge_props)
        if driver is not None:
            return ImageAPI(driver), image_id, True
        image_id = check_image_id(image_id)  # what is no id is not found, whatever the reference is
        return self._new_api(), image_id, False

    @pauses.steady()
    def _detail(self, context: Any, asked: dict[str, Any]) -> list[dict[str, Any]]:
        known = {name: asked[name] for name in LIST_PARAMS if name in asked}
        api, old = self._api()
        if not old and known.get('filters'):
            known['filters'] = self._filters(known['filters'])
        return [self._out(record) for record in api.get_all(context, **known)]

    def _filters(self, filters: Any) -> Any:
        return filters

    @pauses.steady()
    def _show(
        self, context: Any, image_id: Any, include_locations: bool, show_deleted: bool
    ) -> dict[str, Any]:
        api, ref, _old = self._for_image(image_id)
        return self._out(api.get(context, ref, include_locations, show_deleted), include_locations)

    @pauses.steady()
    def _create(self, context: Any, image_meta: Any, data: Any) -> dict[str, Any]:
        api, old = self._api()
        if not old:
            image_meta = self._in('create', image_meta)
        return self._out(api.create(context, image_meta, data))

    @pauses.steady()
    def _update(
        self, context: Any, image_id: Any, image_meta: Any, data: Any, purge_props: Any
    ) -> dict[str, Any]:
        """As told; ``purge_props`` has its final value, except for the v1 client, which gets it raw."""
        api, ref, old = self._for_image(image_id, purge_props)
        if not old:
            image_meta = self._in('update', image_meta)
        return self._out(api.update(context, ref, image_meta, data, bool(purge_props)))

    @pauses.steady()
    def _delete(self, context: Any, image_id: Any) -> bool:
        api, ref, _old = self._for_image(image_id)
        return api.delete(context, ref)

    @pauses.steady()
    def _download(
        self, context: Any, image_id: Any, data: Any, dst_path: Any, trusted_certs: Any
    ) -> Iterator[bytes] | None:
        if dst_path is not None and self._direct.is_allowed():
            check = None
            if signatures.is_wanted(settings(), trusted_certs):
                check = self._signature_check(context, image_id, trusted_certs)
            found = self._locations_or_none(context, image_id)
            if self._direct.fetch(context, found, dst_path, check):
                return None
        api, ref, _old = self._for_image(image_id)
        from nova_image import direct

        with direct.already_tried():
            return api.download(context, ref, data, dst_path, trusted_certs)

    def _signature_check(
        self, context: Any, image_id: Any, trusted_certs: Any
    ) -> signatures.Check | None:
        """What verifies an image's signature where its bytes do not come through the API (C-304)."""
        return signatures.check_for(
            context,
            image_id,
            lambda: self._show(context, image_id, False, True),
            settings(),
            trusted_certs,
        )
    def _locations_or_none(self, context: Any, image_id: Any) -> list[dict[str, Any]]:
        """The locations; none where they cannot be had although the plain download may yet succeed (C-330).

        A refusal is raised, since the download would be refused as well. So is whatever an old-style
        client raises, as it always was (C-141).
        """
        try:
            return self._locations(context, image_id)
        except (errors.ImageNotFound, errors.ImageNotAuthorized):
            raise
        except errors.NovaException:
            if self._old_driver() is not None:
                raise
            LOG.exception('Locations of image %s cannot be had; it is fetched from the server', image_id)
            return []

    @pauses.steady()
    def _locations(self, context: Any, image_id: Any) -> list[dict[str, Any]]:
        driver = self._old_driver()
        if driver is not None:
            return driver.locations(context, _plain_id(image_id))
        api, ref, _old = self._for_image(image_id)
        from legacy.direct import Locations

        return Locations(api.get(context, ref, include_locations=True))

    def _in(self, method: str, image_meta: Any) -> Any:
        return none_as_text(image_meta)

    def _out(self, record: dict[str, Any], include_locations: bool = False) -> dict[str, Any]:
        return record


def _plain_id(image_id: Any) -> Any:
    """The id of a full href, anything else unchanged (C-208)."""
    text = str(image_id)
    return text.rstrip('/').rpartition('/')[2] if '://' in text else image_id


#: Where None is an image that is none, or the JSON text null (C-114, C-242).
_NONE_SPEAKS = (*images.IMAGE_ID_PROPERTIES, *images.JSON_PROPERTIES)


def none_as_text(image_meta: Any) -> Any:
    """Custom properties that are None as the text v1 stored; kernel and ramdisk keep meaning "none" (C-313).

    What is kept as JSON text is encoded as the old names did, which knew more types (C-114).
    """
    properties = image_meta.get('properties') if isinstance(image_meta, Mapping) else None
    if not isinstance(properties, Mapping):
        return image_meta
    return {**image_meta, 'properties': {name: _stored(name, value) for name, value in properties.items()}}


def _stored(name: Any, value: Any) -> Any:
    if value is None and name not in _NONE_SPEAKS:
        return 'None'
    if name in images.JSON_PROPERTIES and not isinstance(value, str):
        return json.dumps(copy.deepcopy(value), default=json_default)
    return value
