# SPDX-License-Identifier: Apache-2.0
"""What the computations read in a recorded case: steps, images that crossed the boundary, callers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]

#: Where a case is replayed: at the old seams, on the embedded store, on a real Glance.
SEAM, LOCAL, GLANCE = 'seam', 'local', 'glance'


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

    def steps(self, expected: Answer) -> Iterator[tuple[dict[str, Any], Answer]]:
        """Each step with its expected answer."""
        yield from zip(self.case['input']['steps'], expected['steps'], strict=True)

    def service_of(self, step: dict[str, Any]) -> str:
        """The old class that a boundary step is called on; empty for functions of the module."""
        name = step.get('func', '')
        if step.get('on'):
            for other in self.case['input']['steps']:
                if other.get('bind') == step['on']:
                    name = other.get('class') or other.get('func', '')
        parts = [part for part in name.split('.') if part in _CLASSES]
        return parts[0] if parts else ''

    def operation_of(self, step: dict[str, Any]) -> str:
        """The method or function that a boundary step calls."""
        return str(step.get('method') or step.get('func', '').rpartition('.')[2] or step['op'])


_CLASSES = ('GlanceImageService', 'GlanceImageServiceV2', 'API', 'GlanceClientWrapper')
"""Old classes; a service from ``get_remote_image_service`` is told by the calls it makes."""


def outcomes(replay: Replay) -> list[list[dict[str, Any]]]:
    """The scripted backend outcomes that each step of a boundary case consumed."""
    queue = list(replay.case['input'].get('backend', ()))
    taken = []
    for answer in replay.case['expect']['steps']:
        calls = sum(event['ev'] == 'call' for event in answer.get('events', ()))
        taken.append(queue[:calls])
        queue = queue[calls:]
    return taken


def images_in(outcome: Any) -> Iterator[dict[str, Any]]:
    """Every v2 image of an outcome, as its plain keys."""
    if isinstance(outcome, list):
        for item in outcome:
            yield from images_in(item)
    elif isinstance(outcome, dict):
        if '$image' in outcome:
            if outcome.get('model') == 'v2':
                yield outcome['$image']
        elif 'return' in outcome or 'gen' in outcome:
            yield from images_in(outcome.get('return', outcome.get('gen')))


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
