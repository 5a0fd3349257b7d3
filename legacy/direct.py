# SPDX-License-Identifier: Apache-2.0
"""Direct transfers by old plug-ins: which handlers a service has, and the walk over the locations (C-138 to C-143)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from legacy.log import LOG
from legacy.seams import glance
from legacy.urls import settings

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

    def fetch(self, context: Any, locations: list[dict[str, Any]], dst_path: Any) -> bool:
        """Try the locations in order; True when one was fetched. Failures are logged (C-139, C-140)."""
        for entry in locations:
            url = urlparse(entry['url'])
            handler = self.handler(url.scheme)
            if handler is None:
                continue
            try:
                handler.download(context, url, dst_path, entry.get('metadata') or {})
            except Exception as error:  # noqa: BLE001 - the next location, or the server, is tried (C-140)
                LOG.exception(error)
                continue
            LOG.info('Successfully transferred using %s', url.scheme)
            return True
        return False


def _plug_ins_replaced() -> bool:
    """Whether somebody stands in for the plug-in loader or for what it finds."""
    from legacy import download

    xfers = glance.image_xfers
    return xfers is not download or (
        getattr(download.entry_points, '__module__', None) != 'legacy.download'
        or getattr(download.load_transfer_modules, '__module__', None) != 'legacy.download'
    )
