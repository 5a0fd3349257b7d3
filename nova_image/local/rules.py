# SPDX-License-Identifier: Apache-2.0
"""What Glance v2 (release 33, default policy) lets a caller set, see and do.

Pure functions over identities, rows and v2 fields. Each refusal carries the HTTP status that Glance
answers. Facts were read from a running Glance and are compared with one by the conformance suite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nova_image.images import RESERVED_PREFIX
from nova_image.local.formats import CONTAINER_FORMATS, DISK_FORMATS
from nova_image.local.refusals import Refused

VISIBILITIES = ('community', 'public', 'private', 'shared')
READ_ONLY = frozenset(
    ('created_at', 'updated_at', 'status', 'checksum', 'size', 'virtual_size', 'direct_url', 'self', 'file')
    + ('schema', 'os_hash_algo', 'os_hash_value', 'stores')
)
RESERVED = frozenset(('location', 'locations', 'deleted', 'deleted_at'))
MAX_PROPERTIES = MAX_TAGS = MAX_MEMBERS = 128

_UUID = re.compile(r'[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z')
_FOUR_BYTES = re.compile('[\U00010000-\U0010ffff]')
_MAX_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class Identity:
    """Who asks: the project that owns what it creates, and what it may do."""

    owner: str | None
    is_admin: bool
    may_write: bool = True


NOBODY = Identity(None, True)  # the one caller of a Glance without authentication


def identity(context: Any, auth_strategy: str) -> Identity:
    """The caller behind a context (C-029, C-079, D-13).

    Project and roles count where there is a token and authentication is on. Anybody else is the nobody
    of a Glance without authentication; the availability rule of the API then decides (contract b.9).
    """
    if auth_strategy != 'keystone' or not getattr(context, 'auth_token', None):
        return NOBODY
    project = getattr(context, 'project_id', None) or getattr(context, 'tenant', None)
    roles = {str(role).lower() for role in getattr(context, 'roles', None) or ()}
    admin = bool(getattr(context, 'is_admin', False)) or 'admin' in roles
    return Identity(None if project is None else str(project), admin, admin or roles != {'reader'})


def is_visible(who: Identity, row: Any, is_member: bool) -> bool:
    """Whether a single image may be shown; one that nobody owns is, to everybody."""
    if who.is_admin or row['owner'] is None or row['visibility'] in ('public', 'community'):
        return True
    return row['owner'] == who.owner or (row['visibility'] == 'shared' and is_member)


def check_may_change(who: Identity, row: Any) -> None:
    """:raises Refused: 403, a visible image of somebody else"""
    if who.is_admin:
        return
    if not who.may_write or row['owner'] is None or row['owner'] != who.owner:
        raise Refused(403, 'You are not authorized to complete this action: the image is not yours')


def check_may_create(who: Identity, fields: Mapping[str, Any]) -> None:
    """:raises Refused: 403, an owner or a visibility that this caller may not give"""
    if who.is_admin:
        return
    if not who.may_write or who.owner is None:
        raise Refused(403, 'You are not authorized to create images')
    if fields.get('owner', who.owner) != who.owner:
        raise Refused(403, f'You are not permitted to create images owned by {fields["owner"]!r}.')
    check_may_publicize(who, fields.get('visibility'))


def check_may_publicize(who: Identity, visibility: Any) -> None:
    """:raises Refused: 403, making an image public is for administrators (C-272)"""
    if visibility == 'public' and not who.is_admin:
        raise Refused(403, 'You are not authorized to make an image public')


def check_fields(fields: Mapping[str, Any]) -> None:
    """The schema of the fields of an image; ``properties`` are for :func:`check_properties`.

    :raises Refused: 400, with the value and what was expected; 403 for read-only ones
    """
    for name, value in fields.items():
        if name in READ_ONLY:
            raise Refused(403, f"Attribute '{name}' is read-only.")
        if name in RESERVED:
            raise Refused(403, f"Attribute '{name}' is reserved.")
        _CHECKS.get(name, _unknown)(name, value)


def check_properties(properties: Mapping[str, Any], *, creating: bool) -> None:
    """:raises Refused: 400 for what is not text or too long a name, 403 for reserved names"""
    for name, value in properties.items():
        if name in READ_ONLY:
            raise Refused(403, f"Attribute '{name}' is read-only.")
        if name in RESERVED or name.startswith(RESERVED_PREFIX):
            raise Refused(403, f"Attribute '{name}' is reserved.")
        if not isinstance(value, str):
            raise Refused(400, f'Property {name!r} is {value!r}, expected text.')
        if creating and len(name) > 255:
            raise Refused(400, f'Property name {name[:40]!r}... has {len(name)} characters, expected at most 255.')


def steps(patch: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """A JSON patch as (name, new value or None for away), each checked as Glance checks it."""
    found: list[tuple[str, Any]] = []
    for change in patch:
        name = change['path'][1:].replace('~1', '/').replace('~0', '~').strip()
        if name in READ_ONLY or name == 'id':
            raise Refused(403, f"Attribute '{name}' is read-only.")
        if change['op'] == 'remove':
            if name in RESERVED or name.startswith(RESERVED_PREFIX):
                raise Refused(403, f"Attribute '{name}' is reserved.")
            found.append((name, None))
        elif name in _CHECKS:
            check_fields({name: change['value']})
            found.append((name, change['value']))
        else:
            check_properties({name: change['value']}, creating=False)
            found.append((name, change['value']))
    return found


def check_value(name: str, value: Any) -> None:
    """What Glance finds out only when it sets the field.

    :raises Refused: 400 for a negative number, 413 for too many tags
    """
    if name in ('min_disk', 'min_ram') and value < 0:
        raise Refused(400, f'Image {name} is {value!r}, expected a positive number.')
    if name == 'tags' and len(value) > MAX_TAGS:
        raise Refused(413, f'{len(value)} image tags, expected at most {MAX_TAGS}.')


def check_storable(fields: Mapping[str, Any]) -> None:
    """What Glance finds out only when it saves the image; fields and properties alike.

    :raises Refused: 400 for numbers and characters that its database has no room for
    """
    for name, value in fields.items():
        if isinstance(value, int) and value > _MAX_INTEGER:
            raise Refused(400, f'Image {name} is {value!r}, expected at most {_MAX_INTEGER}.')
        for text in (name, value, *(value if name == 'tags' else ())):
            if isinstance(text, str) and _FOUR_BYTES.search(text):
                raise Refused(400, f'{name!r} is {value!r}, which has characters of 4 bytes in UTF-8.')


def check_property_count(names: Sequence[str]) -> None:
    """:raises Refused: 413"""
    count = sum(not name.startswith(RESERVED_PREFIX) for name in names)
    if count > MAX_PROPERTIES:
        raise Refused(413, f'{count} properties, expected at most {MAX_PROPERTIES}.')


def _unknown(name: str, value: Any) -> None:
    raise Refused(400, f'{name!r} is no field of an image; it is {value!r}.')


def _id(name: str, value: Any) -> None:
    if not isinstance(value, str) or not _UUID.match(value):
        raise Refused(400, f'Image id is {value!r}, expected a UUID.')


def _text(name: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, str) or len(value) > 255:
        raise Refused(400, f'Image {name} is {value!r}, expected text of at most 255 characters or None.')


def _integer(name: str, value: Any) -> None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(400, f'Image {name} is {value!r}, expected an integer.')


def _boolean(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Refused(400, f'Image {name} is {value!r}, expected True or False.')


def _one_of(*allowed: str | None) -> Any:
    def check(name: str, value: Any) -> None:
        if value not in allowed or not isinstance(value, (str, type(None))):
            raise Refused(400, f'Image {name} is {value!r}, expected one of {", ".join(map(str, allowed))}.')

    return check


def _tags(name: str, value: Any) -> None:
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        raise Refused(400, f'Image tags are {value!r}, expected a list of text.')
    for tag in value:
        if not isinstance(tag, str) or len(tag) > 255:
            raise Refused(400, f'Image tag {tag!r} is not text of at most 255 characters.')


_CHECKS: Mapping[str, Any] = {
    'id': _id,
    'name': _text,
    'owner': _text,
    'visibility': _one_of(*VISIBILITIES),
    'protected': _boolean,
    'os_hidden': _boolean,
    'disk_format': _one_of(None, *DISK_FORMATS),
    'container_format': _one_of(None, *CONTAINER_FORMATS),
    'min_disk': _integer,
    'min_ram': _integer,
    'tags': _tags,
}
