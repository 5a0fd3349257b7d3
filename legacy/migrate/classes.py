# SPDX-License-Identifier: Apache-2.0
"""Classes of one file: whose ``self`` a name is, which classes are related, what is stored on them."""

from __future__ import annotations

from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit


def is_store(node: Node) -> bool:
    """Whether an attribute is assigned or deleted rather than read."""
    below, above = node, node.parent
    while above is not None and above.type in ('pattern_list', 'tuple_pattern', 'expression_list', 'tuple'):
        below, above = above, above.parent
    if above is None:
        return False
    if above.type == 'delete_statement':
        return True
    return above.type in ('assignment', 'for_statement', 'augmented_assignment') and below.field == 'left'


def class_of_self(unit: Unit, holder: Node) -> Node | None:
    """The class whose ``self`` an identifier is; None if it is anything else."""
    known: dict[int, Node | None] = vars(unit).setdefault('_class_of_self', {})
    if id(holder) not in known:
        known[id(holder)] = _class_of_self(unit, holder)
    return known[id(holder)]


def _class_of_self(unit: Unit, holder: Node) -> Node | None:
    if holder.type != 'identifier':
        return None
    home = unit.scopes.lookup(holder.text, unit.scopes.around(holder))
    if home is None or home.node.type != 'function_definition':
        return None
    if len(unit.scopes.all_bindings(holder.text, home)) != 1:
        return None
    parameters = home.node.get('parameters')
    first = parameters.named[0] if parameters is not None and parameters.named else None
    if first is None or inner(first).text.split(':')[0].strip() != holder.text:
        return None
    owner = home.node.parent
    decorators = [each.text for each in owner.children if each.type == 'decorator'] if owner is not None else []
    return None if any(each.startswith('@staticmethod') for each in decorators) else class_around(home.node)


def class_around(function: Node) -> Node | None:
    """The class that a function is a method of, or None."""
    block = function.parent
    if block is not None and block.type == 'decorated_definition':
        block = block.parent
    above = block.parent if block is not None and block.type == 'block' else None
    return above if above is not None and above.type == 'class_definition' else None


def relatives(unit: Unit, owner: Node) -> list[Node]:
    """A class and the classes of the file it is related to, in order of the text."""
    known: dict[int, list[Node]] = vars(unit).setdefault('_relatives', {})
    if id(owner) not in known:
        known[id(owner)] = _relatives(unit, owner)
    return known[id(owner)]


def _relatives(unit: Unit, owner: Node) -> list[Node]:
    classes = unit.classes
    if owner not in classes:
        return [owner]
    names = {(each.get('name') or each).text: each for each in classes}
    bases: dict[int, list[Node]] = {}
    for each in classes:
        superclasses = each.get('superclasses')
        given = superclasses.named if superclasses is not None else []
        bases[id(each)] = [names[base.text] for base in given if base.text in names]
    family = {id(owner)}
    while True:
        more = {
            id(each)
            for each in classes
            if id(each) in family
            or any(id(base) in family for base in bases[id(each)])
            or any(id(each) in {id(base) for base in bases[other]} for other in family)
        }
        if more == family:
            return [each for each in classes if id(each) in family]
        family = more
