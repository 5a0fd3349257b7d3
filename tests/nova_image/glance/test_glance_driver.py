# SPDX-License-Identifier: Apache-2.0
"""Which requests each operation makes, and what is left behind when one of them fails."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from glanceclient import exc as glance
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import errors

CTX = Caller()
PATH = f'/v2/images/{IMAGE_ID}'


class Store:
    """One image: enough of Glance for one operation at a time."""

    def __init__(self, content: bytes | None = b'hello', **image: Any) -> None:
        self.content = content
        self.image = image
        self.ranges = True
        self.stored: bytes | None = None

    def record(self) -> dict[str, Any]:
        if self.content is None:
            return an_image(status='queued', size=None, checksum=None, **self.image)
        made = hashlib.sha512(self.content).hexdigest()
        changes = {'size': len(self.content), 'os_hash_algo': 'sha512', 'os_hash_value': made, **self.image}
        return an_image(checksum=hashlib.md5(self.content).hexdigest(), **changes)

    def __call__(self, request: Request) -> Answer:
        if request.method == 'POST':
            return as_json({**self.record(), **json.loads(request.body)}, 201)
        if request.method == 'PUT':
            self.content = request.body if self.stored is None else self.stored
            return Answer(204)
        if request.method == 'DELETE':
            return Answer(204)
        if request.method == 'PATCH':
            return as_json({**self.record(), 'name': 'patched'})
        if request.path.endswith('/file'):
            return self.file(request)
        return as_json(self.record())

    def file(self, request: Request) -> Answer:
        if self.content is None:
            return Answer(204)
        asked = request.headers.get('Range')
        if asked and self.ranges:
            begin, size = int(asked[6:-1]), len(self.content)
            return Answer(206, self.content[begin:], {'Content-Range': f'bytes {begin}-{size - 1}/{size}'})
        return Answer(200, self.content)


@pytest.fixture
def store(server: Server) -> Store:
    server.answer = Store()
    return server.answer


def methods(server: Server) -> list[str]:
    return [request.method for request in server.requests]


def body_of(request: Request) -> Any:
    return json.loads(request.body)


@pytest.mark.contract('C-091')
def test_a_get_is_one_request(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).show(CTX, IMAGE_ID)
    assert server.calls == [('GET', PATH)]


def test_an_id_is_quoted(server: Server, make_driver: Any) -> None:
    make_driver(server.url).show(CTX, 'ein Bild ü')
    assert server.calls == [('GET', '/v2/images/ein%20Bild%20%C3%BC')]


@pytest.mark.contract('C-252')
def test_a_create_without_data_is_one_request(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'name': 'x', 'properties': {'a': 1}})
    assert server.calls == [('POST', '/v2/images')]
    assert body_of(server.requests[0]) == {'name': 'x', 'a': '1'}


@pytest.mark.contract('C-252')
def test_a_create_with_data_is_three_requests_and_tells_the_size(
    server: Server, store: Store, make_driver: Any
) -> None:
    record = make_driver(server.url).create(CTX, {'name': 'x'}, io.BytesIO(b'hello'))
    assert server.calls == [('POST', '/v2/images'), ('PUT', PATH + '/file'), ('GET', PATH)]
    assert server.requests[1].body == b'hello'
    assert server.requests[1].headers['x-openstack-image-size'] == '5'
    assert server.requests[1].headers['Content-Type'] == 'application/octet-stream'
    assert record['status'] == 'active'


def test_the_store_asked_for_is_named_with_the_data(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'store': 'slow'}, b'hello')
    assert server.requests[1].headers['x-image-meta-store'] == 'slow'


@pytest.mark.parametrize('stored', [b'', b'hell', b'hellO'])
def test_an_upload_that_arrived_otherwise_is_an_error_and_leaves_no_image(
    stored: bytes, server: Server, store: Store, make_driver: Any
) -> None:
    store.stored = stored
    with pytest.raises(errors.ImageUploadIncomplete):
        make_driver(server.url).create(CTX, {'name': 'x'}, b'hello')
    assert methods(server) == ['POST', 'PUT', 'GET', 'DELETE']


@pytest.mark.contract('C-253')
@pytest.mark.parametrize('status', [400, 401, 403, 409, 413, 415, 500])
def test_a_failed_upload_leaves_no_image(
    status: int, server: Server, store: Store, make_driver: Any, sleeps: list[float]
) -> None:
    server.answer = lambda r: Answer(status, b'no') if r.method == 'PUT' else store(r)
    with pytest.raises(errors.NovaException):
        make_driver(server.url).create(CTX, {'name': 'x'}, b'hello')
    assert methods(server) == ['POST', 'PUT', 'DELETE']


def test_the_error_of_a_failed_create_outlives_a_failed_clean_up(
    server: Server, store: Store, make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda r: Answer(403, b'no') if r.method in ('PUT', 'DELETE', 'PATCH') else store(r)
    with pytest.raises(errors.Forbidden, match='HTTP no'):
        make_driver(server.url).create(CTX, {'name': 'x'}, b'hello')
    assert f'Image {IMAGE_ID} was made by a create that failed' in caplog.text


@pytest.mark.contract('C-253')
def test_a_failed_create_of_a_protected_image_leaves_no_image(
    server: Server, store: Store, make_driver: Any
) -> None:
    state = {'protected': True}

    def answer(request: Request) -> Answer:
        if request.method == 'PATCH':
            state['protected'] = json.loads(request.body)[0]['value']
        refused = request.method == 'PUT' or (request.method == 'DELETE' and state['protected'])
        return Answer(403, b'no') if refused else store(request)

    server.answer = answer
    with pytest.raises(errors.Forbidden):
        make_driver(server.url).create(CTX, {'protected': True}, b'hello')
    assert methods(server) == ['POST', 'PUT', 'DELETE', 'PATCH', 'DELETE']


def test_data_of_no_kind_is_refused_before_any_request(server: Server, make_driver: Any) -> None:
    for operation in ('create', 'update'):
        with pytest.raises(errors.BadImageInfo):
            if operation == 'create':
                make_driver(server.url).create(CTX, {'name': 'x'}, 7)
            else:
                make_driver(server.url).update(CTX, IMAGE_ID, {'name': 'x'}, 7)
    assert not server.requests


@pytest.mark.contract('C-255')
def test_size_0_without_data_makes_an_empty_active_image(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'size': 0})
    assert methods(server) == ['POST', 'PUT', 'GET']
    assert body_of(server.requests[0]) == {'container_format': 'bare', 'disk_format': 'raw'}
    assert server.requests[1].body == b''


@pytest.mark.contract('C-255', 'C-301')
@pytest.mark.parametrize('disk_format', ['qcow2', None])
def test_an_empty_image_of_another_format_is_refused_before_any_request(
    disk_format: str | None, server: Server, make_driver: Any
) -> None:
    with pytest.raises(errors.ImageBadRequest) as caught:
        make_driver(server.url).create(CTX, {'size': 0, 'disk_format': disk_format})
    assert str(caught.value) == f'Unable to force activate with disk_format={disk_format}'
    assert not server.requests


@pytest.mark.contract('C-255')
@pytest.mark.parametrize('size', [None, '0', 5, False])
def test_only_the_number_0_makes_an_empty_image(size: Any, server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'size': size})
    assert methods(server) == ['POST']


@pytest.mark.contract('C-257')
def test_a_location_is_registered_after_the_create(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'location': 'http://h/x'})
    assert server.calls == [('POST', '/v2/images'), ('POST', PATH + '/locations')]
    assert body_of(server.requests[0]) == {}
    assert body_of(server.requests[1]) == {'url': 'http://h/x', 'validation_data': {}}


@pytest.mark.contract('C-257')
@pytest.mark.parametrize('status', [404, 405, 501])
def test_an_older_server_gets_its_location_by_a_patch(
    status: int, server: Server, store: Store, make_driver: Any
) -> None:
    server.answer = lambda r: Answer(status, b'no') if r.path.endswith('/locations') else store(r)
    make_driver(server.url).create(CTX, {'location': 'http://h/x'})
    assert body_of(server.requests[2]) == [
        {'op': 'add', 'path': '/locations/-', 'value': {'url': 'http://h/x', 'metadata': {}}}
    ]


@pytest.mark.contract('C-253', 'C-257')
def test_a_refused_location_leaves_no_image(server: Server, store: Store, make_driver: Any) -> None:
    server.answer = lambda r: Answer(403, b'no') if r.path.endswith('/locations') else store(r)
    with pytest.raises(errors.Forbidden):
        make_driver(server.url).create(CTX, {'location': 'file:///etc/passwd'})
    assert methods(server) == ['POST', 'POST', 'DELETE']


@pytest.mark.contract('C-259')
def test_the_owner_of_the_instance_becomes_a_member(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'properties': {'instance_owner': 'p2', 'a': 'b'}}, b'hello')
    assert server.calls[1] == ('POST', PATH + '/members')
    assert body_of(server.requests[0]) == {'a': 'b'}
    assert body_of(server.requests[1]) == {'member': 'p2'}


@pytest.mark.contract('C-316', 'C-246')
def test_copy_from_is_an_import_never_a_property(server: Server, store: Store, make_driver: Any) -> None:
    make_driver(server.url).create(CTX, {'copy_from': 'http://h/x', 'disk_format': 'raw'})
    assert server.calls[1:] == [('POST', PATH + '/import'), ('GET', PATH)]
    assert body_of(server.requests[0]) == {'disk_format': 'raw'}
    assert body_of(server.requests[1]) == {'method': {'name': 'web-download', 'uri': 'http://h/x'}}


@pytest.mark.contract('C-316', 'C-253')
@pytest.mark.parametrize('status', [400, 404, 405, 409])
def test_a_server_without_that_import_is_invalid(status: int, server: Server, store: Store, make_driver: Any) -> None:
    server.answer = lambda r: Answer(status, b'no') if r.path.endswith('/import') else store(r)
    with pytest.raises(errors.Invalid, match='web-download'):
        make_driver(server.url).create(CTX, {'copy_from': 'http://h/x'})
    assert methods(server)[-1] == 'DELETE'


def test_a_metadata_update_is_two_requests(server: Server, store: Store, make_driver: Any) -> None:
    record = make_driver(server.url).update(CTX, IMAGE_ID, {'name': 'y', 'properties': {'a': 'b'}})
    assert server.calls == [('GET', PATH), ('PATCH', PATH)]
    assert server.requests[1].headers['Content-Type'] == 'application/openstack-images-v2.1-json-patch'
    assert body_of(server.requests[1]) == [
        {'op': 'replace', 'path': '/name', 'value': 'y'}, {'op': 'add', 'path': '/a', 'value': 'b'},
    ]  # fmt: skip
    assert record['name'] == 'patched'


@pytest.mark.contract('C-261', 'C-262')
def test_a_purge_removes_what_is_not_named_but_nothing_of_the_services_own(
    server: Server, make_driver: Any
) -> None:
    server.answer = Store(keep='1', drop='2', os_glance_importing='fast')
    make_driver(server.url).update(CTX, IMAGE_ID, {'properties': {'keep': '1'}}, purge_props=True)
    assert body_of(server.requests[1]) == [{'op': 'remove', 'path': '/drop'}]


@pytest.mark.contract('C-239')
@pytest.mark.parametrize(('visibility', 'patch'), [
    ('public', [{'op': 'replace', 'path': '/visibility', 'value': 'private'}]), ('shared', []), ('community', []),
])  # fmt: skip
def test_is_public_false_leaves_images_alone_that_are_not_public(
    visibility: str, patch: list[Any], server: Server, make_driver: Any
) -> None:
    server.answer = Store(visibility=visibility)
    make_driver(server.url).update(CTX, IMAGE_ID, {'is_public': False})
    assert body_of(server.requests[1]) == patch


def test_an_update_with_data_is_four_requests(server: Server, make_driver: Any) -> None:
    server.answer = Store(None)
    record = make_driver(server.url).update(CTX, IMAGE_ID, {'name': 'y'}, iter([b'hel', b'lo']))
    assert server.calls == [('GET', PATH), ('PATCH', PATH), ('PUT', PATH + '/file'), ('GET', PATH)]
    assert server.requests[2].body == b'hello'
    assert (record['size'], record['status']) == (5, 'active')


def test_wrong_bytes_that_an_update_stored_are_not_left_active(server: Server, store: Store, make_driver: Any) -> None:
    store.stored = b'other'
    server.answer = lambda r: Answer(204) if 'deactivate' in r.path else store(r)
    with pytest.raises(errors.ImageUploadIncomplete):
        make_driver(server.url).update(CTX, IMAGE_ID, {}, b'hello')
    assert server.calls[-2:] == [('GET', PATH), ('POST', PATH + '/actions/deactivate')]
    assert server.requests[-1].body == b''


def test_an_image_that_may_not_be_deactivated_is_still_an_error_of_its_bytes(
    server: Server, store: Store, make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store.stored = b'other'
    server.answer = lambda r: Answer(403, b'no') if 'deactivate' in r.path else store(r)
    with pytest.raises(errors.ImageUploadIncomplete):
        make_driver(server.url).update(CTX, IMAGE_ID, {}, b'hello')
    assert f'Image {IMAGE_ID} holds wrong bytes, is active' in caplog.text


def test_a_source_that_shrinks_during_an_update_deactivates_nothing(
    server: Server, store: Store, make_driver: Any
) -> None:
    def short() -> Any:
        yield b'hel'
        raise errors.ImageUploadIncomplete(image_id=IMAGE_ID, what='the length', actual=3, expected=5)

    server.answer = lambda r: as_json(an_image(status='queued'))
    with pytest.raises(errors.ImageUploadIncomplete):
        make_driver(server.url, num_retries=0).update(CTX, IMAGE_ID, {}, short())
    assert not any('actions' in path for _method, path in server.calls)


@pytest.mark.contract('C-180')
def test_data_for_an_image_that_has_some_is_a_conflict_by_either_name(
    server: Server, store: Store, make_driver: Any
) -> None:
    server.answer = lambda r: Answer(409, b'in use') if r.method == 'PUT' else store(r)
    with pytest.raises(glance.HTTPConflict, match='HTTP in use') as caught:
        make_driver(server.url).update(CTX, IMAGE_ID, {}, b'hello')
    assert isinstance(caught.value, errors.ImageConflict)


@pytest.mark.contract('C-184')
def test_a_delete_is_one_request_and_true(server: Server, store: Store, make_driver: Any) -> None:
    assert make_driver(server.url).delete(CTX, IMAGE_ID) is True
    assert server.calls == [('DELETE', PATH)]


@pytest.mark.contract('C-284')
def test_a_copy_to_a_store_is_one_import(server: Server, store: Store, make_driver: Any) -> None:
    assert make_driver(server.url).copy_to_store(CTX, IMAGE_ID, 'far') is None
    assert body_of(server.requests[0]) == {
        'method': {'name': 'copy-image'}, 'stores': ['far'], 'all_stores_must_succeed': False,
    }  # fmt: skip


@pytest.mark.contract('C-126', 'C-128')
def test_a_verified_download_is_two_requests(server: Server, store: Store, make_driver: Any) -> None:
    target = io.BytesIO()
    assert make_driver(server.url).download(CTX, IMAGE_ID, target) is None
    assert target.getvalue() == b'hello'
    assert server.calls == [('GET', PATH), ('GET', PATH + '/file')]
    assert server.requests[1].headers['Accept-Encoding'] == 'identity'


@pytest.mark.contract('C-315', 'C-135')
def test_an_image_without_data_is_an_error_by_both_names(server: Server, make_driver: Any, tmp_path: Any) -> None:
    server.answer = Store(None)
    with pytest.raises(errors.ImageNotFound) as caught:
        make_driver(server.url).download(CTX, IMAGE_ID, dest_path=str(tmp_path / 'x'))
    assert isinstance(caught.value, errors.ImageUnacceptable)
    assert not list(tmp_path.iterdir())


@pytest.mark.contract('C-132')
@pytest.mark.parametrize('change', [b'hellO', b'hell', b'hello!', b''])
def test_wrong_bytes_are_an_error_and_nothing_is_at_the_path(
    change: bytes, server: Server, store: Store, make_driver: Any, tmp_path: Any
) -> None:
    server.answer = lambda r: Answer(200, change) if r.path.endswith('/file') else store(r)
    with pytest.raises(errors.ImageTransferError):
        make_driver(server.url, num_retries=0).download(CTX, IMAGE_ID, dest_path=str(tmp_path / 'x'))
    assert not list(tmp_path.iterdir())


def cut_after(content: bytes, sent: int) -> Answer:
    def cut(handler: Any) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(content) + content[:sent])

    return Answer(raw=cut)


@pytest.mark.parametrize('ranges', [True, False])
def test_a_download_that_is_cut_goes_on_where_it_broke_or_from_the_start(
    ranges: bool, server: Server, make_driver: Any, tmp_path: Any
) -> None:
    content = bytes(range(256)) * 4000
    store, first = Store(content), [1]
    store.ranges = ranges

    def answer(request: Request) -> Answer:
        if request.path.endswith('/file') and first:
            first.pop()
            return cut_after(content, 600_000)
        return store(request)

    server.answer = answer
    target = tmp_path / 'x'
    make_driver(server.url).download(CTX, IMAGE_ID, dest_path=str(target))
    assert target.read_bytes() == content
    assert server.requests[-1].headers['Range'] == 'bytes=600000-'


@pytest.mark.parametrize(
    'content_range',
    ['', 'bytes 0-4/5', 'bytes 3-4/9', 'bytes 3-3/5', 'bytes=3-4/5', 'bytes 3-4/*x', 'items 3-4/5'],
)
def test_a_part_that_does_not_say_exactly_what_it_is_is_not_used(
    content_range: str, server: Server, store: Store, make_driver: Any
) -> None:
    from nova_image.glance.body import Opening

    def answer(request: Request) -> Answer:
        if 'Range' in request.headers:
            return Answer(206, b'lo', {'Content-Range': content_range})
        return store(request)

    server.answer = answer
    wire, _settings = make_driver(server.url)._wire(CTX)
    body = Opening(wire, IMAGE_ID, 5)(3)
    assert (body.offset, b''.join(body)) == (0, b'hello')
    body.close()


@pytest.mark.parametrize('status', [400, 416])
def test_a_store_that_cannot_do_ranges_gives_the_whole(
    status: int, server: Server, store: Store, make_driver: Any
) -> None:
    from nova_image.glance.body import Opening

    server.answer = lambda r: Answer(status, b'no') if 'Range' in r.headers else store(r)
    wire, _settings = make_driver(server.url)._wire(CTX)
    body = Opening(wire, IMAGE_ID, 5)(3)
    assert (body.offset, b''.join(body)) == (0, b'hello')
    body.close()


def test_a_broken_download_is_fetched_from_another_server(start_server: Any, make_driver: Any) -> None:
    content = b'x' * 300_000
    store = Store(content)
    bad = start_server(lambda r: cut_after(content, 1000) if r.path.endswith('/file') else store(r))
    good = start_server(store)
    target = io.BytesIO()
    for _ in range(2):
        make_driver(bad.url, good.url).download(CTX, IMAGE_ID, target)
    assert target.getvalue() == content * 2


def test_error_answers_of_any_shape_are_understood(server: Server, make_driver: Any) -> None:
    shapes: list[tuple[bytes, dict[str, str]]] = [
        (b'plain', {'Content-Type': 'text/plain'}),
        (b'<html><h1>403</h1>no</html>', {'Content-Type': 'text/html'}),
        (b'{"error": {"message": "no"}}', {'Content-Type': 'application/json'}),
        (b'{"message": "no"}', {'Content-Type': 'application/json'}),
        (b'[1]', {'Content-Type': 'application/json'}),
        (b'{nonsense', {'Content-Type': 'application/json'}),
        (b'\xff\xfe', {'Content-Type': 'text/plain'}),
        (b'x', {}),
        (b'', {}),
        (b'y' * 1_000_000, {'Content-Type': 'text/plain'}),
    ]
    for body, headers in shapes:
        server.answer = lambda request, body=body, headers=headers: Answer(403, body, headers)
        with pytest.raises(errors.ImageNotAuthorized):
            make_driver(server.url).show(CTX, IMAGE_ID)
        with pytest.raises(errors.Forbidden) as caught:
            make_driver(server.url).create(CTX, {'name': 'x'})
        assert len(str(caught.value)) < 70_000
