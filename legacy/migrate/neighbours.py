# SPDX-License-Identifier: Apache-2.0
"""What the other files of a run reach into: asked by text, so rather too often yes than once too few."""

from __future__ import annotations

import re

from legacy.migrate.groups import Outside
from legacy.migrate.unit import Unit


def stem_of(path: str) -> str:
    """Last part of a module's dotted name."""
    parts = path.removesuffix('.py').split('/')
    return parts[-2] if parts[-1] == '__init__' and len(parts) > 1 else parts[-1]


class Neighbours(Outside):
    """The Python files of the run.

    :ivar shim_taken: why the shim cannot be imported by its name in this tree, or ''
    """

    def __init__(self, texts: dict[str, bytes], shim_taken: str) -> None:
        self.texts = texts
        self.shim_taken = shim_taken
        self._containing: dict[bytes, list[tuple[str, bytes]]] = {}
        self._attributes: dict[str, list[tuple[str, int]]] = {}

    def containing(self, name: bytes) -> list[tuple[str, bytes]]:
        """The files that contain a name, looked for once."""
        found = self._containing.get(name)
        if found is None:
            found = [(path, data) for path, data in self.texts.items() if name in data]
            self._containing[name] = found
        return found

    def reads_attribute(self, unit: Unit, name: str) -> str:
        """See :class:`Outside`."""
        if name not in self._attributes:
            self._attributes[name] = self._accesses(name.encode())
        for path, line in self._attributes[name]:
            if path != unit.path:
                return f'{path}:{line}'
        return ''

    def _accesses(self, name: bytes) -> list[tuple[str, int]]:
        word = re.escape(name)
        pattern = re.compile(rb'\.\s*' + word + rb'\b|[\'"]' + word + rb'[\'"]')
        assigned = re.compile(rb'\bself\s*\.\s*' + word + rb'\s*=[^=]')
        found = []
        for path, data in self.containing(name):
            own = bool(assigned.search(data))
            for match in pattern.finditer(data):
                before = data[max(0, match.start() - 80) : match.start()].rstrip(b' \t\r\n\\')
                on_self = re.search(rb'(?<![\w.])(?:self|cls)$', before) is not None
                if not (own and on_self and match.group().startswith(b'.')):
                    found.append((path, data.count(b'\n', 0, match.start()) + 1))
                    break
        return found

    def reads_global(self, unit: Unit, name: str) -> str:
        """See :class:`Outside`."""
        stem, word = re.escape(stem_of(unit.path)).encode(), re.escape(name).encode()
        through = rb'\b' + stem + rb'\s*\.\s*' + word + rb'\b'
        listed = rb'from\s+[\w.]*\b' + stem + rb'\s+import\s*(?:\([^)]*?|[^\n(]*?)\b' + word + rb'\b'
        pattern = re.compile(through + rb'|' + listed)
        renamed = re.compile(rb'\b' + stem + rb'\s+as\s+(\w+)')
        plain = stem_of(unit.path).encode()
        for path, data in self.containing(name.encode()):
            if path == unit.path or plain not in data:
                continue
            match = pattern.search(data)
            if match is None:
                for alias in renamed.finditer(data):
                    match = re.search(rb'\b' + re.escape(alias.group(1)) + rb'\s*\.\s*' + word + rb'\b', data)
                    if match is not None:
                        break
            if match is not None:
                return f'{path}:{data.count(bytes([10]), 0, match.start()) + 1}'
        return ''
