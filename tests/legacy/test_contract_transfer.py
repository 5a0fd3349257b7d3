# SPDX-License-Identifier: Apache-2.0
"""Locations and direct transfers: whose server is asked, and what becomes of a failure."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import ParseResult

import glanceclient
import pytest

from legacy import glance
from legacy.equivalence.decode import V2Image
from nova_image import errors

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}


class Client:
    """An injected client: one model for ``get``, three bytes for ``data``; writes its calls down."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, []  # type: ignore[var-annotated]

    def call(self, context: Any, version: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls.append((version, method))
        if method == 'data':
            return iter([b'abc'])
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Handler:
    """A transfer plug-in's handler that writes a file."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []

    def download(self, context: Any, url_parts: Any, dst_path: Any, metadata: Any, **kwargs: Any) -> None:
        self.got.append((url_parts, dst_path, metadata))
        Path(dst_path).write_bytes(b'direct')


def model(**fields: Any) -> V2Image:
    return V2Image(id='i', visibility='public', **fields)


@pytest.mark.contract('C-122')
@pytest.mark.parametrize(
    ('fields', 'location'),
    [
        ({'direct_url': 'file:///d'}, 'file:///d'),
        ({}, None),
        ({'direct_url': None}, None),
        ({'locations': [{'url': 'file:///a', 'metadata': {}}]}, None),
        ({'locations': [{'url': 'file:///a'}], 'direct_url': 'file:///d'}, 'file:///d'),
    ],
)
def test_get_location_is_the_direct_url_by_one_v2_request(fields: Any, location: Any, ctx: Any) -> None:
    client = Client(model(**fields))
    assert glance.GlanceImageService(client).get_location(ctx, 'i') == location
    assert client.calls == [(2, 'get')]


@pytest.mark.contract('C-122', 'C-123', 'C-090')
@pytest.mark.parametrize('name', ['get_location', '_get_locations', 'get_locations'])
def test_locations_fail_and_hide_as_show_does(name: str, ctx: Any) -> None:
    for raised, expected in (
        (glanceclient.exc.HTTPNotFound(), errors.ImageNotFound),
        (glanceclient.exc.HTTPForbidden(), errors.ImageNotAuthorized),
    ):
        with pytest.raises(expected, match='the-id'):
            getattr(glance.GlanceImageService(Client(raised)), name)(ctx, 'the-id')
    nobody = SimpleNamespace(auth_token=None, is_admin=False, project_id='p', user_id='u')
    hidden = glance.GlanceImageService(Client(V2Image(id='i', visibility='private', direct_url='file:///d')))
    with pytest.raises(errors.ImageNotFound):
        getattr(hidden, name)(nobody, 'i')


@pytest.mark.contract('C-123', 'C-125')
@pytest.mark.parametrize('name', ['_get_locations', 'get_locations'])
def test_locations_keep_their_order_with_the_direct_url_at_the_end_of_a_fresh_list(name: str, ctx: Any) -> None:
    shown = [{'url': 'b://', 'metadata': {'k': 'v'}}, {'url': 'a://', 'metadata': {}}]
    client = Client(model(locations=shown, direct_url='d://'))
    service = glance.GlanceImageService(client)
    for _ in range(2):
        found = getattr(service, name)(ctx, 'i')
        assert found == [*shown, {'url': 'd://', 'metadata': {}}]
        assert found is not shown
    assert (len(shown), set(client.calls)) == (2, {(2, 'get')})
    assert getattr(glance.GlanceImageService(Client(model(locations=shown))), name)(ctx, 'i') == shown
    assert getattr(glance.GlanceImageService(Client(model())), name)(ctx, 'i') == []


@pytest.mark.contract('C-124')
@pytest.mark.parametrize('name', ['_get_locations', 'get_location', 'download'])
def test_locations_are_asked_of_the_services_own_server(
    name: str, ctx: Any, conf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def construct(version: Any, endpoint: Any, **kwargs: Any) -> Any:
        asked.append(endpoint)
        return SimpleNamespace(
            images=SimpleNamespace(get=lambda image_id: model(), data=lambda image_id: iter([b'abc']))
        )

    conf.set_override('glance_api_servers', ['configured:9292'])
    conf.set_override('allowed_direct_url_schemes', ['file'])
    monkeypatch.setattr(glanceclient, 'Client', construct)
    service, image_id = glance.get_remote_image_service(ctx, 'http://remote:1/v1/images/i')
    more = (None, str(tmp_path / 'image')) if name == 'download' else ()
    getattr(service, name)(ctx, image_id, *more)
    assert set(asked) == {'http://remote:1'}


@pytest.mark.contract('C-138', 'C-141')
@pytest.mark.parametrize(
    ('raised', 'expected'),
    [
        (glanceclient.exc.HTTPNotFound(), errors.ImageNotFound),
        (glanceclient.exc.HTTPForbidden(), errors.ImageNotAuthorized),
        (glanceclient.exc.HTTPUnauthorized(), errors.ImageNotAuthorized),
    ],
)
def test_a_download_whose_locations_are_refused_fails_with_that(
    raised: Exception, expected: type[Exception], ctx: Any, conf: Any, tmp_path: Path
) -> None:
    conf.set_override('allowed_direct_url_schemes', ['file'])
    client, target = Client(raised), tmp_path / 'image'
    with pytest.raises(expected):
        glance.GlanceImageService(client).download(ctx, 'i', dst_path=str(target))
    assert (client.calls, target.exists()) == ([(2, 'get')], False)
    conf.clear_override('allowed_direct_url_schemes')
    glance.GlanceImageService(client).download(ctx, 'i', dst_path=str(target))
    assert (client.calls[1:], target.read_bytes()) == ([(1, 'data')], b'abc')


@pytest.mark.contract('C-139', 'C-143')
def test_a_handler_gets_a_parsed_url_and_data_stays_untouched_beside_a_path(
    ctx: Any, conf: Any, tmp_path: Path
) -> None:
    conf.set_override('allowed_direct_url_schemes', ['one'])
    client = Client(model(locations=[{'url': 'one://host/path?q#f', 'metadata': {'k': 'v'}}]))
    service = glance.GlanceImageService(client)
    service._download_handlers['one'] = handler = Handler()
    target, sink = tmp_path / 'image', io.BytesIO(b'before')
    assert service.download(ctx, 'i', sink, str(target)) is None
    ((url, path, metadata),) = handler.got
    assert isinstance(url, ParseResult)
    assert tuple(url) == ('one', 'host', '/path', '', 'q', 'f')
    assert (path, metadata) == (str(target), {'k': 'v'})
    assert (target.read_bytes(), sink.getvalue(), sink.tell()) == (b'direct', b'before', 0)
    assert client.calls == [(2, 'get')]


@pytest.mark.contract('C-144', 'C-138')
def test_data_alone_gets_the_bytes_where_files_are_allowed_and_so_does_nobody(ctx: Any, conf: Any) -> None:
    conf.set_override('allowed_direct_url_schemes', ['file'])
    client, sink = Client(model(direct_url='file:///nowhere/at/all')), io.BytesIO()
    service = glance.GlanceImageService(client)
    assert service.download(ctx, 'i', sink) is None
    assert sink.getvalue() == b''.join(service.download(ctx, 'i')) == b'abc'
    assert client.calls == [(1, 'data')] * 2


@pytest.mark.contract('C-140', 'C-157')
@pytest.mark.usefixtures('local')
@pytest.mark.parametrize(
    ('mount', 'location', 'said'),
    [
        (None, {'url': 'file:///nowhere/image'}, 'No such file'),
        ({'id': 'fs'}, {'url': 'file:///g/x', 'metadata': {'id': 'fs', 'mountpoint': '/g'}}, 'is misconfigured'),
        ({'id': 'fs', 'mountpoint': '/n'}, {'url': 'file:///g/x'}, 'is required in the location metadata'),
        (
            {'id': 'fs', 'mountpoint': '/n'},
            {'url': 'file:///g/x', 'metadata': {'id': 'other', 'mountpoint': '/g'}},
            'is unknown',
        ),
        (
            {'id': 'fs', 'mountpoint': '/n'},
            {'url': 'file:///g/../x', 'metadata': {'id': 'fs', 'mountpoint': '/g'}},
            'does not match the URL path',
        ),
    ],
)
def test_whatever_the_file_plug_in_refuses_is_logged_and_the_server_is_asked(
    mount: Any, location: Any, said: str, ctx: Any, conf: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    conf.set_override('allowed_direct_url_schemes', ['file'])
    service = glance.GlanceImageService()
    made = service.create(ctx, META, io.BytesIO(b'hello'))
    if mount:
        conf.set_override('filesystems', ['one'], group='image_file_url')
    service = glance.GlanceImageService()
    for name, value in (mount or {}).items():
        conf.set_override(name, value, group='image_file_url:one')
    target = tmp_path / 'image'
    try:
        with mock.patch.object(glance.GlanceImageService, '_locations', lambda *args: [location]):
            assert service.download(ctx, made['id'], dst_path=str(target)) is None
    finally:
        for name in mount or {}:
            conf.clear_override(name, group='image_file_url:one')
    assert target.read_bytes() == b'hello'
    failed = [record for record in caplog.records if record.levelname == 'ERROR' and record.name == 'legacy.glance']
    assert len(failed) == 1
    assert said in failed[0].getMessage()
    assert failed[0].exc_info
