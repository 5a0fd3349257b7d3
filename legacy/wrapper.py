# SPDX-License-Identifier: Apache-2.0
"""``GlanceClientWrapper``: one client per server, attempts, and the old log lines (C-044 to C-061).

Only code at the old seams and callers of ``call`` come through here; services without a replaced seam ask
``nova_image.API``. Clients are made on first use, so building a wrapper costs nothing.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

from legacy.connect import credentials_withheld, withheld
from legacy.deprecation import deprecated
from legacy.log import LOG
from legacy.seams import glance, replaced
from legacy.translation import is_generator
from legacy.urls import ApiServer, parse_server, settings
from nova_image import errors
from nova_image.references import parse_image_ref

__all__ = ['GlanceClientWrapper']


class _Default(int):
    """The version where the caller names none: 1 for a host, 2 for an endpoint (C-323)."""


DEFAULT_VERSION: Final = _Default(1)


class GlanceClientWrapper:
    """Calls a glanceclient client, again and elsewhere if a server does not answer.

    Built with a host and port (2012.2 to 12) or with an endpoint (13 on): ``://`` in the second argument
    tells which, and then a third positional one is the version (C-323). Without either, each attempt
    makes a client for the next configured server.
    """

    host: Any
    port: Any
    use_ssl: Any
    version: Any
    api_server: str

    @deprecated('GlanceClientWrapper')
    def __init__(
        self,
        context: Any = None,
        host: Any = None,
        port: Any = None,
        use_ssl: Any = False,
        version: Any = DEFAULT_VERSION,
        endpoint: Any = None,
    ) -> None:
        self._client: Any = None
        self._made = False  # whether _client is our own making and not somebody's gift
        self._context = context
        self._withhold = withheld()
        self._endpoint: str | None = None
        self._base_url: str | None = None
        self.api_servers: Any = None
        if endpoint is None and host is not None and '://' in str(host):
            endpoint, host = host, None
            if port is not None:
                version, port = port, None
        elif endpoint is None and host is not None and port is None:
            endpoint, host = f'{"https" if use_ssl else "http"}://{host}', None
        if endpoint is not None:
            self._endpoint = str(endpoint)
            self._use_endpoint(self._endpoint)
            self.version = _endpoint_version() if version is DEFAULT_VERSION else version
        elif host is not None:
            self._use_host(host, port, use_ssl)
            self.version = int(version) if version is DEFAULT_VERSION else version
        if self.is_static and (replaced() or type(self) is not _wrapper_class()):
            self._make_static()

    @property
    def is_static(self) -> bool:
        """Whether one client serves every call: a server was named, or a client was put in."""
        return self._client is not None or self._endpoint is not None or 'version' in vars(self)

    @property
    def is_injected(self) -> bool:
        """Whether somebody put a client or a server list of their own in, or renamed the server."""
        return (self._client is not None and not self._made) or self.api_servers is not None

    @property
    def client(self) -> Any:
        """The client of every call, or None where each call makes its own."""
        if self._client is None and self.is_static:
            self._make_static()
        return self._client

    @client.setter
    def client(self, client: Any) -> None:
        self._client, self._made = client, False

    def _make_static(self) -> None:
        with credentials_withheld(self._withhold):
            if self._endpoint is not None:
                made = self._create_static_client(
                    self._context, version=self.version, endpoint=self._endpoint
                )
            else:
                made = self._create_static_client(
                    self._context, self.host, self.port, self.use_ssl, self.version
                )
        self._client, self._made = made, True

    #: a reference to any image of the server, if one named it; or the caller's, if that names no server to ask
    reference: str | None = None

    def serve_at(self, href: str) -> None:
        """Say which reference named the server: it may have a path, which host and port cannot carry (D-11)."""
        with contextlib.suppress(errors.InvalidImageRef):
            self._base_url = parse_image_ref(href).server
        self.reference = f'{self.server_url}/images/-' if self._base_url or self.host else href

    @property
    def server_url(self) -> str | None:
        """Base URL of the named server, None where the configured ones are used."""
        if self._base_url is not None:
            return self._base_url
        if self._endpoint is not None:
            return self._endpoint
        return (
            str(ApiServer(self.host, self.port, self.use_ssl)) if 'version' in vars(self) else None
        )

    def _use_host(self, host: Any, port: Any, use_ssl: Any) -> None:
        self.host, self.port, self.use_ssl = host, port, use_ssl
        self.api_server = str(ApiServer(host, port, use_ssl))

    def _use_endpoint(self, endpoint: str) -> None:
        self.api_server = endpoint
        try:
            self.host, self.port, self.use_ssl = parse_server(endpoint)
        except ValueError:  # a bad port shows up as a failed connection, as in 13 (C-195)
            self.host, self.port, self.use_ssl = endpoint, None, False

    @deprecated('GlanceClientWrapper._create_static_client')
    def _create_static_client(
        self,
        context: Any,
        host: Any = None,
        port: Any = None,
        use_ssl: Any = None,
        version: Any = None,
        endpoint: Any = None,
    ) -> Any:
        """A client for all calls: ``(context, host, port, use_ssl, version)`` or ``(context, endpoint, version)``."""
        if endpoint is None and '://' in str(host):
            endpoint, version = host, port if version is None else version
        if endpoint is not None:
            self._use_endpoint(str(endpoint))
            self.version = version
            return glance._glanceclient_from_endpoint(context, str(endpoint), version)
        self._use_host(host, port, use_ssl)
        self.version = version
        return glance._create_glance_client(context, host, port, use_ssl, version)

    @deprecated('GlanceClientWrapper._create_onetime_client')
    def _create_onetime_client(self, context: Any, version: Any) -> Any:
        """A client for one attempt, on the next server (C-045)."""
        if self.api_servers is None:
            self.api_servers = _server_iterator(context)
        server = next(self.api_servers)
        if isinstance(server, str) or getattr(server, 'modern', False):
            self._modern = True
            self._use_endpoint(str(server))
            return glance._glanceclient_from_endpoint(context, str(server), version)
        self._modern = False
        self._use_host(*server)
        return glance._create_glance_client(context, self.host, self.port, self.use_ssl, version)

    _modern = False

    @property
    def _speaks_urls(self) -> bool:
        """Whether texts name the server as a URL (13 on) or as ``host:port`` (C-051, C-325)."""
        return self._endpoint is not None or self._modern

    @deprecated('GlanceClientWrapper.call')
    def call(self, context: Any, version: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Run ``client.images.<method>`` and return its result (C-047 to C-056).

        Arguments of the method follow as they are, or as ``args=`` and ``kwargs=`` (19 on), with
        ``controller=`` for another controller than ``images``.

        :raises GlanceConnectionFailed: no server answered in ``num_retries`` + 1 attempts
        """
        controller = kwargs.pop('controller', None) or 'images'
        args += tuple(kwargs.pop('args', None) or ())
        kwargs.update(kwargs.pop('kwargs', None) or {})
        attempts = 1 + settings().num_retries
        from legacy.rewind import Rewinder

        body = Rewinder(method, args, kwargs)
        for attempt in range(1, attempts + 1):
            client = self.client or self._create_onetime_client(context, version)
            try:
                result = getattr(getattr(client, controller), method)(*args, **_fresh(kwargs))
                return list(result) if is_generator(result) else result
            except _retryable() as error:
                last = attempt == attempts or not body.rewind()
                self._tell_failure(method, last)
                if last:
                    raise self._connection_failed(error) from error
                glance.time.sleep(1)
        raise AssertionError('unreachable: there is at least one attempt')

    def _tell_failure(self, method: Any, last: bool) -> None:
        if self._speaks_urls:
            server, outlook = self.api_server, 'done trying' if last else 'retrying'
        else:
            server, outlook = f'{self.host}:{self.port}', 'retrying'
        LOG.exception(
            "Error contacting glance server '%(server)s' for '%(method)s', %(extra)s.",
            {'server': server, 'method': method, 'extra': outlook},
        )

    def _connection_failed(self, error: BaseException) -> errors.NovaException:
        if self._speaks_urls:
            return errors.GlanceConnectionFailed(server=self.api_server, reason=str(error))
        return errors.GlanceConnectionFailed(host=self.host, port=self.port, reason=str(error))


def _wrapper_class() -> type[GlanceClientWrapper]:
    return GlanceClientWrapper


def _endpoint_version() -> int:
    """The client version of an endpoint: 2, unless release 14's ``[glance] use_glance_v1`` says 1."""
    now = settings()
    return (
        1 if now.is_set('glance', 'use_glance_v1') and now.value('glance', 'use_glance_v1') else 2
    )


def _server_iterator(context: Any) -> Any:
    """The server iterator; only a caller's catalogue needs the context (C-309)."""
    now = settings()
    if now.api_servers or glance.get_api_servers.__module__ != 'legacy.urls':
        return glance.get_api_servers()
    return glance.get_api_servers(context)


def _fresh(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keywords with a copy of ``filters``, which today's client changes (C-061)."""
    filters = kwargs.get('filters')
    return {**kwargs, 'filters': dict(filters)} if isinstance(filters, dict) else kwargs


def _retryable() -> tuple[type[BaseException], ...]:
    exc = glance.glanceclient.exc
    return exc.ServiceUnavailable, exc.InvalidEndpoint, exc.CommunicationError
