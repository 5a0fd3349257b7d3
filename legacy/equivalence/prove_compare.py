# SPDX-License-Identifier: Apache-2.0
"""Compare the operations and the stores of the two sides of a proof.

Two operations are the same step when they come from the same line; then their arguments, result or
error, bytes and files have to be equal, but for ids, times and scratch paths (see ``pairing``), and for
what the rewrite bridges: arguments are compared as what they ask of the image service.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from legacy.equivalence.pairing import MISSING, Mismatch, Pairing, skeleton, texts
from legacy.equivalence.prove_trace import Operation
from nova_image import errors, images

Kind = Literal['changed', 'missing', 'extra', 'stored', 'ended']


@dataclass(frozen=True)
class Difference:
    """One difference.

    :param kind: ``changed``: the same call, something else in it; ``missing`` and ``extra``: only the old
        or only the new program made it; ``stored``: the stores differ at the end; ``ended``: COMMAND ended
        otherwise
    :param new_line: line in the rewritten file, 0 if unknown
    """

    kind: Kind
    op: str
    file: str | None = None
    new_line: int = 0
    mismatches: tuple[Mismatch, ...] = ()


@dataclass
class Comparison:
    """All that comparing found: pairs compared per file, and the differences in order."""

    compared: list[Operation] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    concurrent: bool = False


def compare(
    old: Sequence[Operation],
    new: Sequence[Operation],
    old_store: Sequence[Mapping[str, Any]],
    new_store: Sequence[Mapping[str, Any]],
    window: tuple[float, float],
) -> Comparison:
    """Compare two runs."""
    pairing = Pairing.between(
        texts([operation.raw for operation in old]),
        texts([operation.raw for operation in new]),
        window,
    )
    found = Comparison(concurrent=_concurrent(old) or _concurrent(new))
    pairs = _any_order(old, new, pairing) if found.concurrent else _in_order(old, new)
    for left, right in pairs:
        found.compared.append(right or left)  # type: ignore[arg-type]
        if left is not None and right is not None:
            mismatches = _mismatches(pairing, left, right)
            if mismatches:
                found.differences.append(_difference('changed', right, mismatches))
        elif left is not None:
            found.differences.append(_difference('missing', left, _summary(left, old=True)))
        elif right is not None:
            found.differences.append(_difference('extra', right, _summary(right, old=False)))
    found.differences += _stores(pairing, old_store, new_store, [*old, *new])
    return found


def _difference(kind: Kind, operation: Operation, mismatches: Iterable[Mismatch]) -> Difference:
    return Difference(kind, operation.op, operation.file, operation.new_line, tuple(mismatches))


def _summary(operation: Operation, *, old: bool) -> list[Mismatch]:
    given = {k: v for k, v in operation.raw.get('args', {}).items() if v not in (None, False)}
    outcome = 'error' if 'error' in operation.raw else 'result'
    told = [('arguments', given)]
    if outcome == 'error':
        told.append(('error', operation.raw['error']))
    return [
        Mismatch(name, *((value, MISSING) if old else (MISSING, value))) for name, value in told
    ]


def _concurrent(operations: Sequence[Operation]) -> bool:
    """Whether processes or threads overlapped, so that the order says nothing."""
    last: dict[tuple[int, str], float] = {}
    for operation in operations:
        last[operation.stream] = max(last.get(operation.stream, 0), operation.at)
    current: tuple[int, str] | None = None
    done: set[tuple[int, str]] = set()
    for operation in operations:
        if operation.stream != current:
            if operation.stream in done:
                return True
            if current is not None:
                done.add(current)
            current = operation.stream
    return False


Pairs = Iterator[tuple[Operation | None, Operation | None]]


def _in_order(old: Sequence[Operation], new: Sequence[Operation]) -> Pairs:
    left, right = [operation.key for operation in old], [operation.key for operation in new]
    if left == right:
        yield from zip(old, new, strict=True)
        return
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for _tag, i1, i2, j1, j2 in matcher.get_opcodes():
        before, after = list(old[i1:i2]), list(new[j1:j2])
        while before and after and before[0].op == after[0].op:
            yield before.pop(0), after.pop(0)
        yield from ((operation, None) for operation in before)
        yield from ((None, operation) for operation in after)


def _any_order(old: Sequence[Operation], new: Sequence[Operation], pairing: Pairing) -> Pairs:
    """Pair each old operation with an equal one of the same step, else with any of the same step.

    Images made by equal calls are told apart by all that was done with them.
    """
    histories = _histories(new)
    for history, ids in _histories(old).items():
        for old_id, new_id in zip(ids, histories.get(history, ()), strict=False):
            pairing.bind(old_id, new_id)
    waiting: dict[tuple[str, str, int], list[Operation]] = {}
    for operation in new:
        waiting.setdefault(operation.key, []).append(operation)
    unequal: list[Operation] = []
    for operation in old:
        for candidate in waiting.get(operation.key, ()):
            trial = pairing.copy()
            if not _mismatches(trial, operation, candidate):
                pairing.take(trial)
                waiting[operation.key].remove(candidate)
                yield operation, candidate
                break
        else:
            unequal.append(operation)
    for operation in unequal:
        rest = waiting.get(operation.key)
        yield operation, rest.pop(0) if rest else None
    yield from ((None, operation) for rest in waiting.values() for operation in rest)


def _histories(operations: Sequence[Operation]) -> dict[tuple[str, ...], list[str]]:
    """Ids of images by what was done with each, in whatever order."""
    done: dict[str, list[str]] = {}
    for operation in operations:
        result = operation.raw.get('result')
        made = result.get('id') if isinstance(result, dict) else None
        image_id = operation.raw.get('args', {}).get('image_id') or made
        if isinstance(image_id, str):
            left, _ = _arguments(operation, operation)
            what = json.dumps([operation.key, left, operation.content], sort_keys=True)
            moved = [operation.raw.get(name) for name in ('sent', 'received', 'file')]
            done.setdefault(image_id, []).append(skeleton(what) + json.dumps(moved))
    found: dict[tuple[str, ...], list[str]] = {}
    for image_id, history in done.items():
        found.setdefault(tuple(sorted(history)), []).append(image_id)
    return found


def _mismatches(pairing: Pairing, old: Operation, new: Operation) -> list[Mismatch]:
    left, right = _arguments(old, new)
    return pairing.compare({'arguments': left, **old.content}, {'arguments': right, **new.content})


def _arguments(old: Operation, new: Operation) -> tuple[dict[str, Any], dict[str, Any]]:
    left, right = dict(old.raw.get('args', {})), dict(new.raw.get('args', {}))
    for arguments in (left, right):
        if 'data' in arguments:
            arguments['data'] = arguments['data'] is not None
        if 'filters' in arguments:
            arguments['filters'] = _query(arguments['filters'])
    if 'image_info' in left and 'image_info' in right:
        # A record that the new API handed out has more keys than the old one had (D-2). Where they come
        # back unchanged they ask for nothing; where they do not, result and store differ.
        more = set(images.EXTRA_KEYS) - set(left['image_info'] or ())
        kept = {k: v for k, v in (right['image_info'] or {}).items() if k not in more}
        left['image_info'] = _change(left['image_info'], old)
        right['image_info'] = _change(kept, new)
    return _given(left), _given(right)


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


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


def _stores(
    pairing: Pairing,
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    operations: Sequence[Operation],
) -> list[Difference]:
    """Differences between the stores at the end, each put at the last operation on that image."""
    rest = {record['id']: record for record in new}
    found: list[Difference] = []
    for record in old:
        twin = rest.pop(pairing.to_new.get(record['id'], record['id']), None)
        title = f'image {record.get("name")!r}'
        mismatches = (
            [Mismatch('', record, MISSING)] if twin is None else pairing.compare(record, twin)
        )
        if mismatches:
            last = _last(operations, {record['id'], '' if twin is None else twin['id']})
            found.append(_stored(title, last, mismatches))
    for record in rest.values():
        last = _last(operations, {record['id']})
        found.append(
            _stored(f'image {record.get("name")!r}', last, [Mismatch('', MISSING, record)])
        )
    return found


def _stored(title: str, last: Operation | None, mismatches: Sequence[Mismatch]) -> Difference:
    told = tuple(
        Mismatch(f'{title} {each.path}'.strip(), each.old, each.new) for each in mismatches
    )
    if last is None:
        return Difference('stored', 'store', mismatches=told)
    return Difference('stored', 'store', last.file, last.new_line, told)


def _last(operations: Sequence[Operation], ids: set[str]) -> Operation | None:
    """The last operation that changed one of the images."""
    for operation in reversed(operations):
        result = operation.raw.get('result')
        touched = {
            operation.raw.get('args', {}).get('image_id'),
            result.get('id') if isinstance(result, dict) else None,
        }
        if operation.op in ('create', 'update', 'delete') and touched & (ids - {''}):
            return operation
    return None
