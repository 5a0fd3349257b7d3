# SPDX-License-Identifier: Apache-2.0
"""v1 calls and raw v2 calls through the wrapper, against a real Glance (C-311)."""

from __future__ import annotations

import io
from typing import Any

import glanceclient
import pytest

from legacy import glance
from nova_image import errors

pytestmark = [
    pytest.mark.glance,
    pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning'),
]


@pytest.fixture
def wrapper(conf: Any, glance_server: Any) -> Any:
    conf.set_override('api_servers', [glance_server.url], group='glance')
    conf.set_override('auth_strategy', 'noauth')
    conf.set_override('num_retries', 0, group='glance')
    glance_server.reset()
    return glance.GlanceClientWrapper()


@pytest.mark.contract('C-057', 'C-058', 'C-311', 'C-035')
def test_v1_calls_do_what_they_did(wrapper: Any, ctx: Any) -> None:
    made = wrapper.call(
        ctx, 1, 'create', name='n', disk_format='raw', container_format='bare', is_public=True,
        properties={'a': '1', 'b': None}, data=io.BytesIO(b'hello'),
    )  # fmt: skip
    assert (made.name, made.status, made.size, made.is_public, made.deleted) == ('n', 'active', 5, True, False)
    assert made.properties == {'a': '1', 'b': 'None'}
    got = wrapper.call(ctx, 1, 'get', made.id)
    assert got.to_dict() == made.to_dict()
    assert b''.join(wrapper.call(ctx, 1, 'data', made.id)) == b'hello'
    listed = wrapper.call(ctx, 1, 'list', filters={'property-a': '1', 'is_public': 'none'}, limit=5)
    assert [image.id for image in listed] == [made.id]
    assert wrapper.call(ctx, 1, 'list', filters={'is_public': 'false'}) == []
    changed = wrapper.call(ctx, 1, 'update', made.id, name='x', properties={'c': '1'}, purge_props=True)
    assert (changed.name, changed.properties) == ('x', {'c': '1'})
    with pytest.raises(TypeError, match='unexpected keyword argument'):
        wrapper.call(ctx, 1, 'update', made.id, foo='bar')
    model = wrapper.call(ctx, 2, 'get', made.id)
    assert (model['visibility'], model.visibility, model['c']) == ('public', 'public', '1')
    assert [image['id'] for image in wrapper.call(ctx, 2, 'list')] == [made.id]
    wrapper.call(ctx, 1, 'delete', made.id)
    with pytest.raises(glanceclient.exc.HTTPNotFound):
        wrapper.call(ctx, 1, 'get', made.id)


@pytest.mark.contract('C-253', 'C-311')
@pytest.mark.parametrize('protected', [False, True])
def test_a_v1_create_whose_bytes_are_refused_leaves_nothing(wrapper: Any, ctx: Any, protected: bool) -> None:
    with pytest.raises(glanceclient.exc.HTTPException, match='415'):
        wrapper.call(
            ctx, 1, 'create', name='n', disk_format='qcow2', container_format='bare', protected=protected,
            data=io.BytesIO(b'no qcow2 at all' * 100),
        )  # fmt: skip
    assert wrapper.call(ctx, 1, 'list') == []


@pytest.mark.contract('C-177')
def test_a_v1_update_with_data_purges_nothing(wrapper: Any, ctx: Any) -> None:
    made = wrapper.call(
        ctx, 1, 'create', name='n', disk_format='raw', container_format='bare', properties={'a': '1'}
    )
    changed = wrapper.call(ctx, 1, 'update', made.id, data=io.BytesIO(b'x'), properties={'b': '2'}, purge_props=True)
    assert (changed.status, changed.properties) == ('active', {'a': '1', 'b': '2'})


def test_a_service_around_a_named_server_works_without_a_seam_and_with_one(
    wrapper: Any, ctx: Any, glance_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = glance.GlanceClientWrapper(ctx, glance_server.url)
    service = glance.GlanceImageService(named)
    made = service.create(ctx, {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}, io.BytesIO(b'hi'))
    monkeypatch.setattr(glance, '_translate_from_glance', lambda image: {'id': image.id, 'properties': {}})
    assert service.show(ctx, made['id'])['id'] == made['id']
    assert b''.join(service.download(ctx, made['id'])) == b'hi'
    assert service.delete(ctx, made['id']) is True
    with pytest.raises(errors.ImageNotFound):
        service.show(ctx, made['id'])
