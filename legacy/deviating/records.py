# SPDX-License-Identifier: Apache-2.0
"""Deviations in the shape of image records, and in what the caller's own arguments look like afterwards."""

from __future__ import annotations

from typing import Any

from legacy.deviating.recordings import Answer, Replay, is_record, wire_images

#: Glance's additions that the original left out (D-2); the others it passed on by their names.
ADDITIONS = ('visibility', 'tags', 'protected', 'virtual_size')


def additions(replay: Replay, expected: Answer) -> None:
    """Records carry visibility, tags, protected and virtual_size too."""
    if not replay.on_wire:
        return
    shown: dict[Any, dict[str, Any]] = {}
    for recorded, answer in zip(replay.case['expect']['steps'], expected['steps'], strict=True):
        for image in wire_images(recorded):
            shown[image.get('id')] = image
        result = answer.get('result')
        for record in result if isinstance(result, list) else [result]:
            if record is not None and is_record(record) and record.get('id') in shown:
                image = shown[record['id']]
                record.update({key: image[key] for key in ADDITIONS if key in image})


def untouched_arguments(replay: Replay, expected: Answer) -> None:
    """Filters and properties of the caller stay as they are (C-069, C-259, D-11)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        after = step.answer.get('args_after')
        if after is None:
            continue
        for given, now in (
            (step.given.get('args', []), after['args']),
            (step.given.get('kwargs', {}), after['kwargs']),
        ):
            _put_back(given, now)
        if not _is_still_different(replay, expected, step.number):
            del step.answer['args_after']


def _put_back(given: Any, now: Any) -> None:
    """Filters and properties in ``now`` as they stand in ``given``."""
    if isinstance(given, list) and isinstance(now, list):
        for one, other in zip(given, now, strict=False):
            _put_back(one, other)
    elif isinstance(given, dict) and isinstance(now, dict) and not any(key.startswith('$') for key in given):
        for key in ('filters', 'properties'):
            if isinstance(given.get(key), dict) and isinstance(now.get(key), dict):
                now[key] = {name: now[key].get(name, value) for name, value in given[key].items()}
        for key in given:
            if key in now:
                _put_back(given[key], now[key])


def _is_still_different(replay: Replay, expected: Answer, number: int) -> bool:
    """Whether any argument changed apart from filters and properties."""
    after = expected['steps'][number]['args_after']
    given = replay.case['input']['steps'][number]
    pairs = [
        *zip(given.get('args', ()), after['args'], strict=True),
        *((given['kwargs'][name], now) for name, now in after['kwargs'].items()),
    ]
    for form, now in pairs:
        if isinstance(form, dict) and '$var' in form:
            if now != _known(expected, replay, number, form):
                return True
        elif not is_unchanged(form, now):
            return True
    return False


def is_unchanged(form: Any, now: Any) -> bool:
    """Whether ``now`` is how ``form`` is written down when nothing happened to it."""
    if isinstance(form, list):
        return isinstance(now, list) and len(form) == len(now) and all(map(is_unchanged, form, now))
    if not isinstance(form, dict):
        return bool(form == now)
    if '$iter' in form:
        return True  # an iterator for a JSON text was read; ours reads a copy
    if '$path' in form:
        return bool(now == f'<root>/{form["$path"]}')
    for tag in ('$source', '$sink', '$opaque', '$ctx'):
        if tag in form:
            return now is None or bool(now.get(tag) == form[tag])
    if any(key.startswith('$') for key in form):
        return form == now or '$exc' in form or '$image' in form
    return isinstance(now, dict) and form.keys() == now.keys() and all(
        is_unchanged(form[key], now[key]) for key in form
    )


def _known(expected: Answer, replay: Replay, number: int, form: dict[str, Any]) -> Any:
    """What an object that an earlier step bound looked like when it was last seen."""
    seen: Any = None
    for step, answer in zip(
        replay.case['input']['steps'][:number], replay.case['expect']['steps'][:number], strict=True
    ):
        if step.get('bind') == form['$var']:
            seen = answer.get('result')
            for place in form.get('path', ()):
                seen = seen['$tuple'][place]
        for other, now in zip(
            step.get('args', ()), answer.get('args_after', {}).get('args', ()), strict=False
        ):
            if other == form:
                seen = now
    return seen
