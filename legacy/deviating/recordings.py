# SPDX-License-Identifier: Apache-2.0
"""What the computations read in a recorded case, and how they take a call out of it or put one in.

A step that is changed keeps the recorded forms. Clients of a boundary case are numbered by creation, so
a call that is no longer made takes its one-time client with it and the later ones move up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]
Event = dict[str, Any]

#: Where a case is replayed: at the old seams, on the Glance driver over a scripted wire, on the embedded store, on a
#: real Glance.
SEAM, DRIVER, LOCAL, GLANCE = 'seam', 'driver', 'local', 'glance'
#: Key of a changed backend script in an expectation; the runner takes it out again.
SCRIPT = 'backend_script'

_CLASSES = ('GlanceImageService', 'GlanceImageServiceV2', 'API', 'GlanceClientWrapper')


@dataclass(frozen=True)
class Replay:
    """What a deviation may look at: the case, where it runs, and through which front end."""

    case: dict[str, Any]
    place: str
    frontend: str = ''

    @property
    def release(self) -> str:
        """The release that was recorded."""
        return str(self.case['release'])

    @property
    def on_wire(self) -> bool:
        """Whether a program ran against a server."""
        return bool(self.case['kind'] == 'wire')

    def config(self, name: str, default: Any = None) -> Any:
        """An option of a boundary case, by the last part of its name in either release."""
        for key, value in self.case['input']['config'].items():
            if key in (name, f'glance_{name}', f'glance.{name}', f'glance_api_{name}'):
                return value
        return default

    def steps(self, expected: Answer) -> Iterator[Step]:
        """Each step with its expected answer."""
        for number, answer in enumerate(expected['steps']):
            yield Step(self, number, self.case['input']['steps'][number], answer)

    def bound_by(self, name: str) -> dict[str, Any]:
        """The step that made a variable."""
        for step in self.case['input']['steps']:
            if step.get('bind') == name:
                found: dict[str, Any] = step
                return found
        return {}


@dataclass(frozen=True)
class Step:
    """One step of a boundary case and what is expected of it."""

    replay: Replay
    number: int
    given: dict[str, Any]
    answer: Answer

    @property
    def owner(self) -> str:
        """The old class whose method is called; empty for functions of the modules."""
        name = self.given.get('func', '') or self.given.get('class', '')
        if 'on' in self.given:
            made = self.replay.bound_by(self.given['on'])
            name = made.get('class') or made.get('func', '')
        for part in name.split('.'):
            if part in _CLASSES:
                return str(part)
        return ''

    @property
    def operation(self) -> str:
        """The method or function that is called; ``new`` for a constructor."""
        if self.given['op'] == 'new':
            return 'new'
        name: str = self.given.get('method') or self.given.get('func', '')
        return {'get_all': 'detail', 'get': 'show'}.get(name.rpartition('.')[2], name.rpartition('.')[2])

    @property
    def args(self) -> list[Any]:
        """Positional arguments after the instance."""
        args = list(self.given.get('args', ()))
        unbound = self.given['op'] == 'call' and 'func' in self.given and self.owner
        return args[1:] if unbound else args

    def argument(self, position: int, *names: str) -> Any:
        """An argument by place (the context is 0) or by name."""
        for name in names:
            if name in self.given.get('kwargs', {}):
                return self.given['kwargs'][name]
        args = self.args
        return args[position] if position < len(args) else None

    @property
    def events(self) -> list[Event]:
        """What crosses the boundary."""
        events: list[Event] = self.answer['events']
        return events

    @property
    def calls(self) -> list[Event]:
        """The calls of the client among the events."""
        return [event for event in self.events if event['ev'] == 'call']

    def errors(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Every error of the answer that can be changed, with the key that holds it."""
        for key in ('exception',):
            if key in self.answer:
                yield self.answer, key
        result = self.answer.get('result')
        if isinstance(result, dict) and '$exc' in result:
            yield result, '$exc'


def script(replay: Replay, expected: Answer) -> list[Any]:
    """The backend script of the expectation, to be changed."""
    outcomes: list[Any] = expected.setdefault(SCRIPT, list(replay.case['input'].get('backend', ())))
    return outcomes


def outcomes_of(case: dict[str, Any], expected: Answer) -> list[Any]:
    """The backend script that an expectation goes with."""
    outcomes: list[Any] = expected.get(SCRIPT, case['input'].get('backend', []))
    return outcomes


def consumed_before(expected: Answer, number: int) -> int:
    """How many outcomes the steps before ``number`` take."""
    return sum(
        event['ev'] == 'call' for answer in expected['steps'][:number] for event in answer['events']
    )


def drop_calls(replay: Replay, expected: Answer, step: Step, unwanted: list[Event]) -> int:
    """Take calls out of a step, with their one-time clients and their outcomes; how many."""
    dropped = 0
    place = consumed_before(expected, step.number)
    number = 0
    while number < len(step.events):
        event = step.events[number]
        if event['ev'] == 'call':
            if any(event is one for one in unwanted):
                del script(replay, expected)[place]
                del step.events[number]
                dropped += 1
                number = _drop_client(expected, step, event['client'], number)
                continue
            place += 1
        number += 1
    return dropped


def _drop_client(expected: Answer, step: Step, client: int, number: int) -> int:
    """Forget a client that is made in this step and used by nobody else."""
    for answer in expected['steps']:
        for event in answer['events']:
            if event['ev'] == 'call' and event['client'] == client:
                return number
    for place, event in enumerate(step.events):
        if event['ev'] == 'client' and event['client'] == client:
            del step.events[place]
            renumber(expected, client, -1)
            return number - 1 if place < number else number
    return number


def renumber(expected: Answer, after: int, by: int) -> None:
    """Move the numbers of all clients behind ``after``."""
    for answer in expected['steps']:
        for event in answer['events']:
            if event.get('client', -1) > after:
                event['client'] += by
        result = answer.get('result')
        if isinstance(result, dict) and result.get('$client', -1) > after:
            result['$client'] += by


def log(level: str, exc: str | None = None) -> Event:
    """A log record as an event; wording and logger are the project's own."""
    event: Event = {'ev': 'log', 'level': level, 'logger': '', 'message': ''}
    if exc is not None:
        event['exc'] = exc
    return event


def wire_images(answer: Answer) -> Iterator[dict[str, Any]]:
    """Every image that Glance showed during a wire step."""
    for exchange in answer.get('requests', ()):
        shown = (exchange['response'].get('body') or {}).get('json')
        if isinstance(shown, dict):
            if 'images' in shown:
                yield from shown['images']
            elif 'id' in shown:
                yield shown


def is_record(value: Any) -> bool:
    """Whether a result is an image dict."""
    return isinstance(value, dict) and 'is_public' in value and 'properties' in value
