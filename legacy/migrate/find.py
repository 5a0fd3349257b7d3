# SPDX-License-Identifier: Apache-2.0
"""Every reference to the old module in one file, and what kind of place it is.

Imports first, then every read of a name they bind, climbed to the longest dotted name it stands for. What the
places become is decided by the groups and the rules; what the text search alone sees is in ``mentions.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from legacy.migrate import catalogue
from legacy.migrate.scopes import Binding
from legacy.migrate.tree import Node, outer
from legacy.migrate.unit import Ref, Unit


@dataclass(eq=False)
class Reference:
    """One expression that names something of the old module."""

    node: Node
    ref: Ref
    rewritten: bool = False


@dataclass(eq=False)
class Import:
    """One name that an import statement binds to something old, or to a package on the way to it."""

    binding: Binding
    item: Node
    statement: Node
    ref: Ref
    full: str
    references: list[Reference] = field(default_factory=list)
    others: list[Node] = field(default_factory=list)

    @property
    def is_old(self) -> bool:
        """Whether the statement itself names an old module (and not only a package above it)."""
        parts = self.full.split('.')
        return any(catalogue.is_module('.'.join(parts[:n])) for n in range(1, len(parts) + 1))


def imports(unit: Unit) -> list[Import]:
    """The imports of a file that lead to the old module, in order."""
    found: list[Import] = []
    seen: set[int] = set()
    for word in ('import',):
        for start, end in unit.words(word):
            node = unit.source.at(start, end)
            statement = node if node.type.endswith('_statement') else node.parent
            if statement is None or statement.type not in ('import_statement', 'import_from_statement'):
                continue
            if id(statement) in seen or node.type in ('comment', 'string_content'):
                continue
            seen.add(id(statement))
            scope = unit.scopes.around(statement)
            for item in statement.children:
                if item.field == 'name':
                    first = item if statement.type == 'import_from_statement' else item.named[0]
                    item = item.get('alias') or first
                elif item.type != 'wildcard_import':
                    continue
                binding = scope.at.get(id(item))
                made = _import(unit, binding, statement) if binding is not None else None
                if made is not None:
                    found.append(made)
    return sorted(found, key=lambda each: each.item.start)


def _import(unit: Unit, binding: Binding, statement: Node) -> Import | None:
    ref = unit.binding_ref(binding)
    if ref is None or ref.kind not in ('path', 'module', 'name'):
        return None
    item = binding.owner if binding.kind != 'star' else binding.node
    full = ref.dotted if ref.kind != 'name' else f'{ref.module}.{ref.dotted}'
    if binding.kind == 'import' and item.type != 'aliased_import':
        full = ''.join(item.text.split()).replace('\\', '')
    return Import(binding, item, statement, ref, full)


def references(unit: Unit, found: list[Import]) -> list[Reference]:
    """The reads of what the imports bind; each is noted with the imports it came through."""
    made: dict[int, Reference] = {}
    by_binding: dict[int, list[Import]] = {}
    for each in found:
        by_binding.setdefault(id(each.binding), []).append(each)
    done: set[tuple[int, str]] = set()
    for each in found:
        if each.binding.kind == 'star':
            _star(unit, each, made)
            continue
        home = unit.scopes.lookup(each.binding.name, each.binding.scope) or each.binding.scope
        if (id(home), each.binding.name) in done:
            continue
        done.add((id(home), each.binding.name))
        for read in unit.reads(home, each.binding.name):
            node, ref = climb(unit, read)
            if ref is None:
                continue
            old = ref.kind == 'name' or ref.kind == 'module' or ref.dotted.startswith('nova.image.')
            for binding in ref.via:
                for via in by_binding.get(id(binding), ()):
                    if not old:
                        via.others.append(node)
                        continue
                    reference = made.get(id(node))
                    if reference is None:
                        reference = made[id(node)] = Reference(node, ref)
                    if reference not in via.references:
                        via.references.append(reference)
    return sorted(made.values(), key=lambda each: each.node.start)


def _star(unit: Unit, each: Import, made: dict[int, Reference]) -> None:
    for name in catalogue.MODULE_NAMES:
        for start, end in unit.words(name):
            node = unit.source.at(start, end)
            if node.type != 'identifier' or id(node) in made:
                continue
            ref = unit.resolve(node)
            if ref is not None and each.binding in ref.via:
                reference = made[id(node)] = Reference(node, ref)
                each.references.append(reference)


def climb(unit: Unit, read: Node) -> tuple[Node, Ref | None]:
    """The longest dotted name above a read that names something old or on the way, and what it names."""
    node, ref = read, unit.resolve(read)
    if ref is None:
        return node, None
    while ref.kind in ('path', 'module'):
        above = outer(node).parent
        if above is None or above.type != 'attribute' or outer(node).field != 'object':
            break
        deeper = unit.resolve(above)
        if deeper is None:
            break
        node, ref = above, deeper
        if deeper.kind == 'other':
            break
    return node, ref
