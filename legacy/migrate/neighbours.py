# SPDX-License-Identifier: Apache-2.0
"""What the other files of a run reach into: asked by text, so rather too often yes than once too few."""

from __future__ import annotations

import os
import re
from functools import cached_property

from legacy.migrate.unit import Unit

#: ``from some.module import *``, and the last part of the module's name.
_STARRED = re.compile(rb'\bfrom\s+[\w.]*?(\w+)\s+import\s*\*')


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

    @cached_property
    def _starred(self) -> dict[str, list[str]]:
        """The last part of a module's name -> the files that import everything from it."""
        found: dict[str, list[str]] = {}
        for path, data in self.texts.items():
            for match in _STARRED.finditer(data) if b'*' in data else ():
                found.setdefault(match.group(1).decode(), []).append(path)
        return found

    def reads_global(self, unit: Unit, name: str) -> str:
        """``file:line`` where a module-level name of ``unit`` may be imported or reached, or ''."""
        return self._reads(unit.path, name, {unit.path})

    def _reads(self, path: str, name: str, seen: set[str]) -> str:
        plain = os.fsencode(stem_of(path))
        stem, word = re.escape(plain), re.escape(name).encode()
        through = rb'\b' + stem + rb'\s*\.\s*' + word + rb'\b'
        listed = rb'from\s+[\w.]*\b' + stem + rb'\s+import\s*(?:\([^)]*?|(?:\\\r?\n|[^\n(])*?)\b' + word + rb'\b'
        pattern = re.compile(through + rb'|' + listed)
        renamed = re.compile(rb'\b' + stem + rb'\s+as\s+(\w+)')
        whole = re.compile(rb'\b' + word + rb'\b')
        starred = [each for each in self._starred.get(stem_of(path), ()) if each not in seen and name[0] != '_']
        for other, data in self.containing(name.encode()):
            if other == path or plain not in data:
                continue
            match = pattern.search(data) or (whole.search(data) if other in starred else None)
            for alias in renamed.finditer(data) if match is None else ():
                match = match or re.search(rb'\b' + re.escape(alias.group(1)) + rb'\s*\.\s*' + word + rb'\b', data)
            if match is not None:
                return f'{other}:{data.count(bytes([10]), 0, match.start()) + 1}'
        seen.update(starred)
        return next((found for each in starred if (found := self._reads(each, name, seen))), '')
