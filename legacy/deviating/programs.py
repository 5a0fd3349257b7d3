# SPDX-License-Identifier: Apache-2.0
"""Steps of wire programs and the rules that say that one deviates, by what was passed and what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from legacy.deviating.recordings import LOCAL, Answer, Replay

#: Whether a step deviates; the first rule that says so counts.
Rule = Callable[['Place'], bool]

_RESERVED = frozenset((
    'id', 'name', 'status', 'size', 'checksum', 'owner', 'disk_format', 'container_format', 'min_disk', 'min_ram',
    'created_at', 'updated_at', 'deleted_at', 'deleted', 'visibility', 'tags', 'protected', 'os_hidden',
    'os_hash_algo', 'os_hash_value', 'virtual_size', 'stores', 'self', 'file', 'schema', 'locations', 'direct_url',
    'location', 'image_id', 'remove_props', 'backend', 'properties', 'is_public',
))  # fmt: skip
_READ_ONLY = frozenset((
    'checksum', 'virtual_size', 'stores', 'os_hash_algo', 'os_hash_value', 'direct_url', 'self', 'file', 'schema',
    'locations', 'owner', 'id', 'status', 'created_at', 'updated_at',
))  # fmt: skip
_UPLOADS = ('create', 'update')
_PLAIN_FILTERS = frozenset(('name', 'status', 'container_format', 'disk_format', 'owner', 'visibility', 'id'))


@dataclass(frozen=True)
class Place:
    """One step of a program: what is passed, what was recorded, through which front end."""

    replay: Replay
    number: int
    given: dict[str, Any]
    recorded: Answer

    @property
    def op(self) -> str:
        """The operation."""
        return str(self.given['op'])

    @property
    def info(self) -> Any:
        """The metadata that is passed."""
        place = {'create': 0, 'update': 1}.get(self.op)
        args = self.given.get('args', [])
        return args[place] if place is not None and len(args) > place else None

    @property
    def data(self) -> Any:
        """The image data that is passed."""
        place = {'create': 1, 'update': 2}.get(self.op)
        args = self.given.get('args', [])
        if 'data' in self.given.get('kwargs', {}):
            return self.given['kwargs']['data']
        return args[place] if place is not None and len(args) > place else None

    @property
    def properties(self) -> dict[str, Any]:
        """The custom properties that are passed."""
        found = self.info.get('properties') if isinstance(self.info, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def filters(self) -> Any:
        """The filters of a listing."""
        return self.given.get('kwargs', {}).get('filters')

    @property
    def error(self) -> str:
        """The class of the recorded error, or nothing."""
        return str(self.recorded.get('exception', {}).get('class', '')).rpartition('.')[2]

    @property
    def text(self) -> str:
        """The text of the recorded error."""
        return str(self.recorded.get('exception', {}).get('message', ''))

    @property
    def purges(self) -> bool:
        """Whether the recorded class purged."""
        default = self.replay.case['frontend'].endswith('service')
        return bool(self.given.get('kwargs', {}).get('purge_props', default))


def none_properties(place: Place) -> bool:
    """A property of None (C-241, C-313)."""
    return None in place.properties.values()


def image_ids_of_properties(place: Place) -> bool:
    """kernel_id and ramdisk_id that mean none, on an update, or are no text (C-242, C-243)."""
    return any(
        name in place.properties and (place.op == 'update' or not isinstance(place.properties[name], str))
        for name in ('kernel_id', 'ramdisk_id')
    )


def reserved_names(place: Place) -> bool:
    """A property with the name of a field (C-244)."""
    return not _RESERVED.isdisjoint(place.properties)


def read_only_keys(place: Place) -> bool:
    """Fields that only the service sets, and an owner of a non-admin's choice (C-247, C-248)."""
    return isinstance(place.info, dict) and not _READ_ONLY.isdisjoint(place.info)


def client_refusals(place: Place) -> bool:
    """What the client's schema refused with TypeError (C-318)."""
    return place.op in _UPLOADS and place.error == 'TypeError' and 'Unable to set' in place.text


def wrong_types(place: Place) -> bool:
    """Arguments of a wrong type (C-237, C-266)."""
    if place.op == 'list':
        return place.filters is not None and (
            place.error in ('AttributeError', 'TypeError', 'ValueError') or not isinstance(place.filters, dict)
        )
    return place.op in _UPLOADS and place.error in ('AttributeError', 'TypeError', 'ValueError')


def hidden_keeps_visibility(place: Place) -> bool:
    """``is_public`` false on an update of an image that is not public (C-239)."""
    return (
        place.op == 'update'
        and isinstance(place.info, dict)
        and 'is_public' in place.info
        and not place.info['is_public']
    )


def bad_json(place: Place) -> bool:
    """Text of a JSON property that is none (C-078, C-115)."""
    return place.error == 'JSONDecodeError'


def data_kinds(place: Place) -> bool:
    """Data that is no file object: bytes, text, a list, an iterator, or empty (C-165, D-5)."""
    return place.data is not None and not (isinstance(place.data, dict) and '$file' in place.data)


def purge_with_data(place: Place) -> bool:
    """A service's update with data (C-177)."""
    return place.op == 'update' and place.replay.frontend == 'service' and place.data is not None and place.purges


def no_data(place: Place) -> bool:
    """A download of an image without data (C-315)."""
    if place.op != 'download':
        return False
    end = (place.recorded.get('result') or {}).get('end')
    lost = isinstance(end, dict) and 'NoneType' in str(end)
    return place.error == 'ImageUnacceptable' or 'NoneType' in place.text or lost


def other_keys(place: Place) -> bool:
    """copy_from, store, location of another kind, and keys that nobody knows (C-245, C-246, C-316)."""
    return isinstance(place.info, dict) and any(
        name in place.info for name in ('copy_from', 'store', 'backend', 'deleted', 'version', 'method')
    )


def no_moves(place: Place) -> bool:
    """A property taken away and another of the same value put in (C-263)."""
    return place.op == 'update' and '`move`' in place.text


def filters_of_any_shape(place: Place) -> bool:
    """Filters that the v2 classes passed on or stumbled over (C-226, C-227, C-230, C-231, C-232)."""
    if place.op != 'list' or not isinstance(place.filters, dict):
        return False
    return any(key not in _PLAIN_FILTERS or not isinstance(value, str) for key, value in place.filters.items())


def list_arguments(place: Place) -> bool:
    """Keywords that nobody knows, on the new API, and limits of other types (D-4)."""
    known = {'filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir'}
    kwargs = place.given.get('kwargs', {})
    if place.op != 'list':
        return False
    return (place.replay.frontend == 'api' and not known.issuperset(kwargs)) or any(
        name in kwargs and not isinstance(kwargs[name], int) for name in ('limit', 'page_size')
    )


def references(place: Place) -> bool:
    """References that lost their server, and ids that cannot be ids (C-025, C-094)."""
    args = place.given.get('args', [])
    if place.op not in ('get', 'delete', 'update', 'download') or not args:
        return False
    return bool(place.given.get('href')) or not (isinstance(args[0], dict) or _is_plain(args[0]))


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and value != '' and not any(letter in value for letter in '/?#%')


def removed_again(place: Place) -> bool:
    """A create that failed after its record was made (C-253)."""
    made = any(
        exchange['method'] == 'POST' and exchange['response']['status'] == 201
        for exchange in place.recorded.get('requests', ())
    )
    return place.op == 'create' and bool(place.error) and made


def readers_only_read(place: Place) -> bool:
    """A change by a caller who only has the role reader, on the embedded store."""
    if place.replay.place != LOCAL or 'as' not in place.given:
        return False
    roles = place.replay.case['input']['contexts'][place.given['as']].get('roles')
    return place.op in ('create', 'update', 'delete') and roles == ['reader']


def client_errors(place: Place) -> bool:
    """An error of the client that escaped raw (C-299, C-310)."""
    error = str(place.recorded.get('exception', {}).get('class', ''))
    return error.startswith(('glanceclient.exc.', 'keystoneauth1.'))


def says(applies: Rule, place: Place) -> bool:
    """Whether a rule applies; what it stumbles over is none of its kind."""
    try:
        return applies(place)
    except (AttributeError, LookupError, TypeError):
        return False
