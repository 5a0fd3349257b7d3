# SPDX-License-Identifier: Apache-2.0
"""Signatures and certificates, with real ones: what is right is delivered, all else is an error and absent."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('cursive', reason='the extra signatures is not installed')

import cursive.exception
import signing_kit
from cryptography.exceptions import InvalidSignature
from signing_kit import DAY, NOW, InMemory, Party

from nova_image import API, errors, signatures, transfer
from nova_image.local.contents import Contents
from nova_image.testing import faults
from nova_image.testing.configuration import local_conf, make_conf
from nova_image.testing.faulty import FaultyGlance

CTX = SimpleNamespace(auth_token='t', is_admin=False, project_id='p', user_id='u', roles=['member'])
DATA = b'what was signed ' * 9_000
OTHER = b'What was signed ' * 9_000
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}
MODES = ('path', 'data', 'iterator')


@pytest.fixture(autouse=True)
def _keys() -> Iterator[None]:
    with signing_kit.in_use():
        yield


@pytest.fixture
def conf(tmp_path: Path) -> Any:
    return local_conf(tmp_path / 'store')


@pytest.fixture
def api(conf: Any) -> API:
    return API(conf=conf)


@pytest.fixture
def verifying(conf: Any) -> Any:
    conf.set_override('verify_glance_signatures', True, 'glance')
    return conf


def image(api: API, properties: dict[str, Any], data: bytes = DATA) -> str:
    return str(api.create(CTX, {**META, 'properties': properties}, data)['id'])


def fetch(api: API, image_id: str, mode: str, tmp_path: Path, **more: Any) -> bytes:
    if mode == 'path':
        assert api.download(CTX, image_id, dest_path=tmp_path / 'fetched', **more) is None
        return (tmp_path / 'fetched').read_bytes()
    if mode == 'data':
        sink = io.BytesIO()
        assert api.download(CTX, image_id, sink, **more) is None
        return sink.getvalue()
    chunks = api.download(CTX, image_id, **more)
    assert chunks is not None
    return b''.join(chunks)


def said(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What this package logged."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith('nova_image') and record.levelno >= level
    ]


def trusting(*parties: Party) -> Any:
    return SimpleNamespace(ids=[party.id for party in parties])


@pytest.mark.contract('C-145', 'C-146', 'C-304')
@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('key', ['RSA-PSS', 'ECC_SECP384R1'])
def test_an_image_that_is_what_was_signed_is_delivered(
    api: API, verifying: Any, tmp_path: Path, mode: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = image(api, Party('signer', key=key).signed(DATA))
    with caplog.at_level('INFO', 'nova_image.signatures'):
        assert fetch(api, made, mode, tmp_path) == DATA
    assert said(caplog) == [f'Image signature verification succeeded for image: {made}']


@pytest.mark.contract('C-147', 'C-304')
@pytest.mark.parametrize('existing', [True, False])
def test_an_image_that_is_not_what_was_signed_leaves_the_path_as_it_was(
    api: API, verifying: Any, tmp_path: Path, existing: bool, caplog: pytest.LogCaptureFixture
) -> None:
    made = image(api, Party('signer').signed(OTHER))
    folder = tmp_path / 'folder'
    folder.mkdir()
    if existing:
        (folder / 'image').write_bytes(b'older')
    with pytest.raises(InvalidSignature) as caught:
        api.download(CTX, made, dest_path=folder / 'image')
    assert isinstance(caught.value, errors.SignatureVerificationError)
    assert made in str(caught.value)
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), InvalidSignature)
    assert os.listdir(folder) == (['image'] if existing else [])
    assert not existing or (folder / 'image').read_bytes() == b'older'
    assert said(caplog, logging.ERROR) == [f'Image signature verification failed for image: {made}']


@pytest.mark.contract('C-147')
def test_a_callers_stream_is_put_back_where_it_can_be(api: API, verifying: Any) -> None:
    class Pipe:
        got = b''

        def write(self, data: bytes) -> None:
            self.got += data

    made = image(api, Party('signer').signed(OTHER))
    sink, pipe = io.BytesIO(b'before'), Pipe()
    sink.seek(0, io.SEEK_END)
    with pytest.raises(errors.SignatureVerificationError):
        api.download(CTX, made, sink)
    assert (sink.getvalue(), sink.tell(), sink.closed) == (b'before', 6, False)
    with pytest.raises(errors.SignatureVerificationError):
        api.download(CTX, made, pipe)
    assert pipe.got == DATA


@pytest.mark.contract('C-146')
def test_the_iterator_raises_instead_of_its_last_chunk(api: API, verifying: Any) -> None:
    chunks = api.download(CTX, image(api, Party('signer').signed(OTHER)))
    assert chunks is not None
    got = b''
    with pytest.raises(InvalidSignature):
        for chunk in chunks:
            got += chunk
    assert 0 < len(got) < len(DATA)
    with pytest.raises(InvalidSignature):
        next(chunks)


@pytest.mark.contract('C-304')
@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('missing', signatures.PROPERTIES)
def test_missing_metadata_is_an_error_before_any_data_is_asked_for(
    api: API, verifying: Any, tmp_path: Path, mode: str, missing: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    signed = Party('signer').signed(DATA)
    del signed[missing]
    made = image(api, signed)
    monkeypatch.setattr(Contents, 'body', lambda *args: pytest.fail('data was asked for'))
    with pytest.raises(errors.SignatureVerificationError, match='do not exist') as caught:
        fetch(api, made, mode, tmp_path)
    assert isinstance(caught.value, cursive.exception.SignatureVerificationError)
    assert not (tmp_path / 'fetched').exists()
    assert said(caplog) == [f'Image signature verification failed for image: {made}']


@pytest.mark.contract('C-304')
@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'img_signature_certificate_uuid': 'nobody'}, 'Certificate not found'),
        ({'img_signature_hash_method': 'MD5'}, 'hash method'),
        ({'img_signature_key_type': 'DSA'}, 'public key type'),
        ({'img_signature_key_type': 'none'}, 'key type'),
        ({'img_signature': 'x'}, 'base64'),
        ({'img_signature': ''}, 'creating the verifier'),
    ],
)
def test_metadata_that_cannot_be_used_is_an_error(
    api: API, verifying: Any, change: dict[str, str], text: str
) -> None:
    made = image(api, {**Party('signer').signed(DATA), **change})
    with pytest.raises(cursive.exception.SignatureVerificationError, match=text) as caught:
        api.download(CTX, made)
    assert isinstance(caught.value, errors.SignatureVerificationError)


@pytest.mark.contract('C-304')
def test_a_certificate_of_somebody_else_does_not_verify(api: API, verifying: Any, tmp_path: Path) -> None:
    other = Party('other', key='ECC_SECP384R1')
    signed = {**Party('signer', key='ECC_SECP384R1').signed(DATA), 'img_signature_certificate_uuid': other.id}
    with pytest.raises(InvalidSignature):
        api.download(CTX, image(api, signed), dest_path=tmp_path / 'fetched')
    assert not (tmp_path / 'fetched').exists()


def test_whatever_goes_wrong_with_a_certificate_is_one_kind_of_error(api: API, verifying: Any) -> None:
    signer = Party('signer')
    InMemory.held[signer.id]._data = b'no certificate'
    with pytest.raises(errors.SignatureVerificationError) as caught:
        api.download(CTX, image(api, signer.signed(DATA)))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, cursive.exception.SignatureVerificationError)


@pytest.mark.contract('C-145', 'C-304')
@pytest.mark.parametrize('mode', MODES)
def test_a_callers_trust_is_honoured_though_both_options_are_off(api: API, tmp_path: Path, mode: str) -> None:
    root = Party('root', signs_others=True)
    middle = Party('middle', root, signs_others=True)
    signer = Party('signer', middle)
    made = image(api, signer.signed(DATA))
    assert fetch(api, made, mode, tmp_path, trusted_certs=trusting(root, middle)) == DATA
    tampered = image(api, signer.signed(OTHER))
    with pytest.raises(InvalidSignature):
        fetch(api, tampered, mode, tmp_path, trusted_certs=trusting(root, middle))


def _untrusted() -> dict[str, Callable[[], tuple[Party, list[Party]]]]:
    def stranger() -> tuple[Party, list[Party]]:
        return Party('signer', Party('root', signs_others=True)), [Party('another', signs_others=True)]

    def gap() -> tuple[Party, list[Party]]:
        root = Party('root', signs_others=True)
        return Party('signer', Party('middle', root, signs_others=True)), [root]

    def no_authority() -> tuple[Party, list[Party]]:
        root = Party('root')
        return Party('signer', root), [root]

    def expired() -> tuple[Party, list[Party]]:
        root = Party('root', signs_others=True)
        return Party('signer', root, until=NOW - DAY), [root]

    def nobody() -> tuple[Party, list[Party]]:
        return Party('signer', Party('root', signs_others=True)), []

    return {'stranger': stranger, 'gap': gap, 'no authority': no_authority, 'expired': expired, 'nobody': nobody}


@pytest.mark.contract('C-304')
@pytest.mark.parametrize('chain', _untrusted())
@pytest.mark.parametrize('mode', MODES)
def test_a_chain_that_does_not_end_in_trust_is_refused(
    api: API, tmp_path: Path, mode: str, chain: str, caplog: pytest.LogCaptureFixture
) -> None:
    signer, trusted = _untrusted()[chain]()
    made = image(api, signer.signed(DATA))
    with pytest.raises(errors.CertificateValidationFailed) as caught:
        fetch(api, made, mode, tmp_path, trusted_certs=trusting(*trusted))
    assert caught.value.kwargs['cert_uuid'] == signer.id
    assert caught.value.kwargs['reason']
    assert not (tmp_path / 'fetched').exists()
    assert [r.levelname for r in caplog.records if r.name == 'nova_image.signatures'] == ['WARNING']


@pytest.mark.contract('C-304')
def test_the_options_decide_as_they_did(api: API, conf: Any, caplog: pytest.LogCaptureFixture) -> None:
    root = Party('root', signs_others=True)
    unsigned, signed = image(api, {}), image(api, Party('signer', root).signed(DATA))
    assert api.download(CTX, unsigned, io.BytesIO()) is None
    conf.set_override('enable_certificate_validation', True, 'glance')
    api.download(CTX, unsigned, io.BytesIO())  # alone it does nothing
    conf.set_override('verify_glance_signatures', True, 'glance')
    caplog.clear()
    with pytest.raises(errors.CertificateValidationFailed, match='default_trusted_certificate_ids'):
        api.download(CTX, signed)
    assert [record.levelname for record in caplog.records if record.name == 'nova_image.signatures'] == ['WARNING']
    conf.set_override('default_trusted_certificate_ids', [root.id], 'glance')
    api.download(CTX, signed, io.BytesIO())
    conf.set_override('verify_glance_signatures', False, 'glance')
    api.download(CTX, signed, io.BytesIO())  # the configured ids act as a caller's
    with pytest.raises(errors.SignatureVerificationError):
        api.download(CTX, unsigned)
    with pytest.raises(errors.CertificateValidationFailed):
        api.download(CTX, signed, trusted_certs=trusting(Party('another', signs_others=True)))
    conf.set_override('enable_certificate_validation', False, 'glance')
    api.download(CTX, unsigned, io.BytesIO())  # ids alone do nothing
    conf.set_override('verify_glance_signatures', True, 'glance')
    InMemory.asked.clear()
    api.download(CTX, signed, io.BytesIO())
    assert root.id not in InMemory.asked


@pytest.mark.parametrize('trusted', [[], 'id', object(), SimpleNamespace(ids='id')])
def test_trust_of_a_wrong_type_is_one_clear_error(api: API, trusted: Any) -> None:
    with pytest.raises(errors.BadImageInfo, match='trusted_certs'):
        api.download(CTX, image(api, {}), trusted_certs=trusted)


def test_without_the_extra_the_error_says_what_to_install(
    api: API, verifying: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = image(api, Party('signer').signed(DATA))
    monkeypatch.setitem(sys.modules, 'cursive.signature_utils', None)
    with pytest.raises(errors.SignatureVerificationError, match=r'pip install nova-image\[signatures\]'):
        api.download(CTX, made, dest_path=tmp_path / 'fetched')
    monkeypatch.setitem(sys.modules, 'cursive.certificate_utils', None)
    with pytest.raises(errors.SignatureVerificationError, match=r'pip install nova-image\[signatures\]'):
        signatures.validate_certificate(CTX, 'id', [])
    assert not (tmp_path / 'fetched').exists()


def test_a_recording_driver_verifies_as_the_driver_inside_does(
    verifying: Any, tmp_path: Path
) -> None:
    verifying.set_override('recording', str(tmp_path / 'lines'), 'image')
    api = API(conf=verifying)
    with pytest.raises(InvalidSignature):
        api.download(CTX, image(api, Party('signer').signed(OTHER)), dest_path=tmp_path / 'fetched')
    assert api.download(CTX, image(api, Party('signer').signed(DATA)), dest_path=tmp_path / 'fetched') is None


@pytest.mark.contract('C-304')
@pytest.mark.parametrize('mode', MODES)
def test_over_http_the_record_is_asked_for_once_and_a_bad_body_is_fetched_again(mode: str, tmp_path: Path) -> None:
    signer = Party('signer')
    with FaultyGlance() as glance:
        conf = make_conf(
            image__driver='glance', api__auth_strategy='noauth', glance__api_servers=[glance.url],
            glance__num_retries=2, glance__verify_glance_signatures=True,
        )  # fmt: skip
        api = API(conf=conf)
        good, bad = image(api, signer.signed(DATA)), image(api, signer.signed(OTHER))
        unsigned = image(api, {})
        glance.forget()
        if mode != 'iterator':
            glance.inject(faults.corrupt('GET file', at=1000))
        assert fetch(api, good, mode, tmp_path) == DATA
        assert glance.count('GET image') == 1
        assert glance.count('GET file') == (1 if mode == 'iterator' else 2)
        (tmp_path / 'fetched').unlink(missing_ok=True)
        glance.forget()
        with pytest.raises(InvalidSignature):
            fetch(api, bad, mode, tmp_path)
        assert glance.count('GET file') == 1  # what was signed was another image: no second try
        with pytest.raises(cursive.exception.SignatureVerificationError):
            fetch(api, unsigned, mode, tmp_path)
        assert glance.count('GET file') == 1
        assert not (tmp_path / 'fetched').exists()


@pytest.mark.parametrize('other', ['text', None, {}])
def test_a_property_called_properties_hides_nothing(other: Any) -> None:
    record = {'properties': other, **Party('signer').signed(DATA)}
    settings = SimpleNamespace(
        verifies_signatures=True, enable_certificate_validation=False, default_trusted_certificate_ids=[]
    )
    check = signatures.check_for(CTX, 'x', lambda: record, settings, None)
    assert check is not None
    check.update(DATA)
    check.verify()


class Noted:
    """A verifier that keeps what it got."""

    def __init__(self, right: bytes = DATA) -> None:
        self.got, self.right = b'', right

    def update(self, chunk: Any) -> None:
        self.got += bytes(chunk)

    def verify(self) -> None:
        if self.got != self.right:
            raise InvalidSignature


LIMITS: Any = SimpleNamespace(num_retries=3, stall_timeout=60.0, stall_bytes=1, no_hash='accept')


@pytest.mark.parametrize('resumable', [True, False])
def test_a_retry_goes_on_with_the_verifier_or_begins_with_a_new_one(resumable: bool) -> None:
    made: list[Noted] = []

    def make() -> Noted:
        made.append(Noted())
        return made[-1]

    def breaks(*chunks: bytes) -> Iterator[bytes]:
        yield from chunks
        raise ConnectionResetError

    def opener(offset: int) -> transfer.Body:
        if not opened:
            opened.append(offset)
            return transfer.ChunksBody(breaks(DATA[:50], DATA[50:90]))
        opened.append(offset)
        start = offset if resumable else 0
        return transfer.ChunksBody(iter([DATA[start:]]), offset=start)

    opened: list[int] = []
    sink = io.BytesIO()
    expected = transfer.Expected(size=len(DATA), hash_algo='sha512', hash_value=hashlib.sha512(DATA).hexdigest())
    check = signatures.Check('x', make)
    transfer.deliver(opener, expected, settings=LIMITS, data=sink, pause=lambda n: None, signature=check)
    assert sink.getvalue() == DATA
    assert opened == [0, 90]
    assert len(made) == (1 if resumable else 2)


@pytest.mark.contract('C-146')
@pytest.mark.parametrize('chunks', [[], [b'a'], [b'a', b'b'], [b'a', b'', b'b', b'c']])
def test_an_iterator_of_unknown_size_holds_its_last_chunk_until_all_is_verified(chunks: list[bytes]) -> None:
    def iterator(right: bytes) -> Any:
        check = signatures.Check('x', lambda: Noted(right))
        return transfer.deliver(lambda offset: transfer.ChunksBody(chunks), None, settings=LIMITS, signature=check)

    whole = b''.join(chunks)
    assert list(iterator(whole)) == [chunk for chunk in chunks if chunk]
    got: list[bytes] = []
    with pytest.raises(InvalidSignature):
        got.extend(iterator(b'other'))
    assert got == [chunk for chunk in chunks if chunk][:-1]
