# SPDX-License-Identifier: Apache-2.0
"""Which acquisitions stand or fall together, and the plan of each group (rule 2: all or nothing).

A group is every acquisition and use that share a variable, an attribute or a call. One use that cannot be
rewritten leaves the whole group as it is; its reason is told at every site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from legacy.migrate import catalogue
from legacy.migrate.call_words import last_word
from legacy.migrate.edits import Edit
from legacy.migrate.rules import METHODS, acquire, doubles, remote
from legacy.migrate.rules.doubts import doubt_reason
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import MethodCall, Outcome
from legacy.migrate.rules.ties import Plan
from legacy.migrate.trace import Trace
from legacy.migrate.troubles import Trouble, Troubles
from legacy.migrate.unit import Unit
from legacy.migrate.values import Acquisition, Use


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
        troubles: Troubles,
        doubles: Mapping[str, int],
        wanted: Callable[[str], bool],
    ) -> None:
        self._troubles = troubles
        self.trace = trace
        self.doubles = doubles
        self.wanted = wanted
        self.names = names
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
        group.troubles += self._troubles.of(group.acquisitions, group.uses)
        for use in group.uses:
            if use.kind == 'call':
                self._call(group, use)
            elif use.kind == 'double':
                self._double(group, use)
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
                if use.kind in ('call', 'double'):
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
        return remote.Remote(acquisition, self.trace, names).plan()

    @staticmethod
    def _double(group: Group, use: Use) -> None:
        """P-50: a double of a method of this very object."""
        made = doubles.of_object(use)
        group.outcomes[id(use)] = Outcome('P-50', made.edits, made.reason, made.note)
        if made.reason:
            group.troubles.append(Trouble(use.unit, use.node, 'P-50', made.reason))

    @staticmethod
    def _passed_on(use: Use, outcome: Outcome) -> Outcome:
        """P-36: a bound method whose arguments another call passes on; ``partial`` may get more of them later."""
        if not use.skip or use.call is None:
            return outcome
        outcome.pattern = 'P-36'
        if last_word(use.call.get('function') or use.call) == 'partial' and use.name == 'update':
            return Outcome('P-36', reason='partial() may be given data later, which decides about the purge')
        return outcome

    def _imported(self, group: Group, unit: Unit) -> NewNames | None:
        """The names of a file in which the group brings the new import to the top level, or None."""
        top = unit.scopes.module
        brings = any(
            each.unit is unit and each.ref.via and all(binding.scope is top for binding in each.ref.via)
            for each in group.acquisitions
        )
        return self.names[unit.path] if brings else None

    def _call(self, group: Group, use: Use) -> None:
        rewrite = catalogue.service_method(use.name)
        rule = METHODS.get(use.name)
        assert use.call is not None
        if rewrite is None or rule is None:
            reason = f'{use.name}() has no counterpart; {catalogue.suggestion(use.name) or "see the guide"}'
            outcome = Outcome('P-37', reason=reason)
        else:
            names = self._imported(group, use.unit)
            call = MethodCall(use.unit, use.call, use.name, rewrite, use.method, use.skip, names)
            outcome = self._passed_on(use, rule(call))
        group.outcomes[id(use)] = outcome
        if outcome.reason:
            group.troubles.append(Trouble(use.unit, use.node, outcome.pattern, outcome.reason))
