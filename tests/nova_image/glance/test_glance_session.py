# SPDX-License-Identifier: Apache-2.0
"""Who calls: the context of each call and nobody else; and whose connections: this process's."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from keystoneauth1 import loading, plugin, service_token, token_endpoint
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import errors
from nova_image.glance import session


def token_of(request: Request) -> str | None:
    return request.headers.get('X-Auth-Token')


@pytest.mark.contract('C-203')
def test_the_token_of_the_context_is_sent(server: Server, make_driver: Any) -> None:
    make_driver(server.url).show(Caller('t-1'), IMAGE_ID)
    assert token_of(server.requests[0]) == 't-1'


@pytest.mark.contract('C-034')
def test_the_plug_in_of_the_context_comes_first(server: Server, make_driver: Any) -> None:
    caller = Caller('unused', get_auth_plugin=lambda: token_endpoint.Token(None, 'from-the-plug-in'))
    make_driver(server.url).show(caller, IMAGE_ID)
    assert token_of(server.requests[0]) == 'from-the-plug-in'


@pytest.mark.contract('C-035')
@pytest.mark.parametrize(
    'caller',
    [
        Caller(None),
        Caller(''),
        Caller(None, get_auth_plugin=lambda: token_endpoint.Token(None, 'must not be asked')),
        object(),
        None,
    ],
    ids=['none', 'empty', 'plug-in', 'bare', 'nobody'],
)
def test_without_a_token_no_credential_is_sent(caller: Any, server: Server, make_driver: Any) -> None:
    make_driver(server.url).show(caller, IMAGE_ID)
    assert token_of(server.requests[0]) is None


@pytest.mark.contract('C-035')
def test_with_noauth_no_credential_is_sent(server: Server, make_driver: Any) -> None:
    make_driver(server.url, auth_strategy='noauth').show(Caller('t'), IMAGE_ID)
    assert token_of(server.requests[0]) is None


@pytest.mark.contract('C-308')
def test_the_global_request_id_is_sent_when_there_is_one(server: Server, make_driver: Any) -> None:
    driver = make_driver(server.url)
    driver.show(Caller(global_id='req-7'), IMAGE_ID)
    driver.show(Caller(), IMAGE_ID)
    sent = [request.headers.get('X-OpenStack-Request-ID') for request in server.requests]
    assert sent == ['req-7', None]


def with_service_user(driver: Any, **values: Any) -> Any:
    conf = driver.conf
    loading.register_auth_conf_options(conf, 'service_user')
    from oslo_config import cfg

    conf.register_opt(cfg.BoolOpt('send_service_user_token', default=False), group='service_user')
    conf.set_override('auth_type', 'admin_token', group='service_user')
    found = loading.get_plugin_loader('admin_token')
    conf.register_opts(loading.get_auth_plugin_conf_options(found), group='service_user')
    conf.set_override('token', 'service-token', group='service_user')
    conf.set_override('endpoint', 'http://unused', group='service_user')
    for name, value in values.items():
        conf.set_override(name, value, group='service_user')
    return driver


@pytest.mark.contract('C-308')
def test_a_service_token_goes_along_when_configured(server: Server, make_driver: Any) -> None:
    with_service_user(make_driver(server.url)).show(Caller('t'), IMAGE_ID)
    with_service_user(make_driver(server.url), send_service_user_token=True).show(Caller('t'), IMAGE_ID)
    sent = [(token_of(r), r.headers.get('X-Service-Token')) for r in server.requests]
    assert sent == [('t', None), ('t', 'service-token')]


def test_the_service_user_stands_in_for_admins_without_a_token_only(server: Server, make_driver: Any) -> None:
    driver = with_service_user(make_driver(server.url))
    driver.show(Caller(None, is_admin=True), IMAGE_ID)
    driver.show(Caller(None), IMAGE_ID)
    assert [token_of(request) for request in server.requests] == ['service-token', None]


def test_a_context_that_wraps_its_own_service_token_is_left_alone(make_driver: Any) -> None:
    driver = with_service_user(make_driver('http://h'), send_service_user_token=True)
    own = service_token.ServiceTokenAuthWrapper(
        token_endpoint.Token(None, 'u'), token_endpoint.Token(None, 's')
    )
    caller = Caller('u', get_auth_plugin=lambda: own)
    from nova_image.settings import Settings

    assert session.auth_for(caller, Settings(driver.conf), driver.conf) is own


class Renewing(plugin.BaseAuthPlugin):
    """Gives another token after each invalidation."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 1

    def get_token(self, session: Any) -> str:
        return f't{self.number}'

    def invalidate(self) -> bool:
        self.number += 1
        return True


def refusing_the_first_token(request: Request) -> Answer:
    if request.method in ('GET', 'PUT') and token_of(request) == 't1':
        return Answer(401, b'expired', {'Content-Type': 'text/plain'})
    return Answer(204) if request.method == 'PUT' else as_json(an_image())


def test_a_credential_that_can_be_renewed_is_renewed_once(start_server: Any, make_driver: Any) -> None:
    server = start_server(refusing_the_first_token)
    caller = Caller(get_auth_plugin=Renewing)
    assert make_driver(server.url).show(caller, IMAGE_ID)['id'] == IMAGE_ID
    assert [token_of(request) for request in server.requests] == ['t1', 't2']


@pytest.mark.contract('C-059')
def test_an_upload_is_whole_after_a_renewal(start_server: Any, make_driver: Any) -> None:
    server = start_server(refusing_the_first_token)
    auth = Renewing()
    caller = Caller(get_auth_plugin=lambda: auth)
    make_driver(server.url).create(caller, {'name': 'x'}, b'hello')
    sent = [(token_of(r), r.body) for r in server.requests if r.method == 'PUT']
    assert sent == [('t1', b'hello'), ('t2', b'hello')]


def test_an_upload_that_cannot_be_put_back_is_not_sent_again_after_a_renewal(
    start_server: Any, make_driver: Any
) -> None:
    server = start_server(refusing_the_first_token)
    auth = Renewing()
    caller = Caller(get_auth_plugin=lambda: auth)
    with pytest.raises(errors.Forbidden):
        make_driver(server.url).create(caller, {'name': 'x'}, iter([b'hello']))
    assert [r.body for r in server.requests if r.method == 'PUT'] == [b'hello']


def test_threads_never_swap_credentials_or_answers(start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: as_json(an_image(id=request.path[-4:], name=token_of(request))))
    driver = make_driver(server.url)

    def one(number: int) -> tuple[str, str]:
        record = driver.show(Caller(f'token-{number:04}'), f'{number:04}')
        return record['id'], record['name']

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(one, range(300)))
    assert found == [(f'{number:04}', f'token-{number:04}') for number in range(300)]


def test_threads_make_one_session_between_them(make_driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session.close_all()
    made: list[int] = []
    real = session.limits.timed_session

    def slow() -> Any:
        made.append(1)
        threading.Event().wait(0.05)
        return real()

    monkeypatch.setattr(session.limits, 'timed_session', slow)
    from nova_image.settings import Settings

    settings = Settings(make_driver('http://h').conf)
    with ThreadPoolExecutor(8) as pool:
        found = set(map(id, pool.map(lambda _n: session.session_for(settings), range(8))))
    assert len(found) == len(made) == 1


def test_a_connection_is_used_again(server: Server, make_driver: Any) -> None:
    driver = make_driver(server.url)
    for _ in range(5):
        driver.show(Caller(), IMAGE_ID)
    assert len({request.port for request in server.requests}) == 1


@pytest.mark.filterwarnings('ignore:.*multi-threaded, use of fork:DeprecationWarning')
def test_a_child_never_uses_its_parents_connections(server: Server, make_driver: Any) -> None:
    driver = make_driver(server.url)
    driver.show(Caller('parent'), IMAGE_ID)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            driver.show(Caller('child'), IMAGE_ID)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    driver.show(Caller('parent'), IMAGE_ID)
    ports = {who: {r.port for r in server.requests if token_of(r) == who} for who in ('parent', 'child')}
    assert len(ports['parent']) == len(ports['child']) == 1
    assert not ports['parent'] & ports['child']


@pytest.mark.filterwarnings('ignore:.*multi-threaded, use of fork:DeprecationWarning')
def test_a_lock_held_in_the_parent_does_not_stop_a_child(server: Server, make_driver: Any) -> None:
    driver = make_driver(server.url, cafile='/nowhere/another-session')
    with session._mine().lock:
        child = os.fork()
        if child == 0:
            import signal

            signal.alarm(5)
            code = 1
            try:
                driver.show(Caller(), IMAGE_ID)
                code = 0
            finally:
                os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_nothing_of_the_users_home_or_of_other_callers_is_sent(
    start_server: Any, make_driver: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password secret\n')
    netrc.chmod(0o600)
    monkeypatch.setenv('NETRC', str(netrc))
    server = start_server(lambda request: as_json(an_image(), **{'Set-Cookie': 'who=one; Path=/'}))
    driver = make_driver(server.url)
    driver.show(Caller('one'), IMAGE_ID)
    driver.show(Caller('two'), IMAGE_ID)
    for request in server.requests:
        assert 'Authorization' not in request.headers
        assert 'Cookie' not in request.headers


def test_no_secret_is_logged_at_any_level(
    start_server: Any, make_driver: Any, caplog: pytest.LogCaptureFixture, sleeps: list[float]
) -> None:
    caplog.set_level(logging.DEBUG)
    location = 'swift+https://user:store-password@h/c/o'
    image = an_image(direct_url=location, locations=[{'url': location, 'metadata': {}}])
    server = start_server(lambda request: as_json(image))
    driver = make_driver(server.url)
    driver.show(Caller('secret-token', get_auth_plugin=lambda: service_token.ServiceTokenAuthWrapper(
        token_endpoint.Token(None, 'secret-token'), token_endpoint.Token(None, 'secret-service'))), IMAGE_ID,
        include_locations=True)  # fmt: skip
    server.answer = lambda request: Answer(503, f'{location} {token_of(request)}'.encode())
    with pytest.raises(errors.GlanceConnectionFailed) as caught:
        driver.show(Caller('secret-token'), IMAGE_ID)
    assert server.requests[0].headers['X-Service-Token'] == 'secret-service'
    for text in (caplog.text, str(caught.value)):
        assert 'secret-' not in text
        assert 'store-password' not in text


def test_certificates_are_verified_unless_told_otherwise(make_driver: Any) -> None:
    from nova_image.settings import Settings

    def made(**values: Any) -> Any:
        return session.session_for(Settings(make_driver('https://h', **values).conf))

    assert made().verify is True
    assert made(cafile='/ca').verify == '/ca'
    assert made(insecure=True, cafile='/ca').verify is False
    assert made(certfile='/c', keyfile='/k').cert == ('/c', '/k')
