# SPDX-License-Identifier: Apache-2.0
"""GlanceClientWrapper, injected clients and replaced seams: the old conventions, call by call."""

from __future__ import annotations

import io
import itertools
import logging
from types import SimpleNamespace
from typing import Any
from unittest import mock

import glanceclient
import pytest

from legacy import glance
from legacy.equivalence.decode import V2Image
from nova_image import errors

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')

V1 = SimpleNamespace(
    id='i', name='n', status='active', size=5, checksum='c', owner='p', disk_format='raw', container_format='bare',
    min_disk=0, min_ram=0, is_public=True, deleted=False, created_at='2014-04-17T10:11:12',
    updated_at='2014-04-17T10:11:12', deleted_at=None, properties={'a': '1'},
)  # fmt: skip


MODEL = V2Image(id='i', name='n', status='active', size=5, visibility='public', created_at=None, updated_at=None, a='1')


class Client:
    """An injected client that writes its calls down."""

    def __init__(self, answer: Any = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answer = answer

    def call(self, context: Any, version: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls.append((version, method, args, kwargs))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return [self.answer] if method == 'list' else self.answer


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[mock.Mock]:
    """What the replaced client class made, in order."""
    made: list[mock.Mock] = []

    def construct(*args: Any, **kwargs: Any) -> mock.Mock:
        made.append(mock.Mock(made_with=(args, kwargs)))
        return made[-1]

    monkeypatch.setattr(glanceclient, 'Client', construct)
    monkeypatch.setattr('time.sleep', lambda seconds: made.append(seconds))
    return made


@pytest.mark.contract('C-062', 'C-311')
def test_an_injected_client_is_called_in_the_convention_of_the_class(ctx: Any) -> None:
    client = Client(V1)
    service = glance.GlanceImageService(client)
    assert service._client is client
    service.show(ctx, 'i')
    service.detail(ctx, filters={'name': 'n'}, limit=3)
    service.create(ctx, {'name': 'n'}, None)
    service.update(ctx, 'i', {'name': 'n'})
    service.delete(ctx, 'i')
    assert client.calls == [
        (1, 'get', ('i',), {}),
        (1, 'list', (), {'filters': {'name': 'n', 'is_public': 'none'}, 'limit': 3}),
        (1, 'create', (), {'name': 'n'}),
        (1, 'update', ('i',), {'name': 'n', 'purge_props': True}),
        (1, 'delete', ('i',), {}),
    ]
    client = Client(MODEL)
    service = glance.GlanceImageServiceV2(client)
    service.show(ctx, 'i')
    service.detail(ctx)
    service.delete(ctx, 'i')
    service.update(ctx, 'i', {'name': 'x'}, purge_props=False)
    assert client.calls == [
        (2, 'get', (), {'args': ('i',)}),
        (2, 'list', (), {'kwargs': {'filters': {}}}),
        (2, 'delete', (), {'args': ('i',)}),
        (2, 'update', (), {'kwargs': {'image_id': 'i', 'name': 'x'}}),
    ]


@pytest.mark.contract('C-004')
@pytest.mark.parametrize(
    'name', ['_translate_from_glance', '_is_image_available', '_reraise_translated_image_exception']
)
def test_a_replaced_helper_is_what_the_service_uses(
    name: str, ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def fake(*args: Any, **kwargs: Any) -> Any:
        used.append(name)
        if name.startswith('_reraise'):
            raise KeyError(name)
        return {'id': 'fake', 'properties': {}}

    monkeypatch.setattr(glance, name, fake)
    client = Client(ValueError() if name.startswith('_reraise') else V1)
    service = glance.GlanceImageService(client)
    if name.startswith('_reraise'):
        with pytest.raises(KeyError):
            service.show(ctx, 'i')
    else:
        service.show(ctx, 'i')
    assert used == [name]


@pytest.mark.contract('C-004', 'C-005')
def test_a_replaced_call_or_client_factory_serves_services_without_a_client(
    ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(context: Any, host: Any, port: Any, use_ssl: Any, version: Any) -> Any:
        assert (context, host, port, use_ssl, version) == (ctx, 'h', 1, True, 1)
        return SimpleNamespace(images=SimpleNamespace(get=lambda image_id: V1))

    with monkeypatch.context() as patched:
        patched.setattr(glance, '_create_glance_client', create)
        service = glance.GlanceImageService(glance.GlanceClientWrapper(ctx, 'h', 1, True))
        assert service.show(ctx, 'i')['name'] == 'n'
    monkeypatch.setattr(glance.GlanceClientWrapper, 'call', lambda self, *args, **kwargs: V1)
    assert glance.GlanceImageService().show(ctx, 'x')['name'] == 'n'


@pytest.mark.contract('C-044', 'C-046', 'C-323')
@pytest.mark.parametrize(
    ('args', 'kwargs', 'host', 'port', 'use_ssl', 'url', 'version'),
    [
        (('h', 9292), {}, 'h', 9292, False, 'http://h:9292', 1),
        (('h', 9292, True, 2), {}, 'h', 9292, True, 'https://h:9292', 2),
        (('::1', 9292), {}, '::1', 9292, False, 'http://[::1]:9292', 1),
        (('http://h:1/image',), {}, 'h', 1, False, 'http://h:1/image', 2),
        (('https://h', 1), {}, 'h', 80, True, 'https://h', 1),
        ((), {'endpoint': 'http://h:1', 'version': 1}, 'h', 1, False, 'http://h:1', 1),
        ((), {'host': 'h', 'port': 1}, 'h', 1, False, 'http://h:1', 1),
    ],
)
def test_a_named_server_may_be_a_host_or_an_endpoint(
    args: Any, kwargs: Any, host: Any, port: Any, use_ssl: Any, url: Any, version: Any, ctx: Any
) -> None:
    wrapper = glance.GlanceClientWrapper(ctx, *args, **kwargs)
    found = wrapper.host, wrapper.port, wrapper.use_ssl, wrapper.api_server, wrapper.version
    assert found == (host, port, use_ssl, url, version)


@pytest.mark.contract('C-045', 'C-049', 'C-050', 'C-051', 'C-327')
def test_attempts_walk_the_servers_and_sleep_through_the_modules_time(
    ctx: Any, conf: Any, clients: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    conf.set_override('glance_api_servers', ['h1:1', 'h2:2'])
    conf.set_override('glance_num_retries', 1)
    wrapper = glance.GlanceClientWrapper()
    assert wrapper.client is None
    wrapper.api_servers = iter([('h1', 1, False), ('h2', 2, True)])
    failing = glanceclient.exc.CommunicationError('down')

    class Failing:
        def __getattr__(self, name: str) -> Any:
            return mock.Mock(side_effect=failing)

    fake = SimpleNamespace(images=Failing())
    with (
        mock.patch.object(glance, '_create_glance_client', lambda *args: fake),
        pytest.raises(errors.GlanceConnectionFailed) as caught,
    ):
        wrapper.call(ctx, 1, 'get', 'i')
    assert caught.value.kwargs == {'host': 'h2', 'port': 2, 'reason': 'down', 'code': 500}
    assert clients == [1]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "Error contacting glance server 'h1:1' for 'get', retrying.",
        "Error contacting glance server 'h2:2' for 'get', retrying.",
    ]
    assert caplog.records[-1].exc_info


@pytest.mark.contract('C-047', 'C-055', 'C-056')
def test_both_styles_of_call_reach_the_client(ctx: Any, clients: list[Any]) -> None:
    wrapper = glance.GlanceClientWrapper(ctx, 'h', 1)
    client = wrapper.client
    wrapper.call(ctx, 1, 'update', 'i', name='n')
    wrapper.call(ctx, 2, 'update', args=('i',), kwargs={'version': 'a property', 'method': 'another'})
    wrapper.call(ctx, 2, 'get', 'image', controller='schemas')
    wrapper.call(context=ctx, version=2, method='get', args=('i',))
    assert client.images.update.mock_calls == [
        mock.call('i', name='n'),
        mock.call('i', version='a property', method='another'),
    ]
    client.schemas.get.assert_called_once_with('image')
    client.images.get.assert_called_once_with('i')
    assert wrapper.call(ctx, 2, 'get', 'i') is client.images.get.return_value


@pytest.mark.contract('C-046')
def test_a_client_that_is_put_in_serves_every_call(ctx: Any) -> None:
    wrapper = glance.GlanceClientWrapper()
    wrapper.client = mock.Mock()
    wrapper.host, wrapper.port = 'fake_host', 9292
    wrapper.call(ctx, 1, 'get', 'i')
    wrapper.client.images.get.assert_called_once_with('i')
    service = glance.GlanceImageService(wrapper)
    wrapper.client.images.get.return_value = V1
    assert service.show(ctx, 'i')['id'] == 'i'


@pytest.mark.contract('C-054', 'C-310')
def test_a_generator_is_run_inside_the_attempts_and_its_errors_are_both_trees(ctx: Any) -> None:
    def failing() -> Any:
        yield V1
        raise glanceclient.exc.HTTPForbidden()

    wrapper = glance.GlanceClientWrapper()
    wrapper.client = mock.Mock()
    wrapper.client.images.list.side_effect = lambda **kwargs: iter(item for item in [V1])
    assert wrapper.call(ctx, 1, 'list') == [V1]
    wrapper.client.images.list.side_effect = lambda **kwargs: failing()
    with pytest.raises(errors.Forbidden) as caught:
        glance.GlanceImageService(wrapper).detail(ctx)
    assert isinstance(caught.value, glanceclient.exc.HTTPForbidden)


@pytest.mark.contract('C-052')
def test_negative_retries_are_one_attempt(ctx: Any, conf: Any, clients: list[Any]) -> None:
    conf.set_override('glance_num_retries', -1)
    wrapper = glance.GlanceClientWrapper(ctx, 'h', 1)
    assert wrapper.call(ctx, 1, 'get', 'i') is clients[0].images.get.return_value


class Pipe:
    """VMware's: a seek that does nothing, a tell that always says the same, no seekable (C-210)."""

    def read(self, size: int) -> str:
        return ''

    def seek(self, offset: int) -> None:
        pass

    def tell(self) -> int:
        return 100


@pytest.mark.contract('C-059', 'C-210')
@pytest.mark.parametrize(
    ('body', 'attempts'),
    [(io.BytesIO(b'0123456789'), 2), (Pipe(), 1), (itertools.count(), 1), (b'bytes', 2), (None, 2)],
)
def test_a_body_that_cannot_be_put_back_is_not_sent_again(body: Any, attempts: int, ctx: Any, conf: Any) -> None:
    conf.set_override('glance_num_retries', 1)
    sent: list[bytes] = []

    def upload(image_id: str, data: Any) -> None:
        sent.append(data.read(4) if isinstance(data, io.BytesIO) else b'')
        raise glanceclient.exc.CommunicationError('cut')

    wrapper = glance.GlanceClientWrapper()
    wrapper.client = SimpleNamespace(images=SimpleNamespace(upload=upload))
    wrapper.host, wrapper.port = 'h', 1
    with mock.patch('time.sleep'), pytest.raises(errors.GlanceConnectionFailed):
        wrapper.call(ctx, 2, 'upload', 'i', body)
    assert len(sent) == attempts
    assert len(set(sent)) == 1


@pytest.mark.contract('C-061')
def test_the_clients_changes_to_filters_do_not_reach_the_caller_or_the_next_attempt(ctx: Any, conf: Any) -> None:
    conf.set_override('glance_num_retries', 1)
    seen = []

    def listing(filters: dict[str, Any]) -> Any:
        seen.append(dict(filters))
        filters.clear()
        if len(seen) == 1:
            raise glanceclient.exc.ServiceUnavailable()
        return []

    wrapper = glance.GlanceClientWrapper()
    wrapper.client = SimpleNamespace(images=SimpleNamespace(list=listing))
    wrapper.host, wrapper.port = 'h', 1
    given = {'tag': 'x'}
    with mock.patch('time.sleep'):
        wrapper.call(ctx, 2, 'list', filters=given)
    assert (seen, given) == ([{'tag': 'x'}, {'tag': 'x'}], {'tag': 'x'})


@pytest.mark.contract('C-185', 'C-191', 'C-294')
@pytest.mark.parametrize(
    ('raised', 'expected'),
    [
        (glanceclient.exc.HTTPNotFound, errors.ImageNotFound),
        (glanceclient.exc.NotFound, errors.ImageNotFound),
        (glanceclient.exc.HTTPForbidden, errors.ImageNotAuthorized),
        (glanceclient.exc.HTTPUnauthorized, errors.ImageNotAuthorized),
        (glanceclient.exc.HTTPBadRequest, errors.ImageBadRequest),
        (glanceclient.exc.HTTPOverLimit, errors.ImageQuotaExceeded),
        (glanceclient.exc.HTTPInternalServerError, glanceclient.exc.HTTPInternalServerError),
        (KeyError, KeyError),
    ],
)
def test_image_errors_are_translated_by_the_table(raised: Any, expected: Any, ctx: Any) -> None:
    with pytest.raises(expected):
        glance.GlanceImageService(Client(raised())).show(ctx, 'i')
    again = glance._translate_image_exception('i', raised())
    assert isinstance(again, expected)
    try:
        raise raised()
    except Exception:  # noqa: BLE001 - what is handled is the subject
        with pytest.raises(expected):
            glance._reraise_translated_image_exception('i')


@pytest.mark.contract('C-299', 'C-310')
def test_a_delete_conflict_is_caught_by_either_name(ctx: Any) -> None:
    with pytest.raises(errors.ImageDeleteConflict) as caught:
        glance.GlanceImageService(Client(glanceclient.exc.HTTPConflict())).delete(ctx, 'i')
    assert isinstance(caught.value, glanceclient.exc.HTTPConflict)


@pytest.mark.contract('C-324')
def test_a_client_for_an_unknown_server_gets_no_credentials(
    ctx: Any, conf: Any, clients: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    conf.set_override('glance_api_servers', ['known:9292'])
    glance.get_remote_image_service(ctx, 'http://known:9292/v1/images/i')
    glance.get_remote_image_service(ctx, 'http://other:9292/v1/images/i')
    assert clients[0].made_with[1]['token'] == 'tok'
    assert clients[1].made_with == (('1', 'http://other:9292'), {})
    assert 'trusted_servers' in caplog.text
    conf.set_override('trusted_servers', ['http://other:9292'], group='image')
    glance.get_remote_image_service(ctx, 'http://other:9292/v1/images/i')
    assert clients[2].made_with[1]['token'] == 'tok'


@pytest.mark.contract('C-032')
@pytest.mark.parametrize(('use_ssl', 'scheme'), [(False, 'http'), (True, 'https')])
def test_a_host_without_a_port_or_a_context_is_a_server_of_the_protocol_asked_for(use_ssl: bool, scheme: str) -> None:
    with mock.patch('glanceclient.Client') as made:
        wrapper = glance.GlanceClientWrapper(host='h', use_ssl=use_ssl)
        wrapper.client  # noqa: B018 - made on first use
    assert made.call_args.args[1] == f'{scheme}://h'


@pytest.mark.contract('C-210')
def test_an_empty_stream_in_memory_may_be_sent_again() -> None:
    from legacy.rewind import Rewinder

    assert Rewinder('upload', ('an-id', io.BytesIO()), {}).rewind()
