# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a connection, as plain data: one :class:`Fault` each, made by the functions below.

Understood by :class:`nova_image.testing.faulty.FaultyGlance`. ``on`` names the request it strikes:
``'GET images'`` (list), ``'POST images'``, ``'GET image'``, ``'PATCH image'``, ``'DELETE image'``,
``'PUT file'``, ``'GET file'``, or ``'*'``. ``times`` is how often it strikes, 0 = always.

``at`` is where. On requests that carry a body (PUT, POST, PATCH): after so many bytes of it were read.
On GET: after so many bytes of the answer's body were sent. None is the moment between the two: the whole
request was read and nothing answered yet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    'cut', 'reset', 'stall', 'pause', 'drip', 'status', 'corrupt', 'short', 'unterminated', 'headers', 'late', 'lost'
]


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault; use the functions of this module to make one."""

    kind: Kind
    on: str
    at: int | None = None
    times: int = 1
    after: int = 0
    status: int = 0
    headers: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    body: bytes = b''
    seconds: float = 0.0


def cut(on: str, at: int | None = None, times: int = 1, after: int = 0) -> Fault:
    """The connection is closed, Content-Length or chunking unfulfilled.

    :param after: requests of this kind that go well first; the same for the other functions
    """
    return Fault('cut', on, at, times, after)


def reset(on: str, at: int | None = None, times: int = 1, after: int = 0) -> Fault:
    """The connection is reset (RST)."""
    return Fault('reset', on, at, times, after)


def lost(on: str, times: int = 1, after: int = 0) -> Fault:
    """The request is done, and the connection is reset in place of the answer."""
    return Fault('lost', on, None, times, after)


def stall(on: str, at: int | None = None, seconds: float = 3600, times: int = 1, after: int = 0) -> Fault:
    """Nothing moves for ``seconds``, then the connection is cut. With ``at=None`` it never answers."""
    return Fault('stall', on, at, times, after, seconds=seconds)


def pause(on: str, at: int, seconds: float, times: int = 1, after: int = 0) -> Fault:
    """At ``at`` nothing moves for ``seconds``; then all goes well."""
    return Fault('pause', on, at, times, after, seconds=seconds)


def drip(on: str, at: int = 0, seconds: float = 1.0, times: int = 1, after: int = 0) -> Fault:
    """From ``at`` on, one byte each ``seconds`` (of a request: read, of an answer: sent)."""
    return Fault('drip', on, at, times, after, seconds=seconds)


def late(on: str, seconds: float, times: int = 1, after: int = 0) -> Fault:
    """The server takes ``seconds`` before it looks at the connection's request; then all goes well."""
    return Fault('late', on, None, times, after, seconds=seconds)


def status(
    on: str,
    code: int,
    at: int | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b'no',
    times: int = 1,
    after: int = 0,
) -> Fault:
    """That answer. Before the whole body was read (``at``) it is sent early and the rest read and dropped."""
    return Fault('status', on, at, times, after, status=code, headers=headers or {}, body=body)


def redirect(on: str, location: str, code: int = 302, times: int = 1, after: int = 0) -> Fault:
    """An answer that names another place; ``{path}`` in ``location`` is the path that was asked for."""
    return status(on, code, headers={'Location': location}, body=b'', times=times, after=after)


def corrupt(on: str, at: int = 0, times: int = 1, after: int = 0) -> Fault:
    """One byte of the body is another one; of a PUT, the byte that is stored."""
    return Fault('corrupt', on, at, times, after)


def short(on: str, at: int, times: int = 1, after: int = 0) -> Fault:
    """An answer that only the closing of the connection ends, ended at ``at``: it looks whole.

    Of a PUT: the server stores the first ``at`` bytes and reports success.
    """
    return Fault('short', on, at, times, after)


def unterminated(on: str, at: int, times: int = 1, after: int = 0) -> Fault:
    """A chunked answer that ends at ``at`` without its last chunk."""
    return Fault('unterminated', on, at, times, after)


def answers_with(
    on: str, headers: Mapping[str, str | None], times: int = 1, after: int = 0
) -> Fault:
    """The right answer under other headers (an odd Content-Type, say); None leaves a header out."""
    return Fault('headers', on, None, times, after, headers=headers)
