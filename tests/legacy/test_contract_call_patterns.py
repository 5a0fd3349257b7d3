# SPDX-License-Identifier: Apache-2.0
"""What drivers and tools did with the old service, from end to end over the embedded store (contract b.22)."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace
from typing import Any

import pytest

from legacy import glance
from nova_image import API, errors

pytestmark = [
    pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning'),
    pytest.mark.usefixtures('local'),
]
VHD = b'conectix'.ljust(512, b'\0')  # the header that Glance looks for
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}


@pytest.fixture(params=['GlanceImageService', 'GlanceImageServiceV2'])
def service(request: Any) -> Any:
    return getattr(glance, request.param)()


@pytest.mark.contract('C-209', 'C-239')
def test_the_hyper_v_snapshot_keeps_members_and_properties(service: Any, ctx: Any) -> None:
    made = service.create(ctx, {'name': 'n', 'properties': {'instance_uuid': 'i'}})
    changes = {'is_public': False, 'disk_format': 'vhd', 'container_format': 'bare'}
    updated = service.update(ctx, made['id'], changes, io.BytesIO(VHD))
    found = updated['status'], updated['size'], updated['disk_format'], updated['is_public']
    assert found == ('active', 512, 'vhd', False)
    assert updated['properties'] == {'instance_uuid': 'i'}
    assert API().get(ctx, made['id'])['visibility'] == 'shared'


@pytest.mark.contract('C-214')
def test_backup_rotation_finds_its_backups_newest_first_and_deletes_the_tail(service: Any, ctx: Any) -> None:
    def backup(name: str, kind: str = 'daily', instance: str = 'i') -> str:
        properties = {'image_type': 'backup', 'backup_type': kind, 'instance_uuid': instance}
        made: str = service.create(ctx, {**META, 'name': name, 'properties': properties})['id']
        return made

    ids = [backup(str(number)) for number in range(4)]
    others = {backup('weekly', kind='weekly'), backup('other', instance='j'), service.create(ctx, META)['id']}
    filters = {
        'property-image_type': 'backup', 'property-backup_type': 'daily', 'property-instance_uuid': 'i',
    }  # fmt: skip
    found = service.detail(ctx, filters=filters, sort_key='created_at', sort_dir='desc')
    assert sorted(image['id'] for image in found) == sorted(ids)
    times = [image['created_at'] for image in found]
    assert times == sorted(times, reverse=True)
    for image in found[2:]:
        assert service.delete(ctx, image['id']) is True
    left = {image['id'] for image in service.detail(ctx)}
    assert left == others | {image['id'] for image in found[:2]}


@pytest.mark.contract('C-215')
def test_the_image_proxy_lists_shows_changes_and_deletes_catching_what_it_catches(
    service: Any, ctx: Any, admin: Any
) -> None:
    ids = [service.create(ctx, {**META, 'properties': {'a': '1'}})['id'] for _ in range(3)]
    listed = service.detail(ctx, filters={'status': 'queued'}, limit=2, marker=None, page_size=1)
    assert len(listed) == 2
    rest = service.detail(ctx, filters={'status': 'queued'}, limit=2, marker=listed[-1]['id'], page_size=1)
    assert {image['id'] for image in listed + rest} == set(ids)
    with pytest.raises(errors.Invalid):
        service.detail(ctx, filters={}, limit=None, marker='00000000-0000-4000-8000-000000000000', page_size=None)
    with pytest.raises(errors.NotFound):
        service.show(ctx, 'nothing')
    with pytest.raises(errors.InvalidImageRef):
        glance.get_remote_image_service(ctx, 'http://h:port/v1/images/x')
    image = service.show(ctx, ids[0])
    image['properties'] = {'b': '2'}
    assert service.update(ctx, ids[0], image, None)['properties'] == {'b': '2'}
    foreign = service.create(admin, {**META, 'is_public': True, 'owner': 'q', 'protected': True})
    with pytest.raises(errors.ImageNotAuthorized):
        service.update(ctx, foreign['id'], service.show(ctx, foreign['id']) | {'name': 'x'}, None)
    for image_id, error in ((foreign['id'], errors.ImageNotAuthorized), ('nothing', errors.ImageNotFound)):
        with pytest.raises(error):
            service.delete(ctx, image_id)


@pytest.mark.contract('C-181', 'C-248', 'C-329')
def test_the_owner_that_a_non_admin_names_is_ignored(service: Any, ctx: Any, admin: Any) -> None:
    made = service.create(ctx, {**META, 'owner': 'q'})
    assert made['owner'] == 'p'
    updated = service.update(ctx, made['id'], {'owner': 'q', 'name': 'x'})
    assert (updated['owner'], updated['name']) == ('p', 'x')
    assert service.update(admin, made['id'], {'owner': 'q'})['owner'] == 'q'


@pytest.mark.contract('C-205', 'C-080')
def test_an_admin_context_without_a_token_sees_and_does_everything(service: Any, ctx: Any) -> None:
    made = service.create(ctx, META, b'bytes')
    nobody = SimpleNamespace(auth_token=None, is_admin=True, project_id=None, user_id=None, roles=['admin'])
    assert [image['id'] for image in service.detail(nobody)] == [made['id']]
    assert service.show(nobody, made['id'])['name'] == 'n'
    assert b''.join(service.download(nobody, made['id'])) == b'bytes'
    assert service.update(nobody, made['id'], {'name': 'x'})['name'] == 'x'
    assert service.delete(nobody, made['id']) is True


@pytest.mark.contract('C-241', 'C-276', 'C-240')
def test_property_values_are_text_and_none_is_text_in_the_old_service_only(service: Any, ctx: Any) -> None:
    given = {'none': None, 'number': 7, 'truth': True, 'list': [1], 'text': ' t '}
    stored = {'none': 'None', 'number': '7', 'truth': 'True', 'list': '[1]', 'text': ' t '}
    made = service.create(ctx, {**META, 'properties': given})
    assert made['properties'] == stored
    assert service.update(ctx, made['id'], {'properties': given})['properties'] == stored
    del stored['none']
    assert API().create(ctx, {**META, 'properties': given})['properties'] == stored
    assert API().update(ctx, made['id'], {'properties': {'none': None}})['properties'] == stored


@pytest.mark.contract('C-269', 'C-228')
def test_changes_since_lists_what_changed_and_reports_no_deletion(service: Any, ctx: Any) -> None:
    old = service.create(ctx, META)
    time.sleep(1.1)  # the store keeps whole seconds
    kept, gone = service.create(ctx, META), service.create(ctx, META)
    service.delete(ctx, gone['id'])
    since = kept['created_at'].strftime('%Y-%m-%dT%H:%M:%SZ')
    assert [image['id'] for image in service.detail(ctx, filters={'changes-since': since})] == [kept['id']]
    assert old['id'] in {image['id'] for image in service.detail(ctx)}


@pytest.mark.contract('C-271', 'C-314', 'C-244')
def test_property_names_keep_case_and_dashes_and_reach_no_field(
    service: Any, ctx: Any, caplog: pytest.LogCaptureFixture
) -> None:
    properties = {'A-b': '1', 'a_b': '2', 'name': 'other', 'visibility': 'public', 'status': 'killed'}
    made = service.create(ctx, {**META, 'properties': properties})
    assert made['properties'] == {'A-b': '1', 'a_b': '2'}
    assert (made['name'], made['status'], made['is_public']) == ('n', 'queued', False)
    said = [record.getMessage() for record in caplog.records]
    assert len([text for text in said if 'has the name of a field' in text]) == 3


@pytest.mark.contract('C-281')
@pytest.mark.parametrize('href', ['http://h:9292/images/{}', 'https://h/v2/images/{}', '{}'])
def test_the_record_of_a_reference_carries_the_plain_id(href: str, service: Any, ctx: Any) -> None:
    image_id = service.create(ctx, META)['id']
    for api in (glance.API(), API()):
        assert api.get(ctx, href.format(image_id))['id'] == image_id
        assert api.update(ctx, href.format(image_id), {'name': 'x'})['id'] == image_id


@pytest.mark.contract('C-171', 'C-318')
def test_a_name_over_255_characters_is_invalid_and_stores_nothing(service: Any, ctx: Any) -> None:
    assert service.create(ctx, {**META, 'name': 'n' * 255})['name'] == 'n' * 255
    with pytest.raises(errors.Invalid):
        service.create(ctx, {**META, 'name': 'n' * 256})
    assert len(service.detail(ctx)) == 1
