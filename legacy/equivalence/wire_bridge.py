# SPDX-License-Identifier: Apache-2.0
"""A call of one front end in the words of another, as a rewrite by :mod:`legacy.names` would put it."""

from __future__ import annotations

from typing import Any

_LIST_WORDS = frozenset(('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir'))
#: None is an image id that means none, or the JSON text null.
_NONE_SPEAKS = ('kernel_id', 'ramdisk_id', 'mappings', 'block_device_mapping')


def bridge(speaks_for: str, op: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """What names.py says that a rewrite has to bridge, in place: purge, None properties, unknown keywords."""
    if op == 'list':
        unknown = [name for name in kwargs if name not in _LIST_WORDS]
        if unknown and speaks_for == 'api':
            raise TypeError(f'API.get_all() got an unexpected keyword argument {unknown[0]!r}')
        for name in unknown:
            del kwargs[name]
    place = {'create': 1, 'update': 2}.get(op)
    if place is None or len(args) <= place or not isinstance(args[place], dict):
        return
    data = kwargs.get('data', args[place + 1] if len(args) > place + 1 else None)
    if op == 'update' and speaks_for == 'service':
        sends = data is not None and (bool(data) or hasattr(data, 'read'))
        kwargs['purge_props'] = bool(kwargs.get('purge_props', True)) and not sends
    properties = args[place].get('properties')
    if isinstance(properties, dict):
        args[place]['properties'] = {
            name: 'None' if value is None and speaks_for != 'api' and name not in _NONE_SPEAKS else value
            for name, value in properties.items()
            if value is not None or speaks_for != 'api' or name in _NONE_SPEAKS
        }


def taken_away(info: Any) -> set[str]:
    """The properties that the new API takes away for their None."""
    properties = info.get('properties') if isinstance(info, dict) else None
    if not isinstance(properties, dict):
        return set()
    return {name for name, value in properties.items() if value is None and name not in _NONE_SPEAKS}
