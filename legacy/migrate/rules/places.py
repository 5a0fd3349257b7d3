# SPDX-License-Identifier: Apache-2.0
"""P-20, P-25, P-37, P-40 to P-45, P-49, P-50, P-56, P-59: references that are not acquisitions.

They are left, each with its pattern and with what the table of names suggests.
"""

from __future__ import annotations

from legacy.migrate import catalogue
from legacy.migrate.call_words import BY_NAME, DOUBLES, called_by, goes_inert
from legacy.migrate.classes import is_store
from legacy.migrate.rules.doubts import doubt_reason
from legacy.migrate.tree import Node, outer
from legacy.migrate.unit import Ref


def is_factory_call(node: Node, ref: Ref) -> bool:
    """Whether a reference is the function of a call that makes a service or a pair."""
    entry = catalogue.MODULE_NAMES.get(ref.dotted) if ref.kind == 'name' else None
    if entry is None or ref.module not in catalogue.GLANCE_MODULES:
        return False
    above = outer(node).parent
    return (
        entry.rewrite.pattern in ('P-08', 'P-12', 'P-19')
        and above is not None
        and above.type == 'call'
        and outer(node).field == 'function'
    )


def judge(node: Node, ref: Ref) -> tuple[str, str, str]:
    """Pattern, status and reason of a reference that no rule rewrites."""
    if ref.kind == 'other':
        if ref.dotted.endswith('.API'):
            return 'P-56', 'not-ours', "later-api: upstream's own later image API"
        return 'P-59', 'left', 'an older generation of the image service; its calls differ'
    module = ref.module or ref.dotted
    if module in catalogue.LATER_MODULES or (ref.kind == 'name' and ref.dotted in catalogue.LATER_NAMES):
        return 'P-56', 'not-ours', "later-api: upstream's own later image API"
    word, call = called_by(node)
    if ref.kind == 'module':
        return _module(node, ref, word)
    if is_store(node):
        return 'P-49', 'left', f'{ref.dotted} is replaced by assignment: a double that goes inert'
    if ref.module in catalogue.DOWNLOAD_MODULES:
        return 'P-37', 'left', 'the transfer modules have no counterpart; drivers fetch'
    if call is not None and call.type == 'class_definition':
        return (
            'P-45',
            'left',
            'a subclass of the old class; a driver built on nova_image.ImageDriver does its work',
        )
    if word in DOUBLES:
        pattern = 'P-50' if ref.dotted in catalogue.SERVICE_CLASSES else 'P-49'
        return pattern, 'left', goes_inert(word)
    return _name(node, ref, word)


def _module(node: Node, ref: Ref, word: str) -> tuple[str, str, str]:
    if ref.dotted in catalogue.DOWNLOAD_MODULES:
        return 'P-37', 'left', 'the transfer modules have no counterpart; drivers fetch'
    if word in BY_NAME:
        return 'P-37', 'left', f'attributes of the module are reached by name: {word}()'
    if word in DOUBLES:
        return 'P-49', 'left', goes_inert(word)
    if word:
        return 'P-25', 'left', f'the module is handed to {word}()'
    return 'P-25', 'left', 'the module is used as a value'


def _name(node: Node, ref: Ref, word: str) -> tuple[str, str, str]:
    entry = catalogue.MODULE_NAMES.get(ref.dotted)
    if entry is None:
        return 'P-37', 'left', f'{ref.dotted} of the old module has no counterpart'
    if ref.doubt:
        return ref.doubt, 'left', doubt_reason(ref.doubt)
    pattern = entry.rewrite.pattern
    above = outer(node).parent
    called = above is not None and above.type == 'call' and outer(node).field == 'function'
    if pattern in ('P-08', 'P-12', 'P-19') and not called:
        if above is not None and above.type == 'attribute':
            return 'P-37', 'left', 'an attribute of the old class is reached'
        kind = 'class' if pattern == 'P-19' else 'function'
        return 'P-25', 'left', f'the {kind} is used as a value' + (f', handed to {word}()' if word else '')
    if pattern in ('P-38', 'P-39', 'P-42') and not called:
        return pattern, 'left', 'the function is used as a value'
    return pattern, 'left', f'{entry.why}; use {entry.new}'
