# SPDX-License-Identifier: Apache-2.0
"""Which Glance to ask: the configured servers, the catalogue, or the one that a reference names.

Keeps the order of the servers and the memory of those that failed; decides whether a server may see
the caller's credential (C-036 to C-042, C-292, D-7). Sends nothing itself.
"""

from __future__ import annotations

import contextlib
import logging
import random
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import keystoneauth1.exceptions
from keystoneauth1.access import service_catalog

from nova_image import errors
from nova_image.references import origin, without_user
from nova_image.settings import Settings

LOG = logging.getLogger(__name__)

REMEMBER_FAILURE_S = 60.0
#: The one warning of D-7, with the server's address.
WITHHELD = (
    'Image server %s is neither configured nor in the service catalogue, so it is asked without credentials. To '
    'send the token there, add it to [image] trusted_servers.'
)
_VERSION = re.compile(r'/v\d+(?:\.\d+)?/?$')


def base_url(url: str) -> str:
    """A server's address for requests: no user, no trailing slash, no ``/vN``; a path prefix stays (D-11)."""
    return _VERSION.sub('', without_user(url).rstrip('/')).rstrip('/')


def is_among(url: str, known: Iterable[str]) -> bool:
    """Whether ``url`` has scheme, host and port of one of ``known``; what is no URL is nobody (D-7)."""
    for one in known:
        with contextlib.suppress(ValueError):
            if origin(one) == origin(url):
                return True
    return False


class Health:
    """Servers that failed lately; shared by all drivers of a process, so a dead one costs once."""

    def __init__(self) -> None:
        self._failed_at: dict[str, float] = {}

    def failed(self, server: str) -> None:
        """``server`` did not answer; it goes to the end of the order for a minute."""
        self._failed_at[server] = time.monotonic()

    def answered(self, server: str) -> None:
        """``server`` is back."""
        if self._failed_at:
            self._failed_at.pop(server, None)

    def forget(self) -> None:
        """Take every server for healthy again."""
        self._failed_at.clear()

    def is_suspect(self, server: str) -> bool:
        """Whether ``server`` failed within the last minute."""
        at = self._failed_at.get(server)
        return at is not None and time.monotonic() - at < REMEMBER_FAILURE_S


HEALTH = Health()


class Rotation:
    """Round robin over a shuffled copy of a server list (C-045); the list itself is not touched (C-042)."""

    def __init__(self, servers: tuple[str, ...]) -> None:
        self.servers = servers
        self._order = [base_url(server) for server in servers]
        random.shuffle(self._order)
        self._next = 0

    def take(self) -> str:
        """The next server; one that failed lately only when all did."""
        # Without a lock, which a fork could find held for ever: two threads at once may get the same server.
        count, first = len(self._order), self._next
        for step in range(count):
            index = (first + step) % count
            if not HEALTH.is_suspect(self._order[index]):
                break
        else:
            index = first
        self._next = (index + 1) % count
        return self._order[index]


    def has_healthy(self) -> bool:
        """Whether one of them has not failed lately."""
        return not all(map(HEALTH.is_suspect, self._order))


class Choice:
    """Where one operation goes: one server until it fails, and the credential that may go there."""

    def __init__(self, rotation: Rotation, auth: Any) -> None:
        self._rotation = rotation
        self._server: str | None = None
        self.auth = auth

    def server(self) -> str:
        """The server of the next request."""
        if self._server is None:
            self._server = self._rotation.take()
        return self._server

    def failed(self, server: str) -> None:
        """``server`` did not answer: remember that, and go on with the next one."""
        HEALTH.failed(server)
        self._server = None

    def has_healthy(self) -> bool:
        """Whether a server is left that did not fail."""
        return self._rotation.has_healthy()

    def move_on(self) -> None:
        """Go on with the next server, without a reproach to this one."""
        self._server = None


class Servers:
    """The server list of one driver."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint
        self._rotation: Rotation | None = None

    def choose(
        self, context: Any, settings: Settings, auth: Any, session: Any, server: str | None = None
    ) -> Choice:
        """Decide for one operation.

        :param server: the server that a reference named, or None for the configured ones
        :raises GlanceConnectionFailed: nothing is configured and the catalogue has no image service
        """
        if server is not None:
            if auth is not None and not self._is_trusted(server, context, settings, auth, session):
                LOG.warning(WITHHELD, without_user(server))
                auth = None
            return Choice(Rotation((server,)), auth)
        configured = self._configured(settings)
        if not configured:
            return Choice(Rotation((from_catalogue(context, settings, auth, session),)), auth)
        rotation = self._rotation
        if rotation is None or rotation.servers != configured:
            rotation = self._rotation = Rotation(configured)
        return Choice(rotation, auth)

    def first(self, context: Any, settings: Settings, auth: Any, session: Any) -> str:
        """One address without chance: the first configured, else the catalogue's (C-322)."""
        configured = self._configured(settings)
        return base_url(configured[0]) if configured else from_catalogue(context, settings, auth, session)

    def _configured(self, settings: Settings) -> tuple[str, ...]:
        if self._endpoint is not None:
            return (self._endpoint,)
        return settings.api_servers

    def _is_trusted(
        self, server: str, context: Any, settings: Settings, auth: Any, session: Any
    ) -> bool:
        if is_among(server, (*self._configured(settings), *settings.trusted_servers)):
            return True
        try:
            return is_among(server, _catalogue_urls(context, settings, auth, session, any_interface=True))
        except (keystoneauth1.exceptions.ClientException, ValueError):
            return False


def from_catalogue(context: Any, settings: Settings, auth: Any, session: Any) -> str:
    """The image endpoint of the caller's catalogue, without its version (C-041).

    :raises GlanceConnectionFailed: there is none
    """
    for url in _catalogue_urls(context, settings, auth, session):
        return base_url(url)
    raise errors.GlanceConnectionFailed(
        server='(not configured)',
        reason='no image endpoint in the service catalogue of this context; set [glance] api_servers '
        'or give the context a catalogue with service type '
        f'{settings.service_type!r}',
    )


def _catalogue_urls(
    context: Any, settings: Settings, auth: Any, session: Any, *, any_interface: bool = False
) -> Iterator[str]:
    asked = {
        'service_type': settings.service_type,
        'interface': list(settings.valid_interfaces) or None,
        'region_name': settings.region_name,
    }
    if any_interface:
        asked.update(interface=None, region_name=None)
    entries = getattr(context, 'service_catalog', None)
    if entries:
        yield from (url for url in _catalogue(entries).get_urls(**asked) if url)
    if auth is not None:
        from nova_image.glance import limits

        deadline = time.monotonic() + settings.metadata_timeout
        with limits.applied(limits.Limits.of(settings, settings.first_byte_timeout, deadline)):
            found = session.get_endpoint(auth, **asked)
        if found:
            yield found


def _catalogue(entries: Any) -> Any:
    """The context's list in the shape of Identity v2 or of v3."""
    endpoints: list[dict[str, str]] = next((e['endpoints'] for e in entries if e.get('endpoints')), [])
    shape = (
        service_catalog.ServiceCatalogV3
        if endpoints and 'interface' in endpoints[0]
        else service_catalog.ServiceCatalogV2
    )
    return shape(entries)
