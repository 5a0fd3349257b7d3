# SPDX-License-Identifier: Apache-2.0
"""How often, where and with what words a request is repeated."""

from __future__ import annotations

import datetime
import email.utils
import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from glanceclient import exc as glance
from scripted_server import IMAGE_ID, Answer, Caller, Request, Server, an_image, as_json

from nova_image import errors, pauses
from nova_image.testing import faults
from nova_image.testing.faulty import FaultyGlance

CTX = Caller()


def failing(times: int, status: int = 503, **headers: str) -> Callable[[Request], Answer]:
    left = [times]

    def answer(request: Request) -> Answer:
        if left[0]:
            left[0] -= 1
            return Answer(status, b'', {'Content-Type': 'text/plain', **headers})
        return as_json(an_image(), 201 if request.method == 'POST' else 200)

    return answer


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def assert_growing(sleeps: list[float]) -> None:
    """One second, then each time up to twice as long as the time before."""
    assert sleeps[0] == 1
    assert all(1 <= pause <= 2**number for number, pause in enumerate(sleeps))


@pytest.mark.contract('C-048', 'C-049', 'C-051')
def test_503_is_repeated_after_a_second_with_an_error_in_the_log(
    start_server: Any, make_driver: Any, sleeps: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server(failing(2))
    assert make_driver(server.url).show(CTX, IMAGE_ID)['id'] == IMAGE_ID
    assert_growing(sleeps)
    line = f"Error contacting glance server '{server.url}' for 'get', retrying."
    assert messages(caplog) == [line, line]
    assert all(record.exc_info for record in caplog.records if record.levelno == logging.ERROR)


@pytest.mark.contract('C-049', 'C-050', 'C-051', 'C-298')
def test_after_the_last_attempt_the_connection_has_failed(
    dead_url: str, make_driver: Any, sleeps: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(errors.GlanceConnectionFailed) as caught:
        make_driver(dead_url, num_retries=2).delete(CTX, IMAGE_ID)
    assert caught.value.kwargs['server'] == dead_url
    assert caught.value.kwargs['reason']
    assert isinstance(caught.value.__cause__, glance.CommunicationError)
    assert_growing(sleeps)
    assert messages(caplog)[-1] == f"Error contacting glance server '{dead_url}' for 'delete', done trying."


@pytest.mark.parametrize(
    ('method', 'name'), [('GET', 'list'), ('POST', 'create'), ('PUT', 'upload'), ('PATCH', 'update')]
)
def test_each_request_goes_by_its_old_name_in_the_log(
    method: str, name: str, start_server: Any, make_driver: Any, sleeps: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def answer(request: Request) -> Answer:
        return Answer(503) if request.method == method else as_json(an_image())

    driver = make_driver(start_server(answer).url, num_retries=0)
    with pytest.raises(errors.GlanceConnectionFailed):
        if name == 'list':
            driver.list(CTX)
        elif name == 'update':
            driver.update(CTX, IMAGE_ID, {'name': 'x'})
        else:
            driver.create(CTX, {'name': 'x'}, b'hello')
    assert any(f"for '{name}', done trying" in line for line in messages(caplog))


@pytest.mark.parametrize('status', [500, 502, 504])
def test_server_errors_are_repeated_for_reads_only(
    status: int, start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    server = start_server(failing(1, status))
    driver = make_driver(server.url)
    assert driver.show(CTX, IMAGE_ID)['id'] == IMAGE_ID
    server.answer = failing(1, status)
    with pytest.raises(errors.ImageServiceError):
        driver.delete(CTX, IMAGE_ID)
    assert [request.method for request in server.requests] == ['GET', 'GET', 'DELETE']


def test_a_read_that_always_fails_with_500_says_500(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    with pytest.raises(glance.HTTPInternalServerError) as caught:
        make_driver(start_server(failing(9, 500)).url).show(CTX, IMAGE_ID)
    assert isinstance(caught.value, errors.ImageServiceError)


@pytest.mark.parametrize('status', [429, 408])
def test_too_many_requests_waits_as_long_as_it_says(
    status: int, start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    server = start_server(failing(1, status, **{'Retry-After': '7'}))
    make_driver(server.url).delete(CTX, IMAGE_ID)
    assert sleeps == [7]


def test_a_date_in_retry_after_is_waited_for(start_server: Any, make_driver: Any, sleeps: list[float]) -> None:
    when = email.utils.format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=9), usegmt=True)
    make_driver(start_server(failing(1, 429, **{'Retry-After': when})).url).delete(CTX, IMAGE_ID)
    assert 7 < sleeps[0] <= 9
    past = 'Wed, 21 Oct 2015 07:28:00 GMT'
    make_driver(start_server(failing(1, 503, **{'Retry-After': past})).url).delete(CTX, IMAGE_ID)
    assert sleeps[1:] == [1]


def test_a_wait_that_is_too_long_is_not_taken_and_the_error_says_so(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    server = start_server(failing(1, 429, **{'Retry-After': '90'}))
    with pytest.raises(errors.ImageServiceError, match=r'wait for 90 s, longer than \[image\] longest_pause \(60 s\)'):
        make_driver(server.url).delete(CTX, IMAGE_ID)
    server.answer = failing(1, 503, **{'Retry-After': '30'})
    with pytest.raises(errors.GlanceConnectionFailed, match=r'after the end of \[image\] metadata_timeout'):
        make_driver(server.url, metadata_timeout=20).delete(CTX, IMAGE_ID)
    assert sleeps == []


@pytest.mark.parametrize('digits', ['9' * 400, '9' * 5000, f'Mon, 01 Jan {"9" * 30} 00:00:00 GMT'])
def test_a_wait_beyond_all_numbers_ends_as_the_answer_it_came_with(
    digits: str, start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    server = start_server(failing(9, 429, **{'Retry-After': digits}))
    with pytest.raises(errors.ImageServiceError):
        make_driver(server.url).delete(CTX, IMAGE_ID)
    assert sleeps == []


def test_pauses_grow_up_to_the_longest_but_not_for_old_callers() -> None:
    assert [pauses.before(attempt, 60) for attempt in (1, 2)] == [1, 1]
    assert all(1 <= pauses.before(4, 60) <= 4 for _ in range(50))
    assert len({pauses.before(9, 60) for _ in range(50)}) > 40, 'callers do not come back together'
    assert max(pauses.before(5000, 60) for _ in range(50)) <= 60
    with pauses.steady():
        assert [pauses.before(attempt, 60) for attempt in (2, 3, 9)] == [1, 1, 1]
    assert pauses.before(2, 0.5) == 0.5


def test_too_many_requests_without_a_time_is_final_but_for_reads(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    make_driver(start_server(failing(1, 429)).url).show(CTX, IMAGE_ID)
    assert sleeps.pop() == 1
    server = start_server(failing(1, 429))
    with pytest.raises(errors.ImageServiceError):
        make_driver(server.url).delete(CTX, IMAGE_ID)
    assert sleeps == []


def test_retry_after_of_503_is_honoured_within_the_deadline(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    server = start_server(failing(1, 503, **{'Retry-After': '5'}))
    driver = make_driver(server.url)
    driver.show(CTX, IMAGE_ID)
    assert sleeps == [5]
    server.answer = failing(1, 503, **{'Retry-After': '50'})
    with pytest.raises(errors.GlanceConnectionFailed):
        make_driver(server.url, metadata_timeout=20).show(CTX, IMAGE_ID)
    assert sleeps == [5]


@pytest.mark.contract('C-045')
def test_a_dead_server_costs_once_then_the_living_are_asked_first(
    dead_url: str, server: Server, make_driver: Any, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('random.shuffle', lambda servers: None)
    driver = make_driver(dead_url, server.url)
    for _ in range(5):
        driver.show(CTX, IMAGE_ID)
    assert sleeps == [1]
    assert len(server.requests) == 5


@pytest.mark.contract('C-045')
def test_consecutive_calls_walk_the_list(start_server: Any, make_driver: Any) -> None:
    one, two = start_server(), start_server()
    driver = make_driver(one.url, two.url)
    for _ in range(6):
        driver.show(CTX, IMAGE_ID)
    assert len(one.requests) == len(two.requests) == 3


@pytest.mark.contract('C-059')
def test_an_upload_is_repeated_from_its_start(start_server: Any, make_driver: Any, sleeps: list[float]) -> None:
    state = {'first': True}

    def answer(request: Request) -> Answer:
        if request.method == 'PUT' and state.pop('first', None):
            return Answer(503)
        return Answer(204) if request.method == 'PUT' else as_json(an_image())

    server = start_server(answer)
    source = io.BytesIO(b'XXhello')
    source.seek(2)
    make_driver(server.url).create(CTX, {'name': 'x'}, source)
    assert [request.body for request in server.requests if request.method == 'PUT'] == [b'hello', b'hello']


@pytest.mark.contract('C-059', 'C-253')
def test_an_upload_that_cannot_be_put_back_is_not_repeated_and_leaves_no_image(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    server = start_server(lambda request: Answer(503) if request.method == 'PUT' else as_json(an_image()))
    with pytest.raises(errors.ImageUploadNotRepeatable) as caught:
        make_driver(server.url).create(CTX, {'name': 'x'}, iter([b'he', b'llo']))
    assert isinstance(caught.value, errors.GlanceConnectionFailed)
    assert [request.method for request in server.requests] == ['POST', 'PUT', 'DELETE']
    assert sleeps == []


def test_an_error_of_the_callers_own_data_is_not_taken_for_the_networks(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    def chunks() -> Any:
        yield b'he'
        raise OSError(5, 'the disk is broken')

    server = start_server(lambda request: as_json(an_image()))
    with pytest.raises(OSError, match='the disk is broken') as caught:
        make_driver(server.url).create(CTX, {'name': 'x'}, chunks())
    assert not isinstance(caught.value, errors.NovaException)
    assert 'DELETE' in [method for method, _path in server.calls]
    assert sleeps == []


def made_images(server: Any) -> list[Any]:
    return [json.loads(request.body) for request in server.requests if request.method == 'POST']


def test_a_create_whose_answer_was_lost_is_repeated_under_an_id_of_ours(make_driver: Any, sleeps: list[float]) -> None:
    with FaultyGlance() as glance:
        glance.inject(faults.lost('POST images', times=2))
        record = make_driver(glance.url).create(CTX, {'name': 'x', 'disk_format': 'raw', 'container_format': 'bare'}, b'hi')
        assert glance.count('POST images') == 3
        assert len(glance.store.records) == 2, 'the first, whose id nobody knows, and ours'
        assert glance.store.contents == {record['id']: b'hi'}


def test_a_create_that_was_refused_or_never_arrived_is_repeated_as_it_was(
    dead_url: str, start_server: Any, make_driver: Any, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('random.shuffle', lambda servers: None)
    server = start_server(failing(1))
    make_driver(dead_url, server.url).create(CTX, {'name': 'x'})
    assert made_images(server) == [{'name': 'x'}] * 2


def test_an_id_that_the_caller_chose_is_never_taken_for_ours(make_driver: Any, sleeps: list[float]) -> None:
    with FaultyGlance() as glance:
        taken = glance.store.add(b'of somebody')['id']
        glance.inject(faults.reset('POST images'))
        with pytest.raises(errors.ImageConflict):
            make_driver(glance.url).create(CTX, {'name': 'x', 'id': taken})
        assert glance.store.contents[taken] == b'of somebody'
