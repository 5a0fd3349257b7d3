# SPDX-License-Identifier: Apache-2.0
"""The table of old names: what each is called now, since when, until when, why, and how a call is rewritten.

Warnings, type marks, the migration rules, the guide and the reports all read this table; nothing else
spells an old name's replacement. A new old name goes into ``names_public.py`` or ``names_private.py``;
an entry that lacks a field does not load.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from legacy.entry import OldName, Rewrite, message
from legacy.names_private import PRIVATE
from legacy.names_public import PUBLIC

__all__ = ['NAMES', 'OLD_MODULES', 'OldName', 'Rewrite', 'message']

#: Where each old module lives now; ``legacy.install()`` and the import rules P-01 to P-07 read it.
OLD_MODULES: Mapping[str, str] = MappingProxyType(
    {
        'nova.image.glance': 'legacy.glance',
        'nova.image.api': 'legacy.api',
        'nova.image.download': 'legacy.download',
        'nova.image.download.base': 'legacy.download.base',
        'nova.image.download.file': 'legacy.download.file',
    }
)


def table(*parts: tuple[OldName, ...]) -> Mapping[str, OldName]:
    """Join the parts into one read-only table; a name that stands twice is refused."""
    joined: dict[str, OldName] = {}
    for part in parts:
        for entry in part:
            if entry.name in joined:
                raise ValueError(f'old name {entry.name!r} stands in the table twice')
            joined[entry.name] = entry
    return MappingProxyType(joined)


NAMES: Mapping[str, OldName] = table(PUBLIC, PRIVATE)
