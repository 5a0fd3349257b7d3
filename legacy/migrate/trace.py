# SPDX-License-Identifier: Apache-2.0
"""Where a service, a pair or a parsed id goes after it was acquired, and what each use of it is.

Forward from every acquisition through assignments, unpacking, aliases, closures and attributes of self.
What a use is rewritten to is the rules' business; which acquisitions stand or fall together is decided in
``groups.py``.
"""

from __future__ import annotations

from legacy.migrate import catalogue
from legacy.migrate.arguments import TESTS, Arguments, is_test
from legacy.migrate.call_words import DOUBLES, called_by, forwarded, last_word
from legacy.migrate.classes import is_store
from legacy.migrate.environment import UNBOUND
from legacy.migrate.handover import callee
from legacy.migrate.holders import Holders, property_of
from legacy.migrate.strings import plain_string
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Unit
from legacy.migrate.values import Acquisition, Value


class Trace(Holders):
    """All values of one run."""

    def run(self) -> None:
        """Follow every value to its uses."""
        while self._work or self._waiting:
            while self._work:
                unit, node, value = self._work.pop()
                self._handle(unit, node, value)
            waiting, self._waiting = self._waiting, []
            for unit, node, call, value in waiting:
                self._hand_id(unit, node, call, value)

    # -- following

    def _handle(self, unit: Unit, start: Node, value: Value) -> None:
        node = outer(start)
        parent = node.parent
        assert parent is not None
        method = getattr(self, f'_in_{parent.type}', None)
        if method is not None:
            method(unit, node, parent, value)
        elif parent.type in TESTS and value.kind != 'id':
            self._use(unit, node, value, 'test')
        elif parent.type in ('return_statement', 'yield', 'lambda'):
            self._returned(unit, node, parent, value)
        else:
            self._leave(unit, node, value, 'P-25', f'used as a value in {_words(parent.type)}')

    def _returned(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        """A property returns what its readers get; other callers live elsewhere."""
        function = node.closest('function_definition', 'lambda')
        lazy = property_of(function) if parent.type == 'return_statement' and function is not None else None
        name = function.get('name') if function is not None else None
        if lazy is not None and name is not None and value.kind == 'service' and not value.of.remote:
            self._store(unit, lazy, name, name.text, value)
        else:
            self._leave(unit, node, value, 'P-25', 'the service is returned; its callers live elsewhere')

    def _in_assignment(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        left = parent.get('left')
        if node.field != 'right' or left is None:
            return
        self._bind(unit, left, value, parent)
        if parent.field == 'right' and parent.parent is not None:
            self._in_assignment(unit, parent, parent.parent, value)

    def _in_named_expression(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        name = parent.get('name')
        if node.field == 'value' and name is not None:
            self._bind(unit, name, value, parent)
            self._push(unit, parent, value)

    def _in_expression_statement(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        self._use(unit, node, value, 'test')

    def _in_attribute(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        attribute = parent.get('attribute')
        name = attribute.text if attribute else ''
        above = outer(parent).parent
        if value.kind == 'pair':
            self._leave(unit, parent, value, 'P-17', f'.{name} is asked of the whole pair')
        elif value.kind == 'id':
            self._leave(unit, node, value, 'P-13', f'.{name} is asked of the parsed id')
        elif above is not None and above.type == 'call' and outer(parent).field == 'function':
            self._use(unit, above, value, 'call', name=name, call=above, method=inner(parent))
        elif (
            above is not None
            and above.type in ('assignment', 'delete_statement')
            and (above.type == 'delete_statement' or parent.field == 'left')
        ):
            reason = f'.{name} of the service is replaced: a double of a service method'
            self._leave(unit, parent, value, 'P-50', reason, name)
        elif (found := self._forwarded(parent)) is not None and catalogue.service_method(name):
            self._use(unit, parent, value, 'call', name=name, call=found[0], method=parent, skip=found[1])
        elif catalogue.service_method(name):
            self._leave(unit, parent, value, 'P-36', f'the bound method {name} is used as a value', name)
        else:
            self._leave(unit, parent, value, 'P-37', f'attribute {name} has no counterpart', name)

    @staticmethod
    def _forwarded(method: Node) -> tuple[Node, int] | None:
        """The call that passes its other arguments on to a bound method (P-36), and where those begin."""
        call = called_by(method)[1]
        found = forwarded(call) if call is not None and call.type == 'call' else None
        return (call, found[1]) if call is not None and found is not None and found[0] is method else None

    def _in_subscript(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        index = [each.text for each in parent.all('subscript')]
        stored = parent.parent is not None and parent.parent.type == 'assignment' and parent.field == 'left'
        if value.kind == 'pair' and node.field == 'value' and index in (['0'], ['1']) and not stored:
            self._push(unit, parent, Value('service' if index == ['0'] else 'id', value.of))
        else:
            self._leave(unit, node, value, 'P-25', 'subscripted with something that is not a literal 0 or 1')

    def _in_argument_list(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        call = parent.parent
        function = call.get('function') if call else None
        name = function.text if function else 'a call'
        if value.kind == 'id' and function is not None and self._is_id_argument(function, call, node):
            self._use(unit, node, value, 'test', name='id argument', call=call)
        elif name in ('isinstance', 'type', 'issubclass', 'id'):
            self._leave(unit, node, value, 'P-25', f'the type or identity of the service is asked: {name}()')
        elif name in ('getattr', 'hasattr', 'setattr', 'delattr', 'vars', 'dir'):
            self._leave(unit, node, value, 'P-37', f'attributes are reached by name: {name}()')
        elif value.kind == 'service' and call is not None and (method := _doubled(call, node)):
            if self.tests:
                self._use(unit, node, value, 'double', pattern='P-50', name=method, call=call)
            else:
                self._leave(unit, node, value, 'P-50', f'a double of {method}(), which --tests moves', method)
        elif value.kind == 'id' and call is not None:
            self._waiting.append((unit, node, call, value))
        elif call is None or not self._hand(unit, node, call, value):
            last = name.split('.')[-1].strip()
            reason = f'the service is handed to {last}(), which may use the old names'
            self._leave(unit, node, value, 'P-21', reason)

    # -- handing over

    def _hand(self, unit: Unit, node: Node, call: Node, value: Value) -> bool:
        """Follow a service (or its id) into the function it is given to."""
        if id(call) not in self.handovers:
            found = callee(unit, call, self.lineage) if call.type == 'call' else None
            self.handovers[id(call)] = found
            if found is not None:
                self.received.setdefault(id(found.function), []).append(found)
        handover = self.handovers[id(call)]
        parameter = handover.parameter_of(node) if handover is not None and value.kind != 'pair' else None
        if handover is None or parameter is None:
            return False
        name = (handover.function.get('name') or node).text
        self._use(unit, node, value, 'handed', pattern='P-21', name=name, call=call)
        self._carry(handover.target, parameter, value)
        return True

    def _hand_id(self, unit: Unit, node: Node, call: Node, value: Value) -> None:
        """A parsed id goes along only with its own service; else it escapes."""
        handover = self.handovers.get(id(call))
        together = handover is not None and any(
            Value('service', value.of) in self.values(each) for each in handover.arguments()
        )
        if not together or not self._hand(unit, node, call, value):
            self._leave(unit, node, value, 'P-13', 'the parsed id is handed on')

    def lift(self, unit: Unit, node: Node, of: Acquisition, home: Node, depth: int = 0) -> list[Node] | None:
        """The expressions inside ``home`` that an expression of a helper stands for; None if that is not known."""
        name = inner(node)
        if unit is of.unit and home.start <= name.start < home.end:
            return [node]
        name = self.lineage.given_at_once(unit, name) or name
        reaching = unit.definitions(name) if name.type == 'identifier' and depth < 4 else []
        if len(reaching) != 1 or reaching[0] == UNBOUND or reaching[0].kind != 'param':
            return None
        found: list[Node] = []
        for handover in self.received.get(id(reaching[0].scope.node), ()):
            if not any(Value('service', of) in self.values(each) for each in handover.arguments()):
                continue
            given = handover.argument(reaching[0].name)
            deeper = None if given is None else self.lift(handover.unit, given, of, home, depth + 1)
            if deeper is None:
                return None
            found += deeper
        return found or None

    def _is_id_argument(self, function: Node, call: Node | None, node: Node) -> bool:
        if call is None:
            return False
        passed_on = forwarded(call)
        function, skip = passed_on or (function, 0)
        if function.type != 'attribute':
            return False
        rewrite = catalogue.service_method((function.get('attribute') or function).text)
        if rewrite is None or 'image_id' not in rewrite.positional:
            return False
        given = Arguments(call, skip).value(1, 'image_id')
        return given is not None and outer(given) is node

    def _in_keyword_argument(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        above = parent.parent
        if above is not None:
            name = parent.get('name')
            if value.kind == 'id' and name is not None and name.text == 'image_id':
                call = above.parent
                function = call.get('function') if call else None
                if function is not None and self._is_id_argument(function, call, node):
                    self._use(unit, node, value, 'test', name='id argument', call=call)
                    return
            self._in_argument_list(unit, node, above, value)

    def _in_conditional_expression(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        if parent.named.index(node) != 1:
            others = [each for each in parent.named[::2] if each is not node]
            self.branches += [(unit, parent, each) for each in others]
            self._push(unit, parent, value)
        elif value.kind == 'id':
            self._leave(unit, node, value, 'P-13', 'the parsed id is tested')
        else:
            self._use(unit, node, value, 'test')

    def _in_boolean_operator(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        if value.kind != 'id' and is_test(parent):
            self._use(unit, node, value, 'test')
            return
        if value.kind == 'service' and parent.get('operator') is not None and _is_or(parent):
            self.branches += [(unit, parent, each) for each in parent.named if each is not node]
            self._push(unit, parent, value)
            return
        reason = 'an injected service may be used instead, which is unknown here'
        self._leave(unit, node, value, 'P-11', reason)

    def _in_not_operator(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        if value.kind == 'id':
            self._leave(unit, node, value, 'P-13', 'the parsed id is tested')
        else:
            self._use(unit, node, value, 'test')

    def _in_comparison_operator(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        others = [each for each in parent.named if each is not node]
        if value.kind != 'id' and all(each.type == 'none' for each in others):
            self._use(unit, node, value, 'test')
        else:
            self._leave(unit, node, value, 'P-25', 'the service is compared with something')

    def _in_expression_list(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        above = outer(parent).parent
        left = above.get('left') if above is not None and above.type == 'assignment' else None
        if (
            left is not None
            and outer(parent).field == 'right'
            and left.type in ('pattern_list', 'tuple_pattern')
        ):
            items, places = parent.named, left.named
            if len(items) == len(places) and not any('splat' in each.type for each in (*items, *places)):
                assert above is not None
                self._bind(unit, places[items.index(node)], value, above)
                return
        self._leave(unit, node, value, 'P-25', 'kept in a container')

    _in_tuple = _in_expression_list

    def _in_pair(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        """A dict display with literal keys, bound to a name: its readers by that key have the value."""
        key, display = parent.get('key'), parent.parent
        word = plain_string(key) if key is not None else None
        above = outer(display).parent if display is not None else None
        left = above.get('left') if above is not None and above.type == 'assignment' else None
        binding = unit.scopes.around(left).at.get(id(left)) if left is not None else None
        home = unit.scopes.lookup(binding.name, binding.scope) if binding is not None else None
        if word is None or binding is None or home is None or value.kind != 'service' or not home.is_function:
            self._leave(unit, node, value, 'P-25', 'kept in a container')
            return
        if len(unit.scopes.all_bindings(binding.name, home)) != 1:
            self._leave(unit, node, value, 'P-61', f'{binding.name} is bound to something else too')
            return
        for read in unit.reads(home, binding.name):
            item = outer(read).parent
            given = item.all('subscript') if item is not None and item.type == 'subscript' else []
            asked = plain_string(given[0]) if len(given) == 1 and read.field == 'value' else None
            if item is None or asked is None or is_store(item):
                self._leave(unit, read, value, 'P-25', f'the container {binding.name} is used as a whole here')
            elif asked == word:
                self._push(unit, item, value)

    def _in_default_parameter(self, unit: Unit, node: Node, parent: Node, value: Value) -> None:
        self._leave(unit, node, value, 'P-22', 'the service is the default of a parameter')

def _doubled(call: Node, node: Node) -> str:
    """The method of a service that a call puts a double in the place of, or ''."""
    given, function = Arguments(call).positional, call.get('function')
    if function is None or last_word(function) not in DOUBLES or len(given) < 2 or inner(given[0]) is not inner(node):
        return ''
    name = plain_string(given[1]) or ''
    return name if catalogue.service_method(name) else ''


def _is_or(node: Node) -> bool:
    operator = node.get('operator')
    return operator is not None and operator.text == 'or'


def _words(kind: str) -> str:
    return kind.replace('_', ' ')
