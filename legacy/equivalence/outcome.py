# SPDX-License-Identifier: Apache-2.0
"""What came out of one call, in a form that two runs can be compared by (D-2).

Value or error, what the caller holds afterwards, what was sent, said, pulled, written, and left open. Knows
records and errors, nothing of who made the call. What a comparison leaves out stands in ``ignored``.
"""

from __future__ import annotations

import contextlib
import copy
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from legacy.equivalence.notes import Said, listening
from nova_image import errors, images, wiretap


@dataclass(frozen=True)
class Failure:
    """An error: class by its historic name, text, public fields, and the class of its cause."""

    kind: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    cause: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What one call did.

    :param result: the value, None beside an ``error``
    :param delivered: bytes that were written for the caller, None where none were asked for
    :param streams: how far each stream was read or written, and whether it was closed; under ``chunks`` the
        sizes of what an iterator gave
    :param open_files: files that were open afterwards and not before, by name
    :param requests: what went over the wire: method, path with query, chosen headers, body
    :param paused: how long it waited between attempts, in whole seconds, but for what grows by chance; noted where
        nobody has time to wait
    :param logged: (level, text) in order; ``warned``: (class, text), both without what ``notes`` lists
    :param arguments: what of the caller's other arguments is not as it was
    """

    result: Any = None
    error: Failure | None = None
    delivered: bytes | None = None
    streams: Mapping[str, Any] = field(default_factory=dict)
    open_files: tuple[str, ...] = ()
    requests: tuple[Mapping[str, Any], ...] = ()
    paused: tuple[int, ...] = ()
    logged: Said = ()
    warned: Said = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plain(self) -> dict[str, Any]:
        """As a dict, for comparing and printing."""
        return {**vars(self), 'error': self.error and dict(vars(self.error))}


def outcome(
    call: Callable[[], Any], *, restrict: bool, places: Iterable[str] = (), warned: bool = True, hurried: bool = False
) -> Outcome:
    """Make a call and keep what comes out of it; the caller's side of it is added by ``dataclasses.replace``.

    :param restrict: cut records down to the 16 standard keys
    :param places: directories in which nothing may stay open
    :param warned: whether to listen to warnings, see ``notes``
    :param hurried: do not wait between attempts, but note for how long it would have been
    """
    result: Any = None
    error = None
    before = _open_files(places)
    sent: wiretap.Requests = []
    paused: list[float] = []
    wiretap.listen()
    with listening(warned=warned) as heard, wiretap.into(sent), _hurry(paused) if hurried else contextlib.nullcontext():
        try:
            result = call()
        except Exception as caught:  # noqa: BLE001 - an error is an outcome
            error = told(caught)
    if error is None:
        result = _restricted(result) if restrict else copy.deepcopy(result)
    after = _open_files(places)
    left = tuple(sorted(os.path.basename(after[number]) for number in after.keys() - before.keys()))
    requests = tuple(each.plain() for each in sent)
    waits = tuple(int(seconds) if number == 0 else min(int(seconds), 1) for number, seconds in enumerate(paused))
    return Outcome(result, error, None, {}, left, requests, waits, heard.logged, heard.warned)


@contextlib.contextmanager
def _hurry(paused: list[float]) -> Iterator[None]:
    """While it lasts, this thread notes how long it would sleep, and does not."""
    sleep, thread = time.sleep, threading.get_ident()

    def note(seconds: Any) -> None:
        if threading.get_ident() == thread and seconds:
            paused.append(seconds)
        else:
            sleep(seconds)

    time.sleep = note
    try:
        yield
    finally:
        time.sleep = sleep


def told(error: BaseException) -> Failure:
    """An error in comparable form."""
    fields = {'code': getattr(error, 'code', None), 'errno': getattr(error, 'errno', None)}
    fields.update(getattr(error, 'kwargs', {}))
    cause = error.__cause__
    plain = {name: value if _is_plain(value) else str(value) for name, value in fields.items() if value is not None}
    return Failure(_historic(error), str(error), plain, None if cause is None else _historic(cause))


def _historic(error: BaseException) -> str:
    for kind in type(error).__mro__:
        # A class that also is somebody else's (D-1) goes by the name of ours.
        if vars(errors).get(kind.__name__) is kind:
            return str(kind.__name__)
    return str(type(error).__name__)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bytes)


def _open_files(places: Iterable[str]) -> dict[str, str]:
    """Open descriptors of files in these directories, but for a catalogue's, which stays open by design."""
    wanted = tuple(places)
    found: dict[str, str] = {}
    if not wanted:
        return found
    with contextlib.suppress(OSError):
        for number in os.listdir('/proc/self/fd'):
            with contextlib.suppress(OSError):
                path = os.readlink(f'/proc/self/fd/{number}')
                if path.startswith(wanted) and 'catalogue.sqlite' not in path:
                    found[number] = path
    return found


def _restricted(result: Any) -> Any:
    if isinstance(result, list):
        return [_restricted(each) for each in result]
    if isinstance(result, dict) and 'properties' in result:
        kept = {key: result[key] for key in ('locations', 'direct_url') if key in result}
        return {**images.restrict(copy.deepcopy(result)), **copy.deepcopy(kept)}
    return result

