# SPDX-License-Identifier: Apache-2.0
"""A WSGI filter that knows a few fixed tokens, in the place where Keystone's would stand.

It drops every identity header of a request and sets those of the token's owner, so a real Glance sees
two projects and an administrator without a Keystone. It runs inside the Glance process: standard
library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: The variable that tells ``glance_app`` to put the filter in.
SWITCH = 'NOVA_IMAGE_TESTING_TENANTS'

IDENTITY_HEADERS = (
    'HTTP_X_USER_ID',
    'HTTP_X_USER',
    'HTTP_X_USER_NAME',
    'HTTP_X_TENANT_ID',
    'HTTP_X_TENANT',
    'HTTP_X_TENANT_NAME',
    'HTTP_X_PROJECT_ID',
    'HTTP_X_PROJECT_NAME',
    'HTTP_X_ROLES',
    'HTTP_X_ROLE',
    'HTTP_X_IDENTITY_STATUS',
    'HTTP_X_SERVICE_CATALOG',
)


class Identity(NamedTuple):
    """The owner of a token."""

    token: str
    user_id: str
    project_id: str
    roles: tuple[str, ...]

    @property
    def is_admin(self) -> bool:
        """Whether Glance's default policies treat this user as an administrator."""
        return 'admin' in self.roles


#: The callers of the server mode ``tenants``, by user.
IDENTITIES: Mapping[str, Identity] = {
    identity.user_id: identity
    for identity in (
        Identity('tok-alice', 'alice', 'project-a', ('member', 'reader')),
        Identity('tok-anna', 'anna', 'project-a', ('member', 'reader')),
        Identity('tok-ro', 'rob', 'project-a', ('reader',)),
        Identity('tok-bob', 'bob', 'project-b', ('member', 'reader')),
        Identity('tok-admin', 'admin', 'project-admin', ('admin', 'member', 'reader')),
    )
}
_BY_TOKEN = {identity.token: identity for identity in IDENTITIES.values()}


class TenantsFilter:
    """Put the identity of the token into the request. Without one, Glance itself answers 401."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for header in IDENTITY_HEADERS:
            environ.pop(header, None)
        identity = _BY_TOKEN.get(environ.get('HTTP_X_AUTH_TOKEN', ''))
        if identity is not None:
            environ['HTTP_X_USER_ID'] = identity.user_id
            environ['HTTP_X_TENANT_ID'] = identity.project_id
            environ['HTTP_X_PROJECT_ID'] = identity.project_id
            environ['HTTP_X_ROLES'] = ','.join(identity.roles)
            environ['HTTP_X_IDENTITY_STATUS'] = 'Confirmed'
        return self.app(environ, start_response)
