# SPDX-License-Identifier: Apache-2.0
"""Old names about image dicts: extraction from client objects, conversion to and from what Glance takes.

Pure functions on dicts and client objects, in the shapes of contract b.9, b.11 and b.12; v1 objects and v2
models are told apart by what they carry. Services without a replaced seam use ``nova_image.images``.
"""

from __future__ import annotations

import copy
import datetime
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from legacy.deprecation import deprecated
from legacy.seams import glance
from legacy.urls import settings
from nova_image import images

__all__: list[str] = []

_CONVERT_PROPS = images.JSON_PROPERTIES
_ATTRIBUTES = (
    'size', 'disk_format', 'owner', 'container_format', 'status', 'id', 'name', 'created_at', 'updated_at',
    'deleted', 'deleted_at', 'checksum', 'min_disk', 'min_ram', 'is_public',
)  # fmt: skip
_READ_ONLY = ('status', 'updated_at', 'created_at', 'deleted_at')
_TIMES = ('created_at', 'updated_at', 'deleted_at')
#: Keys of a v2 model that never reach the image dict (C-108).
_NOT_COPIED = frozenset(
    (
        'self',
        'schema',
        'protected',
        'virtual_size',
        'file',
        'tags',
        'visibility',
        'locations',
        'direct_url',
    )
)
LIST_PARAMS = ('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir')


def is_v2(image: Any) -> bool:
    """Whether a client object is a v2 model: a schema or ``visibility`` instead of ``is_public``."""
    return (hasattr(image, 'visibility') or hasattr(image, 'schema')) and not hasattr(
        image, 'is_public'
    )


@deprecated('_is_image_available')
def _is_image_available(context: Any, image: Any) -> bool:
    """The client-side visibility rule for contexts without a token (C-079 to C-089)."""
    if getattr(context, 'auth_token', None):
        return True
    if context.is_admin:
        return True
    if hasattr(image, 'visibility'):
        public = str(image.visibility).lower() == 'public'
    else:
        public = image.is_public
    if public:
        return True
    properties = _custom(image)
    if context.project_id:
        for key in ('owner_id', 'project_id'):
            if key in properties:
                return str(properties[key]) == str(context.project_id)
    if 'user_id' not in properties:
        return False
    return str(properties['user_id']) == str(context.user_id)


def _custom(image: Any) -> Mapping[str, Any]:
    """``image.properties``; of a v2 model the custom keys at the top level (C-089)."""
    try:
        properties: Mapping[str, Any] = image.properties
    except AttributeError:
        if not is_v2(image):
            raise
        return {key: value for key, value in _items(image) if key not in images.BASE_FIELDS}
    return properties


def _items(image: Any) -> list[tuple[str, Any]]:
    """Keys and values of a v2 model: a mapping, or an object with attributes."""
    if isinstance(image, Mapping):
        return list(image.items())
    return [(name, value) for name, value in vars(image).items() if not name.startswith('_')]


@deprecated('_extract_query_params')
def _extract_query_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of ``detail`` that the client understands, with ``is_public: 'none'`` filled in (C-066 to C-070).

    Unlike the old one it never changes the caller's ``filters`` (C-069).
    """
    asked = {name: params[name] for name in LIST_PARAMS if params.get(name)}
    filters = asked.get('filters')
    asked['filters'] = dict(filters.items()) if filters else {}
    asked['filters'].setdefault('is_public', 'none')
    return asked


@deprecated('_extract_query_params_v2')
def _extract_query_params_v2(params: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of ``detail`` for a v2 client, filters translated (C-225 to C-232)."""
    asked = {name: params[name] for name in LIST_PARAMS if params.get(name)}
    filters = asked.get('filters')
    asked['filters'] = _v2_filters(dict(filters.items()) if filters else {})
    return asked


def _v2_filters(filters: dict[str, Any]) -> dict[str, Any]:
    translated: dict[str, Any] = {}
    for key, value in filters.items():
        if key == 'changes-since':
            translated['updated_at'] = f'gte:{value}'
        elif key == 'is_public':
            word = str(value).lower()
            if word in ('true', '1'):
                translated['visibility'] = 'public'
            elif word in ('false', '0'):
                translated['visibility'] = 'private'
        elif key == 'properties' and isinstance(value, Mapping):
            translated.update(value)
        else:
            translated[key.removeprefix('property-')] = value
    return translated


@deprecated('_translate_to_glance')
def _translate_to_glance(image_meta: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as the v1 client takes it: JSON properties as text, read-only fields gone (C-119)."""
    converted = glance._convert_to_string(image_meta)
    result: dict[str, Any] = glance._remove_read_only(converted)
    now = settings()
    if now.is_set('glance', 'use_glance_v1') and not now.value('glance', 'use_glance_v1'):
        result = glance._convert_to_v2(result)  # release 14 on v2, and nobody else, sets it so
    return result


@deprecated('_translate_from_glance')
def _translate_from_glance(image: Any, include_locations: bool = False) -> dict[str, Any]:
    """The image dict of a client object, v1 or v2 (C-120)."""
    extract = glance._extract_attributes_v2 if is_v2(image) else glance._extract_attributes
    meta = extract(image, include_locations=True) if include_locations else extract(image)
    meta = glance._convert_timestamps_to_datetimes(meta)
    result: dict[str, Any] = glance._convert_from_string(meta)
    return result


@deprecated('_extract_attributes')
def _extract_attributes(image: Any, include_locations: bool = False) -> dict[str, Any]:
    """The 16 keys of a v1 client object; what it does not have is None (C-101 to C-105)."""
    output: dict[str, Any] = {name: _attribute(image, name) for name in _ATTRIBUTES}
    output['properties'] = getattr(image, 'properties', {})
    if include_locations:
        output['locations'] = list(getattr(image, 'locations', None) or ())
        output['direct_url'] = direct_url = getattr(image, 'direct_url', None)
        if direct_url:
            output['locations'].append({'url': direct_url, 'metadata': {}})
    return copy.deepcopy(output)


def _attribute(image: Any, name: str) -> Any:
    """One attribute, or None; what cannot be there yet is not asked for.

    Objects of the v1 client made another request for an attribute that they had not been given (C-099, C-100).
    """
    if name == 'checksum':
        possible = getattr(image, 'status', None) == 'active'
    else:
        possible = name != 'deleted_at' or bool(getattr(image, 'deleted', None))
    if not possible and inspect.getattr_static(image, name, None) is None:
        return None
    return getattr(image, name, None)


@deprecated('_extract_attributes_v2')
def _extract_attributes_v2(image: Any, include_locations: bool = False) -> dict[str, Any]:
    """The image dict of a v2 model: base fields on top, the rest in ``properties`` (C-108 to C-110)."""
    output: dict[str, Any] = {
        'properties': {},
        'deleted': False,
        'deleted_at': None,
        'disk_format': None,
        'container_format': None,
        'name': None,
        'checksum': None,
    }
    is_base = _base_property_test(image)
    for name, value in _items(image):
        if name in _NOT_COPIED:
            continue
        if is_base(name):
            output[name] = value
        else:
            output['properties'][name] = value
    if hasattr(image, 'visibility'):
        output['is_public'] = image.visibility == 'public'
    if 'size' in output and output['size'] is None:
        output['size'] = 0
    if include_locations:
        output['locations'] = list(getattr(image, 'locations', None) or ())
        if hasattr(image, 'direct_url'):
            output['direct_url'] = image.direct_url
        if output.get('direct_url'):
            output['locations'].append({'url': output['direct_url'], 'metadata': {}})
    return copy.deepcopy(output)


def _base_property_test(image: Any) -> Callable[[str], bool]:
    """Whether a name is a base property: by the model's own schema if it has one, else by the known fields."""
    schema = getattr(image, 'schema', None)
    ask = getattr(schema, 'is_base_property', None)
    if callable(ask):
        return lambda name: bool(ask(name))
    if isinstance(schema, Mapping):
        known = schema.get('properties', {})
        return lambda name: name in known and known[name].get('is_base', True)
    return images.BASE_FIELDS.__contains__


@deprecated('_convert_to_v2')
def _convert_to_v2(image_meta: Mapping[str, Any]) -> dict[str, Any]:
    """Flat v2 metadata of an image dict (C-237 to C-242)."""
    output: dict[str, Any] = {}
    for name, value in image_meta.items():
        if name == 'properties':
            for key, item in value.items():
                if key in images.IMAGE_ID_PROPERTIES and item is not None:
                    if item.strip().lower() not in ('', 'none'):
                        output[key] = item
                else:
                    output[key] = item if item is None or isinstance(item, str) else str(item)
        elif name in ('min_ram', 'min_disk'):
            output[name] = int(value)
        elif name == 'is_public':
            output['visibility'] = 'public' if value else 'private'
        elif name not in ('size', 'deleted'):
            output[name] = value
    return output


@deprecated('_remove_read_only')
def _remove_read_only(image_meta: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy without status and timestamps (C-118)."""
    output: Any = copy.deepcopy(image_meta)
    for name in _READ_ONLY:
        if name in output:
            del output[name]
    stripped: dict[str, Any] = output
    return stripped


@deprecated('_limit_attributes')
def _limit_attributes(image_meta: Mapping[str, Any]) -> dict[str, Any]:
    """Only the fields of an image dict, missing ones as None, and ``properties``; the name of 2012.1."""
    output = {name: image_meta.get(name) for name in _ATTRIBUTES}
    output['properties'] = image_meta.get('properties', {})
    return output


@deprecated('_convert_timestamps_to_datetimes')
def _convert_timestamps_to_datetimes(image_meta: dict[str, Any]) -> dict[str, Any]:
    """The three timestamps as aware datetimes, in the dict that was given (C-104, C-121)."""
    for name in _TIMES:
        if image_meta.get(name):
            image_meta[name] = parse_isotime(image_meta[name])
    return image_meta


def parse_isotime(text: Any) -> datetime.datetime:
    """Server text as a datetime; without a zone it is UTC, a zone in the text is kept (C-104).

    :raises ValueError: no such time
    """
    if not isinstance(text, str):
        raise ValueError(f'Expecting a string {text!r}')  # noqa: TRY004 - the old class (C-104)
    if 'W' in text:
        raise ValueError(f'Unable to parse date string {text!r}')  # weeks were never understood
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        return _lenient(text)
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=datetime.UTC)


def _lenient(text: str) -> datetime.datetime:
    """Forms that Python's own parser refuses and ISO 8601 libraries take."""
    from oslo_utils import timeutils

    return timeutils.parse_isotime(text)


@deprecated('_parse_glance_iso8601_timestamp')
def _parse_glance_iso8601_timestamp(timestamp: str) -> datetime.datetime:
    """A server timestamp as a datetime; the name of 2011.2 to 2012.1."""
    return parse_isotime(timestamp)


@deprecated('_json_loads')
def _json_loads(properties: dict[str, Any], attr: str) -> None:
    """Decode one property in place if it is text (C-115). :raises ValueError: text that is no JSON"""
    if isinstance(properties[attr], str):
        properties[attr] = json.loads(properties[attr])


@deprecated('_json_dumps')
def _json_dumps(properties: dict[str, Any], attr: str) -> None:
    """Encode one property in place unless it is text already (C-114)."""
    if not isinstance(properties[attr], str):
        properties[attr] = json.dumps(properties[attr], default=json_default)


def json_default(value: Any) -> Any:
    """What the old encoder made of values that JSON does not know: times as text, anything iterable as a list."""
    if isinstance(value, datetime.datetime):
        return value.strftime('%Y-%m-%dT%H:%M:%S.%f')
    return list(value) if isinstance(value, Iterable) else value  # itself: a ValueError, as then


@deprecated('_convert')
def _convert(method: Callable[[dict[str, Any], str], None], metadata: Any) -> Any:
    """A deep copy with ``method`` applied to each JSON property that is there (C-117)."""
    metadata = copy.deepcopy(metadata)
    properties = metadata.get('properties')
    if properties:
        for attr in glance._CONVERT_PROPS:
            if attr in properties:
                method(properties, attr)
    return metadata


@deprecated('_convert_from_string')
def _convert_from_string(metadata: Any) -> Any:
    """JSON properties decoded, in a deep copy (C-115, C-117)."""
    return glance._convert(glance._json_loads, metadata)


@deprecated('_convert_to_string')
def _convert_to_string(metadata: Any) -> Any:
    """JSON properties encoded, in a deep copy (C-114, C-117)."""
    return glance._convert(glance._json_dumps, metadata)


def is_generator(result: Any) -> bool:
    """A generator, or glanceclient's proxy around one (C-054)."""
    return inspect.isgenerator(result) or type(result).__name__ == 'GeneratorProxy'
