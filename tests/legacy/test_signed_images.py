# SPDX-License-Identifier: Apache-2.0
"""Signatures by way of the old classes: over the store, over an old-style client, by a plug-in, step by step."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

pytest.importorskip('cursive', reason='the extra signatures is not installed')

import cursive.exception
import signing_kit
from cryptography.exceptions import InvalidSignature
from signing_kit import Party

from legacy import glance
from nova_image import errors

pytestmark = [
    pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning'),
    pytest.mark.usefixtures('local'),
]
DATA, OTHER = b'what was signed ' * 1_000, b'What was signed ' * 1_000
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}
CLASSES = ('GlanceImageService', 'GlanceImageServiceV2', 'API')
SERVICES = CLASSES[:2]


@pytest.fixture(autouse=True)
def _keys() -> Iterator[None]:
    with signing_kit.in_use():
        yield


@pytest.fixture
def verifying(conf: Any) -> Iterator[Any]:
    conf.set_override('verify_glance_signatures', True, group='glance')
    yield conf
    conf.clear_override('verify_glance_signatures', group='glance')


def image(ctx: Any, properties: dict[str, Any]) -> str:
    return str(glance.API().create(ctx, {**META, 'properties': properties}, DATA)['id'])


def into(service: Any, path: Path) -> dict[str, Any]:
    return {'dest_path' if isinstance(service, glance.API) else 'dst_path': str(path)}


@pytest.mark.contract('C-145', 'C-146', 'C-147', 'C-304')
@pytest.mark.parametrize('name', CLASSES)
def test_every_old_class_verifies_in_every_mode(name: str, verifying: Any, ctx: Any, tmp_path: Path) -> None:
    service, signer, target = getattr(glance, name)(), Party('signer'), tmp_path / 'target'
    good, bad, unsigned = (image(ctx, each) for each in (signer.signed(DATA), signer.signed(OTHER), {}))
    sink = io.BytesIO()
    service.download(ctx, good, data=sink)
    service.download(ctx, good, **into(service, target))
    assert sink.getvalue() == target.read_bytes() == b''.join(service.download(ctx, good)) == DATA
    for image_id, error in ((bad, InvalidSignature), (unsigned, cursive.exception.SignatureVerificationError)):
        sink = io.BytesIO()
        with pytest.raises(error):
            service.download(ctx, image_id, data=sink)
        with pytest.raises(error):
            service.download(ctx, image_id, **into(service, target))
        with pytest.raises(error):
            b''.join(service.download(ctx, image_id))
        assert sink.getvalue() == b''
        assert target.read_bytes() == DATA


@pytest.mark.contract('C-145', 'C-304')
@pytest.mark.parametrize('name', CLASSES)
def test_every_old_class_honours_a_callers_trust(name: str, ctx: Any, tmp_path: Path) -> None:
    service, root = getattr(glance, name)(), Party('root', signs_others=True)
    made, target = image(ctx, Party('signer', root).signed(DATA)), tmp_path / 'target'
    another = SimpleNamespace(ids=[Party('another', signs_others=True).id])
    with pytest.raises(errors.CertificateValidationFailed):
        service.download(ctx, made, trusted_certs=another, **into(service, target))
    assert not target.exists()
    service.download(ctx, made, trusted_certs=SimpleNamespace(ids=[root.id]), **into(service, target))
    assert target.read_bytes() == DATA


class OldClient:
    """``call`` as both generations of wrappers had it."""

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties
        self.called: list[str] = []

    def call(self, context: Any, version: int, method: str, *args: Any, **kwargs: Any) -> Any:
        self.called.append(method)
        if method == 'data':
            return iter([DATA[:7], DATA[7:]])
        return SimpleNamespace(
            id='x', is_public=True, status='active', properties=self.properties, **self.properties,
            visibility='public', items=lambda: {**self.properties, 'id': 'x', 'visibility': 'public'}.items(),
        )  # fmt: skip


@pytest.mark.contract('C-146', 'C-304')
def test_over_an_old_style_client_the_record_is_asked_for_before_the_data(
    verifying: Any, ctx: Any, tmp_path: Path
) -> None:
    signer, target = Party('signer'), tmp_path / 'target'
    client = OldClient(signer.signed(DATA))
    service = glance.GlanceImageService(client)
    service.download(ctx, 'x', dst_path=str(target))
    assert (target.read_bytes(), client.called) == (DATA, ['get', 'data'])
    assert b''.join(service.download(ctx, 'x')) == DATA
    client.properties = signer.signed(OTHER)
    with pytest.raises(InvalidSignature):
        service.download(ctx, 'x', dst_path=str(target))
    assert target.read_bytes() == DATA
    got: list[bytes] = []
    with pytest.raises(InvalidSignature):
        got.extend(service.download(ctx, 'x'))
    assert got == [DATA[:7]]
    client.properties = {}
    client.called.clear()
    with pytest.raises(cursive.exception.SignatureVerificationError):
        service.download(ctx, 'x', data=io.BytesIO())
    assert client.called == ['get']


class Handler:
    """A transfer plug-in that has its own idea of the bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.times = 0

    def download(self, context: Any, url: Any, path: str, metadata: Any) -> None:
        self.times += 1
        Path(path).write_bytes(self.data)


@pytest.mark.contract('C-140', 'C-304')
@pytest.mark.parametrize('name', SERVICES)
def test_what_a_plug_in_fetches_is_verified_before_it_is_there(
    name: str, verifying: Any, ctx: Any, tmp_path: Path
) -> None:
    folder = tmp_path / 'folder'
    folder.mkdir()
    target = folder / 'target'
    made = image(ctx, Party('signer').signed(DATA))
    verifying.set_override('allowed_direct_url_schemes', ['wrong', 'right'])
    service = getattr(glance, name)()
    wrong, right = Handler(OTHER), Handler(DATA)
    service._download_handlers.update(wrong=wrong, right=right)
    locations = [{'url': 'wrong://x', 'metadata': {}}, {'url': 'right://x', 'metadata': {}}]
    with mock.patch.object(type(service), '_locations', lambda *args: locations):
        service.download(ctx, made, dst_path=str(target))
        assert (wrong.times, right.times, target.read_bytes()) == (1, 1, DATA)
        right.data = OTHER
        os.unlink(target)
        service.download(ctx, made, dst_path=str(target))
        assert (wrong.times, right.times, target.read_bytes()) == (2, 2, DATA)  # the service had the right ones
        os.unlink(target)
        signed_otherwise = image(ctx, Party('signer').signed(b'nobody has this'))
        with pytest.raises(InvalidSignature):
            service.download(ctx, signed_otherwise, dst_path=str(target))
        with pytest.raises(errors.SignatureVerificationError):
            service.download(ctx, image(ctx, {}), dst_path=str(target))
    assert (wrong.times, right.times) == (3, 3)
    assert os.listdir(folder) == []


@pytest.mark.contract('C-304')
def test_the_private_steps_do_what_they_did(verifying: Any, ctx: Any, tmp_path: Path) -> None:
    service, root = glance.GlanceImageServiceV2(), Party('root', signs_others=True)
    signer, target = Party('signer', root), str(tmp_path / 'target')
    good, bad = image(ctx, signer.signed(DATA)), image(ctx, signer.signed(OTHER))
    trusted = SimpleNamespace(ids=[root.id])
    assert glance._verify_certs(ctx, signer.id, trusted) is None
    with pytest.raises(errors.CertificateValidationFailed):
        glance._verify_certs(ctx, signer.id, SimpleNamespace(ids=[]))
    verifier = service._get_verifier(ctx, good, trusted)
    assert service._verify_and_write(ctx, good, verifier, [DATA], None, target) is None
    assert Path(target).read_bytes() == DATA
    assert b''.join(service._verify_and_write(ctx, good, trusted, iter([DATA]))) == DATA  # as until 29
    for given in (service._get_verifier(ctx, bad, None), None):
        with pytest.raises(InvalidSignature):
            service._verify_and_write(ctx, bad, given, [DATA], None, target)
    assert Path(target).read_bytes() == DATA
    verifying.set_override('verify_glance_signatures', False, group='glance')
    assert service._get_verifier(ctx, good, None) is None
    chunks = [DATA]
    assert service._verify_and_write(ctx, good, None, chunks) is chunks


@pytest.mark.contract('C-139', 'C-304')
def test_the_private_step_of_special_handlers_verifies_when_it_is_given_a_verifier(ctx: Any, tmp_path: Path) -> None:
    service, root, target = glance.GlanceImageServiceV2(), Party('root', signs_others=True), tmp_path / 'target'
    made = image(ctx, Party('signer', root).signed(DATA))
    handler = Handler(OTHER)
    service._download_handlers.update(x=handler)
    found = {'locations': [{'url': 'x://y', 'metadata': {}}]}
    trusted = SimpleNamespace(ids=[root.id])
    for data, fetched in ((OTHER, False), (DATA, True)):
        handler.data = data
        verifier = service._get_verifier(ctx, made, trusted)
        with mock.patch.object(type(service), 'show', lambda *args, **kwargs: found):
            assert service._try_special_handlers(ctx, made, str(target), verifier) is fetched
        assert target.exists() is fetched
