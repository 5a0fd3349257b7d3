# SPDX-License-Identifier: Apache-2.0
"""A fake image service as a driver of the new API: migrated code meets the fake that its tests know.

Each operation calls the fake's method of the old name with as few arguments as an old caller gave, since
tests replace these methods. Answers are the fake's own values, copied; nothing is completed or converted.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from nova_image import ImageDriver

__all__ = ['FakeDriver']


class FakeDriver(ImageDriver):
    """A driver over an object with the methods of an old image service.

    What the API promises and the fake does not do is added here: ``delete`` returns True, ``download``
    without a target an iterator, ``purge_props`` replaces properties only and an update keeps its data.

    :param service: gives the fake; asked at each call
    """

    name: ClassVar[str] = 'fake'
    #: what the fake holds was never signed; its old ``download`` took trusted certificates and ignored them
    verifies_signatures = True

    def __init__(self, service: Callable[[], Any]) -> None:
        super().__init__()
        self._service = service

    def list(self, context: Any, **asked: Any) -> list[dict[str, Any]]:
        """All images of the fake, whatever is asked (C-221)."""
        asked.pop('server', None)
        return copy.deepcopy(list(self._service().detail(context, **asked)))

    def show(
        self,
        context: Any,
        image_id: str,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """One image; it has no locations."""
        record: dict[str, Any] = copy.deepcopy(self._service().show(context, image_id))
        if include_locations:
            record.setdefault('locations', [])
        return record

    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None
    ) -> dict[str, Any]:
        """A new image of the fake, as a copy."""
        given = () if data is None else (data,)
        record: dict[str, Any] = self._service().create(context, image_info, *given)
        return copy.deepcopy(record)

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
        """Merge, the properties too unless they are to be purged; data is kept for a later download."""
        service = self._service()
        properties = dict(image_info.get('properties', {}))
        given = () if data is None else (data,)
        record: dict[str, Any] = service.update(context, image_id, image_info, *given)
        if purge_props:
            record['properties'] = properties
        if data is not None and hasattr(service, 'keep'):
            service.keep(image_id, data)
        return copy.deepcopy(record)

    def delete(self, context: Any, image_id: str, *, server: str | None = None) -> bool:
        """Gone, and True, which the fake itself does not say."""
        self._service().delete(context, image_id)
        return True

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
        """By the fake, with keywords, which both eras understand; without a target the bytes as one chunk."""
        service = self._service()
        if data is not None:
            service.download(context, image_id, data=data)
        elif dest_path:
            service.download(context, image_id, dst_path=dest_path)
        else:
            sink = io.BytesIO()
            service.download(context, image_id, data=sink)
            return iter([sink.getvalue()] if sink.getvalue() else [])
        return None

    def glance_url(self, context: Any = None) -> str:
        """A URL that leads nowhere."""
        return 'http://fake_host:9292'

    def is_available(self, context: Any, record: Mapping[str, Any]) -> bool:
        """Always: the fake never asked who is calling (C-221)."""
        return True
