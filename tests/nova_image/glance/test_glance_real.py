# SPDX-License-Identifier: Apache-2.0
"""What the conformance suite cannot see of the driver on a real Glance: its requests and its servers."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.configuration import glance_conf
from nova_image.testing.contexts import tokenless_context

pytestmark = pytest.mark.glance

CTX = tokenless_context()
RAW = {'disk_format': 'raw', 'container_format': 'bare'}


@pytest.fixture
def api(glance_server: Any) -> API:
    glance_server.reset()
    return API('glance', conf=glance_conf(glance_server))


def asked(server: Any) -> list[str]:
    return [exchange['method'] for exchange in server.exchanges(clear=True)]


def test_each_operation_makes_no_more_requests_than_it_must(api: API, glance_server: Any) -> None:
    glance_server.record()
    image = api.create(CTX, {'name': 'a', **RAW}, os.urandom(3_000_000))
    assert asked(glance_server) == ['POST', 'PUT', 'GET']
    api.get(CTX, image['id'])
    assert asked(glance_server) == ['GET']
    api.update(CTX, image['id'], {'properties': {'a': 'b'}}, purge_props=True)
    assert asked(glance_server) == ['GET', 'PATCH']
    queued = api.create(CTX, {'name': 'b', **RAW})
    assert asked(glance_server) == ['POST']
    api.update(CTX, queued['id'], {'name': 'c'}, io.BytesIO(b'hello'))
    assert asked(glance_server) == ['GET', 'PATCH', 'PUT', 'GET']
    api.download(CTX, image['id'], io.BytesIO())
    assert asked(glance_server) == ['GET', 'GET']
    for page_size, requests in ((None, 1), (3, 1), (2, 2), (1, 3)):
        assert len(api.get_all(CTX, page_size=page_size)) == 2
        assert len(asked(glance_server)) == requests
    api.delete(CTX, image['id'])
    assert asked(glance_server) == ['DELETE']


def test_bytes_go_on_where_a_download_broke(api: API, glance_server: Any) -> None:
    """Ranges of a real store are what the driver takes them for."""
    from nova_image.glance.body import Opening

    content = os.urandom(2_000_000)
    image = api.create(CTX, {'name': 'a', **RAW}, content)
    wire, _settings = api.driver._wire(CTX)  # type: ignore[attr-defined]
    opening = Opening(wire, image['id'], len(content))
    for offset in (0, 1, 1_999_999):
        body = opening(offset)
        assert (body.offset, b''.join(body)) == (offset, content[offset:])
        body.close()


def test_the_catalogue_of_a_real_keystone_names_the_server(glance_keystone: Any, keystone_server: Any) -> None:
    from keystoneauth1.identity import v3

    from nova_image.testing.configuration import make_conf

    glance_keystone.reset()
    member = keystone_server.contexts().member
    auth = v3.Token(auth_url=f'{keystone_server.url}/v3', token=member.auth_token, project_id=member.project_id)
    member.get_auth_plugin = lambda: auth
    api = API('glance', conf=make_conf())
    image = api.create(member, {'name': 'a', **RAW}, b'hello')
    assert api.generate_glance_url(member) == glance_keystone.url
    assert api.get(member, f'{glance_keystone.url}/v2/images/{image["id"]}')['name'] == 'a'
    assert b''.join(api.download(member, image['id']) or ()) == b'hello'


def test_a_wrong_token_is_forbidden_not_a_connection_that_failed(glance_keystone: Any) -> None:
    from nova_image.testing.contexts import Context

    api = API('glance', conf=glance_conf(glance_keystone))
    stranger = Context(user_id='u', project_id='p', auth_token='no-such-token')
    with pytest.raises(errors.Forbidden):
        api.get_all(stranger)
    with pytest.raises(errors.ImageNotAuthorized):
        api.get(stranger, 'x')
