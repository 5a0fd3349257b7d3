# SPDX-License-Identifier: Apache-2.0
"""Whether, when and where to ask again (C-048 to C-052).

Connection failures and 503 are repeated as ever; 408 and 429 for reads, and else when the server says how
long to wait; 500, 502 and 504 for reads only. Pauses grow (:mod:`nova_image.pauses`), follow Retry-After, and
never go past the deadline (D-10). Knows errors and servers, not what is asked.
"""

from __future__ import annotations

import datetime
import email.utils
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import keystoneauth1.exceptions as ksa
import requests.exceptions
import urllib3.exceptions
from glanceclient import exc as glance

from nova_image import errors, pauses
from nova_image.glance.servers import HEALTH, Choice

LOG = logging.getLogger(__name__)

T = TypeVar('T')

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
#: A certificate that is wrong now is wrong in a second, too; another server may have a better one.
_UNTRUSTED = (ksa.SSLError, requests.exceptions.SSLError)
#: Answers to a read that are worth another try.
_READ_STATUSES = frozenset((500, 502, 504))
#: Answers that say nothing was done: repeated for reads, and for anything after their Retry-After.
_AFTER_STATUSES = frozenset((408, 429))


def persistently(
    ask: Callable[[str], T],
    name: str,
    choice: Choice,
    retries: int,
    *,
    reading: bool,
    deadline: float,
    longest_pause: float,
    again: Callable[[BaseException], None] | None = None,
) -> T:
    """``ask(server)`` until it answers, at most ``1 + retries`` times.

    :param name: the old client's name of what is asked, for the log (C-051)
    :param deadline: a :func:`time.monotonic` value; no pause goes past it
    :param longest_pause: a longer Retry-After of 408 or 429 is the caller's to wait for
    :param again: called before another try; raises when there must be none
    :raises GlanceConnectionFailed: no server answered
    """
    attempts = 1 + max(0, retries)
    for attempt in range(1, attempts + 1):
        server = choice.server()
        try:
            answer = ask(server)
        except Exception as exc:
            untrusted = isinstance(exc, _UNTRUSTED)
            if untrusted:
                choice.failed(server)
            hopeless = untrusted and (attempt == attempts or not choice.has_healthy())
            if hopeless or (again is None and _is_of_this_host(exc)):
                failed = errors.joined(errors.GlanceConnectionFailed, type(exc))
                raise failed(server=server, reason=str(exc)) from exc
            pause = 0.0 if untrusted else _pause(exc, reading, attempt + 1, longest_pause)
            if pause is None:
                raise
            late = ''
            if attempt < attempts:
                late = _too_late(pause, deadline, longest_pause)
            more = attempt < attempts and not late
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
                if late:
                    exc.details = f'{getattr(exc, "details", None) or exc}{late}'  # type: ignore[attr-defined]
                raise
            raise errors.GlanceConnectionFailed(server=server, reason=f'{exc}{late}') from exc
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


def _pause(exc: BaseException, reading: bool, attempt: int, longest: float) -> float | None:
    """Seconds before another try; None: there is no point in one."""
    usual = pauses.before(attempt, longest)
    if isinstance(exc, _NO_ANSWER):
        return usual
    status = _status(exc)
    after = _retry_after(exc)
    if status == 503 or isinstance(exc, glance.ServiceUnavailable):
        return max(usual, min(after or 0, longest))
    if status in _AFTER_STATUSES and after is not None:
        return max(usual, after)
    return usual if reading and status in _READ_STATUSES | _AFTER_STATUSES else None


def _too_late(pause: float, deadline: float, longest: float) -> str:
    """Why a pause is not taken, for the error; empty: it is."""
    if pause > longest:
        return f'; the server asks to wait for {pause:.0f} s, longer than [image] longest_pause ({longest:g} s)'
    if time.monotonic() + pause >= deadline:
        return f'; another attempt, {pause:.0f} s later, would come after the end of [image] metadata_timeout'
    return ''


def _retry_after(exc: Any) -> float | None:
    """Seconds from now that the server asks for, as a number or as a date."""
    text = str(getattr(exc, 'retry_after', None) or '').strip()
    if text.isdecimal():
        return float(text)  # of a number without end: infinity, where an int would raise
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.UTC)
    return max(0.0, (when - datetime.datetime.now(datetime.UTC)).total_seconds())


def is_lost(exc: BaseException) -> bool:
    """Whether a request may have been done although no answer came: it was sent, or it cannot be told."""
    seen: list[BaseException] = []
    causes: list[Any] = [exc]
    while causes:
        cause = causes.pop()
        if not isinstance(cause, BaseException) or any(cause is each for each in seen):
            continue
        if isinstance(cause, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)):
            return False
        seen.append(cause)
        causes += [cause.__cause__, cause.__context__, getattr(cause, 'reason', None), *cause.args]
    return isinstance(exc, _NO_ANSWER)
