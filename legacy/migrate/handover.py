# SPDX-License-Identifier: Apache-2.0
"""P-21 and P-22: a service handed to a function, and the function that receives it.

Followed only where the callee is certain and every caller of it is seen: the caller, the helper and every other
caller move together or not at all. Constructors, decorated functions and forwarders are not followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from legacy.migrate.arguments import Arguments
from legacy.migrate.classes import class_around, class_of_self, relatives
from legacy.migrate.lineage import Definition, Lineage, definition, method
from legacy.migrate.scopes import Binding, targets
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit


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


def callee(unit: Unit, call: Node, lineage: Lineage) -> Handover | None:
    """The definition that a call runs, if there is no doubt about it."""
    function = inner(call.get('function') or call)
    found = definition(unit, function, lineage.resolver)
    skip = 0
    if found is not None and found[1].type == 'class_definition':
        found, skip = lineage.initializer(*found), 1
    elif function.type == 'attribute':
        holder, name = function.get('object'), function.get('attribute')
        assert holder is not None and name is not None
        owner = class_of_self(unit, holder)
        if owner is not None:
            found, skip = _method(unit, owner, name.text), 1
        elif name.text == '__init__':
            found, skip = _above(unit, function, holder, lineage)
        elif found is None:
            found, skip = _of_object(unit, holder, name.text, lineage), 1
    if found is None or found[1].parent is None or found[1].parent.type == 'decorated_definition':
        return None
    return Handover(unit, call, *found, skip)


def _above(unit: Unit, function: Node, holder: Node, lineage: Lineage) -> tuple[Definition | None, int]:
    """The constructor of a base class: ``super().__init__``, or ``Base.__init__`` with self."""
    inside = function.closest('function_definition')
    owner = class_around(inside) if inside is not None else None
    if holder.type == 'call' and (holder.get('function') or holder).text == 'super' and owner is not None:
        bases = lineage.bases(unit, owner)
        return (lineage.initializer(*bases[0]) if len(bases) == 1 and bases[0] is not None else None), 1
    base = definition(unit, holder, lineage.resolver)
    if base is not None and base[1].type == 'class_definition':
        return lineage.initializer(*base), 0
    return None, 0


def _of_object(unit: Unit, holder: Node, name: str, lineage: Lineage) -> Definition | None:
    """The method of an object whose class is known."""
    kinds = lineage.kinds(unit, holder) or []
    line, whole = lineage.line(*kinds[0]) if len(kinds) == 1 else ([], False)
    for target, owner in line:
        found = method(owner, name)
        if found is not None:
            return target, found
        if not whole and None in lineage.bases(target, owner):
            return None
    return None


def _method(unit: Unit, owner: Node, name: str) -> tuple[Unit, Node] | None:
    found: list[Binding] = []
    for each in relatives(unit, owner):
        found += unit.scopes.of(each).bindings.get(name, [])
    if len(found) != 1 or found[0].kind != 'def':
        return None
    return unit, found[0].owner
