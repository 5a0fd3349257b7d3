# SPDX-License-Identifier: Apache-2.0
"""The fake image service itself: seven images in memory, in the shape and with the habits of each era (C-220 to C-223).

Reached through ``legacy.testing``, which also keeps the one object of each era.
"""

from __future__ import annotations

import copy
import datetime
import logging
import uuid
from typing import Any, Literal

from nova_image import errors
from nova_image.settings import Settings

__all__ = ['Era', 'FakeImages', 'IcehouseFake', 'LaterFake']

LOG = logging.getLogger(__name__)
Era = Literal['2014.1', '18']
_KERNEL = '155d900f-4e14-4e4c-a73d-069cbf4541e6'
AUTO_DISK_CONFIG_DISABLED_IMAGE_UUID = 'a440c04b-79fa-479c-bed1-0b816eaec379'
AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID = '70a599e0-31e7-49b7-b260-868f441e862b'
#: id, name, public, container format, disk format, size, properties beside kernel_id and ramdisk_id (C-220)
_IMAGES: tuple[tuple[Any, ...], ...] = (
    (_KERNEL, 'fakeimage123456', False, 'raw', 'raw', 25165824, {'architecture': 'x86_64'}),
    ('a2459075-d96c-40d5-893e-577ff92e721c', 'fakeimage123456', True, 'ami', 'ami', 58145823, {}),
    ('76fa36fc-c930-4bf3-8c8a-ea2a2420deb6', 'fakeimage123456', True, None, None, 83594576, {}),
    ('cedef40a-ed67-4d10-800e-17455edce175', 'fakeimage123456', True, 'ami', 'ami', 84035174, {}),
    (
        'c905cedb-7281-47e4-8a62-f26bc5fc4c77', 'fakeimage123456', True, 'ami', 'ami', 26360814,
        {'kernel_id': _KERNEL, 'ramdisk_id': None},
    ),
    (
        AUTO_DISK_CONFIG_DISABLED_IMAGE_UUID, 'fakeimage6', False, 'ova', 'vhd', 49163826,
        {'architecture': 'x86_64', 'auto_disk_config': 'False'},
    ),
    (
        AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID, 'fakeimage7', False, 'ova', 'vhd', 74185822,
        {'architecture': 'x86_64', 'auto_disk_config': 'True'},
    ),
)  # fmt: skip


def _image(row: tuple[Any, ...], era: Era) -> dict[str, Any]:
    image_id, name, public, container, disk, size, properties = row
    when = datetime.datetime(2011, 1, 1, 1, 2, 3)
    no_kernel = Settings.of().value('DEFAULT', 'null_kernel') or 'nokernel'
    image = {
        'id': image_id,
        'name': name,
        'created_at': when,
        'updated_at': when,
        'deleted_at': None,
        'deleted': False,
        'status': 'active',
        'is_public': public,
        'container_format': container,
        'disk_format': disk,
        'size': str(size),
        'properties': {'kernel_id': no_kernel, 'ramdisk_id': no_kernel, **properties},
    }
    if era == '18':
        image.update(
            size=size,
            container_format=container or 'bare',
            disk_format=disk or 'raw',
            min_ram=0,
            min_disk=0,
            protected=False,
            visibility='public' if public else 'private',
            tags=[],
        )
    return image


class FakeImages:
    """An image service in memory, with seven images (C-220 to C-223).

    :param era: ``2014.1``, or ``18`` for the fake of 18 and later
    """

    def __init__(self, era: Era = '2014.1') -> None:
        self.era = era
        self.images: dict[Any, dict[str, Any]] = {}
        self._imagedata: dict[Any, Any] = {}
        for row in _IMAGES:
            self.create(None, _image(row, era))

    def detail(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """Copies of all images; arguments are ignored."""
        return copy.deepcopy(list(self.images.values()))

    def show(
        self,
        context: Any,
        image_id: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
    ) -> dict[str, Any]:
        """A copy. :raises ImageNotFound: unknown, with a warning"""
        image = self.images.get(str(image_id))
        if image is None:
            LOG.warning('Unable to find image id %s. Have images: %s', image_id, self.images)
            raise errors.ImageNotFound(image_id=image_id)
        return copy.deepcopy(image)

    def create(self, context: Any, metadata: dict[str, Any], data: Any = None) -> dict[str, Any]:
        """Store a copy, write the id back into ``metadata``, return the stored dict itself."""
        image_id = str(metadata.get('id', uuid.uuid4()))
        metadata['id'] = image_id
        if image_id in self.images:
            raise errors.CouldNotUploadImage(image_id=image_id)
        stored = copy.deepcopy(metadata)
        if self.era == '18':
            stored.setdefault('size', None)
            stored.setdefault('status', 'active')
            if 'owner' in stored:
                stored.setdefault('properties', {})['owner'] = stored['owner']
        self.images[image_id] = stored
        if data:
            self.keep(image_id, data)
        return stored

    def keep(self, image_id: Any, data: Any) -> None:
        """Remember the bytes of an image: an object with ``read``, bytes, text, or chunks."""
        content = data.read() if hasattr(data, 'read') else data
        if not isinstance(content, str | bytes):
            content = b''.join(content)
        self._imagedata[image_id] = content.encode() if isinstance(content, str) else content

    def update(
        self,
        context: Any,
        image_id: Any,
        metadata: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
    ) -> dict[str, Any]:
        """Replace (purge) or merge; ``purge_props`` is False by default, unlike the real one (C-221)."""
        if image_id not in self.images:
            raise errors.ImageNotFound(image_id=image_id)
        if purge_props:
            self.images[image_id] = copy.deepcopy(metadata)
        else:
            image = self.images[image_id]
            if 'properties' in metadata:
                image.setdefault('properties', {}).update(metadata.pop('properties'))
            image.update(metadata)
        return self.images[image_id]

    def delete(self, context: Any, image_id: Any) -> None:
        """Really remove; None, not True. :raises ImageNotFound: absent"""
        if self.images.pop(image_id, None) is None:
            raise errors.ImageNotFound(image_id=image_id)

    def get_location(self, context: Any, image_id: Any) -> str | None:
        """``fake_location`` for a known image, else None."""
        return 'fake_location' if image_id in self.images else None

    def _write(self, image_id: Any, data: Any, dst_path: Any) -> None:
        self.show(None, image_id)
        content = self._imagedata.get(image_id, b'')
        if data:
            data.write(content)
        elif dst_path:
            with open(dst_path, 'wb') as file:
                file.write(content)


class IcehouseFake(FakeImages):
    """The fake of 2014.1."""

    def download(self, context: Any, image_id: Any, dst_path: Any = None, data: Any = None) -> None:
        """The optional parameters stand in reverse order here, until 17 (C-222)."""
        self._write(image_id, data, dst_path)


class LaterFake(FakeImages):
    """The fake of 18 and later."""

    def __init__(self) -> None:
        super().__init__('18')

    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dst_path: Any = None,
        trusted_certs: Any = None,
    ) -> None:
        """The order of the real one (C-222)."""
        self._write(image_id, data, dst_path)
