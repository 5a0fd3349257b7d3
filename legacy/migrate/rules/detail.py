# SPDX-License-Identifier: Apache-2.0
"""P-28: ``detail()`` becomes ``get_all()``.

The old method swallowed unknown keywords and the new one refuses them (D-4): an unknown literal keyword is
dropped and said so; of ``**kw`` that is no literal dict, ``listing_arguments`` passes on what is known.
"""

from __future__ import annotations

from legacy.migrate.edits import Edit
from legacy.migrate.rules.outcome import MethodCall, Outcome, is_simple, left
from legacy.migrate.tree import Node

PATTERN = 'P-28'


def rewrite(call: MethodCall) -> Outcome:
    """The call of ``get_all``, or why it has to wait."""
    arguments, known = call.arguments, {'context', *call.rewrite.known}
    if arguments.generator or len(arguments.positional) > 1:
        return left(PATTERN, 'detail() took one positional argument, the context')
    splats = [each for each in arguments.splats if each.type == 'dictionary_splat']
    if len(splats) != len(arguments.splats):
        return left('P-35', 'a * argument may hold more than the context')
    literal = call.literal
    if literal is None:
        return _known_only(call, splats, known)
    unknown = [each for each in literal if each not in known]
    if unknown:
        return left('P-35', f'get_all() refuses the keyword {unknown[0]!r} that detail() dropped')
    edits, dropped = call.rename_method(), []
    for name, keyword in arguments.keywords.items():
        if name in known:
            continue
        value = keyword.get('value')
        if value is None or not is_simple(value):
            return left(PATTERN, f'get_all() refuses the keyword {name!r}, whose value is computed here')
        dropped.append(name)
        edits += _without(call, keyword)
    note = f'dropped {", ".join(dropped)}, which detail() ignored' if dropped else ''
    return Outcome(PATTERN, edits, note=note)


def _known_only(call: MethodCall, splats: list[Node], known: set[str]) -> Outcome:
    """``**listing_arguments(kw)``; what is given twice is still refused, as far as it is passed on."""
    if len(splats) > 1 or set(call.arguments.keywords) - known:
        return left('P-35', 'a keyword that get_all() does not take may be given twice, which detail() refused')
    if call.names is None:
        return left('P-35', 'a ** argument may hold keywords that get_all() refuses, and the new package is not imported here')
    inside = splats[0].named[0]
    edits = [Edit(inside.start, inside.start, f'{call.names.listing}('), Edit(inside.end, inside.end, ')')]
    note = 'keywords that detail() ignored are left out where it runs'
    return Outcome('P-35', [*call.rename_method(), *edits], note=note)


def _without(call: MethodCall, keyword: Node) -> list[Edit]:
    """Take out an argument with the comma before it; comments stay."""
    children = call.arguments.list.children if call.arguments.list is not None else []
    index = children.index(keyword)
    edits = [Edit(keyword.start, keyword.end, '')]
    for neighbour in (*reversed(children[:index]), *children[index + 1 :]):
        if neighbour.type == ',':
            span = (neighbour.start, neighbour.end)
            between = call.unit.source.data[neighbour.end : keyword.start]
            if neighbour.start < keyword.start and not between.strip():
                return [Edit(neighbour.start, keyword.end, '')]
            return [*edits, Edit(*span, '')]
    return edits
