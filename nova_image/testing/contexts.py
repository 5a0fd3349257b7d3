# SPDX-License-Identifier: Apache-2.0
"""Callers: request contexts as plain objects, with the attributes that the API reads (C-202 to C-205).

Nova's own ``RequestContext`` works just as well; this one needs nothing installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from nova_image.testing.tenants_filter import IDENTITIES, Identity


@dataclass
class Context:
    """Who calls: a user in a project, with a token or without."""

    user_id: str | None = None
    project_id: str | None = None
    auth_token: str | None = None
    is_admin: bool = False
    roles: tuple[str, ...] = ()
    service_catalog: tuple[dict[str, Any], ...] = ()
    request_id: str | None = None

    @property
    def user(self) -> str | None:
        """The name that contexts of 2013 to 2015 used for ``user_id`` (C-029)."""
        return self.user_id

    @property
    def tenant(self) -> str | None:
        """The name that contexts of 2013 to 2015 used for ``project_id`` (C-029)."""
        return self.project_id


class ImageContexts(NamedTuple):
    """The four callers of a test."""

    #: an ordinary user
    member: Context
    #: another user of the same project
    teammate: Context
    #: a user of another project
    stranger: Context
    #: an administrator of a third project
    admin: Context


def context_of(identity: Identity) -> Context:
    """Make the context of somebody with a token."""
    return Context(
        user_id=identity.user_id,
        project_id=identity.project_id,
        auth_token=identity.token,
        is_admin=identity.is_admin,
        roles=identity.roles,
    )


def tenant_contexts() -> ImageContexts:
    """Give the callers whose tokens ``tenants_filter`` knows (and the local driver takes at their word)."""
    return ImageContexts(*(context_of(IDENTITIES[u]) for u in ('alice', 'anna', 'bob', 'admin')))


def tokenless_context(*, is_admin: bool = True) -> Context:
    """Give the nobody of a deployment without authentication; ``is_admin`` passes rule b.9 (C-080)."""
    return Context(user_id='nobody', project_id='noproject', is_admin=is_admin)
