# SPDX-License-Identifier: Apache-2.0
"""P-47: the branches and the parts of ``try``, ``with``, loops and functions that a place stands in.

The error of a bad reference moves from the acquisition to the first call; where one of these lies between,
something else would see it, or nothing would.
"""

from __future__ import annotations

from legacy.migrate.tree import Node, inner

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


def statement_of(node: Node) -> Node:
    """The simple statement a node is part of, or the node's outermost ancestor in its block."""
    found = node
    for each in node.ancestors():
        if each.type in ('block', 'module'):
            return found
        found = each
    return found


def regions(node: Node) -> list[int]:
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


def branches(node: Node) -> set[int]:
    """The branches that have to be taken for a node to be reached."""
    found, below = set(), node
    for each in node.ancestors():
        if each.type == 'conditional_expression' and each.named.index(below) != 1 or each.type == 'boolean_operator' and below.field == 'right' or each.type == 'if_statement' and below.field in ('consequence', 'alternative'):
            found.add(id(below))
        below = each
    return found


def in_loop(node: Node, home: Node) -> bool:
    """Whether a statement of a function runs more than once, so that what it binds may change in between."""
    return any(each.type in ('for_statement', 'while_statement') and each.start > home.start for each in node.ancestors())


def leaves_between(home: Node, start: int, end: int) -> bool:
    """Whether a function may be left between two places, so that the second is never reached."""
    return any(
        each.type in ('return_statement', 'raise_statement', 'continue_statement', 'break_statement')
        and start <= each.start and each.end <= end
        for each in home.walk(into=('function_definition', 'lambda', 'class_definition'))
    )


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


def unconditional(call: Node, statement: Node) -> bool:
    """Whether a call is made whenever its simple statement runs."""
    return statement.type in ('expression_statement', 'return_statement') and not any(
        each.type in ('conditional_expression', 'boolean_operator', 'lambda') or 'comprehension' in each.type
        for each in call.ancestors()
        if each.start >= statement.start and each.end <= statement.end
    )
