# SPDX-License-Identifier: Apache-2.0
"""P-46: under ``--errors``, ``nova.exception`` image classes become those of ``nova_image.errors``.

Left alone without the flag: the new classes are caught by the old names. Classes that Nova uses for other things
too (NotFound, Invalid, Forbidden) stay Nova's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from legacy.migrate.edits import Edit
from legacy.migrate.rules.imports import remove_items
from legacy.migrate.rules.names import NewNames
from legacy.migrate.scopes import Binding
from legacy.migrate.tree import Node
from legacy.migrate.unit import Unit

NAMES = (
    'ImageNotFound', 'ImageNotAuthorized', 'ImageNotActive', 'ImageUnacceptable', 'ImageBadRequest',
    'ImageQuotaExceeded', 'ImageDeleteConflict', 'ImageImportImpossible', 'InvalidImageRef',
    'GlanceConnectionFailed', 'ImageNotFoundEC2',
)  # fmt: skip
OLD, NEW = 'nova.exception', 'nova_image.errors'
_WORD = re.compile(rb'\b(?:' + b'|'.join(each.encode() for each in NAMES) + rb')\b')
HINT = re.compile(rb'\bexception\b')


def mentioned(data: bytes) -> bool:
    """Whether a file may name one of the classes."""
    return bool(HINT.search(data) and _WORD.search(data))


@dataclass
class Moved:
    """What becomes of the error classes of one file.

    :ivar places: expression or imported name, and why it is left ('' if it is rewritten)
    """

    edits: list[Edit] = field(default_factory=list)
    places: list[tuple[Node, str, str]] = field(default_factory=list)


def rewrite(unit: Unit, names: NewNames, reached: Callable[[str], str]) -> Moved:
    """The edits of one file."""
    from nova_image import errors

    moved, bindings = Moved(), dict[int, tuple[Binding, list[Node]]]()
    for start, end in (each.span() for each in _WORD.finditer(unit.source.data)):
        node = unit.source.at(start, end)
        above = node.parent
        if node.type != 'identifier' or above is None or not hasattr(errors, node.text):
            continue
        if above.type == 'attribute' and node.field == 'attribute':
            ref = unit.resolve(above)
            if ref is None or ref.dotted != f'{OLD}.{node.text}':
                continue
            why = ref.doubt and 'what the name stands for is not certain'
            why = why or unit.skipped(above) or ('' if names.plain else f'{names.api} has another name here')
            moved.places.append((above, ref.dotted, why))
            if not why:
                moved.edits.append(Edit(above.start, above.end, f'{NEW}.{node.text}'))
                for binding in ref.via:
                    bindings.setdefault(id(binding), (binding, []))[1].append(above)
        elif above.type == 'dotted_name' and (statement := node.closest('import_from_statement')) is not None:
            _from(unit, statement, node, moved)
    for binding, places in bindings.values():
        moved.edits += _import(unit, binding, places, reached)
    return moved


def _from(unit: Unit, statement: Node, node: Node, moved: Moved) -> None:
    """``from nova.exception import ImageNotFound``: the statement changes its module if all its names move."""
    module = statement.get('module_name')
    if module is None or unit.origin(statement) != OLD or node.start < module.end:
        return
    items = [each.get('name') or each for each in statement.all('name')]
    why = '' if all(each.text in NAMES for each in items) else 'imported together with other classes'
    why = why or unit.skipped(statement)
    moved.places.append((node, f'{OLD}.{node.text}', why))
    edit = Edit(module.start, module.end, NEW)
    if not why and edit not in moved.edits:
        moved.edits.append(edit)


def _import(unit: Unit, binding: Binding, places: list[Node], reached: Callable[[str], str]) -> list[Edit]:
    """The import of the new classes, in the place of the old one where nothing else needs that."""
    owner = binding.owner
    statement = owner if owner.type.endswith('_statement') else owner.closest('import_statement', 'import_from_statement')
    if statement is None:
        return []
    source = unit.source
    start = source.data.rfind(b'\n', 0, statement.start) + 1
    before = source.data[start : statement.start]
    line = f'import {NEW}'
    joint = '; ' if before.strip() else f'{source.newline}{before.decode()}'
    there = any(
        each.owner.text.startswith(NEW) and each.kind == 'import'
        for each in binding.scope.bindings.get('nova_image', ())
    )
    home = unit.scopes.lookup(binding.name, binding.scope) or binding.scope
    others = [
        each
        for each in unit.reads(home, binding.name)
        if not any(place.start <= each.start < place.end for place in places)
    ]
    items = statement.all('name')
    if others or binding.kind == 'import' or reached(binding.name) or _exported(unit, binding.name):
        return [] if there else [Edit(statement.start, statement.start, f'{line}{joint}')]
    if len(items) == 1 and not there:
        return [Edit(statement.start, statement.end, line)]
    if len(items) == 1:
        return []
    edits = [] if there else [Edit(statement.start, statement.start, f'{line}{joint}')]
    return [*edits, *remove_items(unit, statement, items, [owner])]


def _exported(unit: Unit, name: str) -> bool:
    return any(unit.source.at(*span).type == 'string_content' for span in unit.words(name))
