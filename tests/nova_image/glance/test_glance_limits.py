# SPDX-License-Identifier: Apache-2.0
"""No server holds a caller longer than the options say: silent, stalling or dripping (D-10)."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import pytest
from scripted_server import IMAGE_ID, Answer, Caller, Request, an_image, as_json

from nova_image import errors

CTX = Caller()
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n'
QUICK = {
    'num_retries': 0,
    'connect_timeout': 1,
    'first_byte_timeout': 0.3,
    'stall_timeout': 0.3,
    'upload_answer_timeout': 0.3,
}


def silent(handler: Any) -> None:
    time.sleep(2)


def stalling(handler: Any) -> None:
    handler.wfile.write(HEAD + b'x' * 1000)
    time.sleep(2)


def dripping(handler: Any) -> None:
    handler.wfile.write(HEAD)
    for _ in range(40):
        handler.wfile.write(b'x')
        time.sleep(0.05)


def dripping_head(handler: Any) -> None:
    for byte in b'HTTP/1.1 200 OK\r\nX-Long: ' + b'y' * 100:
        handler.wfile.write(bytes((byte,)))
        time.sleep(0.05)


def dripping_json(handler: Any) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n')
    for _ in range(40):
        handler.wfile.write(b' ')
        time.sleep(0.05)


class Stopwatch:
    def __enter__(self) -> Self:
        self.begin = time.monotonic()
        return self

    def __exit__(self, *_why: object) -> None:
        assert time.monotonic() - self.begin < 1.5


@pytest.fixture
def deaf_url() -> Iterator[str]:
    """An address where somebody listens and never takes a connection."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        for _ in range(3):  # the queue is full; further attempts get no answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f'http://127.0.0.1:{listener.getsockname()[1]}'


@pytest.mark.parametrize('name', ['show', 'list', 'delete', 'create', 'download'])
def test_a_connection_that_is_never_taken_ends(name: str, deaf_url: str, make_driver: Any) -> None:
    driver = make_driver(deaf_url, **{**QUICK, 'connect_timeout': 0.3, 'first_byte_timeout': 60})
    arguments = {'list': [], 'create': [{'name': 'x'}, b'hello'], 'download': [IMAGE_ID, io.BytesIO()]}
    with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
        getattr(driver, name)(CTX, *arguments.get(name, [IMAGE_ID]))


def test_no_connection_takes_longer_than_what_is_left_of_the_total(deaf_url: str, make_driver: Any) -> None:
    driver = make_driver(deaf_url, num_retries=0, connect_timeout=60, metadata_timeout=0.4)
    with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
        driver.show(CTX, IMAGE_ID)


@pytest.mark.parametrize('behaviour', [silent, dripping_head, dripping_json])
def test_a_metadata_call_ends(behaviour: Any, start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: Answer(raw=behaviour))
    with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
        make_driver(server.url, **QUICK).show(CTX, IMAGE_ID)


def test_a_metadata_call_has_a_total_whatever_moves(start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: Answer(raw=dripping_json))
    options = {**QUICK, 'first_byte_timeout': 60, 'stall_timeout': 60, 'metadata_timeout': 0.4}
    with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
        make_driver(server.url, **options).show(CTX, IMAGE_ID)


def test_retries_share_the_total(start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: Answer(raw=silent))
    options = {**QUICK, 'num_retries': 50, 'metadata_timeout': 0.8}
    with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
        make_driver(server.url, **options).show(CTX, IMAGE_ID)


@pytest.mark.parametrize('behaviour', [silent, dripping_head, stalling, dripping])
def test_a_download_ends(behaviour: Any, start_server: Any, make_driver: Any) -> None:
    def answer(request: Request) -> Answer:
        return Answer(raw=behaviour) if request.path.endswith('/file') else as_json(an_image(size=1000000))

    driver = make_driver(start_server(answer).url, **QUICK)
    with Stopwatch(), pytest.raises((errors.ImageTransferError, errors.GlanceConnectionFailed)):
        driver.download(CTX, IMAGE_ID, io.BytesIO())


def test_a_slow_but_steady_download_does_not_end(start_server: Any, make_driver: Any) -> None:
    def steady(handler: Any) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
        for byte in b'hello':
            handler.wfile.write(bytes((byte,)))
            time.sleep(0.1)

    def answer(request: Request) -> Answer:
        return Answer(raw=steady) if request.path.endswith('/file') else as_json(an_image())

    target = io.BytesIO()
    make_driver(start_server(answer).url, **{**QUICK, 'stall_bytes': 1}).download(CTX, IMAGE_ID, target)
    assert target.getvalue() == b'hello'


def test_a_slow_consumer_is_not_a_slow_server(start_server: Any, make_driver: Any) -> None:
    content = b'x' * 3_000_000

    def answer(request: Request) -> Answer:
        if request.path.endswith('/file'):
            return Answer(200, content)
        return as_json(an_image(size=len(content), checksum=None))

    chunks = make_driver(start_server(answer).url, no_hash='accept', **QUICK).download(CTX, IMAGE_ID)
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received < 300_000:
            time.sleep(0.4)
    assert received == len(content)


def test_an_upload_that_nobody_takes_ends(make_driver: Any) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        url = f'http://127.0.0.1:{listener.getsockname()[1]}'
        from nova_image.glance.wire import image_path
        from nova_image.transfer import upload

        driver = make_driver(url, **QUICK)
        wire, _settings = driver._wire(CTX)
        with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
            wire.upload(image_path(IMAGE_ID, 'file'), upload(b'x' * 50_000_000))


def test_an_answer_of_a_server_that_reads_no_more_is_heard(make_driver: Any) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            while b'\r\n\r\n' not in connection.recv(1000):
                pass
            connection.sendall(b'HTTP/1.1 413 Full\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\nfull')
            time.sleep(1.5)

    from glanceclient import exc

    from nova_image.glance.wire import image_path
    from nova_image.transfer import upload

    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        driver = make_driver(f'http://127.0.0.1:{listener.getsockname()[1]}', **{**QUICK, 'upload_answer_timeout': 600})
        wire, _settings = driver._wire(CTX)
        with Stopwatch(), pytest.raises(exc.HTTPOverLimit, match='full'):
            wire.upload(image_path(IMAGE_ID, 'file'), upload(b'x' * 50_000_000))
        thread.join()


def test_an_upload_without_an_answer_ends(start_server: Any, make_driver: Any) -> None:
    def answer(request: Request) -> Answer:
        return Answer(raw=silent) if request.method == 'PUT' else as_json(an_image())

    driver = make_driver(start_server(answer).url, **QUICK)
    with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed):
        driver.create(CTX, {'name': 'x'}, b'hello')


def test_proxies_of_the_environment_are_those_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    from nova_image.glance import limits

    ours, theirs = limits.timed_session(), requests.Session()
    asked = ('http://a/x', 'http://b:1/x', 'https://a/x', 'http://a/y')
    for name, value in [('http_proxy', 'http://p:1'), ('no_proxy', 'b'), ('REQUESTS_CA_BUNDLE', '/ca')]:
        monkeypatch.setenv(name, value)
        for url in asked * 2:
            arguments = (url, {}, False, True, None)
            assert ours.merge_environment_settings(*arguments) == theirs.merge_environment_settings(*arguments)
    assert ours.merge_environment_settings('http://a/x', {}, False, False, None)['verify'] is False


class _AsksKeystone(Caller):
    """A context whose plug-in has to get its token first, from ``url``."""

    def __init__(self, url: str) -> None:
        super().__init__('secret-token')
        self._url = url

    def get_auth_plugin(self) -> Any:
        from keystoneauth1.identity import v3

        return v3.Password(f'{self._url}/v3', username='u', password='p', user_domain_id='default')


@pytest.mark.parametrize('catalogue', [False, True])
@pytest.mark.parametrize('taken', [False, True])
def test_an_identity_service_that_says_nothing_holds_nobody(
    taken: bool, catalogue: bool, server: Any, start_server: Any, deaf_url: str, make_driver: Any
) -> None:
    keystone = start_server(lambda request: Answer(raw=silent)).url if taken else deaf_url
    driver = make_driver(*([] if catalogue else [server.url]), **{**QUICK, 'connect_timeout': 0.3})
    context = _AsksKeystone(keystone)
    for call in (lambda: driver.show(context, IMAGE_ID), lambda: driver.download(context, IMAGE_ID, io.BytesIO())):
        with Stopwatch(), pytest.raises(errors.GlanceConnectionFailed, match='/v3/auth/tokens timed out'):
            call()
    assert not server.requests


def test_whether_a_server_is_trusted_is_not_asked_for_ever(
    server: Any, start_server: Any, deaf_url: str, make_driver: Any
) -> None:
    stranger = start_server()
    driver = make_driver(server.url, **{**QUICK, 'connect_timeout': 0.3})
    with Stopwatch():
        assert driver.show(_AsksKeystone(deaf_url), IMAGE_ID, server=stranger.url)['id'] == IMAGE_ID
    assert 'X-Auth-Token' not in stranger.requests[0].headers


def test_a_limit_of_0_is_none(start_server: Any, make_driver: Any) -> None:
    def answer(request: Request) -> Answer:
        if request.path.endswith('/file'):
            return Answer(200, b'hello') if request.method == 'GET' else Answer(204)
        return as_json(an_image())

    driver = make_driver(start_server(answer).url, **{**dict.fromkeys(QUICK, 0), 'metadata_timeout': 0})
    target = io.BytesIO()
    driver.download(CTX, IMAGE_ID, target)
    assert target.getvalue() == b'hello'
    assert driver.create(CTX, {'name': 'x'}, b'hello')['id'] == IMAGE_ID


def test_what_is_sent_has_to_move_as_much_as_the_option_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from nova_image.glance import limits

    class Socket:
        """Each piece takes two seconds."""

        def __init__(self, takes: int) -> None:
            self.takes, self.taken, self.now = takes, 0, 0.0

        def monotonic(self) -> float:
            return self.now

        def settimeout(self, seconds: float) -> None:
            assert seconds > 0

        def send(self, data: Any) -> int:
            self.now += 2
            count = min(self.takes, len(data))
            self.taken += count
            return count

    def send(takes: int, size: int) -> int:
        sock = Socket(takes)
        monkeypatch.setattr(limits, 'time', sock)
        monkeypatch.setattr(limits, 'wait_for_read', lambda sock, timeout: False)
        connection = limits._TimedConnection('h')
        connection.sock = sock
        with limits.applied(limits.Limits(60, 5, 2000)):
            connection.send(bytes(size))
        return sock.taken

    assert send(700, 12_000) == send(70_000, 120_000) // 10 == 12_000
    with pytest.raises(TimeoutError):
        send(500, 12_000)
    with pytest.raises(TimeoutError):
        send(1, 12_000)
