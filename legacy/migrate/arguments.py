# SPDX-License-Identifier: Apache-2.0
"""Arguments of a call, and which identifiers of an expression read a name."""

from __future__ import annotations

from collections.abc import Iterable

from legacy.migrate.tree import Node, outer

#: Positions in which a value is only asked whether it is true.
TESTS = ('if_statement', 'elif_clause', 'while_statement', 'assert_statement', 'if_clause')


def remote_parts(call: Node) -> tuple[Node | None, Node | None]:
    """The context and the reference given to the function that returns the pair; None if not plain."""
    arguments = Arguments(call)
    if arguments.splats:
        return None, None
    return arguments.value(0, 'context'), arguments.value(1, 'image_href')


class Arguments:
    """The arguments of a call, by position and by keyword.

    :param skip: how many positional arguments stand before those that are meant
    """

    def __init__(self, call: Node, skip: int = 0) -> None:
        self.call = call
        self.list = call.get('arguments')
        items = self.list.named if self.list is not None else []
        self.positional: list[Node] = []
        self.keywords: dict[str, Node] = {}
        self.splats: list[Node] = []
        self.items = items
        self.generator = self.list is not None and self.list.type != 'argument_list'
        for each in items:
            if each.type == 'keyword_argument':
                name = each.get('name')
                self.keywords[name.text if name else ''] = each
            elif each.type in ('list_splat', 'dictionary_splat'):
                self.splats.append(each)
            else:
                self.positional.append(each)
        self.positional = self.positional[skip:]

    def value(self, position: int, keyword: str) -> Node | None:
        """The value of a parameter, given by position or by keyword."""
        if position < len(self.positional):
            return self.positional[position]
        found = self.keywords.get(keyword)
        return found.get('value') if found is not None else None


def names_in(node: Node | None) -> Iterable[str]:
    """Names that an expression reads, attribute names left out."""
    for each in node.walk() if node is not None else ():
        if each.type == 'identifier' and is_read(each):
            yield each.text


def is_read(node: Node) -> bool:
    """Whether an identifier reads a name (and does not bind one, name an attribute or a keyword)."""
    parent = node.parent
    if parent is None or parent.type in ('dotted_name', 'aliased_import', 'import_prefix'):
        return parent is not None and parent.type == 'dotted_name' and _decorates(parent)
    if parent.type == 'attribute':
        return node.field == 'object'
    if parent.type == 'keyword_argument':
        return node.field == 'value'
    if parent.type in ('global_statement', 'nonlocal_statement'):
        return False
    if parent.type in ('function_definition', 'class_definition', 'named_expression'):
        return node.field not in ('name',)
    if parent.type in ('parameters', 'lambda_parameters', 'typed_parameter'):
        return node.field == 'type'
    if parent.type in ('default_parameter', 'typed_default_parameter'):
        return node.field in ('value', 'type')
    if parent.type == 'except_clause':
        values = parent.all('value')
        return not (len(values) > 1 and node is values[1])
    return not _is_target(node)


def _decorates(node: Node) -> bool:
    return node.parent is not None and node.parent.type == 'decorator'


def _is_target(node: Node) -> bool:
    below: Node = node
    for each in node.ancestors():
        if each.type in ('assignment', 'for_statement', 'for_in_clause'):
            return below.field == 'left'
        if each.type == 'delete_statement' or each.type == 'as_pattern_target':
            return True
        if each.type not in (
            'pattern_list',
            'tuple_pattern',
            'list_pattern',
            'list_splat_pattern',
            'dictionary_splat_pattern',
            'tuple',
            'list',
            'expression_list',
            'parenthesized_expression',
        ):
            return each.type in ('list_splat_pattern', 'dictionary_splat_pattern')
        splat = each.type in ('list_splat_pattern', 'dictionary_splat_pattern')
        if splat and each.parent is not None and each.parent.type in ('parameters', 'lambda_parameters'):
            return True
        below = each
    return False


def is_test(node: Node) -> bool:
    """Whether an expression is only asked whether it is true."""
    node = outer(node)
    parent = node.parent
    while parent is not None and parent.type in ('boolean_operator', 'not_operator'):
        if parent.type == 'not_operator':
            return True
        node = outer(parent)
        parent = node.parent
    if parent is None:
        return False
    if parent.type == 'conditional_expression':
        return parent.named.index(node) == 1
    return parent.type in TESTS
