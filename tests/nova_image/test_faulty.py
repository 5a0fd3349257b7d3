# SPDX-License-Identifier: Apache-2.0
"""The faulty Glance does what it says: right where nothing is armed, wrong exactly where something is."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_image.testing import faults
from nova_image.testing.disturbance import Disturbance, DisturbingProxy
from nova_image.testing.faulty import FaultyGlance

IMAGE = random.Random(1).randbytes(300_000)


@pytest.fixture
def glance() -> Iterator[FaultyGlance]:
    with FaultyGlance() as server:
        yield server


def ask(url: str, method: str, path: str, body: Any = None, timeout: float = 10, **headers: str) -> Any:
    """(status, headers, body) of one request on a connection of its own."""
    connection = http.client.HTTPConnection(url.removeprefix('http://'), timeout=timeout)
    try:
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        connection.request(method, path, body, named, encode_chunked='Transfer-Encoding' in named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the server's threads have seen what the client did."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_faults_it_is_a_small_glance(glance: FaultyGlance) -> None:
    status, _, text = ask(glance.url, 'POST', '/v2/images', json.dumps({'name': 'one', 'x': 'y'}), X_Auth_Token='tok')
    record = json.loads(text)
    assert (status, record['status'], record['x']) == (201, 'queued', 'y')
    path = f'/v2/images/{record["id"]}'
    assert ask(glance.url, 'GET', f'{path}/file')[0] == 204
    assert ask(glance.url, 'PUT', f'{path}/file', IMAGE, X_Openstack_Image_Size='7')[0] == 400
    assert ask(glance.url, 'PUT', f'{path}/file', iter([IMAGE[:9], IMAGE[9:]]), Transfer_Encoding='chunked')[0] == 204
    assert ask(glance.url, 'PUT', f'{path}/file', IMAGE)[0] == 409
    record = json.loads(ask(glance.url, 'GET', path)[2])
    assert (record['status'], record['size']) == ('active', len(IMAGE))
    assert record['os_hash_value'] == hashlib.sha512(IMAGE).hexdigest()
    assert ask(glance.url, 'GET', f'{path}/file')[2] == IMAGE
    status, headers, part = ask(glance.url, 'GET', f'{path}/file', Range='bytes=10-19')
    assert (status, headers['Content-Range'], part) == (206, f'bytes 10-19/{len(IMAGE)}', IMAGE[10:20])
    assert ask(glance.url, 'GET', f'{path}/file', Range='bytes=999999-')[0] == 416
    patch = [{'op': 'replace', 'path': '/name', 'value': 'two'}, {'op': 'remove', 'path': '/x'}]
    record = json.loads(ask(glance.url, 'PATCH', path, json.dumps(patch))[2])
    assert record['name'] == 'two'
    assert 'x' not in record
    assert ask(glance.url, 'PATCH', path, json.dumps(patch))[0] == 409
    assert ask(glance.url, 'DELETE', path)[0] == 204
    assert ask(glance.url, 'DELETE', path)[0] == 404
    assert glance.tokens == {'tok'}
    assert glance.count('PUT file') == 3


def test_lists_come_in_pages_newest_first_and_filtered(glance: FaultyGlance) -> None:
    ids = [glance.store.add(b'x', name=f'n{each % 2}')['id'] for each in range(5)]
    got, path = [], '/v2/images?limit=2&name=n0'
    while path:
        answer = json.loads(ask(glance.url, 'GET', path)[2])
        got.append([each['id'] for each in answer['images']])
        path = answer.get('next')
    assert got == [[ids[4], ids[2]], [ids[0]]]
    assert ask(glance.url, 'GET', '/v2/images?marker=nobody')[0] == 400


def test_only_accepted_tokens_are_served_where_they_are_named() -> None:
    with FaultyGlance(tokens={'good'}) as glance:
        assert ask(glance.url, 'GET', '/v2/images', X_Auth_Token='bad')[0] == 401
        assert ask(glance.url, 'GET', '/v2/images', X_Auth_Token='good')[0] == 200
        image = glance.store.add()['id']
        assert ask(glance.url, 'PUT', f'/v2/images/{image}/file', b'x')[0] == 401
        assert glance.store.show(image)['status'] == 'queued'


def test_a_store_may_have_no_hashes_and_no_ranges() -> None:
    with FaultyGlance(hashes=(), ranges=False) as glance:
        image = glance.store.add(IMAGE)
        assert (image['checksum'], image['os_hash_value'], image['size']) == (None, None, len(IMAGE))
        assert ask(glance.url, 'GET', image['file'], Range='bytes=1-')[0] == 400


@pytest.mark.parametrize(
    ('fault', 'error'),
    [
        (faults.cut('GET file', at=1000), http.client.IncompleteRead),
        (faults.cut('GET file'), http.client.RemoteDisconnected),
        (faults.reset('GET file', at=1000), ConnectionResetError),
        (faults.reset('GET file'), ConnectionResetError),
        (faults.unterminated('GET file', at=1000), http.client.IncompleteRead),
        (faults.stall('GET file', at=1000), TimeoutError),
        (faults.stall('GET file'), TimeoutError),
        (faults.drip('GET file', at=1000, seconds=30), TimeoutError),
    ],
)
def test_a_download_can_break_in_every_way_and_only_as_often_as_asked(
    glance: FaultyGlance, fault: faults.Fault, error: type
) -> None:
    path = glance.store.add(IMAGE)['file']
    glance.inject(fault)
    with pytest.raises(error):
        ask(glance.url, 'GET', path, timeout=0.3)
    assert ask(glance.url, 'GET', path)[2] == IMAGE


def test_a_download_can_be_wrong_without_saying_so(glance: FaultyGlance) -> None:
    path = glance.store.add(IMAGE)['file']
    glance.inject(
        faults.corrupt('GET file', at=7),
        faults.short('GET file', at=1000),
        faults.answers_with('GET file', {'Content-Type': 'application/octet-stream; x=y'}),
        faults.status('GET file', 503, headers={'Retry-After': '3'}),
        faults.redirect('GET file', 'http://elsewhere.example/'),
    )
    wrong = ask(glance.url, 'GET', path)[2]
    assert [place for place, (a, b) in enumerate(zip(wrong, IMAGE, strict=True)) if a != b] == [7]
    assert ask(glance.url, 'GET', path)[2] == IMAGE[:1000]
    status, headers, body = ask(glance.url, 'GET', path)
    assert (status, headers['Content-Type'], body) == (200, 'application/octet-stream; x=y', IMAGE)
    status, headers, _ = ask(glance.url, 'GET', path)
    assert (status, headers['Retry-After']) == (503, '3')
    status, headers, _ = ask(glance.url, 'GET', path)
    assert (status, headers['Location']) == (302, 'http://elsewhere.example/')
    assert ask(glance.url, 'GET', path)[2] == IMAGE


@pytest.mark.parametrize('kind', [faults.cut, faults.reset])
@pytest.mark.parametrize('at', [0, 100_000, None])
def test_an_upload_can_break_and_leaves_the_image_queued(glance: FaultyGlance, kind: Any, at: int | None) -> None:
    image = glance.store.add()
    glance.inject(kind('PUT file', at=at))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(glance.url, 'PUT', image['file'], IMAGE)
    wait_for(lambda: glance.store.show(image['id'])['status'] == 'queued')
    assert glance.requests[0].body_bytes >= (len(IMAGE) if at is None else at)
    assert ask(glance.url, 'PUT', image['file'], IMAGE)[0] == 204


def test_a_client_that_goes_away_between_chunks_has_not_finished(glance: FaultyGlance) -> None:
    image = glance.store.add()
    with socket.create_connection(('127.0.0.1', glance.port)) as client:
        head = f'PUT {image["file"]} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n'
        client.sendall(head.encode())
        wait_for(lambda: glance.count('PUT file') == 1 and glance.requests[0].body_bytes == 5)
    wait_for(lambda: glance.store.show(image['id'])['status'] == 'queued')
    assert image['id'] not in glance.store.contents


def test_an_upload_can_be_answered_early_and_late(glance: FaultyGlance) -> None:
    image = glance.store.add()
    glance.inject(faults.status('PUT file', 401, at=100_000), faults.status('PUT file', 503))
    for status in (401, 503):
        assert ask(glance.url, 'PUT', image['file'], IMAGE)[0] == status
        wait_for(lambda: glance.store.show(image['id'])['status'] == 'queued')


def test_an_upload_can_be_stored_wrong(glance: FaultyGlance) -> None:
    one, two = glance.store.add(), glance.store.add()
    glance.inject(faults.corrupt('PUT file', at=5), faults.short('PUT file', at=10))
    assert ask(glance.url, 'PUT', one['file'], IMAGE)[0] == 204
    assert ask(glance.url, 'PUT', two['file'], IMAGE)[0] == 204
    assert glance.store.contents[one['id']] != IMAGE
    assert glance.store.contents[two['id']] == IMAGE[:10]


def test_a_fault_can_wait_for_its_turn_and_strike_for_ever(glance: FaultyGlance) -> None:
    glance.inject(faults.status('GET images', 500, after=1, times=0))
    assert [ask(glance.url, 'GET', '/v2/images')[0] for _ in range(4)] == [200, 500, 500, 500]
    glance.forget()
    assert ask(glance.url, 'GET', '/v2/images')[0] == 200
    assert glance.count('GET images') == 1


def test_a_late_server_answers_after_all(glance: FaultyGlance) -> None:
    glance.inject(faults.late('*', 0.2))
    begin = time.monotonic()
    assert ask(glance.url, 'GET', '/v2/images')[0] == 200
    assert time.monotonic() - begin >= 0.2


def test_a_connection_lives_on_after_an_answered_fault(glance: FaultyGlance) -> None:
    glance.inject(faults.status('GET images', 429))
    connection = http.client.HTTPConnection(glance.url.removeprefix('http://'), timeout=5)
    codes = []
    for _ in range(2):
        connection.request('GET', '/v2/images')
        answer = connection.getresponse()
        answer.read()
        codes.append(answer.status)
    connection.close()
    assert codes == [429, 200]


@pytest.fixture
def proxy(glance: FaultyGlance) -> Iterator[DisturbingProxy]:
    with DisturbingProxy(glance.url) as through:
        yield through


def test_an_undisturbed_proxy_changes_nothing(glance: FaultyGlance, proxy: DisturbingProxy) -> None:
    image = glance.store.add()
    assert ask(proxy.url, 'PUT', image['file'], IMAGE)[0] == 204
    assert ask(proxy.url, 'GET', image['file'])[2] == IMAGE
    assert proxy.struck == []
    assert proxy.connections == 2


@pytest.mark.parametrize(
    ('what', 'error'),
    [
        (Disturbance('cut', 'down', 50_000), http.client.IncompleteRead),
        (Disturbance('reset', 'down', 50_000), ConnectionResetError),
        (Disturbance('stall', 'down', 50_000), TimeoutError),
        (Disturbance('drip', 'down', 50_000), TimeoutError),
    ],
)
def test_a_proxy_breaks_answers(
    glance: FaultyGlance, proxy: DisturbingProxy, what: Disturbance, error: type
) -> None:
    path = glance.store.add(IMAGE)['file']
    proxy.disturb(what)
    with pytest.raises(error):
        ask(proxy.url, 'GET', path, timeout=0.4)
    assert proxy.struck == [what]
    assert ask(proxy.url, 'GET', path)[2] == IMAGE


def test_a_proxy_waits_for_its_marker_on_a_connection_kept_alive(glance: FaultyGlance, proxy: DisturbingProxy) -> None:
    image = glance.store.add()
    proxy.disturb(Disturbance('cut', 'up', 100_000, marker=b'PUT '))
    connection = http.client.HTTPConnection(proxy.url.removeprefix('http://'), timeout=5)
    connection.request('GET', '/v2/images')
    assert len(connection.getresponse().read()) > 10
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.request('PUT', image['file'], IMAGE)
        connection.getresponse()
    connection.close()
    assert proxy.connections == 1
    assert glance.requests[-1].body_bytes < 100_000


@pytest.mark.parametrize(('at', 'puts'), [(0, 0), (100_000, 1)])
def test_a_proxy_answers_in_the_servers_place(
    glance: FaultyGlance, proxy: DisturbingProxy, at: int, puts: int
) -> None:
    image = glance.store.add()
    proxy.disturb(Disturbance('answer', 'up', at, marker=b'PUT '))
    assert ask(proxy.url, 'PUT', image['file'], IMAGE)[0] == 503
    wait_for(lambda: glance.count('PUT file') == puts)
    wait_for(lambda: glance.store.show(image['id'])['status'] == 'queued')


def test_a_proxy_changes_a_byte(glance: FaultyGlance, proxy: DisturbingProxy) -> None:
    path = glance.store.add(IMAGE)['file']
    proxy.disturb(Disturbance('corrupt', 'down', 100_000))
    got = ask(proxy.url, 'GET', path)[2]
    assert sum(a != b for a, b in zip(got, IMAGE, strict=True)) == 1


def test_a_proxy_to_nowhere_closes() -> None:
    free = socket.create_server(('127.0.0.1', 0))
    port = free.getsockname()[1]
    free.close()
    with DisturbingProxy(f'http://127.0.0.1:{port}') as nowhere, pytest.raises((OSError, http.client.HTTPException)):
        ask(nowhere.url, 'GET', '/')
