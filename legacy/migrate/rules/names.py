# SPDX-License-Identifier: Apache-2.0
"""P-60: which names the new code uses in a file, so that nothing of the file's own is shadowed."""

from __future__ import annotations

from legacy.migrate import catalogue
from legacy.migrate.scopes import Binding, Scope
from legacy.migrate.tree import Node
from legacy.migrate.unit import Unit

FALLBACK = '_nova_image_api'
FALLBACK_PARSE = '_parse_image_ref'
#: What a reference may be called that needs a variable.
LOCALS = ('image_ref', 'image_href', 'image_reference')


class NewNames:
    """The spelling of the new API in one file.

    :ivar problem: why no spelling is free, or ''
    :ivar api: the class; ``parse`` the reference parser; ``listing`` what leaves out unknown keywords
    :ivar uses_parse: set when the plan of an acquisition calls the parser
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.problem = ''
        self._locals: dict[int, tuple[str, Node]] = {}
        self.plain = not self._collides(catalogue.NEW_PACKAGE)
        self.listing = f'{catalogue.NEW_PACKAGE if self.plain else FALLBACK}.listing_arguments'
        if self.plain:
            self.api, self.parse = catalogue.NEW_CALL, f'{catalogue.NEW_PACKAGE}.parse_image_ref'
        else:
            self.api, self.parse = f'{FALLBACK}.API', FALLBACK_PARSE
            if self._taken(FALLBACK) or self._taken(FALLBACK_PARSE):
                self.problem = f'{catalogue.NEW_PACKAGE} and {FALLBACK} already mean something else here'

    def _collides(self, name: str) -> bool:
        for start, end in self.unit.words(name):
            node = self.unit.source.at(start, end)
            if node.type != 'identifier':
                continue
            scope = self.unit.scopes.around(node)
            for each in (scope, *self._own(node)):
                found = each.at.get(id(node))
                if found is not None and not _is_package(found):
                    return True
        return False

    def _own(self, node: Node) -> list[Scope]:
        holder = node.closest(
            'function_definition',
            'lambda',
            'class_definition',
            'list_comprehension',
            'set_comprehension',
            'dictionary_comprehension',
            'generator_expression',
        )
        return [self.unit.scopes.of(holder)] if holder is not None else []

    def _taken(self, name: str) -> bool:
        for binding in self.unit.scopes.module.bindings.get(name, ()):
            if binding.kind in ('import', 'from') and catalogue.NEW_PACKAGE in binding.owner.text:
                return False
        return any(self.unit.source.at(*span).type == 'identifier' for span in self.unit.words(name))

    def imports(self, scope: Scope, text: str) -> list[str]:
        """Import statements that the new code needs in a scope and does not find there.

        :param text: the new code
        """
        bound = {
            binding.name
            for each in {id(scope): scope, id(self.unit.scopes.module): self.unit.scopes.module}.values()
            for name in (catalogue.NEW_PACKAGE, FALLBACK, FALLBACK_PARSE)
            for binding in each.bindings.get(name, ())
            if _plainly_imported(binding)
        }
        if self.plain:
            return [] if catalogue.NEW_PACKAGE in bound else [f'import {catalogue.NEW_PACKAGE}.api']
        wanted = []
        if FALLBACK in text and FALLBACK not in bound:
            wanted.append(f'import {catalogue.NEW_PACKAGE}.api as {FALLBACK}')
        if FALLBACK_PARSE in text and FALLBACK_PARSE not in bound:
            wanted.append(f'from {catalogue.NEW_PACKAGE} import parse_image_ref as {FALLBACK_PARSE}')
        return wanted

    def fresh_local(self, user: Node, home: Node) -> str:
        """A name for the reference of ``user`` that the file does not use anywhere; '' if all are used.

        :param home: the function, class or module of the new name; what is around or inside it needs other names
        """
        self._locals.pop(id(user), None)
        used = {name for name, other in self._locals.values() if home.start < other.end and other.start < home.end}
        name = next((each for each in LOCALS if each not in used and not self.unit.words(each)), '')
        self._locals[id(user)] = name, home
        return name


def _is_package(binding: Binding) -> bool:
    if binding.kind != 'import':
        return False
    item = binding.owner
    return item.type != 'aliased_import' and item.text.split('.')[0].strip() == catalogue.NEW_PACKAGE


def _plainly_imported(binding: Binding) -> bool:
    if (
        binding.kind not in ('import', 'from')
        or catalogue.NEW_PACKAGE not in (binding.owner.parent or binding.owner).text
    ):
        return False
    return binding.owner.closest('if_statement', 'try_statement') is None
