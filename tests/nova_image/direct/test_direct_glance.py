# SPDX-License-Identifier: Apache-2.0
"""Past a real Glance with a file store that shows its locations, signed images included."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('cursive', reason='the extra signatures is not installed')

import signing_kit
from signing_kit import Party

from legacy import glance as old
from nova_image import API, errors
from nova_image.direct import mounts
from nova_image.testing.configuration import glance_conf

pytestmark = [pytest.mark.glance, pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')]
CTX = SimpleNamespace(auth_token=None, is_admin=True, project_id='p', user_id='u', roles=['admin'])
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}
DATA = random.Random(13).randbytes(200_000)


@pytest.fixture
def api(glance_server: Any) -> API:
    conf = glance_conf(glance_server, glance__allowed_direct_url_schemes=['file'])
    glance_server.reset()
    return API(conf=conf)


def requested(glance_server: Any) -> list[str]:
    return [one['path'] for one in glance_server.exchanges(clear=True) if one['path'].endswith('/file')]


@pytest.mark.contract('C-138', 'C-139', 'C-140')
def test_an_image_is_copied_from_the_store_and_a_damaged_one_is_not(
    api: API, glance_server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made, target = api.create(CTX, dict(META), io.BytesIO(DATA)), tmp_path / 'target'
    caplog.set_level('INFO')
    glance_server.record()
    try:
        assert api.download(CTX, made['id'], dest_path=target) is None
        assert target.read_bytes() == DATA
        assert 'Successfully transferred using file' in caplog.text
        assert requested(glance_server) == []
        stored = glance_server.stored_file(made['id'])
        stored.chmod(0o600)
        stored.write_bytes(b'x' + DATA[1:])
        with pytest.raises(errors.ImageCorrupt):
            api.download(CTX, made['id'], dest_path=target)
        assert len(requested(glance_server)) == 1
        assert target.read_bytes() == DATA
        assert os.listdir(tmp_path) == ['target']
    finally:
        glance_server.record(False)


@pytest.mark.contract('C-304')
def test_a_signature_is_verified_here_as_well(api: API, glance_server: Any, tmp_path: Path) -> None:
    with signing_kit.in_use():
        root = Party('root', signs_others=True)
        signer, target = Party('signer', root), tmp_path / 'target'
        trusted = SimpleNamespace(ids=[root.id])
        good, bad = (api.create(CTX, dict(META), DATA)['id'] for _ in range(2))
        for image, signed in ((good, DATA), (bad, b'another')):  # afterwards: Glance has no key manager to ask
            api.update(CTX, image, {'properties': signer.signed(signed)})
        glance_server.record()
        try:
            api.download(CTX, good, dest_path=target, trusted_certs=trusted)
            assert (target.read_bytes(), requested(glance_server)) == (DATA, [])
            with pytest.raises(errors.SignatureVerificationError):
                api.download(CTX, bad, dest_path=target, trusted_certs=trusted)
            assert target.read_bytes() == DATA
            with pytest.raises(errors.CertificateValidationFailed):
                api.download(CTX, good, dest_path=target, trusted_certs=SimpleNamespace(ids=['nobody']))
        finally:
            glance_server.record(False)


@pytest.mark.contract('C-153')
def test_a_location_without_a_listed_mount_comes_from_the_service(api: API, glance_server: Any, tmp_path: Path) -> None:
    made = api.create(CTX, dict(META), DATA)
    conf = api.driver.conf
    mounts.register(conf)
    conf.set_override('filesystems', ['one'], group=mounts.GROUP)
    mounts.register_filesystem(conf, f'{mounts.GROUP}:one')
    conf.set_override('id', 'fs', group=f'{mounts.GROUP}:one')
    conf.set_override('mountpoint', str(tmp_path), group=f'{mounts.GROUP}:one')
    glance_server.record()
    try:
        api.download(CTX, made['id'], dest_path=tmp_path / 'target')
        assert len(requested(glance_server)) == 1
    finally:
        glance_server.record(False)
    assert (tmp_path / 'target').read_bytes() == DATA


@pytest.mark.contract('C-139', 'C-156')
@pytest.mark.parametrize('name', ['GlanceImageService', 'GlanceImageServiceV2'])
def test_the_old_names_check_what_they_copy(
    name: str, api: API, glance_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, target = api.create(CTX, dict(META), DATA), tmp_path / 'target'
    conf = old.CONF
    conf.set_override('api_servers', [glance_server.url], group='glance')
    conf.set_override('allowed_direct_url_schemes', ['file'], group='glance')
    monkeypatch.setenv('NOVA_IMAGE_AUTH_STRATEGY', 'noauth')
    try:
        service = getattr(old, name)()
        service.download(CTX, made['id'], dst_path=str(target))
        assert target.read_bytes() == DATA
        stored = glance_server.stored_file(made['id'])
        stored.chmod(0o600)
        stored.write_bytes(DATA[:-1] + b'x')
        with pytest.raises(errors.ImageCorrupt):
            service.download(CTX, made['id'], dst_path=str(target))
        assert target.read_bytes() == DATA
    finally:
        conf.clear_override('api_servers', group='glance')
        conf.clear_override('allowed_direct_url_schemes', group='glance')
