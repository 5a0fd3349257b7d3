# SPDX-License-Identifier: Apache-2.0
"""Which acquisitions stand or fall together, and the plan of each group (rule 2: all or nothing).

A group is every acquisition and use that share a variable, an attribute or a call. One use that cannot be
rewritten leaves the whole group as it is; its reason is told at every site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from legacy.migrate import catalogue
from legacy.migrate.classes import class_of_self, is_store, relatives
from legacy.migrate.edits import Edit
from legacy.migrate.handover import Callers, default_of
from legacy.migrate.rules import METHODS, acquire
from legacy.migrate.rules.helpers import doubt_reason
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import MethodCall, Outcome
from legacy.migrate.rules.ties import Plan
from legacy.migrate.trace import Trace
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit
from legacy.migrate.values import Acquisition, Attribute, Use


@dataclass
class Trouble:
    """What keeps a group from being rewritten."""

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


@dataclass
class Group:
    """Acquisitions that stand or fall together, with everything that is done with them."""

    acquisitions: list[Acquisition]
    uses: list[Use] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    plans: dict[int, Plan] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    edits: dict[str, list[Edit]] = field(default_factory=dict)


class Groups:
    """The groups of a trace."""

    def __init__(
        self,
        trace: Trace,
        names: dict[str, NewNames],
        outside: Outside,
        doubles: Mapping[str, int],
        wanted: Callable[[str], bool],
        callers: Callers,
    ) -> None:
        self.callers = callers
        self.trace = trace
        self.doubles = doubles
        self.wanted = wanted
        self.names = names
        self.outside = outside
        self._leader: dict[int, Acquisition] = {}
        self.groups = [self._settle(group) for group in self._joined()]

    def _find(self, acquisition: Acquisition) -> Acquisition:
        leader = self._leader.get(id(acquisition), acquisition)
        while leader is not acquisition:
            acquisition, leader = leader, self._leader.get(id(leader), leader)
        return leader

    def _joined(self) -> list[Group]:
        trace = self.trace
        shared = [
            *trace.carried.values(),
            *trace.held.values(),
            *(each.values for each in trace.attributes.values()),
            *(use.values for use in trace.uses.values()),
        ]
        for values in shared:
            together = [value.of for value in values]
            for each in together[1:]:
                first, second = self._find(together[0]), self._find(each)
                if first is not second:
                    self._leader[id(second)] = first
        found: dict[int, Group] = {}
        for acquisition in trace.acquisitions:
            leader = self._find(acquisition)
            group = found.setdefault(id(leader), Group([]))
            group.acquisitions.append(acquisition)
            group.uses += [use for use in acquisition.uses if use not in group.uses]
        return list(found.values())

    def _settle(self, group: Group) -> Group:
        self._troubles(group)
        for use in group.uses:
            if use.kind == 'call':
                self._call(group, use)
        for acquisition in group.acquisitions:
            names = self.names[acquisition.unit.path]
            if names.problem:
                group.troubles.append(Trouble(acquisition.unit, acquisition.node, 'P-60', names.problem))
            if acquisition.ref.doubt:
                reason = doubt_reason(acquisition.ref.doubt)
                group.troubles.append(
                    Trouble(acquisition.unit, acquisition.node, acquisition.ref.doubt, reason)
                )
            if acquisition.ref.dotted == 'get_image_service':
                reason = 'an older generation of the module, whose ids were integers'
                group.troubles.append(Trouble(acquisition.unit, acquisition.node, 'P-59', reason))
            plan = self._plan(acquisition, names)
            group.plans[id(acquisition)] = plan
            if plan.problem:
                node = plan.at or acquisition.node
                group.troubles.append(Trouble(acquisition.unit, node, plan.problem_pattern, plan.problem))
        self._asked(group)
        if not group.troubles:
            for acquisition in group.acquisitions:
                edits = group.edits.setdefault(acquisition.unit.path, [])
                edits += group.plans[id(acquisition)].edits
            for use in group.uses:
                if use.kind == 'call':
                    group.edits.setdefault(use.unit.path, []).extend(group.outcomes[id(use)].edits)
        return group

    def _asked(self, group: Group) -> None:
        """What a user or a double in the same file asks to be left."""
        everything: list[Acquisition | Use] = [*group.acquisitions, *group.uses]
        for each in everything:
            reason = each.unit.skipped(each.node)
            if reason:
                group.troubles.append(Trouble(each.unit, each.node, self._pattern(group, each), reason))
        for acquisition in group.acquisitions:
            line = self.doubles.get(acquisition.unit.path)
            if line:
                reason = f'a double at line {line} of this file stands in for it and would go inert'
                pattern = group.plans[id(acquisition)].pattern
                group.troubles.append(Trouble(acquisition.unit, acquisition.node, pattern, reason))
        patterns = {self._pattern(group, each) for each in everything}
        unwanted = sorted(each for each in patterns if each and not self.wanted(each))
        if unwanted and not group.troubles:
            first = group.acquisitions[0]
            reason = f'not selected: the group has {", ".join(unwanted)}'
            group.troubles.append(Trouble(first.unit, first.node, group.plans[id(first)].pattern, reason))

    @staticmethod
    def _pattern(group: Group, each: Acquisition | Use) -> str:
        if isinstance(each, Acquisition):
            return group.plans[id(each)].pattern
        outcome = group.outcomes.get(id(each))
        return outcome.pattern if outcome is not None else each.pattern

    def _plan(self, acquisition: Acquisition, names: NewNames) -> Plan:
        if not acquisition.remote:
            return acquire.default(acquisition, names)
        if any(
            use.kind == 'problem' or (use.kind == 'call' and use.name not in METHODS)
            for use in acquisition.uses
        ):
            pattern = 'P-13' if any(use.kind == 'escape' for use in acquisition.uses) else 'P-12'
            return Plan(pattern)
        return acquire.Remote(acquisition, self.trace, names).plan()

    def _call(self, group: Group, use: Use) -> None:
        rewrite = catalogue.service_method(use.name)
        rule = METHODS.get(use.name)
        assert use.call is not None
        if rewrite is None or rule is None:
            reason = f'{use.name}() has no counterpart; {catalogue.suggestion(use.name) or "see the guide"}'
            outcome = Outcome('P-37', reason=reason)
        else:
            bound = any(value.of.remote and not _asks_for_default(value.of) for value in use.values)
            if bound and use.name == 'detail':
                reason = 'a service made from a reference lists that server; the new API the default one'
                outcome = Outcome('P-15', reason=reason)
            else:
                outcome = rule(MethodCall(use.unit, use.call, use.name, rewrite, bound))
        group.outcomes[id(use)] = outcome
        if outcome.reason:
            group.troubles.append(Trouble(use.unit, use.node, outcome.pattern, outcome.reason))

    def _troubles(self, group: Group) -> None:
        ours = {id(each) for each in group.acquisitions}
        for use in group.uses:
            if use.kind == 'problem':
                group.troubles.append(Trouble(use.unit, use.node, use.pattern, use.reason))
        for unit, read in self.trace.reads:
            if not any(id(value.of) in ours for value in self.trace.held.get(id(read), ())):
                continue
            if all(value.kind == 'id' for value in self.trace.held[id(read)]):
                continue
            for binding in self.trace.foreign(unit, read):
                if binding.kind == 'param':
                    trouble = Trouble(
                        unit, read, 'P-11', 'a service that a caller passes in may be used instead'
                    )
                else:
                    reason = f'{binding.name} may also be what line {binding.node.line} makes it'
                    trouble = Trouble(unit, read, 'P-61', reason)
                group.troubles.append(trouble)
                break
        group.troubles += self._handed(group)
        for unit, whole, other in self.trace.branches:
            if any(id(value.of) in ours and value.kind == 'service' for value in self.trace.values(whole)):
                kinds = {value.kind for value in self.trace.values(other)}
                if kinds != {'service'} and inner(other).type != 'none':
                    reason = f'{other.text} may be used instead, which is unknown here'
                    group.troubles.append(Trouble(unit, whole, 'P-61', reason))
        for attribute in self.trace.attributes.values():
            if any(id(value.of) in ours for value in attribute.values):
                group.troubles += self._attribute(attribute)
        for acquisition in group.acquisitions:
            for binding in (*acquisition.services, *acquisition.ids):
                if (
                    acquisition.unit.scopes.lookup(binding.name, binding.scope)
                    is acquisition.unit.scopes.module
                ):
                    where = self.outside.reads_global(acquisition.unit, binding.name)
                    if where:
                        reason = f'{binding.name} is reached from {where} too'
                        group.troubles.append(Trouble(acquisition.unit, binding.node, 'P-23', reason))

    def _handed(self, group: Group) -> list[Trouble]:
        """What is wrong with the functions that the services of a group are handed to."""
        found, done = [], set()
        for use in group.uses:
            handover = self.trace.handovers.get(id(use.call)) if use.kind == 'handed' else None
            parameter = handover.parameter_of(use.node) if handover is not None else None
            if handover is None or parameter is None or all(value.kind == 'id' for value in use.values):
                continue
            if id(parameter) in done:
                continue
            done.add(id(parameter))
            received = self.trace.received[id(handover.function)]
            why = self.callers.unseen(handover, {id(each.call) for each in received})
            if why:
                found.append(Trouble(use.unit, use.node, 'P-21', f'handed to {use.name}(): {why}'))
            for each in received:
                given = each.argument(parameter.name)
                kinds = {value.kind for value in self.trace.values(given)} if given is not None else set()
                default = default_of(handover.function, parameter.name)
                if given is None and (default is None or inner(default).type == 'none'):
                    continue
                if given is not None and (kinds == {'service'} or inner(given).type == 'none'):
                    continue
                reason = f'{use.name}() is given another service here'
                found.append(Trouble(each.unit, each.call, 'P-22', reason))
        return found

    def _attribute(self, attribute: Attribute) -> list[Trouble]:
        unit, found = attribute.unit, []
        family = relatives(unit, attribute.owner)
        for start, end in unit.words(attribute.name):
            node = unit.source.at(start, end)
            above = node.parent
            if node.type == 'string_content' and node.text == attribute.name:
                found.append(
                    Trouble(unit, node, 'P-23', f'the attribute {attribute.name} is reached by its name')
                )
            others = node not in attribute.stores and not _harmless_store(node)
            if above is not None and above.type != 'attribute' and _class_level(node, family) and others:
                reason = f'the attribute {attribute.name} is assigned more than once'
                found.append(Trouble(unit, node, 'P-61', reason))
            if above is None or above.type != 'attribute' or node.field != 'attribute':
                continue
            holder = above.get('object')
            owner = class_of_self(unit, holder) if holder is not None else None
            if owner is None or owner not in family:
                if owner is None or not self._assigns(unit, owner, attribute.name):
                    reason = f'the attribute {attribute.name} is reached through another object here'
                    found.append(Trouble(unit, above, 'P-23', reason))
            elif is_store(above) and above not in attribute.stores and not _harmless_store(above):
                reason = f'the attribute {attribute.name} is assigned something else here'
                found.append(Trouble(unit, above, 'P-11', reason))
        where = self.outside.reads_attribute(unit, attribute.name)
        if where:
            reason = f'the attribute {attribute.name} is reached from {where}'
            found.append(Trouble(unit, attribute.stores[0], 'P-23', reason))
        return found

    def _assigns(self, unit: Unit, owner: Node, name: str) -> bool:
        return any(
            each.type == 'attribute' and is_store(each) and (each.get('attribute') or each).text == name
            for each in owner.walk()
        )


class Outside:
    """Asks the other files of the run whether they reach into one of them; text only, so rather too often yes."""

    def reads_attribute(self, unit: Unit, name: str) -> str:
        """``file:line`` of an access to ``.name`` that may be of an object of ``unit``, or ''."""
        raise NotImplementedError

    def reads_global(self, unit: Unit, name: str) -> str:
        """``file:line`` where a module-level name of ``unit`` may be imported or reached, or ''."""
        raise NotImplementedError


def _asks_for_default(acquisition: Acquisition) -> bool:
    from legacy.migrate.rules.outcome import plain_string

    return acquisition.reference is not None and plain_string(acquisition.reference) == ''


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
