# SPDX-License-Identifier: Apache-2.0
"""Filters that Glance v1 ignored and v2 would take for custom properties (C-233, C-317, D-16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from legacy.log import LOG
from nova_image.images import BASE_FIELDS

__all__ = ['known_only']

_V1 = frozenset(('is_public', 'changes-since', 'properties', 'size_min', 'size_max', 'deleted'))
_V2 = BASE_FIELDS | {'tag', 'member_status', 'os_hidden'}


def known_only(filters: Any) -> Any:
    """A copy without filters that mean nothing, each named in a warning; ``deleted`` goes silently."""
    if not isinstance(filters, Mapping):
        return filters
    kept = {}
    for name, value in filters.items():
        if name in _V1 or name in _V2 or str(name).startswith('property-'):
            kept[name] = value
        else:
            LOG.warning(
                'image filter %s is ignored: it is none of Glance v1 or v2. For a custom property write '
                'property-%s',
                name,
                name,
            )
    kept.pop('deleted', None)
    return kept
