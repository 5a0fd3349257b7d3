# SPDX-License-Identifier: Apache-2.0
"""P-04, P-05, P-07, P-48 to P-58: old mentions that no followed name leads to.

Strings (patch targets, dotted names, doubles by name), comments and documents, look-alikes, names of other
packages. Strings and comments are never edited (rule 7).
"""

from __future__ import annotations

import re

from legacy.migrate import catalogue
from legacy.migrate.call_words import BY_NAME, DOUBLES, LOADERS, called_by, goes_inert
from legacy.migrate.tree import Node
from legacy.migrate.unit import Unit

#: A dotted name, or the beginning of one that is completed where it runs.
_DOTTED = re.compile(r'(?:nova\.image|legacy)\.(?:glance|download)(?:[.:](?:\w+|%[sr]|\{\w*\}))*[.:]?$')
_OPTIONS = ('import_opt', 'import_group')
Judgement = tuple[str, str, str]
_TEXT: Judgement = ('P-57', 'not-ours', 'text: a comment, a docstring or a document')


def judge(unit: Unit, node: Node, name: str, imports_old: bool, reexports: bool) -> Judgement | None:
    """Pattern, status and reason of a mention at a node; None if a rule should have claimed it.

    :param imports_old: whether the file imports the old module anywhere
    :param reexports: whether the module that the name is imported from passes ours on
    """
    if node.type == 'comment':
        return _TEXT
    string = node if node.type == 'string' else node.closest('string')
    if (
        node.type in ('string_content', 'string_start', 'string_end', 'string', 'escape_sequence')
        and string is not None
    ):
        return _string(unit, string, name, imports_old)
    if name not in catalogue.MODULE_NAMES:
        return None
    return _code(unit, node, name, reexports)


def _string(unit: Unit, string: Node, name: str, imports_old: bool) -> Judgement:
    outermost = string
    while outermost.parent is not None and outermost.parent.type in (
        'concatenated_string',
        'parenthesized_expression',
    ):
        outermost = outermost.parent
    if outermost.parent is not None and outermost.parent.type == 'expression_statement':
        return _TEXT
    value = ''.join(each.text for each in string.children if each.type == 'string_content').strip()
    word, call = called_by(outermost)
    dotted = bool(_DOTTED.match(value))
    if word in _OPTIONS:
        return 'P-07', 'left', 'the module is named for the options that its import registers'
    if word in LOADERS and (dotted or value == name):
        return 'P-52', 'left', 'loaded by a dotted name in a string'
    if word in DOUBLES and dotted:
        if re.split('[.:]', value)[-1].startswith('_'):
            return 'P-44', 'left', 'a double of a private helper of the old module'
        return 'P-48', 'left', f'a patch target; patch {catalogue.NEW_CALL} methods instead, or it goes inert'
    if word in DOUBLES and re.search(rf'\bglance\.{re.escape(name)}(?:\.\w+)*$', value):
        if re.match(r'(?!nova\.image\.)\w+\.image\.glance\.', value):
            return 'P-54', 'not-ours', 'other-module: a patch target in another package'
        return 'P-48', 'left', 'a patch target reached through the module under test; it goes inert when that is rewritten'
    if value == name and word in (*DOUBLES, *BY_NAME) and call is not None:
        return _by_name(unit, call, word, name, imports_old)
    if dotted:
        return 'P-52', 'left', 'named by a dotted string'
    if imports_old and value == name and not name.startswith('_') and name not in catalogue.NEW_NAMES:
        return 'P-52', 'left', 'the name stands alone in a string, by which it may be looked up'
    return _TEXT


def _by_name(unit: Unit, call: Node, word: str, name: str, imports_old: bool) -> Judgement:
    listed = call.get('arguments')
    first = listed.named[0] if listed is not None and listed.named else None
    ref = unit.resolve(first) if first is not None else None
    if ref is not None and ref.kind == 'other' and not ref.dotted.endswith('.glance'):
        return 'P-54', 'not-ours', f'other-module: {ref.dotted} is not the old module'
    if ref is None and (name.startswith('_') or name in catalogue.NEW_NAMES) and not imports_old:
        return 'P-55', 'not-ours', 'look-alike: nothing leads to the old module'
    if word in BY_NAME:
        return 'P-37', 'left', f'reached by name: {word}()'
    return 'P-49', 'left', goes_inert(word)


def _code(unit: Unit, node: Node, name: str, reexports: bool) -> Judgement:
    parent = node.parent
    kind = parent.type if parent is not None else ''
    if kind in ('function_definition', 'class_definition') and node.field == 'name':
        return 'P-55', 'not-ours', f'look-alike: {name} is defined here'
    if kind == 'keyword_argument' and node.field == 'name':
        return 'P-55', 'not-ours', 'look-alike: the name of an argument'
    if kind in ('dotted_name', 'aliased_import'):
        if reexports:
            return 'P-05', 'left', 'imported through another module, which imports it from the old one'
        return 'P-54', 'not-ours', 'other-module: imported from another package'
    if kind == 'attribute' and node.field == 'attribute' and parent is not None:
        return _attribute(unit, node, parent, name)
    home = unit.scopes.lookup(name, unit.scopes.around(node))
    if home is None:
        if '*' in unit.scopes.module.bindings:
            return 'P-04', 'left', 'may come from an import by *'
        return 'P-55', 'not-ours', 'look-alike: nothing here binds the name'
    if reexports and any(each.kind == 'from' for each in unit.scopes.all_bindings(name, home)):
        return 'P-05', 'left', 'imported through another module, which imports it from the old one'
    imported = any(each.kind in ('import', 'from') for each in unit.scopes.all_bindings(name, home))
    if imported:
        return 'P-54', 'not-ours', 'other-module: imported from another package'
    return 'P-55', 'not-ours', f'look-alike: {name} is bound here to something else'


def _attribute(unit: Unit, node: Node, parent: Node, name: str) -> Judgement:
    holder = parent.get('object')
    ref = unit.resolve(holder) if holder is not None else None
    if ref is not None and ref.kind == 'other' and not ref.dotted.endswith('.glance'):
        return 'P-54', 'not-ours', f'other-module: {ref.dotted} is not the old module'
    if ref is not None and ref.kind == 'other' and ref.dotted.endswith('.image.glance'):
        return 'P-54', 'not-ours', f'other-module: {ref.dotted} is not the old module'
    if name in catalogue.NEW_NAMES:
        return 'P-56', 'not-ours', 'new-api: the new API has a method of this name'
    if name.startswith('_'):
        return 'P-55', 'not-ours', 'look-alike: nothing leads to the old module'
    if any(
        (each := unit.source.at(*span)).parent is not None
        and each.parent.type in ('function_definition', 'class_definition')
        and each.field == 'name'
        for span in unit.words(name)
    ):
        return 'P-55', 'not-ours', f'look-alike: {name} is defined here'
    return 'P-05', 'left', 'reached through another module or object, which is not followed'
