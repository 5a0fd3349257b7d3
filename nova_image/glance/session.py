# SPDX-License-Identifier: Apache-2.0
"""Sessions, and the credential of each call (D-13, C-034, C-308).

Sessions (connection pools) belong to one process and one set of TLS options and carry no credential;
who is calling is decided from the context each time and passed along with the request.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import keystoneauth1.exceptions
from keystoneauth1 import loading, service_token, token_endpoint
from keystoneauth1 import session as ksa_session
from oslo_config import cfg

from nova_image.glance import limits
from nova_image.settings import Settings

SERVICE_GROUPS = ('glance', 'service_user')


class _Process:
    """What one process owns: sessions, and the service user's plug-ins, which hold tokens."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.sessions: dict[Any, ksa_session.Session] = {}
        self.plugins: dict[Any, Any] = {}


_process = _Process()


def _mine() -> _Process:
    """The state of this very process: what a parent opened is never used after a fork."""
    global _process
    if _process.pid != os.getpid():
        _process = _Process()  # a new lock too: the parent's may be held by a thread that is not here
    return _process


def session_for(settings: Settings) -> ksa_session.Session:
    """The shared session for these TLS options; made on first use in each process.

    Its own time limit is for those whom nothing else limits: clients that the old functions hand out.
    """
    verify: bool | str = False if settings.insecure else (settings.cafile or True)
    cert: Any = None
    if settings.certfile:
        cert = (settings.certfile, settings.keyfile) if settings.keyfile else settings.certfile
    key = (verify, cert, settings.upload_answer_timeout)
    mine = _mine()
    found = mine.sessions.get(key)
    if found is None:
        with mine.lock:
            found = mine.sessions.get(key)
            if found is None:
                found = ksa_session.Session(
                    session=limits.timed_session(),
                    verify=verify,
                    cert=cert,
                    redirect=False,
                    timeout=settings.upload_answer_timeout,
                )
                mine.sessions[key] = found
    return found


def close_all() -> None:
    """Close this process's idle connections; the next call opens new ones."""
    mine = _mine()
    with mine.lock:
        sessions, mine.sessions = list(mine.sessions.values()), {}
        mine.plugins = {}
    for session in sessions:
        session.session.close()


def auth_for(context: Any, settings: Settings, conf: cfg.ConfigOpts) -> Any:
    """The credential of ``context``, or None for a request without one (D-13).

    The context's own plug-in comes first (C-034), then its token; the configured service user stands
    in for an admin context without a token, and for nobody else.
    """
    if settings.auth_strategy != 'keystone' or context is None:
        return None
    token = getattr(context, 'auth_token', None)
    own = getattr(context, 'get_auth_plugin', None)
    has_token = bool(token) or getattr(context, 'user_auth_plugin', None) is not None
    user: Any
    if callable(own) and (has_token or not hasattr(context, 'auth_token')):
        user = own()
    elif token:
        user = token_endpoint.Token(None, str(token))
    else:
        return _service_user(conf) if getattr(context, 'is_admin', False) else None
    return _with_service_token(user, conf)


def _with_service_token(user: Any, conf: cfg.ConfigOpts) -> Any:
    if isinstance(user, service_token.ServiceTokenAuthWrapper):
        return user
    if not _option(conf, 'service_user', 'send_service_user_token'):
        return user
    service = _plugin(conf, 'service_user')
    if service is None:
        return user
    return service_token.ServiceTokenAuthWrapper(user_auth=user, service_auth=service)


def _service_user(conf: cfg.ConfigOpts) -> Any:
    for group in SERVICE_GROUPS:
        found = _plugin(conf, group)
        if found is not None:
            return found
    return None


def _option(conf: cfg.ConfigOpts, group: str, name: str) -> Any:
    """An option somebody else may have registered, or None."""
    try:
        return conf[group][name]
    except (cfg.NoSuchOptError, cfg.NoSuchGroupError, KeyError):
        return None


def _plugin(conf: cfg.ConfigOpts, group: str) -> Any:
    """The keystoneauth plug-in configured in ``group``; it keeps its token for the process's life."""
    auth_type = _option(conf, group, 'auth_type')
    section = _option(conf, group, 'auth_section')
    if not auth_type and not section:
        return None
    mine = _mine()
    key = (id(conf), group, auth_type, section)
    with mine.lock:
        if key not in mine.plugins:
            # The configuration stands beside its plug-in, so that its id cannot be used again.
            mine.plugins[key] = (conf, loading.load_auth_from_conf_options(conf, group))
        return mine.plugins[key][1]


def forget_token(session: ksa_session.Session, auth: Any) -> bool:
    """After a 401: True when ``auth`` can get another token, so that asking again makes sense."""
    try:
        return bool(auth is not None and session.invalidate(auth))
    except keystoneauth1.exceptions.ClientException:
        return False
