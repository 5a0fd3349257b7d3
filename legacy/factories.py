# SPDX-License-Identifier: Apache-2.0
"""The functions that hand out image services, and the update held back for later.

They reach each other through the module's names, which tests replace (C-004, C-006).
"""

from __future__ import annotations

from typing import Any

from legacy.deprecation import deprecated
from legacy.seams import glance, replaced
from legacy.services import GlanceImageService, GlanceImageServiceV2
from legacy.urls import settings, speaks_urls
from legacy.wrapper import GlanceClientWrapper
from nova_image import errors

__all__ = ['UpdateGlanceImage']


class UpdateGlanceImage:
    """An update held back until ``start()`` (C-201)."""

    @deprecated('UpdateGlanceImage')
    def __init__(self, context: Any, image_id: Any, metadata: Any, stream: Any) -> None:
        self.context = context
        self.image_id = image_id
        self.metadata = metadata
        self.image_stream = stream

    @deprecated('UpdateGlanceImage.start')
    def start(self) -> None:
        """Do it: the stream goes with the call, nothing is purged."""
        service, image_id = glance.get_remote_image_service(self.context, self.image_id)
        service.update(self.context, image_id, self.metadata, self.image_stream, purge_props=False)


def service_class() -> type[GlanceImageService | GlanceImageServiceV2]:
    """The class that the factories hand out: release 14's ``[glance] use_glance_v1`` chose, where it is set."""
    now = settings()
    if now.is_set('glance', 'use_glance_v1') and not now.value('glance', 'use_glance_v1'):
        return GlanceImageServiceV2
    return GlanceImageService


@deprecated('get_default_image_service')
def get_default_image_service() -> Any:
    """A new service on the configured servers (C-198)."""
    return service_class()()


@deprecated('get_remote_image_service')
def get_remote_image_service(context: Any, image_href: Any) -> tuple[Any, Any]:
    """``(service, image id)`` of a reference; without a ``/`` the default service (C-193 to C-195).

    :raises InvalidImageRef: an href that cannot be parsed
    """
    if '/' not in str(image_href):
        return glance.get_default_image_service(), image_href
    try:
        client, image_id = _client_for(context, str(image_href))
    except ValueError as error:
        raise errors.InvalidImageRef(image_href=image_href) from error
    return service_class()(client=client), image_id


def _client_for(context: Any, href: str) -> tuple[Any, Any]:
    from legacy import trust

    if speaks_urls() or service_class() is GlanceImageServiceV2:
        image_id, endpoint = glance._endpoint_from_image_ref(href)
        if not replaced():
            # The server of those releases saw what follows as the request's, not as the id's (C-019).
            image_id = image_id.partition('#')[0].partition('?')[0]
        place: dict[str, Any] = {'endpoint': endpoint}
    else:
        image_id, host, port, use_ssl = trust.place_of(href)
        place = {'host': host, 'port': port, 'use_ssl': use_ssl}
    with trust.withheld_unless_known(context, href):
        client = glance.GlanceClientWrapper(context=context, **place)
    if isinstance(client, GlanceClientWrapper):
        client.serve_at(href)
    return client, image_id


@deprecated('get_image_service')
def get_image_service(context: Any, image_href: Any) -> tuple[Any, Any]:
    """``get_remote_image_service`` under its name before Folsom (C-010)."""
    pair: tuple[Any, Any] = glance.get_remote_image_service(context, image_href)
    return pair
