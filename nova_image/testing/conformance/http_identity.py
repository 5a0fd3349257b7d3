# SPDX-License-Identifier: Apache-2.0
"""Conformance over HTTP: who is told which secret, and by whom a driver lets itself be told anything (D-7, D-13)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.testing import faults
from nova_image.testing.certificates import Authority
from nova_image.testing.conformance.base import CONTENT, RAW, content_of
from nova_image.testing.conformance.http import TOKEN, ApiAt, Caller, HTTPBase
from nova_image.testing.faulty import FaultyGlance

ROUTES = ('GET file', 'GET image', 'GET images', 'PATCH image', 'DELETE image', 'PUT file', 'POST images')


@dataclass
class _WithEndpoint(Caller):
    """A caller whose keystoneauth plug-in knows where the services are."""

    endpoint: str = ''

    def get_auth_plugin(self) -> Any:
        from keystoneauth1 import token_endpoint

        return token_endpoint.Token(self.endpoint, TOKEN)


def _set_service_user(conf: Any, **options: Any) -> None:
    """Configure a service user as Nova does: keystoneauth's options in [service_user]."""
    from keystoneauth1 import loading
    from oslo_config import cfg

    group = 'service_user'
    loading.register_auth_conf_options(conf, group)
    conf.register_opt(cfg.BoolOpt('send_service_user_token', default=False), group=group)
    conf.register_opts(loading.get_auth_plugin_conf_options(loading.get_plugin_loader('admin_token')), group=group)
    for name, value in {'auth_type': 'admin_token', 'token': 'service', 'endpoint': 'http://unused', **options}.items():
        conf.set_override(name, value, group=group)


class HTTPIdentityConformance(HTTPBase):
    """Tokens, redirects, references, odd ids, certificates."""

    @pytest.mark.contract('C-324')
    @pytest.mark.parametrize('route', ROUTES)
    @pytest.mark.parametrize('code', [301, 302, 307])
    def test_no_redirect_takes_a_token_or_a_change_to_a_stranger(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, route: str, code: int
    ) -> None:
        api = api_at(glance)
        with FaultyGlance() as stranger:
            active, queued = glance.store.add(CONTENT)['id'], glance.store.add()['id']
            stranger.store.records, stranger.store.contents = glance.store.records, glance.store.contents
            target = f'{stranger.url}/v2/images/{active}' + ('/file' if route == 'GET file' else '')
            glance.inject(faults.redirect(route, target, code, times=0))
            calls: dict[str, Callable[[], Any]] = {
                'GET file': lambda: content_of(api, member, {'id': active}),
                'GET image': lambda: api.get(member, active),
                'GET images': lambda: api.get_all(member),
                'PATCH image': lambda: api.update(member, queued, {'name': 'x'}),
                'DELETE image': lambda: api.delete(member, queued),
                'PUT file': lambda: api.update(member, queued, {}, CONTENT),
                'POST images': lambda: api.create(member, dict(RAW)),
            }
            with contextlib.suppress(errors.NovaException):
                calls[route]()
            assert stranger.tokens == set()
            assert not any(each.method in ('PUT', 'POST', 'PATCH', 'DELETE') for each in stranger.requests)

    @pytest.mark.contract('C-324', 'D-7')
    def test_a_reference_to_a_stranger_is_served_without_the_token(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any
    ) -> None:
        with FaultyGlance() as stranger:
            image = stranger.store.add(CONTENT, visibility='public')['id']
            href = f'{stranger.url}/v2/images/{image}'
            api = api_at(glance)
            assert api.get(member, href)['id'] == image
            assert content_of(api, member, {'id': href}) == CONTENT
            assert stranger.tokens == set()
            api_at(glance, image__trusted_servers=[stranger.url]).get(member, href)
            assert stranger.tokens == {TOKEN}

    @pytest.mark.contract('C-094')
    @pytest.mark.parametrize('image_id', ['..', '.', 'a?b', 'a#b', 'a\r\nb', '%2e%2e', 'a b/../c', ''])
    def test_no_odd_id_reaches_the_server(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, image_id: str
    ) -> None:
        api = api_at(glance)
        for call in (api.get, api.delete, api.download):
            with pytest.raises(errors.ImageNotFound):
                call(member, image_id)
        with pytest.raises(errors.ImageNotFound):
            api.update(member, image_id, {'name': 'x'})
        assert [each.path for each in glance.requests] == []

    @pytest.mark.contract('C-308')
    def test_a_request_is_traced_where_the_caller_has_an_id_for_it(self, api_at: ApiAt, glance: FaultyGlance) -> None:
        api = api_at(glance)
        api.get_all(Caller(global_id='req-7'))
        api.get_all(Caller())
        assert [each.headers.get('X-OpenStack-Request-ID') for each in glance.requests] == ['req-7', None]

    @pytest.mark.contract('C-308')
    @pytest.mark.parametrize('sends', [True, False])
    def test_a_service_token_goes_along_when_configured(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, sends: bool
    ) -> None:
        api = api_at(glance)
        _set_service_user(api.driver.conf, send_service_user_token=sends)
        api.get_all(member)
        sent = glance.requests[-1].headers
        assert (sent['X-Auth-Token'], sent.get('X-Service-Token')) == (TOKEN, 'service' if sends else None)

    @pytest.mark.contract('D-13')
    def test_the_service_user_stands_in_for_an_admin_without_a_token_and_for_nobody_else(
        self, api_at: ApiAt, glance: FaultyGlance
    ) -> None:
        api = api_at(glance)
        _set_service_user(api.driver.conf)
        api.get_all(Caller(auth_token=None, is_admin=True))
        api.get_all(Caller(auth_token=None))
        assert [each.token for each in glance.requests] == ['service', None]

    @pytest.mark.contract('C-041', 'D-13')
    def test_where_nothing_is_configured_the_callers_catalogue_says_where(
        self, api_at: ApiAt, glance: FaultyGlance
    ) -> None:
        image, api = glance.store.add(CONTENT)['id'], api_at()
        assert api.get(_WithEndpoint(endpoint=f'{glance.url}/v2'), image)['id'] == image
        entry = {'type': 'image', 'name': 'glance', 'endpoints': [{'publicURL': glance.url, 'internalURL': glance.url}]}
        assert api.get(Caller(service_catalog=(entry,)), image)['id'] == image
        assert glance.tokens == {TOKEN}

    @pytest.mark.contract('D-7')
    def test_no_token_is_in_logs_or_errors(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level('DEBUG')
        api, image = api_at(glance), glance.store.add(CONTENT)['id']
        glance.inject(faults.status('GET image', 503), faults.reset('GET file', at=10), faults.status('GET images', 500))
        api.get(member, image)
        api.download(member, image, io.BytesIO())
        api.get_all(member)
        glance.inject(faults.status('DELETE image', 400, body=f'X-Auth-Token: {TOKEN}'.encode()))
        with pytest.raises(errors.NovaException) as caught:
            api.delete(member, image)
        assert glance.tokens == {TOKEN}
        assert TOKEN not in caplog.text and TOKEN not in str(caught.value)


class HTTPSConformance(HTTPBase):
    """Certificates: verified unless told otherwise. Needs ``cryptography``."""

    @pytest.fixture
    def authority(self, tmp_path_factory: pytest.TempPathFactory) -> Authority:
        """Who signs the certificates."""
        return Authority(tmp_path_factory.mktemp('authority'))

    @pytest.fixture(autouse=True)
    def _no_authorities_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.contract('C-060', 'D-13')
    def test_a_server_is_believed_by_its_certificate(self, api_at: ApiAt, member: Any, authority: Authority) -> None:
        with FaultyGlance(tls=authority.tls()) as glance:
            image = glance.store.add(CONTENT)
            assert content_of(api_at(glance, glance__cafile=authority.cafile), member, image) == CONTENT
            glance.forget()
            with pytest.raises(errors.GlanceConnectionFailed, match='certificate'):
                api_at(glance).get(member, image['id'])
            assert glance.requests == []

    @pytest.mark.contract('D-13')
    @pytest.mark.filterwarnings('ignore::urllib3.exceptions.InsecureRequestWarning')
    def test_any_certificate_will_do_when_told_so(self, api_at: ApiAt, member: Any, authority: Authority) -> None:
        with FaultyGlance(tls=authority.tls()) as glance:
            image = glance.store.add(CONTENT)
            assert content_of(api_at(glance, glance__insecure=True), member, image) == CONTENT

    @pytest.mark.contract('D-13')
    def test_a_server_that_asks_who_is_there_is_told(self, api_at: ApiAt, member: Any, authority: Authority) -> None:
        with FaultyGlance(tls=authority.tls(asks_clients=True)) as glance:
            image, trust = glance.store.add(CONTENT), {'glance__cafile': authority.cafile}
            assert content_of(api_at(glance, glance__certfile=authority.client, **trust), member, image) == CONTENT
            with pytest.raises(errors.GlanceConnectionFailed):
                api_at(glance, **trust).get(member, image['id'])

    @pytest.mark.contract('C-060')
    def test_a_file_of_authorities_that_is_not_there_is_an_error_of_ours(
        self, api_at: ApiAt, member: Any, authority: Authority, tmp_path: Path
    ) -> None:
        with FaultyGlance(tls=authority.tls()) as glance:
            api = api_at(glance, glance__cafile=str(tmp_path / 'missing.pem'))
            with pytest.raises(errors.GlanceConnectionFailed, match=r'missing\.pem'):
                api.get_all(member)
            assert glance.requests == []
