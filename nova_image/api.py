# SPDX-License-Identifier: Apache-2.0
"""The front door: class API, instantiated by a caller as ``self.image_api``.

Resolves references, settles arguments and applies the availability rule; the rest is the driver's.
Knows only the base driver.
"""

from __future__ import annotations

import copy
import inspect
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Self

from oslo_config import cfg

from nova_image import driver as drivers
from nova_image import errors, options, signatures
from nova_image.driver import ImageDriver
from nova_image.references import ImageRef, check_image_id, parse_image_ref
from nova_image.settings import current

#: Drivers kept for later API objects; a driver that falls out lives on in the objects that use it.
MOST_SHARED = 64

_shared: dict[tuple[Any, ...], ImageDriver] = {}
_shared_lock = threading.Lock()


def _forget_lock() -> None:
    """In a child: the lock may be held by a thread that is not here."""
    global _shared_lock
    _shared_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)


class API:
    """The image API of Nova (contract d, C-286 to C-289): context first, plain dicts out.

    Cheap to make and stateless; drivers are shared between instances with the same configuration and
    are safe between threads and across forks.

    :param driver: a driver, or the name of one; default ``[image] driver``
    :param endpoint: base URL of one server to use instead of the configured ones (D-6)
    :param allow_uris: False refuses references that are URIs (D-6)
    :param conf: options; default ``cfg.CONF``
    """

    def __init__(
        self,
        driver: ImageDriver | str | None = None,
        *,
        endpoint: str | None = None,
        allow_uris: bool = True,
        conf: cfg.ConfigOpts | None = None,
    ) -> None:
        self._given = driver
        self._endpoint = endpoint
        self._allow_uris = allow_uris
        self._conf = options.register(conf)
        self._reference: ImageRef | None = None

    @classmethod
    def for_reference(
        cls, image_ref: Any, *, driver: ImageDriver | str | None = None, conf: cfg.ConfigOpts | None = None
    ) -> Self:
        """An API object that stays at the server that ``image_ref`` names, whatever it is asked for (D-6).

        For code that does more with the server of one reference than ask for that image. A plain id stays at the
        configured servers; of a URI given to a method only the id counts (C-208). Unlike an ``endpoint``, which is
        trusted, the server gets the caller's credential only if it is configured, in ``[image] trusted_servers``
        or in the caller's catalogue (D-7).

        :raises InvalidImageRef: not a reference (C-195)
        """
        made = cls(driver, conf=conf)
        made._reference = _parsed(image_ref)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> API:
        """As good as the original: there is no state but the configuration and the drivers, which are shared."""
        return copy.copy(self)

    def __getstate__(self) -> dict[str, Any]:
        """Pickled without the configuration of the process: unpickled, it uses that of its new process (C-013)."""
        state = dict(self.__dict__)
        if self._conf is cfg.CONF:
            state['_conf'] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._conf is None:
            self._conf = options.register(None)

    @property
    def driver(self) -> ImageDriver:
        """The driver behind this object, chosen by the configuration of this moment (C-013)."""
        if isinstance(self._given, ImageDriver):
            return self._given
        settings = current(self._conf)
        name = self._given or settings.driver
        key = (id(self._conf), name, self._endpoint, settings.recording)
        found = _shared.get(key)
        if found is None:
            with _shared_lock:
                found = _shared.get(key)
                if found is None:
                    found = drivers.build(self._conf, name, endpoint=self._endpoint)
                    while len(_shared) >= MOST_SHARED:
                        del _shared[next(iter(_shared))]
                    _shared[key] = found
        return found

    def get_all(
        self,
        context: Any,
        *,
        filters: Mapping[str, Any] | None = None,
        marker: Any = None,
        limit: int | None = None,
        page_size: int | None = None,
        sort_key: Any = None,
        sort_dir: Any = None,
    ) -> list[dict[str, Any]]:
        """Records of all images the context may see; a falsy argument is as good as none (C-066 to C-078, D-4).

        :param filters: by field, ``property-<name>``, ``properties``, ``is_public``, ``changes-since``;
            never modified
        :param limit: most images in all; ``page_size``: most in one request
        :returns: a list, newest first unless sorted otherwise
        :raises TypeError: any other keyword
        :raises BadFilter: ``filters`` is no mapping, or a filter cannot be used
        :raises Invalid: the service refuses an argument; Forbidden: or the caller
        """
        if filters and not isinstance(filters, Mapping):
            raise errors.joined(errors.BadFilter, AttributeError)(
                name='filters', value=filters, reason='expected a dict'
            )
        asked = {
            'filters': dict(filters) if filters else None,
            'marker': marker,
            'limit': limit,
            'page_size': page_size,
            'sort_key': sort_key,
            'sort_dir': sort_dir,
            'server': self._server,
        }
        driver = self.driver
        records = driver.list(context, **{name: value for name, value in asked.items() if value})
        return [record for record in records if driver.is_available(context, record)]

    def get(
        self, context: Any, id_or_uri: Any, include_locations: bool = False, show_deleted: bool = True
    ) -> dict[str, Any]:
        """One record: the 16 historic keys and Glance's additions under their own names (D-2).

        :param include_locations: add ``locations`` and ``direct_url`` (C-095)
        :raises ImageNotFound: absent, deleted (D-18), or not to be shown to the context
        """
        server, image_id = self._resolve(id_or_uri)
        driver = self.driver
        record = driver.show(context, image_id, include_locations, show_deleted, server=server)
        if not driver.is_available(context, record):
            raise errors.ImageNotFound(image_id=image_id)
        return record

    def create(self, context: Any, image_info: Mapping[str, Any], data: Any = None) -> dict[str, Any]:
        """Make an image (C-158 to C-172).

        :param image_info: fields, and custom ones under ``properties``; never modified. ``size`` 0 without
            data makes an empty active image (D-5)
        :param data: bytes, text, a binary file object (sent from its current offset, not closed) or an
            iterable of bytes; None, ``''`` and ``b''`` mean none
        :raises BadImageInfo: an argument of a wrong type; Invalid, Forbidden, ImageQuotaExceeded: refused
        :raises ImageUploadIncomplete: not all bytes arrived; no image is left behind (D-9)
        """
        where = {'server': self._server} if self._server else {}
        return self.driver.create(context, _own(image_info), _body(data), **where)

    def update(
        self,
        context: Any,
        id_or_uri: Any,
        image_info: Mapping[str, Any],
        data: Any = None,
        purge_props: bool = False,
    ) -> dict[str, Any]:
        """Change an image's metadata, and upload ``data`` to one that has none yet (C-282).

        :param purge_props: True removes the properties that are not in ``image_info``, data or not (D-3);
            a property of None is removed in either case (C-313)
        """
        server, image_id = self._resolve(id_or_uri)
        return self.driver.update(
            context, image_id, _own(image_info), _body(data), bool(purge_props), server=server
        )

    def delete(self, context: Any, id_or_uri: Any) -> bool:
        """Delete an image and return True (D-4).

        :raises ImageNotFound: absent; ImageNotAuthorized: protected or another's; ImageDeleteConflict: in use
        """
        server, image_id = self._resolve(id_or_uri)
        return self.driver.delete(context, image_id, server=server)

    def download(
        self,
        context: Any,
        id_or_uri: Any,
        data: Any = None,
        dest_path: str | os.PathLike[str] | None = None,
        trusted_certs: Any = None,
    ) -> Iterator[bytes] | None:
        """Fetch an image's bytes, checked against its size and hash (C-126 to C-146, D-8).

        :param data: binary file object to write to; neither flushed nor closed
        :param dest_path: path to write to when there is no ``data``; new content appears whole or not at all
        :param trusted_certs: object with ``ids`` of trusted certificates; the image's signature is then verified,
            as it is under ``[glance] verify_glance_signatures`` (C-304); needs ``nova-image[signatures]``
        :returns: an iterator of chunks with ``close()`` if neither target is given, else None
        :raises ImageHasNoData: nothing was uploaded; ImageNotAuthorized: deactivated
        :raises ImageDownloadIncomplete, ImageCorrupt, ImageTransferStalled: the bytes are not right
        :raises SignatureVerificationError: not signed, or not what was signed (also cryptography's
            ``InvalidSignature``); CertificateValidationFailed: not signed by a trusted party
        """
        server, image_id = self._resolve(id_or_uri)
        settings = current(self._conf)
        if settings.enable_rbd_download:
            raise errors.NotBuilt(
                feature='Direct download from Ceph (enable_rbd_download)',
                advice='leave [glance] enable_rbd_download off; the image is then fetched over HTTP.',
            )
        driver = self.driver
        if signatures.is_wanted(settings, trusted_certs) and not driver.verifies_signatures:
            raise errors.NotBuilt(
                feature=f'Image signature verification by the driver {driver.name or type(driver).__name__!r}',
                advice='pass no trusted_certs, and leave [glance] verify_glance_signatures off and '
                'default_trusted_certificate_ids empty, or use another driver.',
            )
        return driver.download(context, image_id, data, dest_path or None, trusted_certs, server=server)

    def copy_image_to_store(self, context: Any, image_id: Any, store: str) -> None:
        """Ask the service to copy an image's bytes to another of its stores; asynchronous (C-306).

        :raises ImageImportImpossible: not active, or a copy is under way; NotImplementedError: no such driver
        """
        server, plain_id = self._resolve(image_id)
        self.driver.copy_to_store(context, plain_id, store, server=server)

    def generate_glance_url(self, context: Any = None) -> str:
        """Base URL of the image service, no trailing slash (C-322, D-6)."""
        return self._server or self.driver.glance_url(context)

    def generate_image_url(self, image_ref: Any, context: Any = None) -> str:
        """``<service>/images/<image_ref>``, a reference that every release understands (C-016, C-025)."""
        return f'{self.generate_glance_url(context)}/images/{image_ref}'

    @property
    def _server(self) -> str | None:
        """The server of calls that name none; None: the configured ones."""
        return self._reference.server if self._reference else None

    def _resolve(self, id_or_uri: Any) -> tuple[str | None, str]:
        if self._reference and '://' in str(id_or_uri):
            id_or_uri = str(id_or_uri).rstrip('/').rpartition('/')[2]
        server, image_id = _parsed(id_or_uri)
        if server is not None and not self._allow_uris:
            raise errors.InvalidImageRef(
                f'Invalid image href {id_or_uri}: this API object takes image ids only (allow_uris=False).'
            )
        return server or self._server, check_image_id(image_id)


def _parsed(ref: Any) -> ImageRef:
    try:
        return parse_image_ref(ref)
    except errors.InvalidImageRef as exc:
        if '://' in str(ref):
            raise
        # An id with a slash in it: not found, for callers that took it for an id (C-094).
        raise errors.joined(errors.InvalidImageRef, errors.ImageNotFound)(image_href=ref) from exc


#: What ``get_all`` has a parameter for, its first two among them, so that they are refused twice as ever.
_LISTING = frozenset(inspect.signature(API.get_all).parameters)


def listing_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``given`` :meth:`API.get_all` takes, for callers that are handed more than that (D-4).

    The old ``detail`` ignored the rest without a word.

    :raises TypeError: no mapping, or one whose keys are no text
    """
    return {name: value for name, value in dict(**given).items() if name in _LISTING}


def _own(image_info: Any) -> dict[str, Any]:
    if not isinstance(image_info, Mapping):
        raise errors.BadImageInfo(name='metadata', value=image_info, expected='a dict')
    return copy.deepcopy(dict(image_info))


def has_data(data: Any) -> bool:
    """Whether there is something to upload: nothing falsy is, but an object to read is always (D-5)."""
    return data is not None and (bool(data) or hasattr(data, 'read'))


def _body(data: Any) -> Any:
    return data if has_data(data) else None
