# SPDX-License-Identifier: Apache-2.0
"""What a caller asks for, checked and made in the order in which Glance v2 refuses it.

The order shows: a request that is wrong in two ways is answered for the first of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from nova_image import images
from nova_image.images import ImageChange
from nova_image.local import rows, rules
from nova_image.local.refusals import Refused


def check_new(who: rules.Identity, fields: dict[str, Any], change: ImageChange) -> None:
    """Whether the caller may create this image; its owner is filled in.

    :raises Refused: as Glance answers
    """
    check_requests(change)
    fields.setdefault('owner', who.owner)
    rules.check_fields(fields)
    rules.check_properties(change.properties, creating=True)
    rules.check_may_create(who, fields)
    rules.check_value('tags', fields.get('tags') or ())
    for name, value in fields.items():
        rules.check_value(name, value)
    rules.check_property_count(tuple(change.properties))
    rules.check_storable({**fields, **change.properties})


def apply(
    connection: sqlite3.Connection, who: rules.Identity, current: dict[str, Any], patch: Sequence[Mapping[str, Any]]
) -> None:
    """Check and make the changes of a JSON patch to the image ``current``, refused in Glance's order."""
    steps = rules.steps(patch)
    if not steps:
        return
    columns: dict[str, Any] = {}
    added = False
    for name, value in steps:
        if name == 'owner' and not who.is_admin:
            raise Refused(403, "Owner can't be updated by non admin.")
        rules.check_may_change(who, current)
        if name == 'visibility':
            rules.check_may_publicize(who, value)
        if name in ('disk_format', 'container_format') and current['status'] not in ('queued', 'importing'):
            raise Refused(403, f'Attribute {name} can be only replaced for a queued image.')
        rules.check_value(name, value)
        if name == 'tags':
            rows.set_tags(connection, current['id'], value)
        elif name in images.BASE_FIELDS:
            columns[name] = value or None if name == 'owner' else value
        else:
            if value is None and name not in current:
                raise Refused(409, f'Property {name} does not exist.')
            added = added or name not in current
            rows.set_property(connection, current['id'], name, value)
    rules.check_storable(dict(steps))
    if added:
        names = connection.execute('SELECT name FROM properties WHERE image_id = ?', (current['id'],))
        rules.check_property_count([row['name'] for row in names])
    rows.change(connection, current['id'], **columns)


def check_requests(change: ImageChange) -> None:
    """:raises Refused: 400, what a store of bytes cannot do"""
    if change.location or change.copy_from:
        raise Refused(
            400,
            f'The local store keeps bytes, no references: {change.location or change.copy_from!r} cannot be '
            'registered; expected data.',
        )
    if change.store and change.store != rows.STORE:
        raise Refused(400, f'Store {change.store!r} is not available; expected {rows.STORE!r} or none.')
