# SPDX-License-Identifier: Apache-2.0
"""The fakes that tests of old callers were written with, and a way to keep them while the caller migrates (C-218 to C-224).

Two eras differ in small things: sizes as text or int, which keys an image has, the order of ``download``'s
optional parameters. Nothing here warns: it stands in for the old module, it is not a use of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from legacy.fake_driver import FakeDriver
from legacy.fake_images import (
    AUTO_DISK_CONFIG_DISABLED_IMAGE_UUID,
    AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID,
    Era,
    FakeImages,
    IcehouseFake,
    LaterFake,
)
from legacy.stub_client import StubGlanceClient

__all__ = [
    'AUTO_DISK_CONFIG_DISABLED_IMAGE_UUID',
    'AUTO_DISK_CONFIG_ENABLED_IMAGE_UUID',
    'FakeDriver',
    'FakeImageService',
    'FakeImageService_reset',
    'StubGlanceClient',
    'get_valid_image_id',
    'installed_over_new_api',
    'stub_out_image_service',
]

_services: dict[str, FakeImages] = {}


def FakeImageService(era: Era = '2014.1') -> FakeImages:
    """The fake of that era, the same object each time (C-218)."""
    if era not in _services:
        _services[era] = LaterFake() if era == '18' else IcehouseFake()
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
        (13 on) or with ``addCleanup``, or pytest's ``monkeypatch``
    :raises TypeError: none of these
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
        elif hasattr(stubs, 'addCleanup'):
            stubs.addCleanup(setattr, glance, name, getattr(glance, name))
            setattr(glance, name, value)
        elif hasattr(stubs, 'setattr'):
            stubs.setattr(glance, name, value)
        else:
            raise TypeError(
                f'cannot stub out with {stubs!r}: expected an object with Set, stub_out, addCleanup or setattr'
            )
    return fake


@contextlib.contextmanager
def installed_over_new_api(era: Era = '2014.1') -> Iterator[FakeImages]:
    """While it lasts, the fake serves old callers and every ``nova_image.API`` that was not given a driver.

    A test suite enters it in place of ``stub_out_image_service``; its subject may then be old, half
    migrated or migrated. Each use asks for the fake of the moment, so a reset in between is followed.
    """
    from legacy import glance
    from nova_image import API, ImageDriver

    driver = FakeDriver(lambda: FakeImageService(era))

    def of_api(api: Any) -> ImageDriver:
        return api._given if isinstance(api._given, ImageDriver) else driver

    def remote(context: Any, image_href: Any) -> tuple[FakeImages, Any]:
        return FakeImageService(era), image_href

    with (
        mock.patch.object(glance, 'get_remote_image_service', remote),
        mock.patch.object(glance, 'get_default_image_service', lambda: FakeImageService(era)),
        mock.patch.object(API, 'driver', property(of_api)),
    ):
        yield FakeImageService(era)
