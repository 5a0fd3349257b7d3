# SPDX-License-Identifier: Apache-2.0
"""Old names about servers and references: the server list, image URLs, and the parsing of hrefs.

Answers in the old shapes from today's options; sends nothing. The new parser, which drivers use, is
``nova_image.parse_image_ref``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlparse, urlsplit

from legacy.deprecation import deprecated
from legacy.log import LOG
from legacy.seams import glance
from nova_image.references import without_user
from nova_image.settings import Settings, bracketed

__all__ = ['ApiServer']


class ApiServer(tuple[str, Any, bool]):
    """One server: the tuple ``(host, port, use_ssl)`` of 2012.2 to 12, whose text is the URL of 13 on (C-309)."""

    url: str

    def __new__(cls, host: str, port: Any, use_ssl: bool, url: str | None = None) -> Self:
        self = super().__new__(cls, (host, port, use_ssl))
        self.url = url or endpoint_url(host, port, use_ssl)
        return self

    def __str__(self) -> str:
        return self.url

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (*self, self.url)


def endpoint_url(host: Any, port: Any, use_ssl: Any) -> str:
    """``http(s)://host:port``, IPv6 hosts in brackets (C-030)."""
    return f'{"https" if use_ssl else "http"}://{bracketed(str(host))}:{port}'


def parse_server(entry: str) -> ApiServer:
    """An entry of the server list (C-037). :raises ValueError: a URL that is none, or a bad port"""
    url = entry if '//' in entry else f'http://{entry}'
    parts = urlsplit(url)
    use_ssl = parts.scheme == 'https'
    host = parts.netloc.rpartition('@')[2] and (parts.hostname or '')
    return ApiServer(host, parts.port or 80, use_ssl)


def settings() -> Settings:
    """The options of this moment (C-013)."""
    return Settings.of()


def speaks_urls() -> bool:
    """Whether servers are configured as URLs under ``[glance] api_servers``, and so in the words of 13 on."""
    now = settings()
    return now.is_set('glance', 'api_servers') and bool(now.value('glance', 'api_servers'))


@deprecated('generate_glance_url')
def generate_glance_url(context: Any = None) -> str:
    """Base URL of the image service, never with a trailing slash (C-014, C-322)."""
    now = settings()
    configured = now.api_servers
    if now.is_host_set or not (configured or context is not None):
        return now.host_url
    if configured:
        from nova_image.glance.servers import base_url

        return configured[0] if configured[0].endswith('://') else base_url(configured[0])
    from nova_image.api import API

    return API().generate_glance_url(context)


@deprecated('generate_image_url')
def generate_image_url(image_ref: Any, context: Any = None) -> str:
    """URL of an image, without a version segment, as notifications carried it (C-016, C-025)."""
    return (
        f'{glance.generate_glance_url(*(() if context is None else (context,)))}/images/{image_ref}'
    )


@deprecated('get_api_servers')
def get_api_servers(context: Any = None) -> Iterator[Any]:
    """Endless iterator over the servers in shuffled order (C-036 to C-042, C-309).

    Items are tuples ``(host, port, use_ssl)`` whose text is the URL; with a context they are URLs.
    """
    now = settings()
    if context is not None:
        urls = list(now.api_servers) or [_from_catalogue(context)]
        glance.random.shuffle(urls)
        return itertools.cycle(urls)
    servers = [_modern_entry(entry) for entry in _modern_entries(now)]
    servers = servers or [parse_server(str(entry)) for entry in _icehouse_entries(now)]
    glance.random.shuffle(servers)
    return itertools.cycle(servers)


def _modern_entries(now: Settings) -> list[Any]:
    """Servers that are configured as URLs: by 13's list, or by 17's override where no older list is (C-292)."""
    if speaks_urls():
        return list(now.value('glance', 'api_servers'))
    override = now.is_set('glance', 'endpoint_override') and now.value('glance', 'endpoint_override')
    return [override] if override and not now.is_set('DEFAULT', 'glance_api_servers') else []


def _icehouse_entries(now: Settings) -> list[Any]:
    if now.is_set('DEFAULT', 'glance_api_servers'):
        return list(now.value('DEFAULT', 'glance_api_servers'))
    return [now.host_url]


def _modern_entry(entry: str) -> ApiServer:
    """An entry of ``[glance] api_servers``: a URL, repaired with a warning when it has no scheme (C-040)."""
    url = str(entry)
    if '//' not in url:
        url = f'http://{url}'
        LOG.warning(
            "No protocol specified in for api_server '%s', please update [glance] api_servers with "
            'fully qualified url including scheme (http / https)',
            url,
        )
    try:
        host, port, use_ssl = parse_server(url)
    except ValueError:
        host, port, use_ssl = url, None, url.startswith('https')
    server = ApiServer(host, port, use_ssl, without_user(url))
    server.modern = True  # type: ignore[attr-defined]
    return server


def _from_catalogue(context: Any) -> str:
    from nova_image.api import API

    return API().generate_glance_url(context)


@deprecated('pick_glance_api_server')
def pick_glance_api_server() -> Any:
    """A random ``(host, port)`` of the configured servers; the name of 2011.3 and 2012.1 (contract a.3)."""
    server = next(glance.get_api_servers())
    return server[0], server[1]


@deprecated('_parse_image_ref')
def _parse_image_ref(image_href: str) -> tuple[str, str, int, bool]:
    """``(image id, host, port, use_ssl)`` of an href, as Icehouse read it (C-019 to C-023).

    :raises ValueError: a port that is no number, or a URL that is none
    """
    parts = urlparse(image_href)
    port = parts.port or 80
    return parts.path.split('/')[-1], parts.netloc.rsplit(':', 1)[0], port, parts.scheme == 'https'


@deprecated('_endpoint_from_image_ref')
def _endpoint_from_image_ref(image_href: str) -> tuple[str, str]:
    """``(image id, endpoint)`` of an href (C-024); the version segment may be missing (C-025)."""
    pieces = image_href.split('/')
    cut = 3
    if len(pieces) > 2 and pieces[-2] == 'images' and not _is_version(pieces[-3]):
        cut = 2
    return pieces[-1], '/'.join(pieces[:-cut])


def _is_version(segment: str) -> bool:
    return segment[:1] == 'v' and segment[1:].replace('.', '', 1).isdigit()
