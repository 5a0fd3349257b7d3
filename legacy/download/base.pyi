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

class TransferBase:
    @deprecated('nova.image.download.base.TransferBase.download is deprecated since nova-image 1.0, removed in 3.0: use nova_image.API().download(context, id_or_uri, dest_path=...)')
    def download(self, context: Any, url_parts: Any, dst_path: Any, metadata: Any, **kwargs: Any) -> None: ...

exception: Any
