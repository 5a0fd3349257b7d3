# SPDX-License-Identifier: Apache-2.0
"""The plug-in in runs of its own: the suite on a local store and on a cloud that is left as it was; fixtures; the marker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from legacy.equivalence.owned import OwnedDriver
from nova_image import errors
from nova_image.driver import ImageDriver
from nova_image.testing.configuration import make_conf

if TYPE_CHECKING:
    from nova_image.testing.keystone import KeystoneServer
    from nova_image.testing.servers import GlanceServer

BASE = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-p', 'no:logging']


def run(directory: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BASE, *arguments], cwd=directory, env={**os.environ, **env}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


def test_loading_it_imports_nothing_of_weight() -> None:
    script = (
        'import sys, pytest\nbefore = set(sys.modules)\nimport legacy.equivalence.pytest_plugin\n'
        "heavy = ('glanceclient', 'keystoneauth1', 'requests', 'oslo', 'hypothesis', 'nova_image.api')\n"
        'print(*[name for name in set(sys.modules) - before if name.startswith(heavy)])\n'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ''


def test_the_suite_says_first_what_it_will_do(tmp_path: Path) -> None:
    done = run(tmp_path, '-rA', '--nova-image-equivalence=local', '--nova-image-programs=3')
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.index('deletes exactly those')
    assert said < done.stdout.index('test_an_old_call_equals_its_rewrite_on_your_image_service')


def test_without_a_way_to_a_service_it_says_what_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, '--nova-image-equivalence')
    assert done.returncode == 1 and 'OS_CLOUD' in done.stdout


@pytest.mark.parametrize(
    ('target', 'told'),
    [
        pytest.param('http://127.0.0.1:1', 'glance at http://127.0.0.1:1 does not answer: ', marks=pytest.mark.slow),
        ('nonesuch', '--nova-image-equivalence=nonesuch: '),
        ('', 'nobody can be logged in as the environment says: '),
    ],
)
def test_a_service_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path, target: str, told: str) -> None:
    login = {'OS_AUTH_URL': 'http://127.0.0.1:1/v3', 'OS_USERNAME': 'x', 'OS_PASSWORD': 'hush', 'OS_PROJECT_NAME': 'x'}
    done = run(tmp_path, f'--nova-image-equivalence={target}', **({} if target else login))
    assert done.returncode == 1 and f'\n{told}' in done.stdout, done.stdout
    assert 'hush' not in done.stdout


def test_an_interrupted_request_is_asked_about_again_and_others_are_not() -> None:
    asked: list[str] = []

    class Service(ImageDriver):
        def create(self, context: Any, image_info: Any, data: Any = None, **given: Any) -> Any:
            assert image_info['visibility'] == 'private'
            if data:
                raise data
            return {}

        def delete(self, context: Any, image_id: str, **given: Any) -> bool:
            asked.append(image_id)
            raise errors.ImageNotFound(image_id=image_id)

        list = show = update = download = None  # type: ignore[assignment]

    owned = OwnedDriver(Service(make_conf()))
    for error in (None, errors.Invalid(), KeyboardInterrupt(), errors.GlanceConnectionFailed()):
        with contextlib.suppress(KeyboardInterrupt, errors.NovaException):
            owned.create(None, {'is_public': True}, error)
    assert owned.clean(None) == owned.clean(None) == ()
    assert len(asked) == 4 + 2
    assert not owned.is_settled


def test_without_openstacksdk_it_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / 'openstack.py').write_text("raise ImportError('not here')\n")
    done = run(tmp_path, '--nova-image-equivalence', OS_CLOUD='mine', PYTHONPATH=str(tmp_path))
    assert done.returncode == 1 and 'pip install openstacksdk' in done.stdout
    assert 'not here' not in done.stdout and 'another exception' not in done.stdout


def test_the_fixtures_lead_both_paths_to_stores_of_their_own(tmp_path: Path) -> None:
    (tmp_path / 'test_mine.py').write_text(
        'import pytest\n'
        "META = {'name': 'mine', 'disk_format': 'raw', 'container_format': 'bare'}\n"
        "@pytest.mark.filterwarnings('ignore::DeprecationWarning')\n"
        'def test_it(twin_stores, legacy_image, image_api):\n'
        '    who = twin_stores.context\n'
        '    old = legacy_image.get_default_image_service()\n'
        '    made = old.create(who, META)\n'
        "    assert old.show(who, made['id'])['name'] == 'mine'\n"
        '    assert image_api.get_all(who) == []\n'
        "    assert image_api.create(who, META)['tags']\n"
    )
    done = run(tmp_path, 'test_mine.py')
    assert done.returncode == 0, done.stdout + done.stderr


#: An old caller that asks for something else once its calls are rewritten, as a wrong migration does.
CALLER = '''
from legacy import glance


def backup(context, name='nightly'):
    service = glance.get_default_image_service()
    made = service.create(context, {'name': name, 'disk_format': 'raw', 'container_format': 'bare'}, b'bytes')
    return service.show(context, made['id'])


def astray(context):
    with open(__file__) as source:
        service = glance.get_default_image_service()
        return service.create(context, {'name': 'new' if 'nova_' + 'image' in source.read() else 'old'})
'''
MARKED = '''
import os
import types

import caller
import pytest

CONTEXT = types.SimpleNamespace(auth_token='token', project_id='p', user_id='u', is_admin=False, roles=['member'])


@pytest.fixture
def where():
    assert os.environ['NOVA_IMAGE_RECORDING']  # set up in the two runs, and nowhere else
    return CONTEXT


@pytest.mark.both_image_paths
@pytest.mark.parametrize('name', ['one'])
def test_backup(where, name):
    assert caller.backup(where, name)['name'] == name


@pytest.mark.both_image_paths('caller.py')
class TestMore:
    def test_astray(self):
        caller.astray(CONTEXT)

    @pytest.mark.skip(reason='a test of a user that is skipped is skipped on both paths, see below')
    def test_skipped(self):
        raise AssertionError


@pytest.mark.both_image_paths('elsewhere.py')
def test_lost():
    raise AssertionError
'''


def test_a_marked_test_runs_once_per_path_and_fails_where_they_differ(tmp_path: Path) -> None:
    (tmp_path / 'caller.py').write_text(CALLER)
    (tmp_path / 'test_marked.py').write_text(MARKED)
    done = run(tmp_path, '-rA', '--strict-markers')
    said = done.stdout
    assert '2 failed, 1 passed, 1 skipped' in said, said + done.stderr
    assert 'PASSED test_marked.py::test_backup[one]' in said and '2 image operations equal' in said
    assert 'caller.py:14: create differs in arguments.image_info.fields.name: old "old", new "new"' in said
    assert 'likely entry: GlanceImageService.create' in said and 'TestMore::test_astray' in said
    assert 'both_image_paths: elsewhere.py does not exist' in said


def _login(keystone: KeystoneServer) -> dict[str, str]:
    from nova_image.testing.keystone import PASSWORD

    return {
        'OS_AUTH_URL': keystone.auth_url, 'OS_USERNAME': 'member', 'OS_PASSWORD': PASSWORD,
        'OS_PROJECT_NAME': 'project-a', 'OS_USER_DOMAIN_ID': 'default', 'OS_PROJECT_DOMAIN_ID': 'default',
    }  # fmt: skip


@pytest.fixture
def cloud(glance_keystone: GlanceServer, keystone_server: KeystoneServer) -> Any:
    """A real Glance with an image of the user's, and what an administrator sees of it."""
    from nova_image import API
    from nova_image.testing.configuration import glance_conf

    glance_keystone.reset()
    api = API(conf=glance_conf(glance_keystone))
    who = keystone_server.contexts()
    api.create(who.member, {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare'}, b'precious')

    def look(only_ids: bool = False) -> list[Any]:
        records = api.get_all(who.admin)
        if only_ids:
            return [record['id'] for record in records]
        return [(record, b''.join(api.download(who.admin, record['id']) or ())) for record in records]

    return look


@pytest.mark.glance
def test_a_cloud_is_afterwards_as_it_was(tmp_path: Path, cloud: Any, keystone_server: KeystoneServer) -> None:
    before = cloud()
    done = run(tmp_path, '--nova-image-equivalence', '--nova-image-programs=8', **_login(keystone_server))
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud() == before and len(before) == 1


@pytest.mark.glance
def test_a_cloud_of_clouds_yaml_is_afterwards_as_it_was(
    tmp_path: Path, cloud: Any, keystone_server: KeystoneServer
) -> None:
    pytest.importorskip('openstack', reason='clouds.yaml is read by openstacksdk, which is not a dependency')
    login = {name[3:].lower(): value for name, value in _login(keystone_server).items()}
    (tmp_path / 'clouds.yaml').write_text(json.dumps({'clouds': {'mine': {'auth': login}}}))
    before = cloud()
    done = run(tmp_path, '--nova-image-equivalence', '--nova-image-programs=4', OS_CLOUD='mine')
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud() == before


@pytest.mark.glance
def test_tests_named_beside_the_option_run_on_the_cloud_and_leave_it_as_it_was(
    tmp_path: Path, cloud: Any, keystone_server: KeystoneServer
) -> None:
    (tmp_path / 'test_mine.py').write_text(
        "META = {'name': 'm', 'disk_format': 'raw', 'container_format': 'bare', 'protected': True, 'is_public': True}\n"
        'def test_new(image_api, twin_stores):\n'
        "    made = image_api.create(twin_stores.context, META, b'abc')\n"
        "    image_api.update(twin_stores.context, made['id'], {'protected': True, 'visibility': 'public'})\n"
        "    assert made['stores'] == 'fast'\n    assert made['visibility'] == 'public'\n"
    )
    before = cloud()
    done = run(tmp_path, 'test_mine.py', '--nova-image-equivalence', '--nova-image-programs=1', **_login(keystone_server))
    assert "AssertionError: assert 'private' == 'public'" in done.stdout and '1 failed, 1 passed' in done.stdout
    assert cloud() == before


@pytest.mark.glance
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_cloud_is_as_it_was_after_an_interruption(
    tmp_path: Path, cloud: Any, keystone_server: KeystoneServer, number: int
) -> None:
    before = cloud()
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child in the background would ignore it
    process = subprocess.Popen(
        [*BASE, '--nova-image-equivalence', '--nova-image-programs=5000'], cwd=tmp_path,
        env={**os.environ, **_login(keystone_server)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, ours)
    try:
        deadline = time.monotonic() + 180
        while len(cloud(only_ids=True)) == len(before) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        said, _ = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 2 and 'KeyboardInterrupt' in said, said
    assert cloud() == before
