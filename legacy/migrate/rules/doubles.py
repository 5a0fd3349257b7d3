# SPDX-License-Identifier: Apache-2.0
"""P-48 and P-50: under ``--tests``, doubles move together with their configuration and what they stand for.

A patched factory becomes a patched class whose objects are what the factory returned; a patched method gets its
new name. What a double is asked that the new calls answer otherwise (P-51) leaves it, and it is reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments
from legacy.migrate.call_words import DOUBLES, called_by, last_word
from legacy.migrate.edits import Edit
from legacy.migrate.rules.outcome import plain_string
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Unit

if TYPE_CHECKING:
    from legacy.migrate.groups import Groups
    from legacy.migrate.work import Work

_FACTORY = re.compile(r'[\w.]*\bglance\.(get_default_image_service|get_remote_image_service)$')
_METHOD = re.compile(rf'[\w.]*\bglance\.(?:{"|".join(catalogue.SERVICE_CLASSES)})\.(\w+)$')
_COUNTED = ('called', 'call_count', 'assert_called_once', 'assert_called', 'assert_not_called', 'reset_mock')
_MOCKS = ('Mock', 'MagicMock')


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


def of(work: Work) -> list[Double]:
    """The doubles of a file that have a rewrite, each with its edits or the reason why it is left."""
    found = []
    for node in work.book.strings():
        text = node.text
        word, call = called_by(outer_string(node))
        if word not in DOUBLES or call is None:
            continue
        factory, method = _FACTORY.match(text), _METHOD.match(text)
        if factory is not None:
            found.append(_Patched(work.unit, node, call, factory.group(1)).double())
        elif method is not None and catalogue.service_method(method.group(1)):
            found.append(_method(work, node, call, method.group(1), None))
    for reference in work.references:
        if reference.ref.kind == 'name' and reference.ref.dotted in catalogue.SERVICE_CLASSES:
            call = called_by(reference.node)[1]
            given = Arguments(call).positional if call is not None and call.type == 'call' else []
            name = plain_string(given[1]) if len(given) > 1 and given[0] is outer(reference.node) else None
            known = name is not None and catalogue.service_method(name) and not reference.ref.doubt
            if known and name and call is not None and last_word(call.get('function') or call) in DOUBLES:
                found.append(_method(work, reference.node, call, name, given[1]))
    return found


def outer_string(content: Node) -> Node:
    """The string that a piece of text is the content of."""
    return content.parent if content.parent is not None else content


def settle(doubles: list[Double], groups: Groups) -> bool:
    """Leave doubles of which something they stand for is left; whether any was."""
    changed = False
    for each in doubles:
        if each.reason:
            continue
        stands = [
            group
            for group in groups.groups
            if not each.factory or any(it.ref.dotted == each.factory for it in group.acquisitions)
        ]
        left = [group for group in stands if group.troubles]
        if left:
            it = left[0].acquisitions[0]
            each.reason = f'it stands for {it.unit.path}:{it.node.line} too, which is left as it is'
        elif not stands:
            each.reason = 'nothing in the given paths that it stands for is rewritten'
        changed = changed or bool(each.reason)
    return changed


def _method(work: Work, node: Node, call: Node, name: str, text: Node | None) -> Double:
    """A double of a method: of the class by a string, or of the class itself with the method's name."""
    unit, rewrite = work.unit, catalogue.service_method(name)
    assert rewrite is not None
    new = rewrite.to or name
    made = Double(unit, node, 'P-50', name)
    arguments = Arguments(call)
    stands_in = arguments.positional[2 if text is not None else 1 :]
    keywords = set(arguments.keywords) - {'return_value', 'side_effect', 'new'}
    if keywords or arguments.splats or len(stands_in) > 1:
        made.reason = f'made with {", ".join(sorted(keywords)) or "more arguments"}; see what it does with them'
    elif why := _refuses(unit, name, stands_in, arguments):
        made.reason = why
    elif asserted := _asserted(unit, call):
        made.reason = asserted
    elif work.names.problem:
        made.reason = work.names.problem
    elif text is None:
        made.edits = [Edit(node.start, node.end, f'{catalogue.NEW_CALL}.{new}')]
    else:
        content = next(each for each in inner(text).children if each.type == 'string_content')
        whole = inner(node)
        made.edits = [
            Edit(whole.start, whole.end, work.names.api),
            *([] if new == name else [Edit(content.start, content.end, new)]),
        ]
    return made


def _refuses(unit: Unit, name: str, stands_in: list[Node], arguments: Arguments) -> str:
    """Why a stand-in for a method cannot take what the new calls give it, or ''."""
    keyword = arguments.keywords.get('new') or arguments.keywords.get('side_effect')
    value = stands_in[0] if stands_in else keyword.get('value') if keyword is not None else None
    if value is None:
        return ''
    value = inner(value)
    if value.type == 'call' and last_word(value.get('function') or value) in _MOCKS:
        return ''
    function = value if value.type == 'lambda' else None
    if value.type == 'identifier':
        owners = [each.owner for each in unit.definitions(value) if hasattr(each, 'owner')]
        function = owners[0] if len(owners) == 1 and owners[0].type == 'function_definition' else None
    listed = function.get('parameters') if function is not None else None
    if listed is None:
        return 'what stands in for the method is not followed; it may lack room for new keywords'
    names = {each.text.lstrip('*').split('=')[0].split(':')[0].strip() for each in listed.named}
    if any(each.type == 'dictionary_splat_pattern' for each in listed.named):
        return ''
    if name == 'update' and 'purge_props' not in names:
        return 'the stand-in has no room for purge_props, which every update says now'
    if name == 'download' and 'dst_path' in names:
        return 'the stand-in calls dest_path by its old name'
    return ''


def _asserted(unit: Unit, call: Node) -> str:
    """Where the mock of a patched method is asked for the arguments it was called with, or ''."""
    name = _name_of(unit, call)
    for read in _reads(unit, name) if name is not None else ():
        above = read.parent
        word = (above.get('attribute') or read).text if above is not None and above.type == 'attribute' else ''
        if word.startswith('assert') and word not in _COUNTED or word.startswith(('call_args', 'mock_calls')):
            return f'line {read.line} asserts arguments, which may differ now (P-51)'
    return ''


def _reads(unit: Unit, name: Node) -> list[Node]:
    """Where the variable or parameter that receives a mock is read."""
    function = name.closest('function_definition') if name.closest('parameters') is not None else None
    return unit.reads(unit.scopes.around(name) if function is None else unit.scopes.of(function), name.text)


def _name_of(unit: Unit, call: Node) -> Node | None:
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


class _Patched:
    """A patched factory, with all that is configured on its mock."""

    def __init__(self, unit: Unit, node: Node, call: Node, factory: str) -> None:
        self.unit = unit
        self.call = call
        self.made = Double(unit, node, 'P-48', factory, factory, [Edit(node.start, node.end, catalogue.NEW_CALL)])

    def double(self) -> Double:
        """The double with its edits, or with the reason why it is left."""
        arguments = Arguments(self.call)
        name = _name_of(self.unit, self.call)
        given = arguments.keywords.get('return_value')
        value = given.get('value') if given is not None else None
        if len(arguments.items) > 1 + (value is not None):
            self._leave(self.call, 'is made with more than a return value')
        elif value is None and name is None:
            self._leave(self.call, 'has a configuration that is not followed')
        if value is not None:
            self._returns(value)
        for read in _reads(self.unit, name) if name is not None else ():
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
            for read in _reads(self.unit, name)
        )

    def _read(self, read: Node) -> None:
        """One use of the factory's mock."""
        above = read.parent
        word = (above.get('attribute') or read).text if above is not None and above.type == 'attribute' else ''
        if above is None or word not in ('return_value', *_COUNTED):
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
        if service.type == 'call' and last_word(service.get('function') or service) in _MOCKS:
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
        if right is None or maker is None or last_word(maker) not in _MOCKS or Arguments(inner(right)).items:
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
        elif asked not in ('return_value', 'side_effect', *_COUNTED) and not self._same_arguments(asked, method):
            self._leave(read, 'asserts arguments, which may differ now')
        elif rewrite.to and rewrite.to != method.text:
            self._edit(Edit(method.start, method.end, rewrite.to))

    def _same_arguments(self, asked: str, method: Node) -> bool:
        """Whether a method of the default service is called with what it was called with before."""
        if self.made.factory == catalogue.REMOTE or not asked.startswith('assert_'):
            return False
        return method.text in ('show', 'delete', 'detail', 'create')
