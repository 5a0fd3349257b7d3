# SPDX-License-Identifier: Apache-2.0
"""The image store behind the faulty Glance: records and bytes in memory, enough of v2 for client tests.

Knows nothing of HTTP. No policies, and members only as names: tests about rules use the real Glance of
:mod:`.servers`.
"""

from __future__ import annotations

import datetime
import hashlib
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from nova_image.images import RESERVED_PREFIX

Record = dict[str, Any]
_READ_ONLY = {'id', 'status', 'size', 'checksum', 'created_at', 'updated_at', 'file', 'self', 'schema'}

_TEXT = {'type': ['null', 'string']}
_NUMBER = {'type': ['null', 'integer']}
_FLAG = {'type': 'boolean'}
#: What clients that ask for schemas are told.
SCHEMA: dict[str, Any] = {
    'name': 'image',
    'additionalProperties': {'type': 'string'},
    'links': [],
    'properties': {
        **dict.fromkeys(('name', 'checksum', 'disk_format', 'container_format', 'owner', 'visibility'), _TEXT),
        **dict.fromkeys(('id', 'status', 'os_hash_algo', 'os_hash_value', 'created_at', 'updated_at'), _TEXT),
        **dict.fromkeys(('self', 'file', 'schema'), _TEXT),
        **dict.fromkeys(('size', 'virtual_size', 'min_disk', 'min_ram'), _NUMBER),
        **dict.fromkeys(('protected', 'os_hidden'), _FLAG),
        'tags': {'type': 'array', 'items': {'type': 'string'}},
    },
}


class Refused(Exception):
    """An operation that Glance answers with an error status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class ToyGlance:
    """Images in memory.

    :param hashes: which hashes the records carry, of ``'sha512'``, ``'sha256'`` and ``'md5'``; at most
        one that is not md5. None of them makes an image whose bytes cannot be checked
    """

    def __init__(self, hashes: Sequence[str] = ('sha512', 'md5')) -> None:
        self.hashes = tuple(hashes)
        self.records: dict[str, Record] = {}
        self.contents: dict[str, bytes] = {}
        #: projects that images are shared with, by image
        self.members: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._clock = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def add(self, contents: bytes | None = None, **fields: Any) -> Record:
        """An image as if it had been created before; active when ``contents`` are given."""
        record = self.create({'name': 'image', 'disk_format': 'raw', 'container_format': 'bare', **fields})
        if contents is not None:
            self.store(record['id'], contents)
        return self.show(record['id'])

    def create(self, fields: Record) -> Record:
        image_id = str(fields.get('id') or uuid.uuid4())
        with self._lock:
            if image_id in self.records:
                raise Refused(409, f'Image ID {image_id} already exists!')
            now = self._now()
            self.records[image_id] = {
                'name': None, 'disk_format': None, 'container_format': None, 'visibility': 'shared',
                'protected': False, 'os_hidden': False, 'min_disk': 0, 'min_ram': 0, 'tags': [], 'owner': None,
                'size': None, 'virtual_size': None, 'checksum': None, 'os_hash_algo': None, 'os_hash_value': None,
                **fields,
                'id': image_id, 'status': 'queued', 'created_at': now, 'updated_at': now,
                'self': f'/v2/images/{image_id}', 'file': f'/v2/images/{image_id}/file',
                'schema': '/v2/schemas/image',
            }  # fmt: skip
            return dict(self.records[image_id])

    def _now(self) -> str:
        self._clock += datetime.timedelta(seconds=1)
        return self._clock.strftime('%Y-%m-%dT%H:%M:%SZ')

    def show(self, image_id: str) -> Record:
        with self._lock:
            return dict(self._record(image_id))

    def _record(self, image_id: str) -> Record:
        if image_id not in self.records:
            raise Refused(404, f'Failed to find image {image_id}')
        return self.records[image_id]

    def patch(self, image_id: str, operations: Sequence[dict[str, Any]]) -> Record:
        """Apply add, replace and remove on top-level names, all or none."""
        with self._lock:
            old = self._record(image_id)
            new = dict(old)
            for each in operations:
                name = str(each['path']).lstrip('/').replace('~1', '/').replace('~0', '~')
                if name in _READ_ONLY or name.startswith(RESERVED_PREFIX):
                    raise Refused(403, f"Attribute '{name}' may not be changed.")
                if each['op'] not in ('add', 'replace', 'remove'):
                    raise Refused(400, f"Operations must be one of add, replace, remove, got {each['op']}.")
                if each['op'] == 'remove':
                    if name not in new:
                        raise Refused(409, f'Property {name} does not exist.')
                    del new[name]
                elif each['op'] == 'replace' and name not in new:
                    raise Refused(409, f'Property {name} does not exist.')
                else:
                    new[name] = each['value']
            new['updated_at'] = self._now()
            self.records[image_id] = new
            return dict(new)

    def delete(self, image_id: str) -> None:
        with self._lock:
            if self._record(image_id).get('protected'):
                raise Refused(403, f'Image {image_id} is protected and cannot be deleted.')
            del self.records[image_id]
            self.contents.pop(image_id, None)

    def share(self, image_id: str, project: str) -> Record:
        """Share an image with a project."""
        with self._lock:
            self._record(image_id)
            self.members.setdefault(image_id, []).append(project)
        return {'image_id': image_id, 'member_id': project, 'status': 'pending'}

    def may_store(self, image_id: str) -> None:
        """Refuse what is not queued; from here until ``store`` or ``put_back`` the image is saving."""
        with self._lock:
            record = self._record(image_id)
            if record['status'] != 'queued':
                raise Refused(409, f"Image status transition from {record['status']} to saving is not allowed")
            record['status'] = 'saving'

    def put_back(self, image_id: str) -> None:
        """An upload that did not come to its end: queued again."""
        with self._lock:
            if image_id in self.records:
                self.records[image_id]['status'] = 'queued'

    def store(self, image_id: str, contents: bytes) -> None:
        """The image's bytes are these; it is active."""
        strong = next((name for name in self.hashes if name != 'md5'), None)
        md5 = hashlib.md5(contents, usedforsecurity=False).hexdigest() if 'md5' in self.hashes else None
        with self._lock:
            record = self._record(image_id)
            self.contents[image_id] = contents
            record.update(
                status='active',
                size=len(contents),
                checksum=md5,
                os_hash_algo=strong,
                os_hash_value=hashlib.new(strong, contents).hexdigest() if strong else None,
                updated_at=self._now(),
            )

    def page(self, query: dict[str, str], greatest: int = 1000) -> tuple[list[Record], str | None]:
        """One page, newest first, and the marker of the next one."""
        limit = min(int(query.pop('limit', greatest)), greatest)
        marker = query.pop('marker', None)
        for name in ('sort_key', 'sort_dir', 'sort', 'member_status'):
            query.pop(name, None)
        with self._lock:
            found = [dict(each) for each in reversed(self.records.values())]
        found = [each for each in found if all(_matches(each, name, value) for name, value in query.items())]
        if marker is not None:
            places = [place for place, each in enumerate(found) if each['id'] == marker]
            if not places:
                raise Refused(400, f'marker {marker} could not be found')
            found = found[places[0] + 1 :]
        rest = found[limit:]
        return found[:limit], found[limit - 1]['id'] if rest and limit else None


def _matches(record: Record, name: str, value: str) -> bool:
    if name in ('size_min', 'size_max'):
        size = record['size'] or 0
        return bool(size >= int(value) if name == 'size_min' else size <= int(value))
    if name == 'tag':
        return value in record['tags']
    if name == 'os_hidden' or isinstance(record.get(name), bool):
        return str(record.get(name)).lower() == value.lower()
    if value.startswith('in:'):
        return str(record.get(name)) in value[3:].split(',')
    if name == 'visibility' and value == 'all':
        return True
    return str(record.get(name)) == value
