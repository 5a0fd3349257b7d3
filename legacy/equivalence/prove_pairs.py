# SPDX-License-Identifier: Apache-2.0
"""Which operation of the new run is the same step as which of the old one.

One after the other: in order. At the same time (threads, processes): each old stream with a new one that did
equal things in equal order; the rest in any order, with a look at the order inside each stream.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence

from legacy.equivalence.pairing import Pairing, skeleton
from legacy.equivalence.prove_content import arguments, mismatches
from legacy.equivalence.prove_trace import Operation

Pair = tuple[Operation | None, Operation | None]
Pairs = Iterator[Pair]
Stream = tuple[int, str]
#: How many operations one is compared with to find the one most like it.
_MOST_TRIALS = 50


def pairs(old: Sequence[Operation], new: Sequence[Operation], pairing: Pairing, *, at_once: bool) -> list[Pair]:
    """All operations of both sides, each once.

    :param at_once: whether the order of different streams says nothing
    """
    if not at_once:
        return list(_in_order(old, new))
    _bind_by_history(old, new, pairing)
    done, old, new = _equal_streams(old, new, pairing)
    done += _any_order(old, new, pairing)
    return sorted(done, key=lambda pair: (pair[1] or pair[0]).at)  # type: ignore[union-attr]


def concurrent(operations: Sequence[Operation]) -> bool:
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


def _equal_streams(
    old: Sequence[Operation], new: Sequence[Operation], pairing: Pairing
) -> tuple[list[Pair], list[Operation], list[Operation]]:
    """Pairs of streams that did the same in the same order, and what is left of both sides."""
    waiting = _streams(new)
    found: list[Pair] = []
    left: list[Operation] = []
    for stream in _streams(old):
        keys = [each.key for each in stream]
        for candidate in waiting:
            if [each.key for each in candidate] != keys:
                continue
            trial = pairing.copy()
            if not any(mismatches(trial, *pair) for pair in zip(stream, candidate, strict=True)):
                pairing.take(trial)
                waiting.remove(candidate)
                found += zip(stream, candidate, strict=True)
                break
        else:
            left += stream
    rest = [operation for stream in waiting for operation in stream]
    return found, sorted(left, key=lambda each: each.at), sorted(rest, key=lambda each: each.at)


def _streams(operations: Sequence[Operation]) -> list[list[Operation]]:
    found: dict[Stream, list[Operation]] = {}
    for operation in operations:
        found.setdefault(operation.stream, []).append(operation)
    return list(found.values())


def reordered(done: Sequence[Pair]) -> list[Pair]:
    """Per old stream that is one new stream, the first pair whose new operation came too early."""
    partners: dict[Stream, list[tuple[Operation, Operation]]] = {}
    for left, right in done:
        if left is not None and right is not None:
            partners.setdefault(left.stream, []).append((left, right))
    found: list[Pair] = []
    for each in partners.values():
        each.sort(key=lambda pair: (pair[0].at, pair[0].raw['n']))
        if len({right.stream for _, right in each}) == 1:
            times = [(right.at, right.raw['n']) for _, right in each]
            late = (n for n in range(1, len(times)) if times[n] < times[n - 1])
            found += [each[n] for n in late][:1]
    return found


def _any_order(old: Sequence[Operation], new: Sequence[Operation], pairing: Pairing) -> Pairs:
    """Pair each old operation with an equal one of the same step, else with the one of the same step most like it."""
    waiting: dict[tuple[str, str, int], list[Operation]] = {}
    for operation in new:
        waiting.setdefault(operation.key, []).append(operation)
    unequal: list[Operation] = []
    for operation in old:
        for candidate in waiting.get(operation.key, ()):
            trial = pairing.copy()
            if not mismatches(trial, operation, candidate):
                pairing.take(trial)
                waiting[operation.key].remove(candidate)
                yield operation, candidate
                break
        else:
            unequal.append(operation)
    for operation in unequal:
        rest = waiting.get(operation.key)
        yield operation, _most_like(operation, rest, pairing) if rest else None
    yield from ((None, operation) for rest in waiting.values() for operation in rest)


def _most_like(operation: Operation, rest: list[Operation], pairing: Pairing) -> Operation:
    """Take the one that differs in the fewest fields out of ``rest``."""
    trials = [(len(mismatches(trial := pairing.copy(), operation, each)), trial) for each in rest[:_MOST_TRIALS]]
    index = min(range(len(trials)), key=lambda n: trials[n][0])
    pairing.take(trials[index][1])
    return rest.pop(index)


def _bind_by_history(old: Sequence[Operation], new: Sequence[Operation], pairing: Pairing) -> None:
    """Tell images made by equal calls apart by all that was done with them."""
    histories = _histories(new)
    for history, ids in _histories(old).items():
        for old_id, new_id in zip(ids, histories.get(history, ()), strict=False):
            pairing.bind(old_id, new_id)


def _histories(operations: Sequence[Operation]) -> dict[tuple[str, ...], list[str]]:
    """Ids of images by what was done with each, in whatever order."""
    done: dict[str, list[str]] = {}
    for operation in operations:
        result = operation.raw.get('result')
        made = result.get('id') if isinstance(result, dict) else None
        image_id = operation.raw.get('args', {}).get('image_id') or made
        if isinstance(image_id, str):
            left, _ = arguments(operation, operation)
            what = json.dumps([operation.key, left, operation.content], sort_keys=True)
            moved = [operation.raw.get(name) for name in ('sent', 'received', 'file')]
            done.setdefault(image_id, []).append(skeleton(what) + json.dumps(moved))
    found: dict[tuple[str, ...], list[str]] = {}
    for image_id, history in done.items():
        found.setdefault(tuple(sorted(history)), []).append(image_id)
    return found
