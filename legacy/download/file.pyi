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

from legacy.download.base import TransferBase
from nova_image.settings import Settings

@deprecated('nova.image.download.file.FileTransfer is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
class FileTransfer(TransferBase):
    @deprecated('nova.image.download.file.FileTransfer is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
    def __init__(self) -> None: ...
    @deprecated('nova.image.download.file.FileTransfer._get_options is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _get_options(self) -> dict[str, Any]: ...
    @deprecated('nova.image.download.file.FileTransfer._verify_config is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _verify_config(self) -> None: ...
    @deprecated('nova.image.download.file.FileTransfer._file_system_lookup is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _file_system_lookup(self, metadata: Any, url_parts: Any) -> Any: ...
    @deprecated('nova.image.download.file.FileTransfer._normalize_destination is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, data, dest_path)')
    def _normalize_destination(self, nova_mount: str, glance_mount: str, path: str) -> str: ...
    @deprecated('nova.image.download.file.FileTransfer.download is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
    def download(self, context: Any, url_parts: Any, dst_file: Any, metadata: Any, **kwargs: Any) -> None: ...  # type: ignore[override]

LOG: Any

class ProcessExecutionError(OSError):
    ...

_GROUP: Any

def copies_itself() -> bool: ...

def copy_image(src: str, dst: str) -> None: ...

direct: Any

@deprecated('nova.image.download.file.get_download_hander is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
def get_download_hander(**kwargs: Any) -> FileTransfer: ...

@deprecated('nova.image.download.file.get_download_handler is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
def get_download_handler(**kwargs: Any) -> FileTransfer: ...

@deprecated('nova.image.download.file.get_schemes is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
def get_schemes() -> list[str]: ...

mounts: Any

opt_group: Any

def register_filesystem(conf: cfg.ConfigOpts, group: str) -> None: ...

subprocess: Any

xfer_base: Any
