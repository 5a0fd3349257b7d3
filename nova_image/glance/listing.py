# SPDX-License-Identifier: Apache-2.0
"""All pages of a list: the next one is fetched while this one is translated (C-072 to C-076, c.1).

Knows v2's query parameters and ``next`` links; one page is one request.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from nova_image import errors, images
from nova_image.glance.wire import JSON, Wire
from nova_image.images import ListQuery


@dataclass(frozen=True)
class Asked:
    """The arguments of one list; falsy ones are as good as none."""

    query: ListQuery
    marker: Any
    limit: int | None
    page_size: int
    sort_key: Any
    sort_dir: Any

    def path(self) -> str:
        """The first page's address."""
        size = min(self.page_size, self.limit) if self.limit and not self.query.drop_public else self.page_size
        params = [('limit', str(size))]
        if self.marker and isinstance(self.marker, str):
            params.append(('marker', self.marker))
        for name, value in (('sort_key', self.sort_key), ('sort_dir', self.sort_dir)):
            if value:
                several = value if isinstance(value, (list, tuple)) else (value,)
                params.extend((name, str(one)) for one in several)
        return '/v2/images?' + urlencode([*params, *self.query.params])


def records(wire: Wire, asked: Asked) -> list[dict[str, Any]]:
    """The records of all pages, at most ``limit`` of them."""
    found: list[dict[str, Any]] = []
    wanted = asked.limit or None
    drop_public = asked.query.drop_public
    make = images.record_from_wire
    with _Pages(wire, asked.path()) as pages:
        for page in pages:
            have = len(found) + (0 if drop_public else len(page.images))
            if page.next and (wanted is None or have < wanted):
                pages.prefetch(page.next)
            found += [make(each) for each in page.images if not drop_public or each.get('visibility') != 'public']
            if wanted is not None and len(found) >= wanted:
                return found[:wanted]
    return found


@dataclass(frozen=True)
class _Page:
    images: list[JSON]
    next: str | None


class _Pages:
    """Pages in order, at most one of them fetched ahead, in a thread that ends with it."""

    def __init__(self, wire: Wire, path: str) -> None:
        self._wire = wire
        self._path: str | None = path
        self._ahead: _Ahead | None = None
        self._asked: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        if self._ahead is not None:
            self._ahead.join()

    def __iter__(self) -> Iterator[_Page]:
        while self._path is not None or self._ahead is not None:
            if self._ahead is not None:
                ahead, self._ahead = self._ahead, None
                page = ahead.result()
            else:
                assert self._path is not None
                page = self._fetch(self._path)
            self._path = page.next
            yield page

    def prefetch(self, path: str) -> None:
        self._path = None
        self._ahead = _Ahead(self._fetch, path)

    def _fetch(self, path: str) -> _Page:
        if path in self._asked:  # Glance, where images without a value for the sort key fill a page
            raise errors.ImageServiceError(
                status='a list',
                reason=f'it leads to the page {path} a second time, expected each page once; the listing would never '
                'end. Sort by another key, or ask for larger pages',
            )
        self._asked.add(path)
        answer = self._wire.get(path, 'list')
        listed = answer.get('images')
        if not isinstance(listed, list):
            raise errors.ImageServiceError(
                status='a list', reason=f'"images" is {type(listed).__name__}, expected a list'
            )
        return _Page(listed, _next_path(answer.get('next'), path))


def _next_path(link: Any, path: str) -> str | None:
    """The server's own link to the next page, kept on the server that was asked (D-7).

    Glance's link has only the last of several parameters of one name (sort keys and directions, tags), so
    these are taken from ``path``, the address of the page before.
    """
    query = urlsplit(str(link)).query if link else ''
    if not query:
        return None
    ours = parse_qsl(urlsplit(path).query, keep_blank_values=True)
    names = [name for name, _ in ours]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        theirs = parse_qsl(query, keep_blank_values=True)
        kept = [pair for pair in theirs if pair[0] not in repeated]
        query = urlencode([*kept, *(pair for pair in ours if pair[0] in repeated)])
    return f'/v2/images?{query}'


class _Ahead(threading.Thread):
    """One call in a thread of its own, in the caller's context variables."""

    def __init__(self, call: Any, argument: str) -> None:
        super().__init__(name='nova-image-next-page', daemon=True)
        self._run_in = contextvars.copy_context()
        self._call = call
        self._argument = argument
        self._page: _Page | None = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._page = self._run_in.run(self._call, self._argument)
        except BaseException as exc:  # noqa: BLE001 - raised again by result(), in the thread that asked
            self._error = exc

    def result(self) -> _Page:
        self.join()
        if self._error is not None:
            raise self._error
        assert self._page is not None
        return self._page
