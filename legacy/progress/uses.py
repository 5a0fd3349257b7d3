# SPDX-License-Identifier: Apache-2.0
"""Places by file, function and old name, as baseline and status count them: no line numbers.

Functions are named as Python names them at run time, so that what was found and what ran can be joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from legacy.migrate import FileResult, Result, Site
from legacy.migrate.tree import Node, Source, Unreadable

MODULE = '<module>'
_INNER = re.compile(r'(?:\.<locals>)?\.?<(?:lambda|genexpr|(?:list|dict|set)comp)>')


def places(result: Result) -> Iterator[tuple[Site, str]]:
    """Every site that is ours, with the function it stands in."""
    for path in sorted(result.files):
        entry = result.files[path]
        sites = [site for site in entry.sites if site.status != 'not-ours']
        if sites:
            yield from zip(sites, _functions(entry, sites), strict=True)


def _functions(entry: FileResult, sites: list[Site]) -> list[str]:
    try:
        source = Source(entry.old_bytes)
    except (Unreadable, RecursionError):
        return [MODULE] * len(sites)
    lines = source.text.split('\n')
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    found = []
    for site in sites:
        start = starts[site.line - 1] + len(lines[site.line - 1][: site.column - 1].encode())
        found.append(_qualified(source.at(start, start + 1)))
    return found


def _qualified(node: Node) -> str:
    parts: list[str] = []
    while node.parent is not None:
        above = node.parent
        name = above.get('name') if above.type in ('function_definition', 'class_definition') else None
        if name is not None and node.field == 'body':
            if parts and above.type == 'function_definition':
                parts.insert(0, '<locals>')
            parts.insert(0, name.text)
        node = above
    return '.'.join(parts) or MODULE


def function_of(qualname: str) -> str:
    """The function that a run-time name stands for: lambdas and comprehensions belong to what is around them."""
    return _INNER.sub('', qualname) or MODULE
