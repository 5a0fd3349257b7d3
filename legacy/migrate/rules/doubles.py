# SPDX-License-Identifier: Apache-2.0
"""P-50: under ``--tests``, the double of a method gets the method's new name.

What a double is asked that the new calls answer otherwise (P-51) leaves it, and it is reported. Doubles of
factories (P-48) stand in ``patched.py``.
"""

from __future__ import annotations

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments
from legacy.migrate.call_words import last_word
from legacy.migrate.edits import Edit
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.patched import COUNTED, MOCKS, Double, name_of, reads_of
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit
from legacy.migrate.values import Use


def of_method(unit: Unit, names: NewNames, node: Node, call: Node, name: str, text: Node | None) -> Double:
    """A double of a method: of the class by a string, or of the class itself with the method's name."""
    rewrite = catalogue.service_method(name)
    assert rewrite is not None
    new = rewrite.to or name
    made = Double(unit, node, 'P-50', name, reason=_unfit(unit, name, call, 2 if text is not None else 1))
    made.reason = made.reason or names.problem
    if made.reason:
        return made
    if text is None:
        made.edits = [Edit(node.start, node.end, f'{catalogue.NEW_CALL}.{new}')]
    else:
        whole = inner(node)
        made.edits = [Edit(whole.start, whole.end, names.api), *_renamed(text, new)]
    return made


def of_object(use: Use) -> Double:
    """A double of a method of one service object, which is followed anyway."""
    rewrite = catalogue.service_method(use.name)
    assert use.call is not None and rewrite is not None
    made = Double(use.unit, use.node, 'P-50', use.name, reason=_unfit(use.unit, use.name, use.call, 2))
    if not made.reason:
        made.edits = _renamed(Arguments(use.call).positional[1], rewrite.to or use.name)
    return made


def _renamed(text: Node, new: str) -> list[Edit]:
    content = next(each for each in inner(text).children if each.type == 'string_content')
    return [] if content.text == new else [Edit(content.start, content.end, new)]


def _unfit(unit: Unit, name: str, call: Node, place: int) -> str:
    """Why a double of a method would say something else after the rewrite, or ''."""
    arguments = Arguments(call)
    stands_in = arguments.positional[place:]
    keywords = set(arguments.keywords) - {'return_value', 'side_effect', 'new'}
    if keywords or arguments.splats or len(stands_in) > 1:
        return f'made with {", ".join(sorted(keywords)) or "more arguments"}; see what it does with them'
    return _refuses(unit, name, stands_in, arguments) or _asserted(unit, call)


def _refuses(unit: Unit, name: str, stands_in: list[Node], arguments: Arguments) -> str:
    """Why a stand-in for a method cannot take what the new calls give it, or ''."""
    keyword = arguments.keywords.get('new') or arguments.keywords.get('side_effect')
    value = stands_in[0] if stands_in else keyword.get('value') if keyword is not None else None
    if value is None:
        return ''
    value = inner(value)
    if value.type == 'call' and last_word(value.get('function') or value) in MOCKS:
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
    name = name_of(unit, call)
    for read in reads_of(unit, name) if name is not None else ():
        above = read.parent
        word = (above.get('attribute') or read).text if above is not None and above.type == 'attribute' else ''
        if word.startswith('assert') and word not in COUNTED or word.startswith(('call_args', 'mock_calls')):
            return f'line {read.line} asserts arguments, which may differ now (P-51)'
    return ''
