# SPDX-License-Identifier: Apache-2.0
"""Which names a scope binds, and where a name is looked up: Python's scoping over the tree.

A change goes here when a kind of binding is missed. What reaches a read stands in ``flow.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from legacy.migrate.tree import Node

_DECLARATION = re.compile(rb'\b(?:global|nonlocal)\b')
FUNCTIONS = ('function_definition', 'lambda')
COMPREHENSIONS = (
    'list_comprehension',
    'set_comprehension',
    'dictionary_comprehension',
    'generator_expression',
)
SCOPES = (*FUNCTIONS, 'class_definition', *COMPREHENSIONS)
PATTERNS = (
    'pattern_list',
    'tuple_pattern',
    'list_pattern',
    'list_splat_pattern',
    'as_pattern_target',
    'expression_list',
    'tuple',
    'list',
    'parenthesized_expression',
    'list_splat',
)


@dataclass(eq=False)
class Binding:
    """One place that gives a name a value.

    :ivar node: the identifier that is bound
    :ivar kind: param, assign, aug, for, with, except, import, from, star, def, class, del, match
    :ivar owner: the statement or clause that binds
    """

    name: str
    node: Node
    kind: str
    owner: Node
    scope: Scope


@dataclass(eq=False)
class Scope:
    """A module, class, function, lambda or comprehension."""

    node: Node
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    at: dict[int, Binding] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """module, class, function, lambda or comprehension."""
        kind = self.node.type.removesuffix('_definition')
        return 'comprehension' if self.node.type in COMPREHENSIONS else kind

    @property
    def is_function(self) -> bool:
        """Whether the body runs later than the place where it stands."""
        return self.node.type in FUNCTIONS


def targets(node: Node) -> Iterator[Node]:
    """The identifiers that an assignment target binds; attributes and subscripts bind none."""
    if node.type == 'identifier':
        yield node
    elif node.type in PATTERNS:
        for child in node.named:
            yield from targets(child)


class Scopes:
    """All scopes of one file, each looked into when it is first asked for."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._known: dict[int, Scope] = {}
        self._declared = False
        self.module = self.of(root)

    def of(self, node: Node) -> Scope:
        """The scope that ``node`` (a scope's own node) opens."""
        found = self._known.get(id(node))
        if found is None:
            parent = None if node.parent is None else self.around(node)
            found = self._known[id(node)] = Scope(node, parent)
            self._collect(found)
        return found

    def around(self, node: Node) -> Scope:
        """The scope in which a name at ``node`` is looked up or bound."""
        below = lower = node
        for each in node.ancestors():
            if each.type in SCOPES and self._inside(each, below, lower):
                return self.of(each)
            below, lower = each, below
        return self.of(self.root)

    @staticmethod
    def _inside(scope: Node, child: Node, grandchild: Node) -> bool:
        if scope.type in COMPREHENSIONS:
            first = next((each for each in scope.children if each.type == 'for_in_clause'), None)
            # the first iterable is evaluated outside
            return not (child is first and grandchild.field == 'right')
        return child.field == 'body'

    def _collect(self, scope: Scope) -> None:
        node = scope.node
        if node.type in FUNCTIONS:
            params = node.get('parameters')
            for child in params.named if params else ():
                for name in _parameter(child):
                    self._bind(scope, name, 'param', child)
        if node.type in COMPREHENSIONS:
            for clause in node.children:
                if clause.type == 'for_in_clause':
                    left = [each for each in clause.children if each.field == 'left']
                    for each in left:
                        for name in targets(each):
                            self._bind(scope, name, 'for', clause)
            return
        body = node if node.type == 'module' else node.get('body')
        if body is not None:
            self._body(scope, body)

    def _bind(self, scope: Scope, node: Node, kind: str, owner: Node, name: str = '') -> None:
        binding = Binding(name or node.text, node, kind, owner, scope)
        scope.bindings.setdefault(binding.name, []).append(binding)
        scope.at[id(node)] = binding

    def _body(self, scope: Scope, body: Node) -> None:
        stack = [body]
        while stack:
            node = stack.pop()
            if node is not body and node.type in SCOPES:
                if node.type in ('function_definition', 'class_definition'):
                    name = node.get('name')
                    if name is not None:
                        self._bind(scope, name, node.type.split('_')[0].replace('function', 'def'), node)
                    for child in node.children:
                        if child.field != 'body':
                            stack.append(child)
                elif node.type in COMPREHENSIONS:
                    for each in node.walk():
                        if each.type == 'named_expression':
                            stack.append(each)
                continue
            self._statement(scope, node)
            stack.extend(reversed(node.children))

    def _statement(self, scope: Scope, node: Node) -> None:
        kind = node.type
        if kind in ('assignment', 'augmented_assignment', 'named_expression'):
            left = node.get('left') or node.get('name')
            how = 'aug' if kind == 'augmented_assignment' else 'assign'
            if left is not None and (node.get('right') or node.get('value')):
                for name in targets(left):
                    self._bind(scope, name, how, node)
        elif kind == 'for_statement':
            left = node.get('left')
            for name in targets(left) if left else ():
                self._bind(scope, name, 'for', node)
        elif kind == 'as_pattern':
            how = 'except' if node.closest('except_clause', 'with_item', 'case_pattern') else 'with'
            alias = node.get('alias')
            for name in targets(alias) if alias else ():
                self._bind(scope, name, how, node)
        elif kind in ('except_clause', 'except_group_clause'):
            values = node.all('value')
            if len(values) > 1:
                for name in targets(values[1]):
                    self._bind(scope, name, 'except', node)
            alias = node.get('alias')
            for name in targets(alias) if alias else ():
                self._bind(scope, name, 'except', node)
        elif kind == 'import_statement':
            for item in node.all('name'):
                bound = item.get('alias') or item.named[0]
                self._bind(scope, bound, 'import', item)
        elif kind in ('import_from_statement', 'future_import_statement'):
            for item in node.all('name'):
                bound = item.get('alias') or item
                self._bind(scope, bound, 'from', item)
            for item in node.children:
                if item.type == 'wildcard_import':
                    self._bind(scope, item, 'star', node, '*')
        elif kind == 'delete_statement':
            for child in node.named:
                for name in targets(child):
                    self._bind(scope, name, 'del', node)
        elif kind in ('global_statement', 'nonlocal_statement'):
            for child in node.named:
                scope.outside[child.text] = kind.split('_')[0]
        elif kind == 'case_pattern':
            for child in node.named:
                if child.type == 'dotted_name' and len(child.named) == 1:
                    self._bind(scope, child.named[0], 'match', node)
                elif child.type == 'identifier':
                    self._bind(scope, child, 'match', node)

    def lookup(self, name: str, scope: Scope) -> Scope | None:
        """The scope whose binding of ``name`` a read in ``scope`` sees; None if there is none."""
        current: Scope | None = scope
        first = True
        while current is not None:
            if current.outside.get(name) == 'global':
                return self.module if name in self.module.bindings or self._global(name) else None
            visible = first or current.kind != 'class'
            if visible and name in current.bindings and current.outside.get(name) != 'nonlocal':
                return current
            first = first and current.kind == 'comprehension' and current.parent is not None
            current = current.parent
        return None

    def _global(self, name: str) -> bool:
        return bool(self.all_bindings(name, self.module))

    def all_bindings(self, name: str, scope: Scope) -> list[Binding]:
        """Every binding of ``scope``'s name, those of ``global`` and ``nonlocal`` declarations included."""
        self._load_declarations()
        found = list(scope.bindings.get(name, ()))
        for each in list(self._known.values()):
            if each is scope or name not in each.outside or name not in each.bindings:
                continue
            wanted = self.module if each.outside[name] == 'global' else self._enclosing(name, each.parent)
            if wanted is scope:
                found.extend(each.bindings[name])
        return found

    def _enclosing(self, name: str, scope: Scope | None) -> Scope | None:
        while scope is not None:
            if scope.is_function and name in scope.bindings and name not in scope.outside:
                return scope
            scope = scope.parent
        return None

    def declared(self) -> list[Scope]:
        """The scopes with a ``global`` or ``nonlocal`` statement."""
        self._load_declarations()
        return [each for each in self._known.values() if each.outside]

    def _load_declarations(self) -> None:
        """Look into every function with a ``global`` or ``nonlocal`` statement."""
        if self._declared:
            return
        self._declared = True
        for found in _DECLARATION.finditer(self.root.source.data):
            node = self.root.source.at(found.start(), found.end())
            if node.parent is not None and node.parent.type.startswith(('global', 'nonlocal')):
                self.around(node)


def _parameter(node: Node) -> Iterator[Node]:
    if node.type in ('default_parameter', 'typed_default_parameter'):
        name = node.get('name')
        if name is not None:
            yield from targets(name)
    elif node.type == 'typed_parameter':
        if node.named:
            yield from _parameter(node.named[0])
    elif node.type in ('list_splat_pattern', 'dictionary_splat_pattern'):
        for child in node.named:
            yield from targets(child)
    else:
        yield from targets(node)
