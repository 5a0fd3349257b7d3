# SPDX-License-Identifier: Apache-2.0
"""The rows of the fault table: what goes wrong, which call meets it, and what the peers are known to make of it.

``peers`` is what a study of the peers measured; a row counts only while one of them still does that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nova_image.testing import faults
from nova_image.testing.disturbance import Disturbance
from nova_image.testing.faults import Fault
from nova_image.testing.faulty import FaultyGlance

MIB = 1024 * 1024
Armed = Callable[[FaultyGlance, FaultyGlance], list[Fault]]


@dataclasses.dataclass(frozen=True)
class Row:
    """One fault and the call that meets it.

    :ivar peers: subject -> how its cell begins, or what stands in it; None: a row of our own
    :ivar options: options of ours for this row
    :ivar proxied: the fault is this disturbance, on the way to a real Glance
    """

    what: str
    name: str
    armed: Armed | None = None
    peers: Mapping[str, str] | None = None
    args: tuple[Any, ...] = ()
    refreshing: bool = False
    hashes: tuple[str, ...] = ('sha512', 'md5')
    page_size: int = 1000
    target: str = 'image'
    file_limit: int = 0
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    proxied: Disturbance | None = None


def always(*armed: Fault) -> Armed:
    return lambda glance, stranger: list(armed)


def both(cell: str, client: str = '') -> dict[str, str]:
    """What Nova 34 shows, and glanceclient if that is something else."""
    return {'nova 34': cell, 'glanceclient': client or cell}


def uploads() -> Iterator[Row]:
    """Table 3.1."""
    put = 'PUT file'
    for kind in ('file', 'pipe'):
        rows: list[tuple[str, Fault, bool, dict[str, str] | None]] = [
            ('reset after 2 MiB', faults.reset(put, at=2 * MIB), False, both('SILENT', 'E')),
            ('503 after 2 MiB', faults.status(put, 503, at=2 * MIB), False, both('SILENT', 'E')),
            ('503 after the whole body', faults.status(put, 503), False, both('SILENT', 'E')),
            ('401 after the whole body', faults.status(put, 401), False, both('E')),
            ('401 after the whole body, refreshing plug-in', faults.status(put, 401), True, both('SILENT')),
            ('401 early, refreshing plug-in', faults.status(put, 401, at=MIB), True, both('SILENT')),
            ('stored short', faults.short(put, at=MIB), False, None),
            ('stored with another byte', faults.corrupt(put, at=MIB), False, None),
            ('never answered', faults.stall(put), False, None),
        ]
        for what, fault, refreshing, peers in rows:
            yield Row(f'upload of a {kind}: {what}', 'create', always(fault), peers, (kind,), refreshing)
        yield Row(
            f'upload of a {kind}: 307', 'create',
            lambda glance, stranger: [faults.redirect(put, glance.url + '{path}', 307)], both('SILENT'), (kind,),
        )  # fmt: skip
    yield Row('upload of a generator: no fault', 'create', always(), both('E AttributeError'), ('generator',))
    once = always(faults.reset('POST images'))
    yield Row('POST /images reset once', 'create', once, both('OK, POST 2x', 'E'), ('file',))
    lost = always(faults.lost('POST images'))
    yield Row('POST /images done, its answer lost', 'create', lost, None, ('file',))
    yield Row('POST /images done, two answers lost', 'create', always(faults.lost('POST images', times=2)), None, ('file',))


_GET = 'GET file'
_STATUS = [
    ('500 each time', [faults.status(_GET, 500, body=b'oops', times=0)]),
    ('404', [faults.status(_GET, 404, body=b'oops', times=0)]),
]


def downloads() -> Iterator[Row]:
    """Table 3.2."""
    rows: list[tuple[str, list[Fault], dict[str, str] | None]] = [
        ('cut, Content-Length honest', [faults.cut(_GET, at=MIB)], both('e')),
        ('reset', [faults.reset(_GET, at=MIB)], both('e')),
        ('chunked, no terminator', [faults.unterminated(_GET, at=MIB)], both('e')),
        ('ended short by closing', [faults.short(_GET, at=MIB)], both('e')),
        ('cut each time', [faults.cut(_GET, at=1000, times=0)], None),
        ('one byte flipped once', [faults.corrupt(_GET, at=MIB)], both('e')),
        ('one byte flipped each time', [faults.corrupt(_GET, at=MIB, times=0)], both('e')),
        ('503 once', [faults.status(_GET, 503)], both('OK', 'E')),
        *((what, armed, both('E')) for what, armed in _STATUS),
        ('204', [faults.status(_GET, 204, body=b'', times=0)], both('E ImageUnacceptable', 'TypeError')),
        (
            'odd content type',
            [faults.answers_with(_GET, {'Content-Type': 'application/octet-stream; x=y'}, times=0)],
            both('TypeError'),
        ),
        ('never answers', [faults.stall(_GET, times=0)], both('HANG')),
        ('stall', [faults.stall(_GET, at=MIB, times=0)], both('HANG')),
        ('drip, 1 byte / 2 s', [faults.drip(_GET, at=MIB, seconds=2, times=0)], both('HANG')),
        ('401 once', [faults.status(_GET, 401)], both('E')),
    ]
    for what, armed, peers in rows:
        yield Row(f'download: {what}', 'download', always(*armed), peers)
    yield Row('download: 401 once, refreshing plug-in', 'download', always(faults.status(_GET, 401)), both('OK'),
              refreshing=True)  # fmt: skip
    yield Row('download: md5 only, one byte flipped', 'download', always(faults.corrupt(_GET, at=MIB, times=0)),
              both('e'), hashes=('md5',))  # fmt: skip
    for what, armed in [*rows_without_hashes(), *_STATUS]:
        peers = both('E' if (what, armed) in _STATUS else 'SILENT')
        yield Row(f'download, no hashes: {what}', 'download', always(*armed), peers, hashes=())
    yield Row('download, no hashes, [image] no_hash = refuse: one byte flipped', 'download',
              always(faults.corrupt(_GET, at=MIB)), both('SILENT'), hashes=(), options={'no_hash': 'refuse'})  # fmt: skip
    yield Row('download: the disk is full', 'download', always(), both('e'), file_limit=MIB)
    yield Row('download: no such directory', 'download', always(), both('E'), target='none/image')
    for code in (302, 307):
        yield Row(
            f'download: {code} to another host', 'download',
            lambda glance, stranger, code=code: [faults.redirect(_GET, f'{stranger.url}/x', code, times=0)],
            both('TOKEN'),
        )  # fmt: skip


def rows_without_hashes() -> list[tuple[str, list[Fault]]]:
    return [
        ('ended short by closing', [faults.short(_GET, at=MIB)]),
        ('one byte flipped', [faults.corrupt(_GET, at=MIB, times=0)]),
    ]


def metadata() -> Iterator[Row]:
    """Table 3.3."""
    image = ('<image>',)
    for what, fault, peers in (
        ('503 once', faults.status('GET image', 503), both('OK', 'E')),
        ('500 once', faults.status('GET image', 500), both('E')),
        ('429 once', faults.status('GET image', 429), both('E')),
        ('reset once', faults.reset('GET image'), None),
        ('never answers', faults.stall('GET image', times=0), None),
    ):
        yield Row(f'get: {what}', 'get', always(fault), peers, image)
    for status, peers in ((503, both('OK', 'E')), (401, both('E'))):
        second = always(faults.status('GET images', status, after=1))
        yield Row(f'list: {status} on page 2', 'list', second, peers, page_size=1)
    yield Row('get of the id ".."', 'get', always(), both('GET /v2/ sent'), ('..',))
    done = always(faults.status('*', 204, body=b''))
    yield Row('delete of the id ".."', 'delete', done, both('SILENT'), ('..',))
    users = ('../../v3/users',)
    yield Row('get of the id "../../v3/users"', 'get', always(), both('E', 'GET /v3/users sent'), users)
    yield Row('delete of the id "../../v3/users"', 'delete', done, both('E', 'DELETE /v3/users sent'), users)
    yield Row('get of the id "a?b"', 'get', always(), both('GET /v2/images/a?b sent'), ('a?b',))
    yield Row('get of the id "a#b"', 'get', always(), both('GET /v2/images/a sent'), ('a#b',))
    for what, odd in (('CR LF', 'a\r\nb'), ('a space', 'a b'), ('non-ASCII', 'ä')):
        yield Row(f'get of an id with {what}', 'get', always(), both('E'), (odd,))
    for name in ('get', 'download', 'delete'):
        yield Row(f'{name} of an href elsewhere', name, always(), {'nova 34': 'TOKEN'}, ('<elsewhere>',))


def real() -> Iterator[Row]:
    """Section 4: a real Glance, 24 MiB, the first PUT disturbed at 8 MiB."""
    for kind in ('file', 'pipe'):
        for what, disturbance in (
            ('cut both ways', Disturbance('cut', 'up', 8 * MIB, b'PUT ')),
            ('503, Glance saw part', Disturbance('answer', 'up', 8 * MIB, b'PUT ')),
            ('503, Glance saw nothing', Disturbance('answer', 'up', 0, b'PUT ')),
        ):
            yield Row(f'real Glance, upload of a {kind}: {what}', 'create', None, both('SILENT', 'E'), (kind,),
                      proxied=disturbance)  # fmt: skip


def every_row() -> list[Row]:
    return [*uploads(), *downloads(), *metadata(), *real()]
