# SPDX-License-Identifier: Apache-2.0
"""Lists: as many requests as pages, the next one on its way while this one is read."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from scripted_server import Answer, Caller, Request, an_image, as_json

from nova_image import errors, images
from nova_image.glance import listing

CTX = Caller()


class Catalogue:
    """``count`` images in pages as Glance makes them: a ``next`` link on every full page."""

    def __init__(self, count: int) -> None:
        self.images = [an_image(id=f'id-{number:05}') for number in range(count)]

    def __call__(self, request: Request) -> Answer:
        asked = parse_qs(urlsplit(request.path).query)
        limit = min(int(asked['limit'][0]), 1000)
        begin = 0
        if 'marker' in asked:
            begin = 1 + next((n for n, image in enumerate(self.images) if image['id'] == asked['marker'][0]), -1)
        page = self.images[begin : begin + limit]
        answer: dict[str, Any] = {'images': page, 'schema': '', 'first': '/v2/images'}
        if len(page) == limit:
            answer['next'] = f'/v2/images?marker={page[-1]["id"]}&limit={limit}'
        return as_json(answer)


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record['id'] for record in records]


@pytest.mark.contract('C-072', 'C-074')
@pytest.mark.parametrize(
    ('count', 'page_size', 'requests'), [(0, 10, 1), (9, 10, 1), (10, 10, 2), (25, 10, 3), (30, 10, 4), (5, 1, 6)]
)
def test_a_list_costs_one_request_a_page(
    count: int, page_size: int, requests: int, start_server: Any, make_driver: Any
) -> None:
    server = start_server(Catalogue(count))
    records = make_driver(server.url, page_size=page_size).list(CTX)
    assert isinstance(records, list)
    assert ids(records) == [f'id-{number:05}' for number in range(count)]
    assert len(server.requests) == requests


def test_pages_are_of_1000_by_default(start_server: Any, make_driver: Any) -> None:
    server = start_server(Catalogue(3))
    make_driver(server.url).list(CTX)
    assert server.calls == [('GET', '/v2/images?limit=1000')]


@pytest.mark.contract('C-074')
@pytest.mark.parametrize(('limit', 'requests'), [(3, 1), (10, 1), (11, 2), (20, 2), (99, 3)])
def test_a_limit_is_a_cap_over_all_pages(
    limit: int, requests: int, start_server: Any, make_driver: Any
) -> None:
    server = start_server(Catalogue(25))
    records = make_driver(server.url, page_size=10).list(CTX, limit=limit)
    assert len(records) == min(limit, 25)
    assert len(server.requests) == requests


@pytest.mark.contract('C-231')
def test_public_images_are_dropped_where_not_public_is_asked_for(start_server: Any, make_driver: Any) -> None:
    catalogue = Catalogue(25)
    for number, image in enumerate(catalogue.images):
        image['visibility'] = ('public', 'shared', 'private', 'community')[number % 4]
    driver = make_driver(start_server(catalogue).url, page_size=10)
    found = driver.list(CTX, filters={'is_public': False}, limit=12)
    assert len(found) == 12
    assert not any(record['is_public'] for record in found)


@pytest.mark.contract('C-225', 'C-226', 'C-228', 'C-061')
def test_arguments_become_query_parameters(start_server: Any, make_driver: Any) -> None:
    server = start_server(Catalogue(0))
    filters = {'property-os_type': 'linux & co', 'name': 'ä', 'tag': ['x', 'y'], 'changes-since': '2024-01-01'}
    before = dict(filters)
    make_driver(server.url).list(CTX, filters=filters, marker='m', sort_key=['name', 'id'], sort_dir='asc')
    assert filters == before
    query = parse_qsl(urlsplit(server.requests[0].path).query)
    assert query == [
        ('limit', '1000'), ('marker', 'm'), ('sort_key', 'name'), ('sort_key', 'id'), ('sort_dir', 'asc'),
        ('os_type', 'linux & co'), ('name', 'ä'), ('tag', 'x'), ('tag', 'y'), ('updated_at', 'gte:2024-01-01'),
    ]  # fmt: skip


@pytest.mark.contract('C-225')
def test_a_marker_that_is_no_text_is_ignored(start_server: Any, make_driver: Any) -> None:
    server = start_server(Catalogue(0))
    make_driver(server.url).list(CTX, marker=7)
    assert server.calls == [('GET', '/v2/images?limit=1000')]


def test_the_next_page_is_fetched_while_this_one_is_translated(
    start_server: Any, make_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    catalogue = Catalogue(15)

    def answer(request: Request) -> Answer:
        if 'marker' in request.path:
            asked.set()
        return catalogue(request)

    real = images.record_from_wire
    seen: list[bool] = []

    def translating(wire: Any) -> Any:
        if not seen:
            seen.append(asked.wait(5))
        return real(wire)

    monkeypatch.setattr(listing.images, 'record_from_wire', translating)
    assert len(make_driver(start_server(answer).url, page_size=10).list(CTX)) == 15
    assert seen == [True]


def test_no_thread_is_left_behind(start_server: Any, make_driver: Any) -> None:
    driver = make_driver(start_server(Catalogue(25)).url, page_size=10)
    driver.list(CTX)
    assert not [thread for thread in threading.enumerate() if thread.name == 'nova-image-next-page']


@pytest.mark.contract('C-077', 'C-236')
def test_a_page_that_fails_once_is_asked_for_again_alone(
    start_server: Any, make_driver: Any, sleeps: list[float]
) -> None:
    catalogue, left = Catalogue(25), [1]

    def answer(request: Request) -> Answer:
        if 'marker=id-00009' in request.path and left.pop() if left else False:
            return Answer(503)
        return catalogue(request)

    server = start_server(answer)
    assert len(make_driver(server.url, page_size=10).list(CTX)) == 25
    assert len(server.requests) == 4


def test_an_error_on_a_later_page_is_the_lists_error(start_server: Any, make_driver: Any) -> None:
    catalogue = Catalogue(25)
    server = start_server(lambda r: Answer(403, b'no') if 'marker' in r.path else catalogue(r))
    with pytest.raises(errors.Forbidden):
        make_driver(server.url, page_size=10).list(CTX)


def test_a_next_link_never_leads_to_another_server(start_server: Any, make_driver: Any) -> None:
    other = start_server(Catalogue(0))

    def answer(request: Request) -> Answer:
        if 'marker' in request.path:
            return as_json({'images': []})
        return as_json({'images': [an_image()], 'next': other.url + '/v2/images?marker=x&limit=1'})

    server = start_server(answer)
    assert len(make_driver(server.url).list(CTX)) == 1
    assert not other.requests
    assert server.calls[-1] == ('GET', '/v2/images?marker=x&limit=1')


def test_a_server_that_leads_back_to_a_page_does_not_make_a_list_endless(start_server: Any, make_driver: Any) -> None:
    """Glance 33 does, when the sort key has no value in the images of a whole page."""
    server = start_server(lambda request: as_json({'images': [an_image()], 'next': '/v2/images?marker=x&limit=1'}))
    with pytest.raises(errors.ImageServiceError, match='marker=x&limit=1 a second time'):
        make_driver(server.url, page_size=1).list(CTX, sort_key='size')
    assert len(server.calls) == 2


@pytest.mark.contract('C-074', 'C-225')
def test_what_was_asked_for_several_times_is_on_every_page(start_server: Any, make_driver: Any) -> None:
    """Glance's links have only the last of several sort keys, directions and tags."""
    server = start_server(Catalogue(5))
    order = {'sort_key': ['name', 'created_at'], 'sort_dir': ['asc', 'desc'], 'filters': {'tag': ['x', 'y z']}}
    assert len(make_driver(server.url, page_size=2).list(CTX, **order)) == 5
    assert len(server.calls) == 3
    for page, (_, path) in enumerate(server.calls):
        asked = parse_qs(urlsplit(path).query)
        assert asked.pop('marker', None) == (None if page == 0 else [f'id-{2 * page - 1:05}'])
        assert asked == {
            'limit': ['2'], 'sort_key': ['name', 'created_at'], 'sort_dir': ['asc', 'desc'], 'tag': ['x', 'y z'],
        }  # fmt: skip


@pytest.mark.parametrize('body', [b'[1]', b'{"images": 3}', b'{"images"', b'', b'<html>'])
def test_an_answer_that_is_no_list_is_one_clear_error(body: bytes, start_server: Any, make_driver: Any) -> None:
    server = start_server(lambda request: Answer(200, body, {'Content-Type': 'application/json'}))
    with pytest.raises(errors.ImageServiceError):
        make_driver(server.url).list(CTX)


def test_a_list_that_is_cut_is_asked_for_again(start_server: Any, make_driver: Any, sleeps: list[float]) -> None:
    catalogue, left = Catalogue(3), [1]

    def cut(handler: Any) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{')
        time.sleep(0.01)

    server = start_server(lambda request: Answer(raw=cut) if left and left.pop() else catalogue(request))
    assert len(make_driver(server.url).list(CTX)) == 3
    assert sleeps == [1]
