# SPDX-License-Identifier: Apache-2.0
"""What the trace follows: acquisitions, the values they make, the uses of those, attributes that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from legacy.migrate.scopes import Binding
from legacy.migrate.tree import Node
from legacy.migrate.unit import Ref, Unit

Kind = Literal['service', 'pair', 'id']


@dataclass(eq=False)
class Acquisition:
    """One expression that makes a service or a pair.

    :ivar pattern: P-08 to P-19, settled when the plan is made
    :ivar context: for a pair: the context and the reference it was given
    :ivar stored: for a pair: the attribute that its service alone is stored in
    """

    unit: Unit
    node: Node
    ref: Ref
    remote: bool
    pattern: str = 'P-08'
    context: Node | None = None
    reference: Node | None = None
    uses: list[Use] = field(default_factory=list)
    services: list[Binding] = field(default_factory=list)
    ids: list[Binding] = field(default_factory=list)
    stored: Node | None = None

    def holds(self, node: Node) -> bool:
        """Whether a node is inside the arguments of the call that acquires."""
        listed = self.node.get('arguments')
        return listed is not None and listed.start <= node.start < listed.end


@dataclass(frozen=True)
class Value:
    """A service, a pair or a parsed id, and where it came from."""

    kind: Kind
    of: Acquisition


@dataclass(eq=False)
class Use:
    """One place where a value is used.

    :ivar kind: ``call`` a method call on a service; ``escape`` a parsed id that goes elsewhere; ``problem``
        a use that no rule rewrites; ``test`` one that works the same afterwards; ``handed`` an argument of a
        function that is followed; ``double`` one of its methods has a double put in its place
    :ivar method: the bound method; ``skip``: arguments of ``call`` that stand before its own, where another
        function passes them on (P-36)
    """

    unit: Unit
    node: Node
    kind: Literal['call', 'escape', 'problem', 'test', 'handed', 'double']
    pattern: str = ''
    reason: str = ''
    name: str = ''
    call: Node | None = None
    method: Node | None = None
    skip: int = 0
    values: set[Value] = field(default_factory=set)


@dataclass(eq=False)
class Attribute:
    """An attribute of self that holds a service, in one class and its relatives in the file."""

    unit: Unit
    owner: Node
    name: str
    stores: list[Node] = field(default_factory=list)
    values: set[Value] = field(default_factory=set)
