# SPDX-License-Identifier: Apache-2.0
"""TLS: verified unless told otherwise, and under the same time limits."""

from __future__ import annotations

import io
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import errors
from nova_image.testing.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def with_tls(server: Server, authority: Authority) -> Server:
    server._http.socket = authority.tls().wrap_socket(server._http.socket, server_side=True)
    server.url = server.url.replace('http:', 'https:')
    return server


@pytest.fixture
def tls_server(start_server: Any, authority: Authority) -> Server:
    return with_tls(start_server(), authority)


def test_a_certificate_of_a_known_authority_is_accepted(
    tls_server: Server, authority: Authority, make_driver: Any
) -> None:
    content = b'x' * 300_000

    def answer(request: Request) -> Answer:
        if request.path.endswith('/file'):
            return Answer(200, content) if request.method == 'GET' else Answer(204)
        return as_json(an_image(size=len(content), checksum=None))

    tls_server.answer = answer
    driver = make_driver(tls_server.url, cafile=authority.cafile, no_hash='accept')
    target = io.BytesIO()
    driver.download(Caller(), IMAGE_ID, target)
    assert target.getvalue() == content
    driver.create(Caller(), {'name': 'x'}, content)
    assert next(r.body for r in tls_server.requests if r.method == 'PUT') == content


def test_an_unknown_certificate_is_refused_at_once_and_sees_no_token(
    tls_server: Server, make_driver: Any, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(errors.GlanceConnectionFailed, match='certificate') as caught:
        make_driver(tls_server.url).show(Caller(), IMAGE_ID)
    assert caught.value.kwargs['server'] == tls_server.url
    assert not tls_server.requests
    assert sleeps == []


@pytest.mark.filterwarnings('ignore::urllib3.exceptions.InsecureRequestWarning')
def test_any_certificate_is_accepted_when_told_so(tls_server: Server, make_driver: Any) -> None:
    assert make_driver(tls_server.url, insecure=True).show(Caller(), IMAGE_ID)['id'] == IMAGE_ID


def test_a_drip_over_tls_ends_too(tls_server: Server, authority: Authority, make_driver: Any) -> None:
    def dripping(handler: Any) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n')
        for _ in range(40):
            handler.wfile.write(b'x')
            time.sleep(0.05)

    def answer(request: Request) -> Answer:
        return Answer(raw=dripping) if request.path.endswith('/file') else as_json(an_image(size=1000000))

    tls_server.answer = answer
    driver = make_driver(tls_server.url, cafile=authority.cafile, stall_timeout=0.3, num_retries=0)
    begin = time.monotonic()
    with pytest.raises(errors.ImageTransferStalled):
        driver.download(Caller(), IMAGE_ID, io.BytesIO())
    assert time.monotonic() - begin < 1.5


def test_a_certificate_that_is_wrong_at_one_server_sends_to_the_next(
    tls_server: Server, authority: Authority, start_server: Any, make_driver: Any, sleeps: list[float], tmp_path: Path
) -> None:
    (tmp_path / 'other').mkdir()
    other = with_tls(start_server(), Authority(tmp_path / 'other'))
    driver = make_driver(other.url, tls_server.url, cafile=authority.cafile, num_retries=1)
    for _ in range(6):
        assert driver.show(Caller(), IMAGE_ID)['id'] == IMAGE_ID
    assert not other.requests
    assert set(sleeps) <= {0}


def test_an_upload_cut_off_in_tls_is_sent_again(
    tls_server: Server, authority: Authority, make_driver: Any, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nova_image.glance import limits

    content, lost = b'x' * 1_000_000, [0]
    tls_server.answer = lambda request: (
        Answer(204) if request.method == 'PUT' else as_json(an_image(size=len(content), checksum=None))
    )

    def connect(connection: Any) -> None:
        real(connection)
        send = connection.sock.send

        def lose_one(data: Any) -> int:
            if len(data) == limits.SEND_PIECE_BYTES and not lost[0]:
                lost[0] += 1
                connection.sock.shutdown(socket.SHUT_RDWR)
                raise ssl.SSLEOFError(8, 'EOF occurred in violation of protocol')
            return int(send(data))

        monkeypatch.setattr(connection.sock, 'send', lose_one)

    real = limits._TimedTLSConnection.connect
    monkeypatch.setattr(limits._TimedTLSConnection, 'connect', connect)
    driver = make_driver(tls_server.url, cafile=authority.cafile)
    assert driver.create(Caller(), {'name': 'x'}, io.BytesIO(content))['size'] == len(content)
    assert [each.body for each in tls_server.requests if each.method == 'PUT'][-1] == content
    assert lost == [1]
