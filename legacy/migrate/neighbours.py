# SPDX-License-Identifier: Apache-2.0
"""What the other files of a run reach into: asked by text, so rather too often yes than once too few."""

from __future__ import annotations

import re

from legacy.migrate.unit import Unit


def stem_of(path: str) -> str:
    """Last part of a module's dotted name."""
    parts = path.removesuffix('.py').split('/')
    return parts[-2] if parts[-1] == '__init__' and len(parts) > 1 else parts[-1]


class Neighbours:
    """The Python files of the run.

    :ivar shim_taken: why the shim cannot be imported by its name in this tree, or ''
    """

    def __init__(self, texts: dict[str, bytes], shim_taken: str) -> None:
        self.texts = texts
        self.shim_taken = shim_taken
        self._containing: dict[bytes, list[tuple[str, bytes]]] = {}
        self._attributes: dict[str, list[str]] = {}

    def containing(self, name: bytes) -> list[tuple[str, bytes]]:
        """The files that contain a name, looked for once."""
        found = self._containing.get(name)
        if found is None:
            found = [(path, data) for path, data in self.texts.items() if name in data]
            self._containing[name] = found
        return found

    def reaching(self, name: str) -> list[str]:
        """The files with an access to ``.name``, or with the name in quotes."""
        if name not in self._attributes:
            word = re.escape(name.encode())
            pattern = re.compile(rb'\.[\s\\]*' + word + rb'\b|[\'"]' + word + rb'[\'"]')
            found = self.containing(name.encode())
            self._attributes[name] = [path for path, data in found if pattern.search(data)]
        return self._attributes[name]

    def reads_global(self, unit: Unit, name: str) -> str:
        """``file:line`` where a module-level name of ``unit`` may be imported or reached, or ''."""
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
