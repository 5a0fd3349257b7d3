# SPDX-License-Identifier: Apache-2.0
# Written by `python -m legacy.marks`; do not edit.
# ruff: noqa: F401
import datetime
import importlib as importlib
import importlib.metadata
import logging as logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, Self

from oslo_config import cfg as cfg
from typing_extensions import deprecated

from nova_image.settings import Settings

@deprecated('nova.image.api.API is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
class API:
    @deprecated('nova.image.api.API is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
    def __init__(self) -> None: ...
    @deprecated('nova.image.api.API._get_session is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
    def _get_session(self, _context: Any) -> Any: ...
    @deprecated('nova.image.api.API._get_session_and_image_id is deprecated since nova-image 1.0, removed in 3.0: use nova_image.parse_image_ref(ref)')
    def _get_session_and_image_id(self, context: Any, id_or_uri: Any) -> tuple[Any, Any]: ...
    @deprecated('nova.image.api.API.get_all is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters=...)')
    def get_all(self, context: Any, **kwargs: Any) -> Any: ...
    @deprecated('nova.image.api.API.get is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get(context, id_or_uri)')
    def get(self, context: Any, id_or_uri: Any, include_locations: bool = False, show_deleted: bool = True) -> Any: ...
    @deprecated('nova.image.api.API.create is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create(context, image_info, data)')
    def create(self, context: Any, image_info: Any, data: Any = None) -> Any: ...
    @deprecated('nova.image.api.API.update is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().update(context, id_or_uri, image_info, data, purge_props=...)')
    def update(self, context: Any, id_or_uri: Any, image_info: Any, data: Any = None, purge_props: bool = False) -> Any: ...
    @deprecated('nova.image.api.API.delete is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().delete(context, id_or_uri)')
    def delete(self, context: Any, id_or_uri: Any) -> Any: ...
    @deprecated('nova.image.api.API.download is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def download(self, context: Any, id_or_uri: Any, data: Any = None, dest_path: Any = None, trusted_certs: Any = None) -> Iterator[bytes] | None: ...
    @staticmethod
    @deprecated('nova.image.api.API.generate_image_url is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().generate_image_url(image_ref, context)')
    def generate_image_url(image_ref: Any, context: Any = None) -> str: ...
    @deprecated('nova.image.api.API.copy_image_to_store is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().copy_image_to_store(context, image_id, store)')
    def copy_image_to_store(self, context: Any, image_id: Any, store: str) -> None: ...

glance: Any

@deprecated('nova.image.API is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
def new_api() -> API: ...

pauses: Any
