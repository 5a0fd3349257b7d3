# SPDX-License-Identifier: Apache-2.0
"""P-30 and P-31: ``update()`` says ``purge_props`` always (D-3).

The old server purged by default and never when data was sent. So: no data, True; data certainly there,
False; otherwise ``not NAME`` for a plain name, D-5 written out for what can be read twice, and left alone for
anything else.
"""

from __future__ import annotations

import re

from legacy.migrate.arguments import names_in
from legacy.migrate.edits import Edit
from legacy.migrate.environment import UNBOUND
from legacy.migrate.rules import properties
from legacy.migrate.rules.outcome import CHAIN, MethodCall, Outcome, common_checks, is_empty, is_simple, left
from legacy.migrate.strings import plain_string
from legacy.migrate.tree import Node, inner

#: Calls whose result is an object with read().
_OPENERS = re.compile(r'(?:io\.|cStringIO\.|StringIO\.|six\.)?(?:open|file|StringIO|BytesIO)$')
PURGE = 'purge_props'


def rewrite(call: MethodCall) -> Outcome:
    """The call of the new ``update`` with its purge said, or why it has to wait."""
    given = call.value(PURGE)
    pattern = 'P-30' if given is None else 'P-31'
    stopped = common_checks(call, pattern)
    if stopped is not None:
        return stopped
    for name in (PURGE, 'data'):
        if name in (call.literal or {}):
            return left('P-35', f'{name} is inside a ** argument')
    if call.value('image_id') is None and 'image_id' not in (call.literal or {}):
        return left(pattern, 'no image id is given')
    kept = properties.keep_none(call)
    edits = call.rename_method() + call.rename_keywords() + kept
    data = call.value('data')
    presence = 'none' if data is None or is_empty(data) else _presence(call, data)
    if given is None:
        outcome = _by_default(call, edits, data, presence)
    else:
        outcome = _as_given(edits, given, data, presence)
    if kept and not outcome.reason:
        outcome.note = properties.NOTE
    return outcome


def _by_default(call: MethodCall, edits: list[Edit], data: Node | None, presence: str) -> Outcome:
    if presence == 'unknown':
        return left(
            'P-30', 'whether data is sent cannot be told, so neither can whether properties are purged'
        )
    text = {'none': 'True', 'certain': 'False'}.get(presence) or (_absent(data) if data is not None else '')
    return Outcome('P-30', edits + call.append(f'{PURGE}={text}'))


def _as_given(edits: list[Edit], given: Node, data: Node | None, presence: str) -> Outcome:
    value = inner(given)
    if value.type == 'false' or presence == 'none':
        return Outcome('P-31', edits)
    if presence == 'unknown' or data is None:
        return left(
            'P-31', 'whether data is sent cannot be told, so neither can whether properties are purged'
        )
    if presence == 'certain':
        if not is_simple(given):
            return left(
                'P-31', 'data is sent, so nothing was purged, but the purge argument is computed here'
            )
        return Outcome('P-31', [*edits, Edit(given.start, given.end, 'False')])
    absent = _absent(data)
    if value.type == 'true' or (value.type == 'integer' and value.text == '1'):
        return Outcome('P-31', [*edits, Edit(given.start, given.end, absent)])
    if value.type in ('identifier', 'attribute', 'call', 'subscript', 'comparison_operator', 'not_operator'):
        return Outcome('P-31', [*edits, Edit(given.end, given.end, f' and {absent}')])
    text = given.text if given.type == 'parenthesized_expression' else f'({given.text})'
    return Outcome('P-31', [*edits, Edit(given.start, given.end, f'{text} and {absent}')])


def _presence(call: MethodCall, data: Node) -> str:
    """``certain``, ``maybe`` (a name, attribute or item, whose value decides) or ``unknown``."""
    data = inner(data)
    text = plain_string(data)
    if text or _opens(call, data):
        return 'certain'
    if any(each.type == 'named_expression' for item in call.arguments.items for each in item.walk()):
        return 'unknown'
    if data.type != 'identifier':
        return 'maybe' if _is_read_twice(call, data) else 'unknown'
    bindings = call.unit.definitions(data)
    if not bindings:
        return 'maybe'
    sources = [None if each == UNBOUND else _source(each.owner, each.node) for each in bindings]
    if all(each is not None and _opens(call, each) for each in sources):
        return 'certain'
    return 'maybe'


def _is_read_twice(call: MethodCall, data: Node) -> bool:
    """Whether an attribute or an item has the same value at the end of the arguments, which may run code."""
    taken = call.unit.scopes.lookup('hasattr', call.unit.scopes.around(data)) is not None
    quoted = data.closest('string') is not None  # what is added has quotes of its own
    if taken or quoted or data.type not in ('attribute', 'subscript') or not CHAIN.match(data.text):
        return False
    later = [each for each in call.arguments.items if each.start > data.start]
    return not any(node.type in ('call', 'await', 'yield') for each in later for node in each.walk())


def _absent(data: Node) -> str:
    """Code that is true where an expression that may be read twice holds no data (D-5)."""
    text = inner(data).text
    return f'not {text}' if inner(data).type == 'identifier' else f"not ({text} or hasattr({text}, 'read'))"


def _source(owner: Node, target: Node) -> Node | None:
    """The expression a name was bound to, for an assignment or a ``with``."""
    if owner.type == 'as_pattern':
        alias = owner.get('alias')
        plain = alias is not None and alias.named == [target]
        return inner(owner.named[0]) if plain else None
    if owner.type == 'assignment' and owner.get('left') is target:
        right = owner.get('right')
        return inner(right) if right is not None else None
    return None


def _opens(call: MethodCall, node: Node) -> bool:
    """Whether a call makes an object with read(), by a function that the file has not made itself."""
    function = node.get('function') if node.type == 'call' else None
    if function is None or not _OPENERS.match(function.text):
        return False
    scopes, name = call.unit.scopes, next(iter(names_in(function)))
    home = scopes.lookup(name, scopes.around(node))
    bindings = scopes.all_bindings(name, home) if home is not None else ()
    return all(each.kind in ('import', 'from') for each in bindings)
