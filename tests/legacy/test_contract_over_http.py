# SPDX-License-Identifier: Apache-2.0
"""Statements about what the old service makes of Glance v2, seen in the requests that a server gets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import glanceclient
import pytest

from legacy import glance
from nova_image import API, errors, pauses
from nova_image.glance import session
from nova_image.glance.servers import HEALTH
from nova_image.testing import faults
from nova_image.testing.faulty import FaultyGlance

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}


@pytest.fixture
def server(conf: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyGlance]:
    """A Glance without authentication, configured under the old names."""
    monkeypatch.setattr(pauses, 'FIRST_S', 0.01)
    HEALTH.forget()
    with FaultyGlance() as started:
        conf.set_override('glance_api_servers', [started.url])
        conf.set_override('glance_num_retries', 0)
        conf.set_override('auth_strategy', 'noauth')
        yield started
        session.close_all()


@pytest.fixture(params=['GlanceImageService', 'GlanceImageServiceV2'])
def service(request: Any, server: FaultyGlance) -> Any:
    return getattr(glance, request.param)()


def query(server: FaultyGlance) -> dict[str, str]:
    """Of the last request, without paging."""
    asked = dict(parse_qsl(urlsplit(server.requests[-1].path).query))
    return {name: value for name, value in asked.items() if name != 'limit'}


@pytest.mark.contract('C-164')
def test_the_size_of_a_seekable_body_is_told_from_where_it_stands(service: Any, server: FaultyGlance, ctx: Any) -> None:
    body = io.BytesIO(b'..hello')
    body.seek(2)
    assert service.create(ctx, META, body)['size'] == 5
    uploads = [seen for seen in server.requests if seen.route == 'PUT file']
    assert [{k.lower(): v for k, v in seen.headers.items()}['x-openstack-image-size'] for seen in uploads] == ['5']
    assert list(server.store.contents.values()) == [b'hello']


@pytest.mark.contract('C-234')
@pytest.mark.parametrize('name', ['name', 'property-kind'])
def test_a_filter_value_of_none_is_the_text_none(name: str, service: Any, server: FaultyGlance, ctx: Any) -> None:
    field = name.removeprefix('property-')
    wanted = server.store.add(**{field: 'None'})
    server.store.add(**{field: 'something'})
    assert [image['id'] for image in service.detail(ctx, filters={name: None})] == [wanted['id']]
    assert query(server) == {field: 'None'}


@pytest.mark.contract('C-260')
def test_an_upload_that_is_too_large_is_raw_from_create_and_a_quota_from_update(
    service: Any, server: FaultyGlance, ctx: Any
) -> None:
    server.inject(faults.status('PUT file', 413, times=0))
    with pytest.raises(glanceclient.exc.HTTPOverLimit) as caught:
        service.create(ctx, META, b'hello')
    assert caught.value.code == 413
    queued = server.store.add()['id']
    with pytest.raises(errors.ImageQuotaExceeded, match=f'for image {queued} in'):
        service.update(ctx, queued, {}, b'hello')


@pytest.mark.contract('C-264', 'C-180')
def test_metadata_stays_changed_when_the_upload_of_the_same_update_is_refused(
    service: Any, server: FaultyGlance, ctx: Any
) -> None:
    active = server.store.add(b'bytes')['id']
    with pytest.raises(glanceclient.exc.HTTPConflict):
        service.update(ctx, active, {'name': 'changed'}, b'hello')
    assert server.store.show(active)['name'] == 'changed'
    assert server.store.contents[active] == b'bytes'
    changes = [seen.route for seen in server.requests if not seen.route.startswith('GET')]
    assert changes == ['PATCH image', 'PUT file']


@pytest.mark.contract('C-275', 'C-253')
def test_a_create_that_fails_half_way_leaves_nothing_and_an_update_is_one_patch(
    service: Any, server: FaultyGlance, ctx: Any
) -> None:
    server.inject(faults.status('PUT file', 500))
    with pytest.raises(errors.NovaException):
        service.create(ctx, META, b'hello')
    assert server.store.records == {}
    image_id = server.store.add(a='1', b='2')['id']
    server.forget()
    service.update(ctx, image_id, {'name': 'x', 'properties': {'c': '3'}}, purge_props=True)
    assert [seen.method for seen in server.requests if seen.method != 'GET'] == ['PATCH']


@pytest.mark.contract('C-332')
def test_a_property_that_may_not_be_removed_refuses_the_update_and_nothing_is_applied(
    service: Any, server: FaultyGlance, ctx: Any
) -> None:
    before = server.store.add(locked='1', open='1')
    server.inject(faults.status('PATCH image', 403))
    with pytest.raises(errors.ImageNotAuthorized):
        service.update(ctx, before['id'], {'name': 'x', 'properties': {}}, purge_props=True)
    assert server.store.show(before['id']) == before
    assert server.count('PATCH image') == 1


@pytest.mark.contract('C-270')
def test_checksum_store_and_copy_from_never_become_properties(service: Any, server: FaultyGlance, ctx: Any) -> None:
    made = service.create(ctx, {**META, 'checksum': 'of something else', 'store': 'slow'}, b'hello')
    assert (made['status'], made['properties']) == ('active', {})
    uploads = [seen for seen in server.requests if seen.route == 'PUT file']
    assert uploads[0].headers['x-image-meta-store'] == 'slow'
    server.forget()
    with pytest.raises(errors.Invalid, match='copy_from cannot be done'):  # this server has no import
        service.create(ctx, {**META, 'copy_from': 'http://h/x'})
    assert [seen.path.rpartition('/')[2] for seen in server.requests][:2] == ['images', 'import']
    assert list(server.store.records) == [made['id']]


@pytest.mark.contract('C-273', 'C-177')
def test_data_with_the_default_purge_keeps_what_the_image_had(service: Any, server: FaultyGlance, ctx: Any) -> None:
    image_id = server.store.add(a='1')['id']
    assert service.update(ctx, image_id, {'properties': {'b': '2'}}, io.BytesIO(b'x'))['properties'] == {
        'a': '1', 'b': '2',
    }  # fmt: skip
    image_id = server.store.add(a='1')['id']
    assert service.update(ctx, image_id, {'properties': {'b': '2'}}, b'')['properties'] == {'b': '2'}


@pytest.mark.contract('C-274', 'C-035', 'C-089')
def test_callers_without_a_token_work_with_a_glance_that_needs_none(service: Any, server: FaultyGlance) -> None:
    nobody = SimpleNamespace(is_admin=False, project_id='p', user_id='u', roles=[])
    own = service.create(nobody, {**META, 'properties': {'owner_id': 'p'}}, b'hello')['id']
    others = server.store.add(owner_id='q')['id']
    assert service.show(nobody, own)['id'] == own
    assert [image['id'] for image in service.detail(nobody)] == [own]
    assert [image['id'] for image in API().get_all(nobody)] == [own]
    with pytest.raises(errors.ImageNotFound):
        service.show(nobody, others)
    assert b''.join(service.download(nobody, own)) == b'hello'
    assert service.delete(nobody, own) is True
    assert server.tokens == set()


@pytest.mark.contract('C-216', 'C-058')
def test_out_of_tree_drivers_read_raw_models_and_translate_their_own_errors(server: FaultyGlance, ctx: Any) -> None:
    image_id = server.store.add(b'bytes', kind='x')['id']
    client = glance.GlanceClientWrapper()
    model = client.call(ctx, 2, 'get', image_id)
    assert (model['id'], model['size'], model['kind'], model['visibility']) == (image_id, 5, 'x', 'shared')
    assert [found['id'] for found in client.call(ctx, 2, 'list')] == [image_id]
    with pytest.raises(errors.ImageNotFound, match='Image nothing could not be found'):
        try:
            client.call(ctx, 2, 'get', 'nothing')
        except Exception:  # noqa: BLE001 - as such drivers do
            glance._reraise_translated_image_exception('nothing')


@pytest.mark.contract('C-187')
def test_a_delete_that_cannot_reach_a_server_says_so(service: Any, server: FaultyGlance, ctx: Any) -> None:
    image_id = server.store.add()['id']
    server.inject(faults.status('DELETE image', 503))
    with pytest.raises(errors.GlanceConnectionFailed):
        service.delete(ctx, image_id)
    HEALTH.forget()
    server.inject(faults.cut('DELETE image', times=0))
    with pytest.raises(errors.GlanceConnectionFailed):
        service.delete(ctx, image_id)
    assert image_id in server.store.records


@pytest.mark.contract('C-190', 'C-192')
def test_texts_are_those_of_the_client_and_never_its_error_object(service: Any, server: FaultyGlance, ctx: Any) -> None:
    server.inject(faults.status('POST images', 400, body=b'400 Bad Request\n\nthe details'))
    with pytest.raises(errors.Invalid) as plain:
        service.create(ctx, META)
    assert str(plain.value) == str(plain.value.__cause__)
    assert type(plain.value.args[0]) is str
    server.inject(faults.status('GET image', 400, body=b'400 Bad Request\n\nthe details'))
    with pytest.raises(errors.ImageBadRequest) as image:
        service.show(ctx, 'i')
    assert image.value.kwargs['response'] == str(image.value.__cause__)
    assert type(image.value.kwargs['response']) is str


@pytest.mark.contract('C-330')
@pytest.mark.parametrize(
    ('status', 'expected'),
    [(404, errors.ImageNotFound), (403, errors.ImageNotAuthorized), (401, errors.ImageNotAuthorized), (500, None)],
)
def test_locations_that_cannot_be_had_end_a_download_only_where_it_would_be_refused_as_well(
    status: int, expected: Any, service: Any, server: FaultyGlance, ctx: Any, conf: Any, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    conf.set_override('allowed_direct_url_schemes', ['file'])
    image_id, target = server.store.add(b'bytes')['id'], tmp_path / 'target'
    server.inject(faults.status('GET image', status))
    if expected is None:
        service.download(ctx, image_id, dst_path=str(target))
        assert target.read_bytes() == b'bytes'
        assert f'Locations of image {image_id} cannot be had' in caplog.text
    else:
        with pytest.raises(expected):
            service.download(ctx, image_id, dst_path=str(target))
        assert server.count('GET file') == 0
        assert not target.exists()
