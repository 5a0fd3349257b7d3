# SPDX-License-Identifier: Apache-2.0
"""Servers that a reference names: where they are, and whether they may see the caller's token (D-7, C-324)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from legacy.connect import credentials_withheld
from legacy.seams import glance
from legacy.urls import settings

__all__ = ['place_of', 'withheld_unless_known']


def place_of(href: str) -> tuple[str, str, int, bool]:
    """``(image id, host, port, use_ssl)`` of an href; https without a port is 443, ``[::1]`` stays whole (D-11).

    :raises ValueError: not a URL
    """
    image_id, host, port, use_ssl = glance._parse_image_ref(href)
    parts = urlsplit(href)
    if parts.port is None:
        port = 443 if use_ssl else port
        if parts.netloc.endswith(']'):
            host = parts.netloc
    return image_id, host, port, use_ssl


def withheld_unless_known(context: Any, href: str) -> AbstractContextManager[None]:
    """While it lasts, old-style clients get no credentials unless ``href`` names a known server."""
    return credentials_withheld(not _is_known(context, href))


def _is_known(context: Any, href: str) -> bool:
    """Whether the server is configured, trusted, or in the context's own catalogue."""
    from nova_image.glance.servers import is_among

    now = settings()
    return is_among(href, [*(now.api_servers or (now.host_url,)), *now.trusted_servers, *_catalogue(context)])


def _catalogue(context: Any) -> list[str]:
    found = []
    for service in getattr(context, 'service_catalog', None) or ():
        for endpoint in service.get('endpoints', ()) if isinstance(service, dict) else ():
            found += [
                value for key, value in endpoint.items() if key == 'url' or key.endswith('URL')
            ]
    return found
