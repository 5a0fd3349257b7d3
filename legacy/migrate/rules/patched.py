# SPDX-License-Identifier: Apache-2.0
"""P-48: a patched factory with all that is configured on its mock becomes a patched class."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments
from legacy.migrate.call_words import last_word
from legacy.migrate.edits import Edit
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Unit

COUNTED = ('called', 'call_count', 'assert_called_once', 'assert_called', 'assert_not_called', 'reset_mock')
MOCKS = ('Mock', 'MagicMock')


@dataclass(eq=False)
class Double:
    """One double of a test.

    :ivar node: the string or the reference to the class
    :ivar factory: the function it stands for; '' if it stands for a method of the service
    :ivar reason: why it is left, or ''
    """

    unit: Unit
    node: Node
    pattern: str
    name: str
    factory: str = ''
    edits: list[Edit] = field(default_factory=list)
    reason: str = ''
    note: str = 'moves with what it stands for'

    @property
    def suggestion(self) -> str:
        """What to write by hand."""
        if self.factory:
            return f"patch('{catalogue.NEW_CALL}') with return_value=SERVICE, whose methods have the new names"
        rewrite = catalogue.service_method(self.name)
        return f'patch {catalogue.NEW_CALL}.{rewrite.to if rewrite else "METHOD"}'


def reads_of(unit: Unit, name: Node) -> list[Node]:
    """Where the variable or parameter that receives a mock is read."""
    function = name.closest('function_definition') if name.closest('parameters') is not None else None
    return unit.reads(unit.scopes.around(name) if function is None else unit.scopes.of(function), name.text)


def name_of(unit: Unit, call: Node) -> Node | None:
    """The parameter or variable that receives a patch's mock; None if none does."""
    decorator = call.parent
    if decorator is not None and decorator.type == 'decorator' and decorator.parent is not None:
        function = decorator.parent.get('definition')
        listed = function.get('parameters') if function is not None else None
        stack = [each for each in decorator.parent.children if each.type == 'decorator']
        below = [each for each in stack[stack.index(decorator) + 1 :] if _gives_mock(each)]
        if listed is None or not _gives_mock(decorator):
            return None
        parameters = [each for each in listed.named if each.type == 'identifier']
        place = len(below) + (1 if parameters and parameters[0].text in ('self', 'cls') else 0)
        return parameters[place] if place < len(parameters) else None
    above = outer(call).parent
    if above is not None and above.type == 'as_pattern':
        target = above.get('alias')
        return target.named[0] if target is not None and target.named else None
    if above is not None and above.type == 'attribute' and above.text.endswith('.start'):
        started = above.parent.parent if above.parent is not None else None
        left = started.get('left') if started is not None and started.type == 'assignment' else None
        return left if left is not None and left.type == 'identifier' else None
    return None


def _gives_mock(decorator: Node) -> bool:
    call = decorator.named[0] if decorator.named else decorator
    function = call.get('function') if call.type == 'call' else None
    if function is None or not re.search(r'\bpatch(\.object)?$', function.text):
        return False
    arguments = Arguments(call)
    limit = 2 if function.text.endswith('object') else 1
    return len(arguments.positional) <= limit and 'new' not in arguments.keywords


class Patched:
    """A patched factory, with all that is configured on its mock."""

    def __init__(self, unit: Unit, node: Node, call: Node, factory: str) -> None:
        self.unit = unit
        self.call = call
        self.made = Double(unit, node, 'P-48', factory, factory, [Edit(node.start, node.end, catalogue.NEW_CALL)])

    def double(self) -> Double:
        """The double with its edits, or with the reason why it is left."""
        arguments = Arguments(self.call)
        name = name_of(self.unit, self.call)
        given = arguments.keywords.get('return_value')
        value = given.get('value') if given is not None else None
        if len(arguments.items) > 1 + (value is not None):
            self._leave(self.call, 'is made with more than a return value')
        elif value is None and name is None:
            self._leave(self.call, 'has a configuration that is not followed')
        if value is not None:
            self._returns(value)
        for read in reads_of(self.unit, name) if name is not None else ():
            self._read(read)
        if name is not None and value is None and not self._configured(name):
            self._leave(self.call, 'is given no return value here')
        return self.made

    def _leave(self, node: Node, why: str) -> None:
        if not self.made.reason:
            self.made.reason = f'the double {why} (line {node.line}, P-51)'
            self.made.edits = []

    def _edit(self, *edits: Edit) -> None:
        if not self.made.reason:
            self.made.edits += edits

    def _configured(self, name: Node) -> bool:
        return any(
            (read.parent or read).text.endswith('.return_value')
            for read in reads_of(self.unit, name)
        )

    def _read(self, read: Node) -> None:
        """One use of the factory's mock."""
        above = read.parent
        word = (above.get('attribute') or read).text if above is not None and above.type == 'attribute' else ''
        if above is None or word not in ('return_value', *COUNTED):
            self._leave(read, 'is asked for more than what it returns')
        elif word == 'return_value':
            place = above.parent
            if place is not None and place.type == 'assignment' and above.field == 'left':
                value = place.get('right')
                if value is not None:
                    self._returns(value)
            elif self.made.factory == catalogue.REMOTE:
                self._leave(read, 'is taken apart here')
            else:
                self._service(above)
        elif word != 'return_value' and self.made.factory:
            self._leave(read, 'is counted: API objects may be made more or less often')

    def _returns(self, value: Node) -> None:
        """What the factory's double returns: a pair gives way to its service."""
        value = inner(value)
        if self.made.factory == catalogue.REMOTE:
            if value.type not in ('tuple', 'expression_list') or len(value.named) != 2:
                self._leave(value, 'does not return a plain pair')
                return
            service = value.named[0]
            self._edit(Edit(value.start, value.end, service.text))
        else:
            service = value
        service = inner(service)
        if service.type == 'call' and last_word(service.get('function') or service) in MOCKS:
            if Arguments(service).items:
                self._leave(service, 'returns a mock with a configuration of its own')
            return
        if service.type != 'identifier':
            self._leave(service, 'returns something that is not followed')
            return
        found = [each for each in self.unit.definitions(service) if hasattr(each, 'owner')]
        right = found[0].owner.get('right') if len(found) == 1 and found[0].kind == 'assign' else None
        plain = right is not None and inner(right).type == 'call'
        maker = inner(right).get('function') if plain and right is not None else None
        if right is None or maker is None or last_word(maker) not in MOCKS or Arguments(inner(right)).items:
            self._leave(service, 'returns a fake whose methods have the old names')
            return
        for read in self.unit.reads(self.unit.scopes.around(found[0].node), service.text):
            if not value.start <= read.start < value.end:
                self._service(read)

    def _service(self, read: Node) -> None:
        """One use of the mock that stands for the service."""
        above = read.parent
        method = above.get('attribute') if above is not None and above.type == 'attribute' else None
        rewrite = catalogue.service_method(method.text) if method is not None else None
        tail = above.parent if above is not None else None
        asked = (tail.get('attribute') or tail).text if tail is not None and tail.type == 'attribute' else ''
        if method is None or rewrite is None:
            self._leave(read, 'of the service is used in a way that is not followed')
        elif asked not in ('return_value', 'side_effect', *COUNTED) and not self._same_arguments(asked, method):
            self._leave(read, 'asserts arguments, which may differ now')
        elif rewrite.to and rewrite.to != method.text:
            self._edit(Edit(method.start, method.end, rewrite.to))

    def _same_arguments(self, asked: str, method: Node) -> bool:
        """Whether a method of the default service is called with what it was called with before."""
        if self.made.factory == catalogue.REMOTE or not asked.startswith('assert_'):
            return False
        return method.text in ('show', 'delete', 'detail', 'create')
