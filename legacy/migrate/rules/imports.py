# SPDX-License-Identifier: Apache-2.0
"""P-01 to P-07: imports come last (rule 6).

Nothing old left behind an import: it makes way for the new one, in its place. Something left: it points at the
shim and keeps its name. A choice (P-06), a star (P-04), an import nobody reads (P-07) and a dotted import whose
``nova`` is needed otherwise (P-02) stay and are told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from legacy.migrate import catalogue
from legacy.migrate.edits import Edit
from legacy.migrate.find import Import, Reference
from legacy.migrate.rules.doubts import doubt_reason
from legacy.migrate.rules.names import NewNames
from legacy.migrate.scopes import Scope
from legacy.migrate.tree import Node
from legacy.migrate.unit import Unit


@dataclass
class Verdict:
    """What becomes of one imported name."""

    pattern: str
    action: str  # drop, shim, keep
    status: str
    reason: str = ''
    replacement: str = ''


def pattern_of(it: Import) -> str:
    """The pattern of an import by its spelling."""
    if it.ref.kind == 'name':
        return 'P-04'
    if it.item.type == 'aliased_import':
        return 'P-03'
    return 'P-02' if it.binding.kind == 'import' else 'P-01'


def judge(
    unit: Unit, it: Import, reached: Callable[[str], str], shim_taken: str, api: bool = False
) -> Verdict:
    """What becomes of an import, given which of its references were rewritten.

    :param api: whether upstream's later API moves too (P-56)
    """
    pattern = pattern_of(it)
    module = it.ref.module or it.ref.dotted
    waiting = [each for each in it.references if not each.rewritten]
    if it.binding.kind != 'import' or it.item.type == 'aliased_import':
        full = module
    else:
        full = it.full
    later = full in catalogue.LATER_MODULES or (it.ref.kind == 'name' and it.ref.dotted in catalogue.LATER_NAMES)
    if later and not api:
        return Verdict('P-56', 'keep', 'not-ours', "later-api: upstream's own later image API")
    if later:
        pattern = 'P-56'
    if it.ref.doubt and it.ref.doubt != 'P-25':
        return Verdict(it.ref.doubt, 'keep', 'left', doubt_reason(it.ref.doubt))
    if full in catalogue.DOWNLOAD_MODULES:
        return Verdict('P-37', 'keep', 'left', 'the transfer modules have no counterpart; drivers fetch')
    if not it.references:
        if reached(it.binding.name):
            return Verdict('P-05', 'keep', 'left', f'reached from {reached(it.binding.name)}')
        reason = 'nobody reads it here; it may be imported for its side effect, the registration of options'
        return Verdict('P-07', 'keep', 'left', reason)
    if not waiting:
        return _nothing_waits(unit, it, pattern, reached)
    if all(_is_later(each) for each in waiting):
        if len(waiting) == len(it.references):
            return Verdict('P-56', 'keep', 'not-ours', 'later-api: only the later class API is used')
        return Verdict('P-56', 'keep', 'left', "upstream's later API is used through this import too")
    lines = sorted({each.node.line for each in waiting})
    where = f'line {lines[0]}' if len(lines) == 1 else f'lines {", ".join(map(str, lines[:5]))}'
    reason = f'still needed by {where}'
    if module.startswith('legacy') or it.full.startswith('legacy'):
        return Verdict(pattern, 'keep', 'left', reason)
    if later or not it.is_old:
        return Verdict('P-56', 'keep', 'left', reason)
    if pattern == 'P-02' or shim_taken:
        return Verdict(pattern, 'keep', 'left', f'{reason}; {shim_taken}' if shim_taken else reason)
    return Verdict(pattern, 'shim', 'rewritten', f'{reason}, so it points at the shim', shim_import(it))


def _is_later(reference: Reference) -> bool:
    ref = reference.ref
    return bool(ref.kind == 'name' and ref.dotted in catalogue.LATER_NAMES)


def _nothing_waits(unit: Unit, it: Import, pattern: str, reached: Callable[[str], str]) -> Verdict:
    where = reached(it.binding.name)
    if where:
        if it.full.startswith('legacy') or pattern == 'P-02':
            return Verdict('P-05', 'keep', 'left', f'reached from {where}')
        return Verdict(
            pattern, 'shim', 'rewritten', f'reached from {where}, so it points at the shim', shim_import(it)
        )
    for start, end in unit.words(it.binding.name):
        if unit.source.at(start, end).type == 'string_content' and _in_all(unit.source.at(start, end)):
            return Verdict('P-05', 'keep', 'left', '__all__ exports it')
    if pattern == 'P-02' and it.others:
        deep = [
            each for each in it.others if each.text.replace(' ', '').startswith(f'{it.binding.name}.image')
        ]
        if deep:
            return Verdict('P-02', 'keep', 'left', f'line {deep[0].line} reaches {deep[0].text} through it')
        return Verdict(
            'P-02', 'drop', 'rewritten', f'{it.binding.name} is needed by line {it.others[0].line}'
        )
    return Verdict(pattern, 'drop', 'rewritten')


def _in_all(node: Node) -> bool:
    statement = node.closest('assignment', 'augmented_assignment')
    left = statement.get('left') if statement is not None else None
    return left is not None and left.text == '__all__'


def shim_import(it: Import) -> str:
    """The import of the shim under the same name."""
    name = it.binding.name
    if it.ref.kind == 'name':
        alias = '' if name == it.ref.dotted else f' as {name}'
        return f'from {catalogue.SHIM} import {it.ref.dotted}{alias}'
    package, _, module = catalogue.SHIM.rpartition('.')
    return f'from {package} import {module}' + ('' if name == module else f' as {name}')


def rewrite(
    unit: Unit,
    statement: Node,
    verdicts: list[tuple[Import, Verdict]],
    names: NewNames,
    added: set[int],
    code: str,
) -> tuple[list[Edit], list[str]]:
    """The edits of one import statement, and the new statements it brings.

    :param added: ids of the scopes that have the new import by now; extended here
    :param code: all new code of the file, for the names it needs
    """
    scope = unit.scopes.around(statement)
    lines: list[str] = []
    fresh = [each for it, _ in verdicts for each in it.references if each.rewritten]
    if fresh and id(scope) not in added and id(unit.scopes.module) not in added:
        first = min(each.node.start for each in fresh)
        lines += _needed(names, scope, code, first)
        added.add(id(scope))
    gone = [it for it, verdict in verdicts if verdict.action in ('drop', 'shim')]
    lines += [verdict.replacement for _, verdict in verdicts if verdict.action == 'shim']
    for it, verdict in verdicts:
        if verdict.action == 'drop' and it.others and not _bound_elsewhere(it, scope):
            lines.append(f'import {it.binding.name}')
        if verdict.action == 'drop':
            verdict.replacement = lines[0] if lines else ''
    items = statement.all('name')
    kept = [each for each in items if all(it.item is not each for it in gone)]
    if not gone and not lines:
        return [], []
    if kept:
        edits = remove_items(unit, statement, items, [it.item for it in gone])
        joined = _joined(unit, statement, lines)
        return [*edits, Edit(statement.start, statement.start, joined)] if lines else edits, lines
    comments = [each.text for each in statement.walk() if each.type == 'comment']
    if not lines:
        return _vanish(unit, statement, comments), []
    indent = _indent(unit, statement)
    if indent is None:
        return [Edit(statement.start, statement.end, '; '.join(lines))], lines
    text = f'{unit.source.newline}{indent}'.join([*comments, *lines])
    return [Edit(statement.start, statement.end, text)], lines


def _needed(names: NewNames, scope: Scope, code: str, first: int) -> list[str]:
    wanted = names.imports(scope, code)
    if wanted:
        return wanted
    bound = [
        binding
        for each in (scope, names.unit.scopes.module)
        for binding in each.bindings.get(catalogue.NEW_PACKAGE, ())
    ]
    early = any(binding.node.start < first for binding in bound)
    return [] if early or not names.plain else [f'import {catalogue.NEW_PACKAGE}.api']


def _bound_elsewhere(it: Import, scope: Scope) -> bool:
    return any(
        binding is not it.binding
        and binding.kind == 'import'
        and not binding.owner.text.startswith('nova.image.glance')
        for binding in scope.bindings.get(it.binding.name, ())
    )


def _indent(unit: Unit, statement: Node) -> str | None:
    """What stands before the statement on its line; None if that is not only white space."""
    data = unit.source.data
    before = data[data.rfind(b'\n', 0, statement.start) + 1 : statement.start]
    return None if before.strip() else before.decode()


def _joined(unit: Unit, statement: Node, lines: list[str]) -> str:
    indent = _indent(unit, statement)
    if indent is None:
        return ''.join(f'{line}; ' for line in lines)
    return ''.join(f'{line}{unit.source.newline}{indent}' for line in lines)


def _vanish(unit: Unit, statement: Node, comments: list[str]) -> list[Edit]:
    """Take a statement away; ``pass`` where a block would be empty or the line is shared."""
    data, indent = unit.source.data, _indent(unit, statement)
    end = data.find(b'\n', statement.end)
    rest = data[statement.end : end if end >= 0 else len(data)]
    siblings = statement.parent.named if statement.parent is not None else []
    if indent is None or rest.strip() or end < 0 or comments or len(siblings) < 2:
        return [Edit(statement.start, statement.end, 'pass')] if not comments else []
    return [Edit(statement.start - len(indent.encode()), end + 1, '')]


def remove_items(unit: Unit, statement: Node, items: list[Node], gone: list[Node]) -> list[Edit]:
    """Take names out of an import list; comments and the rest of the layout stay."""
    data, children = unit.source.data, statement.children
    parenthesised = any(each.type == '(' for each in children)
    last_kept = max(index for index, each in enumerate(items) if each not in gone)
    edits = []
    for item in gone:
        place = children.index(item)
        after = next((each for each in children[place + 1 :] if each.type == ','), None)
        before = next((each for each in reversed(children[:place]) if each.type == ','), None)
        start, end = item.start, item.end
        if after is not None and (parenthesised or items.index(item) < last_kept):
            if data[end : after.start].strip():
                edits.append(Edit(after.start, after.end, ''))
            else:
                end = after.end
        elif before is not None and not parenthesised:
            start = before.start
        line_start = data.rfind(b'\n', 0, start) + 1
        stop = data.find(b'\n', end)
        if parenthesised and not data[line_start:start].strip() and not data[end:stop].strip():
            start, end = line_start, stop + 1
        elif start == item.start:
            while data[end : end + 1] in (b' ', b'\t') and data[end + 1 : end + 2] not in (
                b'#',
                b'\n',
                b'\r',
                b' ',
            ):
                end += 1
        edits.append(Edit(start, end, ''))
    return edits
