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

CONF: Any

FLAGS: Any

@deprecated('GlanceClientWrapper is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), or glanceclient.Client directly')
class GlanceClientWrapper:
    api_server: Any
    api_servers: Any
    client: Any
    host: Any
    port: Any
    use_ssl: Any
    version: Any
    @deprecated('GlanceClientWrapper is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), or glanceclient.Client directly')
    def __init__(self, context: Any = None, host: Any = None, port: Any = None, use_ssl: Any = False, version: Any = 1, endpoint: Any = None) -> None: ...
    @property
    def is_static(self) -> Any: ...
    @property
    def is_injected(self) -> Any: ...
    @property
    def server_url(self) -> Any: ...
    @deprecated('GlanceClientWrapper._create_static_client is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose driver makes and keeps its clients')
    def _create_static_client(self, context: Any, host: Any = None, port: Any = None, use_ssl: Any = None, version: Any = None, endpoint: Any = None) -> Any: ...
    @deprecated('GlanceClientWrapper._create_onetime_client is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose driver makes and keeps its clients')
    def _create_onetime_client(self, context: Any, version: Any) -> Any: ...
    @property
    def _speaks_urls(self) -> Any: ...
    @deprecated('GlanceClientWrapper.call is deprecated since nova-image 1.0, removed in 3.0: use the method of nova_image.API() that does it, or glanceclient.Client directly')
    def call(self, context: Any, version: Any, method: Any, *args: Any, **kwargs: Any) -> Any: ...

@deprecated('GlanceImageService is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
class GlanceImageService:
    _client: Any
    _download_handlers: Any
    @deprecated('GlanceImageService is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
    def __init__(self, client: Any = None) -> None: ...
    @deprecated('GlanceImageService.detail is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters=...)')
    def detail(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]: ...
    @deprecated('GlanceImageService.show is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get(context, id_or_uri)')
    def show(self, context: Any, image_id: Any, include_locations: bool = False, show_deleted: bool = True) -> dict[str, Any]: ...
    @deprecated('GlanceImageService.create is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create(context, image_info, data)')
    def create(self, context: Any, image_meta: Any, data: Any = None) -> dict[str, Any]: ...
    @deprecated('GlanceImageService.update is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().update(context, id_or_uri, image_info, data, purge_props=...)')
    def update(self, context: Any, image_id: Any, image_meta: Any, data: Any = None, purge_props: Any = True) -> dict[str, Any]: ...
    @deprecated('GlanceImageService.delete is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().delete(context, id_or_uri)')
    def delete(self, context: Any, image_id: Any) -> bool: ...
    @deprecated('GlanceImageService.download is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def download(self, context: Any, image_id: Any, data: Any = None, dst_path: Any = None, trusted_certs: Any = None) -> Iterator[bytes] | None: ...
    @deprecated('GlanceImageService.index is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context)')
    def index(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]: ...
    @deprecated("GlanceImageService.show_by_name is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters={'name': name})")
    def show_by_name(self, context: Any, name: str) -> dict[str, Any]: ...
    @deprecated('GlanceImageService.get is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get and nova_image.API().download')
    def get(self, context: Any, image_id: Any, data: Any) -> dict[str, Any]: ...
    @deprecated('GlanceImageService.delete_all is deprecated since nova-image 1.0, removed in 3.0: use nothing: it never did anything')
    def delete_all(self) -> None: ...
    @deprecated('GlanceImageService.get_location is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get(context, id_or_uri, include_locations=True)')
    def get_location(self, context: Any, image_id: Any) -> str | None: ...
    @deprecated('GlanceImageService.get_locations is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get(context, id_or_uri, include_locations=True)')
    def get_locations(self, context: Any, image_id: Any) -> list[dict[str, Any]]: ...
    @deprecated('GlanceImageService._get_locations is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get(context, id_or_uri, include_locations=True)')
    def _get_locations(self, context: Any, image_id: Any) -> list[dict[str, Any]]: ...
    @deprecated('GlanceImageService._get_transfer_module is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _get_transfer_module(self, scheme: str) -> Any: ...
    @staticmethod
    @deprecated('GlanceImageService._extract_query_params is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters=...)')
    def _extract_query_params(params: Any) -> dict[str, Any]: ...
    @staticmethod
    @deprecated('GlanceImageService._is_image_available is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), which leaves out what the caller may not see')
    def _is_image_available(context: Any, image: Any) -> bool: ...
    @staticmethod
    @deprecated('GlanceImageService._translate_to_glance is deprecated since nova-image 1.0, removed in 3.0: use a plain dict given to nova_image.API()')
    def _translate_to_glance(image_meta: Any) -> dict[str, Any]: ...
    @staticmethod
    @deprecated('GlanceImageService._translate_from_glance is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
    def _translate_from_glance(image: Any) -> dict[str, Any]: ...

@deprecated('GlanceImageServiceV2 is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
class GlanceImageServiceV2:
    _client: Any
    _download_handlers: Any
    @deprecated('GlanceImageServiceV2._add_location is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create or nova_image.API().update with data')
    def _add_location(self, context: Any, image_id: Any, location: Any) -> Any: ...
    @deprecated('GlanceImageServiceV2._add_image_member is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create or nova_image.API().update with data')
    def _add_image_member(self, context: Any, image_id: Any, member_id: Any) -> Any: ...
    @deprecated('GlanceImageServiceV2._upload_data is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create or nova_image.API().update with data')
    def _upload_data(self, context: Any, image_id: Any, data: Any) -> Any: ...
    @deprecated('GlanceImageServiceV2._get_image_create_disk_format_default is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create or nova_image.API().update with data')
    def _get_image_create_disk_format_default(self, context: Any) -> str: ...
    @deprecated('GlanceImageServiceV2._create_v2 is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create or nova_image.API().update with data')
    def _create_v2(self, context: Any, sent_service_image_meta: Any, data: Any = None, force_activate: bool = False, sharing_member_id: Any = None) -> Any: ...
    @deprecated('GlanceImageServiceV2._update_v2 is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create or nova_image.API().update with data')
    def _update_v2(self, context: Any, sent_service_image_meta: Any, data: Any = None) -> Any: ...
    @staticmethod
    @deprecated('GlanceImageServiceV2._safe_fsync is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _safe_fsync(fh: Any) -> None: ...
    @deprecated('GlanceImageServiceV2._get_verifier is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, trusted_certs=...)')
    def _get_verifier(self, context: Any, image_id: Any, trusted_certs: Any) -> Any: ...
    @deprecated('GlanceImageServiceV2._verify_and_write is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _verify_and_write(self, context: Any, image_id: Any, verifier: Any = None, image_chunks: Any = (), data: Any = None, dst_path: Any = None, trusted_certs: Any = None) -> Any: ...
    @deprecated('GlanceImageServiceV2._try_special_handlers is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _try_special_handlers(self, context: Any, image_id: Any, dst_path: Any, verifier: Any) -> bool: ...
    @deprecated('GlanceImageServiceV2.rbd_download is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
    def rbd_download(self, context: Any, url_parts: Any, dst_path: Any, metadata: Any = None) -> None: ...
    @deprecated('GlanceImageServiceV2 is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
    def __init__(self, client: Any = None) -> None: ...
    @deprecated('GlanceImageServiceV2.detail is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters=...)')
    def detail(self, context: Any, **kwargs: Any) -> list[dict[str, Any]]: ...
    @deprecated('GlanceImageServiceV2.show is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get(context, id_or_uri)')
    def show(self, context: Any, image_id: Any, include_locations: bool = False, show_deleted: bool = True) -> dict[str, Any]: ...
    @deprecated('GlanceImageServiceV2.create is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().create(context, image_info, data)')
    def create(self, context: Any, image_meta: Any, data: Any = None) -> dict[str, Any]: ...
    @deprecated('GlanceImageServiceV2.update is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().update(context, id_or_uri, image_info, data, purge_props=...)')
    def update(self, context: Any, image_id: Any, image_meta: Any, data: Any = None, purge_props: Any = True) -> dict[str, Any]: ...
    @deprecated('GlanceImageServiceV2.delete is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().delete(context, id_or_uri)')
    def delete(self, context: Any, image_id: Any) -> bool: ...
    @deprecated('GlanceImageServiceV2.download is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def download(self, context: Any, image_id: Any, data: Any = None, dst_path: Any = None, trusted_certs: Any = None) -> Iterator[bytes] | None: ...
    @deprecated('GlanceImageServiceV2.image_import_copy is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().copy_image_to_store(context, image_id, store)')
    def image_import_copy(self, context: Any, image_id: Any, stores: list[str]) -> None: ...
    @deprecated('GlanceImageServiceV2._get_transfer_module is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _get_transfer_module(self, scheme: str) -> Any: ...
    @deprecated('GlanceImageServiceV2._get_transfer_method is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _get_transfer_method(self, scheme: str) -> Any: ...

LEDGER_OPT: Any

LOG: Any

STAGE_OPT: Any

@deprecated('UpdateGlanceImage is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().update(context, id_or_uri, image_info, data, purge_props=False)')
class UpdateGlanceImage:
    context: Any
    image_id: Any
    image_stream: Any
    metadata: Any
    @deprecated('UpdateGlanceImage is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().update(context, id_or_uri, image_info, data, purge_props=False)')
    def __init__(self, context: Any, image_id: Any, metadata: Any, stream: Any) -> None: ...
    @deprecated('UpdateGlanceImage.start is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().update(context, id_or_uri, image_info, data, purge_props=False)')
    def start(self) -> None: ...

def _(text: str) -> str: ...

_CONVERT_PROPS: Any

def _LE(text: str) -> str: ...

def _LI(text: str) -> str: ...

def _LW(text: str) -> str: ...

_SESSION: Any

@deprecated('_convert is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _convert(method: Callable[[dict[str, Any], str], None], metadata: Any) -> Any: ...

@deprecated('_convert_from_string is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _convert_from_string(metadata: Any) -> Any: ...

@deprecated('_convert_timestamps_to_datetimes is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _convert_timestamps_to_datetimes(image_meta: dict[str, Any]) -> dict[str, Any]: ...

@deprecated('_convert_to_string is deprecated since nova-image 1.0, removed in 3.0: use a plain dict given to nova_image.API()')
def _convert_to_string(metadata: Any) -> Any: ...

@deprecated('_convert_to_v2 is deprecated since nova-image 1.0, removed in 3.0: use a plain dict given to nova_image.API()')
def _convert_to_v2(image_meta: Mapping[str, Any]) -> dict[str, Any]: ...

@deprecated('_create_glance_client is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose driver makes and keeps its clients')
def _create_glance_client(context: Any, host: Any, port: Any, use_ssl: Any = False, version: Any = 1) -> Any: ...

@deprecated('_determine_curr_major_version is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose driver makes and keeps its clients')
def _determine_curr_major_version(endpoint: str) -> int: ...

@deprecated('_endpoint_from_image_ref is deprecated since nova-image 1.0, removed in 3.0: use nova_image.parse_image_ref(ref)')
def _endpoint_from_image_ref(image_href: str) -> tuple[str, str]: ...

@deprecated('_extract_attributes is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _extract_attributes(image: Any, include_locations: bool = False) -> dict[str, Any]: ...

@deprecated('_extract_attributes_v2 is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _extract_attributes_v2(image: Any, include_locations: bool = False) -> dict[str, Any]: ...

@deprecated('_extract_query_params is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters=...)')
def _extract_query_params(params: Mapping[str, Any]) -> dict[str, Any]: ...

@deprecated('_extract_query_params_v2 is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().get_all(context, filters=...)')
def _extract_query_params_v2(params: Mapping[str, Any]) -> dict[str, Any]: ...

@deprecated('_glanceclient_from_endpoint is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose driver makes and keeps its clients')
def _glanceclient_from_endpoint(context: Any, endpoint: str, version: Any = 1) -> Any: ...

@deprecated('_is_image_available is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), which leaves out what the caller may not see')
def _is_image_available(context: Any, image: Any) -> bool: ...

@deprecated('_json_dumps is deprecated since nova-image 1.0, removed in 3.0: use a plain dict given to nova_image.API()')
def _json_dumps(properties: dict[str, Any], attr: str) -> None: ...

@deprecated('_json_loads is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _json_loads(properties: dict[str, Any], attr: str) -> None: ...

@deprecated('_limit_attributes is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _limit_attributes(image_meta: Mapping[str, Any]) -> dict[str, Any]: ...

@deprecated('_parse_glance_iso8601_timestamp is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _parse_glance_iso8601_timestamp(timestamp: str) -> datetime.datetime: ...

@deprecated('_parse_image_ref is deprecated since nova-image 1.0, removed in 3.0: use nova_image.parse_image_ref(ref)')
def _parse_image_ref(image_href: str) -> tuple[str, str, int, bool]: ...

@deprecated('_remove_read_only is deprecated since nova-image 1.0, removed in 3.0: use a plain dict given to nova_image.API()')
def _remove_read_only(image_meta: Mapping[str, Any]) -> dict[str, Any]: ...

@deprecated('_reraise_translated_exception is deprecated since nova-image 1.0, removed in 3.0: use nova_image.errors, which the API raises by itself')
def _reraise_translated_exception() -> NoReturn: ...

@deprecated('_reraise_translated_image_exception is deprecated since nova-image 1.0, removed in 3.0: use nova_image.errors, which the API raises by itself')
def _reraise_translated_image_exception(image_id: Any) -> NoReturn: ...

_seams: Any

@deprecated('_session_and_auth is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose driver makes and keeps its clients')
def _session_and_auth(context: Any) -> tuple[Any, Any]: ...

@deprecated('_translate_from_glance is deprecated since nova-image 1.0, removed in 3.0: use the dict that nova_image.API() returns, which is translated already')
def _translate_from_glance(image: Any, include_locations: bool = False) -> dict[str, Any]: ...

@deprecated('_translate_image_exception is deprecated since nova-image 1.0, removed in 3.0: use nova_image.errors, which the API raises by itself')
def _translate_image_exception(image_id: Any, exc_type: Any = None, exc_value: Any = None) -> Any: ...

@deprecated('_translate_plain_exception is deprecated since nova-image 1.0, removed in 3.0: use nova_image.errors, which the API raises by itself')
def _translate_plain_exception(exc_type: Any = None, exc_value: Any = None) -> Any: ...

@deprecated('_translate_to_glance is deprecated since nova-image 1.0, removed in 3.0: use a plain dict given to nova_image.API()')
def _translate_to_glance(image_meta: Mapping[str, Any]) -> dict[str, Any]: ...

@deprecated('_verify_certs is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, trusted_certs=...)')
def _verify_certs(context: Any, img_sig_cert_uuid: Any, trusted_certs: Any) -> None: ...

copy: Any

exception: Any

@deprecated('generate_glance_url is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().generate_glance_url(context)')
def generate_glance_url(context: Any = None) -> str: ...

@deprecated('generate_identity_headers is deprecated since nova-image 1.0, removed in 3.0: use a keystoneauth session made from the context')
def generate_identity_headers(context: Any, status: str = 'Confirmed') -> dict[str, Any]: ...

@deprecated('generate_image_url is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().generate_image_url(image_ref, context)')
def generate_image_url(image_ref: Any, context: Any = None) -> str: ...

@deprecated('get_api_servers is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), which chooses among the servers itself')
def get_api_servers(context: Any = None) -> Iterator[Any]: ...

@deprecated('get_default_image_service is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API()')
def get_default_image_service() -> Any: ...

@deprecated('get_glance_client is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), or glanceclient.Client directly')
def get_glance_client(context: Any, image_href: Any) -> tuple[Any, Any]: ...

@deprecated('get_image_service is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose methods take the reference itself')
def get_image_service(context: Any, image_href: Any) -> tuple[Any, Any]: ...

@deprecated('get_remote_image_service is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), whose methods take the reference itself')
def get_remote_image_service(context: Any, image_href: Any) -> tuple[Any, Any]: ...

glance_opts: Any

inspect: Any

itertools: Any

json: Any

options: Any

os: Any

@deprecated('pick_glance_api_server is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API(), which chooses among the servers itself')
def pick_glance_api_server() -> Any: ...

random: Any

re: Any

shutil: Any

stat: Any

supported_glance_versions: Any

sys: Any

time: Any

urlparse: Any

certificate_utils: Any

cryptography: Any

cursive_exception: Any

excutils: Any

glance_utils: Any

glanceclient: Any

greenthread: Any

http: Any

image_xfers: Any

jsonutils: Any

ks_loading: Any

netutils: Any

schemas: Any

service_auth: Any

signature_utils: Any

six: Any

timeutils: Any

utils: Any
