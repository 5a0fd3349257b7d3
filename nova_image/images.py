# SPDX-License-Identifier: Apache-2.0
"""Image records: what callers see of an image, what they may ask for, and filters.

Pure data, shared by all drivers; knows Glance v2's field names, nothing of HTTP or stores. A new base
field of Glance goes into BASE_FIELDS and, if callers should see it, EXTRA_KEYS.
"""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_image import errors

LOG = logging.getLogger(__name__)

#: The keys of an image dict since 2012.2 (C-101).
STANDARD_KEYS = (
    'id', 'name', 'status', 'size', 'checksum', 'owner', 'disk_format', 'container_format', 'min_disk',
    'min_ram', 'is_public', 'deleted', 'created_at', 'updated_at', 'deleted_at', 'properties',
)  # fmt: skip
#: Glance's additions, kept under their own names (D-2); ``stores`` only where the service says it.
EXTRA_KEYS = (
    'visibility', 'tags', 'protected', 'os_hidden', 'os_hash_algo', 'os_hash_value', 'virtual_size', 'stores',
)  # fmt: skip
#: What of a v2 image is no custom property.
BASE_FIELDS = frozenset(
    (*STANDARD_KEYS, *EXTRA_KEYS, 'self', 'file', 'schema', 'locations', 'direct_url')
) - {'is_public', 'deleted', 'deleted_at', 'properties'}  # fmt: skip
#: Properties that hold JSON text on the wire (C-114).
JSON_PROPERTIES = ('block_device_mapping', 'mappings')
#: Properties where an empty or "none" text means no image (C-242, C-243).
IMAGE_ID_PROPERTIES = ('kernel_id', 'ramdisk_id')
#: Properties that are the service's own, which nobody else may set or remove (C-111, C-262).
RESERVED_PREFIX = 'os_glance'

_READ_ONLY = frozenset((
    'status', 'created_at', 'updated_at', 'deleted_at', 'deleted', 'checksum', 'virtual_size', 'stores',
    'os_hash_algo', 'os_hash_value', 'direct_url', 'self', 'file', 'schema',
))  # fmt: skip
_DIRECTIVES = frozenset(('size', 'location', 'copy_from', 'store', 'is_public', 'properties'))
_WRITABLE = frozenset((
    'id', 'name', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'visibility', 'protected', 'tags',
    'os_hidden', 'owner', 'locations',
))  # fmt: skip
_NO_PROPERTY = BASE_FIELDS | {'location', 'image_id', 'remove_props', 'backend', 'properties', 'is_public'}
_TEXT_FIELDS = ('name', 'disk_format', 'container_format')


def parse_time(text: Any) -> Any:
    """Server text as an aware UTC datetime; falsy values stay as they are (C-104).

    :raises ValueError: no ISO 8601 time
    """
    if not text or isinstance(text, datetime.datetime):
        return text
    try:
        parsed = datetime.datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=datetime.UTC)
        return parsed.astimezone(datetime.UTC)
    except (TypeError, OverflowError) as exc:  # no text, or a moment outside the calendar once it is UTC
        raise ValueError(f'{text!r} is no time: {exc}') from exc


def record_from_wire(wire: Mapping[str, Any], include_locations: bool = False) -> dict[str, Any]:
    """A v2 image as a record: 16 keys, Glance's additions, custom properties nested (C-101 to C-113, D-2).

    :param include_locations: add ``locations`` (a list) and, if shown, ``direct_url``; the direct URL also
        ends the list (C-095)
    :raises ImageServiceError: a time, a size or a location that is none; for a time it is a ValueError, too
    """
    record: dict[str, Any] = {
        'id': wire.get('id'),
        'name': wire.get('name'),
        'status': wire.get('status'),
        'size': _size(wire),
        'checksum': wire.get('checksum'),
        'owner': wire.get('owner'),
        'disk_format': wire.get('disk_format'),
        'container_format': wire.get('container_format'),
        'min_disk': wire.get('min_disk'),
        'min_ram': wire.get('min_ram'),
        'is_public': wire.get('visibility') == 'public',
        'deleted': False,
        'deleted_at': None,
        'created_at': _time(wire, 'created_at'),
        'updated_at': _time(wire, 'updated_at'),
    }
    for key in EXTRA_KEYS:
        if key in wire:
            value = wire[key]
            record[key] = list(value) if isinstance(value, list) else value
    record['properties'] = {
        key: _decoded(key, value) if key in JSON_PROPERTIES else value
        for key, value in wire.items()
        if key not in BASE_FIELDS
    }
    if include_locations:
        record['locations'] = _locations(wire)
        if wire.get('direct_url'):
            record['direct_url'] = wire['direct_url']
            record['locations'].append({'url': wire['direct_url'], 'metadata': {}})
    return record


def _time(wire: Mapping[str, Any], key: str) -> Any:
    try:
        return parse_time(wire.get(key))
    except ValueError as exc:
        raise errors.joined(errors.ImageServiceError, ValueError)(
            status='an image', reason=f'its {key} is {wire[key]!r}, expected an ISO 8601 time'
        ) from exc


def _size(wire: Mapping[str, Any]) -> Any:
    """A number that is not finite would switch off every check of a length."""
    size = wire.get('size') or 0
    if isinstance(size, float) and not size.is_integer():
        raise errors.ImageServiceError(status='an image', reason=f'its size is {size!r}, expected a number of bytes')
    return size


def _locations(wire: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return [{**entry, 'metadata': dict(entry.get('metadata') or {})} for entry in wire.get('locations') or ()]
    except (AttributeError, TypeError, ValueError):
        raise errors.ImageServiceError(
            status='an image', reason='its locations are not as expected, a list of objects'
        ) from None  # what they are may hold the credential of a store


def _decoded(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        # One image's bad text must not break a whole listing (C-078, D-11): it stays text.
        LOG.warning('property %s holds %r, expected JSON; handed out as text', key, value[:80])
        return value


def restrict(record: Mapping[str, Any]) -> dict[str, Any]:
    """Only the 16 historic keys (D-2)."""
    return {key: record[key] for key in STANDARD_KEYS if key in record}


def is_available(context: Any, record: Mapping[str, Any]) -> bool:
    """The client-side rule for contexts without a token, on the record (C-079 to C-090)."""
    if getattr(context, 'auth_token', None) or getattr(context, 'is_admin', False):
        return True
    if record.get('is_public'):
        return True
    properties = record.get('properties') or {}
    project_id = getattr(context, 'project_id', None)
    if project_id:
        for key in ('owner_id', 'project_id'):
            if key in properties:
                return str(properties[key]) == str(project_id)
    if 'user_id' not in properties:
        return False
    return str(properties['user_id']) == str(getattr(context, 'user_id', None))


@dataclass(frozen=True)
class ImageChange:
    """What a caller's ``image_info`` asks of Glance v2.

    ``fields``: base fields to set; ``properties``: custom ones, text; ``removed``: custom ones to omit or
    take away; ``hide``: ``is_public`` false was said, so a public image becomes private and any other
    keeps its visibility (C-239). The rest are requests of their own: ``size`` as given, ``location`` and
    ``copy_from`` URLs, target ``store``, project to share with as ``member``.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    hide: bool = False
    size: Any = None
    location: str | None = None
    copy_from: str | None = None
    store: str | None = None
    member: str | None = None


def outgoing(image_info: Mapping[str, Any], context: Any = None, *, creating: bool = True) -> ImageChange:
    """Read a caller's ``image_info`` (C-237 to C-251); never modifies it.

    Read-only keys of a record are dropped, so a record can be handed back (C-247, C-312). An unknown key
    with a text value is a custom property (C-245). A property that would reach a base field is left out
    with a warning (C-244). ``owner`` counts for admins only (C-248, C-329).

    :raises BadImageInfo: a value of a wrong type, an unknown key whose value is no text
    """
    fields: dict[str, Any] = {}
    wanted = dict(_properties(image_info.get('properties', {})))
    for key, value in image_info.items():
        if not isinstance(key, str):
            raise errors.BadImageInfo(name='key', value=key, expected='text')
        if key in _READ_ONLY or key in _DIRECTIVES:
            continue
        if key in _WRITABLE:
            fields[key] = _base_value(key, value)
        elif isinstance(value, str):
            wanted.setdefault(key, value)
        else:
            raise errors.BadImageInfo(
                name=repr(key), value=value, expected='text, as any key that is no field of an image'
            )
    if not creating:
        fields.pop('id', None)
    if 'owner' in fields and not getattr(context, 'is_admin', False):
        del fields['owner']
    hide = False
    if 'is_public' in image_info and 'visibility' not in fields:
        if image_info['is_public']:
            fields['visibility'] = 'public'
        elif creating:
            fields['visibility'] = 'private'
        else:
            hide = True
    member = wanted.pop('instance_owner', None) if creating else None
    properties, removed = _outgoing_properties(wanted)
    return ImageChange(
        fields=fields,
        properties=properties,
        removed=removed,
        hide=hide,
        size=image_info.get('size'),
        location=image_info.get('location') or None,
        copy_from=image_info.get('copy_from') or None,
        store=image_info.get('store') or None,
        member=member,
    )


def _properties(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise errors.BadImageInfo(name="'properties'", value=given, expected='a dict of names and values')
    for key in given:
        if not isinstance(key, str):
            raise errors.BadImageInfo(name='property name', value=key, expected='text')
    return given


def _base_value(key: str, value: Any) -> Any:
    if key in ('min_disk', 'min_ram'):
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError) as exc:
            raise errors.BadImageInfo(name=repr(key), value=value, expected='a whole number') from exc
    if key in _TEXT_FIELDS and not (value is None or isinstance(value, str)):
        raise errors.BadImageInfo(name=repr(key), value=value, expected='text or None')
    return value


def _outgoing_properties(wanted: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    properties: dict[str, str] = {}
    removed: set[str] = set()
    for key, value in wanted.items():
        if key in _NO_PROPERTY:
            LOG.warning('property %s is left out: it has the name of a field of every image', key)
        elif key in JSON_PROPERTIES and not isinstance(value, str):
            properties[key] = json.dumps(value)
        elif value is None:
            removed.add(key)
        elif key in IMAGE_ID_PROPERTIES:
            if not isinstance(value, str):
                raise errors.BadImageInfo(name=f'property {key!r}', value=value, expected='text or None')
            if value.strip().lower() in ('', 'none'):
                removed.add(key)
            else:
                properties[key] = value
        else:
            properties[key] = value if isinstance(value, str) else str(value)
    return properties, frozenset(removed)


def json_patch(current: Mapping[str, Any], change: ImageChange, purge_props: bool) -> list[dict[str, Any]]:
    """The changes from ``current`` (a v2 image) as add, replace and remove operations (C-261 to C-263).

    :param purge_props: also remove custom properties that the change does not name, but never the
        service's own ``os_glance_*``
    """
    wanted = {**change.fields, **change.properties}
    if change.hide and current.get('visibility') == 'public':
        wanted['visibility'] = 'private'
    patch: list[dict[str, Any]] = []
    for key, value in wanted.items():
        if key in current:
            if current[key] != value:
                patch.append({'op': 'replace', 'path': _pointer(key), 'value': value})
        else:
            patch.append({'op': 'add', 'path': _pointer(key), 'value': value})
    for key in current:
        if key in BASE_FIELDS or key in change.properties or key.startswith(RESERVED_PREFIX):
            continue
        if purge_props or key in change.removed:
            patch.append({'op': 'remove', 'path': _pointer(key)})
    return patch


def _pointer(key: str) -> str:
    return '/' + key.replace('~', '~0').replace('/', '~1')


def check_counts(limit: Any, page_size: Any) -> None:
    """Whether both are whole numbers, or none. Old-style clients take text, too, so it is for drivers to ask.

    :raises BadFilter: also a TypeError
    """
    for name, value in (('limit', limit), ('page_size', page_size)):
        if value and not isinstance(value, int):
            raise errors.joined(errors.BadFilter, TypeError)(
                name=name, value=value, reason='expected a whole number'
            )


@dataclass(frozen=True)
class ListQuery:
    """Filters as Glance v2 takes them: (name, text) pairs; ``drop_public``: public images are to be left out."""

    params: tuple[tuple[str, str], ...] = ()
    drop_public: bool = False


def list_query(filters: Mapping[str, Any] | None) -> ListQuery:
    """Translate a caller's filters (C-225 to C-234); never modifies them.

    ``property-X`` and ``properties`` name custom properties, exactly (D-11); ``changes-since`` becomes
    ``updated_at``; ``is_public`` takes text, bool or None, and false means "not public", whatever the kind
    (C-230, C-231); ``deleted`` is dropped. Everything else is passed on.

    :raises BadFilter: no name behind ``property-``, or ``properties`` that is no dict
    """
    params: list[tuple[str, str]] = []
    drop_public = False
    for key, value in (filters or {}).items():
        if key == 'is_public':
            word = str(value).strip().lower()
            if word in ('true', '1'):
                params.append(('visibility', 'public'))
            drop_public = drop_public or word in ('false', '0')
        elif key == 'changes-since':
            when = value.isoformat() if isinstance(value, datetime.datetime) else str(value)
            params.append(('updated_at', f'gte:{when}'))
        elif key == 'properties':
            if not isinstance(value, Mapping):
                raise errors.BadFilter(name=key, value=value, reason='expected a dict of names and values')
            params.extend((str(name), _filter_text(item)) for name, item in value.items())
        elif key in ('tag', 'tags') and isinstance(value, list | tuple | set | frozenset):
            params.extend(('tag', str(item)) for item in value)
        elif key != 'deleted':
            params.append((_filter_name(key, value), _filter_text(value)))
    return ListQuery(tuple(params), drop_public)


def _filter_name(key: Any, value: Any) -> str:
    name = str(key).removeprefix('property-')
    if not name:
        raise errors.BadFilter(name=key, value=value, reason='a property name is missing')
    return name


def _filter_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | set | frozenset):
        quoted = (f'"{item}"' if ',' in str(item) or '"' in str(item) else str(item) for item in value)
        return 'in:' + ','.join(quoted)
    return str(value)


def forced(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an image that is to be active without data (C-255).

    :raises ImageBadRequest: a disk format whose content cannot be empty
    """
    made = {'container_format': 'bare', 'disk_format': 'raw', **fields}
    if made['disk_format'] != 'raw':
        raise errors.ImageBadRequest(f'Unable to force activate with disk_format={made["disk_format"]}')
    return made
