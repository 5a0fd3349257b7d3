# SPDX-License-Identifier: Apache-2.0
"""Image references: an id, or a URI that names an image on some server.

Parsed once, in the API, into (server or None, image id). Knows URLs, nothing of HTTP or options.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from nova_image import errors

_TAIL = re.compile(r'^(?P<prefix>.*?)(?:/v\d+(?:\.\d+)?)?(?:/images)?/(?P<id>[^/]*)/?$')
_USER = re.compile(r'^([^/?#]*//)[^/?#]*@')
_UNSAFE = re.compile(r'[/?#%\x00-\x1f\x7f]')


class ImageRef(NamedTuple):
    """``server``: base URL without a trailing slash, None for the configured one; ``image_id``: text."""

    server: str | None
    image_id: Any


def parse_image_ref(ref: Any) -> ImageRef:
    """Split a reference into the server it names and the image id.

    Text without a ``/`` is an id, returned unchanged (C-193). Both ``.../v2/images/<id>`` and the
    version-less shape of notifications are understood (C-025); a path prefix stays with the server
    and https without a port means 443 (D-11).

    :raises InvalidImageRef: not a URL with a host and an id, or a port that is no port (C-195)
    """
    text = ref if isinstance(ref, str) else str(ref)
    if '/' not in text:
        return ImageRef(None, ref)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        raise errors.InvalidImageRef(image_href=ref) from exc
    found = _TAIL.match(parts.path)
    if parts.scheme not in ('http', 'https') or not parts.hostname or found is None:
        raise errors.InvalidImageRef(image_href=ref)
    if not found['id']:
        raise errors.InvalidImageRef(image_href=ref)
    host = f'[{parts.hostname}]' if ':' in parts.hostname else parts.hostname
    if port is not None:
        host = f'{host}:{port}'
    return ImageRef(f'{parts.scheme}://{host}{found["prefix"]}', found['id'])


def check_image_id(image_id: Any) -> str:
    """The id as text that is safe in a URL and a query (C-091, C-094).

    :raises ImageNotFound: None, empty, ``.``, ``..``, or one of ``/ ? # %`` or a control character in it
    """
    text = str(image_id)
    if image_id is None or text in ('', '.', '..') or _UNSAFE.search(text):
        raise errors.ImageNotFound(image_id=image_id)
    return text


def without_user(url: str) -> str:
    """The address without ``user:password@``, which is never sent and has no place in a log or an error."""
    return _USER.sub(r'\1', url)


def origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of a URL, the port made explicit: what a credential is bound to (D-7)."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == 'https' else 80)
    return parts.scheme, (parts.hostname or '').lower(), port
