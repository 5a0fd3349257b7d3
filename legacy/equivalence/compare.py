# SPDX-License-Identifier: Apache-2.0
"""Is the observed answer the recorded one?

Both are in the form of ``golden/FORMAT.md``. Every ignorance here is one that the format lists under
"what to ignore"; there are no others. Where the original and this package differ on purpose the
expectation itself is computed anew (:mod:`legacy.deviations`) before it comes here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nova_image import errors

#: Texts that hold JSON, whose key order says nothing.
_JSON_TEXTS = frozenset({'X-Service-Catalog', 'mappings', 'block_device_mapping'})
_ABSENT = '<absent>'
_YEAR_1800 = re.compile(r'1\d{3}-[-0-9T:]+')


@dataclass(frozen=True)
class Difference:
    """One place where the two answers part."""

    path: str
    expected: Any
    observed: Any

    def __str__(self) -> str:
        return f'{self.path}: recorded {_short(self.expected)}, now {_short(self.observed)}'


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=repr)
    return text if len(text) <= 240 else text[:240] + '...'


def differences(expected: Any, observed: Any, path: str = '') -> Iterator[Difference]:
    """Where ``observed`` is not what was recorded."""
    if isinstance(expected, dict) and isinstance(observed, dict):
        yield from _dicts(expected, observed, path)
    elif isinstance(expected, list) and isinstance(observed, list):
        yield from _lists(expected, observed, path)
    elif type(expected) is not type(observed) or expected != observed:
        if _same_json(expected, observed, path) or _same_object(expected, observed):
            return
        yield Difference(path, expected, observed)


def _dicts(expected: dict[str, Any], observed: dict[str, Any], path: str) -> Iterator[Difference]:
    if '$datetime' in expected and '$datetime' in observed and _YEAR_1800.fullmatch(str(expected['$datetime'])):
        # A year that the recorder's strftime could not write with its fraction.
        expected = {**expected, '$datetime': f'{expected["$datetime"]}.000000'}
    if '$repr' in expected and '$repr' in observed:
        # A form without a form of its own: the type name at most.
        if expected.get('type') != observed.get('type'):
            yield Difference(path, expected, observed)
        return
    if 'class' in expected and 'mro' in expected and 'mro' in observed:
        yield from _exceptions(expected, observed, path)
        return
    if _is_log(expected) and _is_log(observed):
        # Logger names and wording are the project's own; level, count and traceback are behaviour.
        expected = {key: value for key, value in expected.items() if key not in ('logger', 'message')}
        observed = {key: value for key, value in observed.items() if key not in ('logger', 'message')}
    for key in sorted(expected.keys() | observed.keys()):
        here = f'{path}.{key}' if path else key
        if key not in expected:
            yield Difference(here, _ABSENT, observed[key])
        elif key not in observed:
            yield Difference(here, expected[key], _ABSENT)
        else:
            yield from differences(expected[key], observed[key], here)


def _is_log(value: dict[str, Any]) -> bool:
    return value.get('ev') == 'log' or {'logger', 'level', 'message', 'exc'} <= value.keys()


def _lists(expected: list[Any], observed: list[Any], path: str) -> Iterator[Difference]:
    for number, (left, right) in enumerate(zip(expected, observed, strict=False)):
        yield from differences(left, right, f'{path}[{number}]')
    for number in range(len(observed), len(expected)):
        yield Difference(f'{path}[{number}]', expected[number], _ABSENT)
    for number in range(len(expected), len(observed)):
        yield Difference(f'{path}[{number}]', _ABSENT, observed[number])


def _exceptions(expected: dict[str, Any], observed: dict[str, Any], path: str) -> Iterator[Difference]:
    """Class by the last part of its name, ancestors included in ours, text unless Python worded it."""
    if _last(expected['class']) != _last(observed['class']):
        yield Difference(f'{path}.class', expected['class'], observed['class'])
        return
    ancestors = [_last(name) for name in observed['mro']] if isinstance(observed['mro'], list) else []
    if any(_last(name) not in ancestors for name in expected['mro']):
        yield Difference(f'{path}.mro', expected['mro'], observed['mro'])
    fields = {'message', 'message_error', 'code', 'kwargs', 'details', 'safe', 'ec2_code', 'scripted'}
    if expected.get('volatile_message'):
        fields -= {'message', 'message_error'}
    for key in sorted(fields):
        if key in expected:
            here = f'{path}.{key}'
            if key not in observed:
                yield Difference(here, expected[key], _ABSENT)
            else:
                yield from differences(expected[key], observed[key], here)


def _last(name: object) -> str:
    """The class that a recorded name means here: ``NotAuthorized`` and ``Forbidden`` are one (C-298)."""
    last = str(name).rpartition('.')[2]
    ours = getattr(errors, last, None)
    return ours.__name__ if isinstance(ours, type) else last


def _same_object(expected: Any, observed: Any) -> bool:
    """Texts that show an object by its address also show the module that its class lives in now."""
    return (
        isinstance(expected, str)
        and '<address>' in expected
        and expected.replace('<nova.image.', '<legacy.') == observed
    )


def _same_json(expected: Any, observed: Any, path: str) -> bool:
    if path.rpartition('.')[2] not in _JSON_TEXTS:
        return False
    if not isinstance(expected, str) or not isinstance(observed, str):
        return False
    try:
        return bool(json.loads(expected) == json.loads(observed))
    except ValueError:
        return False
