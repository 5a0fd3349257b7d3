# SPDX-License-Identifier: Apache-2.0
"""The servers that this package ships: they start, keep apart, start over, and end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from nova_image import API
from nova_image.testing import processes
from nova_image.testing.configuration import glance_conf, make_conf
from nova_image.testing.contexts import ImageContexts
from nova_image.testing.processes import ServerError, WebProcess
from nova_image.testing.servers import GlanceServer, KeystoneServer

RAW = {'disk_format': 'raw', 'container_format': 'bare'}


def fetch(url: str, token: str = '') -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={'X-Auth-Token': token})) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read()


@pytest.mark.glance
def test_a_reset_empties_database_and_store_at_once(glance_tenants: GlanceServer, image_contexts: ImageContexts) -> None:
    api = API(conf=glance_conf(glance_tenants))
    image = api.create(image_contexts.member, {'properties': {'a': 'b'}, 'tags': ['t'], **RAW}, b'bytes')
    assert glance_tenants.stored_file(image['id']).read_bytes() == b'bytes'
    glance_tenants.inject([{'status': '500 Oops', 'times': -1}])
    started = time.perf_counter()
    glance_tenants.reset()
    assert time.perf_counter() - started < 1
    assert api.get_all(image_contexts.admin) == []
    assert list(glance_tenants.store_directory.iterdir()) == []
    # The id is free again: nothing of the image is left.
    assert api.create(image_contexts.member, {'id': image['id']})['properties'] == {}


@pytest.mark.glance
def test_only_known_tokens_are_let_in(glance_tenants: GlanceServer) -> None:
    assert fetch(f'{glance_tenants.url}/v2/images', 'tok-alice')[0] == 200
    assert fetch(f'{glance_tenants.url}/v2/images', 'unknown')[0] == 401
    assert fetch(f'{glance_tenants.url}/v2/images')[0] == 401


@pytest.mark.glance
def test_what_crosses_the_wire_is_recorded(glance_tenants: GlanceServer) -> None:
    glance_tenants.reset()
    glance_tenants.record()
    fetch(f'{glance_tenants.url}/v2/images?name=x', 'tok-bob')
    (exchange,) = glance_tenants.exchanges(clear=True)
    assert (exchange['path'], exchange['query_string']) == ('/v2/images', 'name=x')
    assert exchange['response']['status'] == 200
    assert glance_tenants.exchanges() == []


@pytest.mark.glance
def test_keystone_knows_its_users_and_where_glance_is(
    keystone_server: KeystoneServer, glance_keystone: GlanceServer
) -> None:
    context = keystone_server.context('member')
    images = [entry for entry in context.service_catalog if entry['type'] == 'image']
    assert {endpoint['url'] for endpoint in images[0]['endpoints']} == {glance_keystone.url}
    status, content = fetch(f'{glance_keystone.url}/v2/images', context.auth_token or '')
    assert status == 200 and 'images' in json.loads(content)
    # No server is configured: the catalogue leads there.
    image = API(conf=make_conf()).create(context, {'name': 'by catalogue'})
    assert image['owner'] == context.project_id
    contexts = keystone_server.contexts()
    assert contexts.member.project_id == contexts.teammate.project_id != contexts.stranger.project_id
    assert [context.is_admin for context in contexts] == [False, False, False, True]


@pytest.mark.glance
def test_a_stopped_server_leaves_no_process_no_port_and_no_directory() -> None:
    server = GlanceServer()
    server.start()
    root, port, web = server.root, server.port, server._web
    assert web is not None and web.pid is not None
    pid = web.pid
    server.stop()
    assert not root.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port), timeout=5).close()
    server.stop()


@pytest.mark.glance
def test_a_server_ends_and_cleans_up_when_its_starter_was_killed() -> None:
    script = (
        'import os\n'
        'from nova_image.testing.servers import GlanceServer\n'
        'server = GlanceServer()\n'
        'server.start()\n'
        'print(server._web.pid, server.root, flush=True)\n'
        'os.kill(os.getpid(), 9)\n'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=False)
    pid, root = done.stdout.split()
    deadline = time.monotonic() + 15
    while (Path(root).exists() or Path(f'/proc/{pid}').exists()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(root).exists()
    assert not Path(f'/proc/{pid}').exists()


def test_a_server_that_is_not_running_says_so() -> None:
    with pytest.raises(ServerError, match='not running'):
        GlanceServer().url  # noqa: B018 - the property raises
    with pytest.raises(ServerError, match='not running'):
        KeystoneServer().url  # noqa: B018 - the property raises


def test_modes_are_checked() -> None:
    with pytest.raises(ServerError, match='unknown mode'):
        GlanceServer('other')  # type: ignore[arg-type]
    with pytest.raises(ServerError, match='both or neither'):
        GlanceServer('keystone')
    with pytest.raises(ServerError, match='both or neither'):
        GlanceServer('noauth', keystone=KeystoneServer())


@pytest.mark.glance
def test_a_server_that_dies_is_reported_with_its_log(tmp_path: Path) -> None:
    web = WebProcess('broken', 'no_such_module_here:application', tmp_path)
    with pytest.raises(ServerError, match='(?s)broken ended with exit code.*no_such_module_here'):
        web.start({})
    assert web.pid is None


def test_a_prepared_directory_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    built: list[Path] = []
    first = processes.prepared('x', built.append)
    assert processes.prepared('x', built.append) == first
    assert len(built) == 1 and first.is_dir()


def test_a_directory_that_failed_to_build_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))

    def fail(directory: Path) -> None:
        raise ServerError('no')

    with pytest.raises(ServerError):
        processes.prepared('x', fail)
    assert list(tmp_path.glob('*/*')) == []


def test_a_cache_that_others_may_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    place = tmp_path / f'nova-image-testing-{os.getuid()}'
    place.mkdir()
    place.chmod(0o777)
    assert processes.prepared('x', lambda directory: None).parent == tmp_path
    assert list(place.iterdir()) == []
