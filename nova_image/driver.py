# SPDX-License-Identifier: Apache-2.0
"""The base class of image drivers, and how a driver is chosen and loaded.

Knows no driver but by name: built-in ones stand in a table of dotted paths, third-party ones come by
entry point. A new built-in driver gets a line in BUILT_IN.
"""

from __future__ import annotations

import abc
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from oslo_config import cfg

from nova_image import errors, images, options
from nova_image.settings import Settings

BUILT_IN: Mapping[str, str] = {
    'glance': 'nova_image.glance.driver:GlanceDriver',
    'local': 'nova_image.local.driver:LocalDriver',
    'shadow': 'nova_image.shadow.driver:ShadowDriver',
}


class ImageDriver(abc.ABC):
    """One image store behind the API (C-288).

    A driver gets what the API has already settled: ids that are safe in a URL, ``data`` that is None,
    non-empty text or bytes, or an object to read or iterate, and an ``image_info`` of its own to keep.
    It returns fresh records (see :mod:`nova_image.images`) and raises :mod:`nova_image.errors`.
    ``server`` is the base URL that a reference named, given only where one did: it gets the caller's credential
    only if it is known (D-7).

    :param conf: options, already registered; default ``cfg.CONF``
    :param endpoint: base URL of one server to use instead of the configured ones
    """

    name: ClassVar[str] = ''
    #: whether ``download`` verifies signatures as :func:`nova_image.signatures.check_for` says; where it does not,
    #: the API refuses downloads that need it
    verifies_signatures: bool = False
    #: whether every request of a write goes through :mod:`nova_image.glance.session`, in the thread of the call, so
    #: that the shadow driver can answer it
    is_replayable: ClassVar[bool] = False

    def __init__(self, conf: cfg.ConfigOpts | None = None, *, endpoint: str | None = None) -> None:
        self.conf = options.register(conf)
        self.endpoint = endpoint

    @abc.abstractmethod
    def list(
        self,
        context: Any,
        *,
        filters: Mapping[str, Any] | None = None,
        marker: Any = None,
        limit: int | None = None,
        page_size: int | None = None,
        sort_key: Any = None,
        sort_dir: Any = None,
        server: str | None = None,
    ) -> list[dict[str, Any]]:
        """Records of all images the context may see, in the server's order (C-072 to C-076).

        :raises Invalid: a bad filter, sort or marker
        """

    @abc.abstractmethod
    def show(
        self,
        context: Any,
        image_id: str,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """One record (C-091 to C-097). :raises ImageNotFound: absent, or hidden from the context"""

    @abc.abstractmethod
    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None
    ) -> dict[str, Any]:
        """Make an image, with its bytes if ``data`` is given; all or nothing (C-158 to C-164, D-9)."""

    @abc.abstractmethod
    def update(
        self,
        context: Any,
        image_id: str,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """Change metadata, then upload ``data`` if given; ``purge_props`` as said (C-282, D-3)."""

    @abc.abstractmethod
    def delete(self, context: Any, image_id: str, *, server: str | None = None) -> bool:
        """Delete, and return True (C-184, C-185)."""

    @abc.abstractmethod
    def download(
        self,
        context: Any,
        image_id: str,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
        *,
        server: str | None = None,
    ) -> Iterator[bytes] | None:
        """Bytes into ``data``, else to ``dest_path``, else as an iterator (C-126 to C-136, D-8).

        :param trusted_certs: object with ``ids``, for :func:`nova_image.signatures.check_for` (C-304)
        """

    def copy_to_store(self, context: Any, image_id: str, store: str, *, server: str | None = None) -> None:
        """Copy an image's bytes to another store of the service (C-284, C-306); optional."""
        raise self._not_offered('copy_to_store')

    def glance_url(self, context: Any = None) -> str:
        """Base URL of the image service, without a trailing slash (C-322); optional."""
        raise self._not_offered('glance_url')

    def is_available(self, context: Any, record: Mapping[str, Any]) -> bool:
        """Whether the record may be shown to the context (contract b.9)."""
        return images.is_available(context, record)

    def close(self) -> None:
        """Give back what the driver holds; it may be used again afterwards."""

    def _not_offered(self, operation: str) -> NotImplementedError:
        return NotImplementedError(f'image driver {self.name or type(self).__name__!r} has no {operation}')


def load(name: str) -> type[ImageDriver]:
    """The driver class of that name.

    :raises UnknownDriver: neither built in nor an entry point of ``nova_image.drivers``
    """
    if not isinstance(name, str):
        raise errors.UnknownDriver(f'Image driver is {name!r}, expected a name or an ImageDriver object.')
    path = BUILT_IN.get(name)
    if path is not None:
        module, _, attribute = path.partition(':')
        found = getattr(importlib.import_module(module), attribute)
    else:
        found = _third_party(name)
    if not (isinstance(found, type) and issubclass(found, ImageDriver)):
        raise errors.UnknownDriver(
            f'Image driver {name!r} is {found!r}, expected a subclass of nova_image.ImageDriver.'
        )
    return found


def _third_party(name: str) -> Any:
    from stevedore import driver, exception

    try:
        return driver.DriverManager('nova_image.drivers', name, invoke_on_load=False).driver
    except exception.NoMatches as exc:
        raise errors.UnknownDriver(name=name, known=', '.join(sorted(BUILT_IN))) from exc


def build(
    conf: cfg.ConfigOpts | None = None, name: str | None = None, *, endpoint: str | None = None
) -> ImageDriver:
    """The configured driver, recording if ``[image] recording`` says so."""
    settings = Settings.of(conf)
    made = load(name or settings.driver)(settings.conf, endpoint=endpoint)
    if settings.recording:
        from nova_image.recording import RecordingDriver

        return RecordingDriver(made, settings.recording)
    return made
