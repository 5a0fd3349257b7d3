# SPDX-License-Identifier: Apache-2.0
"""From Python objects to the forms in which the recorded answers stand (``golden/FORMAT.md`` section 1).

A subclass of text, number, tuple or dict counts as its base, as callers see it. What a case brought in
says itself how it was recorded (``golden_form``).
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
import types
import urllib.parse
from collections.abc import Callable
from typing import Any, Protocol

_ADDRESS = re.compile(r'0x[0-9a-f]{6,}')
_PYTHON_ROOTS = (object, BaseException, Exception)


class World(Protocol):
    """What a case brought in, as far as its recorded form depends on it."""

    root: str
    release: str
    clients: list[Any]
    scripted: list[BaseException]


def text(world: World, value: str) -> str:
    """``value`` without the run's own folder and object addresses."""
    return _ADDRESS.sub('<address>', value.replace(world.root, '<root>'))


def encode(world: World, value: Any) -> Any:
    """The recorded form of ``value``."""
    if value is None or isinstance(value, bool):
        return value
    form = getattr(type(value), 'golden_form', None)
    if form is not None:
        return form(value, world)
    for kind, convert in _FORMS:
        if isinstance(value, kind):
            return convert(world, value)
    return _object(world, value)


def _object(world: World, value: Any) -> Any:
    for number, client in enumerate(world.clients):
        if value is client:
            return {'$client': number}
    state = _STATES.get(type(value).__name__)
    if state is not None:
        return state(world, value)
    return {'$repr': text(world, repr(value)), 'type': type(value).__name__}


def exception(world: World, error: BaseException) -> dict[str, Any]:
    """What an ``except`` clause could see of ``error``."""
    cls = type(error)
    plain = cls.__module__ == 'builtins'
    seen: dict[str, Any] = {
        'class': cls.__name__ if plain else f'{cls.__module__}.{cls.__name__}',
        'mro': [base.__name__ for base in cls.__mro__ if base not in _PYTHON_ROOTS],
        'scripted': any(error is one for one in world.scripted),
    }
    try:
        seen['message'] = text(world, str(error))
    except Exception as failure:  # noqa: BLE001 - a broken __str__ is part of what was recorded
        seen['message'], seen['message_error'] = None, type(failure).__name__
    for name in ('code', 'kwargs', 'details', 'safe', 'ec2_code'):
        if hasattr(error, name):
            seen[name] = encode(world, getattr(error, name))
    return seen


def _dict(world: World, value: dict[Any, Any]) -> Any:
    if all(isinstance(key, str) and not key.startswith('$') for key in value):
        return {key: encode(world, item) for key, item in value.items()}
    return {'$dict': [[encode(world, key), encode(world, item)] for key, item in value.items()]}


def _float(world: World, value: float) -> Any:
    return {'$float': 'nan'} if math.isnan(value) else value


def _datetime(world: World, value: datetime.datetime) -> Any:
    offset = value.utcoffset()
    return {
        '$datetime': value.replace(tzinfo=None).isoformat(timespec='microseconds'),
        'offset': None if offset is None else int(offset.total_seconds()),
    }


def _set(world: World, value: set[Any]) -> Any:
    items = [encode(world, item) for item in value]
    return {'$set': sorted(items, key=lambda item: json.dumps(item, sort_keys=True))}


_FORMS: tuple[tuple[Any, Callable[[World, Any], Any]], ...] = (
    (str, lambda world, value: text(world, str(value))),
    (int, lambda world, value: int(value)),
    (float, _float),
    (bytes, lambda world, value: {'$bytes': base64.b64encode(value).decode()}),
    (datetime.datetime, _datetime),
    (
        (urllib.parse.ParseResult, urllib.parse.SplitResult),
        lambda world, value: {'$url': text(world, value.geturl())},
    ),
    (dict, _dict),
    (list, lambda world, value: [encode(world, item) for item in value]),
    (tuple, lambda world, value: {'$tuple': [encode(world, item) for item in value]}),
    ((set, frozenset), _set),
    (types.ModuleType, lambda world, value: {'$module': value.__name__}),
    (BaseException, lambda world, value: {'$exc': exception(world, value)}),
)


def _wrapper(world: World, value: Any) -> Any:
    names = ('api_server',) if world.release == '14.0.0' else ('host', 'port', 'use_ssl', 'version')
    state: dict[str, Any] = {'static': value.client is not None}
    state.update({name: encode(world, getattr(value, name)) for name in names if hasattr(value, name)})
    return {'$obj': type(value).__name__, 'state': state}


def _service(world: World, value: Any) -> Any:
    state = {
        'client': encode(world, value._client),
        'download_handlers': sorted(value._download_handlers),
    }
    return {'$obj': type(value).__name__, 'state': state}


def _updater(world: World, value: Any) -> Any:
    names = ('context', 'image_id', 'metadata', 'image_stream')
    state = {name: encode(world, getattr(value, name)) for name in names}
    return {'$obj': type(value).__name__, 'state': state}


def _stateless(world: World, value: Any) -> Any:
    return {'$obj': type(value).__name__, 'state': {}}


_STATES: dict[str, Callable[[World, Any], Any]] = {
    'GlanceClientWrapper': _wrapper,
    'GlanceImageService': _service,
    'GlanceImageServiceV2': _service,
    'UpdateGlanceImage': _updater,
    'FileTransfer': _stateless,
    'TransferBase': _stateless,
}
