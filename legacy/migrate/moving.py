# SPDX-License-Identifier: Apache-2.0
"""P-48 and P-50: under ``--tests``, doubles move together with what they stand for, or stay with it."""

from __future__ import annotations

import re

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments
from legacy.migrate.call_words import DOUBLES, called_by, last_word
from legacy.migrate.groups import Groups
from legacy.migrate.rules.doubles import of_method
from legacy.migrate.rules.patched import Double, Patched
from legacy.migrate.strings import plain_string
from legacy.migrate.tree import Node, outer
from legacy.migrate.work import Work

_FACTORY = re.compile(r'[\w.]*\bglance\.(get_default_image_service|get_remote_image_service)$')
_METHOD = re.compile(rf'[\w.]*\bglance\.(?:{"|".join(catalogue.SERVICE_CLASSES)})\.(\w+)$')


def of(work: Work) -> list[Double]:
    """The doubles of a file that have a rewrite, each with its edits or the reason why it is left."""
    found = []
    for node in work.book.strings():
        text = node.text
        word, call = called_by(_outer_string(node))
        if word not in DOUBLES or call is None:
            continue
        factory, method = _FACTORY.match(text), _METHOD.match(text)
        if factory is not None:
            found.append(Patched(work.unit, node, call, factory.group(1)).double())
        elif method is not None and catalogue.service_method(method.group(1)):
            found.append(of_method(work.unit, work.names, node, call, method.group(1), None))
    for reference in work.references:
        if reference.ref.kind == 'name' and reference.ref.dotted in catalogue.SERVICE_CLASSES:
            call = called_by(reference.node)[1]
            given = Arguments(call).positional if call is not None and call.type == 'call' else []
            name = plain_string(given[1]) if len(given) > 1 and given[0] is outer(reference.node) else None
            known = name is not None and catalogue.service_method(name) and not reference.ref.doubt
            if known and name and call is not None and last_word(call.get('function') or call) in DOUBLES:
                found.append(of_method(work.unit, work.names, reference.node, call, name, given[1]))
    return found


def _outer_string(content: Node) -> Node:
    """The string that a piece of text is the content of."""
    return content.parent if content.parent is not None else content


def settle(found: list[Double], groups: Groups) -> bool:
    """Leave doubles of which something they stand for is left; whether any was."""
    changed = False
    for each in found:
        if each.reason:
            continue
        stands = [
            group
            for group in groups.groups
            if not each.factory or any(it.ref.dotted == each.factory for it in group.acquisitions)
        ]
        left = [group for group in stands if group.troubles]
        if left:
            it = left[0].acquisitions[0]
            each.reason = f'it stands for {it.unit.path}:{it.node.line} too, which is left as it is'
        elif not stands:
            each.reason = 'nothing in the given paths that it stands for is rewritten'
        changed = changed or bool(each.reason)
    return changed
