# SPDX-License-Identifier: Apache-2.0
"""The way to the user's own service: slips are told in one line, and a service without Keystone is reached, too."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1 import noauth, session, token_endpoint

from legacy.equivalence.cloud import NoCloud, reach

WHERE = 'http://images.example:9292'
OS = ('CLOUD', 'AUTH_URL', 'AUTH_TYPE', 'TOKEN', 'USERNAME', 'PASSWORD', 'PROJECT_ID', 'USER_ID', 'CACERT',
      'IMAGE_ENDPOINT_OVERRIDE')  # fmt: skip


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in OS:
        monkeypatch.delenv(f'OS_{name}', raising=False)
    return monkeypatch


def _sdk(environ: pytest.MonkeyPatch, get_one: Any) -> None:
    """An openstacksdk whose clouds.yaml says what ``get_one`` says."""
    config = types.SimpleNamespace(OpenStackConfig=lambda: types.SimpleNamespace(get_one=get_one))
    environ.setitem(sys.modules, 'openstack', types.SimpleNamespace(config=config))
    environ.setenv('OS_CLOUD', 'mine')


def test_a_cloud_that_clouds_yaml_does_not_have_is_told_in_one_line(environ: pytest.MonkeyPatch) -> None:
    def get_one(name: str) -> Any:
        raise LookupError(f'Cloud {name} was not found.')

    _sdk(environ, get_one)
    with pytest.raises(NoCloud, match='nobody can be logged in as the environment says: .*Cloud mine was not found'):
        reach('')


@pytest.mark.parametrize(
    ('given', 'told'),
    [
        ({'PASSWORD': 'hush', 'USERNAME': 'me', 'CACERT': '/nonesuch'}, 'invalid path: /nonesuch'),
        ({}, 'password is a required attribute'),
    ],
)
def test_a_login_that_lacks_something_is_told_in_one_line(
    environ: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    environ.setenv('OS_AUTH_URL', 'https://127.0.0.1:1/v3')
    for name, value in given.items():
        environ.setenv(f'OS_{name}', value)
    with pytest.raises(NoCloud, match=told):
        reach('')


@pytest.mark.parametrize(
    ('auth', 'token'),
    [(noauth.NoAuth(endpoint=WHERE), None), (token_endpoint.Token(WHERE, 'of-the-administrator'), 'of-the-administrator')],
)
def test_a_service_without_keystone_is_reached(environ: pytest.MonkeyPatch, auth: Any, token: str | None) -> None:
    _sdk(environ, lambda name: types.SimpleNamespace(get_session=lambda: session.Session(auth=auth)))
    cloud = reach('')
    assert cloud.context.auth_token == token
    assert cloud.context.is_admin is (token is None)
    assert cloud.driver.conf.glance.api_servers == [WHERE]


@pytest.mark.parametrize('number', ['0', '-3', 'many'])
def test_a_number_of_programs_that_is_none_is_told_before_anything_runs(tmp_path: Path, number: str) -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '--nova-image-equivalence=local', f'--nova-image-programs={number}'],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 4 and f"'{number}' is no number of programs" in done.stderr
