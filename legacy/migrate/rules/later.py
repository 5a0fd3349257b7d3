# SPDX-License-Identifier: Apache-2.0
"""P-56: under ``--api``, code on upstream's own later image API takes its class from the new package.

The class has the same name and the same methods in both, so that only the import moves. Without the flag such
files stay byte-identical.
"""

from __future__ import annotations

import re

from legacy.migrate import catalogue
from legacy.migrate.edits import Edit
from legacy.migrate.find import Import
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import Outcome, left
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Ref

_PACKAGE_CLASS = 'nova.image.API'
_HINT = re.compile(rb'\bnova\b[\s\\]*(?:\.[\s\\]*image\b|import\b[^\n]*\bimage\b)')


def mentioned(data: bytes) -> bool:
    """Whether a file may use the later API."""
    return b'API' in data and bool(_HINT.search(data))


def rewrite(node: Node, ref: Ref, names: NewNames) -> Outcome | None:
    """The class of the new package in the place of upstream's; None for any other reference."""
    is_class = ref.kind == 'name' and ref.dotted in catalogue.LATER_NAMES
    if not is_class and ref.dotted != _PACKAGE_CLASS:
        return None
    if ref.doubt:
        return left('P-56', 'the import stands under a condition, or the name may be something else')
    whole = inner(node)
    return Outcome('P-56', [Edit(whole.start, whole.end, names.api)])


def only(it: Import) -> bool:
    """Whether an import of a package leads to the later class and to nothing else."""
    return (
        it.binding.kind == 'from'
        and not it.others
        and bool(it.references)
        and all(each.ref.dotted == _PACKAGE_CLASS for each in it.references)
    )
