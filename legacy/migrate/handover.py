# SPDX-License-Identifier: Apache-2.0
"""P-21 and P-22: a service handed to a function, and the function that receives it.

Followed only where the callee is certain and every caller of it is seen: the caller, the helper and every other
caller move together or not at all. Constructors, decorated functions and forwarders are not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from legacy.migrate.arguments import Arguments
from legacy.migrate.classes import class_of_self, relatives
from legacy.migrate.environment import UNBOUND
from legacy.migrate.scopes import Binding, targets
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit

#: Dotted module name -> its file, if the run has exactly one.
Resolver = Callable[[str], Unit | None]


@dataclass(eq=False)
class Handover:
    """One call of a function whose definition is known.

    :ivar skip: parameters that the call does not give, ``self``
    """

    unit: Unit
    call: Node
    target: Unit
    function: Node
    skip: int

    def parameters(self) -> list[Node]:
        """The named parameters that can be given by position or keyword, without ``self``."""
        return parameters(self.function)[self.skip :]

    def argument(self, name: str) -> Node | None:
        """The expression that is given for a parameter; None if the call does not give it."""
        arguments = Arguments(self.call)
        names = [each.text for each in self.parameters()]
        position = names.index(name) if name in names else len(arguments.positional)
        return arguments.value(position, name)

    def parameter_of(self, argument: Node) -> Binding | None:
        """The parameter that receives an argument, or None."""
        if Arguments(self.call).splats:
            return None
        for each in self.parameters():
            given = self.argument(each.text)
            if given is not None and inner(given) is inner(argument):
                return self.target.scopes.of(self.function).at.get(id(each))
        return None

    def arguments(self) -> Iterable[Node]:
        """The values of all plain arguments."""
        given = Arguments(self.call)
        yield from given.positional
        for keyword in given.keywords.values():
            value = keyword.get('value')
            if value is not None:
                yield value


def parameters(function: Node) -> list[Node]:
    """Identifiers of the named parameters of a function, in order."""
    listed = function.get('parameters')
    found = []
    for child in listed.named if listed is not None else ():
        if child.type in ('list_splat_pattern', 'dictionary_splat_pattern', 'keyword_separator'):
            continue
        name = child.get('name') or (child.named[0] if child.type == 'typed_parameter' else child)
        found += [each for each in targets(name) if name.type == 'identifier']
    return found


def default_of(function: Node, name: str) -> Node | None:
    """The default of a parameter, or None."""
    listed = function.get('parameters')
    for child in listed.named if listed is not None else ():
        named = child.get('name')
        if named is not None and named.text == name:
            return child.get('value')
    return None


def callee(unit: Unit, call: Node, resolver: Resolver) -> Handover | None:
    """The definition that a call runs, if there is no doubt about it."""
    function = inner(call.get('function') or call)
    found: tuple[Unit, Node] | None = None
    skip = 0
    if function.type == 'identifier':
        found = _plain(unit, function, resolver)
    elif function.type == 'attribute':
        holder, name = function.get('object'), function.get('attribute')
        assert holder is not None and name is not None
        owner = class_of_self(unit, holder)
        if owner is not None:
            found, skip = _method(unit, owner, name.text), 1
        else:
            ref = unit.resolve(holder)
            target = (
                resolver(ref.dotted) if ref is not None and ref.kind == 'other' and not ref.doubt else None
            )
            found = _in_module(target, name.text)
    if found is None or found[1].parent is None or found[1].parent.type == 'decorated_definition':
        return None
    return Handover(unit, call, *found, skip)


def _plain(unit: Unit, name: Node, resolver: Resolver) -> tuple[Unit, Node] | None:
    home = unit.scopes.lookup(name.text, unit.scopes.around(name))
    if home is None or home.kind == 'class':
        return None
    bindings = unit.scopes.all_bindings(name.text, home)
    if len(bindings) != 1 or UNBOUND in unit.definitions(name):
        return None
    binding = bindings[0]
    if binding.kind == 'def':
        return unit, binding.owner
    if binding.kind == 'from':
        ref = unit.binding_ref(binding)
        if ref is not None and ref.kind == 'other' and not ref.doubt:
            module, _, original = ref.dotted.rpartition('.')
            return _in_module(resolver(module), original)
    return None


def _in_module(target: Unit | None, name: str) -> tuple[Unit, Node] | None:
    if target is None:
        return None
    bindings = target.scopes.all_bindings(name, target.scopes.module)
    if (
        len(bindings) != 1
        or bindings[0].kind != 'def'
        or bindings[0].owner.closest('if_statement', 'try_statement')
    ):
        return None
    return target, bindings[0].owner


def _method(unit: Unit, owner: Node, name: str) -> tuple[Unit, Node] | None:
    found: list[Binding] = []
    for each in relatives(unit, owner):
        found += unit.scopes.of(each).bindings.get(name, [])
    if len(found) != 1 or found[0].kind != 'def':
        return None
    return unit, found[0].owner


class Callers:
    """Whether every caller of a function has been seen."""

    def __init__(
        self,
        containing: Callable[[bytes], list[tuple[str, bytes]]],
        parsed: Callable[[str], Unit | None],
        resolver: Resolver,
    ) -> None:
        self._containing = containing
        self._parsed = parsed
        self._resolver = resolver
        self._known: dict[int, str] = {}

    def unseen(self, handover: Handover, seen: set[int]) -> str:
        """Why the callers of the function may not all be known, or ''.

        :param seen: ids of the calls that are followed
        """
        key = id(handover.function)
        if key not in self._known:
            self._known[key] = self._look(handover, seen)
        return self._known[key]

    def _look(self, handover: Handover, seen: set[int]) -> str:
        unit, function = handover.target, handover.function
        name = (function.get('name') or function).text
        nested = unit.scopes.around(function).is_function
        if not nested and not name.startswith('_') and not unit.whole:
            return f'{name}() may be called from outside the given paths'
        if name.startswith('__'):
            return f'{name}() is called by Python itself'
        for path, _data in [(unit.path, b'')] if nested else self._containing(name.encode()):
            other = self._parsed(path)
            if other is None:
                return f'{path} mentions {name} and cannot be looked into'
            for start, end in other.words(name):
                node = other.source.at(start, end)
                why = self._occurrence(other, node, handover, seen, name)
                if why:
                    return f'{path}:{node.line} {why}'
        return ''

    def _occurrence(self, unit: Unit, node: Node, handover: Handover, seen: set[int], name: str) -> str:
        if node.type == 'comment':
            return ''
        if node.type in ('string_content', 'string'):
            words = node.text.strip('\'"')
            return f'names {name} in a string' if words == name or words.endswith(f'.{name}') else ''
        parent = node.parent
        if parent is None or node.type != 'identifier':
            return f'uses {name} in a way that is not followed'
        if parent.type == 'function_definition' and node.field == 'name':
            if parent is handover.function or not handover.skip:
                return ''
            return f'defines another {name}'
        if parent.type in ('dotted_name', 'aliased_import'):
            if parent.type == 'aliased_import' or (
                parent.parent is not None and parent.parent.type == 'aliased_import'
            ):
                return f'imports {name} under another name'
            return ''
        if parent.type == 'keyword_argument' and node.field == 'name':
            return ''
        place = parent if parent.type == 'attribute' and node.field == 'attribute' else node
        call = place.parent
        if call is not None and call.type == 'call' and place.field == 'function':
            if id(call) in seen:
                return ''
            other = callee(unit, call, self._resolver)
            if other is not None and other.function is not handover.function:
                return ''
            return f'calls {name}() with something else'
        return f'uses {name} as a value'
