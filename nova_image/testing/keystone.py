# SPDX-License-Identifier: Apache-2.0
"""A real Keystone on loopback, with the projects and users that image tests need.

Needs the ``glance`` extra. The bootstrapped state (database and keys) is cached per user and version;
its passwords protect nothing, as the server listens on loopback and ends with the test.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from nova_image.testing.contexts import Context, ImageContexts, context_of
from nova_image.testing.processes import WebProcess, prepared, run_tool
from nova_image.testing.running import RunningServer
from nova_image.testing.tenants_filter import Identity

PASSWORD = 'nova-image-testing'
REGION = 'RegionOne'

#: user -> (project, roles). ``admin`` comes from the bootstrap.
USERS = {
    'member': ('project-a', ('member',)),
    'teammate': ('project-a', ('member',)),
    'stranger': ('project-b', ('member',)),
    'glance': ('service', ('admin', 'service')),
    'nova': ('service', ('service',)),
}

_MANAGE = 'from keystone.cmd.manage import main; main()'

#: A change of what the cached state holds gets a new number.
_CACHE_FORMAT = 1

_CONFIG = """
[DEFAULT]
log_file = {root}/keystone.log
[database]
connection = sqlite:///{root}/keystone.sqlite
sqlite_synchronous = false
[fernet_tokens]
key_repository = {root}/fernet
[credential]
key_repository = {root}/credential
[identity]
password_hash_rounds = 4
[cache]
enabled = false
[token]
expiration = 86400
"""


class KeystoneServer(RunningServer):
    """A Keystone that lives as long as the ``with`` block.

    Projects ``project-a`` and ``project-b``; users ``member`` and ``teammate`` in the first, ``stranger``
    in the second, ``admin`` in ``admin``, the service users ``glance`` and ``nova``.
    """

    service = 'keystone'

    def __init__(self, *, threads: int = 4) -> None:
        super().__init__(threads)
        self._identities: dict[str, Identity] = {}

    def __repr__(self) -> str:
        return f'<KeystoneServer {self.url if self._web else "stopped"}>'

    def _needs(self) -> tuple[str, ...]:
        return ('keystone', 'gunicorn', 'keystoneauth1')

    def _begin(self, root: Path) -> None:
        import importlib.metadata

        version = importlib.metadata.version('keystone')
        state = prepared(f'keystone-{version}-{_CACHE_FORMAT}', _bootstrap)
        shutil.copytree(state, root, dirs_exist_ok=True)
        self._web = _serve(root, self._threads)
        self._set_endpoint('identity', f'{self.url}/v3')

    def stop(self) -> None:
        """End the server and remove its directory."""
        super().stop()
        self._identities.clear()

    @property
    def auth_url(self) -> str:
        """What keystoneauth calls ``auth_url``."""
        return f'{self.url}/v3'

    def auth(self, user: str) -> Any:
        """Give the keystoneauth plug-in (v3 password) of a user of :data:`USERS`, or ``admin``."""
        from keystoneauth1.identity import v3

        project = 'admin' if user == 'admin' else USERS[user][0]
        return v3.Password(
            auth_url=self.auth_url,
            username=user,
            password=PASSWORD,
            user_domain_id='default',
            project_name=project,
            project_domain_id='default',
        )

    def identity(self, user: str) -> Identity:
        """Log a user in; the token is kept, so asking again costs nothing."""
        if user not in self._identities:
            access = self.auth(user).get_access(_session())
            self._identities[user] = Identity(
                access.auth_token, access.user_id, access.project_id, tuple(access.role_names)
            )
        return self._identities[user]

    def context(self, user: str) -> Context:
        """Make the context of a user, with the token and the service catalogue."""
        context = context_of(self.identity(user))
        catalogue = self.auth(user).get_access(_session()).service_catalog.catalog
        context.service_catalog = tuple(catalogue)
        return context

    def contexts(self) -> ImageContexts:
        """Give the four callers of an image test."""
        names = ('member', 'teammate', 'stranger', 'admin')
        return ImageContexts(*(context_of(self.identity(name)) for name in names))

    def authtoken_section(self) -> str:
        """Give the configuration with which a service checks tokens here."""
        return (
            f'\n[keystone_authtoken]\nwww_authenticate_uri = {self.url}\nauth_url = {self.auth_url}\n'
            f'auth_type = password\nusername = glance\npassword = {PASSWORD}\nproject_name = service\n'
            f'user_domain_id = default\nproject_domain_id = default\nregion_name = {REGION}\n'
            f'service_token_roles_required = true\n'
        )

    def set_image_endpoint(self, url: str) -> None:
        """Let the catalogue name ``url`` for the service type ``image``."""
        self._set_endpoint('image', url)

    def _set_endpoint(self, service_type: str, url: str) -> None:
        """Change the URL in the database: no cache is configured, so it holds from the next token on."""
        import sqlite3

        connection = sqlite3.connect(self.root / 'keystone.sqlite', timeout=10)
        try:
            with connection:
                connection.execute(
                    'UPDATE endpoint SET url = ? WHERE service_id IN '
                    '(SELECT id FROM service WHERE type = ?)',
                    (url, service_type),
                )
        finally:
            connection.close()


def _session(auth: Any = None) -> Any:
    """Give a keystoneauth session that no proxy setting leads away from loopback."""
    import requests
    from keystoneauth1 import session

    direct = requests.Session()
    direct.trust_env = False
    return session.Session(auth=auth, session=direct)


def _configure(root: Path) -> str:
    config = root / 'keystone.conf'
    config.write_text(_CONFIG.format(root=root), encoding='utf-8')
    return str(config)


def _serve(root: Path, threads: int) -> WebProcess:
    _configure(root)
    web = WebProcess('keystone', 'keystone.wsgi.api:application', root, threads=threads)
    env = {'OS_KEYSTONE_CONFIG_DIR': str(root), 'OS_KEYSTONE_CONFIG_FILES': 'keystone.conf'}
    web.start(env, ready_path='/v3')
    return web


def _bootstrap(root: Path) -> None:
    """Fill a directory with database and keys."""
    config = _configure(root)
    for name in ('fernet', 'credential'):
        (root / name).mkdir(mode=0o700)
    owner = ('--keystone-user', str(os.getuid()), '--keystone-group', str(os.getgid()))
    run_tool(_MANAGE, '--config-file', config, 'db_sync')
    run_tool(_MANAGE, '--config-file', config, 'fernet_setup', *owner)
    run_tool(_MANAGE, '--config-file', config, 'credential_setup', *owner)
    run_tool(
        _MANAGE, '--config-file', config, 'bootstrap',
        '--bootstrap-password', PASSWORD, '--bootstrap-username', 'admin',
        '--bootstrap-project-name', 'admin', '--bootstrap-region-id', REGION,
        '--bootstrap-public-url', 'http://127.0.0.1/v3',
        '--bootstrap-internal-url', 'http://127.0.0.1/v3',
        '--bootstrap-admin-url', 'http://127.0.0.1/v3',
    )  # fmt: skip
    web = _serve(root, 2)
    try:
        _populate(f'http://127.0.0.1:{web.port}/v3')
    finally:
        web.stop()
    for log in root.glob('*.log'):
        log.unlink()


def _populate(auth_url: str) -> None:
    """Create projects, users, roles and the image service over Keystone's own API."""
    from keystoneauth1.identity import v3

    auth = v3.Password(
        auth_url=auth_url, username='admin', password=PASSWORD, user_domain_id='default',
        project_name='admin', project_domain_id='default',
    )  # fmt: skip
    admin = _session(auth)

    def post(path: str, kind: str, **body: Any) -> str:
        answer = admin.post(f'{auth_url}/{path}', json={kind: body})
        return str(answer.json()[kind]['id'])

    roles = {role['name']: role['id'] for role in admin.get(f'{auth_url}/roles').json()['roles']}
    projects: dict[str, str] = {}
    for user, (project, names) in USERS.items():
        if project not in projects:
            projects[project] = post('projects', 'project', name=project, domain_id='default')
        user_id = post('users', 'user', name=user, password=PASSWORD, domain_id='default')
        for name in names:
            if name not in roles:
                roles[name] = post('roles', 'role', name=name)
            admin.put(f'{auth_url}/projects/{projects[project]}/users/{user_id}/roles/{roles[name]}')
    service = post('services', 'service', name='glance', type='image')
    for interface in ('public', 'internal', 'admin'):
        post(
            'endpoints', 'endpoint', service_id=service, interface=interface, region_id=REGION,
            url='http://127.0.0.1/image',
        )  # fmt: skip
