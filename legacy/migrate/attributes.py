# SPDX-License-Identifier: Apache-2.0
"""P-10 and P-23: whether a read of ``.name`` somewhere in the run is of an attribute that holds a service."""

from __future__ import annotations

from collections.abc import Iterator

from legacy.migrate import catalogue
from legacy.migrate.call_words import BY_NAME, DOUBLES, called_by
from legacy.migrate.classes import class_of_self, relatives
from legacy.migrate.lineage import Definition, Lineage
from legacy.migrate.tree import Node, outer
from legacy.migrate.unit import Unit
from legacy.migrate.values import Attribute

_REACHING = (*BY_NAME, *DOUBLES, 'delattr', 'attrgetter', 'methodcaller')


def accesses(unit: Unit, name: str) -> list[Node]:
    """Every ``something.name`` of a file, reads and stores."""
    known: dict[str, list[Node]] = vars(unit).setdefault('_accesses', {})
    if name not in known:
        known[name] = list(_accesses(unit, name))
    return known[name]


def _accesses(unit: Unit, name: str) -> Iterator[Node]:
    for start, end in unit.words(name):
        node = unit.source.at(start, end)
        above = node.parent
        if above is not None and above.type == 'attribute' and node.field == 'attribute':
            yield above


def by_name(unit: Unit, name: str) -> list[Node]:
    """Strings by which an attribute is reached: arguments of getattr and its like, keys of ``__dict__``."""
    known: dict[str, list[Node]] = vars(unit).setdefault('_by_name', {})
    if name not in known:
        known[name] = list(_by_name(unit, name))
    return known[name]


def _by_name(unit: Unit, name: str) -> Iterator[Node]:
    for start, end in unit.words(name):
        node = unit.source.at(start, end)
        if node.type != 'string_content' or node.text != name or node.parent is None:
            continue
        above = outer(node.parent).parent
        holder = above.get('value') if above is not None and above.type == 'subscript' else None
        if holder is not None and ('__dict__' in holder.text or holder.text.startswith('vars(')) or called_by(node.parent)[0] in _REACHING:
            yield node


class Reach:
    """Tells objects with an attribute from look-alikes."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self._known: dict[tuple[int, int], bool | None] = {}
        self._others: dict[tuple[int, str], bool | None] = {}

    def belongs(self, attribute: Attribute, unit: Unit, access: Node) -> bool | None:
        """Whether an access is of this attribute; None if that is not known."""
        key = (id(attribute), id(access))
        if key not in self._known:
            self._known[key] = self._judge(attribute, unit, access)
        return self._known[key]

    def _judge(self, attribute: Attribute, unit: Unit, access: Node) -> bool | None:
        holder = access.get('object')
        if holder is None:
            return None
        home = (attribute.unit, attribute.owner)
        owner = class_of_self(unit, holder)
        if owner is not None:
            return self._of_self(attribute, (unit, owner), home)
        kinds = self._lineage.kinds(unit, holder)
        if kinds is None:
            return False if _asks_for_something_else(access) else None
        found = {self._same(attribute, each, home) for each in kinds}
        return found.pop() if len(found) == 1 else None

    def _same(self, attribute: Attribute, owner: Definition, home: Definition) -> bool:
        family = relatives(*home)
        return owner[1] in family or any(
            self._lineage.related(owner, (attribute.unit, each)) for each in family
        )

    def _of_self(self, attribute: Attribute, owner: Definition, home: Definition) -> bool | None:
        if self._same(attribute, owner, home):
            return True
        key = (id(owner[1]), attribute.name)
        if key not in self._others:
            self._others[key] = self._of_another(attribute.name, owner)
        return self._others[key]

    def _of_another(self, name: str, owner: Definition) -> bool | None:
        """False if a class that is not related has the attribute from elsewhere; None if that is not known."""
        line, _whole = self._lineage.line(*owner)
        if any(True for each in line for _ in self._lineage.stores(each, name)):
            return False
        if any(name in each.scopes.of(node).bindings for each, node in line):
            return False
        return None  # a mixin, perhaps: another class may bring the attribute


def _asks_for_something_else(access: Node) -> bool:
    """Whether something is asked of an attribute that no service has, so that it is another one."""
    above = outer(access).parent
    if above is None or above.type != 'attribute':
        return False
    name = (above.get('attribute') or above).text
    return name not in catalogue.EVERY_METHOD
