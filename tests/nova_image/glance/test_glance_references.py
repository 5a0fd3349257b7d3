# SPDX-License-Identifier: Apache-2.0
"""An API object that stays at the server of a reference: where each call goes, and whether the token goes along.

Asked of both paths: ``API.for_reference`` and the service of ``get_remote_image_service`` send the same.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
from oslo_config import cfg
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import API, errors, options
from nova_image.glance import session

OTHER_ID = '99999999-2222-4333-8444-555555555555'
INFO = {'name': 'x', 'disk_format': 'raw', 'container_format': 'bare'}
Path = Callable[[Any, str], dict[str, Callable[[], Any]]]


def answer(request: Request) -> Answer:
    if request.path.endswith('/file'):
        return Answer(204) if request.method == 'PUT' else Answer(200, b'hello')
    if request.path.startswith('/v2/images?'):
        return as_json({'images': [an_image()]})
    return as_json(an_image())


def new(context: Any, reference: str) -> dict[str, Callable[[], Any]]:
    api = API.for_reference(reference)
    return {
        'list': lambda: api.get_all(context, filters={'name': 'x'}),
        'create': lambda: api.create(context, INFO, b'hello'),
        'get': lambda: api.get(context, IMAGE_ID),
        'get of another image': lambda: api.get(context, OTHER_ID),
        'get by the reference': lambda: api.get(context, reference),
        'get by the URI of another server': lambda: api.get(context, f'http://nowhere.example/images/{OTHER_ID}'),
        'update': lambda: api.update(context, IMAGE_ID, {'name': 'y'}, b'hello', purge_props=False),
        'download': lambda: api.download(context, IMAGE_ID, io.BytesIO()),
        'delete': lambda: api.delete(context, IMAGE_ID),
    }


def old(context: Any, reference: str) -> dict[str, Callable[[], Any]]:
    from legacy import glance

    service, _image_id = glance.get_remote_image_service(context, reference)
    return {
        'list': lambda: service.detail(context, filters={'name': 'x'}),
        'create': lambda: service.create(context, INFO, b'hello'),
        'get': lambda: service.show(context, IMAGE_ID),
        'get of another image': lambda: service.show(context, OTHER_ID),
        'get by the reference': lambda: service.show(context, reference),
        'get by the URI of another server': lambda: service.show(context, f'http://nowhere.example/images/{OTHER_ID}'),
        'update': lambda: service.update(context, IMAGE_ID, {'name': 'y'}, b'hello'),
        'download': lambda: service.download(context, IMAGE_ID, io.BytesIO()),
        'delete': lambda: service.delete(context, IMAGE_ID),
    }


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The process's options, with an order of operations that keeps the old names quiet."""
    monkeypatch.setenv('NOVA_IMAGE_LEGACY', 'silent')
    found = options.register(cfg.CONF)
    yield found
    found.clear_override('api_servers', group='glance')
    found.clear_override('trusted_servers', group='image')
    session.close_all()


def everything(path: Path, context: Any, reference: str, servers: tuple[Server, ...]) -> dict[str, list[Any]]:
    """For each operation: which server got which requests, and whether the token was with them."""
    seen = {}
    for name, call in path(context, reference).items():
        for each in servers:
            each.requests.clear()
        with contextlib.suppress(errors.ImageUploadIncomplete):  # the scripted record is not that of the upload
            call()
        seen[name] = [
            (place, request.method, request.path.partition('?')[0], request.headers.get('X-Auth-Token'))
            for place, each in enumerate(servers)
            for request in each.requests
        ]
    return seen


@pytest.mark.contract('C-324', 'D-7', 'D-2')
@pytest.mark.parametrize('trust', ['stranger', 'trusted', 'configured', 'catalogued'])
def test_every_call_goes_to_the_server_of_the_reference_and_the_token_only_to_a_known_one(
    trust: str, start_server: Any, conf: Any
) -> None:
    home, named = start_server(answer), start_server(answer)
    context = Caller('the-token', roles=['member'], project_id='p', user_id='u')
    conf.set_override('api_servers', [home.url, *([named.url] if trust == 'configured' else [])], group='glance')
    if trust == 'trusted':
        conf.set_override('trusted_servers', [named.url], group='image')
    if trust == 'catalogued':
        context.service_catalog = [{'type': 'image', 'endpoints': [{'publicURL': named.url}]}]
    reference = f'{named.url}/v2/images/{IMAGE_ID}'
    seen = everything(new, context, reference, (home, named))
    assert all(seen.values())
    token = None if trust == 'stranger' else 'the-token'
    assert {(each[0], each[3]) for requests in seen.values() for each in requests} == {(1, token)}
    assert seen['get by the URI of another server'] == [(1, 'GET', f'/v2/images/{OTHER_ID}', token)]
    assert seen['get by the reference'] == seen['get']
    assert everything(old, context, reference, (home, named)) == seen


@pytest.mark.contract('C-193', 'D-2')
def test_a_plain_id_stays_at_the_configured_servers_with_the_token(start_server: Any, conf: Any) -> None:
    home = start_server(answer)
    conf.set_override('api_servers', [home.url], group='glance')
    context = Caller('the-token', roles=['member'], project_id='p', user_id='u')
    seen = everything(new, context, IMAGE_ID, (home,))
    assert {each[3] for requests in seen.values() for each in requests} == {'the-token'}
    assert everything(old, context, IMAGE_ID, (home,)) == seen


def test_each_call_without_the_token_says_so_once(start_server: Any, conf: Any, caplog: Any) -> None:
    home, named = start_server(answer), start_server(answer)
    conf.set_override('api_servers', [home.url], group='glance')
    API.for_reference(f'{named.url}/images/{IMAGE_ID}').get_all(Caller('the-token'))
    said = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert len(said) == 1
    assert 'trusted_servers' in said[0].getMessage()
    assert 'the-token' not in caplog.text


def test_an_endpoint_that_the_program_names_is_trusted(start_server: Any, conf: Any) -> None:
    """The difference between the two, in one place."""
    home, named = start_server(answer), start_server(answer)
    conf.set_override('api_servers', [home.url], group='glance')
    API(endpoint=named.url).get_all(Caller('the-token'))
    assert named.requests[0].headers['X-Auth-Token'] == 'the-token'
