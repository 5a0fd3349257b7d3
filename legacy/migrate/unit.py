# SPDX-License-Identifier: Apache-2.0
"""One Python file: its scopes and flows, what its names stand for, and where a binding is read.

``resolve`` answers "does this expression name something of the old module?", by imports and never by
spelling (rule 1 of the catalogue). Where a service object goes from there stands in ``trace.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from legacy.migrate import catalogue
from legacy.migrate.arguments import is_read, names_in, remote_parts
from legacy.migrate.environment import UNBOUND
from legacy.migrate.flow import Flow
from legacy.migrate.scopes import Binding, Scope, Scopes
from legacy.migrate.tree import Node, Source, in_backticks, inner

_SKIP = re.compile(rb'#\s*nova-image:\s*skip\b[: \t]*([^\r\n]*)')


@dataclass(frozen=True)
class Ref:
    """What an expression names.

    :ivar kind: path (a package on the way), module (an old module), name (something in it), other
    :ivar dotted: the full dotted name; for ``name`` the bare old name
    :ivar module: for ``name`` the old module it is in
    :ivar via: the import bindings it was reached through
    :ivar doubt: pattern that forbids a rewrite (P-04 star, P-06 conditional, P-25 alias, P-61), or ''
    """

    kind: str
    dotted: str
    module: str = ''
    via: tuple[Binding, ...] = ()
    doubt: str = ''


def classify(dotted: str) -> tuple[str, str, str]:
    """Kind, name and module of a dotted name."""
    if catalogue.is_module(dotted):
        return 'module', dotted, ''
    if catalogue.is_prefix(dotted):
        return 'path', dotted, ''
    head, _, tail = dotted.rpartition('.')
    if catalogue.is_module(head):
        return 'name', tail, head
    return 'other', dotted, ''


@dataclass(eq=False)
class Unit:
    """One file that has been parsed.

    :ivar passed_on: a dotted name -> what it stands for, where a module of the run passes something old on
    :ivar whole: whether the package it is in was given as a whole, so that its callers are seen
    """

    path: str
    absolute: Path
    source: Source
    package: str = ''
    whole: bool = False
    passed_on: Callable[[str], str] = str
    _flows: dict[int, Flow] = field(default_factory=dict)
    _reads: dict[tuple[int, str], list[Node]] = field(default_factory=dict)
    _words: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scopes = Scopes(self.source.root)
        self._remote_words: set[str] | None = None

    # -- names and flows

    def flow(self, scope: Scope) -> Flow:
        """The flow through a scope's body, with the calls of the remote factory watched."""
        found = self._flows.get(id(scope))
        if found is None:
            watch: dict[tuple[int, str], frozenset[str]] = {}
            for word in self.remote_words:
                for start, end in self.words(word):
                    if not scope.node.start <= start < scope.node.end:
                        continue
                    node = self.source.at(start, end)
                    if node.parent is not None and node.parent.type == 'attribute':
                        node = node.parent
                    call = node.parent
                    if call is not None and call.type == 'call' and node.field == 'function':
                        parts = zip(('context', 'reference'), remote_parts(call), strict=True)
                        for part, each in parts:
                            watch[id(call), part] = frozenset(names_in(each))
            found = self._flows[id(scope)] = Flow(self.scopes, scope, watch)
        return found

    @property
    def remote_words(self) -> set[str]:
        """Words that may stand for the function that returns the pair."""
        if self._remote_words is None:
            words = {catalogue.REMOTE}
            for start, end in self.words(catalogue.REMOTE):
                node = self.source.at(start, end)
                item = node.closest('aliased_import')
                alias = item.get('alias') if item else None
                if alias is not None:
                    words.add(alias.text)
            self._remote_words = words
        return self._remote_words

    @cached_property
    def skips(self) -> dict[int, str]:
        """Line -> reason of each ``# nova-image: skip`` comment."""
        if b'nova-image:' not in self.source.data:
            return {}
        found = {}
        for match in _SKIP.finditer(self.source.data):
            if self.source.at(*match.span()).type == 'comment':
                line = self.source.data.count(b'\n', 0, match.start()) + 1
                found[line] = match.group(1).decode().strip() or 'no reason given'
        return found

    def skipped(self, node: Node) -> str:
        """The reason why a comment on the lines of a node keeps it as it is, or ''."""
        if not self.skips:
            return ''
        lines = range(node.line, node.end_line + 1)
        return next((f'skip comment: {self.skips[line]}' for line in lines if line in self.skips), '')

    @cached_property
    def classes(self) -> list[Node]:
        """The classes of the file that are not inside a function, in order."""
        found = []
        for start, end in self.words('class'):
            node = self.source.at(start, end).parent
            if (
                node is not None
                and node.type == 'class_definition'
                and node.closest('function_definition') is None
            ):
                found.append(node)
        return found

    def words(self, word: str) -> list[tuple[int, int]]:
        """Spans of a whole word in the text, wherever it stands."""
        found = self._words.get(word)
        if found is None:
            pattern = re.compile(rb'(?<!\w)' + re.escape(word).encode() + rb'(?!\w)')
            found = self._words[word] = [each.span() for each in pattern.finditer(self.source.data)]
        return found

    def reads(self, scope: Scope, name: str) -> list[Node]:
        """Every identifier that reads ``name`` of ``scope``, in nested scopes too, and texts in backticks that do."""
        key = (id(scope), name)
        found = self._reads.get(key)
        if found is None:
            found = self._reads[key] = []
            for start, end in self.words(name):
                node = self.source.at(start, end)
                if not (in_backticks(node) or node.type == 'identifier' and is_read(node)):
                    continue
                if self.scopes.lookup(name, self.scopes.around(node)) is scope:
                    found.append(node)
        return found

    def definitions(self, node: Node) -> list[Any]:
        """The bindings that may reach a read; ``UNBOUND`` among them if it may have none."""
        scope = self.scopes.around(node)
        name = node.text
        home = self.scopes.lookup(name, scope)
        if home is None:
            return []
        body = scope
        while body.kind == 'comprehension' and body is not home and body.parent is not None:
            body = body.parent
        if body is home and home.kind != 'comprehension':
            declared = any(name in each.outside for each in self.scopes.declared() if each is not home)
            reached = self.flow(home).reads.get(id(node))
            if reached is not None and not declared:
                return list(reached)
        return list(self.scopes.all_bindings(name, home))

    def nested(self, node: Node) -> bool:
        """Whether a read stands in another function than the binding it reads."""
        scope = self.scopes.around(node)
        home = self.scopes.lookup(node.text, scope)
        while scope is not home and scope.kind == 'comprehension' and scope.parent is not None:
            scope = scope.parent
        return scope is not home

    # -- what an expression names

    def resolve(self, node: Node, depth: int = 0) -> Ref | None:
        """What the expression names; None if that is unknown or nothing importable."""
        node = inner(node)
        if node.type == 'identifier':
            return self._resolve_name(node, depth)
        if node.type == 'attribute':
            owner, attribute = node.get('object'), node.get('attribute')
            if owner is None or attribute is None:
                return None
            base = self.resolve(owner, depth)
            if base is None or base.kind not in ('path', 'module', 'other'):
                return None
            kind, dotted, module = classify(f'{base.dotted}.{attribute.text}')
            return Ref(kind, dotted, module, base.via, base.doubt)
        return None

    def _resolve_name(self, node: Node, depth: int) -> Ref | None:
        name = node.text
        home = self.scopes.lookup(name, self.scopes.around(node))
        if home is None:
            return self._from_star(name)
        bindings = [each for each in self.definitions(node) if each != UNBOUND]
        refs = [self.binding_ref(each, depth) for each in bindings]
        known = [each for each in refs if each is not None and each.kind in ('path', 'module', 'name')]
        if not known:
            return refs[0] if len(refs) == 1 else None
        first = known[0]
        same = all(each is not None and each.dotted == first.dotted for each in refs)
        via = tuple(binding for each in known for binding in each.via)
        doubt = first.doubt
        if len(refs) > 1:
            nested_packages = same and first.kind == 'path' and not any(each.doubt for each in known)
            if not nested_packages:
                doubt = 'P-06' if all(each.kind in ('import', 'from') for each in bindings) else 'P-61'
        return Ref(first.kind, first.dotted, first.module, via, doubt)

    def _from_star(self, name: str) -> Ref | None:
        for binding in self.scopes.module.bindings.get('*', ()):
            ref = self.binding_ref(binding)
            if ref is None:
                continue
            if ref.kind == 'module' and name in catalogue.MODULE_NAMES:
                return Ref('name', name, ref.dotted, (binding,), 'P-04')
            kind, dotted, module = classify(f'{ref.dotted}.{name}')
            if ref.kind == 'path' and kind == 'module':
                return Ref(kind, dotted, module, (binding,), 'P-05')
        return None

    def binding_ref(self, binding: Binding, depth: int = 0) -> Ref | None:
        """What a binding makes its name stand for."""
        if binding.kind == 'import':
            item = binding.owner
            name = item.get('name') if item.type == 'aliased_import' else item
            dotted = _compact(name)
            if item.type != 'aliased_import':
                dotted = dotted.split('.')[0]
            kind, dotted, module = classify(dotted)
            return Ref(kind, dotted, module, (binding,), _conditional(item))
        if binding.kind in ('from', 'star'):
            statement = binding.owner if binding.kind == 'star' else binding.owner.parent
            origin = self.origin(statement)
            if origin is None:
                return None
            if binding.kind == 'star':
                kind, dotted, module = classify(origin)
                return Ref(kind, dotted, module, (binding,), 'P-04')
            item = binding.owner
            name = item.get('name') if item.type == 'aliased_import' else item
            kind, dotted, module = classify(self.passed_on(f'{origin}.{_compact(name)}'))
            return Ref(kind, dotted, module, (binding,), _conditional(item))
        if binding.kind == 'assign' and depth < 3:
            right = binding.owner.get('right') or binding.owner.get('value')
            left = binding.owner.get('left') or binding.owner.get('name')
            if right is not None and left is not None and left.type == 'identifier':
                ref = self.resolve(right, depth + 1)
                if ref is not None and ref.kind in ('module', 'name', 'path'):
                    return Ref(ref.kind, ref.dotted, ref.module, ref.via, ref.doubt or 'P-25')
        return None

    def origin(self, statement: Node | None) -> str | None:
        """The module a ``from`` statement imports from, relative ones made absolute."""
        module = statement.get('module_name') if statement is not None else None
        if module is None:
            return None
        if module.type != 'relative_import':
            return _compact(module)
        text = re.sub(r'[\s\\]+', '', module.text)
        dots = len(text) - len(text.lstrip('.'))
        parts = self.package.split('.') if self.package else []
        if dots - 1 >= len(parts):
            return None
        base = parts[: len(parts) - (dots - 1)]
        return '.'.join([*base, text[dots:]] if text[dots:] else base)


def _compact(node: Node | None) -> str:
    return '' if node is None else re.sub(r'[\s\\]+', '', node.text)


def _conditional(item: Node) -> str:
    """P-06 if an import stands under a condition, in a ``try`` or in a handler of its scope."""
    for each in item.ancestors():
        if each.type in ('function_definition', 'class_definition', 'module'):
            return ''
        if each.type in ('if_statement', 'try_statement', 'for_statement', 'while_statement'):
            condition = each.get('condition')
            if condition is None or '__name__' not in condition.text:
                return 'P-06'
    return ''
