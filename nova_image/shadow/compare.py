# SPDX-License-Identifier: Apache-2.0
"""What an operation answered, as plain data, and in which fields two answers differ.

What is left out is data, with a reason each, in ``IGNORED``; nothing else is left out. Knows no driver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nova_image import errors

ABSENT = '(absent)'
#: Answers of this branch say nothing of the service that was asked for.
UNREACHABLE = 'unreachable'
MOST_FIELDS = 20

#: error -> branch of an operation, the first that fits; what fits none is a branch of its own
BRANCHES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((errors.GlanceConnectionFailed, errors.ImageTransferStalled), UNREACHABLE),
    ((errors.ImageHasNoData,), 'no-data'),
    ((errors.NotFound,), 'not-found'),
    ((errors.Forbidden, errors.Unauthorized, errors.ImageNotAuthorized), 'forbidden'),
    ((errors.ImageConflict, errors.ImageDeleteConflict), 'conflict'),
    ((errors.ImageQuotaExceeded,), 'too-large'),
    ((errors.Invalid,), 'invalid'),
    ((NotImplementedError,), 'not-offered'),
)


@dataclass(frozen=True)
class Ignored:
    """A place that is never compared.

    :param op: pattern of the operation
    :param place: pattern of the whole place, as in ``result.properties.os_type`` or ``requests[0].body``
    """

    op: str
    place: str
    why: str

    def covers(self, op: str, place: str) -> bool:
        """Whether a difference there does not count."""
        return re.fullmatch(self.op, op) is not None and re.fullmatch(self.place, place) is not None


IGNORED = (
    Ignored('.*', r'result(\[[^]]*\])?\.(locations|direct_url)\b.*', 'where the bytes are belongs to the service'),
    Ignored('.*', r'result(\[[^]]*\])?\.stores', 'an administrator of the service chose the names of its stores'),
    Ignored('.*', r'error\.text', "the words of a refusal are the service's own (C-190)"),
    Ignored('glance_url', 'result', 'the address belongs to the service; that there is one is compared'),
    Ignored('create', r'requests\[[1-9]\d*\]\.body\.id', 'an id that the client chose at random for a repetition'),
)


@dataclass(frozen=True)
class Answer:
    """What an operation came to: ``plain`` is ``{'result': ...}`` or ``{'error': {...}}``."""

    branch: str
    plain: Mapping[str, Any]


def success(result: Any) -> Answer:
    """The answer of a call that returned."""
    return Answer('success', {'result': result})


def failure(error: BaseException) -> Answer:
    """The answer of a call that raised; nothing of the error itself is kept."""
    name = type(error).__name__
    branch = next((branch for classes, branch in BRANCHES if isinstance(error, classes)), name)
    return Answer(branch, {'error': {'class': name, 'code': getattr(error, 'code', None), 'text': str(error)}})


def differences(
    op: str, control: Mapping[str, Any], candidate: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Where two answers differ: place -> what the control has, what the candidate has."""
    found: dict[str, tuple[Any, Any]] = {}
    if ('result' in control) != ('result' in candidate):  # then that is the difference, not all that was returned
        control, candidate = ({k: v for k, v in side.items() if k != 'result'} for side in (control, candidate))
    _walk('', control, candidate, found)
    counts = ((place, pair) for place, pair in found.items() if not any(rule.covers(op, place) for rule in IGNORED))
    return dict(list(counts)[:MOST_FIELDS])


def shape(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The places of a mismatch without what is particular to one call: ids and positions in lists."""
    return tuple(sorted({re.sub(r'\[[^]]*\]', '[]', place) for place in fields}))


def _walk(place: str, one: Any, other: Any, found: dict[str, tuple[Any, Any]]) -> None:
    # A step of a JSON patch stays whole: its path says what its value is, and whether it is secret.
    if isinstance(one, Mapping) and isinstance(other, Mapping) and not ('op' in one and 'path' in one):
        for name in sorted({*one, *other}, key=str):
            inside = f'{place}.{name}' if place else str(name)
            _walk(inside, one.get(name, ABSENT), other.get(name, ABSENT), found)
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        _walk_lists(place, one, other, found)
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        found[place] = (one, other)


def _walk_lists(place: str, one: Any, other: Any, found: dict[str, tuple[Any, Any]]) -> None:
    by_id, others = _by_id(one), _by_id(other)
    if by_id is not None and others is not None:
        if list(by_id) != list(others):
            missing = [each for each in by_id if each not in others]
            extra = [each for each in others if each not in by_id]
            if missing or extra:
                found[f'{place}.ids'] = (missing, extra)
            else:
                found[f'{place}.order'] = (list(by_id), list(others))
        for name, record in by_id.items():
            if name in others:
                _walk(f'{place}[{name}]', record, others[name], found)
    elif len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            _walk(f'{place}[{index}]', left, right, found)
    else:
        found[place] = (one, other)


def _by_id(records: Any) -> dict[Any, Any] | None:
    """Records by id, where every element is one."""
    if not all(isinstance(each, Mapping) and isinstance(each.get('id'), str) for each in records):
        return None
    found = {each['id']: each for each in records}
    return found if len(found) == len(records) else None
