# SPDX-License-Identifier: Apache-2.0
"""Whether, when and where to ask again (C-048 to C-052).

Connection failures and 503 are repeated as ever; 408 and 429 when the server says how long to wait;
500, 502 and 504 for reads only. Knows errors and servers, not what is asked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import keystoneauth1.exceptions as ksa
import requests.exceptions
import urllib3.exceptions
from glanceclient import exc as glance

from nova_image import errors
from nova_image.glance.servers import HEALTH, Choice

LOG = logging.getLogger(__name__)

T = TypeVar('T')

PAUSE_S = 1
#: A longer Retry-After is the caller's to wait for.
LONGEST_PAUSE_S = 60

_NO_ANSWER = (
    glance.InvalidEndpoint,
    glance.CommunicationError,
    ksa.RetriableConnectionFailure,
    ksa.UnknownConnectionError,
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.Timeout,
    urllib3.exceptions.HTTPError,
)
#: A certificate that is wrong now is wrong in a second, too.
_UNTRUSTED = (ksa.SSLError, requests.exceptions.SSLError)
#: Answers to a read that are worth another try.
_READ_STATUSES = frozenset((500, 502, 504))
#: Answers that are repeated after their Retry-After.
_AFTER_STATUSES = frozenset((408, 429))


def persistently(
    ask: Callable[[str], T],
    name: str,
    choice: Choice,
    retries: int,
    *,
    reading: bool,
    deadline: float,
    again: Callable[[BaseException], None] | None = None,
) -> T:
    """``ask(server)`` until it answers, at most ``1 + retries`` times.

    :param name: the old client's name of what is asked, for the log (C-051)
    :param again: called before another try; raises when there must be none
    :raises GlanceConnectionFailed: no server answered
    """
    attempts = 1 + max(0, retries)
    for attempt in range(1, attempts + 1):
        server = choice.server()
        try:
            answer = ask(server)
        except Exception as exc:
            if isinstance(exc, _UNTRUSTED) or (again is None and _is_of_this_host(exc)):
                failed = errors.joined(errors.GlanceConnectionFailed, type(exc))
                raise failed(server=server, reason=str(exc)) from exc
            pause = _pause(exc, reading)
            if pause is None:
                raise
            more = attempt < attempts and time.monotonic() + pause < deadline
            refusal = _refusal(again, exc) if more and again is not None else None
            more = more and refusal is None
            LOG.exception(
                "Error contacting glance server '%(server)s' for '%(method)s', %(next)s.",
                {'server': server, 'method': name, 'next': 'retrying' if more else 'done trying'},
            )
            choice.failed(server)
            if more:
                time.sleep(pause)
                continue
            if refusal is not None:
                raise refusal from exc
            if _status(exc) not in (None, 503):
                raise
            raise errors.GlanceConnectionFailed(server=server, reason=str(exc)) from exc
        HEALTH.answered(server)
        return answer
    raise AssertionError('no attempt was made')


def _is_of_this_host(exc: BaseException) -> bool:
    """An error of this host's own, like a file of certificates that is not there (C-060)."""
    mine = isinstance(exc, OSError) and not isinstance(exc, errors.NovaException)
    return mine and not isinstance(exc, _NO_ANSWER)


def _refusal(again: Callable[[BaseException], None], exc: BaseException) -> errors.NovaException | None:
    try:
        again(exc)
    except errors.NovaException as refusal:
        return refusal
    return None


def _status(exc: BaseException) -> int | None:
    """The HTTP status behind an error of glanceclient."""
    status = getattr(exc, 'status', None)
    return status if isinstance(status, int) else None


def _pause(exc: BaseException, reading: bool) -> float | None:
    """Seconds before another try; None: there is no point in one."""
    if isinstance(exc, _NO_ANSWER):
        return PAUSE_S
    status = _status(exc)
    after = _retry_after(exc)
    if status == 503 or isinstance(exc, glance.ServiceUnavailable):
        return max(PAUSE_S, min(after or 0, LONGEST_PAUSE_S))
    if status in _AFTER_STATUSES and after is not None and after <= LONGEST_PAUSE_S:
        return max(PAUSE_S, after)
    return PAUSE_S if reading and status in _READ_STATUSES else None


def _retry_after(exc: Any) -> int | None:
    try:
        return int(exc.retry_after)
    except (AttributeError, TypeError, ValueError):
        return None  # absent, or a date: then the usual pause
