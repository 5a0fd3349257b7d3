# SPDX-License-Identifier: Apache-2.0
"""What the migration knows of the old and the new names: read from ``legacy.names``, never typed again.

The rules ask here for parameters, patterns and replacements; the search asks for the words to look for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from legacy.names import NAMES, OLD_MODULES, OldName, Rewrite

#: Modules whose functions and classes the rules follow, in both spellings.
GLANCE_MODULES = ('nova.image.glance', OLD_MODULES['nova.image.glance'])
DOWNLOAD_MODULES = tuple(
    each for old, new in OLD_MODULES.items() if old.startswith('nova.image.download') for each in (old, new)
)
#: Upstream's own later API (P-56): not old, not ours to move without being asked.
LATER_MODULES = ('nova.image.api', OLD_MODULES['nova.image.api'])
SHIM = OLD_MODULES['nova.image.glance']
NEW_PACKAGE = 'nova_image'
NEW_CALL = f'{NEW_PACKAGE}.api.API'
SERVICE_CLASS = 'GlanceImageService'
REMOTE = 'get_remote_image_service'

#: Old names of the module itself (functions, classes, private helpers), bare.
MODULE_NAMES: Mapping[str, OldName] = {name: entry for name, entry in NAMES.items() if '.' not in name}
#: Names of the module at upstream's later generation, and what it imported: known, but not old.
LATER_NAMES = ('API',)
#: Names that the new API has too, so that a bare word proves nothing.
NEW_NAMES = frozenset(
    entry.rewrite.to for entry in MODULE_NAMES.values() if entry.rewrite.to and entry.rewrite.to != 'API'
)
SERVICE_CLASSES = tuple(name for name, entry in MODULE_NAMES.items() if entry.rewrite.pattern == 'P-19')

#: Whatever an old service could be asked for, private names included.
EVERY_METHOD = frozenset(name.rpartition('.')[2] for name in NAMES if name.split('.')[0] in SERVICE_CLASSES)


def service_method(name: str) -> Rewrite | None:
    """The rewrite of a method of the old service, or None if it has no counterpart."""
    entry = NAMES.get(f'{SERVICE_CLASS}.{name}')
    return entry.rewrite if entry and entry.rewrite.to and entry.rewrite.how == 'AUTOMATIC' else None


def suggestion(name: str) -> str:
    """What the table says to write instead of an old name, or of a method of the service."""
    entry = NAMES.get(name) or NAMES.get(f'{SERVICE_CLASS}.{name}')
    return entry.new if entry else ''


def is_module(dotted: str) -> bool:
    """Whether a dotted name is one of the old modules."""
    return dotted in GLANCE_MODULES or dotted in DOWNLOAD_MODULES or dotted in LATER_MODULES


def is_passed_on(name: str) -> bool:
    """Whether a module may pass something old on under this name, which is not renamed."""
    return name in MODULE_NAMES or name == 'glance'


@cache
def _prefixes() -> frozenset[str]:
    found: set[str] = set()
    for dotted in (*GLANCE_MODULES, *DOWNLOAD_MODULES, *LATER_MODULES):
        parts = dotted.split('.')
        found.update('.'.join(parts[:n]) for n in range(1, len(parts)))
    return frozenset(found - {*GLANCE_MODULES, *DOWNLOAD_MODULES, *LATER_MODULES})


def is_prefix(dotted: str) -> bool:
    """Whether a dotted name is a package on the way to an old module."""
    return dotted in _prefixes()


#: Whole words whose absence from a file means that there is nothing to look for.
WORDS = re.compile(
    rb'\bglance\b|\bnova\s*\.\s*image\b|\blegacy\b|\b(?:'
    + b'|'.join(re.escape(name).encode() for name in sorted(MODULE_NAMES, key=len, reverse=True))
    + rb')\b'
)
