# SPDX-License-Identifier: Apache-2.0
"""Old names that make glanceclient clients, and what they put on the wire about who is calling.

``glanceclient.Client`` is looked up on the module at each use, so a fake there is what gets called
(C-030 to C-035, D-15). The new driver's sessions are ``nova_image.glance.session``'s.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from legacy.deprecation import deprecated
from legacy.log import LOG
from legacy.seams import client_class_replaced, glance
from legacy.urls import endpoint_url, settings, speaks_urls
from nova_image.settings import Settings

__all__: list[str] = []

_withheld: ContextVar[bool] = ContextVar('credentials_withheld', default=False)


@contextlib.contextmanager
def credentials_withheld(withhold: bool) -> Iterator[None]:
    """While it lasts, clients are made without the caller's token if ``withhold`` (D-7)."""
    token = _withheld.set(withhold or _withheld.get())
    try:
        yield
    finally:
        _withheld.reset(token)


def withheld() -> bool:
    """Whether credentials are withheld here and now."""
    return _withheld.get()


def _may_send(context: Any, endpoint: str) -> bool:
    """Whether the caller's credentials may go to ``endpoint``; says so once per client if not (D-7)."""
    if not _withheld.get():
        return True
    if getattr(context, 'auth_token', None):
        from nova_image.glance.servers import WITHHELD

        LOG.warning(WITHHELD, endpoint)
    return False


@deprecated('generate_identity_headers')
def generate_identity_headers(context: Any, status: str = 'Confirmed') -> dict[str, Any]:
    """Headers that tell a trusting server who is calling (C-026 to C-029).

    ``X-Service-Catalog`` is there only if the context has a catalogue and the servers are configured under
    the old names: the header made requests too large and went with release 12 (C-028).
    """
    if context is None and not speaks_urls():
        raise AttributeError('identity headers need a request context with auth_token, got None')
    headers = {
        'X-Auth-Token': getattr(context, 'auth_token', None),
        'X-User-Id': _first(context, 'user_id', 'user'),
        'X-Tenant-Id': _first(context, 'project_id', 'tenant'),
        'X-Roles': ','.join(getattr(context, 'roles', ())),
        'X-Identity-Status': status,
    }
    if hasattr(context, 'service_catalog') and not speaks_urls():
        headers['X-Service-Catalog'] = json.dumps(context.service_catalog)
    return headers


def _first(context: Any, *names: str) -> Any:
    for name in names:
        value = getattr(context, name, None)
        if value is not None:
            return value
    return None


@deprecated('_create_glance_client')
def _create_glance_client(
    context: Any, host: Any, port: Any, use_ssl: Any = False, version: Any = 1
) -> Any:
    """A client for one server, as 2011.3 to 12 made it (C-030 to C-033)."""
    now = settings()
    params: dict[str, Any] = {}
    if use_ssl:
        params.update(_ssl_params(now))
    endpoint = endpoint_url(host, port, use_ssl)
    if now.auth_strategy == 'keystone' and _may_send(context, endpoint):
        params['token'] = getattr(context, 'auth_token', None)
        params['identity_headers'] = glance.generate_identity_headers(context)
    return _client(context, version, endpoint, params)


@deprecated('_glanceclient_from_endpoint')
def _glanceclient_from_endpoint(context: Any, endpoint: str, version: Any = 1) -> Any:
    """A client for one endpoint, as 13 and later made it (C-032)."""
    now = settings()
    params: dict[str, Any] = {}
    if (context is not None or speaks_urls()) and _may_send(context, endpoint):
        headers = dict(glance.generate_identity_headers(context))
        headers.pop('X-Service-Catalog', None)
        params['identity_headers'] = headers
    if endpoint.startswith('https://'):
        params.update(_ssl_params(now))
    return _client(context, version, endpoint, params)


def _ssl_params(now: Settings) -> dict[str, Any]:
    params: dict[str, Any] = {'insecure': now.insecure, 'ssl_compression': False}
    given = {'cert_file': now.certfile, 'key_file': now.keyfile, 'cacert': now.cafile}
    params.update((name, value) for name, value in given.items() if value)
    return params


def _client(context: Any, version: Any, endpoint: str, params: dict[str, Any]) -> Any:
    """The client: a fake gets exactly the old call, the real one what today's Glance understands (C-034, C-311).

    The credential is the context's own, as the new driver finds it; none for a server that needs none (C-035).
    """
    if client_class_replaced():
        return glance.glanceclient.Client(str(version), endpoint, **params)
    from legacy import v1
    from nova_image.glance import session
    from nova_image.glance.servers import base_url

    now = settings()
    more = {}
    request_id = getattr(context, 'global_id', None)
    if request_id:
        more['global_request_id'] = request_id
    real = glance.glanceclient.Client(
        '2',
        session=session.session_for(now),
        auth=None if _withheld.get() else session.auth_for(context, now, now.conf),
        endpoint_override=base_url(endpoint),  # the real client took a version at the end for itself
        **more,
    )
    return v1.Client(real) if int(version) == 1 else real


@deprecated('_session_and_auth')
def _session_and_auth(context: Any) -> tuple[Any, Any]:
    """``(session, auth plug-in)`` of a context, as 17 and later used them (C-034)."""
    from nova_image.glance import session

    now = settings()
    return session.session_for(now), session.auth_for(context, now, now.conf)


@deprecated('_determine_curr_major_version')
def _determine_curr_major_version(endpoint: str) -> int:
    """The image API version to use with a server; today there is only one (the name of 13)."""
    return 2


@deprecated('get_glance_client')
def get_glance_client(context: Any, image_href: Any) -> tuple[Any, Any]:
    """``(client, image id)`` of a reference; the name of 2011.3 and 2012.1 (contract a.3)."""
    service, image_id = glance.get_remote_image_service(context, image_href)
    client = service._client
    if client.client is None:
        return client._create_onetime_client(context, 1), image_id
    return client.client, image_id
