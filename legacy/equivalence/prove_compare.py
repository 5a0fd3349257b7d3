# SPDX-License-Identifier: Apache-2.0
"""Compare the operations and the stores of the two sides of a proof.

Two operations are the same step when they come from the same line; then their arguments, result or
error, bytes and files have to be equal, but for ids, times and scratch paths (see ``pairing``), and for
what the rewrite bridges: arguments are compared as what they ask of the image service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from legacy.equivalence.pairing import MISSING, Mismatch, Pairing, texts
from legacy.equivalence.prove_content import mismatches
from legacy.equivalence.prove_pairs import Pair, concurrent, pairs, reordered
from legacy.equivalence.prove_trace import Operation

Kind = Literal['inert', 'changed', 'missing', 'extra', 'order', 'stored', 'ended']


@dataclass(frozen=True)
class Difference:
    """One difference.

    :param kind: ``changed``: the same call, something else in it; ``missing`` and ``extra``: only the old
        or only the new program made it; ``order``: a thread or process made its calls in another order;
        ``stored``: the stores differ at the end; ``ended``: COMMAND ended otherwise; ``inert``: a test double
        that the old program called and the new one passes by
    :param new_line: line in the rewritten file, 0 if unknown
    :param subject: the image, or the old name that was doubled
    :param old: the operation on the old side, if there is one; for ``stored`` the last that changed the image
    :param pairs: all operations of the runs that it was found in
    """

    kind: Kind
    op: str
    file: str | None = None
    new_line: int = 0
    mismatches: tuple[Mismatch, ...] = ()
    subject: str = ''
    old: Operation | None = None
    new: Operation | None = None
    pairs: Sequence[Pair] = field(default=(), compare=False, repr=False)


@dataclass
class Comparison:
    """All that comparing found: pairs of operations in the order of the run, and the differences in order."""

    pairs: list[Pair] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    concurrent: bool = False

    @property
    def compared(self) -> list[Operation]:
        """One operation of each pair, the new one where there is one."""
        return [right or left for left, right in self.pairs]  # type: ignore[misc]


def compare(
    old: Sequence[Operation],
    new: Sequence[Operation],
    old_store: Sequence[Mapping[str, Any]],
    new_store: Sequence[Mapping[str, Any]],
    window: tuple[float, float],
) -> Comparison:
    """Compare two runs."""
    pairing = Pairing.between(
        texts([operation.raw for operation in old]), texts([operation.raw for operation in new]), window
    )
    at_once = concurrent(old) or concurrent(new)
    found = Comparison(pairs(old, new, pairing, at_once=at_once), concurrent=at_once)
    for left, right in found.pairs:
        if left is not None and right is not None:
            unequal = mismatches(pairing, left, right)
            if unequal:
                found.differences.append(_difference('changed', left, right, unequal))
        elif left is not None:
            found.differences.append(_difference('missing', left, None, _summary(left, old=True)))
        elif right is not None:
            found.differences.append(_difference('extra', None, right, _summary(right, old=False)))
    if at_once:
        found.differences += [_difference('order', *pair, ()) for pair in reordered(found.pairs)]
    found.differences += _stores(pairing, old_store, new_store, old, new)
    found.differences = [replace(each, pairs=found.pairs) for each in found.differences]
    return found


def _difference(
    kind: Kind, old: Operation | None, new: Operation | None, found: Iterable[Mismatch]
) -> Difference:
    shown = new or old
    assert shown is not None
    return Difference(kind, shown.op, shown.file, shown.new_line, tuple(found), old=old, new=new)


def _summary(operation: Operation, *, old: bool) -> list[Mismatch]:
    given = {k: v for k, v in operation.raw.get('args', {}).items() if v not in (None, False)}
    outcome = 'error' if 'error' in operation.raw else 'result'
    told = [('arguments', given)]
    if outcome == 'error':
        told.append(('error', operation.raw['error']))
    return [
        Mismatch(name, *((value, MISSING) if old else (MISSING, value))) for name, value in told
    ]


def _stores(
    pairing: Pairing,
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    old_operations: Sequence[Operation],
    new_operations: Sequence[Operation],
) -> list[Difference]:
    """Differences between the stores at the end, each put at the last operation on that image."""
    rest = {record['id']: record for record in new}
    twins = [(record, rest.pop(pairing.to_new.get(record['id'], record['id']), None)) for record in old]
    found: list[Difference] = []
    for record, twin in (*twins, *((None, each) for each in rest.values())):
        if record is not None and twin is not None:
            unequal = pairing.compare(record, twin)
        else:
            unequal = [Mismatch('', MISSING if record is None else record, MISSING if twin is None else twin)]
        if unequal:
            left = record and _last(old_operations, record['id'])
            right = twin and _last(new_operations, twin['id'])
            name = f'image {(record or twin or {}).get("name")!r}'
            last = right or left
            place = (last.file, last.new_line) if last else (None, 0)
            found.append(Difference('stored', 'store', *place, tuple(unequal), name, left or None, right or None))
    return found


def _last(operations: Sequence[Operation], image_id: str) -> Operation | None:
    """The last operation that changed the image."""
    for operation in reversed(operations):
        result = operation.raw.get('result')
        made = result.get('id') if isinstance(result, dict) else None
        touched = {operation.raw.get('args', {}).get('image_id'), made}
        if operation.op in ('create', 'update', 'delete') and image_id in touched:
            return operation
    return None
