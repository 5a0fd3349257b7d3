# SPDX-License-Identifier: Apache-2.0
"""P-23: which definitions of the run an expression names, and which classes an object may be of.

Across files, by imports and by what is assigned; None wherever that is not certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from legacy.migrate.call_words import LOADERS, last_word
from legacy.migrate.classes import class_of_self, is_store, relatives
from legacy.migrate.environment import UNBOUND
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit

#: Dotted module name -> its file, if the run has exactly one.
Resolver = Callable[[str], Unit | None]
#: A class or a function, and the file it is in.
Definition = tuple[Unit, Node]
_DEPTH = 5


def definition(unit: Unit, node: Node, resolver: Resolver, depth: int = 0) -> Definition | None:
    """The class or function that a name or a dotted name stands for, if there is no doubt about it."""
    node = inner(node)
    if node.type == 'identifier':
        home = unit.scopes.lookup(node.text, unit.scopes.around(node))
        bindings = unit.scopes.all_bindings(node.text, home) if home is not None else []
        if len(bindings) != 1 or home is None or home.kind == 'class' or UNBOUND in unit.definitions(node):
            return None
        if bindings[0].kind in ('def', 'class'):
            return unit, bindings[0].owner
    ref = unit.resolve(node)
    if ref is None or ref.kind != 'other' or ref.doubt:
        return None
    return named(ref.dotted, resolver, depth)


def named(dotted: str, resolver: Resolver, depth: int = 0) -> Definition | None:
    """The class or function of a dotted name, names that modules pass on included."""
    module, _, name = dotted.rpartition('.')
    target = resolver(module) if module else None
    if target is None or depth > _DEPTH:
        return None
    bindings = target.scopes.all_bindings(name, target.scopes.module)
    if len(bindings) != 1 or bindings[0].owner.closest('if_statement', 'try_statement'):
        return None
    if bindings[0].kind in ('def', 'class'):
        return target, bindings[0].owner
    ref = target.binding_ref(bindings[0]) if bindings[0].kind == 'from' else None
    if ref is None or ref.kind != 'other' or ref.doubt:
        return None
    return named(ref.dotted, resolver, depth + 1)


def method(owner: Node, name: str) -> Node | None:
    """The function that a class itself defines under a name; None if there is none, or another thing."""
    found = [
        each
        for child in (owner.get('body') or owner).named
        if (each := child.get('definition') or child).type == 'function_definition'
        and (each.get('name') or each).text == name
    ]
    return found[0] if len(found) == 1 else None


def returns(function: Node) -> list[Node]:
    """The return statements of a function itself."""
    return [
        each
        for each in function.walk(into=('function_definition', 'lambda'))
        if each.type == 'return_statement' and each.closest('function_definition') is function
    ]


class Lineage:
    """The classes of a run."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self._bases: dict[int, list[Definition | None]] = {}
        self._lines: dict[int, tuple[list[Definition], bool]] = {}
        self._above: dict[int, frozenset[int]] = {}

    def bases(self, unit: Unit, owner: Node) -> list[Definition | None]:
        """The bases of a class; None for one that is not known. ``object`` is none."""
        found = self._bases.get(id(owner))
        if found is None:
            listed = owner.get('superclasses')
            given = [each for each in listed.named if each.type != 'keyword_argument'] if listed else []
            found = self._bases[id(owner)] = []
            for each in given:
                if each.text == 'object':
                    continue
                known = definition(unit, each, self.resolver)
                found.append(known if known is not None and known[1].type == 'class_definition' else None)
        return found

    def line(self, unit: Unit, owner: Node) -> tuple[list[Definition], bool]:
        """A class with its ancestors, and whether all of them are known."""
        known = self._lines.get(id(owner))
        if known is None:
            known = self._lines[id(owner)] = self._line(unit, owner)
        return known

    def _line(self, unit: Unit, owner: Node) -> tuple[list[Definition], bool]:
        found: list[Definition] = []
        whole, waiting = True, [(unit, owner)]
        while waiting and len(found) < 50:
            each = waiting.pop(0)
            if any(each[1] is known for _, known in found):
                continue
            found.append(each)
            for base in self.bases(*each):
                if base is None:
                    whole = False
                else:
                    waiting.append(base)
        return found, whole

    def related(self, first: Definition, second: Definition) -> bool:
        """Whether one of two classes descends from the other."""
        return id(second[1]) in self._ids(first) or id(first[1]) in self._ids(second)

    def _ids(self, owner: Definition) -> frozenset[int]:
        found = self._above.get(id(owner[1]))
        if found is None:
            found = self._above[id(owner[1])] = frozenset(id(each) for _, each in self.line(*owner)[0])
        return found

    def initializer(self, unit: Unit, owner: Node) -> Definition | None:
        """The ``__init__`` that makes an object of a class, if it is known."""
        for each, node in self.line(unit, owner)[0]:
            found = method(node, '__init__')
            if found is not None:
                return each, found
            if None in self.bases(each, node):
                return None
        return None

    def stores(self, owner: Definition, name: str) -> Iterator[Node]:
        """The targets in a class's file that store an attribute on ``self`` of the class or a relative."""
        unit, family = owner[0], relatives(*owner)
        for start, end in unit.words(name):
            node = unit.source.at(start, end)
            above = node.parent
            if above is None or above.type != 'attribute' or node.field != 'attribute' or not is_store(above):
                continue
            holder = above.get('object')
            if holder is not None and class_of_self(unit, holder) in family:
                yield above

    def given_at_once(self, unit: Unit, node: Node) -> Node | None:
        """What ``__init__`` stores in an attribute of self, if that is the only store of it."""
        holder, name = node.get('object'), node.get('attribute')
        owner = class_of_self(unit, holder) if node.type == 'attribute' and holder is not None else None
        stores = list(self.stores((unit, owner), name.text)) if owner is not None and name is not None else []
        if len(stores) != 1 or owner is None:
            return None
        statement, inside = stores[0].parent, stores[0].closest('function_definition')
        if statement is None or statement.type != 'assignment' or inside is not method(owner, '__init__'):
            return None
        return statement.get('right')

    def kinds(self, unit: Unit, node: Node, depth: int = 0) -> list[Definition] | None:
        """The classes that an object may be of; None if that is not known."""
        node = inner(node)
        if depth > _DEPTH:
            return None
        if node.type == 'call':
            return self._made(unit, node, depth)
        if node.type == 'boolean_operator':
            right = node.get('right')
            return self.kinds(unit, right, depth + 1) if right is not None else None
        if node.type == 'conditional_expression':
            return self._joined(
                (unit, each) for each in node.named[::2] if not self._given(unit, each)
            )
        if node.type == 'identifier':
            owner = class_of_self(unit, node)
            if owner is not None:
                return [(unit, owner)]
            bindings = [each for each in unit.definitions(node) if each != UNBOUND]
            rights = [each.owner.get('right') if each.kind == 'assign' else None for each in bindings]
            plain = all(
                right is not None and (each.owner.get('left') or right).type == 'identifier'
                for each, right in zip(bindings, rights, strict=True)
            )
            return self._joined(((unit, each) for each in rights if each is not None), depth) if plain else None
        if node.type == 'attribute':
            return self._held(unit, node, depth)
        return None

    @staticmethod
    def _given(unit: Unit, node: Node) -> bool:
        """Whether an expression is a parameter: what stands beside it is its default."""
        found = unit.definitions(inner(node)) if inner(node).type == 'identifier' else []
        return bool(found) and all(each != UNBOUND and each.kind == 'param' for each in found)

    def _joined(self, values: Iterator[tuple[Unit, Node]], depth: int = 0) -> list[Definition] | None:
        found: list[Definition] = []
        for unit, each in values:
            if inner(each).type == 'none':
                continue
            more = self.kinds(unit, each, depth + 1)
            if more is None:
                return None
            found += more
        return found or None

    def _held(self, unit: Unit, node: Node, depth: int) -> list[Definition] | None:
        holder, attribute = node.get('object'), node.get('attribute')
        owners = self.kinds(unit, holder, depth + 1) if holder is not None else None
        if owners is None or attribute is None:
            return None
        values: list[tuple[Unit, Node]] = []
        for owner in owners:
            for each in self.line(*owner)[0]:
                for target in self.stores(each, attribute.text):
                    statement = target.parent
                    right = statement.get('right') if statement is not None else None
                    if statement is None or statement.type != 'assignment' or right is None:
                        return None
                    values.append((each[0], right))
        return self._joined(iter(values), depth)

    def _made(self, unit: Unit, call: Node, depth: int) -> list[Definition] | None:
        function = call.get('function')
        found = definition(unit, function, self.resolver) if function is not None else None
        if found is None:
            return self._by_classmethod(unit, function) if function is not None else None
        if found[1].type == 'class_definition':
            return [found]
        return self._returned(found, depth)

    def _by_classmethod(self, unit: Unit, function: Node) -> list[Definition] | None:
        """``Class.method()`` whose every return is, or is filled in from, a new ``cls()``."""
        holder, name = function.get('object'), function.get('attribute')
        owner = definition(unit, holder, self.resolver) if holder is not None else None
        maker = method(owner[1], name.text) if owner is not None and name is not None else None
        if owner is None or maker is None or maker.parent is None:
            return None
        marked = any('classmethod' in each.text for each in maker.parent.children if each.type == 'decorator')
        returned = returns(maker)
        made = all(each.named and 'cls()' in each.named[0].text for each in returned)
        return [owner] if marked and returned and made else None

    def _returned(self, found: Definition, depth: int) -> list[Definition] | None:
        """What a function returns: objects it makes, or makes of a class that its module names in strings."""
        target, function = found
        returned = [each.named[0] for each in returns(function) if each.named]
        classes: list[Definition] = []
        for each in returned:
            maker = each.get('function') if each.type == 'call' else None
            if maker is not None and last_word(maker) in LOADERS:
                more: list[Definition] | None = self.named_in_strings(target)
            else:
                more = self.kinds(target, each, depth + 1)
            if not more:
                return None
            classes += more
        return classes or None

    def named_in_strings(self, unit: Unit) -> list[Definition]:
        """The classes of the run that a module names by dotted strings."""
        found = []
        for each in unit.source.root.walk():
            text = each.text if each.type == 'string_content' else ''
            known = named(text, self.resolver) if '.' in text and text.replace('.', '').isidentifier() else None
            if known is not None and known[1].type == 'class_definition':
                found.append(known)
        return found
