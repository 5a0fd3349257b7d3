# SPDX-License-Identifier: Apache-2.0
"""The user's own image service, as a suite gets to it: who calls, and where to.

From ``OS_TOKEN`` and ``OS_IMAGE_ENDPOINT_OVERRIDE``, from ``OS_AUTH_URL`` with a token or a password, or from
``OS_CLOUD`` and clouds.yaml where openstacksdk is installed. A URL without any of these is a Glance without
authentication. Everything heavy is imported on use.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg

from nova_image import driver as drivers
from nova_image import errors, options
from nova_image.driver import ImageDriver
from nova_image.testing.contexts import Context


class NoCloud(Exception):
    """There is no way to the user's image service; the text says what is missing."""


@dataclass(frozen=True)
class Cloud:
    """A caller, and the driver of the service."""

    context: Context
    driver: ImageDriver
    where: str


def reach(target: str) -> Cloud:
    """The service that ``target`` names: a URL, the name of a driver, or '' for what is configured.

    :raises NoCloud: neither a token nor an address, or nothing to log in to
    """
    url = target if '://' in target else ''
    try:
        token, project, user, roles, found = _identity()
    except NoCloud:
        raise
    except Exception as error:  # also of files, of clouds.yaml, and bare ones of keystoneauth
        raise NoCloud(f'nobody can be logged in as the environment says: {error}') from error
    url = url or os.environ.get('OS_IMAGE_ENDPOINT_OVERRIDE', '') or found
    conf = cfg.ConfigOpts()
    conf([], project='nova-image-equivalence')
    options.register(conf)
    if url:
        conf.set_override('api_servers', [url], group='glance')
    conf.set_override('auth_strategy', 'keystone' if token else 'noauth', group='api')
    name = target if target and '://' not in target else 'glance'
    if name == 'glance' and not url and not token:
        raise NoCloud(
            'no image service to go to: set OS_CLOUD, or OS_AUTH_URL and the rest, or OS_TOKEN and '
            'OS_IMAGE_ENDPOINT_OVERRIDE, or say --nova-image-equivalence=URL'
        )
    context = Context(user, project, token, is_admin=not token or 'admin' in roles, roles=roles)
    try:
        made = drivers.build(conf, name)
    except errors.NovaException as error:
        raise NoCloud(f'--nova-image-equivalence={target}: {error}') from error
    return Cloud(context, made, f'{name} at {url or "the configured place"}')


_Identity = tuple[str | None, str | None, str | None, tuple[str, ...], str]


def _identity() -> _Identity:
    """Token, project, user, roles and address of the image service; Nones where nobody has to say who they are."""
    environ = os.environ
    if environ.get('OS_CLOUD'):
        try:
            from openstack import config
        except ImportError:
            raise NoCloud('OS_CLOUD is set, and clouds.yaml is read by openstacksdk: pip install openstacksdk') from None
        return _asked(config.OpenStackConfig().get_one(environ['OS_CLOUD']).get_session())
    if environ.get('OS_AUTH_URL'):
        from keystoneauth1 import loading, session

        kind = environ.get('OS_AUTH_TYPE') or ('token' if environ.get('OS_TOKEN') else 'password')
        loader: Any = loading.get_plugin_loader(kind)
        given = {}
        for option in loader.get_options():
            names = (option.dest, *(each.dest for each in option.deprecated))
            value = next((environ[f'OS_{n.upper()}'] for n in names if environ.get(f'OS_{n.upper()}')), None)
            if value is not None:
                given[option.dest] = value
        auth = loader.load_from_options(**given)
        return _asked(session.Session(auth=auth, verify=environ.get('OS_CACERT') or True))
    return environ.get('OS_TOKEN'), environ.get('OS_PROJECT_ID'), environ.get('OS_USER_ID'), (), ''


def _asked(session: Any) -> _Identity:
    region = os.environ.get('OS_REGION_NAME')
    url = session.get_endpoint(service_type='image', interface=os.environ.get('OS_INTERFACE', 'public'), region_name=region)
    if not hasattr(session.auth, 'get_access'):  # none, admin_token: there is no Keystone to tell more
        from keystoneauth1 import noauth

        token = None if isinstance(session.auth, noauth.NoAuth) else session.get_token()
        return token, None, None, (), (url or '').rstrip('/')
    access = session.auth.get_access(session)
    return access.auth_token, access.project_id, access.user_id, tuple(access.role_names), (url or '').rstrip('/')
