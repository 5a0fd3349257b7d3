# SPDX-License-Identifier: Apache-2.0
"""The base class of old transfer plug-ins (C-149)."""

from __future__ import annotations

from typing import Any

from legacy.deprecation import deprecated
from nova_image import errors as exception

__all__ = ['TransferBase', 'exception']


class TransferBase:
    """What a plug-in's handler derives from."""

    @deprecated('nova.image.download.base.TransferBase.download')
    def download(
        self, context: Any, url_parts: Any, dst_path: Any, metadata: Any, **kwargs: Any
    ) -> None:
        """Fetch the bytes behind ``url_parts`` to ``dst_path``; a plug-in overrides it.

        :raises ImageDownloadModuleNotImplementedError: always, here
        """
        raise exception.ImageDownloadModuleNotImplementedError(method_name='download')
