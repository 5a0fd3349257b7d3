# SPDX-License-Identifier: Apache-2.0
"""P-12 to P-18: the pair of a reference becomes an API object and the reference itself.

A pair's parsed id gives way to the reference: by name where it is a plain local that did not change, else
held in the id's own variable. Where the id goes elsewhere (P-13), or a boundary would swallow the error of
a bad reference (P-47), ``parse_image_ref`` is called where the old function parsed. A service that is used for
more than its reference stays at that server (``API.for_reference``), and its parsed id what it was.
"""

from __future__ import annotations

from dataclasses import replace

from legacy.migrate.edits import Edit
from legacy.migrate.rules.acquire import function_edits
from legacy.migrate.rules.outcome import CHAIN, is_simple
from legacy.migrate.rules.regions import statement_of
from legacy.migrate.rules.ties import Plan, Tied
from legacy.migrate.tree import Node, inner, outer

_STAYS_NOTE = 'stays at the server that the reference names, as the old service did'
#: What stands in the way of calls that take the reference, but of none on an object that stays at its server.
_STAYS = ('P-13', 'P-15', 'P-17', 'P-18', 'P-22', 'P-47', 'P-61')


class Remote(Tied):
    """The plan of one acquisition from a reference."""

    def plan(self) -> Plan:
        """The edits, or the first thing that stands in the way."""
        plan = self.trouble() or self._shape()
        if plan.problem_pattern in _STAYS:
            plan = self._at_its_server(plan.problem_pattern) or plan
        return replace(plan, pattern='P-18') if self.on_self else plan

    def _at_its_server(self, pattern: str) -> Plan | None:
        """An API object that stays where the old service was, and the parsed id as it was; None if that is not enough."""
        call, listed, reference = self.it.node, self.it.node.get('arguments'), self.it.reference
        above = outer(call).parent
        left = (above.get('left') or above.get('name')) if above is not None else None
        if self.literal or above is None or listed is None or reference is None or self.it.context is None:
            return None
        if any(self._check_context(use) is not None for use in self.calls):
            return None
        edits = function_edits(self.unit, call, f'{self.names.api}.for_reference')
        edits += _only(listed, outer(reference))
        if above.type == 'subscript':
            if above.all('subscript')[0].text != '0' or has_comment(above):
                return None
            return Plan(pattern, [*edits, Edit(call.end, above.end, '')], note=_STAYS_NOTE)
        chained = above.parent is not None and above.parent.type == 'assignment'
        if left is None or above.type not in ('assignment', 'named_expression') or chained or above.get('type'):
            return None
        name = reference.text
        if not CHAIN.match(name) and not is_simple(reference):
            before = self._line_before(above)
            name = self.names.fresh_local(call, self.home.node)
            if before is None or not name or has_comment(listed):
                return None
            line = f'{before[1]}{name} = {self._reference()}{self.unit.source.newline}'
            edits += [Edit(before[0], before[0], line), Edit(reference.start, reference.end, name)]
        whole = inner(left).type == 'identifier'
        if whole:
            function = inner(call.get('function') or call)
            first = next(each for each in edits if each.start == function.start)
            edits[edits.index(first)] = Edit(first.start, first.end, f'({first.text}')
        edits.append(Edit(call.end, call.end, f', {self._parsed(name)}' + ')' * whole))
        return Plan(pattern, edits, note=_STAYS_NOTE)

    def _line_before(self, node: Node) -> tuple[int, str] | None:
        """Where a new line can come before a statement of a function, and its indentation."""
        own = self._own_line(statement_of(node))
        return own if node.type == 'assignment' and self.home.is_function else None

    def _own_line(self, statement: Node) -> tuple[int, str] | None:
        """Where the line of a statement starts that nothing stands before, and its indentation."""
        data = self.unit.source.data
        start = data.rfind(b'\n', 0, statement.start) + 1
        indent = data[start : statement.start]
        if indent.strip() or data[:start].rstrip(b'\r\n').endswith(b'\\'):
            return None
        return start, indent.decode()

    def _shape(self) -> Plan:
        it = self.it
        above = outer(it.node).parent
        assert above is not None and it.reference is not None
        pattern = 'P-13' if self.escapes else 'P-14' if self.by_reference and not self.own else 'P-12'
        used = bool(self.calls or self._services_read())
        if not used and not self.escapes:
            reason = 'neither half is used, but the call still refuses a bad reference'
            return Plan('P-16', problem=reason, problem_pattern='P-16')
        boundary = not self.literal and self._boundary()
        if above.type == 'subscript':
            return self._subscripted(above, pattern, boundary)
        if above.type not in ('assignment', 'named_expression'):
            return Plan('P-17', problem='the pair is not unpacked where it is made', problem_pattern='P-17')
        left = above.get('left') or above.get('name')
        chained = above.parent is not None and above.parent.type == 'assignment'
        if left is None or chained or above.get('type') is not None:
            return Plan(pattern, problem='assigned in a way that is not followed', problem_pattern='P-61')
        if left.type == 'identifier':
            return self._whole(boundary)
        places = left.named
        if not it.ids and not it.services and not self.on_self:
            return Plan(pattern, problem='the pair is not unpacked into two names', problem_pattern='P-17')
        if self.home.kind == 'class':
            return Plan(pattern, problem='the parsed id is an attribute of a class', problem_pattern='P-18')
        return self._unpacked(left, places, pattern, boundary, used)

    def _services_read(self) -> bool:
        return any(
            use.kind in ('problem', 'handed')
            or (use.kind == 'test' and any(value.kind == 'service' for value in use.values))
            for use in self.it.uses
        )

    def _api(self) -> list[Edit]:
        """``API()`` in place of the call; what else stands in its parentheses but arguments stays."""
        listed = self.it.node.get('arguments')
        assert listed is not None
        edits = function_edits(self.unit, self.it.node, self.names.api)
        if not any(each.type == 'comment' for each in listed.children):
            return [*edits, Edit(listed.start, listed.end, '()')]
        for each in listed.children:
            if each.type not in ('(', ')', 'comment'):
                edits.append(Edit(each.start, each.end, ''))
        return edits

    def _reference(self) -> str:
        assert self.it.reference is not None
        text = self.it.reference.text
        if '\n' in text or inner(self.it.reference).type in ('lambda', 'named_expression', 'yield'):
            text = text if self.it.reference.type == 'parenthesized_expression' else f'({text})'
        return text

    def _parsed(self, text: str) -> str:
        return f'{self.names.parse}({text}).image_id'

    def _own_to(self, text: str) -> list[Edit]:
        return [Edit(each.start, each.end, text) for each in self.own if each.text != text]

    def _plain_everywhere(self) -> bool:
        """Whether the reference is a plain name that still holds where the id was passed."""
        reference = self.it.reference
        if reference is None or inner(reference).type != 'identifier':
            return False
        if self.shared:
            return False
        return all(self._unchanged(reference, each, 'reference') for each in self.own)

    def _unpacked(self, left: Node, places: list[Node], pattern: str, boundary: bool, used: bool) -> Plan:
        it, edits = self.it, self._api()
        call, reference = it.node, self._reference()
        service, kept = places[0].text, places[1].text
        plain = inner(it.reference).type == 'identifier' if it.reference is not None else False
        ids_read = bool(self.own or self.escapes)
        if self.on_self:
            return self._into_attributes(left, places[1], edits, boundary)
        if self.literal:
            if not ids_read:
                return Plan('P-08', [*edits, Edit(left.start, left.end, service)])
            return Plan('P-08', [*edits, Edit(call.end, call.end, f', {reference}')])
        if not used:
            function = function_edits(self.unit, call, f'{self.names.parse}')
            listed = call.get('arguments')
            assert listed is not None
            if any(each.type == 'comment' for each in (*listed.children, *left.children)):
                return Plan('P-16', problem='comments stand inside the call', problem_pattern='P-16')
            whole = [*function, Edit(listed.start, listed.end, f'({reference}).image_id')]
            return Plan('P-16', [*whole, Edit(left.start, left.end, kept)])
        if not self.escapes and not boundary:
            if not ids_read and self._may_drop(places[1]) and not has_comment(left):
                shape = 'P-16' if not self.by_reference else 'P-14'
                return Plan(shape, [*edits, Edit(left.start, left.end, service)])
            rebinds = plain and kept == reference
            if (rebinds or self._plain_everywhere()) and self._may_drop(places[1]) and not has_comment(left):
                moved = [] if rebinds else self._own_to(reference)
                if not self.shared:
                    return Plan(pattern, [*edits, Edit(left.start, left.end, service), *moved])
            return Plan(pattern, [*edits, Edit(call.end, call.end, f', {reference}')])
        note = '' if self.escapes else 'a bad reference is still refused here (P-47)'
        if kept != reference and self._plain_everywhere() and (plain or not self.own):
            parsed = f', {self._parsed(reference)}'
            return Plan(
                pattern, [*edits, Edit(call.end, call.end, parsed), *self._own_to(reference)], note=note
            )
        if not self.own and kept != reference:
            return Plan(
                pattern, [*edits, Edit(call.end, call.end, f', {self._parsed(reference)}')], note=note
            )
        return self._with_new_local(left, places, pattern, note, edits)

    def _into_attributes(self, left: Node, kept: Node, edits: list[Edit], boundary: bool) -> Plan:
        """P-18: the attribute of the id holds the reference from now on; nothing else may read it."""
        if self.escapes or self.shared:
            problem = 'the parsed id is kept in an attribute, and something other than its service reads it'
            return Plan('P-18', problem=problem, problem_pattern='P-18')
        name = (inner(kept).get('attribute') or kept).text
        if not self.unit.whole and not name.startswith('_'):
            problem = f'{name} may be read from outside the given paths, where the parsed id is expected'
            return Plan('P-18', problem=problem, problem_pattern='P-18')
        more = [Edit(self.it.node.end, self.it.node.end, f', {self._reference()}')]
        if boundary:
            end = self.unit_line_end(left)
            if end is None:
                return Plan('P-18', problem='a bad reference would be noticed elsewhere', problem_pattern='P-47')
            line = f'{end[1]}{self.names.parse}({kept.text}){self.unit.source.newline}'
            more.append(Edit(end[0], end[0], line))
        note = f'{kept.text} holds the reference from now on'
        return Plan('P-18', [*edits, *more], note=note)

    def _with_new_local(
        self, left: Node, places: list[Node], pattern: str, note: str, edits: list[Edit]
    ) -> Plan:
        """The reference gets a local of its own, the id is parsed from it on the next line."""
        call, reference, kept = self.it.node, self._reference(), places[1]
        end = self.unit_line_end(left)
        name = self.names.fresh_local(call, self.home.node)
        if end is None or not name or self.shared:
            problem = 'the reference would need a variable of its own, and there is no place for it'
            return Plan(pattern, problem=problem, problem_pattern=pattern)
        if self.by_reference and kept.text == reference:
            problem = 'the reference is passed on under the name of the parsed id'
            return Plan(pattern, problem=problem, problem_pattern=pattern)
        offset, indent = end
        line = f'{indent}{kept.text} = {self._parsed(name)}{self.unit.source.newline}'
        more = [
            Edit(kept.start, kept.end, name),
            Edit(call.end, call.end, f', {reference}'),
            Edit(offset, offset, line),
            *self._own_to(name),
        ]
        return Plan(pattern, [*edits, *more], note=note)

    def unit_line_end(self, node: Node) -> tuple[int, str] | None:
        """Where a new line can follow a statement that has its line for itself, and its indentation."""
        statement, data = statement_of(node), self.unit.source.data
        own = self._own_line(statement)
        stop = data.find(b'\n', statement.end)
        rest = data[statement.end : stop if stop >= 0 else len(data)].strip()
        if own is None or stop < 0 or (rest and not rest.startswith(b'#')):
            return None
        return stop + 1, own[1]

    def _whole(self, boundary: bool) -> Plan:
        """P-17: ``pair = ...``, unpacked or subscripted later; stays a pair."""
        edits, call = self._api(), self.it.node
        function = inner(call.get('function') or call)
        reference = self._reference()
        if self.escapes or boundary:
            if not self._plain_everywhere():
                problem = 'the parsed id is needed, and the reference is not a plain name that stays'
                return Plan('P-13', problem=problem, problem_pattern='P-13')
            edits += self._own_to(reference)
            reference = self._parsed(reference)
        first = next(each for each in edits if each.start == function.start)
        edits[edits.index(first)] = Edit(first.start, first.end, f'({first.text}')
        return Plan('P-17', [*edits, Edit(call.end, call.end, f', {reference})')])

    def _subscripted(self, subscript: Node, pattern: str, boundary: bool) -> Plan:
        call = self.it.node
        index = subscript.all('subscript')[0].text
        if any(each.type == 'comment' for each in subscript.walk()):
            return Plan('P-17', problem='comments stand inside the subscript', problem_pattern='P-17')
        if index == '1':
            listed = call.get('arguments')
            assert listed is not None
            edits = function_edits(self.unit, call, self.names.parse)
            tail = Edit(listed.start, subscript.end, f'({self._reference()}).image_id')
            return Plan('P-13', [*edits, tail])
        if self.own or self.escapes:
            return Plan('P-17', problem='the pair is used in two ways', problem_pattern='P-17')
        reference = self.it.reference
        if reference is None or not CHAIN.match(reference.text) and not self.literal:
            return Plan('P-17', problem='the reference is computed here', problem_pattern='P-17')
        edits = [*self._api(), Edit(call.end, subscript.end, '')]
        if boundary:
            end = self.unit_line_end(subscript)
            if end is None:
                return Plan(
                    'P-17', problem='a bad reference would be noticed elsewhere', problem_pattern='P-47'
                )
            line = f'{end[1]}{self.names.parse}({reference.text}){self.unit.source.newline}'
            edits.append(Edit(end[0], end[0], line))
        return Plan('P-17', edits)

    def _may_drop(self, place: Node) -> bool:
        """Whether the id's variable can go: it is a local, or its name says that nobody wants it.

        Not where it alone makes the name a local that something else reads, be it too early.
        """
        name = place.text
        home = self.unit.scopes.lookup(name, self.home)
        bindings = list(self.unit.scopes.all_bindings(name, home)) if home is not None else []
        if home is None or any(each.kind == 'del' for each in bindings):
            return False
        moved = {id(inner(each)) for each in self.own}
        if len(bindings) == 1 and any(id(each) not in moved for each in self.unit.reads(home, name)):
            return False
        return home.is_function or name.startswith('_')


def _only(listed: Node, kept: Node) -> list[Edit]:
    """Take every argument but one out of a list of two, and its keyword; comments stay."""
    argument = kept if kept.parent is listed or kept.parent is None else kept.parent
    edits = [Edit(argument.start, kept.start, '')] if argument is not kept else []
    if has_comment(listed):
        others = [each for each in listed.children if each.type not in ('(', ')', 'comment') and each is not argument]
        return [*edits, *(Edit(each.start, each.end, '') for each in others)]
    other = next(each for each in listed.named if each is not argument)
    if other.start < argument.start:
        return [*edits, Edit(other.start, argument.start, '')]
    return [*edits, Edit(argument.end, other.end, '')]


def has_comment(node: Node) -> bool:
    return any(each.type == 'comment' for each in node.walk())
