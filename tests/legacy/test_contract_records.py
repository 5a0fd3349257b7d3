# SPDX-License-Identifier: Apache-2.0
"""Records made of client objects: what is shown, and of which shape."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import glanceclient
import pytest

from legacy import glance
from legacy.equivalence.decode import V2Image
from nova_image import errors, images

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}
STATUSES = ('queued', 'saving', 'active', 'killed', 'deleted', 'pending_delete', 'deactivated', 'uploading', 'importing')
WHOLE = {
    'id': 'i', 'name': 'n', 'status': 'active', 'size': 5, 'checksum': 'c', 'owner': 'p', 'disk_format': 'raw',
    'container_format': 'bare', 'min_disk': 0, 'min_ram': 0, 'is_public': True, 'deleted': False,
    'created_at': '2014-04-17T10:11:12', 'updated_at': '2014-04-17T10:11:12', 'deleted_at': None, 'properties': {},
}  # fmt: skip
SCHEMA_CUSTOM = ('kernel_id', 'ramdisk_id', 'instance_uuid', 'architecture', 'os_distro', 'os_version', 'description')


class Client:
    """An injected client that gives one answer, or raises it, and counts."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, 0

    def call(self, context: Any, version: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Lazy:
    """An object of the v1 client: asks the server again for an attribute that it was not given."""

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if not name.startswith('__'):
            vars(self).setdefault('asked', []).append(name)
        raise AttributeError(name)


@pytest.mark.contract('C-092')
@pytest.mark.parametrize(
    ('raised', 'expected'),
    [
        (glanceclient.exc.HTTPNotFound(), errors.ImageNotFound),
        (glanceclient.exc.HTTPForbidden(), errors.ImageNotAuthorized),
        (glanceclient.exc.HTTPUnauthorized(), errors.ImageNotAuthorized),
        (glanceclient.exc.HTTPBadRequest(), errors.ImageBadRequest),
    ],
)
def test_errors_of_show_name_the_image(raised: Exception, expected: type[Exception], ctx: Any) -> None:
    with pytest.raises(expected, match='the-id'):
        glance.GlanceImageService(Client(raised)).show(ctx, 'the-id')


@pytest.mark.contract('C-092')
@pytest.mark.parametrize(
    'raised',
    [
        errors.GlanceConnectionFailed(host='h', port=1, reason='down'),
        glanceclient.exc.HTTPInternalServerError(),
        KeyError('x'),
    ],
)
@pytest.mark.parametrize('cls', ['GlanceImageService', 'GlanceImageServiceV2'])
def test_what_show_does_not_know_comes_out_as_the_same_object(cls: str, raised: Exception, ctx: Any) -> None:
    with pytest.raises(type(raised)) as caught:
        getattr(glance, cls)(Client(raised)).show(ctx, 'i')
    assert caught.value is raised


@pytest.mark.contract('C-097')
def test_a_deleted_image_is_hidden_on_demand_before_anybody_asks_who_is_looking(
    ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(glance, '_is_image_available', lambda *args: asked.append(args) or True)
    service = glance.GlanceImageService(Client(SimpleNamespace(**{**WHOLE, 'deleted': True})))
    with pytest.raises(errors.ImageNotFound, match='Image i could'):
        service.show(ctx, 'i', show_deleted=False)
    assert asked == []
    assert service.show(ctx, 'i')['deleted'] is True
    assert service.show(ctx, 'i', show_deleted=True)['deleted'] is True
    alive = glance.GlanceImageService(Client(SimpleNamespace(**WHOLE)))
    assert alive.show(ctx, 'i', show_deleted=False)['id'] == 'i'


@pytest.mark.contract('C-098')
def test_a_v1_client_may_show_a_deleted_image_and_a_v2_store_does_not(local: Any, ctx: Any, admin: Any) -> None:
    gone = {**WHOLE, 'status': 'deleted', 'deleted': True, 'deleted_at': '2014-04-18T00:00:00'}
    record = glance.GlanceImageService(Client(SimpleNamespace(**gone))).show(admin, 'i')
    assert (record['status'], record['deleted']) == ('deleted', True)
    assert record['deleted_at'] == datetime.datetime(2014, 4, 18, tzinfo=datetime.UTC)
    service = glance.GlanceImageService()
    made = service.create(ctx, META)
    service.delete(ctx, made['id'])
    for asking in (ctx, admin):
        with pytest.raises(errors.ImageNotFound):
            service.show(asking, made['id'], show_deleted=True)


@pytest.mark.contract('C-099')
def test_an_image_that_lacks_fields_is_asked_for_once(ctx: Any) -> None:
    client = Client(SimpleNamespace(id='i', is_public=True))
    record = glance.GlanceImageService(client).show(ctx, 'i')
    assert (client.calls, set(record), record['name']) == (1, set(images.STANDARD_KEYS), None)


@pytest.mark.contract('C-100', 'C-107')
def test_a_checksum_is_read_of_active_images_and_a_time_of_deletion_of_deleted_ones() -> None:
    absent = {'checksum', 'deleted_at'}
    given = {name: value for name, value in WHOLE.items() if name not in absent}
    for changed, read in (
        ({'status': 'queued'}, set()),
        ({'status': 'active'}, {'checksum'}),
        ({'status': 'saving', 'deleted': True}, {'deleted_at'}),
    ):
        image = Lazy(**{**given, **changed})
        record = glance._extract_attributes(image)
        assert absent.intersection(image.asked) == read
        assert (record['checksum'], record['deleted_at']) == (None, None)
    assert glance._extract_attributes(SimpleNamespace(**WHOLE))['checksum'] == 'c'


@pytest.mark.contract('C-109', 'C-312')
@pytest.mark.usefixtures('local')
def test_fields_of_todays_glance_stand_beside_the_old_ones_in_the_newer_classes_only(ctx: Any) -> None:
    newer, older = glance.GlanceImageServiceV2(), glance.GlanceImageService()
    made = newer.create(ctx, META, b'bytes')
    record = newer.show(ctx, made['id'])
    assert (record['os_hidden'], record['os_hash_algo']) == (False, 'sha512')
    assert len(record['os_hash_value']) == 128
    today = {'os_hidden', 'os_hash_algo', 'os_hash_value', 'stores'}
    assert not today.intersection(record['properties'])
    assert not today.intersection(older.show(ctx, made['id']))
    assert not today.intersection(older.show(ctx, made['id'])['properties'])


@pytest.mark.contract('C-109')
def test_the_stores_of_an_image_are_joined_text() -> None:
    for record in (
        glance._translate_from_glance(V2Image(id='i', visibility='public', stores='one,two', os_hidden=False)),
        images.record_from_wire({'id': 'i', 'visibility': 'public', 'stores': 'one,two', 'os_hidden': False}),
    ):
        assert (record['stores'], record['os_hidden'], record['properties']) == ('one,two', False, {})


@pytest.mark.contract('C-110')
@pytest.mark.usefixtures('local')
def test_what_the_property_schema_names_stays_a_property(ctx: Any) -> None:
    given = dict.fromkeys(SCHEMA_CUSTOM, '155d900f-4e14-4e4c-a73d-069cbf4541e6')
    for cls in (glance.GlanceImageService, glance.GlanceImageServiceV2):
        made = cls().create(ctx, {**META, 'properties': given})
        assert cls().show(ctx, made['id'])['properties'] == given
        assert not set(given).intersection(made)


@pytest.mark.contract('C-110')
def test_the_schema_of_a_model_says_what_is_base() -> None:
    schema = SimpleNamespace(is_base_property=lambda name: name not in SCHEMA_CUSTOM)
    model = SimpleNamespace(schema=schema, id='i', visibility='public', kernel_id='k', custom='base-here')
    record = glance._extract_attributes_v2(model)
    assert (record['properties'], record['custom']) == ({'kernel_id': 'k'}, 'base-here')


@pytest.mark.contract('C-111')
def test_reserved_names_of_the_server_show_up_as_properties() -> None:
    wire = {'id': 'i', 'visibility': 'public', 'os_glance_importing_to_stores': 'one'}
    for record in (glance._translate_from_glance(V2Image(**wire)), images.record_from_wire(wire)):
        assert record['properties'] == {'os_glance_importing_to_stores': 'one'}


@pytest.mark.contract('C-112')
@pytest.mark.parametrize('status', STATUSES)
def test_a_status_of_either_version_passes_unchanged(status: str, ctx: Any) -> None:
    old = glance.GlanceImageService(Client(SimpleNamespace(**{**WHOLE, 'status': status})))
    new = glance.GlanceImageServiceV2(Client(V2Image(id='i', visibility='public', status=status)))
    assert old.show(ctx, 'i')['status'] == new.show(ctx, 'i')['status'] == status
    assert images.record_from_wire({'id': 'i', 'visibility': 'public', 'status': status})['status'] == status
