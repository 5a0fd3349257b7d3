# SPDX-License-Identifier: Apache-2.0
"""P-08 to P-19 (and P-13): the acquisition stays where it is and becomes an API object.

A pair's parsed id gives way to the reference: by name where it is a plain local that did not change, else
held in the id's own variable. Where the id goes elsewhere (P-13), or a boundary would swallow the error of
a bad reference (P-47), ``parse_image_ref`` is called where the old function parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from legacy.migrate import catalogue
from legacy.migrate.edits import Edit
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import is_empty
from legacy.migrate.trace import Acquisition, Trace, Use, Value
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Arguments, Unit, names_in

_REGIONS = (
    'try_statement',
    'with_statement',
    'for_statement',
    'while_statement',
    'function_definition',
    'lambda',
)
#: Errors of which that of a bad reference is none, so that their handlers do not see it move.
_NARROW = frozenset(
    (
        'ImageNotFound', 'NotFound', 'ImageNotAuthorized', 'NotAuthorized', 'Forbidden', 'ImageNotActive',
        'ImageBadRequest', 'ImageUnacceptable', 'GlanceConnectionFailed', 'ImageQuotaExceeded',
        'InstanceNotFound', 'IOError', 'OSError', 'KeyError', 'ImageDeleteConflict',
    )
)  # fmt: skip
_CHAIN = re.compile(r'[\w.]+(?:\[[\w\'"]+\][\w.]*)*$')


@dataclass
class Plan:
    """How one acquisition is rewritten; ``problem`` says why it is not."""

    pattern: str
    edits: list[Edit] = field(default_factory=list)
    problem: str = ''
    problem_pattern: str = ''
    at: Node | None = None
    note: str = ''


def default(acquisition: Acquisition, names: NewNames) -> Plan:
    """P-08, P-09, P-10, P-19: a service of the default server."""
    node, arguments = acquisition.node, Arguments(acquisition.node)
    is_class = acquisition.ref.dotted in catalogue.SERVICE_CLASSES
    above = outer(node).parent
    pattern = 'P-08'
    if is_class:
        pattern = 'P-19'
    elif above is not None and above.type == 'attribute':
        pattern = 'P-09'
    elif above is not None and above.type == 'assignment':
        left = above.get('left')
        pattern = 'P-10' if left is not None and left.type == 'attribute' else 'P-08'
    if arguments.items:
        if is_class:
            return Plan(
                'P-20', problem='the service is built around a client of its own', problem_pattern='P-20'
            )
        return Plan(pattern, problem='the old function took no argument', problem_pattern=pattern)
    return Plan(pattern, function_edits(acquisition.unit, node, names.api))


def function_edits(unit: Unit, call: Node, new: str) -> list[Edit]:
    """The dotted function of a call becomes ``new``; what stands between its parts stays."""
    function = inner(call.get('function') or call)
    if function.type != 'attribute':
        return [Edit(function.start, function.end, new)]
    owner, name = function.get('object'), function.get('attribute')
    assert owner is not None and name is not None
    head, _, tail = new.rpartition('.')
    return [Edit(owner.start, owner.end, head), Edit(name.start, name.end, tail)]


class Remote:
    """The plan of one acquisition from a reference."""

    def __init__(self, acquisition: Acquisition, trace: Trace, names: NewNames) -> None:
        self.it = acquisition
        self.unit = acquisition.unit
        self.trace = trace
        self.names = names
        self.home = body_scope(self.unit, acquisition.node)
        self.calls = [each for each in acquisition.uses if each.kind == 'call']
        self.escapes = [each for each in acquisition.uses if each.kind == 'escape']
        self.own: list[Node] = []
        self.by_reference = False
        for use in acquisition.uses:
            if use.name == 'id argument' and not self._is_own_call(use):
                self.escapes.append(use)

    def plan(self) -> Plan:
        """The edits, or the first thing that stands in the way."""
        it = self.it
        if it.context is None or it.reference is None or len(Arguments(it.node).items) != 2:
            return Plan('P-12', problem='context and reference are not given plainly', problem_pattern='P-12')
        if not _CHAIN.match(it.context.text):
            reason = 'the context is computed here, and the calls would not use the same one'
            return Plan('P-12', problem=reason, problem_pattern='P-12')
        self.literal = is_empty(it.reference) and inner(it.reference).type != 'none'
        for use in self.calls:
            found = self._check(use)
            if found is not None:
                return found
        if self._hidden_reads():
            self.escapes.append(Use(self.unit, it.node, 'escape', reason='locals() may read the parsed id'))
        return self._shape()

    # -- is every call tied to the reference and the context?

    def _is_own_call(self, use: Use) -> bool:
        receiver = _receiver(use.call)
        return receiver is not None and Value('service', self.it) in self.trace.values(receiver)

    def _check(self, use: Use) -> Plan | None:
        rewrite = catalogue.service_method(use.name)
        assert use.call is not None and rewrite is not None
        arguments = Arguments(use.call)
        context = arguments.value(0, 'context')
        if context is None or not self._same(self.it.context, context, use.call, 'context'):
            reason = 'the call uses another context than the acquisition did'
            return Plan('P-12', problem=reason, problem_pattern='P-12', at=use.call)
        given = arguments.value(1, 'image_id')
        if self.literal:
            if given is not None and Value('id', self.it) in self.trace.values(given):
                self.own.append(given)
            return None
        if 'image_id' not in rewrite.positional:
            return None
        if given is None:
            return Plan('P-15', problem='no plain image id is given', problem_pattern='P-15', at=use.call)
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
        if not self._same(self.it.reference, given, use.call, 'reference'):
            reason = 'the id passed is not tied to the reference that the service was made from'
            return Plan('P-15', problem=reason, problem_pattern='P-15', at=use.call)
        self.by_reference = True
        return None

    def _same(self, first: Node | None, second: Node, at: Node, part: str) -> bool:
        """Whether the expression at ``at`` is the one given to the acquisition, and unchanged."""
        if first is None or _compact(first) != _compact(second) or not _CHAIN.match(second.text):
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
        if body_scope(unit, at) is self.home:
            return self._fresh(at, part)
        for name in names:
            home = unit.scopes.lookup(name, here)
            if home is not None and len(unit.scopes.all_bindings(name, home)) != 1:
                return False
        return True

    def _fresh(self, at: Node, part: str) -> bool:
        fresh = self.unit.flow(self.home).fresh
        for each in at.walk():
            if each.type == 'identifier' and id(each) in fresh:
                return (id(self.it.node), part) in fresh[id(each)]
        return False

    def _stored(self, expression: Node) -> bool:
        """Whether the attribute or item is assigned anywhere in the function."""
        from legacy.migrate.trace import is_store

        text = _compact(expression)
        for each in self.home.node.walk():
            if each.type in ('attribute', 'subscript') and is_store(each):
                stored = _compact(each)
                if text == stored or text.startswith((f'{stored}.', f'{stored}[')):
                    return True
        return False

    def _hidden_reads(self) -> bool:
        if not self.it.ids:
            return False
        for word in ('locals', 'vars', 'eval', 'exec', 'dir'):
            for start, end in self.unit.words(word):
                if self.home.node.start <= start < self.home.node.end:
                    node = self.unit.source.at(start, end)
                    if node.type in ('identifier', 'exec'):
                        return True
        return False

    # -- the shape of the new code

    def _boundary(self) -> bool:
        """Whether a bad reference would now be noticed in another place than before (P-47)."""
        mine = _regions(self.it.node)
        statement = _statement(self.it.node)
        crossing = [use for use in self.calls if use.call is not None and _regions(use.call) != mine]
        if not crossing:
            return False
        first = min(use.node.start for use in crossing)
        for use in self.calls:
            if use in crossing or use.call is None or use.call.start > first:
                continue
            other = _statement(use.call)
            if other.parent is statement.parent and _unconditional(use.call, other):
                return False
        return True

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
        if not it.ids and not it.services:
            return Plan(pattern, problem='the pair is not unpacked into two names', problem_pattern='P-17')
        return self._unpacked(left, places, pattern, boundary, used)

    def _services_read(self) -> bool:
        return any(
            use.kind == 'problem'
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
        if any(len(use.values) > 1 for use in self.calls):
            return False
        return all(self._unchanged(reference, each, 'reference') for each in self.own)

    def _unpacked(self, left: Node, places: list[Node], pattern: str, boundary: bool, used: bool) -> Plan:
        it, edits = self.it, self._api()
        call, reference = it.node, self._reference()
        service, kept = places[0].text, places[1].text
        plain = inner(it.reference).type == 'identifier' if it.reference is not None else False
        ids_read = bool(self.own or self.escapes)
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
            if not ids_read and self._may_drop(places[1]) and not _has_comment(left):
                shape = 'P-16' if not self.by_reference else 'P-14'
                return Plan(shape, [*edits, Edit(left.start, left.end, service)])
            rebinds = plain and kept == reference
            if (rebinds or self._plain_everywhere()) and self._may_drop(places[1]) and not _has_comment(left):
                moved = [] if rebinds else self._own_to(reference)
                if not any(len(use.values) > 1 for use in self.calls):
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

    def _with_new_local(
        self, left: Node, places: list[Node], pattern: str, note: str, edits: list[Edit]
    ) -> Plan:
        """The reference gets a local of its own, the id is parsed from it on the next line."""
        call, reference, kept = self.it.node, self._reference(), places[1]
        end = self.unit_line_end(left)
        name = self.names.fresh_local(self.unit, ('image_ref', 'image_href', 'image_reference'))
        if end is None or not name or any(len(use.values) > 1 for use in self.calls):
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
        statement = _statement(node)
        data = self.unit.source.data
        start = data.rfind(b'\n', 0, statement.start) + 1
        indent = data[start : statement.start]
        if indent.strip():
            return None
        stop = data.find(b'\n', statement.end)
        rest = data[statement.end : stop if stop >= 0 else len(data)].strip()
        if stop < 0 or (rest and not rest.startswith(b'#')):
            return None
        return stop + 1, indent.decode()

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
        if reference is None or not _CHAIN.match(reference.text) and not self.literal:
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
        """Whether the id's variable can go: it is a local, or its name says that nobody wants it."""
        name = place.text
        home = self.unit.scopes.lookup(name, self.home)
        if home is None or any(each.kind == 'del' for each in self.unit.scopes.all_bindings(name, home)):
            return False
        return home.is_function or name.startswith('_')


def body_scope(unit: Unit, node: Node):  # type: ignore[no-untyped-def]
    """The function, class or module whose flow a node is part of."""
    scope = unit.scopes.around(node)
    while scope.kind == 'comprehension' and scope.parent is not None:
        scope = scope.parent
    return scope


def _receiver(call: Node | None) -> Node | None:
    function = call.get('function') if call is not None else None
    return inner(function).get('object') if function is not None else None


def _compact(node: Node) -> str:
    return re.sub(r'[\s\\]+', '', inner(node).text).replace('"', "'")


def _has_comment(node: Node) -> bool:
    return any(each.type == 'comment' for each in node.walk())


def _statement(node: Node) -> Node:
    """The simple statement a node is part of, or the node's outermost ancestor in its block."""
    found = node
    for each in node.ancestors():
        if each.type in ('block', 'module'):
            return found
        found = each
    return found


def _regions(node: Node) -> list[int]:
    """The parts of ``try``, ``with`` and loops, and the functions, that a node stands in."""
    found, below = [], node
    for each in node.ancestors():
        if each.type in _REGIONS or 'comprehension' in each.type or each.type == 'generator_expression':
            if each.type == 'try_statement' and below.field == 'body' and not _swallows(each):
                below = each
                continue
            if below.type == 'block' or below.field == 'body' or 'clause' in below.type:
                found.append(id(below))
        below = each
    return found


def _swallows(node: Node) -> bool:
    """Whether a ``try`` may catch the error of a bad reference, or acts on any error."""
    for clause in node.named:
        if clause.type == 'finally_clause':
            return True
        if clause.type not in ('except_clause', 'except_group_clause'):
            continue
        values = clause.all('value')[:1]
        caught = [inner(values[0])] if values else []
        if caught and caught[0].type == 'as_pattern':
            caught = [inner(caught[0].named[0])]
        if caught and caught[0].type in ('tuple', 'expression_list'):
            caught = caught[0].named
        if not caught or any(each.text.split('.')[-1] not in _NARROW for each in caught):
            return True
    return False


def _unconditional(call: Node, statement: Node) -> bool:
    """Whether a call is made whenever its simple statement runs."""
    return statement.type in ('expression_statement', 'return_statement') and not any(
        each.type in ('conditional_expression', 'boolean_operator', 'lambda') or 'comprehension' in each.type
        for each in call.ancestors()
        if each.start >= statement.start and each.end <= statement.end
    )
