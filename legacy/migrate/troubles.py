# SPDX-License-Identifier: Apache-2.0
"""What keeps a group from being rewritten: services from elsewhere, helpers, attributes, names others reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from legacy.migrate.attributes import accesses, by_name
from legacy.migrate.classes import class_around, is_store, relatives
from legacy.migrate.environment import UNBOUND
from legacy.migrate.givers import Givers
from legacy.migrate.handover import default_of
from legacy.migrate.trace import Trace
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit
from legacy.migrate.values import Acquisition, Attribute, Use


@dataclass
class Trouble:
    """One thing that keeps a group from being rewritten."""

    unit: Unit
    node: Node
    pattern: str
    reason: str

    def told_elsewhere(self, unit: Unit) -> str:
        """The reason as other sites of the group give it."""
        where = f'line {self.node.line}'
        if unit is not self.unit:
            where = f'{self.unit.path}:{self.node.line}'
        return f'stands or falls with {where}: {self.pattern} {self.reason}'


class Troubles:
    """Looks for trouble around the values of a trace."""

    def __init__(
        self,
        trace: Trace,
        givers: Givers,
        reaching: Callable[[str], Iterable[Unit]],
        reads_global: Callable[[Unit, str], str],
    ) -> None:
        self._trace = trace
        self._givers = givers
        self._reaching = reaching
        self._reads_global = reads_global

    def of(self, acquisitions: list[Acquisition], uses: list[Use]) -> Iterator[Trouble]:
        """Everything that stands in the way of a group."""
        ours = {id(each) for each in acquisitions}
        for use in uses:
            if use.kind == 'problem':
                yield Trouble(use.unit, use.node, use.pattern, use.reason)
        yield from self._foreign(ours)
        yield from self._handed(uses)
        yield from self._branches(ours)
        for attribute in self._trace.attributes.values():
            if any(id(value.of) in ours for value in attribute.values):
                yield from self._attribute(attribute)
        yield from self._globals(acquisitions)

    # -- what else a name or an expression may be

    def _foreign(self, ours: set[int]) -> Iterator[Trouble]:
        for unit, read in self._trace.reads:
            held = self._trace.held.get(id(read), set())
            if not any(id(value.of) in ours and value.kind != 'id' for value in held):
                continue
            for binding in self._trace.foreign(unit, read):
                if binding.kind == 'param':
                    found = self._injected(unit, read, binding.scope.node, binding.name)
                else:
                    reason = f'{binding.name} may also be what line {binding.node.line} makes it'
                    found = Trouble(unit, read, 'P-61', reason)
                if found is not None:
                    yield found
                    break

    def _branches(self, ours: set[int]) -> Iterator[Trouble]:
        for unit, whole, other in self._trace.branches:
            held = self._trace.values(whole)
            if not any(id(value.of) in ours and value.kind == 'service' for value in held):
                continue
            found = self._other(unit, whole, other)
            if found is not None:
                yield found

    def _other(self, unit: Unit, at: Node, other: Node, depth: int = 0) -> Trouble | None:
        """What is wrong with an expression that may stand in the place of a service."""
        kinds = {value.kind for value in self._trace.values(other)}
        plain = inner(other)
        if plain.type == 'none' or (kinds == {'service'} and not self._unknown(unit, plain)):
            return None
        definitions = unit.definitions(plain) if plain.type == 'identifier' and depth < 5 else []
        if definitions and all(each != UNBOUND and each.kind == 'param' for each in definitions):
            name = definitions[0]
            return self._injected(unit, at, name.scope.node, name.name, depth + 1)
        return Trouble(unit, at, 'P-61', f'{other.text} may be used instead, which is unknown here')

    def _unknown(self, unit: Unit, node: Node) -> bool:
        return node.type == 'identifier' and any(
            each.kind != 'param' for each in self._trace.foreign(unit, node)
        )

    def _injected(self, unit: Unit, at: Node, function: Node, name: str, depth: int = 0) -> Trouble | None:
        """P-11: fine if every caller is seen and gives nothing, None or a service that is rewritten as well."""
        reason = 'a service that a caller passes in may be used instead'
        default = default_of(function, name)
        if function.type != 'function_definition' or (default is not None and inner(default).type != 'none'):
            return Trouble(unit, at, 'P-11', reason)
        given = self._givers.given(unit, function, name)
        if given.unseen or (default is None and not given.values):
            why = given.unseen or 'nothing that calls it was seen'
            return Trouble(unit, at, 'P-11', f'{reason}: {why}')
        for other, value in given.values:
            if self._other(other, value, value, depth + 1) is not None:
                return Trouble(other, value, 'P-11', f'{value.text} is passed in here, which is unknown')
        return None

    # -- helpers

    def _handed(self, uses: list[Use]) -> Iterator[Trouble]:
        """What is wrong with the functions that the services of a group are handed to."""
        done = set()
        for use in uses:
            handover = self._trace.handovers.get(id(use.call)) if use.kind == 'handed' else None
            parameter = handover.parameter_of(use.node) if handover is not None else None
            if handover is None or parameter is None or all(value.kind == 'id' for value in use.values):
                continue
            if id(parameter) in done:
                continue
            done.add(id(parameter))
            given = self._givers.given(handover.target, handover.function, parameter.name)
            if given.unseen:
                yield Trouble(use.unit, use.node, 'P-21', f'handed to {use.name}(): {given.unseen}')
            default = default_of(handover.function, parameter.name)
            if default is not None and inner(default).type != 'none':
                yield Trouble(use.unit, use.node, 'P-22', f'{use.name}() has a default of its own')
            for unit, value in given.values:
                if self._other(unit, value, value) is not None:
                    yield Trouble(unit, value, 'P-22', f'{use.name}() is given another service here')

    # -- attributes

    def _attribute(self, attribute: Attribute) -> Iterator[Trouble]:
        name = attribute.name
        home = attribute.unit
        for each in attribute.stores:
            if each.parent is not None and each.parent.type == 'function_definition':
                yield from self._property(home, each.parent, name)
        for unit in (home, *(each for each in self._reaching(name) if each is not home)):
            for text in by_name(unit, name):
                yield Trouble(unit, text, 'P-23', f'the attribute {name} is reached by its name')
            for access in accesses(unit, name):
                found = self._access(attribute, unit, access)
                if found is not None:
                    yield found
        family = relatives(home, attribute.owner)
        for start, end in home.words(name):
            node = home.source.at(start, end)
            if node in attribute.stores:
                continue
            other = (
                node.parent is not None
                and node.parent.type == 'function_definition'
                and node.field == 'name'
                and class_around(node.parent) in family
            )
            if other or (_class_level(node, family) and not _harmless_store(node)):
                yield Trouble(home, node, 'P-61', f'the attribute {name} is assigned more than once')

    def _access(self, attribute: Attribute, unit: Unit, access: Node) -> Trouble | None:
        if access in attribute.stores:
            return None
        belongs = self._trace.reach.belongs(attribute, unit, access)
        if belongs is False:
            return None
        if is_store(access):
            kept = any(access in other.stores for other in self._trace.attributes.values())
            if kept or _harmless_store(access):
                return None
            reason = f'the attribute {attribute.name} is assigned something else here'
            return Trouble(unit, access, 'P-11', reason)
        if belongs is None:
            reason = f'the attribute {attribute.name} may be reached through another object here'
            return Trouble(unit, access, 'P-23', reason)
        return None

    def _property(self, unit: Unit, function: Node, name: str) -> Iterator[Trouble]:
        for each in function.walk(into=('lambda',)):
            if each.type != 'return_statement' or not each.named:
                continue
            if not any(value.kind == 'service' for value in self._trace.values(each.named[0])):
                yield Trouble(unit, each, 'P-61', f'the property {name} may return something else here')

    def _globals(self, acquisitions: list[Acquisition]) -> Iterator[Trouble]:
        for acquisition in acquisitions:
            unit = acquisition.unit
            for binding in (*acquisition.services, *acquisition.ids):
                if unit.scopes.lookup(binding.name, binding.scope) is not unit.scopes.module:
                    continue
                where = self._reads_global(unit, binding.name)
                if where:
                    reason = f'{binding.name} is reached from {where} too'
                    yield Trouble(unit, binding.node, 'P-23', reason)


def _class_level(node: Node, family: list[Node]) -> bool:
    """Whether an identifier is the target of an assignment in the body of one of the classes."""
    above = node.parent
    if above is None or above.type != 'assignment' or node.field != 'left' or above.parent is None:
        return False
    block = above.parent.parent
    return block is not None and block.parent in family and block.type == 'block'


def _harmless_store(node: Node) -> bool:
    """An assignment of None, or a deletion."""
    above = node.parent
    if above is None or above.type == 'delete_statement':
        return True
    right = above.get('right') if above.type == 'assignment' else None
    return right is not None and inner(right).type == 'none'

