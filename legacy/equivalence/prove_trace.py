# SPDX-License-Identifier: Apache-2.0
"""Read the recording of one side: which operation, from which line of the tree, with what.

Puts both sides on one numbering: a place is the file and the line that the call has *in the rewritten
file*. Knows the line format of ``nova_image.recording`` and the result of a migration.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from legacy.equivalence.prove_run import Side, read_lines
from legacy.migrate import FileResult, Result, Site

#: How the directories of a side are written in what is compared.
TREE, TEMPORARY, STORE = '<tree>', '<tmp>', '<store>'


@dataclass(frozen=True)
class Operation:
    """One recorded operation.

    :param file: path in the tree of the file that made the call, None if it is not in the tree
    :param line: line there, on its own side; ``new_line``: the line it has in the rewritten file
    :param stream: process and thread
    """

    op: str
    at: float
    stream: tuple[int, str]
    file: str | None
    line: int
    new_line: int
    where: str
    raw: dict[str, Any]
    by_function: bool = False

    @property
    def key(self) -> tuple[str, str, int]:
        """What says that two operations are the same step of the program."""
        if self.by_function and self.file:
            return self.op, f'{self.file}:{(self.raw.get("caller") or {}).get("function")}', 0
        return self.op, self.file or self.where, self.new_line if self.file else 0

    @cached_property
    def content(self) -> dict[str, Any]:
        """What of the operation is compared, besides its arguments."""
        names = ('context', 'server', 'sent', 'received', 'file', 'result', 'error')
        found = {name: self.raw.get(name) for name in names}
        found['server'] = str(found['server'] or '').rstrip('/') or None
        return {name: value for name, value in found.items() if value is not None}


def read(side: Side, migration: Result) -> list[Operation]:
    """All operations of a side, in the order in which they were called."""
    return operations(_cleaned(side), migration, new=side.is_new)


def operations(
    lines: Iterable[dict[str, Any]], migration: Result, *, new: bool, by_function: bool = False
) -> list[Operation]:
    """Operations from the lines of a recording.

    :param by_function: steps are told apart by function, since lines have moved in unknown ways
    :raises ValueError: a line that no recording holds
    """
    found = []
    for line in lines:
        try:
            found.append((int(line['n']), _operation(line, migration, new, by_function)))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
            raise ValueError(f'{line!r:.200} is no line of a recording: {exc!r}') from exc
    return [operation for _, operation in sorted(found, key=lambda each: (each[1].at, each[0]))]


def _cleaned(side: Side) -> Iterable[dict[str, Any]]:
    """The lines of the recording, with names for the directories of the side."""
    if not side.recording.exists():
        return
    names = [
        (json.dumps(str(place))[1:-1], name)
        for directory, name in ((side.tree, TREE), (side.temporary, TEMPORARY), (side.store, STORE))
        for place in {directory, directory.resolve()}
    ]
    with side.recording.open(encoding='utf-8', errors='replace') as lines:
        for line in lines:
            for directory, name in names:
                line = line.replace(directory, name)
            with contextlib.suppress(ValueError):  # cut off by a killed process; the count tells
                yield json.loads(line)


def _operation(raw: dict[str, Any], migration: Result, new: bool, by_function: bool) -> Operation:
    caller = raw.get('caller') or {}
    name, line = str(caller.get('file', '')), int(caller.get('line', 0))
    if name and not os.path.isabs(name) and not name.startswith(TREE):
        name = (
            f'{TREE}{os.sep}{name}'  # compiled under a relative name: the command runs in the tree
        )
    inside = name.startswith(TREE + os.sep)
    file = name[len(TREE) + 1 :].replace(os.sep, '/') if inside else None
    return Operation(
        op=str(raw.get('op')),
        at=float(raw.get('at', 0)),
        stream=(int(raw.get('pid', 0)), str(raw.get('thread'))),
        file=file,
        line=line,
        new_line=line if by_function else in_rewritten(migration.files.get(file or ''), line, new=new),
        where=f'{os.path.basename(name)}:{caller.get("function")}',
        raw=raw,
        by_function=by_function,
    )


def in_rewritten(file: FileResult | None, line: int, *, new: bool) -> int:
    """The line that a line has in the rewritten file; ``new``: it is a line of that already."""
    if file is None:
        return line
    if new:
        site = _site(file, line, new=True)
        return line if site is None else site.new_line
    site = _site(file, line, new=False)
    return file.map_line(line) if site is None else site.new_line


def _site(file: FileResult, line: int, *, new: bool) -> Site | None:
    """The shortest site that the line is in."""
    best: tuple[int, Site] | None = None
    for site in file.sites:
        if site.status != 'rewritten' or not site.new_line:
            continue
        first, last = span(site) if new else (site.line, max(site.line, site.end_line))
        if first <= line <= last and (best is None or last - first < best[0]):
            best = (last - first, site)
    return None if best is None else best[1]


def span(site: Site) -> tuple[int, int]:
    """First and last line of a site in the rewritten file."""
    return site.new_line, max(site.new_line, site.new_end_line)


def old_line(file: FileResult | None, new_line: int) -> int:
    """The line of the input that became ``new_line``; 0 if there is none."""
    if file is None:
        return new_line
    site = _site(file, new_line, new=True)
    if site is not None:
        return site.line
    count = file.old_bytes.count(b'\n') + 1
    return next((line for line in range(1, count + 1) if file.map_line(line) == new_line), 0)


def executed(side: Side, operations: Iterable[Operation]) -> set[tuple[str, int]]:
    """Lines of the tree that are known to have run: (file, line)."""
    tree = side.tree.resolve()
    found = {(operation.file, operation.line) for operation in operations if operation.file}
    for entry in read_lines(side.executed):
        place = Path(entry['file'])
        if place.is_relative_to(tree):
            found.add((place.relative_to(tree).as_posix(), int(entry['line'])))
    return {(file, line) for file, line in found if file is not None}


def raised(side: Side) -> dict[tuple[str, int], str]:
    """Errors that were raised in rewritten files, by file and line: class and text of the first."""
    tree = side.tree.resolve()
    found: dict[tuple[str, int], str] = {}
    for entry in read_lines(side.executed):
        place = Path(entry['file'])
        if 'raised' in entry and place.is_relative_to(tree):
            text = entry['raised'].replace(f'{side.tree}{os.sep}', '')
            found.setdefault((place.relative_to(tree).as_posix(), int(entry['line'])), text)
    return found


def gaps(operations: Iterable[Operation]) -> int:
    """How many operations were counted and are not in the recording."""
    numbers: dict[int, list[int]] = {}
    for operation in operations:
        numbers.setdefault(operation.stream[0], []).append(int(operation.raw['n']))
    return sum(max(each) - min(each) + 1 - len(set(each)) for each in numbers.values())
