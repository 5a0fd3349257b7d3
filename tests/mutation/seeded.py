# SPDX-License-Identifier: Apache-2.0
"""Faults by the operators of cosmic-ray: a seed picks so many in each area, on lines that a detector executes."""

from __future__ import annotations

import ast
import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mutants
from mutants import DoesNotApply, Mutant

SEED = 2026
IN_EACH_AREA = 40
#: these need arguments of their own: which variable to replace
_LEFT_OUT = ('variable_replacer', 'variable_inserter')

#: where an operator can change a file: its name, the how-manieth such place, the line
Place = tuple[str, int]


def picked(root: Path, executed: Mapping[str, Mapping[int, Any]], seed: int = SEED) -> Iterator[Mutant]:
    """The seeded faults of all areas.

    :param executed: by file, the lines that some detector executes
    """
    for area in mutants.AREAS:
        yield from _of_area(area, root, executed, seed)


def _of_area(
    area: str, root: Path, executed: Mapping[str, Mapping[int, Any]], seed: int
) -> Iterator[Mutant]:
    sources = {file: (root / file).read_text(encoding='utf-8') for file in mutants.files(area, root)}
    places: dict[str, tuple[str, int, dict[str, list[Place]]]] = {}
    for file, source in sources.items():
        tickets = _tickets(file, source, seed)
        for line, family, place in _places(source):
            if executed.get(file, {}).get(line):
                families = places.setdefault(tickets[line - 1], (file, line, {}))[2]
                families.setdefault(family, []).append(place)
    names: set[str] = set()
    for ticket in sorted(places):
        file, line, families = places[ticket]
        chance = random.Random(ticket)
        found = families[chance.choice(sorted(families))]
        made = _made(file, sources[file], line, chance.choice(found))
        if made is not None and made.name not in names:
            yield made
            names.add(made.name)
        if len(names) == IN_EACH_AREA:
            return


def _tickets(file: str, source: str, seed: int) -> list[str]:
    """One for each line, by its text and not by its number, so that an edit elsewhere does not change the picks."""
    seen: Counter[str] = Counter()
    found = []
    for line in source.splitlines():
        seen[line] += 1
        found.append(hashlib.sha256(f'{seed} {file} {line} {seen[line]}'.encode()).hexdigest())
    return found


def _places(source: str) -> Iterator[tuple[int, str, Place]]:
    """``(line, kind of operator, place)`` of whatever can be changed."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(operator_names()):
        operator = get_operator(name)
        family = operator.__module__.rpartition('.')[2]
        if family in _LEFT_OUT:
            continue
        number = 0
        for node in nodes:
            for (line, _column), _end in operator().mutation_positions(node):
                yield line, family, (name, number)
                number += 1


def _made(file: str, source: str, line: int, place: Place) -> Mutant | None:
    """The change as a text for another; None where it changes nothing that runs."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    operator, number = place
    try:
        changed = mutate_code(source, get_operator(operator)(), number)
    except AttributeError:  # an operator that stumbles over its own place, like an error class with a dot in it
        return None
    if changed is None or changed == source:
        return None
    old, new = _shortest(source, changed)
    what = _one_line(source, changed)
    made = Mutant(f'{file} {_holder(source, line)}: {what}', file, old, new, what)
    try:
        made.applied(source)
    except DoesNotApply:
        return None
    return made


def _holder(source: str, line: int) -> str:
    """The name of the function or class around."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return '.'.join(node.name for node in sorted(around, key=lambda node: node.lineno)) or 'module'


def _one_line(source: str, changed: str) -> str:
    pairs = zip(source.splitlines(), changed.splitlines(), strict=False)
    return next((f'{one.strip()} -> {other.strip()}' for one, other in pairs if one != other), '')


def _shortest(source: str, changed: str) -> tuple[str, str]:
    """Whole lines that differ, with as many around them as make the old text unique."""
    before, after = source.splitlines(keepends=True), changed.splitlines(keepends=True)
    start = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    end = 0
    most = min(len(before), len(after)) - start
    while end < most and before[-1 - end] == after[-1 - end]:
        end += 1
    while True:
        old, new = ''.join(before[start : len(before) - end]), ''.join(after[start : len(after) - end])
        if old and source.count(old) == 1:
            return old, new
        start, end = max(0, start - 1), max(0, end - 1)
