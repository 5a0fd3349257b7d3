# SPDX-License-Identifier: Apache-2.0
"""What of two operations is compared: arguments as what they ask of the image service, outcome, bytes, files."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

from legacy.equivalence.pairing import Mismatch, Pairing
from legacy.equivalence.prove_trace import Operation
from nova_image import errors, images


def mismatches(pairing: Pairing, old: Operation, new: Operation) -> list[Mismatch]:
    """Where two operations differ by more than their runs."""
    left, right = arguments(old, new)
    return pairing.compare({'arguments': left, **old.content}, {'arguments': right, **new.content})


def arguments(old: Operation, new: Operation) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of both, comparable."""
    left, right = dict(old.raw.get('args', {})), dict(new.raw.get('args', {}))
    for given in (left, right):
        if 'data' in given:
            given['data'] = given['data'] is not None
        if 'filters' in given:
            given['filters'] = _query(given['filters'])
    if 'image_info' in left and 'image_info' in right:
        # A record that the new API handed out has more keys than the old one had (D-2). Where they come
        # back unchanged they ask for nothing; where they do not, result and store differ.
        more = set(images.EXTRA_KEYS) - set(left['image_info'] or ())
        kept = {k: v for k, v in (right['image_info'] or {}).items() if k not in more}
        left['image_info'] = _change(left['image_info'], old)
        right['image_info'] = _change(kept, new)
    return _given(left), _given(right)


def _given(named: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}


def _query(filters: Any) -> Any:
    """What the filters ask for, by name; several values of one name as a list."""
    try:
        query = images.list_query(filters)
    except errors.NovaException:
        return filters
    asked: dict[str, Any] = {}
    for name, value in sorted(query.params):
        asked[name] = [*asked[name], value] if name in asked else [value]
    if query.drop_public:
        asked['is_public'] = [False]
    return {name: values[0] if len(values) == 1 else values for name, values in asked.items()}


def _change(image_info: Any, operation: Operation) -> Any:
    identity = operation.raw.get('context') or {}
    context = types.SimpleNamespace(is_admin=identity.get('is_admin', False))
    try:
        change = images.outgoing(image_info, context, creating=operation.op == 'create')
    except (errors.NovaException, TypeError, ValueError, AttributeError):
        return image_info
    plain = {k: v for k, v in dataclasses.asdict(change).items() if v not in (None, False)}
    plain['removed'] = sorted(change.removed)
    return plain
