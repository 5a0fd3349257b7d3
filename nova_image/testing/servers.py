# SPDX-License-Identifier: Apache-2.0
"""A real Glance on loopback: sqlite, a file store and an HTTP store, one gunicorn process.

Needs the ``glance`` extra. The prepared database is cached per user and version, so only the first
start pays for the migrations; ``reset()`` empties a running server in milliseconds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from nova_image.testing.blobs import BlobServer
from nova_image.testing.keystone import KeystoneServer
from nova_image.testing.processes import (
    ServerError,
    WebProcess,
    prepared,
    run_tool,
)
from nova_image.testing.recorder import CONTROL_PATH
from nova_image.testing.running import RunningServer
from nova_image.testing.tenants_filter import SWITCH

__all__ = ['GlanceServer', 'KeystoneServer', 'ServerError']

Mode = Literal['noauth', 'tenants', 'keystone']

_FLAVOR = {'noauth': '', 'tenants': 'tenants', 'keystone': 'keystone'}

_CONFIG = """
[DEFAULT]
bind_host = 127.0.0.1
bind_port = {port}
debug = false
enabled_backends = fast:file,web:http
log_file = {root}/glance.log
show_multiple_locations = true
node_staging_uri = file://{root}/staging
image_size_cap = 1099511627776
[database]
connection = sqlite:///{root}/glance.sqlite
sqlite_synchronous = false
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = {root}/images
[paste_deploy]
flavor = {flavor}
config_file = {root}/etc/glance-api-paste.ini
[oslo_policy]
policy_file = {root}/etc/policy.yaml
{scopes}
[import_filtering_opts]
allowed_ports = [80,443,{blobs_port}]
allowed_hosts = [127.0.0.1]
"""

#: Without authentication everyone is the same nobody, so nobody is an administrator: open what they may do.
_NOAUTH_POLICY = """
"publicize_image": ""
"communitize_image": ""
"add_image_location": ""
"fetch_image_location": ""
"deactivate": ""
"reactivate": ""
"copy_image": ""
"""

_TENANTS_PIPELINE = 'cors http_proxy_to_wsgi versionnegotiation osprofiler context rootapp'


class GlanceServer(RunningServer):
    """A Glance that lives as long as the ``with`` block.

    :param mode: ``noauth``: no authentication, every caller is the same nobody; ``tenants``: the tokens
        of ``tenants_filter.IDENTITIES``, default policies; ``keystone``: tokens of ``keystone``
    :param keystone: a running :class:`KeystoneServer`, for the mode of that name; its catalogue then
        names this Glance
    """

    service = 'glance'

    def __init__(
        self, mode: Mode = 'noauth', *, keystone: KeystoneServer | None = None, threads: int = 4
    ) -> None:
        if mode not in _FLAVOR:
            raise ServerError(f'unknown mode {mode!r}; there are {", ".join(_FLAVOR)}')
        if (mode == 'keystone') != (keystone is not None):
            raise ServerError(f'mode {mode!r} with keystone={keystone!r}: give both or neither')
        self.mode: Mode = mode
        self.keystone = keystone
        self.blobs = BlobServer()
        super().__init__(threads)

    # -- life -------------------------------------------------------------------------------------

    def _needs(self) -> tuple[str, ...]:
        return ('glance', 'gunicorn', *(['keystonemiddleware'] if self.keystone else []))

    def _begin(self, root: Path) -> None:
        for name in ('etc', 'images', 'staging'):
            (root / name).mkdir()
        self.blobs.start()
        self._web = WebProcess(
            'glance', 'nova_image.testing.glance_app:application', root, threads=self._threads
        )
        self._write_configuration(root)
        shutil.copyfile(_pristine_database(), root / 'glance.sqlite')
        env = {
            'OS_GLANCE_CONFIG_DIR': str(root / 'etc'),
            'OS_GLANCE_CONFIG_FILES': 'glance-api.conf',
            SWITCH: '1' if self.mode == 'tenants' else '',
        }
        self._web.start(env)
        if self.keystone is not None:
            self.keystone.set_image_endpoint(self.url)

    def _write_configuration(self, root: Path) -> None:
        scopes = 'enforce_scope = false\nenforce_new_defaults = false'
        config = _CONFIG.format(
            port=self.port,
            root=root,
            flavor=_FLAVOR[self.mode],
            # With a real Keystone, Glance's own defaults hold.
            scopes='' if self.keystone else scopes,
            blobs_port=self.blobs.port,
        )
        if self.keystone is not None:
            config += self.keystone.authtoken_section()
        (root / 'etc' / 'glance-api.conf').write_text(config, encoding='utf-8')
        policy = _NOAUTH_POLICY if self.mode == 'noauth' else '{}\n'
        (root / 'etc' / 'policy.yaml').write_text(policy, encoding='utf-8')
        paste = _installed_paste_file().read_text(encoding='utf-8')
        paste = paste.replace(
            '[composite:api]\n', f'[composite:api]\ntenants = {_TENANTS_PIPELINE}\n'
        )
        paste += (
            '\n[composite:glance-api-tenants]\n'
            'paste.composite_factory = glance.api:root_app_factory\n'
            '/: api\n/healthcheck: healthcheck\n'
        )
        (root / 'etc' / 'glance-api-paste.ini').write_text(paste, encoding='utf-8')

    def stop(self) -> None:
        """End the server and remove its directory."""
        super().stop()
        self.blobs.stop()

    # -- what tests ask -----------------------------------------------------------------------------

    @property
    def store_directory(self) -> Path:
        """Where the store ``fast`` keeps its files."""
        return self.root / 'images'

    def stored_file(self, image_id: str) -> Path:
        """The file with an image's bytes in the store ``fast``."""
        return self.store_directory / image_id

    def log_tail(self, lines: int = 40) -> str:
        """Give the end of the server's logs."""
        return self._running.log_tail(lines)

    def reset(self) -> None:
        """Put the server back to empty: no image, task or stored file; no fault, no record."""
        import sqlite3

        connection = sqlite3.connect(self.root / 'glance.sqlite', timeout=10)
        try:
            connection.execute('PRAGMA synchronous = OFF')
            tables = [
                name
                for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if name.startswith(('image', 'task', 'cached_image'))
            ]
            with connection:
                for table in tables:
                    connection.execute(f'DELETE FROM "{table}"')
        finally:
            connection.close()
        for directory in (self.store_directory, self.root / 'staging'):
            for entry in os.scandir(directory):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)
        self.inject(())
        self.record(False)

    # -- the recorder in front ------------------------------------------------------------------------

    def record(self, on: bool = True) -> None:
        """Start writing down exchanges (from nothing), or stop and forget them."""
        self._control('record', on)

    def exchanges(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Give what was recorded, in order of arrival.

        Each has ``method``, ``path`` (as sent, percent-encoded), ``query_string``, ``headers``, ``body``,
        ``injected`` and ``response`` (``status``, ``reason``, ``headers``, ``body``; None while it is under
        way). Bodies: None, ``{'base64': text}``, or ``{'digest': {'size', 'md5'}}`` above 64 KiB.
        """
        exchanges: list[dict[str, Any]] = self._control('exchanges', 'clear' if clear else None)
        return exchanges

    def inject(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Answer coming requests in Glance's place. Replaces faults that were not used up.

        A fault has ``status`` (``'503 Service Unavailable'``), ``body`` (text), ``type`` (content type),
        optionally ``headers`` (pairs), ``method``, ``contains`` (part of path and query) and ``times``
        (how many requests it answers; 1 by default, negative for all).
        """
        self._control('faults', [dict(fault) for fault in faults])

    def _control(self, name: str, sent: object) -> Any:
        import http.client
        import json

        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        try:
            body = json.dumps(sent).encode('ascii')
            connection.request('POST', f'{CONTROL_PATH}/{name}', body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ServerError(f'{name}: {answer.status} {content.decode("utf-8", "replace")}')
        return json.loads(content)


def _installed_paste_file() -> Path:
    """Find the paste configuration that the ``glance`` distribution installs below its prefix."""
    import importlib.metadata
    import sys

    for file in importlib.metadata.files('glance') or ():
        if file.name == 'glance-api-paste.ini':
            found = Path(str(file.locate())).resolve()
            if found.is_file():
                return found
    found = Path(sys.prefix) / 'etc' / 'glance' / 'glance-api-paste.ini'
    if not found.is_file():
        raise ServerError(f'glance is installed, but without its paste configuration ({found})')
    return found


def _pristine_database() -> Path:
    """Give an empty, migrated database; made once per user and Glance version."""
    import importlib.metadata

    return prepared(f'glance-{importlib.metadata.version("glance")}', _migrate) / 'glance.sqlite'


def _migrate(directory: Path) -> None:
    config = directory / 'glance.conf'
    config.write_text(
        f'[database]\nconnection = sqlite:///{directory}/glance.sqlite\n', encoding='utf-8'
    )
    run_tool('from glance.cmd.manage import main; main()', '--config-file', str(config), 'db_sync')
