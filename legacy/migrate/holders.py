# SPDX-License-Identifier: Apache-2.0
"""What holds a service, a pair or a parsed id: names, attributes of self and of other objects, expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from legacy.migrate import catalogue
from legacy.migrate.arguments import remote_parts
from legacy.migrate.attributes import Reach, accesses
from legacy.migrate.classes import class_around, class_of_self, is_store, relatives
from legacy.migrate.environment import UNBOUND
from legacy.migrate.handover import Handover
from legacy.migrate.lineage import Lineage
from legacy.migrate.scopes import Binding
from legacy.migrate.tree import Node, in_backticks, inner
from legacy.migrate.unit import Ref, Unit
from legacy.migrate.values import Acquisition, Attribute, Use, Value


class Holders:
    """What holds the values of one run. The trace follows them from here."""

    def __init__(self, lineage: Lineage, reaching: Callable[[str], Iterable[Unit]], tests: bool = False) -> None:
        self.lineage = lineage
        self.tests = tests
        self.reach = Reach(lineage)
        self._reaching = reaching
        self.handovers: dict[int, Handover | None] = {}
        self.received: dict[int, list[Handover]] = {}
        self.branches: list[tuple[Unit, Node, Node]] = []
        self._waiting: list[tuple[Unit, Node, Node, Value]] = []
        self.acquisitions: list[Acquisition] = []
        self.carried: dict[Binding, set[Value]] = {}
        self.held: dict[int, set[Value]] = {}
        self.uses: dict[tuple[int, str], Use] = {}
        self.reads: list[tuple[Unit, Node]] = []
        self.attributes: dict[tuple[int, str], Attribute] = {}
        self._seen: set[tuple[int, Value]] = set()
        self._work: list[tuple[Unit, Node, Value]] = []

    def acquire(self, unit: Unit, call: Node, ref: Ref) -> Acquisition:
        """Note an acquisition; ``run`` follows it."""
        remote = catalogue.MODULE_NAMES[ref.dotted].rewrite.pattern == 'P-12'
        made = Acquisition(unit, call, ref, remote)
        if remote:
            made.context, made.reference = remote_parts(call)
        self.acquisitions.append(made)
        self._push(unit, call, Value('pair' if remote else 'service', made))
        return made

    def values(self, node: Node) -> set[Value]:
        """What an expression is known to hold."""
        return self.held.get(id(inner(node)), set())

    def foreign(self, unit: Unit, node: Node) -> list[Binding]:
        """Bindings that may reach a read besides those that carry values; None literals do not count."""
        return [
            each
            for each in unit.definitions(node)
            if each != UNBOUND and each not in self.carried and not _binds_none(each)
        ]

    # -- noting

    def _push(self, unit: Unit, node: Node, value: Value) -> None:
        if (id(node), value) not in self._seen:
            self._seen.add((id(node), value))
            self.held.setdefault(id(node), set()).add(value)
            self._work.append((unit, node, value))

    def _use(self, unit: Unit, node: Node, value: Value, kind: Any, **more: Any) -> None:
        key = (id(node), kind)
        use = self.uses.get(key)
        if use is None:
            use = self.uses[key] = Use(unit, node, kind, **more)
        use.values.add(value)
        if use not in value.of.uses:
            value.of.uses.append(use)

    def _leave(self, unit: Unit, node: Node, value: Value, pattern: str, reason: str, name: str = '') -> None:
        """A use that is not a method call: an id escapes, anything else stops the group."""
        if value.kind == 'id':
            self._use(unit, node, value, 'escape', pattern='P-13', reason=reason)
        else:
            self._use(unit, node, value, 'problem', pattern=pattern, reason=reason, name=name)

    # -- binding

    def _bind(self, unit: Unit, target: Node, value: Value, owner: Node) -> None:
        target = inner(target)
        if target.type == 'identifier':
            scope = unit.scopes.around(target)
            binding = scope.at.get(id(target))
            if binding is None:
                self._leave(unit, owner, value, 'P-61', 'bound in a way that is not followed')
            else:
                if scope.kind == 'class':
                    self._store(unit, scope.node, target, target.text, value)
                self._carry(unit, binding, value)
        elif target.type in ('pattern_list', 'tuple_pattern') and value.kind == 'pair':
            places = target.named
            if len(places) == 2 and not any('splat' in each.type for each in places):
                self._bind(unit, places[0], Value('service', value.of), owner)
                self._bind(unit, places[1], Value('id', value.of), owner)
            else:
                self._leave(unit, target, value, 'P-17', 'the pair is not unpacked into two names')
        elif target.type == 'attribute':
            self._bind_attribute(unit, target, value)
        else:
            self._leave(unit, target, value, 'P-25', 'kept in a container')

    def _bind_attribute(self, unit: Unit, target: Node, value: Value) -> None:
        holder, attribute = target.get('object'), target.get('attribute')
        owner = class_of_self(unit, holder) if holder is not None else None
        unpacked = target.parent is not None and target.parent.type in ('pattern_list', 'tuple_pattern')
        if value.of.remote and value.kind == 'id' and not unpacked:
            self._leave(unit, target, value, 'P-13', 'the parsed id is stored')
        elif value.of.remote and (value.kind == 'pair' or owner is None or attribute is None):
            kept = Value('pair', value.of)
            pattern, reason = 'P-22', 'a service made from a reference is stored where its calls are not tied to it'
            if unpacked:
                pattern, reason = 'P-18', 'the pair is unpacked into attributes of another object'
            self._use(unit, target, kept, 'problem', pattern=pattern, reason=reason)
        elif owner is None or attribute is None:
            self._leave(
                unit, target, value, 'P-10', 'stored on another object, whose readers are not followed'
            )
        else:
            if value.of.remote and not unpacked:
                value.of.stored = target
            self._store(unit, owner, target, attribute.text, value)

    def _carry(self, unit: Unit, binding: Binding, value: Value) -> None:
        carried = self.carried.setdefault(binding, set())
        if value in carried:
            return
        carried.add(value)
        if value.kind == 'service':
            value.of.services.append(binding)
        elif value.kind == 'id':
            value.of.ids.append(binding)
        home = unit.scopes.lookup(binding.name, binding.scope)
        if home is None:
            return
        for read in unit.reads(home, binding.name):
            if in_backticks(read) or binding in unit.definitions(read):
                self.reads.append((unit, read))
                self._push(unit, read, value)

    def _store(self, unit: Unit, owner: Node, target: Node, name: str, value: Value) -> None:
        family = relatives(unit, owner)
        key = (id(family[0]), name)
        attribute = self.attributes.get(key)
        if attribute is None:
            attribute = self.attributes[key] = Attribute(unit, family[0], name)
        if target not in attribute.stores:
            attribute.stores.append(target)
        if value in attribute.values:
            return
        attribute.values.add(value)
        for other in (unit, *(each for each in self._reaching(name) if each is not unit)):
            for access in accesses(other, name):
                if not is_store(access) and self.reach.belongs(attribute, other, access):
                    self._push(other, access, value)


def property_of(function: Node) -> Node | None:
    """The class whose property a function is, or None."""
    above = function.parent
    if above is None or above.type != 'decorated_definition':
        return None
    if [each.text for each in above.children if each.type == 'decorator'] != ['@property']:
        return None
    return class_around(function)


def _binds_none(binding: Binding) -> bool:
    if binding.kind == 'del':
        return True
    if binding.kind != 'assign':
        return False
    left, right = binding.owner.get('left'), binding.owner.get('right')
    if left is None or right is None:
        return False
    if left.type == 'identifier':
        while right.type == 'assignment' and (deeper := right.get('right')) is not None:
            right = deeper
        return right.type == 'none'
    if right.type in ('tuple', 'expression_list') and len(left.named) == len(right.named):
        pairs = zip(left.named, right.named, strict=True)
        return any(place is binding.node and item.type == 'none' for place, item in pairs)
    return False
