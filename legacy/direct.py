# SPDX-License-Identifier: Apache-2.0
"""Direct transfers by old plug-ins: which handlers a service has, and the walk over the locations (C-138 to C-143)."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from legacy.log import LOG
from legacy.seams import glance
from legacy.urls import settings

if TYPE_CHECKING:
    from nova_image import transfer

__all__ = ['DirectTransfer']


class DirectTransfer:
    """The handlers of one service, loaded when it is made (C-063)."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}
        allowed = settings().allowed_direct_url_schemes
        if not allowed and not _plug_ins_replaced():
            return  # nothing could be used: the scan of what is installed is saved
        for scheme, module in glance.image_xfers.load_transfer_modules().items():
            if scheme in allowed:
                self._add(scheme, module)

    def _add(self, scheme: str, module: Any) -> None:
        factory = getattr(module, 'get_download_handler', None) or module.get_download_hander
        try:
            self.handlers[scheme] = factory()
        except Exception as error:  # noqa: BLE001 - a plug-in's failure costs only its schemes (C-063)
            LOG.error(
                'When loading the module %(module_str)s the following error occurred: %(ex)s',
                {'module_str': str(module), 'ex': error},
            )

    def handler(self, scheme: str) -> Any:
        """The handler of a scheme, or None."""
        try:
            return self.handlers.get(scheme)
        except TypeError:  # nothing a dictionary could hold
            LOG.error(
                'Failed to instantiate the download handler for %(scheme)s', {'scheme': scheme}
            )
            return None

    def is_allowed(self) -> bool:
        """Whether any scheme is allowed at this moment (C-013)."""
        return bool(settings().allowed_direct_url_schemes)

    def fetch(
        self,
        context: Any,
        locations: list[dict[str, Any]],
        dst_path: Any,
        check: transfer.SignatureCheck | None = None,
    ) -> bool:
        """Try the locations in order; True when one was fetched. Failures are logged (C-139, C-140).

        :param check: verifies the signature of what a handler fetched, before it is at ``dst_path``
        """
        for entry in locations:
            url = urlparse(entry['url'])
            handler = self.handler(url.scheme)
            if handler is None:
                continue
            try:
                metadata = entry.get('metadata') or {}
                if check is None:
                    handler.download(context, url, dst_path, metadata)
                else:
                    _fetch_verified(handler, context, url, dst_path, metadata, check)
            except Exception as error:  # noqa: BLE001 - the next location, or the server, is tried (C-140)
                LOG.exception(error)
                continue
            LOG.info('Successfully transferred using %s', url.scheme)
            return True
        return False


def _fetch_verified(
    handler: Any, context: Any, url: Any, dst_path: Any, metadata: Any, check: transfer.SignatureCheck
) -> None:
    """By the handler into a folder beside ``dst_path``, and from there, verified, to where it is wanted (D-8)."""
    from nova_image import transfer

    check.restart()
    path = os.fsdecode(dst_path)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path)), prefix='.fetched-') as folder:
        fetched = os.path.join(folder, 'image')
        handler.download(context, url, fetched, metadata)
        transfer.deliver(
            lambda offset: transfer.FileBody(open(fetched, 'rb')),  # noqa: SIM115 - the body closes it
            None,
            settings=settings(),
            dest_path=dst_path,
            try_again=False,
            signature=check,
        )


def _plug_ins_replaced() -> bool:
    """Whether somebody stands in for the plug-in loader or for what it finds."""
    from legacy import download

    xfers = glance.image_xfers
    return xfers is not download or (
        getattr(download.entry_points, '__module__', None) != 'legacy.download'
        or getattr(download.load_transfer_modules, '__module__', None) != 'legacy.download'
    )
