# SPDX-License-Identifier: Apache-2.0
"""P-12 to P-15: is every call of a service tied to the reference and the context it was made from?

Expressions are compared as written, and only where the names in them have not been bound again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments, names_in
from legacy.migrate.call_words import forwarded
from legacy.migrate.classes import class_around, class_of_self, is_store
from legacy.migrate.edits import Edit
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import CHAIN, is_empty
from legacy.migrate.rules.regions import (
    branches,
    in_loop,
    leaves_between,
    regions,
    statement_of,
    unconditional,
)
from legacy.migrate.scopes import Scope
from legacy.migrate.trace import Trace
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Unit
from legacy.migrate.values import Acquisition, Use, Value


@dataclass
class Plan:
    """How one acquisition is rewritten; ``problem`` says why it is not."""

    pattern: str
    edits: list[Edit] = field(default_factory=list)
    problem: str = ''
    problem_pattern: str = ''
    at: Node | None = None
    note: str = ''


class Tied:
    """One acquisition from a reference, and whether every use is tied to it."""

    def __init__(self, acquisition: Acquisition, trace: Trace, names: NewNames) -> None:
        self.it = acquisition
        self.unit = acquisition.unit
        self.trace = trace
        self.names = names
        self.home = body_scope(self.unit, acquisition.node)
        self.calls = [each for each in acquisition.uses if each.kind == 'call']
        self.escapes = [each for each in acquisition.uses if each.kind == 'escape']
        self.handed = [each for each in acquisition.uses if each.kind == 'handed' and not self._far(each)]
        self.shared = any(len(each.values) > 1 for each in self.calls if not self._far(each))
        self.own: list[Node] = []
        self.by_reference = False
        self.anchors: dict[int, int] = {}
        for use in acquisition.uses:
            if use.name == 'id argument' and not self._is_own_call(use):
                self.escapes.append(use)

    def _far(self, use: Use) -> bool:
        """Whether a use is in a helper that the service was handed to."""
        home = self.home.node
        return use.unit is not self.unit or not home.start <= use.node.start < home.end

    def _far_node(self, node: Node) -> bool:
        return not self.home.node.start <= node.start < self.home.node.end

    def trouble(self) -> Plan | None:
        """The first thing that stands in the way, or None."""
        it = self.it
        if it.context is None or it.reference is None or len(Arguments(it.node).items) != 2:
            return Plan('P-12', problem='context and reference are not given plainly', problem_pattern='P-12')
        if not CHAIN.match(it.context.text):
            reason = 'the context is computed here, and the calls would not use the same one'
            return Plan('P-12', problem=reason, problem_pattern='P-12')
        self.literal = is_empty(it.reference) and inner(it.reference).type != 'none'
        for use in self.escapes:
            if self._far(use):
                reason = 'a helper does something else with the parsed id than passing it back to its service'
                return Plan('P-13', problem=reason, problem_pattern='P-13', at=use.node)
        for use in it.uses:
            handover = self.trace.handovers.get(id(use.call)) if use.kind == 'handed' else None
            if handover is None or Value('id', it) not in self.trace.values(use.node):
                continue
            if reads_by_name(handover.target, handover.function):
                reason = 'a helper may read the parsed id by its name'
                return Plan('P-13', problem=reason, problem_pattern='P-13', at=use.node)
        if it.stored is not None:
            reason = 'a service made from a reference is stored where its calls are not tied to it'
            return Plan('P-22', problem=reason, problem_pattern='P-22', at=it.stored)
        for use in (*self.calls, *self.handed):
            found = self._check(use) if use.kind == 'call' else self._check_handed(use)
            if found is not None:
                return found
        if self._hidden_reads():
            self.escapes.append(Use(self.unit, it.node, 'escape', reason='locals() may read the parsed id'))
        return None

    def _is_own_call(self, use: Use) -> bool:
        receiver = _receiver(use.call)
        passed_on = forwarded(use.call) if use.call is not None else None
        if passed_on is not None:
            receiver = passed_on[0].get('object')
        return receiver is not None and Value('service', self.it) in self.trace.values(receiver)

    def _check(self, use: Use) -> Plan | None:
        rewrite = catalogue.service_method(use.name)
        assert use.call is not None and rewrite is not None
        arguments = Arguments(use.call, use.skip)
        found = self._check_context(use)
        if found is not None:
            return found
        given = arguments.value(1, 'image_id')
        if self.literal:
            if given is not None and Value('id', self.it) in self.trace.values(given):
                self.own.append(given)
            return None
        if 'image_id' not in rewrite.positional:
            reason = 'a call that names no image goes to the server of the reference'
            return Plan('P-15', problem=reason, problem_pattern='P-15', at=use.call)
        places = self._lifted(use, given)
        if not places:
            return Plan('P-15', problem='no plain image id is given', problem_pattern='P-15', at=use.call)
        for place in places:
            found = self._check_id(use, place)
            if found is not None:
                return found
        return None

    def _check_context(self, use: Use) -> Plan | None:
        """The client of a reference kept the context it was made with."""
        assert use.call is not None
        contexts = self._lifted(use, Arguments(use.call, use.skip).value(0, 'context'))
        self.anchors[id(use)] = min((each.start for each in contexts), default=use.node.start)
        if not contexts or not all(self._same(self.it.context, each, 'context') for each in contexts):
            reason = 'the call uses another context than the acquisition did'
            return Plan('P-12', problem=reason, problem_pattern='P-12', at=use.call)
        return None

    def _lifted(self, use: Use, node: Node | None) -> list[Node]:
        """Where an argument of a call comes from in the function of the acquisition."""
        if node is None:
            return []
        found = self.trace.lift(use.unit, node, self.it, self.home.node)
        return found or ([node] if self._owner is not None and self._kept_on(node) else [])

    @property
    def _owner(self) -> Node | None:
        """The class in one of whose methods the pair is unpacked into attributes (P-18)."""
        return class_around(self.home.node) if self.on_self else None

    @property
    def on_self(self) -> bool:
        """Whether the pair is unpacked into attributes (P-18)."""
        return any(inner(each).type == 'attribute' for each in self._targets())

    def _targets(self) -> list[Node]:
        above = outer(self.it.node).parent
        left = above.get('left') if above is not None and above.type == 'assignment' else None
        return left.named if left is not None else []

    def _kept_on(self, node: Node) -> bool:
        """Whether an expression is an attribute of self in the class of the acquisition."""
        holder = inner(node).get('object') if inner(node).type == 'attribute' else None
        return holder is not None and class_of_self(self.unit, holder) is self._owner

    def _same_on_self(self, first: Node, second: Node) -> bool:
        """Whether an attribute of self is what the acquisition was given, stored once and there."""
        owner, name = self._owner, inner(second).get('attribute')
        if owner is None or name is None:
            return False
        stores = list(self.trace.lineage.stores((self.unit, owner), name.text))
        right = stores[0].parent.get('right') if len(stores) == 1 and stores[0].parent is not None else None
        if right is None:
            return False
        return compact(first) == compact(second) or (
            inner(first).type == 'identifier'
            and compact(right) == compact(first)
            and body_scope(self.unit, right) is self.home
            and len(self.unit.scopes.all_bindings(first.text, self.home)) == 1
        )

    def _check_handed(self, use: Use) -> Plan | None:
        """A parsed id that goes along with its service has to be nothing else."""
        held = self.trace.values(use.node)
        if Value('id', self.it) not in held:
            return None
        if any(value.kind != 'id' for value in held) or self.trace.foreign(self.unit, inner(use.node)):
            return Plan(
                'P-61', problem='the id may also come from elsewhere', problem_pattern='P-61', at=use.node
            )
        self.own.append(use.node)
        return None

    def _check_id(self, use: Use, given: Node) -> Plan | None:
        held = self.trace.values(given)
        if Value('id', self.it) in held:
            owners = {value.of for value in use.values}
            if any(value.kind != 'id' or value.of not in owners for value in held):
                reason = 'the id and the service may come from different acquisitions'
                return Plan('P-61', problem=reason, problem_pattern='P-61', at=use.call)
            if self.trace.foreign(self.unit, inner(given)):
                reason = 'the id may also come from elsewhere'
                return Plan('P-61', problem=reason, problem_pattern='P-61', at=use.call)
            self.own.append(given)
            return None
        if not self._same(self.it.reference, given, 'reference'):
            reason = 'the id passed is not tied to the reference that the service was made from'
            return Plan('P-15', problem=reason, problem_pattern='P-15', at=use.call)
        self.by_reference = True
        return None

    def _same(self, first: Node | None, second: Node, part: str) -> bool:
        """Whether an expression is the one given to the acquisition, and unchanged."""
        if first is not None and self._owner is not None and self._far_node(second) and self._kept_on(second):
            return self._same_on_self(first, second)
        if first is None or compact(first) != compact(second) or not CHAIN.match(second.text):
            return False
        return self._unchanged(first, second, part)

    def _unchanged(self, first: Node, at: Node, part: str) -> bool:
        unit = self.unit
        names = list(names_in(first))
        here, there = unit.scopes.around(self.it.node), unit.scopes.around(at)
        if any(unit.scopes.lookup(name, here) is not unit.scopes.lookup(name, there) for name in names):
            return False
        if inner(first).type != 'identifier' and self._stored(first):
            return False
        near = body_scope(unit, at) is self.home
        for name in names:
            home = unit.scopes.lookup(name, here)
            bindings = unit.scopes.all_bindings(name, home) if home is not None else []
            if any(each.scope not in (home, self.home) for each in bindings):
                return False
            if not near and home is not None and (len(bindings) != 1 or in_loop(bindings[0].node, home.node)):
                return False
        return not near or self._fresh(at, part)

    def _fresh(self, at: Node, part: str) -> bool:
        fresh = self.unit.flow(self.home).fresh
        for each in at.walk():
            if each.type == 'identifier' and id(each) in fresh:
                return (id(self.it.node), part) in fresh[id(each)]
        return False

    def _stored(self, expression: Node) -> bool:
        """Whether the attribute or item is assigned anywhere in the function."""
        text = compact(expression)
        for each in self.home.node.walk():
            if each.type in ('attribute', 'subscript') and is_store(each):
                stored = compact(each)
                if text == stored or text.startswith((f'{stored}.', f'{stored}[')):
                    return True
        return False

    def _hidden_reads(self) -> bool:
        if not self.it.ids:
            return False
        return reads_by_name(self.unit, self.home.node)

    def _boundary(self) -> bool:
        """Whether a bad reference would now be noticed in another place than before (P-47)."""
        mine, taken = regions(self.it.node), branches(self.it.node)
        statement = statement_of(self.it.node)
        crossing = [
            use
            for use in self.calls
            if self._far(use)
            or use.skip
            or (use.call is not None and (regions(use.call) != mine or branches(use.call) - taken))
        ]
        if not crossing:
            first = min((self.anchors.get(id(use), use.node.start) for use in self.calls), default=0)
            left = leaves_between(self.home.node, statement.end, first)
            return left or (not self.calls and bool(self.handed))
        first = min(self.anchors.get(id(use), use.node.start) for use in crossing)
        for use in self.calls:
            if use in crossing or use.call is None or use.call.start > first:
                continue
            other = statement_of(use.call)
            if other.parent is statement.parent and unconditional(use.call, other):
                return False
        return True


def body_scope(unit: Unit, node: Node) -> Scope:
    """The function, class or module whose flow a node is part of."""
    scope = unit.scopes.around(node)
    while scope.kind == 'comprehension' and scope.parent is not None:
        scope = scope.parent
    return scope


def reads_by_name(unit: Unit, node: Node) -> bool:
    """Whether locals may be read by their names somewhere in a function."""
    for word in ('locals', 'vars', 'eval', 'exec', 'dir'):
        for start, end in unit.words(word):
            if node.start <= start < node.end and unit.source.at(start, end).type in ('identifier', 'exec'):
                return True
    return False


def _receiver(call: Node | None) -> Node | None:
    function = call.get('function') if call is not None else None
    return inner(function).get('object') if function is not None else None


def compact(node: Node) -> str:
    return re.sub(r'[\s\\]+', '', inner(node).text).replace('"', "'")
