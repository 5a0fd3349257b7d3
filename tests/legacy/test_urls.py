# SPDX-License-Identifier: Apache-2.0
"""URLs, references and the server list under their old names, in the shapes of both generations."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import pytest

from legacy import glance
from legacy.urls import ApiServer
from nova_image import errors

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')


@pytest.mark.contract('C-014', 'C-015', 'C-016')
@pytest.mark.parametrize(
    ('host', 'port', 'protocol', 'url'),
    [('h', 9292, 'http', 'http://h:9292'), ('::1', 80, 'https', 'https://[::1]:80'), ('h', 1, 'https', 'https://h:1')],
)
def test_urls_come_from_host_port_and_protocol(conf: Any, host: str, port: int, protocol: str, url: str) -> None:
    conf.set_override('glance_host', host)
    conf.set_override('glance_port', port)
    conf.set_override('glance_protocol', protocol)
    assert glance.generate_glance_url() == url
    assert glance.generate_image_url('x') == f'{url}/images/x'
    assert glance.generate_image_url(None) == f'{url}/images/None'
    assert glance.generate_image_url('') == f'{url}/images/'


@pytest.mark.contract('C-018', 'C-322')
def test_with_or_without_a_context_the_first_configured_server_is_named(conf: Any, ctx: Any) -> None:
    conf.set_override('api_servers', ['http://a:1/', 'http://b:2'], group='glance')
    for _ in range(5):
        assert glance.generate_glance_url() == glance.generate_glance_url(ctx) == 'http://a:1'
    assert glance.API.generate_image_url('x', ctx) == glance.API().generate_image_url('x') == 'http://a:1/images/x'


@pytest.mark.contract('C-009', 'C-019', 'C-020', 'C-021')
@pytest.mark.parametrize(
    ('href', 'parsed'),
    [
        ('http://h:9292/v1/images/ID', ('ID', 'h', 9292, False)),
        ('https://h/v1/images/ID', ('ID', 'h', 80, True)),
        ('h/ID', ('ID', '', 80, False)),
        ('http://h:1/v1/images/ID?q=1#f', ('ID', 'h', 1, False)),
        ('http://h:1/v1/images/', ('', 'h', 1, False)),
        ('http://u:p@h:1/ID', ('ID', 'u:p@h', 1, False)),
        ('http://[::1]:9292/v1/images/ID', ('ID', '[::1]', 9292, False)),
    ],
)
def test_an_href_is_parsed_to_four_items(href: str, parsed: Any) -> None:
    assert glance._parse_image_ref(href) == parsed


@pytest.mark.contract('C-023')
@pytest.mark.parametrize('href', ['http://h:port/ID', 'http://h:70000/ID'])
def test_a_bad_port_is_a_value_error(href: str) -> None:
    with pytest.raises(ValueError, match=r'[Pp]ort'):
        glance._parse_image_ref(href)


@pytest.mark.contract('C-024', 'C-025')
@pytest.mark.parametrize(
    ('href', 'parsed'),
    [
        ('http://h:9292/glance/v2/images/ID', ('ID', 'http://h:9292/glance')),
        ('http://h:9292/v2.15/images/ID', ('ID', 'http://h:9292')),
        ('http://h:9292/images/ID', ('ID', 'http://h:9292')),
        ('http://h:9292/image/images/ID', ('ID', 'http://h:9292/image')),
    ],
)
def test_an_href_is_parsed_to_an_endpoint_with_or_without_a_version(href: str, parsed: Any) -> None:
    assert glance._endpoint_from_image_ref(href) == parsed


@pytest.mark.contract('C-036', 'C-037', 'C-042', 'C-212', 'C-309')
def test_servers_are_tuples_whose_text_is_the_url_and_urls_with_a_context(conf: Any, ctx: Any) -> None:
    given = ['h1:9292', 'https://h2:9293', 'http://h3']
    conf.set_override('glance_api_servers', given)
    found = list(itertools.islice(glance.get_api_servers(), 6))
    assert sorted(found[:3]) == sorted(found[3:]) == [('h1', 9292, False), ('h2', 9293, True), ('h3', 80, False)]
    assert sorted(str(server) for server in found[:3]) == ['http://h1:9292', 'http://h3:80', 'https://h2:9293']
    host, port, use_ssl = found[0]
    assert (host, port, use_ssl) == found[0]
    assert sorted(itertools.islice(glance.get_api_servers(ctx), 3)) == ['http://h1:9292', 'http://h3', 'https://h2:9293']
    assert given == ['h1:9292', 'https://h2:9293', 'http://h3']
    assert glance.pick_glance_api_server() in [('h1', 9292), ('h2', 9293), ('h3', 80)]


@pytest.mark.contract('C-038')
def test_an_empty_list_ends_at_once(conf: Any) -> None:
    conf.set_override('glance_api_servers', [])
    with pytest.raises(StopIteration):
        next(glance.get_api_servers())


@pytest.mark.contract('C-040')
def test_an_entry_without_a_scheme_is_repaired_with_a_warning(conf: Any, caplog: pytest.LogCaptureFixture) -> None:
    conf.set_override('api_servers', ['h1:1'], group='glance')
    assert str(next(glance.get_api_servers())) == 'http://h1:1'
    assert [record.levelname for record in caplog.records] == ['WARNING']


def test_a_server_survives_pickling() -> None:
    server = ApiServer('h', 1, True, 'https://h:1/image')
    again = pickle.loads(pickle.dumps(server))
    assert (again, str(again)) == (server, 'https://h:1/image')


@pytest.mark.contract('C-026', 'C-027', 'C-028', 'C-029')
def test_identity_headers_read_either_generation_of_attributes(ctx: Any, conf: Any) -> None:
    headers = glance.generate_identity_headers(ctx, 'Odd')
    assert headers == {
        'X-Auth-Token': 'tok', 'X-User-Id': 'u', 'X-Tenant-Id': 'p', 'X-Roles': 'member',
        'X-Identity-Status': 'Odd', 'X-Service-Catalog': '[]',
    }  # fmt: skip
    del ctx.user, ctx.tenant
    assert glance.generate_identity_headers(ctx)['X-Tenant-Id'] == 'p'
    del ctx.user_id, ctx.service_catalog, ctx.roles
    headers = glance.generate_identity_headers(ctx)
    assert (headers['X-User-Id'], headers['X-Roles'], 'X-Service-Catalog' in headers) == (None, '', False)
    with pytest.raises(AttributeError, match='need a request context'):
        glance.generate_identity_headers(None)


@pytest.mark.contract('C-194', 'C-199', 'C-208')
@pytest.mark.usefixtures('local')
@pytest.mark.parametrize(
    ('href', 'server'),
    [
        ('http://h:1/v1/images/i', 'http://h:1'),
        ('https://h/v2/images/i', 'https://h'),
        ('http://h/image/v2/images/i', 'http://h/image'),
        ('http://[::1]/images/i', 'http://[::1]'),
    ],
)
def test_a_service_of_an_href_asks_that_server_by_its_whole_address(ctx: Any, href: str, server: str) -> None:
    service, image_id = glance.get_remote_image_service(ctx, href)
    assert (image_id, service._client.server_url) == ('i', server)
    with pytest.raises(errors.ImageNotFound):
        service.show(ctx, image_id)


def test_a_password_in_a_server_entry_reaches_no_log_error_or_url(
    conf: Any, ctx: Any, caplog: pytest.LogCaptureFixture
) -> None:
    conf.set_override('api_servers', ['http://user:secret@127.0.0.1:9'], group='glance')
    conf.set_override('num_retries', 0, group='glance')
    with pytest.raises(errors.GlanceConnectionFailed) as caught:
        glance.GlanceClientWrapper().call(ctx, 1, 'get', 'x')
    assert 'secret' not in f'{caught.value} {caught.value.__cause__} {caplog.text} {glance.generate_glance_url()}'
