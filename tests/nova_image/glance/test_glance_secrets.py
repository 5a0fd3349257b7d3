# SPDX-License-Identifier: Apache-2.0
"""What is secret is sent where it belongs and stands nowhere else: no log at any level, no error, no recording."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import API, options
from nova_image.glance import session

TOKEN = 'gAAAAA-the-token-of-a-user'
SERVICE_TOKEN = 'gAAAAA-the-token-of-a-service'
PASSWORD = 'the-password-in-a-location'
SIGNATURE = 'the-signature-in-a-location'
SECRETS = (TOKEN, SERVICE_TOKEN, PASSWORD, SIGNATURE)
LOCATION = f'swift+https://account:{PASSWORD}@keystone.example/v3/images/1?temp_url_sig={SIGNATURE}'


class WithServiceToken(Caller):
    """A context whose plug-in adds the token of a service to each request."""

    def get_auth_plugin(self) -> Any:
        from keystoneauth1 import service_token, token_endpoint

        return service_token.ServiceTokenAuthWrapper(
            user_auth=token_endpoint.Token(None, TOKEN), service_auth=token_endpoint.Token(None, SERVICE_TOKEN)
        )


def talkative(status: int) -> Callable[[Request], Answer]:
    """A server that repeats in its errors, and in its records, whatever it was told."""

    def answer(request: Request) -> Answer:
        heard = ' '.join(request.headers.values()) + request.body.decode('latin-1') + ' ' + LOCATION
        if status >= 300 or (request.method == 'POST' and 'locations' in request.path):
            return Answer(max(status, 400), heard.encode(), {'Content-Type': 'text/plain'})
        if request.path.endswith('/file'):
            return Answer(204 if request.method == 'PUT' else 200, b'' if request.method == 'PUT' else b'hello')
        if request.path.startswith('/v2/images?'):
            return as_json({'images': [an_image(locations=[{'url': LOCATION, 'metadata': {}}])]})
        return as_json(an_image(locations=[{'url': LOCATION, 'metadata': {}}], direct_url=LOCATION))

    return answer


def _everything(api: Any, context: Any) -> Iterator[Callable[[], Any]]:
    info = {'name': 'x', 'disk_format': 'raw', 'container_format': 'bare'}
    yield lambda: api.get_all(context)
    yield lambda: api.get(context, IMAGE_ID, include_locations=True)
    yield lambda: api.create(context, info, b'hello')
    yield lambda: api.create(context, {**info, 'location': LOCATION})
    yield lambda: api.create(context, {**info, 'copy_from': LOCATION})
    yield lambda: api.update(context, IMAGE_ID, {'name': 'x'}, b'hello')
    yield lambda: api.download(context, IMAGE_ID, io.BytesIO())
    yield lambda: api.copy_image_to_store(context, IMAGE_ID, 'fast')
    yield lambda: api.delete(context, IMAGE_ID)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that was logged, by whomever, with tracebacks and arguments."""
    loggers = [logging.getLogger(name) for name in ('keystoneauth', 'keystoneauth.session', 'urllib3', 'glanceclient')]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)

    def text() -> str:
        return caplog.text + ' '.join(f'{each.getMessage()} {each.args}' for each in caplog.records)

    yield text
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


@pytest.mark.contract('C-324')
@pytest.mark.parametrize('status', [200, 300, 401, 409, 500, 503])
@pytest.mark.parametrize('old', [False, True], ids=['nova_image', 'legacy'])
def test_nothing_secret_is_in_a_log_an_error_or_a_recording(
    status: int, old: bool, start_server: Callable[..., Server], said: Callable[[], str], tmp_path: Path,
    sleeps: list[float], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from oslo_config import cfg

    server, conf, recording = start_server(talkative(status)), options.register(cfg.CONF), tmp_path / 'recording'
    given = {('glance', 'api_servers'): [server.url], ('glance', 'debug'): True, ('image', 'recording'): str(recording)}
    context = WithServiceToken(TOKEN)
    errors = []
    with contextlib.ExitStack() as stack:
        for (group, name), value in given.items():
            conf.set_override(name, value, group=group)
            stack.callback(conf.clear_override, name, group=group)
        stack.callback(session.close_all)
        if old:
            from legacy import glance

            monkeypatch.setenv('NOVA_IMAGE_LEGACY', 'silent')
            api: Any = glance.API()
        else:
            api = API()
        for call in _everything(api, context):
            try:
                call()
            except Exception as exc:  # noqa: BLE001 - whatever it is, it is looked through
                errors += [str(exc), repr(exc), repr(vars(exc)), *traceback.format_exception(exc)]
    sent = json.dumps([request.headers for request in server.requests])
    assert TOKEN in sent
    assert SERVICE_TOKEN in sent
    assert errors or status == 200
    for place, text in (('logs', said()), ('errors', ' '.join(errors)), ('recording', recording.read_text())):
        assert place != 'recording' or '"op"' in text
        for secret in SECRETS:
            assert secret not in text, f'{place}: ...{text[max(0, text.find(secret) - 300) : text.find(secret) + 60]}'
