# SPDX-License-Identifier: Apache-2.0
"""The recorder and the tenants filter, on a WSGI application of three lines."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from nova_image.testing.recorder import CONTROL_PATH, LARGEST_BODY_KEPT, Recorder
from nova_image.testing.tenants_filter import TenantsFilter


class Echo:
    """Answers with the request's body, in two parts, and remembers the environments."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.seen.append(environ)
        start_response('201 Created', [('X-Echo', 'yes')])
        return self

    def __iter__(self) -> Any:
        yield self.seen[-1]['wsgi.input'].read()
        yield b'!'

    def close(self) -> None:
        self.closed += 1


def call(app: Any, method: str, target: str, body: bytes = b'', **headers: str) -> tuple[str, bytes]:
    path, _, query = target.partition('?')
    environ = {
        'REQUEST_METHOD': method, 'PATH_INFO': path, 'QUERY_STRING': query, 'RAW_URI': target,
        'CONTENT_LENGTH': str(len(body)), 'wsgi.input': io.BytesIO(body), **headers,
    }  # fmt: skip
    status: list[str] = []
    answer = app(environ, lambda line, headers: status.append(line))
    content = b''.join(answer)
    if hasattr(answer, 'close'):
        answer.close()
    return status[0], content


def control(app: Any, name: str, sent: object) -> Any:
    status, content = call(app, 'POST', f'{CONTROL_PATH}/{name}', json.dumps(sent).encode())
    assert status == '200 OK'
    return json.loads(content)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def recorder(echo: Echo) -> Recorder:
    return Recorder(echo)


def test_requests_pass_untouched_while_nothing_is_recorded(recorder: Recorder, echo: Echo) -> None:
    assert call(recorder, 'PUT', '/v2/x', b'body') == ('201 Created', b'body!')
    assert echo.closed == 1
    assert control(recorder, 'exchanges', None) == []


def test_an_exchange_is_written_down_with_both_bodies(recorder: Recorder, echo: Echo) -> None:
    control(recorder, 'record', True)
    assert call(recorder, 'PUT', '/v2/a%2Fb?x=1&x=2', b'body', HTTP_X_AUTH_TOKEN='t')[1] == b'body!'
    (exchange,) = control(recorder, 'exchanges', None)
    assert (exchange['method'], exchange['path'], exchange['query_string']) == ('PUT', '/v2/a%2Fb', 'x=1&x=2')
    assert exchange['headers']['X-Auth-Token'] == 't'
    assert base64.b64decode(exchange['body']['base64']) == b'body'
    assert exchange['injected'] is False
    assert (exchange['response']['status'], exchange['response']['reason']) == (201, 'Created')
    assert exchange['response']['headers'] == [['X-Echo', 'yes']]
    assert base64.b64decode(exchange['response']['body']['base64']) == b'body!'
    assert echo.closed == 1


def test_a_large_body_is_kept_as_size_and_digest(recorder: Recorder) -> None:
    control(recorder, 'record', True)
    body = b'x' * (LARGEST_BODY_KEPT + 1)
    assert call(recorder, 'PUT', '/v2/x', body)[1] == body + b'!'
    (exchange,) = control(recorder, 'exchanges', 'clear')
    assert exchange['body']['digest']['size'] == len(body)
    assert control(recorder, 'exchanges', None) == []


def test_a_fault_answers_the_next_matching_request_once(recorder: Recorder, echo: Echo) -> None:
    control(recorder, 'record', True)
    fault = {'method': 'GET', 'contains': '/file', 'status': '503 Busy', 'body': 'later', 'type': 'text/plain'}
    control(recorder, 'faults', [fault])
    assert call(recorder, 'GET', '/v2/images')[0] == '201 Created'
    assert call(recorder, 'PUT', '/v2/file')[0] == '201 Created'
    assert call(recorder, 'GET', '/v2/x/file') == ('503 Busy', b'later')
    assert call(recorder, 'GET', '/v2/x/file')[0] == '201 Created'
    assert [e['injected'] for e in control(recorder, 'exchanges', None)] == [False, False, True, False]
    assert len(echo.seen) == 3


def test_a_fault_may_answer_several_times_and_be_withdrawn(recorder: Recorder) -> None:
    control(recorder, 'faults', [{'status': '500 A', 'times': 2}, {'status': '500 B', 'times': -1}])
    statuses = [call(recorder, 'GET', '/')[0] for _ in range(4)]
    assert statuses == ['500 A', '500 A', '500 B', '500 B']
    control(recorder, 'faults', [])
    assert call(recorder, 'GET', '/')[0] == '201 Created'


def test_an_unknown_control_is_refused(recorder: Recorder) -> None:
    assert call(recorder, 'POST', f'{CONTROL_PATH}/nothing')[0] == '404 Not Found'


def test_the_filter_replaces_identity_headers_by_those_of_the_token(echo: Echo) -> None:
    app = TenantsFilter(echo)
    call(app, 'GET', '/', HTTP_X_AUTH_TOKEN='tok-bob', HTTP_X_ROLES='admin', HTTP_X_USER_ID='me')
    environ = echo.seen[-1]
    assert (environ['HTTP_X_USER_ID'], environ['HTTP_X_PROJECT_ID']) == ('bob', 'project-b')
    assert (environ['HTTP_X_ROLES'], environ['HTTP_X_IDENTITY_STATUS']) == ('member,reader', 'Confirmed')


@pytest.mark.parametrize('token', ['', 'unknown'])
def test_the_filter_takes_identity_headers_away_without_a_known_token(echo: Echo, token: str) -> None:
    call(TenantsFilter(echo), 'GET', '/', HTTP_X_AUTH_TOKEN=token, HTTP_X_ROLES='admin', HTTP_X_USER_ID='me')
    assert not {'HTTP_X_ROLES', 'HTTP_X_USER_ID', 'HTTP_X_IDENTITY_STATUS'} & set(echo.seen[-1])
