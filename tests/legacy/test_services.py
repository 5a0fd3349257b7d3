# SPDX-License-Identifier: Apache-2.0
"""The old service classes and the old API class over the embedded store: what each adds to the new call."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from legacy import glance
from nova_image import API, errors, images

pytestmark = [
    pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning'),
    pytest.mark.usefixtures('local'),
]
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare', 'properties': {'a': '1'}}


@pytest.fixture
def service() -> Any:
    return glance.GlanceImageService()


@pytest.mark.contract('C-101', 'C-312')
def test_the_old_service_gives_exactly_the_16_keys_and_the_others_give_all(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META)
    assert set(made) == set(images.STANDARD_KEYS)
    assert set(service.show(ctx, made['id'])) == set(images.STANDARD_KEYS)
    assert set(service.detail(ctx)[0]) == set(images.STANDARD_KEYS)
    for other in (glance.GlanceImageServiceV2().show(ctx, made['id']), glance.API().get(ctx, made['id'])):
        assert set(other) > set(images.STANDARD_KEYS)
        assert other == API().get(ctx, made['id'])


@pytest.mark.contract('C-095', 'C-096')
def test_locations_are_there_only_when_asked_for(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META)
    assert 'locations' not in service.show(ctx, made['id'])
    assert service.show(ctx, made['id'], include_locations=True)['locations'] == []


@pytest.mark.contract('C-173', 'C-176', 'C-280')
def test_update_purges_by_default_and_the_api_class_does_not(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META)
    assert glance.API().update(ctx, made['id'], {'properties': {'b': '2'}})['properties'] == {'a': '1', 'b': '2'}
    assert service.update(ctx, made['id'], {'properties': {'c': '3'}}, purge_props=False)['properties'] == {
        'a': '1', 'b': '2', 'c': '3',
    }  # fmt: skip
    assert service.update(ctx, made['id'], {'properties': {'d': '4'}})['properties'] == {'d': '4'}
    assert service.update(ctx, made['id'], {'name': 'x'})['properties'] == {}


@pytest.mark.contract('C-177', 'C-208', 'C-320')
@pytest.mark.parametrize('cls', ['GlanceImageService', 'GlanceImageServiceV2'])
def test_update_with_data_never_purges_and_takes_the_href_as_id(cls: str, ctx: Any) -> None:
    service = getattr(glance, cls)()
    made = service.create(ctx, META)
    href = f'http://h:9292/v2/images/{made["id"]}'
    updated = service.update(ctx, href, {'properties': {'b': '2'}}, io.BytesIO(b'bytes'))
    assert (updated['status'], updated['size']) == ('active', 5)
    assert updated['properties'] == {'a': '1', 'b': '2'}


@pytest.mark.contract('C-282')
def test_the_api_class_purges_as_told_even_with_data(ctx: Any) -> None:
    api = glance.API()
    made = api.create(ctx, META)
    updated = api.update(ctx, made['id'], {'properties': {'b': '2'}}, io.BytesIO(b'bytes'), purge_props=True)
    assert updated['properties'] == {'b': '2'}


@pytest.mark.contract('C-160', 'C-178')
def test_unknown_top_level_keys_are_a_type_error_before_anything_is_stored(service: Any, ctx: Any) -> None:
    with pytest.raises(TypeError, match=r"create\(\) got an unexpected keyword argument 'foo'"):
        service.create(ctx, {**META, 'foo': 'bar'})
    assert service.detail(ctx) == []
    made = service.create(ctx, META)
    with pytest.raises(TypeError, match=r'update\(\) got an unexpected'):
        service.update(ctx, made['id'], {'foo': 'bar'})


@pytest.mark.contract('C-247', 'C-251', 'C-312')
def test_a_record_can_be_handed_back_to_create_and_update(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META)
    again = service.create(ctx, {key: value for key, value in made.items() if key != 'id'})
    assert again['name'] == 'n'
    assert service.update(ctx, made['id'], made)['properties'] == {'a': '1'}
    whole = glance.API().get(ctx, made['id'])
    assert service.update(ctx, made['id'], whole)['name'] == 'n'


@pytest.mark.contract('C-313', 'C-166')
def test_a_none_property_is_stored_as_text_except_kernel_and_ramdisk(service: Any, ctx: Any) -> None:
    kernel = '155d900f-4e14-4e4c-a73d-069cbf4541e6'
    made = service.create(ctx, {**META, 'properties': {'a': None, 'kernel_id': kernel, 'ramdisk_id': None}})
    assert made['properties'] == {'a': 'None', 'kernel_id': kernel}
    updated = service.update(ctx, made['id'], {'properties': {'kernel_id': None, 'b': None}}, purge_props=False)
    assert updated['properties'] == {'a': 'None', 'b': 'None'}


@pytest.mark.contract('C-158', 'C-174')
def test_arguments_are_never_changed(service: Any, ctx: Any) -> None:
    meta = {**META, 'properties': {'a': None, 'mappings': [1]}}
    before = repr(meta)
    made = service.create(ctx, meta)
    service.update(ctx, made['id'], {**meta, 'id': 'other'})
    filters = {'name': 'n'}
    service.detail(ctx, filters=filters)
    assert (repr(meta), filters) == (before, {'name': 'n'})


@pytest.mark.contract('C-066', 'C-067')
def test_detail_ignores_unknown_keywords_and_empty_values(service: Any, ctx: Any) -> None:
    service.create(ctx, META)
    assert len(service.detail(ctx, filters=None, limit=0, marker='', nothing='like it')) == 1
    assert len(glance.GlanceImageServiceV2().detail(ctx, nothing='like it')) == 1
    assert len(glance.API().get_all(ctx, nothing='like it')) == 1


@pytest.mark.contract('C-233', 'C-317')
def test_unknown_filters_are_dropped_with_a_warning_by_the_old_service_only(
    service: Any, ctx: Any, caplog: pytest.LogCaptureFixture
) -> None:
    service.create(ctx, META)
    assert len(service.detail(ctx, filters={'bogus': 1, 'deleted': False, 'property-a': '1'})) == 1
    assert [record.levelname for record in caplog.records if 'bogus' in record.getMessage()] == ['WARNING']
    assert glance.GlanceImageServiceV2().detail(ctx, filters={'bogus': '1'}) == []
    assert glance.API().get_all(ctx, filters={'bogus': '1'}) == []


@pytest.mark.contract('C-159', 'C-163', 'C-213', 'C-321')
@pytest.mark.parametrize('data', [None, '', b''])
def test_empty_data_is_none_and_size_0_makes_an_empty_active_image(service: Any, ctx: Any, data: Any) -> None:
    assert service.create(ctx, META, data=data)['status'] == 'queued'
    assert service.create(ctx, {**META, 'size': 0}, data=data)['status'] == 'active'


@pytest.mark.contract('C-217')
def test_a_falsy_stream_is_still_a_stream(service: Any, ctx: Any) -> None:
    class Falsy(io.BytesIO):
        def __bool__(self) -> bool:
            return False

    assert service.create(ctx, META, Falsy(b'abc'))['size'] == 3


@pytest.mark.contract('C-126', 'C-127', 'C-128', 'C-184', 'C-211')
def test_download_in_its_three_forms_and_delete(service: Any, ctx: Any, tmp_path: Any) -> None:
    made = service.create(ctx, META, io.BytesIO(b'hello'))
    sink, path = io.BytesIO(), tmp_path / 'image'
    assert b''.join(service.download(ctx, made['id'])) == b'hello'
    assert service.download(ctx, made['id'], sink) is None
    assert service.download(ctx, made['id'], dst_path=str(path)) is None
    assert (sink.getvalue(), path.read_bytes()) == (b'hello', b'hello')
    assert glance.API().download(ctx, made['id'], dest_path=str(path)) is None
    assert service.delete(ctx, made['id']) is True
    with pytest.raises(errors.ImageNotFound):
        service.show(ctx, made['id'])


@pytest.mark.contract('C-093', 'C-094')
@pytest.mark.parametrize('image_id', [None, '', 'x/../y', 'a?b', 'a%2fb', 'a#b', '..'])
def test_an_id_that_is_none_is_not_found(service: Any, ctx: Any, image_id: Any) -> None:
    for call in (service.show, service.delete, service.download):
        with pytest.raises(errors.ImageNotFound):
            call(ctx, image_id)
    with pytest.raises(errors.ImageNotFound):
        service.update(ctx, image_id, {'name': 'x'})


def test_what_is_not_built_is_a_clear_error_and_never_ignored(ctx: Any) -> None:
    with pytest.raises(errors.NotBuilt, match='Ceph'):
        glance.GlanceImageServiceV2().rbd_download(ctx, None, '/x')


@pytest.mark.contract('C-010')
def test_the_names_before_folsom_do_what_they_did(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META, io.BytesIO(b'hello'))
    sink = io.BytesIO()
    assert service.index(ctx) == [{'id': made['id'], 'name': 'n'}]
    assert service.show_by_name(ctx, 'n')['id'] == made['id']
    with pytest.raises(errors.ImageNotFound, match='Image nobody could not be found'):
        service.show_by_name(ctx, 'nobody')
    assert service.get(ctx, made['id'], sink)['id'] == made['id']
    assert sink.getvalue() == b'hello'
    assert service.delete_all() is None
    assert service.show(ctx, made['id'])['id'] == made['id']
    pair = glance.get_image_service(ctx, made['id'])
    assert (type(pair[0]), pair[1]) == (glance.GlanceImageService, made['id'])
    assert service.get_location(ctx, made['id']) is None
    shown = API().get(ctx, made['id'], include_locations=True)['locations']
    assert service.get_locations(ctx, made['id']) == service._get_locations(ctx, made['id']) == shown


@pytest.mark.contract('C-193', 'C-198', 'C-200')
def test_factories_make_new_services_and_keep_an_id_as_it_is(ctx: Any) -> None:
    one, two = glance.get_default_image_service(), glance.get_default_image_service()
    assert one is not two
    for image_id in (7, None, '', 'id'):
        assert glance.get_remote_image_service(ctx, image_id)[1] is image_id
    assert glance.get_remote_image_service(None, 'id')[1] == 'id'
    one.__init__()
    assert one.detail(ctx) == []


@pytest.mark.contract('C-195')
@pytest.mark.parametrize('href', ['http://h:port/v1/images/x', 'http://h:99999/x', 'http://[::1/x'])
def test_a_bad_href_is_an_invalid_reference(ctx: Any, href: str) -> None:
    with pytest.raises(errors.InvalidImageRef, match='Invalid image href'):
        glance.get_remote_image_service(ctx, href)


@pytest.mark.contract('C-201', 'C-212')
def test_the_held_back_update_keeps_what_it_was_given_and_purges_nothing(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META)
    stream = io.BytesIO(b'hello')
    update = glance.UpdateGlanceImage(ctx, made['id'], {'properties': {'b': '2'}}, stream)
    assert (update.context, update.image_id, update.image_stream) == (ctx, made['id'], stream)
    assert update.start() is None
    assert service.show(ctx, made['id'])['properties'] == {'a': '1', 'b': '2'}


@pytest.mark.contract('C-006', 'C-278')
def test_the_api_class_goes_through_replaced_factories(ctx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: (name, args, kwargs)

    monkeypatch.setattr(glance, 'get_default_image_service', lambda: Fake())
    monkeypatch.setattr(glance, 'get_remote_image_service', lambda context, href: (Fake(), href))
    api = glance.API()
    assert api.get_all(ctx, x=1) == ('detail', (ctx,), {'x': 1})
    assert api.get(ctx, 'i') == ('show', (ctx, 'i'), {'include_locations': False, 'show_deleted': True})
    assert api.create(ctx, META) == ('create', (ctx, META), {'data': None})
    assert api.update(ctx, 'i', META) == ('update', (ctx, 'i', META), {'data': None, 'purge_props': False})
    assert api.delete(ctx, 'i') == ('delete', (ctx, 'i'), {})
    assert api.download(ctx, 'i', dest_path='/x') == ('download', (ctx, 'i'), {'data': None, 'dst_path': '/x'})
    assert glance.UpdateGlanceImage(ctx, 'i', {}, None).start() is None


@pytest.mark.contract('C-079', 'C-082', 'C-090', 'C-202')
def test_a_context_without_a_token_sees_what_the_rule_allows(service: Any, ctx: Any, admin: Any) -> None:
    made = service.create(admin, {**META, 'is_public': True, 'properties': {}})
    mine = service.create(ctx, {**META, 'properties': {'owner_id': 'p9'}})
    nobody = SimpleNamespace(**{**vars(ctx), 'auth_token': None, 'project_id': 'p9', 'user_id': 'u9'})
    assert {record['id'] for record in service.detail(nobody)} == {made['id'], mine['id']}
    other = SimpleNamespace(**{**vars(ctx), 'auth_token': '', 'project_id': 'p8', 'user_id': 'u8'})
    with pytest.raises(errors.ImageNotFound):
        service.show(other, mine['id'])
