# SPDX-License-Identifier: Apache-2.0
"""Which server is asked, and which may see the caller's token."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from keystoneauth1 import token_endpoint
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import errors
from nova_image.glance import servers


@pytest.mark.contract('C-041')
@pytest.mark.parametrize(
    ('url', 'base'),
    [
        ('http://h:9292', 'http://h:9292'),
        ('http://h:9292/', 'http://h:9292'),
        ('http://h:9292/v2', 'http://h:9292'),
        ('http://h:9292/v2.1/', 'http://h:9292'),
        ('https://cloud/image/v2/', 'https://cloud/image'),
        ('https://cloud/image', 'https://cloud/image'),
        ('https://cloud/v2stuff', 'https://cloud/v2stuff'),
        ('http://[::1]:9292/v2', 'http://[::1]:9292'),
    ],
)
def test_a_base_url_has_no_version_and_keeps_its_prefix(url: str, base: str) -> None:
    assert servers.base_url(url) == base


def test_a_password_in_an_address_reaches_no_log_error_or_url(
    make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    driver = make_driver('http://user:secret@127.0.0.1:9', num_retries=0)
    with pytest.raises(errors.GlanceConnectionFailed) as caught:
        driver.show(Caller(), IMAGE_ID)
    assert 'secret' not in f'{caught.value} {caught.value.__cause__} {caplog.text} {driver.glance_url(Caller())}'


def test_a_password_in_a_redirect_is_not_followed_into_the_error(
    start_server: Any, make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first = start_server(redirecting_to('http://user:secret@127.0.0.1:9/v2'))
    with pytest.raises(errors.GlanceConnectionFailed) as caught:
        make_driver(first.url, num_retries=0).show(Caller(), IMAGE_ID)
    assert 'secret' not in f'{caught.value} {caught.value.__cause__} {caplog.text}'


@pytest.mark.parametrize('target', ['http://user:secret@h:99999/', 'http://user:secret@[h/', 'http://user:secret@h:x/'])
def test_a_redirect_to_what_is_no_url_is_an_error_of_ours(
    target: str, start_server: Any, make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(errors.ImageServiceError, match='redirects to what is no URL') as caught:
        make_driver(start_server(redirecting_to(target)).url).show(Caller(), IMAGE_ID)
    assert 'secret' not in f'{caught.value} {caught.value.__cause__} {caplog.text}'


def test_an_error_answer_nested_without_end_is_still_that_error(start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: Answer(404, b'[' * 50000, {'Content-Type': 'application/json'}))
    with pytest.raises(errors.ImageNotFound):
        make_driver(server.url).show(Caller(), IMAGE_ID)


@pytest.mark.contract('C-042')
def test_the_configured_list_is_never_shuffled_itself(server: Server, make_driver: Any) -> None:
    urls = [server.url, server.url + '/', server.url + '/v2']
    driver = make_driver(*urls)
    for _ in range(20):
        driver.show(Caller(), IMAGE_ID)
    assert driver.conf.glance.api_servers == urls


@pytest.mark.contract('C-013')
def test_a_changed_list_counts_from_the_next_call(start_server: Any, make_driver: Any) -> None:
    one, two = start_server(), start_server()
    driver = make_driver(one.url)
    driver.show(Caller(), IMAGE_ID)
    driver.conf.set_override('api_servers', [two.url], group='glance')
    driver.show(Caller(), IMAGE_ID)
    assert len(one.requests) == len(two.requests) == 1


def test_a_path_prefix_is_kept_in_requests(server: Server, make_driver: Any) -> None:
    make_driver(server.url + '/image%20api').show(Caller(), IMAGE_ID)
    make_driver('http://unused').show(Caller(None), IMAGE_ID, server=server.url + '/other')
    assert server.calls == [
        ('GET', f'/image%20api/v2/images/{IMAGE_ID}'),
        ('GET', f'/other/v2/images/{IMAGE_ID}'),
    ]


def v2_catalogue(url: str) -> list[dict[str, Any]]:
    endpoint = {'publicURL': url, 'internalURL': url, 'region': 'R'}
    return [{'type': 'image', 'name': 'glance', 'endpoints': [endpoint]}]


def v3_catalogue(url: str) -> list[dict[str, Any]]:
    endpoint = {'url': url, 'interface': 'public', 'region': 'R', 'region_id': 'R', 'id': 'e'}
    return [{'type': 'image', 'name': 'glance', 'id': 's', 'endpoints': [endpoint]}]


@pytest.mark.contract('C-041', 'C-292')
@pytest.mark.parametrize('catalogue', [v2_catalogue, v3_catalogue])
def test_without_a_list_the_catalogue_of_the_context_is_used(
    catalogue: Any, server: Server, make_driver: Any
) -> None:
    caller = Caller('t', service_catalog=catalogue(server.url + '/v2'))
    make_driver().show(caller, IMAGE_ID)
    assert server.calls == [('GET', f'/v2/images/{IMAGE_ID}')]
    assert server.requests[0].headers['X-Auth-Token'] == 't'


@pytest.mark.contract('C-041')
def test_without_a_list_the_plug_in_of_the_context_is_asked(server: Server, make_driver: Any) -> None:
    caller = Caller('t', get_auth_plugin=lambda: token_endpoint.Token(server.url + '/v2', 't'))
    make_driver().show(caller, IMAGE_ID)
    assert server.calls == [('GET', f'/v2/images/{IMAGE_ID}')]


def test_no_server_at_all_is_one_clear_error(make_driver: Any) -> None:
    with pytest.raises(errors.GlanceConnectionFailed, match=r'\[glance\] api_servers'):
        make_driver().show(Caller('t'), IMAGE_ID)


@pytest.mark.contract('C-324')
def test_a_strange_server_is_served_without_the_token_and_with_one_warning(
    start_server: Any, make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    home, strange = start_server(), start_server()
    driver = make_driver(home.url)
    driver.show(Caller('t'), IMAGE_ID, server=strange.url)
    assert 'X-Auth-Token' not in strange.requests[0].headers
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert 'trusted_servers' in warnings[0].getMessage()


@pytest.mark.contract('C-324')
def test_every_operation_on_a_strange_server_leaves_the_token_at_home(
    start_server: Any, make_driver: Any
) -> None:
    strange = start_server(lambda r: Answer(200, b'hello') if r.path.endswith('/file') else as_json(an_image()))
    driver = make_driver(start_server().url)
    who = Caller('t')
    driver.update(who, IMAGE_ID, {'name': 'x'}, server=strange.url)
    driver.delete(who, IMAGE_ID, server=strange.url)
    driver.copy_to_store(who, IMAGE_ID, 's', server=strange.url)
    assert b''.join(driver.download(who, IMAGE_ID, server=strange.url)) == b'hello'
    assert len(strange.requests) == 6
    assert not any('X-Auth-Token' in request.headers for request in strange.requests)


def test_configured_trusted_and_catalogued_servers_get_the_token(
    start_server: Any, make_driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    home, trusted, catalogued = start_server(), start_server(), start_server()
    driver = make_driver(home.url, trusted_servers=[trusted.url])
    who = Caller('t', service_catalog=v2_catalogue(catalogued.url))
    for server in (home, trusted, catalogued):
        driver.show(who, IMAGE_ID, server=server.url)
        assert server.requests[-1].headers['X-Auth-Token'] == 't'
    assert not caplog.records


def test_a_driver_of_one_endpoint_asks_that_one(start_server: Any, make_driver: Any) -> None:
    home, other = start_server(), start_server()
    driver = make_driver(home.url, endpoint=other.url)
    driver.show(Caller('t'), IMAGE_ID)
    assert not home.requests
    assert other.requests[0].headers['X-Auth-Token'] == 't'


@pytest.mark.contract('C-322')
def test_the_url_of_the_service_is_the_first_configured_without_chance(make_driver: Any) -> None:
    driver = make_driver('https://a/image/', 'http://b:1', 'http://c:2')
    assert {driver.glance_url() for _ in range(20)} == {'https://a/image'}
    assert make_driver('http://a', endpoint='http://e/v2').glance_url(Caller()) == 'http://e'


def test_the_url_of_the_service_comes_from_the_catalogue_otherwise(make_driver: Any) -> None:
    caller = Caller('t', service_catalog=v2_catalogue('https://cloud/image/v2'))
    assert make_driver().glance_url(caller) == 'https://cloud/image'


def redirecting_to(url: str, status: int = 302) -> Any:
    return lambda request: Answer(status, b'', {'Location': url + request.path})


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_no_credential_follows_a_redirect_to_another_server(
    status: int, start_server: Any, make_driver: Any
) -> None:
    other = start_server()
    home = start_server(redirecting_to(other.url, status))
    caller = Caller('t', global_id='req-1')
    make_driver(home.url).show(caller, IMAGE_ID)
    assert home.requests[0].headers['X-Auth-Token'] == 't'
    headers = other.requests[0].headers
    assert 'X-Auth-Token' not in headers
    assert 'X-OpenStack-Request-ID' not in headers


def test_no_credential_follows_the_redirect_of_a_download(start_server: Any, make_driver: Any) -> None:
    other = start_server(lambda request: Answer(200, b'hello'))

    def answer(request: Request) -> Answer:
        if request.path.endswith('/file'):
            return Answer(302, b'', {'Location': other.url + '/blob'})
        return as_json(an_image())

    assert b''.join(make_driver(start_server(answer).url).download(Caller('t'), IMAGE_ID)) == b'hello'
    assert 'X-Auth-Token' not in other.requests[0].headers


def test_a_redirect_within_the_server_keeps_the_credential(start_server: Any, make_driver: Any) -> None:
    def answer(request: Request) -> Answer:
        if not request.path.startswith('/new'):
            return Answer(301, b'', {'Location': '/new' + request.path})
        return as_json(an_image())

    server = start_server(answer)
    make_driver(server.url).show(Caller('t'), IMAGE_ID)
    assert [request.headers['X-Auth-Token'] for request in server.requests] == ['t', 't']


def test_redirects_without_an_end_are_an_error(start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: Answer(302, b'', {'Location': request.path}))
    with pytest.raises(errors.ImageServiceError, match='redirected more than'):
        make_driver(server.url).show(Caller('t'), IMAGE_ID)


@pytest.mark.parametrize('status', [301, 307])
def test_nothing_that_changes_images_is_sent_after_a_redirect(
    status: int, start_server: Any, make_driver: Any
) -> None:
    other = start_server()
    driver = make_driver(start_server(redirecting_to(other.url, status)).url)
    for change in (
        lambda: driver.delete(Caller(), IMAGE_ID),
        lambda: driver.create(Caller(), {'name': 'x'}),
        lambda: driver.copy_to_store(Caller(), IMAGE_ID, 's'),
    ):
        with pytest.raises(errors.ImageServiceError, match='redirected to'):
            change()
    assert not other.requests


def test_an_upload_that_is_redirected_leaves_no_image(start_server: Any, make_driver: Any) -> None:
    other = start_server()

    def answer(request: Request) -> Answer:
        if request.method == 'PUT':
            return Answer(307, b'', {'Location': other.url + request.path})
        return as_json(an_image())

    server = start_server(answer)
    with pytest.raises(errors.ImageServiceError, match='redirected to'):
        make_driver(server.url).create(Caller(), {'name': 'x'}, b'hello')
    assert server.calls[-1][0] == 'DELETE'
    assert not other.requests


@pytest.mark.contract('C-014', 'C-322')
def test_the_url_of_the_service_without_a_context_is_host_port_and_protocol_if_set(make_driver: Any) -> None:
    assert make_driver('http://a', host='h', protocol='https').glance_url() == 'https://h:9292'
    assert make_driver('http://a', host='h').glance_url(Caller()) == 'http://a'
    driver = make_driver()
    driver.conf.set_override('my_ip', '192.0.2.10')
    assert driver.glance_url() == 'http://192.0.2.10:9292'
