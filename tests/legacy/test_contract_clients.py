# SPDX-License-Identifier: Apache-2.0
"""How clients are made and called: what the old factories pass on, and what is never asked or sent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import glanceclient
import pytest

from legacy import glance
from nova_image import API, errors
from nova_image.testing.faulty import FaultyGlance

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
EVERY_TLS_OPTION = {'cert_file': '/c', 'key_file': '/k', 'ca_file': '/a'}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Arguments of each construction of the replaced client class."""
    found: list[tuple[Any, Any]] = []

    def construct(*args: Any, **kwargs: Any) -> Any:
        found.append((args, kwargs))
        return SimpleNamespace(images=SimpleNamespace())

    monkeypatch.setattr(glanceclient, 'Client', construct)
    return found


@pytest.fixture
def tls(conf: Any) -> Iterator[Any]:
    for name, value in EVERY_TLS_OPTION.items():
        conf.set_override(name, value, group='ssl')
    yield conf
    for name in EVERY_TLS_OPTION:
        conf.clear_override(name, group='ssl')
    conf.clear_override('glance_api_insecure')


@pytest.fixture
def server(conf: Any) -> Iterator[FaultyGlance]:
    """A v2-only Glance that needs no token, for the real client."""
    conf.set_override('auth_strategy', 'noauth')
    with FaultyGlance() as running:
        conf.set_override('glance_api_servers', [running.url])
        yield running


# A datagram socket that is connected sends nothing: it is how the default of my_ip is found.
_WATCHED = """
import socket, sys, warnings
warnings.simplefilter('ignore')
asked = []
def watch(event, args):
    if event in ('socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto', 'socket.sendmsg'):
        asked.append((event, args))
    elif event == 'socket.connect' and args[0].type != socket.SOCK_DGRAM:
        asked.append((event, args))
sys.addaudithook(watch)
import legacy.glance
assert not asked, asked
assert 'glanceclient' not in sys.modules and 'keystoneauth1' not in sys.modules
"""


@pytest.mark.contract('C-011')
def test_importing_asks_no_server_and_loads_no_client() -> None:
    done = subprocess.run([sys.executable, '-c', _WATCHED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.contract('C-030')
@pytest.mark.parametrize(
    ('args', 'called'),
    [
        (('h', 9292), ('1', 'http://h:9292')),
        (('h', 9292, False, 2), ('2', 'http://h:9292')),
        (('::1', 80, True, 1), ('1', 'https://[::1]:80')),
    ],
)
def test_the_client_gets_its_version_as_text_and_a_url(
    args: Any, called: Any, ctx: Any, conf: Any, made: list[Any]
) -> None:
    conf.set_override('auth_strategy', 'noauth')
    glance._create_glance_client(ctx, *args)
    assert [given for given, _ in made] == [called]


@pytest.mark.contract('C-031')
def test_only_a_server_behind_tls_gets_the_tls_words(ctx: Any, tls: Any, made: list[Any]) -> None:
    tls.set_override('auth_strategy', 'noauth')
    glance._create_glance_client(ctx, 'h', 1, False)
    assert made.pop()[1] == {}
    certificates = {'cert_file': '/c', 'key_file': '/k', 'cacert': '/a'}
    glance._create_glance_client(ctx, 'h', 1, True)
    assert made.pop()[1] == {'insecure': False, 'ssl_compression': False, **certificates}
    tls.set_override('glance_api_insecure', True)
    for name in EVERY_TLS_OPTION:
        tls.clear_override(name, group='ssl')
    glance._create_glance_client(ctx, 'h', 1, True)
    assert made.pop()[1] == {'insecure': True, 'ssl_compression': False}


@pytest.mark.contract('C-032')
def test_a_host_gets_credentials_under_keystone_only_and_an_endpoint_only_ever_headers(
    ctx: Any, conf: Any, made: list[Any]
) -> None:
    headers = glance.generate_identity_headers(ctx)
    conf.set_override('auth_strategy', 'keystone')
    glance._create_glance_client(ctx, 'h', 1)
    assert made.pop()[1] == {'token': 'tok', 'identity_headers': headers}
    conf.set_override('auth_strategy', 'noauth')
    glance._create_glance_client(ctx, 'h', 1)
    assert made.pop()[1] == {}
    headers.pop('X-Service-Catalog', None)
    for strategy in ('noauth', 'keystone'):
        conf.set_override('auth_strategy', strategy)
        glance._glanceclient_from_endpoint(ctx, 'http://h:1', 2)
        assert made.pop() == (('2', 'http://h:1'), {'identity_headers': headers})


@pytest.mark.contract('C-033', 'C-035')
def test_a_context_without_a_token_still_reaches_a_server_that_needs_none(server: Any, ctx: Any, conf: Any) -> None:
    conf.set_override('auth_strategy', 'keystone')
    image = server.store.add(b'bytes')
    ctx.auth_token = ctx.user = ctx.user_id = None
    for client in (
        glance._create_glance_client(ctx, '127.0.0.1', server.port),
        glance._glanceclient_from_endpoint(ctx, server.url, 1),
    ):
        assert client.images.get(image['id']).name == image['name']
    assert server.tokens == set()


@pytest.mark.contract('C-043')
def test_the_argument_of_get_api_servers_says_which_kind_of_item_is_wanted(ctx: Any, conf: Any) -> None:
    conf.set_override('glance_api_servers', ['h:1'])
    plain, modern = next(glance.get_api_servers()), next(glance.get_api_servers(ctx))
    assert isinstance(plain, tuple)
    assert (plain, str(plain)) == (('h', 1, False), 'http://h:1')
    assert modern == 'http://h:1'
    assert type(modern) is str


@pytest.mark.contract('C-053')
def test_an_error_while_a_client_is_made_is_raw_and_nothing_is_tried_again(
    ctx: Any, conf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def construct(*args: Any, **kwargs: Any) -> Any:
        tried.append(args)
        raise glanceclient.exc.CommunicationError('no schemas')

    conf.set_override('glance_num_retries', 3)
    conf.set_override('glance_api_servers', ['h:1'])
    monkeypatch.setattr(glanceclient, 'Client', construct)
    monkeypatch.setattr('time.sleep', tried.append)
    with pytest.raises(glanceclient.exc.CommunicationError, match='no schemas') as caught:
        glance.GlanceClientWrapper().call(ctx, 2, 'get', 'i')
    assert not isinstance(caught.value, errors.GlanceConnectionFailed)
    assert len(tried) == 1


@pytest.mark.contract('C-057', 'C-311')
def test_version_1_calls_give_v1_images_though_the_server_has_only_v2(server: Any, ctx: Any) -> None:
    image = server.store.add(b'bytes', name='n', visibility='public', a='1')
    wrapper = glance.GlanceClientWrapper()
    found = wrapper.call(ctx, 1, 'get', image['id'])
    assert (found.name, found.is_public, found.properties, found.deleted) == ('n', True, {'a': '1'}, False)
    assert not hasattr(found, 'visibility')
    assert [each.id for each in wrapper.call(ctx, 1, 'list')] == [image['id']]
    assert b''.join(wrapper.call(ctx, 1, 'data', image['id'])) == b'bytes'
    assert wrapper.call(ctx, 1, 'create', name='x', properties={'b': '2'}).properties == {'b': '2'}


@pytest.mark.contract('C-058')
def test_version_2_calls_give_raw_flat_models(server: Any, ctx: Any) -> None:
    image = server.store.add(b'bytes', visibility='public', a='1')
    wrapper = glance.GlanceClientWrapper()
    for found in (wrapper.call(ctx, 2, 'get', image['id']), *wrapper.call(ctx, 2, 'list')):
        assert (found['a'], found.a, found['visibility'], found.visibility) == ('1', '1', 'public', 'public')
        for name in ('is_public', 'properties'):
            assert name not in found
            assert not hasattr(found, name)


@pytest.mark.contract('C-060')
def test_an_error_of_this_host_is_caught_as_what_either_generation_raised(conf: Any, ctx: Any, tmp_path: Any) -> None:
    conf.set_override('api_servers', ['https://127.0.0.1:9'], group='glance')
    conf.set_override('cafile', str(tmp_path / 'none'), group='glance')
    try:
        for ask in (API().get, glance.GlanceImageServiceV2().show):
            with pytest.raises(errors.GlanceConnectionFailed, match='certificate') as caught:
                ask(ctx, 'i')
            assert isinstance(caught.value, OSError)
    finally:
        conf.clear_override('cafile', group='glance')


@pytest.mark.contract('C-065', 'C-199')
def test_making_services_makes_no_client_and_no_request(server: Any, ctx: Any) -> None:
    glance.GlanceImageService()
    glance.GlanceImageServiceV2()
    glance.get_default_image_service()
    glance.get_remote_image_service(ctx, f'{server.url}/v2/images/i')
    assert server.requests == []


@pytest.mark.contract('C-065')
def test_making_services_under_a_replaced_client_class_makes_no_client(made: list[Any]) -> None:
    glance.GlanceImageService()
    glance.GlanceImageServiceV2()
    assert made == []
