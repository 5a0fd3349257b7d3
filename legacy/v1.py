# SPDX-License-Identifier: Apache-2.0
"""The v1 client as old code knew it, over a v2 client of today (C-311).

``call(ctx, 1, method, ...)`` reaches ``Client.images`` here: methods ``list, get, data, create, update,
delete`` with v1's arguments and v1's image objects. Errors are the client's own, raw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from legacy.log import LOG
from nova_image import images

__all__ = ['Client', 'Image']


class Image:
    """A v1 image: plain attributes, custom ones in ``properties``."""

    def __init__(self, model: Any) -> None:
        record = {key: model.get(key) for key in images.STANDARD_KEYS if key != 'properties'}
        record.update(
            size=record['size'] or 0,  # C-105: v1's servers said 0 of a queued image
            is_public=model.get('visibility') == 'public',
            deleted=False,
            deleted_at=None,
            properties={
                key: value for key, value in model.items() if key not in images.BASE_FIELDS
            },
        )
        vars(self).update(record)

    def __repr__(self) -> str:
        return f'<Image {vars(self)}>'

    def to_dict(self) -> dict[str, Any]:
        """The attributes as a dict, as the v1 client offered it."""
        return dict(vars(self))


class Client:
    """What ``glanceclient.Client('1', ...)`` was to its callers."""

    def __init__(self, client: Any) -> None:
        self.images = Images(client)
        self.schemas = client.schemas
        self.image_members = client.image_members


class Images:
    """v1's image calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._v2 = client.images

    def list(self, **kwargs: Any) -> Iterator[Image]:
        """Images in pages, filters in v1's words (C-074, C-229)."""
        query = images.list_query(kwargs.pop('filters', None))
        asked: dict[str, Any] = {}
        for name, value in query.params:
            asked.setdefault(name, []).append(value)
        filters = {name: values if name == 'tag' else values[-1] for name, values in asked.items()}
        given = {key: value for key, value in kwargs.items() if value is not None}
        limit = given.pop('limit', None)
        count = 0
        for model in self._v2.list(filters=filters, **given):
            if query.drop_public and model.get('visibility') == 'public':
                continue
            if limit is not None and count >= limit:
                return
            count += 1
            yield Image(model)

    def get(self, image: Any) -> Image:
        """One image by id."""
        return Image(self._v2.get(str(_id(image))))

    def data(self, image: Any, do_checksum: bool = True) -> Any:
        """The bytes, checked at the end unless told otherwise (C-132)."""
        return self._v2.data(str(_id(image)), do_checksum=do_checksum)

    def delete(self, image: Any) -> None:
        """Delete by id."""
        self._v2.delete(str(_id(image)))

    def create(self, **kwargs: Any) -> Image:
        """A new image, with its bytes if ``data`` is there (C-160).

        It was one request: what fails in a later one takes the record away again, whose id nobody learned (C-253).
        """
        data = kwargs.pop('data', None)
        change = images.outgoing(_checked('create', kwargs))
        image_id = self._v2.create(**change.fields, **change.properties)['id']
        try:
            if data is not None:
                self._v2.upload(image_id, data)
            if change.location:
                self._v2.add_location(image_id, change.location, {})
        except BaseException:
            self._take_back(image_id, change.fields.get('protected'))
            raise
        return self.get(image_id)

    def _take_back(self, image_id: str, protected: Any) -> None:
        try:
            if protected:
                self._patch(image_id, [{'op': 'replace', 'path': '/protected', 'value': False}])
            self._v2.delete(image_id)
        except Exception:  # noqa: BLE001 - the caller gets the error that it happened on
            LOG.exception('Image %s was made by a create that failed and could not be deleted', image_id)

    def update(self, image: Any, **kwargs: Any) -> Image:
        """Change metadata; custom ones that are not named go if ``purge_props``, but never with data (C-177)."""
        image_id = str(_id(image))
        data = kwargs.pop('data', None)
        purge = bool(kwargs.pop('purge_props', False)) and data is None
        change = images.outgoing(_checked('update', kwargs), creating=False)
        current = self._v2.get(image_id)
        self._patch(image_id, images.json_patch(current, change, purge))  # an empty one, too: v1's update always asked
        if change.location:
            self._v2.add_location(image_id, change.location, {})
        if data is not None:
            self._v2.upload(image_id, data)
        return self.get(image_id)

    def _patch(self, image_id: str, patch: Any) -> None:
        """Exactly these operations: the client's own difference may contain moves (C-263)."""
        self._client.http_client.patch(
            f'/v2/images/{image_id}',
            headers={'Content-Type': 'application/openstack-images-v2.1-json-patch'},
            data=json.dumps(patch),
        )


#: v1's keywords (C-160)
ACCEPTED = frozenset((
    'name', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'owner', 'size', 'is_public', 'protected',
    'location', 'checksum', 'copy_from', 'properties', 'deleted', 'id', 'store',
))  # fmt: skip


def _checked(method: str, given: dict[str, Any]) -> dict[str, Any]:
    refused = ACCEPTED if method == 'create' else ACCEPTED - {'id', 'store'}
    for name in given:
        if name not in refused:
            raise TypeError(f'{method}() got an unexpected keyword argument {name!r}')
    properties = {
        name: 'None' if value is None else value
        for name, value in given.get('properties', {}).items()
    }
    return {**given, 'properties': properties} if 'properties' in given else given


def _id(image: Any) -> Any:
    return getattr(image, 'id', image)
