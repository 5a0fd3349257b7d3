# SPDX-License-Identifier: Apache-2.0
"""P-38, P-39, P-42: module functions whose work a method of the new API does.

``generate_image_url`` and ``generate_glance_url`` move to an API object (D-6); ``UpdateGlanceImage(...).start()``
becomes the update it held back, which never purges; a ``start`` that is handed to something that runs it later
becomes the method with its arguments.
"""

from __future__ import annotations

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments
from legacy.migrate.call_words import FORWARDERS, called_by
from legacy.migrate.edits import Edit
from legacy.migrate.rules.doubts import doubt_reason
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import Outcome, left
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Ref, Unit


def rewrite(unit: Unit, node: Node, ref: Ref, names: NewNames) -> Outcome | None:
    """The edits for a reference to such a function; None if this is not one."""
    rule = catalogue.MODULE_NAMES[ref.dotted].rewrite
    call = outer(node).parent
    if rule.pattern not in ('P-38', 'P-39', 'P-42') or call is None or call.type != 'call':
        return None
    if outer(node).field != 'function':
        return None
    if ref.doubt:
        return left(ref.doubt, doubt_reason(ref.doubt))
    arguments = Arguments(call)
    pattern = rule.pattern
    if arguments.splats or arguments.generator:
        return left(pattern, 'a * or ** argument may hold anything')
    if rule.pattern == 'P-42':
        return _held_back(call, node, arguments, names)
    known = set(rule.positional)
    if len(arguments.positional) > len(rule.positional) or set(arguments.keywords) - known:
        return left(pattern, f'{ref.dotted}() is given arguments that no release had')
    function = inner(node)
    if function.type != 'attribute':
        return Outcome(pattern, [Edit(function.start, function.end, f'{names.api}().{rule.to}')])
    owner, name = function.get('object'), function.get('attribute')
    assert owner is not None and name is not None
    return Outcome(
        pattern, [Edit(owner.start, owner.end, f'{names.api}()'), Edit(name.start, name.end, str(rule.to))]
    )


def _held_back(call: Node, node: Node, arguments: Arguments, names: NewNames) -> Outcome:
    rule = catalogue.MODULE_NAMES['UpdateGlanceImage'].rewrite
    method = outer(call).parent
    again = outer(method).parent if method is not None else None
    attribute = method.get('attribute') if method is not None and method.type == 'attribute' else None
    started = (
        attribute is not None and attribute.text == 'start' and again is not None and again.type == 'call'
    )
    plain = Arguments(again).items == [] if started and again is not None else False
    if attribute is not None and attribute.text == 'start' and method is not None and not started:
        return _for_later(call, node, method, arguments, names)
    if not started or not plain or again is None or method is None or outer(method).field != 'function':
        return left('P-42', 'the update is held back for later; its arguments have to be evaluated here')
    if len(arguments.items) != 4 or set(arguments.keywords) - {'context', *rule.positional}:
        return left('P-42', 'context, image, metadata and stream are not all given')
    if any(each.type == 'comment' for each in again.walk() if each.start >= call.end):
        return left('P-42', 'comments stand between the parts of the call')
    edits = _keywords(node, arguments, names)
    last = arguments.items[-1]
    edits.append(Edit(last.end, last.end, ', purge_props=False'))
    edits.append(Edit(outer(call).end, again.end, ''))
    return Outcome('P-42', edits)


def _for_later(call: Node, node: Node, method: Node, arguments: Arguments, names: NewNames) -> Outcome:
    """``spawn(UpdateGlanceImage(...).start)``: the arguments are evaluated where they were."""
    word, outside = called_by(method)
    listed, last = call.get('arguments'), outside.get('arguments') if outside is not None else None
    runs_later = word in FORWARDERS and word != 'assertRaises'
    if not runs_later or outside is None or listed is None or last is None:
        return left('P-42', 'the update is held back for later; its arguments have to be evaluated here')
    known = {'context', *catalogue.MODULE_NAMES['UpdateGlanceImage'].rewrite.positional}
    given = len(arguments.items) == 4 and not set(arguments.keywords) - known
    if not given or any(each.type == 'comment' for each in last.walk()):
        return left('P-42', 'context, image, metadata and stream are not all given plainly')
    around = Arguments(outside)
    alone = len(around.positional) == FORWARDERS[word] + 1 and around.items[-1] is method
    if not alone:
        return left('P-42', f'{word}() is given more than the method')
    first, end = listed.children[0], arguments.items[-1]
    more = [Edit(first.start, first.end, ', '), Edit(end.end, method.end, ', purge_props=False')]
    return Outcome('P-42', [*_keywords(node, arguments, names), *more])


def _keywords(node: Node, arguments: Arguments, names: NewNames) -> list[Edit]:
    rule, function = catalogue.MODULE_NAMES['UpdateGlanceImage'].rewrite, inner(node)
    edits = [Edit(function.start, function.end, f'{names.api}().{rule.to}')]
    for old, new in rule.params.items():
        keyword = arguments.keywords.get(old)
        name = keyword.get('name') if keyword is not None else None
        if name is not None:
            edits.append(Edit(name.start, name.end, new))
    return edits
