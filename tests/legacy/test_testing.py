# SPDX-License-Identifier: Apache-2.0
"""The fakes of old test suites, in both eras, and over the new API."""

from __future__ import annotations

import datetime
import inspect
import io
import unittest
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import glanceclient
import pytest
from oslo_config import cfg

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


class Case(unittest.TestCase):
    """A test case without stub_out."""


@pytest.mark.contract('C-219')
def test_a_plain_test_case_gets_the_factories_back_at_its_end() -> None:
    case, before = Case(), glance.get_default_image_service
    fake = testing.stub_out_image_service(case, '18')
    assert glance.get_default_image_service() is fake
    case.doCleanups()
    assert glance.get_default_image_service is before
    with pytest.raises(TypeError, match='expected an object with Set, stub_out, addCleanup or setattr'):
        testing.stub_out_image_service(object())


@pytest.mark.contract('C-220')
@pytest.mark.parametrize('era', ['2014.1', '18'])
def test_the_null_kernel_option_names_the_kernel_of_all_but_one(era: Any, conf: Any) -> None:
    conf.register_opt(cfg.StrOpt('null_kernel', default='none-here'))
    try:
        images = testing.FakeImageService(era).detail(None)
    finally:
        conf.unregister_opt(cfg.StrOpt('null_kernel', default='none-here'))
    kernels = [image['properties']['kernel_id'] for image in images]
    assert sorted(kernels) == ['155d900f-4e14-4e4c-a73d-069cbf4541e6', *['none-here'] * 6]


@pytest.mark.contract('C-223')
def test_create_fills_in_size_status_and_owner_in_the_later_era_only() -> None:
    meta = {'name': 'n', 'owner': 'p', 'properties': {}}
    old = testing.FakeImageService().create(None, dict(meta))
    assert not {'size', 'status'} & set(old)
    assert old['properties'] == {}
    new = testing.FakeImageService('18').create(None, dict(meta))
    assert (new['size'], new['status'], new['properties']) == (None, 'active', {'owner': 'p'})


@pytest.mark.contract('C-221')
def test_a_missing_image_is_a_warning_and_answers_are_copies(caplog: pytest.LogCaptureFixture) -> None:
    fake = testing.FakeImageService()
    image_id = testing.get_valid_image_id()
    fake.show(None, image_id)['properties'].clear()
    fake.detail(None, filters={'name': 'nothing'})[0]['properties'].clear()
    assert all(image['properties'] for image in fake.images.values())
    assert caplog.records == []
    with pytest.raises(errors.ImageNotFound):
        fake.show(None, 'nothing')
    assert [record.levelname for record in caplog.records] == ['WARNING']


@pytest.mark.contract('C-221', 'C-222')
@pytest.mark.parametrize('era', ['2014.1', '18'])
def test_old_and_migrated_callers_meet_the_same_images(era: Any, tmp_path: Any) -> None:
    with testing.installed_over_new_api(era) as fake:
        api, service = API(), glance.get_default_image_service()
        assert service is fake
        assert api.get_all(None, filters={'name': 'x'}) == fake.detail(None) == service.detail(None)
        image_id = testing.get_valid_image_id()
        assert api.get(None, f'http://h/images/{image_id}') == service.show(None, image_id)
        given = {'name': 'x', 'properties': {'b': '2'}}
        assert 'architecture' in api.update(None, image_id, given)['properties']
        assert given == {'name': 'x', 'properties': {'b': '2'}}
        assert api.update(None, image_id, given, purge_props=True)['properties'] == {'b': '2'}
        assert fake.show(None, image_id)['name'] == 'x'
        made = api.create(None, {'name': 'n'}, io.BytesIO(b'bytes'))
        sink = io.BytesIO()
        assert api.download(None, made['id'], sink) is None
        assert api.download(None, made['id'], dest_path=tmp_path / 'file') is None
        assert sink.getvalue() == (tmp_path / 'file').read_bytes() == b'bytes'
        assert b''.join(api.download(None, made['id']) or ()) == b'bytes'
        api.update(None, made['id'], {}, b'other')
        assert b''.join(api.download(None, made['id']) or ()) == b'other'
        assert api.delete(None, made['id']) is True
        for call in (api.get, api.delete, api.download):
            with pytest.raises(errors.ImageNotFound):
                call(None, made['id'])
    assert API().driver.name != 'fake'


def test_a_method_of_the_fake_that_a_test_replaces_is_what_the_new_api_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with testing.installed_over_new_api() as fake:
        monkeypatch.setattr(type(fake), 'show', lambda self, context, image_id: {'id': image_id, 'x': 1})
        assert API().get(None, 'i') == {'id': 'i', 'x': 1}
        testing.FakeImageService_reset()
        API().delete(None, testing.get_valid_image_id())
        assert len(fake.images) == 7
        assert len(testing.FakeImageService().images) == 6


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
    assert service.show(ctx, '1')['deleted'] is True
    with pytest.raises(glanceclient.exc.BadRequest):
        wrapper.client.list(marker='9')


@pytest.mark.contract('C-224')
def test_the_stub_client_pages_by_marker_and_limit(ctx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = testing.StubGlanceClient([{'name': str(number), 'is_public': True} for number in range(40)])
    monkeypatch.setattr(glance, '_create_glance_client', lambda context, host, port, use_ssl, version: client)
    service = glance.GlanceImageService(client=glance.GlanceClientWrapper('fake', 'fake_host', 9292))
    assert [image['id'] for image in service.detail(ctx)] == [str(number) for number in range(1, 31)]
    assert [image['id'] for image in service.detail(ctx, marker='38', page_size=1)] == ['39', '40']
    assert [image['id'] for image in service.detail(ctx, marker='2', limit=2)] == ['3', '4']
    assert client.images.get('1').deleted_at is None
    nobody = SimpleNamespace(auth_token=None, is_admin=False, project_id='p', user_id='u')
    assert service.show(nobody, '3')['name'] == '2'
