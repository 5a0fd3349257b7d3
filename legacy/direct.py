# SPDX-License-Identifier: Apache-2.0
"""Direct transfers by old plug-ins: which handlers a service has, and what they are given (C-138 to C-143).

Over the configured driver they are fetchers of :mod:`nova_image.direct`, verified as those are. Over an old-style
client nothing is known of the bytes but what a signature says, and a handler writes where it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import ParseResult

from oslo_config import cfg

from legacy.log import LOG
from legacy.seams import glance
from legacy.urls import settings
from nova_image import direct, transfer
from nova_image.direct.file import FileFetcher
from nova_image.direct.plugins import OldPlugin, old_handler

__all__ = ['DirectTransfer', 'Locations']


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
        try:
            self.handlers[scheme] = old_handler(module)
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
        expected = getattr(locations, 'expected', None)
        if expected is not None and not direct.begins_again(dst_path):
            return False

        def take(url: ParseResult, metadata: Mapping[str, Any]) -> bool:
            handler = self.handler(url.scheme)
            if handler is None:
                return False
            if check is None and expected is None:
                handler.download(context, url, dst_path, metadata)
            else:
                fetcher = _fetcher(handler)
                direct.bring(
                    fetcher, context, url, metadata, dst_path, expected,
                    settings=settings(), signature=check, logger=LOG,
                )  # fmt: skip
                if isinstance(fetcher, FileFetcher):
                    handler.said_copied(url, metadata)
            return True

        return direct.first_that_works(locations, take, LOG)


class Locations(list[dict[str, Any]]):
    """Locations of an image of which it is known what its bytes must be."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__(record['locations'] if record['status'] == 'active' else ())
        self.expected = transfer.Expected.from_record(record)


def _fetcher(handler: Any) -> direct.Fetcher:
    """An old handler in the new form; the built-in one is the fetcher that it stands for."""
    from legacy.download import file

    if type(handler) is file.FileTransfer and file.copies_itself():
        return FileFetcher(cfg.CONF, handler)
    return OldPlugin(handler)


def _plug_ins_replaced() -> bool:
    """Whether somebody stands in for the plug-in loader or for what it finds."""
    from legacy import download

    xfers = glance.image_xfers
    return xfers is not download or (
        getattr(download.entry_points, '__module__', None) != 'legacy.download'
        or getattr(download.load_transfer_modules, '__module__', None) != 'legacy.download'
    )
