# SPDX-License-Identifier: Apache-2.0
"""A call that was answered, and its comparison: the other driver is asked the same, and the answers set side by side.

Runs in the worker's thread. Says what came of it as a note for the book: ``same``, ``different``, or why it
could not be told.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nova_image.driver import ImageDriver
from nova_image.recorded import HIDDEN, Plain
from nova_image.shadow.compare import ABSENT, UNREACHABLE, Answer, differences, failure, success
from nova_image.shadow.delivered import Delivered, taken
from nova_image.shadow.tape import Gone, GoneChunks, Replay, Tape, sealed
from nova_image.shadow.worker import Book, Note

NO_ANSWER = 'no answer in time'
STREAM = '<stream>'
_LONGEST_VALUE = 500


@dataclass
class Call:
    """One call, its arguments copied, and what it came to.

    :ivar is_swapped: the candidate answered the caller, and the control is asked now
    :ivar result: gives what was returned, as it was then
    :ivar data: the body of a write, ``STREAM`` for one that can be read once only
    """

    op: str
    context: Any
    args: dict[str, Any]
    is_swapped: bool
    result: Callable[[], Any] = lambda: None
    error: Answer | None = None
    delivered: Delivered | None = None
    tape: Tape | None = None
    data: Any = None


class Comparison:
    """One comparison.

    :param answering: the driver that answered the caller
    :param other: gives the driver to ask now
    :param most_bytes: of a download
    """

    def __init__(
        self, call: Call, answering: ImageDriver, other: Callable[[], ImageDriver], most_bytes: int
    ) -> None:
        self._call = call
        self._answering = answering
        self._other = other
        self._most_bytes = most_bytes

    def __call__(self) -> Note:
        call = self._call
        try:
            other = self._other()
        except Exception as error:  # noqa: BLE001 - a candidate that cannot be made is no reason to fail
            return self._noted(type(error).__name__, 'unusable')
        if call.tape is not None:
            return self._compare_write(other, call.tape)
        if call.op == 'download':
            return self._compare_download(other)
        mine = call.error or success(call.result())
        return self._verdict(mine, self._ask(other, call.op, **call.args), self._has_changed)

    def given_up(self, book: Book) -> None:
        """What is noted when this takes longer than it may."""
        mine = self._call.error or success(None)
        self._mismatch(mine.branch, NO_ANSWER, {'error': (ABSENT, NO_ANSWER)})(book)

    # -- kinds

    def _compare_download(self, other: ImageDriver) -> Note:
        call, most = self._call, self._most_bytes
        mine = call.error
        if mine is None:
            got = call.delivered.plain() if call.delivered is not None else 'unreadable'
            if isinstance(got, str):
                return self._noted('success', got)
            mine, most = success(got), got['bytes']
        theirs = _answer_of(lambda: taken(other.download(call.context, **call.args) or iter(()), most))
        return self._verdict(mine, theirs, self._is_gone)

    def _compare_write(self, other: ImageDriver, tape: Tape) -> Note:
        from nova_image.glance import limits

        call = self._call
        upload = tape.upload
        has_data = call.data is not STREAM
        body: dict[str, Any] = {'data': call.data} if call.op in ('create', 'update') else {}
        if not has_data:
            size = (upload or {}).get('headers', {}).get('x-openstack-image-size', '')
            body['data'] = Gone(int(size)) if size.isdecimal() else GoneChunks()
        replay = Replay(tape.exchanges, has_data=has_data, is_open=not has_data and upload is None)
        with sealed(), limits.between(replay):
            theirs = self._ask(other, call.op, **call.args, **body)
        if {} in replay.asked:
            return self._noted(theirs.branch, 'unanswerable')
        mine = call.error or success(call.result())
        made = [each.asked for each in tape.exchanges]
        if replay.is_whole:
            return self._verdict(_with_requests(mine, made), _with_requests(theirs, replay.asked))
        # What comes after the point where comparing ended is not known of the other driver.
        count = len(replay.asked)
        return self._verdict(
            Answer(mine.branch, _numbered(made[:count])), Answer(mine.branch, _numbered(replay.asked))
        )

    # -- steps

    def _ask(self, driver: ImageDriver, op: str, **args: Any) -> Answer:
        return _answer_of(lambda: getattr(driver, op)(self._call.context, **args))

    def _has_changed(self, mine: Answer) -> bool:
        """Whether the driver that answered says something else by now: then it is the image that changed."""
        again = self._ask(self._answering, self._call.op, **self._call.args)
        return bool(differences(self._call.op, mine.plain, again.plain))

    def _is_gone(self, mine: Answer) -> bool:
        """The same for a download, which is not made twice."""
        again = self._ask(self._answering, 'show', **self._call.args)
        return (mine.branch == 'success') != (again.branch == 'success') and mine.branch != again.branch

    def _verdict(self, mine: Answer, theirs: Answer, has_changed: Callable[[Answer], bool] | None = None) -> Note:
        control, candidate = (theirs, mine) if self._call.is_swapped else (mine, theirs)
        if control.branch == UNREACHABLE:
            return self._noted(control.branch, 'control-failed')
        fields = differences(self._call.op, control.plain, candidate.plain)
        if not fields:
            return self._noted(control.branch, 'same')
        if has_changed is not None and has_changed(mine):
            return self._noted(control.branch, 'changed')
        return self._mismatch(control.branch, candidate.branch, fields)

    def _noted(self, branch: str, what: str) -> Note:
        return lambda book: book.count(self._call.op, branch, what)

    def _mismatch(self, branch: str, candidate_branch: str, fields: Mapping[str, tuple[Any, Any]]) -> Note:
        call = self._call
        plain = Plain(call.context)
        seen = {
            'op': call.op,
            'branch': branch,
            'candidate_branch': candidate_branch,
            'args': {name: _shown(plain, name, value) for name, value in call.args.items() if value is not None},
            'fields': {
                place: {'control': _shown(plain, place, one), 'candidate': _shown(plain, place, other)}
                for place, (one, other) in fields.items()
            },
        }
        return functools.partial(Book.mismatch, seen=seen)


def _answer_of(call: Callable[[], Any]) -> Answer:
    try:
        return success(call())
    except BaseException as error:  # noqa: BLE001 - a candidate may ask for the end of the process, and not get it
        return failure(error)


def _numbered(requests: list[dict[str, Any]]) -> dict[str, Any]:
    return {f'requests[{index}]': request for index, request in enumerate(requests)}


def _with_requests(answer: Answer, requests: list[dict[str, Any]]) -> Answer:
    return Answer(answer.branch, {**answer.plain, **_numbered(requests)})


def _shown(plain: Plain, place: str, value: Any) -> Any:
    """A value as it may stand in the ledger: nothing secret, by its place or in itself, and not long."""
    if '.metadata' in place:
        return HIDDEN
    shown = plain(value, key=place)
    text = json.dumps(shown)
    return shown if len(text) <= _LONGEST_VALUE else f'{text[:_LONGEST_VALUE]}... ({len(text)} characters)'
