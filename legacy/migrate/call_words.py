# SPDX-License-Identifier: Apache-2.0
"""What a call does with what it is given, told by the last word of its function."""

from __future__ import annotations

from legacy.migrate.tree import Node, inner, outer

#: Calls that put a double in the place of what they are given.
DOUBLES = (
    'Set',
    'SmartSet',
    'StubOutWithMock',
    'object',
    'setattr',
    'stub_out',
    'patch_object',
    'multiple',
    'MonkeyPatch',
    'StubOutClassWithMocks',
    'patch',
    'spy',
    'flexmock',
    'delattr',
)
#: Calls that reach an attribute by its name.
BY_NAME = ('getattr', 'hasattr')
#: Calls that load a class or a module by its dotted name.
LOADERS = (
    'import_object',
    'import_class',
    'import_module',
    'import_object_ns',
    'import_any',
    '__import__',
    'try_import',
)
#: Calls that pass what follows a function on to it, keywords too -> how many arguments stand before the function.
FORWARDERS = {
    'addCleanup': 0,
    'addClassCleanup': 0,
    'useCleanup': 0,
    'partial': 0,
    'spawn': 0,
    'spawn_n': 0,
    'submit': 0,
    'apply_later': 0,
    'callLater': 1,
    'call_later': 1,
    'spawn_after': 1,
    'assertRaises': 1,
    'to_thread': 0,
}


def called_by(node: Node) -> tuple[str, Node | None]:
    """Last word of the function that an expression is an argument of, and the call; '' if it is none."""
    place = outer(node)
    above = place.parent
    if above is not None and above.type == 'keyword_argument':
        above = above.parent
    if above is None or above.type != 'argument_list' or above.parent is None:
        return '', None
    call = above.parent
    function = call.get('function')
    if function is None:
        return '', call
    return last_word(function), call


def forwarded(call: Node) -> tuple[Node, int] | None:
    """The method that a call passes the rest of its arguments on to, and how many stand before those."""
    function, listed = call.get('function'), call.get('arguments')
    place = FORWARDERS.get(last_word(function)) if function is not None else None
    if place is None or listed is None or listed.type != 'argument_list' or len(listed.named) <= place:
        return None
    if any(each.type in ('keyword_argument', 'list_splat') for each in listed.named[: place + 1]):
        return None
    method = inner(listed.named[place])
    return (method, place + 1) if method.type == 'attribute' else None


def goes_inert(word: str) -> str:
    """Why a double is reported that is made by a call of this last word."""
    maker = 'patch.object' if word == 'object' else word
    return f'a double made by {maker}(); it goes inert when its callers are rewritten'


def last_word(function: Node) -> str:
    """The last part of a dotted function."""
    return function.text.split('.')[-1].strip().rstrip('\\').strip()
