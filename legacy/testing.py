# SPDX-License-Identifier: Apache-2.0
"""The fakes that tests of old callers were written with, and a way to keep them while the caller migrates (C-218 to C-224).

Two eras differ in small things: sizes as text or int, which keys an image has, the order of ``download``'s
optional parameters. Nothing here warns: it stands in for the old module, it is not a use of it.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import logging
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Literal
from unittest import mock

from nova_image import errors

__all__ = [
    'AUTO_DISK_CONFIG_DISABLED_IMAGE_UUID',
    'AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID',
    'FakeImageService',
    'FakeImageService_reset',
    'StubGlanceClient',
    'get_valid_image_id',
    'installed_over_new_api',
    'stub_out_image_service',
]

LOG = logging.getLogger(__name__)
Era = Literal['2014.1', '18']
_KERNEL = '155d900f-4e14-4e4c-a73d-069cbf4541e6'
AUTO_DISK_CONFIG_DISABLED_IMAGE_UUID = 'a440c04b-79fa-479c-bed1-0b816eaec379'
AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID = '70a599e0-31e7-49b7-b260-868f441e862b'
NULL_KERNEL = 'nokernel'
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
        'properties': {'kernel_id': NULL_KERNEL, 'ramdisk_id': NULL_KERNEL, **properties},
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
            self._imagedata[image_id] = data.read() if hasattr(data, 'read') else data
        return stored

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


class _Icehouse(FakeImages):
    def download(self, context: Any, image_id: Any, dst_path: Any = None, data: Any = None) -> None:
        """The optional parameters stand in reverse order here, until 17 (C-222)."""
        self._write(image_id, data, dst_path)


class _Modern(FakeImages):
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


_services: dict[str, FakeImages] = {}


def FakeImageService(era: Era = '2014.1') -> FakeImages:
    """The fake of that era, the same object each time (C-218)."""
    if era not in _services:
        _services[era] = _Modern() if era == '18' else _Icehouse()
    return _services[era]


def FakeImageService_reset() -> None:
    """Begin anew at the next use."""
    _services.clear()


def get_valid_image_id() -> str:
    """The id of an image that the fake has."""
    return AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID


def stub_out_image_service(stubs: Any, era: Era = '2014.1') -> FakeImages:
    """Put the fake behind both factories of ``legacy.glance`` and return it (C-219).

    :param stubs: object with ``Set(module, name, value)`` (until 12), a test case with ``stub_out(path, value)``
        (13 on), or pytest's ``monkeypatch``
    """
    from legacy import glance

    fake = FakeImageService(era)
    replacements = {
        'get_remote_image_service': lambda context, image_href: (fake, image_href),
        'get_default_image_service': lambda: fake,
    }
    for name, value in replacements.items():
        if hasattr(stubs, 'Set'):
            stubs.Set(glance, name, value)
        elif hasattr(stubs, 'stub_out'):
            stubs.stub_out(f'legacy.glance.{name}', value)
        else:
            stubs.setattr(glance, name, value)
    return fake


@contextlib.contextmanager
def installed_over_new_api(era: Era = '2014.1') -> Iterator[FakeImages]:
    """While it lasts, every ``nova_image.API`` answers from the fake too, so a migrated caller meets the same images."""
    from nova_image import API

    fake: Any = FakeImageService(era)

    def by_id(method: Any) -> Any:
        return lambda self, context, id_or_uri, *args, **kwargs: method(
            context, str(id_or_uri).rpartition('/')[2], *args, **kwargs
        )

    def download(
        self: Any, context: Any, id_or_uri: Any, data: Any = None, dest_path: Any = None, **_: Any
    ) -> None:
        fake._write(str(id_or_uri).rpartition('/')[2], data, dest_path)

    replaced = {
        'get_all': lambda self, context, **kwargs: fake.detail(context, **kwargs),
        'get': by_id(fake.show),
        'create': lambda self, context, image_info, data=None: fake.create(
            context, image_info, data
        ),
        'update': by_id(fake.update),
        'delete': by_id(fake.delete),
        'download': download,
    }
    with contextlib.ExitStack() as stack:
        for name, value in replaced.items():
            stack.enter_context(mock.patch.object(API, name, value))
        yield fake


class StubGlanceClient:
    """The lower-level fake of 2014.1: what stood behind ``GlanceClientWrapper('fake', 'fake_host', 9292)`` (C-224)."""

    _NOW = '2010-10-11T10:30:22'

    def __init__(self, images: list[dict[str, Any]] | None = None) -> None:
        self._images = [SimpleNamespace(**image) for image in images or ()]
        self._ids = 0
        self.images = self

    def list(
        self, filters: Any = None, marker: Any = None, limit: int = 30, page_size: int = 20
    ) -> list[Any]:
        """Images behind ``marker``, at most ``limit``."""
        start = 0
        if marker is not None:
            ids = [image.id for image in self._images]
            if marker not in ids:
                raise self._error('BadRequest')('Marker not found')
            start = ids.index(marker) + 1
        return self._images[start : start + limit]

    def get(self, image_id: Any) -> Any:
        """One image. :raises NotFound: of glanceclient"""
        for image in self._images:
            if image.id == str(image_id):
                return image
        raise self._error('NotFound')(image_id)

    def data(self, image_id: Any) -> Any:
        """No bytes, for an image that is there."""
        self.get(image_id)
        return []

    def create(self, **metadata: Any) -> Any:
        """A new image; ids count up."""
        self._ids += 1
        known = {'id': str(self._ids), 'created_at': self._NOW, 'updated_at': self._NOW}
        self._images.append(SimpleNamespace(**{**known, **metadata}))
        return self._images[-1]

    def update(self, image_id: Any, **metadata: Any) -> Any:
        """Change what is given."""
        image = self.get(image_id)
        for name, value in metadata.items():
            setattr(image, name, value)
        return image

    def delete(self, image_id: Any) -> None:
        """Mark deleted; a second time is forbidden."""
        image = self.get(image_id)
        if getattr(image, 'deleted', False):
            raise self._error('HTTPForbidden')()
        image.deleted = True

    @staticmethod
    def _error(name: str) -> Any:
        import glanceclient.exc

        return getattr(glanceclient.exc, name)
