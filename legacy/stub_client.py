# SPDX-License-Identifier: Apache-2.0
"""The stub client of 2014.1: a v1 client in memory, for services that are real themselves (C-224)."""

from __future__ import annotations

import itertools
from typing import Any

__all__ = ['StubGlanceClient', 'StubImage']

_WHEN = '2010-10-11T10:30:22'
_FIELDS: dict[str, Any] = {
    'id': None, 'name': None, 'status': None, 'size': None, 'checksum': None, 'owner': None, 'disk_format': None,
    'container_format': None, 'min_disk': None, 'min_ram': None, 'is_public': False, 'deleted': False,
    'created_at': _WHEN, 'updated_at': _WHEN, 'deleted_at': None,
}  # fmt: skip


class StubImage:
    """A v1 image: attributes, custom ones in ``properties``."""

    id: str
    deleted: bool

    def __init__(self, metadata: dict[str, Any]) -> None:
        vars(self).update({**_FIELDS, 'properties': {}, **metadata})


class StubGlanceClient:
    """``.images`` of a v1 client.

    :param images: metadata of images that are there from the start
    """

    def __init__(self, images: list[dict[str, Any]] | None = None) -> None:
        self._images: list[StubImage] = []
        self._ids = map(str, itertools.count(1))
        self.images = self
        for metadata in images or ():
            self.create(**metadata)

    def list(
        self,
        filters: Any = None,
        marker: Any = None,
        limit: int = 30,
        page_size: int = 20,
    ) -> Any:
        """Up to ``limit`` images behind the marker, filters ignored. :raises HTTPBadRequest: an unknown marker"""
        start = 0
        if marker is not None:
            ids = [image.id for image in self._images]
            if str(marker) not in ids:
                raise _exc().HTTPBadRequest(f'Marker {marker} not found')
            start = ids.index(str(marker)) + 1
        return self._images[start : start + limit]

    def get(self, image_id: Any) -> Any:
        """One image, deleted or not. :raises HTTPNotFound: no such id"""
        for image in self._images:
            if image.id == str(image_id):
                return image
        raise _exc().HTTPNotFound(f'Image {image_id} not found')

    def data(self, image_id: Any) -> Any:
        """No chunks."""
        self.get(image_id)
        return []

    def create(self, **metadata: Any) -> StubImage:
        """A new image; its id is the text of a counter unless one is given."""
        metadata.pop('data', None)
        metadata['id'] = str(metadata['id'] if metadata.get('id') else next(self._ids))
        image = StubImage(metadata)
        self._images.append(image)
        return image

    def update(self, image_id: Any, **metadata: Any) -> Any:
        """Set what is given. :raises HTTPNotFound: no such id"""
        image = self.get(image_id)
        for directive in ('data', 'purge_props'):
            metadata.pop(directive, None)
        vars(image).update(metadata)
        return image

    def delete(self, image_id: Any) -> None:
        """Mark an image as deleted. :raises HTTPForbidden: it is already"""
        image = self.get(image_id)
        if image.deleted:
            raise _exc().HTTPForbidden(f'Image {image_id} is deleted')
        image.deleted = True


def _exc() -> Any:
    import glanceclient.exc

    return glanceclient.exc
