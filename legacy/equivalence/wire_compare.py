# SPDX-License-Identifier: Apache-2.0
"""Bring a recorded and an observed wire program into one form.

Ids are matched by place: the first time a recorded ``<id:n>`` meets an id, the two belong together for
the rest of the program. Of the requests those that change something count, in order, with path and
body, and no GET may go where the recording never went (``golden/FORMAT.md``, "what to ignore").
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from legacy import deviations
from legacy.deviating.course import Course
from legacy.deviating.recordings import Replay
from legacy.equivalence import encode
from legacy.equivalence.decode import GOLDEN, World, load
from legacy.equivalence.wire import Program, needs_glance
from legacy.equivalence.wire_values import body

_SYMBOL = re.compile(r'<id:\d+>')
_ID = re.compile(r'[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}')
_TIME = re.compile(r'<time:\d+>|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ')
_CHANGING = ('POST', 'PUT', 'PATCH', 'DELETE')


def answers(program: Program) -> tuple[dict[str, Any], list[int], dict[str, Any]]:
    """Run the program: its expectation, the deviations in that, and what it came to."""
    place = deviations.LOCAL if program.server is None else deviations.GLANCE
    later = _as_recorded_later(program.case)
    if later is not None:
        program.case = later
    replay = Replay(program.case, place, program.frontend)
    expected, touched = deviations.expectation(program.case, place, program.frontend)
    expected = recorded(expected, requests=program.server is not None)
    seen = observed(program, program.run())
    course = Course(replay, deviations.program_rules(), lambda: _elsewhere(program, expected))
    if needs_glance(program.case):
        course.compute(expected)
    else:
        course.follow(expected)
    program.elsewhere = course.elsewhere
    touched = sorted({*touched, *course.touched, *([53] if later is not None else [])})
    expected = _with_fresh_symbols(expected)
    seen = Ids.matched(expected, seen)
    for number in course.elsewhere:
        _own_requests(program.case['input']['steps'][number], expected['steps'][number], seen['steps'][number])
    loose = place == deviations.LOCAL
    for number, (left, right) in enumerate(zip(expected['steps'], seen['steps'], strict=True)):
        _same_words(left, right, quoted=loose or number in course.elsewhere)
    return expected, touched, seen


#: Where the recordings of later releases are looked for: beside the file that is replayed, and in the package.
LATER_IN: list[Path] = [GOLDEN]


@functools.cache
def _later(folder: Path) -> tuple[dict[str, Any], ...]:
    """The programs of 34.0.0 in a folder that register locations."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob('*.jsonl.gz')):
        with contextlib.suppress(OSError, ValueError):
            found += [case for case in load(path) if case.get('release') == '34.0.0' and _registers(case)]
    return tuple(found)


def _registers(case: dict[str, Any]) -> bool:
    """Whether a program registers locations."""
    return any(
        isinstance(argument, dict) and bool(argument.get('location'))
        for step in case['input']['steps']
        for argument in step.get('args', ())
    )


def _as_recorded_later(case: dict[str, Any]) -> dict[str, Any] | None:
    """A program of 14.0.0 that registers locations, with what 34.0.0 answered to the same steps (C-257).

    Both were recorded of every program, and what today's call does to an image in the background is not in the
    older recording.

    :raises LookupError: there is no such recording to judge by
    """
    if case['release'] != '14.0.0' or not _registers(case):
        return None
    for other in (other for folder in LATER_IN for other in _later(folder)):
        same = all(other[key] == case[key] for key in ('program', 'server'))
        if same and other['input']['steps'] == case['input']['steps']:
            return {**case, 'expect': other['expect']}
    raise LookupError(
        f'program {case["program"]} registers locations, which is judged by its recording of 34.0.0; '
        'put the file with that beside this one'
    )


def _elsewhere(program: Program, expected: dict[str, Any]) -> dict[str, Any]:
    """The answers of an independent run: the embedded store for a Glance, another front end for the store."""
    if program.server is not None:
        twin = Program(program.case, program.frontend, None)
        twin.let_readers_write()
    else:
        other = 'legacy-api' if program.frontend == 'api' else 'api'
        twin = Program(program.case, other, None, speaks_for=program.frontend)
    return Ids.matched(expected, observed(twin, twin.run()))


def _with_fresh_symbols(expected: dict[str, Any]) -> dict[str, Any]:
    """Ids that the recording never had get symbols of their own."""
    symbols: dict[str, str] = {}

    def fresh(found: re.Match[str]) -> str:
        return symbols.setdefault(found[0], f'<id:{9000 + len(symbols)}>')

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return _ID.sub(fresh, value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        return value

    changed: dict[str, Any] = walk(expected)
    return changed


_METHODS = {
    'create': {'POST', 'PUT', 'PATCH', 'DELETE'},
    'update': {'PATCH', 'PUT', 'POST'},
    'delete': {'DELETE'},
}


def _own_requests(given: dict[str, Any], expected: dict[str, Any], seen: dict[str, Any]) -> None:
    """A step that the recording does not know has no recorded requests: those of its operation may be sent."""
    if 'requests' not in seen:
        return
    allowed = _METHODS.get(given['op'], set())
    expected['requests'] = [one for one in seen['requests'] if one['method'] in allowed]
    expected['strange_gets'] = seen['strange_gets']


def _same_words(expected: Any, seen: Any, *, quoted: bool) -> None:
    """Texts of the HTTP library say nothing; those of a Glance count on a Glance only."""
    if isinstance(expected, list) and isinstance(seen, list):
        for left, right in zip(expected, seen, strict=False):
            _same_words(left, right, quoted=quoted)
    elif isinstance(expected, dict) and isinstance(seen, dict):
        if 'mro' in expected and 'mro' in seen:
            for error in (expected, seen):
                _blur(error, quoted)
            return
        for key in expected:
            if key in seen:
                _same_words(expected[key], seen[key], quoted=quoted)


_CONNECTION = re.compile(r'(Error finding address for|Error communicating with|Unable to establish) .*', re.DOTALL)
_QUOTING = ('Invalid', 'ImageQuotaExceeded', 'Forbidden', 'NotFound', 'ImageBadRequest', 'ImageConflict', 'ImageServiceError',
            'ImageImportImpossible', 'ImageDeleteConflict', 'BadImageInfo', 'BadFilter')  # fmt: skip


def _blur(error: dict[str, Any], quoted: bool) -> None:
    texts: list[tuple[dict[str, Any], str]] = [(error, 'message')]
    kwargs = error.get('kwargs')
    if isinstance(kwargs, dict):
        texts += [(kwargs, name) for name in ('reason', 'response')]
    for holder, name in texts:
        if isinstance(holder.get(name), str):
            holder[name] = _CONNECTION.sub('<connection failure>', holder[name])
            if quoted and str(error['class']).rpartition('.')[2] in _QUOTING:
                holder[name] = '<what the service said>'
    if quoted and str(error['class']).rpartition('.')[2] in _QUOTING:
        for name in ('kwargs', 'details', 'code'):
            error.pop(name, None)


def recorded(expect: dict[str, Any], *, requests: bool) -> dict[str, Any]:
    """The expectation, with the requests that count or with none."""
    return {'steps': [_recorded_step(step, requests) for step in expect['steps']]}


def _recorded_step(step: dict[str, Any], requests: bool) -> dict[str, Any]:
    if 'not_run' in step or 'skipped' in step:
        return {'not_run': True}
    form: dict[str, Any] = {key: value for key, value in step.items() if key != 'requests'}
    form.setdefault('sleeps', [])
    form.setdefault('logs', [])
    if requests:
        form['requests'] = [
            _request(exchange, exchange['path'])
            for exchange in step['requests']
            if exchange['method'] in _CHANGING
        ]
        form['strange_gets'] = []
    timeless: dict[str, Any] = _timeless(form)
    return timeless


def observed(program: Program, seen: dict[str, Any]) -> dict[str, Any]:
    """What a run came to, in the recorded form, ids still real."""
    world = World(
        {'release': program.case['release'], 'input': {}}, program.root, shared={}
    )
    known = {_path(exchange['path']) for exchange in _exchanges(program.case, 'GET')}
    names = [(program.arguments.address, '<glance>'), (program.root, '<root>')]
    if program.server is not None:
        names.insert(0, (str(program.server.store_directory), '<store>'))
        names.insert(0, (program.server.blobs.url, '<blobs>'))
    steps = []
    for step in seen['steps']:
        form = _plain({key: value for key, value in step.items() if key != 'requests'}, world)
        if 'requests' in step:
            sent = step['requests']
            form['requests'] = [_request(one, one['path']) for one in sent if one['method'] in _CHANGING]
            form['strange_gets'] = sorted(
                {one['path'] for one in sent if one['method'] == 'GET' and _path(one['path']) not in known}
            )
        if 'not_run' in form:
            form = {'not_run': True}
        steps.append(_named(_timeless(form), names))
    if program.server is None:
        steps = _as_store_fast(steps)
    return {'steps': steps}


def _as_store_fast(value: Any) -> Any:
    """The recordings' file store was called ``fast``, the embedded one is ``local``: a name of a server's."""
    if isinstance(value, list):
        return [_as_store_fast(item) for item in value]
    if isinstance(value, dict):
        named: dict[str, Any] = {
            key: 'fast' if key in ('stores', 'store') and item == 'local' else _as_store_fast(item)
            for key, item in value.items()
        }
        for location in named.get('locations') or ():
            if str(location.get('url', '')).startswith('file://<root>/'):
                location['url'] = f'file://<store>/{named["id"]}'
        return named
    return value


def _exchanges(case: dict[str, Any], method: str) -> list[dict[str, Any]]:
    return [
        exchange
        for step in case['expect']['steps']
        for exchange in step.get('requests', ())
        if exchange['method'] == method
    ]


def _path(path: str) -> str:
    return _ID.sub('<id>', _SYMBOL.sub('<id>', unquote(path)))


def _request(exchange: dict[str, Any], path: str) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in exchange['headers'].items()}
    return {
        'method': exchange['method'],
        'path': unquote(path),
        'body': body(exchange['body'], headers.get('content-type')),
    }


def _plain(value: Any, world: World) -> Any:
    if isinstance(value, datetime.datetime):
        offset = value.utcoffset()
        return {
            '$datetime': '<time>',
            'offset': None if offset is None else int(offset.total_seconds()),
            'microsecond': value.microsecond,
        }
    if isinstance(value, BaseException):
        return {key: item for key, item in encode.exception(world, value).items() if key != 'scripted'}
    if isinstance(value, dict):
        return {key: _plain(item, world) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, world) for item in value]
    return world.encode(value)


def _timeless(value: Any) -> Any:
    """Which times agree is up to the clock: Glance keeps whole seconds. Contents go by size and md5."""
    if isinstance(value, str):
        return _TIME.sub('<time>', value)
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    if isinstance(value, float):
        return '<pause>'  # of a download that starts over: partly random
    if isinstance(value, dict):
        if isinstance(value.get('tags'), list):
            value = {**value, 'tags': sorted(value['tags'], key=str)}  # Glance gives them in no order
        if 'md5' in value and 'base64' in value:
            value = {key: item for key, item in value.items() if key != 'base64'}
        return {key: _timeless(item) for key, item in value.items()}
    return value


def _named(value: Any, names: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for real, name in names:
            value = value.replace(real, name)
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _named(item, names) for key, item in value.items()}
    return value


class Ids:
    """Which real id stands for which recorded one."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    @classmethod
    def matched(cls, expected: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
        """``seen`` with recorded ids; lists, whose items may be others, teach nothing that was not known."""
        ids = cls()
        for lists in (False, True):
            for left, right in zip(expected['steps'], seen['steps'], strict=True):
                if lists or not isinstance(left.get('result'), list):
                    ids.match(left, right)
        translated: dict[str, Any] = ids.apply(seen)
        return translated

    def match(self, expected: Any, seen: Any) -> None:
        """Learn from every place that both answers have."""
        if isinstance(expected, str) and isinstance(seen, str):
            symbols = _SYMBOL.findall(expected)
            found = _ID.findall(seen)
            if symbols and len(symbols) == len(found):
                for symbol, real in zip(symbols, found, strict=True):
                    if symbol not in self._real.values():
                        self._real.setdefault(real, symbol)
        elif isinstance(expected, list) and isinstance(seen, list):
            for left, right in zip(expected, seen, strict=False):
                self.match(left, right)
        elif isinstance(expected, dict) and isinstance(seen, dict):
            for key in expected:
                if key in seen:
                    self.match(expected[key], seen[key])

    def apply(self, value: Any) -> Any:
        """``value`` with recorded ids."""
        if isinstance(value, str):
            return _ID.sub(lambda found: self._real.get(found[0], found[0]), value)
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if isinstance(value, dict):
            return {key: self.apply(item) for key, item in value.items()}
        return value
