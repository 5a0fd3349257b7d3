# SPDX-License-Identifier: Apache-2.0
"""The parsed files of a run, and those that are parsed only when a service may go there."""

from __future__ import annotations

from dataclasses import dataclass, field

from legacy.migrate import accounting, catalogue, edits, files
from legacy.migrate.find import Import, Reference
from legacy.migrate.neighbours import stem_of
from legacy.migrate.result import FileResult, Result
from legacy.migrate.rules.names import NewNames
from legacy.migrate.sites import Book
from legacy.migrate.tree import Source, Unreadable
from legacy.migrate.unit import Unit


@dataclass
class Work:
    """One parsed file on its way through a run."""

    unit: Unit
    book: Book
    names: NewNames
    imports: list[Import] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    edits: list[edits.Edit] = field(default_factory=list)
    double: int = 0


class Others:
    """Files of the run that are parsed only when a service may go there."""

    def __init__(
        self, works: list[Work], result: Result, texts: dict[str, bytes], found: dict[str, files.Found]
    ) -> None:
        self._works = works
        self._result = result
        self._texts = texts
        self._found = found
        self._units: dict[str, Unit | None] = {work.unit.path: work.unit for work in works}
        self._modules: dict[str, list[str]] = {}
        for path in texts:
            self._modules.setdefault(stem_of(path), []).append(path)

    def module(self, dotted: str) -> Unit | None:
        """The file of a module, if the run has exactly one that it can be."""
        path = self._path(dotted)
        return self.unit(path) if path is not None else None

    def _path(self, dotted: str) -> str | None:
        parts = dotted.split('.')
        wanted = '/'.join(parts)
        fitting = [
            path
            for path in self._modules.get(parts[-1], ())
            if f'/{path}'.removesuffix('/__init__.py').removesuffix('.py').endswith(f'/{wanted}')
        ]
        return fitting[0] if len(fitting) == 1 else None

    def passed_on(self, dotted: str) -> str:
        """What a name of a module of the run stands for, if the module imported it from the old one."""
        module, _, name = dotted.rpartition('.')
        path = self._path(module) if module and catalogue.is_passed_on(name) else None
        if path is None or not accounting.HINT.search(self._texts[path]):
            return dotted
        unit = self.unit(path)
        bindings = unit.scopes.module.bindings.get(name, []) if unit is not None else []
        ref = unit.binding_ref(bindings[0]) if unit is not None and len(bindings) == 1 else None
        if ref is None or ref.doubt or ref.kind not in ('module', 'name') or bindings[0].kind != 'from':
            return dotted
        return ref.dotted if ref.kind == 'module' else f'{ref.module}.{ref.dotted}'

    def unit(self, path: str) -> Unit | None:
        """A file of the run, parsed now if it has not been; None if that cannot be done."""
        if path not in self._units:
            self._units[path] = None
            data, found = self._texts[path], self._found[path]
            try:
                source = Source(data)
            except (Unreadable, RecursionError):
                return None
            if source.error() is None and path not in self._result.files:
                package = files.package_of(found.absolute)
                unit = Unit(path, found.absolute, source, package, files.is_whole(found, package))
                entry = self._result.files[path] = FileResult(path, found.absolute, data, data)
                unit.passed_on = self.passed_on
                self._works.append(Work(unit, Book(unit, entry), NewNames(unit)))
                self._units[path] = unit
        return self._units[path]
