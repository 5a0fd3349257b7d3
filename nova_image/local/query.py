# SPDX-License-Identifier: Apache-2.0
"""Listing: Glance v2's filters, sorting and markers as one SQL statement.

Filters come as the (name, text) pairs of the v2 query string. What a name means, which operators it takes
and what is refused follows Glance 33 on SQLite, which this catalogue is as well, down to where an empty
value sorts.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any

from nova_image.local.catalogue import marks
from nova_image.local.refusals import Refused
from nova_image.local.rules import Identity

SORT_KEYS = ('name', 'status', 'container_format', 'disk_format', 'size', 'id', 'created_at', 'updated_at')
COLUMNS = """i.*,
    (SELECT json_group_object(name, value) FROM properties p WHERE p.image_id = i.id) AS properties,
    (SELECT json_group_array(value) FROM tags t WHERE t.image_id = i.id) AS tags,
    (SELECT json_group_array(json_array(url, metadata, digest, size)) FROM
        (SELECT * FROM locations l WHERE l.image_id = i.id ORDER BY l.id)) AS locations"""

_TIMES = ('created_at', 'updated_at')
_OPERATOR_TEXTS = ('name', 'id', 'status', 'container_format', 'disk_format')
_NUMBERS = ('size', 'virtual_size', 'min_disk', 'min_ram')
_PLAIN = ('owner', 'checksum', 'os_hash_algo', 'os_hash_value', *_NUMBERS)
_COMPARE = {'gt': '>', 'gte': '>=', 'lt': '<', 'lte': '<=', 'neq': '<>', 'eq': '='}
_RANGED = (*_NUMBERS, *_TIMES, *_OPERATOR_TEXTS, *_PLAIN, 'visibility', 'protected', 'os_hidden')
_UNANSWERABLE = ('properties', 'locations', 'members')  # names Glance takes for its own relations
_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)",?|([^,]+),?|,')
_LARGEST = 2**63 - 1


class Conditions:
    """The WHERE clause being collected."""

    def __init__(self) -> None:
        self.clauses: list[str] = []
        self.values: list[Any] = []

    def add(self, clause: str, *values: Any) -> None:
        self.clauses.append(clause)
        self.values.extend(values)

    def sql(self) -> str:
        return ' AND '.join(f'({clause})' for clause in self.clauses) or 'TRUE'


def conditions(params: Iterable[tuple[str, str]], who: Identity, *, drop_public: bool = False) -> Conditions:
    """The WHERE clause for filters and caller.

    :raises Refused: 400 for a value or an operator that the filter does not take; 500 where Glance fails
    """
    found = Conditions()
    single: dict[str, str] = {}
    tags: list[str] = []
    for name, value in params:
        if name == 'tag':
            tags.append(value.strip())
        else:
            single[name] = value
    if 'tags' in single:
        # Glance takes the text of "tags" apart, letter by letter.
        letters = single.pop('tags')
        tags = tags or list(letters)
    member_status = single.pop('member_status', 'accepted')
    if member_status not in ('pending', 'accepted', 'rejected', 'all'):
        raise Refused(400, f'Invalid status: {member_status}')
    _for_caller(found, who, single.pop('visibility', None), member_status)
    if drop_public:
        found.add("i.visibility <> 'public'")
    found.add('i.os_hidden = ?', _boolean('os_hidden', single.pop('os_hidden', 'false').lower()))
    if single.pop('changes-since', None):
        raise Refused(400, 'The "changes-since" filter is no longer available on v2.')
    single.pop('deleted', None)
    if 'protected' in single:
        found.add('i.protected = ?', _boolean('protected', single.pop('protected')))
    for name, value in single.items():
        _filter(found, name, value)
    for tag in tags:
        found.add('EXISTS (SELECT 1 FROM tags t WHERE t.image_id = i.id AND t.value = ?)', tag)
    return found


def _for_caller(found: Conditions, who: Identity, visibility: str | None, member_status: str) -> None:
    if visibility and visibility not in ('community', 'public', 'private', 'shared', 'all'):
        raise Refused(400, f'Invalid visibility value: {visibility}')
    if not who.is_admin:
        member = 'SELECT 1 FROM members m WHERE m.image_id = i.id AND m.member = ?'
        values: list[Any] = [who.owner, who.owner]
        if member_status != 'all':
            member += ' AND m.status = ?'
            values.append(member_status)
        found.add(
            f"i.visibility IN ('public', 'community') OR i.owner = ? "
            f"OR (i.visibility = 'shared' AND EXISTS ({member}))",
            *values,
        )
    if visibility is not None:
        if visibility != 'all':
            found.add('i.visibility = ?', visibility)
    elif who.owner is None:
        found.add("i.visibility <> 'community'")
    else:
        found.add("i.owner = ? OR i.visibility <> 'community'", who.owner)


def _filter(found: Conditions, name: str, value: str) -> None:
    if name in _UNANSWERABLE:
        raise Refused(500, f'Glance v2 cannot filter by {name!r}')
    elif name.endswith(('_min', '_max')):
        _range(found, name, value)
    elif name in _TIMES:
        operator, threshold = _time_operator(value)
        found.add(f'i.{name} {_COMPARE[operator]} ?', _microseconds(name, threshold))
    elif name in _OPERATOR_TEXTS:
        _text_operator(found, name, value)
    elif name in _PLAIN:
        found.add(f'i.{name} = ?', value)
    else:
        found.add(
            'EXISTS (SELECT 1 FROM properties p WHERE p.image_id = i.id AND p.name = ? AND p.value = ?)',
            name,
            value,
        )


def _boolean(name: str, value: str) -> int:
    if value not in ('true', 'false'):
        raise Refused(400, f"Invalid value {value!r} for {name!r} filter. Valid values are 'true' or 'false'.")
    return int(value == 'true')


def _range(found: Conditions, name: str, value: str) -> None:
    column = name[:-4]
    try:
        number = int(value)
    except ValueError as exc:
        raise Refused(400, f'Unable to filter on a range with a non-numeric value: {name}={value!r}.') from exc
    if column not in _RANGED or abs(number) > _LARGEST:
        raise Refused(500, f'Glance v2 cannot filter by {name}={value!r}')
    text = column not in _NUMBERS
    found.add(f'i.{column} {">=" if name.endswith("_min") else "<="} ?', str(number) if text else number)


def _time_operator(value: str) -> tuple[str, str]:
    left, colon, right = value.partition(':')
    if not colon or _parsed(value) is not None:
        return 'eq', value
    if left not in _COMPARE:
        if _parsed(right) is None:
            raise Refused(400, f'Bad query filter format: {value!r}. Use ISO 8601 DateTime notation.')
        raise Refused(400, f'Unable to filter on a unknown operator: {left!r}.')
    return left, right


def _microseconds(name: str, text: str) -> int:
    parsed = _parsed(text)
    if parsed is None:
        raise Refused(400, f'Bad "{name}" query filter format: {text!r}. Use ISO 8601 DateTime notation.')
    return microseconds(parsed)


def _parsed(text: str) -> datetime.datetime | None:
    from oslo_utils import timeutils

    try:
        parsed: datetime.datetime = timeutils.parse_isotime(text)
    except ValueError:
        return None
    return parsed


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def microseconds(moment: datetime.datetime) -> int:
    """Whole microseconds since 1970; what the catalogue keeps of a time."""
    return (moment.astimezone(datetime.UTC) - _EPOCH) // datetime.timedelta(microseconds=1)


def _text_operator(found: Conditions, name: str, value: str) -> None:
    left, colon, right = value.partition(':')
    operator, operand = ('eq', value) if not colon or _is_time(value) else (left, right)
    if operator == 'eq':
        found.add(f'i.{name} = ?', operand)
    elif operator == 'in':
        items = _split(operand)
        found.add(f'i.{name} IN ({marks(items)})', *items)
    else:
        raise Refused(400, f'Unable to filter {name} by unknown operator {operator!r}; expected "in" or "eq".')


def _is_time(value: str) -> bool:
    return value[:1].isdigit() and _parsed(value) is not None


def _split(value: str) -> list[str]:
    """The items of an ``in:`` list; quotes hold commas together."""
    inside = False
    for at, char in enumerate(value):
        if char != '"' or (at and value[at - 1] == '\\'):
            continue
        if not inside and at and value[at - 1] != ',':
            raise Refused(400, f'Invalid filter value {value}. There is no comma before opening quotation mark.')
        if inside and at + 1 != len(value) and value[at + 1] != ',':
            raise Refused(400, f'Invalid filter value {value}. There is no comma after closing quotation mark.')
        inside = not inside
    if inside:
        raise Refused(400, f'Invalid filter value {value}. The quote is not closed.')
    return [quoted or plain for quoted, plain in _ITEM.findall(value)]


def order(sort_key: Any, sort_dir: Any) -> list[tuple[str, str]]:
    """Columns and directions, ties broken by age and id as Glance does.

    :raises Refused: 400 for an unknown key or direction, or counts that do not match
    """
    keys, directions = _names(sort_key), _names(sort_dir)
    for key in keys:
        if key not in SORT_KEYS:
            raise Refused(400, f'Invalid sort key: {key}. It must be one of the following: {", ".join(SORT_KEYS)}.')
    for direction in directions:
        if direction not in ('asc', 'desc'):
            raise Refused(400, f'Invalid sort direction: {direction}')
    if len(directions) > 1 and len(directions) != len(keys):
        raise Refused(400, 'Number of sort dirs does not match the number of sort keys')
    keys = keys or ['created_at']
    directions = directions or ['desc']
    default = 'desc'
    if len(directions) == 1:
        default = directions[0]
        directions = directions * len(keys)
    found = list(zip(keys, directions, strict=True))
    found += [(key, default) for key in ('created_at', 'id') if key not in keys]
    return found


def _names(given: Any) -> list[str]:
    if not given:
        return []
    items: Sequence[Any] = given if isinstance(given, (list, tuple)) else [given]
    return [str(item).strip() for item in items]


def after(found: Conditions, marker: Any, ordering: Sequence[tuple[str, str]]) -> None:
    """Add "comes after the marker"; an empty value counts as ``''`` or 0, as it does in Glance."""
    either: list[str] = []
    values: list[Any] = []
    for position, (key, direction) in enumerate(ordering):
        both = []
        for earlier, _ in ordering[:position]:
            both.append(f'{_filled(earlier)} = ?')
            values.append(_marker_value(marker, earlier))
        both.append(f'{_filled(key)} {"<" if direction == "desc" else ">"} ?')
        values.append(_marker_value(marker, key))
        either.append(' AND '.join(both))
    found.add(' OR '.join(f'({clause})' for clause in either), *values)


def _filled(key: str) -> str:
    return f'COALESCE(i.{key}, {0 if key == "size" else repr("")})'


def _marker_value(marker: Any, key: str) -> Any:
    return '' if marker[key] is None else marker[key]


def count(name: str, value: Any) -> int | None:
    """A limit or page size: None for no bound.

    :raises Refused: 400 for what is no number, or is negative
    """
    if value is None or value == '':
        return None
    try:
        number = int(value)
    except (TypeError, ValueError) as exc:
        raise Refused(400, f'{name} is {value!r}, expected an integer') from exc
    if number < 0:
        raise Refused(400, f'{name} is {value!r}, expected a positive number')
    return min(number, _LARGEST) or None
