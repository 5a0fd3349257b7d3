# SPDX-License-Identifier: Apache-2.0
"""The recording driver: what a line says, what it never says, and that it is never in the way."""

from __future__ import annotations

import http.client
import http.server
import inspect
import io
import json
import os
import threading
import types
from collections.abc import Iterator
from typing import Any

import pytest

from nova_image import errors, recording
from nova_image.api import API
from nova_image.counting import Tally, counted
from nova_image.driver import ImageDriver
from nova_image.recorded import Plain
from nova_image.recording import RecordingDriver

ID = '70a599e0-31e7-49b7-b260-868f441e862b'
CONTEXT = types.SimpleNamespace(
    auth_token='s3cr3t-t0ken',
    project_id='p1',
    user_id='u1',
    is_admin=False,
    roles=['member'],
    service_catalog=[{'type': 'image', 'endpoints': ['http://inner.example']}],
)


class Memory(ImageDriver):
    """One image, enough to be wrapped."""

    name = 'memory'
    error: BaseException | None = None

    def __init__(self) -> None:
        self.endpoint = None
        self.body = b''
        self.seen: Any = None

    def _record(self) -> dict[str, Any]:
        return {
            'id': ID,
            'name': 'one',
            'properties': {},
            'locations': [
                {
                    'url': 'swift+https://acct%3Auser:pa/ss@store.example/v1/c/o?sig=abc',
                    'metadata': {'k': 'hush'},
                }
            ],
        }

    def list(self, context: Any, **query: Any) -> list[dict[str, Any]]:
        return [self._record()]

    def show(self, context: Any, image_id: Any, *rest: Any, **more: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        return self._record()

    def create(self, context: Any, image_info: dict[str, Any], data: Any = None) -> dict[str, Any]:
        self.seen = data
        if data is not None:
            self.body = (
                data
                if isinstance(data, bytes)
                else (data.read() if hasattr(data, 'read') else b''.join(data))
            )
        return self._record()

    def update(
        self,
        context: Any,
        image_id: Any,
        image_info: Any,
        data: Any = None,
        *rest: Any,
        **more: Any,
    ) -> Any:
        return self.create(context, image_info, data)

    def delete(self, context: Any, image_id: Any, *, server: str | None = None) -> bool:
        return True

    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dest_path: Any = None,
        *rest: Any,
        **more: Any,
    ) -> Any:
        if data is not None:
            data.write(self.body)
            return None
        if dest_path is not None:
            with open(dest_path, 'wb') as target:
                target.write(self.body)
            return None
        return Chunks(self.body)


class Chunks:
    def __init__(self, body: bytes) -> None:
        self._parts = iter([body[:2], body[2:]])
        self._size = len(body)
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def __len__(self) -> int:
        return self._size

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def inner() -> Memory:
    return Memory()


@pytest.fixture
def driver(inner: Memory, tmp_path: Any) -> RecordingDriver:
    return RecordingDriver(inner, str(tmp_path / 'trace.jsonl'))


def lines(driver: RecordingDriver) -> list[dict[str, Any]]:
    with open(driver.path, encoding='utf-8') as source:
        return [json.loads(line) for line in source]


def test_each_operation_becomes_one_line_with_its_arguments_result_and_caller(
    driver: RecordingDriver,
) -> None:
    driver.list(CONTEXT, filters={'name': 'one'}, sort_key='created_at')
    driver.show(CONTEXT, ID)
    driver.create(CONTEXT, {'name': 'x', 'properties': {'a': None}}, b'abcd')
    driver.update(CONTEXT, ID, {'name': 'y'}, None, True)
    driver.delete(CONTEXT, ID)
    found = lines(driver)
    assert [line['op'] for line in found] == ['list', 'show', 'create', 'update', 'delete']
    assert [line['n'] for line in found] == sorted(line['n'] for line in found)
    assert found[0]['args']['filters'] == {'name': 'one'}
    assert found[1]['args'] == {'image_id': ID, 'include_locations': False, 'show_deleted': True}
    assert found[2]['sent']['bytes'] == 4
    assert found[3]['args']['purge_props'] is True
    assert found[4]['result'] is True
    frame = inspect.currentframe()
    assert frame is not None
    for line in found:
        assert line['caller']['file'] == __file__
        assert line['caller']['function'] == frame.f_code.co_qualname
        assert line['pid'] == os.getpid()
        assert line['context'] == {
            'project_id': 'p1',
            'user_id': 'u1',
            'is_admin': False,
            'roles': ['member'],
            'authenticated': True,
        }


def test_the_server_of_a_reference_is_written_down_for_calls_that_name_no_image(tmp_path: Any) -> None:
    class Elsewhere(Memory):
        def create(self, *args: Any, server: str | None = None) -> dict[str, Any]:
            assert server == 'http://h:1'
            return super().create(*args)

    driver = RecordingDriver(Elsewhere(), str(tmp_path / 'trace.jsonl'))
    api = API.for_reference('http://h:1/v2/images/x', driver=driver)
    api.get_all(CONTEXT)
    api.create(CONTEXT, {'name': 'x'}, b'abcd')
    assert [(line['op'], line['server']) for line in lines(driver)] == [('list', 'http://h:1'), ('create', 'http://h:1')]


def test_an_error_is_written_down_and_raised_unchanged(
    driver: RecordingDriver, inner: Memory
) -> None:
    inner.error = errors.ImageNotFound(image_id=ID)
    with pytest.raises(errors.ImageNotFound) as caught:
        driver.show(CONTEXT, ID)
    assert caught.value is inner.error
    assert lines(driver)[0]['error'] == {
        'class': 'ImageNotFound',
        'text': f'Image {ID} could not be found.',
        'code': 404,
    }
    assert 'result' not in lines(driver)[0]


def test_no_token_catalogue_or_secret_of_a_location_is_in_the_file(
    driver: RecordingDriver, inner: Memory
) -> None:
    driver.show(CONTEXT, ID, True)
    driver.create(
        CONTEXT,
        {
            'name': 'n',
            'location': 'http://u:pw@h.example/o?sig=1',
            'properties': {'admin_password': 'pw2'},
        },
    )
    inner.error = RuntimeError('401 for X-Auth-Token: s3cr3t-t0ken at http://joe:pw3@h.example/')
    with pytest.raises(RuntimeError):
        driver.show(CONTEXT, ID)
    with open(driver.path, encoding='utf-8') as source:
        text = source.read()
    for secret in (
        's3cr3t-t0ken',
        'inner.example',
        'pa/ss',
        'acct',
        'sig=',
        'hush',
        'u:pw',
        'pw2',
        'pw3',
    ):
        assert secret not in text
    assert 'store.example/v1/c/o' in text


def test_the_letters_of_a_stand_in_for_a_token_stay_in_every_other_text(driver: RecordingDriver) -> None:
    driver.create(types.SimpleNamespace(auth_token='t', project_id='p1'), {'name': 'tattoo'})
    [line] = lines(driver)
    assert line['args']['image_info'] == {'name': 'tattoo'}
    assert line['context']['authenticated'] is True


@pytest.mark.parametrize(
    'body',
    [b'abcd', io.BytesIO(b'abcd'), [b'ab', b'cd'], iter([b'ab', b'cd'])],
    ids=['bytes', 'file', 'list', 'iterator'],
)
def test_the_bytes_of_a_body_are_counted_whatever_it_is(
    driver: RecordingDriver, inner: Memory, body: Any
) -> None:
    driver.create(CONTEXT, {}, body)
    assert inner.body == b'abcd'
    tally = Tally()
    tally.add(b'abcd')
    assert lines(driver)[0]['sent'] == tally.plain()


def test_a_counted_stream_has_the_methods_of_the_stream_and_no_others() -> None:
    generator = counted((chunk for chunk in [b'a']), Tally())
    assert not hasattr(generator, 'read')
    assert not hasattr(generator, '__len__')
    assert list(generator) == [b'a']
    source = counted(io.BytesIO(b'abc'), Tally())
    assert isinstance(source, io.BytesIO)
    assert source.seekable()
    assert not hasattr(source, 'nothing')


def test_a_rewound_body_is_counted_once() -> None:
    tally = Tally()
    source = counted(io.BytesIO(b'abcd'), tally)
    source.read(3)
    source.seek(0)
    assert source.read() == b'abcd'
    assert tally.size == 4


def test_a_download_tells_where_the_bytes_went(
    driver: RecordingDriver, inner: Memory, tmp_path: Any
) -> None:
    inner.body = b'abcd'
    sink = io.BytesIO()
    driver.download(CONTEXT, ID, sink)
    driver.download(CONTEXT, ID, None, str(tmp_path / 'out'))
    chunks = driver.download(CONTEXT, ID)
    assert chunks is not None
    assert len(chunks) == 4  # type: ignore[arg-type]
    assert len(lines(driver)) == 2, 'the line of an iterator comes when it ends'
    assert b''.join(chunks) == b'abcd'
    into, path, iterator = lines(driver)
    assert sink.getvalue() == b'abcd'
    assert into['received']['bytes'] == 4
    assert into['file'] is None
    assert path['file'] == into['received']
    assert iterator['received'] == into['received']
    assert iterator['result'] == 'iterator'


def test_an_iterator_that_is_let_go_is_written_down_with_what_was_read(
    driver: RecordingDriver, inner: Memory
) -> None:
    inner.body = b'abcd'
    chunks: Any = driver.download(CONTEXT, ID)
    next(chunks)
    del chunks
    assert lines(driver)[0]['received']['bytes'] == 2


def test_recording_that_fails_is_counted_and_never_reaches_the_caller(
    inner: Memory, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    driver = RecordingDriver(inner, str(tmp_path / 'no-such-directory' / 'trace'))
    assert driver.delete(CONTEXT, ID) is True
    assert driver.delete(CONTEXT, ID) is True
    assert driver.failures == 2
    assert len([record for record in caplog.records if record.name == recording.__name__]) == 1


def test_arguments_that_are_no_json_are_named_by_their_type(driver: RecordingDriver) -> None:
    loop: dict[str, Any] = {'what': object(), 1: {b'x'}, 'text': 'snö\udc80'}
    loop['again'] = loop
    driver.list(CONTEXT, filters=loop)
    assert lines(driver)[0]['args']['filters']['what'] == '<builtins.object>'
    assert driver.failures == 0


def test_threads_and_processes_share_one_file(driver: RecordingDriver) -> None:
    def work() -> None:
        for _ in range(50):
            driver.list(CONTEXT, filters={'name': 'x' * 5000})

    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.waitpid(child, 0)
    found = lines(driver)
    assert len(found) == 200
    assert len({line['pid'] for line in found}) == 2
    assert len({(line['pid'], line['n']) for line in found}) == 200


def test_what_is_not_an_operation_goes_to_the_driver_inside(driver: RecordingDriver) -> None:
    assert driver.is_available(CONTEXT, {'visibility': 'private'}) is True
    with pytest.raises(NotImplementedError, match='memory'):
        driver.glance_url()
    with pytest.raises(NotImplementedError, match='memory'):
        driver.copy_to_store(CONTEXT, ID, 'fast')
    assert lines(driver)[0]['op'] == 'copy_to_store'


# -- requests


class _Wired(Memory):
    """A driver that sends real requests to a server that answers anything."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def update(self, *args: Any, **more: Any) -> dict[str, Any]:
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=5)
        hidden = {'X-Auth-Token': CONTEXT.auth_token, 'Cookie': 'c=1'}
        patch = json.dumps([{'op': 'add', 'path': '/a', 'value': '1', 'password': 'pass-1'}])
        for method, path, body, headers in (
            ('POST', '/v3/auth/tokens', '{"auth": "pass-2"}', {'Content-Type': 'application/json'}),
            ('PATCH', '/v2/images/x?limit=2&api_key=key-1', patch, {'Content-Type': 'application/v2+json'}),
            ('PUT', '/v2/images/x/file', b'12345', {'Content-Type': 'application/octet-stream'}),
            ('GET', '/v2/images/x', None, {}),
        ):
            connection.request(method, path, body, {**hidden, **headers})
            connection.getresponse().read()
        connection.close()
        return self._record()


class _Anything(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()

    do_GET = do_PUT = do_PATCH = do_POST = answer

    def log_message(self, *_: Any) -> None:
        pass


def test_requests_are_told_without_what_is_secret(tmp_path: Any) -> None:
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Anything)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        driver = RecordingDriver(_Wired(server.server_port), str(tmp_path / 'ops'))
        driver.update(CONTEXT, ID, {}, None)
        driver.show(CONTEXT, ID)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    text = (tmp_path / 'ops').read_text()
    update, show = map(json.loads, text.splitlines())
    assert [(each['method'], each['path'], each.get('body')) for each in update['requests']] == [
        ('PATCH', '/v2/images/x?limit=2&api_key=***', [{'op': 'add', 'path': '/a', 'value': '1', 'password': '***'}]),
        ('PUT', '/v2/images/x/file', {'bytes': 5}),
        ('GET', '/v2/images/x', None),
    ]
    assert update['requests'][0]['headers'] == {'content-type': 'application/v2+json'}
    assert show['requests'] is None
    for secret in (CONTEXT.auth_token, 'pass-1', 'pass-2', 'key-1', 'c=1'):
        assert secret not in text


@pytest.mark.parametrize(
    'value',
    [
        [{'op': 'add', 'path': '/admin_password', 'value': 'hush'}],
        [{'op': 'add', 'path': '/locations/-', 'value': {'url': "swift+https://user:it's-hush@host/c/o"}}],
        {'location': 'swift+https://user:a"hush@host/c/o'},
        {'passphrase': 'hush', 'Authorization': 'Basic hush'},
    ],
)
def test_what_is_secret_is_hidden_wherever_it_stands(value: Any) -> None:
    shown = json.dumps(Plain(CONTEXT)(value))
    assert 'hush' not in shown
    assert '***' in shown
