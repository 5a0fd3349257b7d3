# SPDX-License-Identifier: Apache-2.0
"""The fakes of old test suites, in both eras, and over the new API."""

from __future__ import annotations

import datetime
import inspect
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import glanceclient
import pytest

from legacy import glance, testing
from nova_image import API, errors

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    testing.FakeImageService_reset()
    yield
    testing.FakeImageService_reset()


@pytest.mark.contract('C-218')
def test_the_fake_is_one_object_until_it_is_reset() -> None:
    first = testing.FakeImageService()
    assert testing.FakeImageService() is first
    testing.FakeImageService_reset()
    assert testing.FakeImageService() is not first
    assert testing.get_valid_image_id() in first.images


@pytest.mark.contract('C-220', 'C-223')
def test_the_seven_images_have_the_shape_of_their_era() -> None:
    old = {image['id']: image for image in testing.FakeImageService().detail(None)}
    new = {image['id']: image for image in testing.FakeImageService('18').detail(None)}
    assert len(old) == len(new) == 7
    assert old.keys() == new.keys()
    odd = old['76fa36fc-c930-4bf3-8c8a-ea2a2420deb6']
    assert (odd['size'], odd['container_format'], odd['disk_format']) == ('83594576', None, None)
    assert odd['created_at'] == datetime.datetime(2011, 1, 1, 1, 2, 3)
    assert not {'min_disk', 'min_ram', 'owner', 'checksum'} & set(odd)
    odd = new['76fa36fc-c930-4bf3-8c8a-ea2a2420deb6']
    assert (odd['size'], odd['container_format'], odd['disk_format']) == (83594576, 'bare', 'raw')
    assert {'min_disk', 'min_ram', 'protected', 'visibility', 'tags'} <= set(odd)
    assert old['c905cedb-7281-47e4-8a62-f26bc5fc4c77']['properties']['ramdisk_id'] is None


@pytest.mark.contract('C-221')
def test_the_fake_differs_from_the_real_one_where_it_always_did() -> None:
    fake = testing.FakeImageService()
    meta: dict[str, Any] = {'name': 'n', 'properties': {'a': '1'}}
    stored = fake.create(None, meta)
    assert meta['id'] == stored['id']
    assert fake.images[stored['id']] is stored
    with pytest.raises(errors.CouldNotUploadImage):
        fake.create(None, dict(meta))
    change: dict[str, Any] = {'properties': {'b': '2'}}
    assert fake.update(None, stored['id'], change)['properties'] == {'a': '1', 'b': '2'}
    assert change == {}
    assert fake.update(None, stored['id'], {'x': 1}, purge_props=True) == {'x': 1}
    assert fake.get_location(None, stored['id']) == 'fake_location'
    assert fake.delete(None, stored['id']) is None
    assert fake.get_location(None, stored['id']) is None
    for call in (fake.delete, fake.show):
        with pytest.raises(errors.ImageNotFound):
            call(None, stored['id'])


@pytest.mark.contract('C-222')
def test_download_has_its_parameters_in_the_order_of_the_era(tmp_path: Any) -> None:
    old, new = testing.FakeImageService(), testing.FakeImageService('18')
    assert list(inspect.signature(old.download).parameters)[2:] == ['dst_path', 'data']  # type: ignore[attr-defined]
    assert list(inspect.signature(new.download).parameters)[2:] == ['data', 'dst_path', 'trusted_certs']  # type: ignore[attr-defined]
    for fake, path in ((old, tmp_path / 'old'), (new, tmp_path / 'new')):
        made = fake.create(None, {'name': 'n'}, io.BytesIO(b'bytes'))
        assert fake.download(None, made['id'], dst_path=str(path)) is None  # type: ignore[attr-defined]
        assert path.read_bytes() == b'bytes'


@pytest.mark.contract('C-006', 'C-219')
@pytest.mark.parametrize('style', ['stubs', 'test case', 'monkeypatch'])
def test_the_fake_goes_behind_both_factories(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stubs: Any = {
        'stubs': SimpleNamespace(Set=monkeypatch.setattr),
        'test case': SimpleNamespace(stub_out=monkeypatch.setattr),
        'monkeypatch': monkeypatch,
    }[style]
    fake = testing.stub_out_image_service(stubs)
    assert glance.get_default_image_service() is fake
    assert glance.get_remote_image_service(None, 'x') == (fake, 'x')
    assert len(glance.API().get_all(None)) == 7


def test_a_migrated_caller_meets_the_same_images() -> None:
    with testing.installed_over_new_api() as fake:
        api = API()
        assert api.get_all(None) == fake.detail(None)
        image_id = testing.get_valid_image_id()
        assert api.get(None, f'http://h/images/{image_id}')['name'] == 'fakeimage7'
        api.update(None, image_id, {'name': 'x'})
        assert fake.show(None, image_id)['name'] == 'x'
        made = api.create(None, {'name': 'n'}, io.BytesIO(b'bytes'))
        sink = io.BytesIO()
        api.download(None, made['id'], sink)
        assert sink.getvalue() == b'bytes'
        api.delete(None, made['id'])
        with pytest.raises(errors.ImageNotFound):
            api.get(None, made['id'])


@pytest.mark.contract('C-224')
def test_services_work_over_the_stub_client(ctx: Any) -> None:
    wrapper = glance.GlanceClientWrapper('fake', 'fake_host', 9292)
    wrapper.client = testing.StubGlanceClient()
    service = glance.GlanceImageService(client=wrapper)
    made = service.create(ctx, {'name': 'n', 'is_public': True})
    assert (made['id'], made['created_at'].isoformat()) == ('1', '2010-10-11T10:30:22+00:00')
    assert [image['id'] for image in service.detail(ctx, limit=5)] == ['1']
    assert service.update(ctx, '1', {'name': 'x'})['name'] == 'x'
    assert service.download(ctx, '1') == []
    assert service.delete(ctx, '1') is True
    with pytest.raises(errors.ImageNotAuthorized):
        service.delete(ctx, '1')
    with pytest.raises(errors.ImageNotFound):
        service.show(ctx, '9')
    with pytest.raises(glanceclient.exc.BadRequest):
        wrapper.client.list(marker='9')
