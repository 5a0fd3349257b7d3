# SPDX-License-Identifier: Apache-2.0
"""Fetchers of third parties, in today's form and in the one of Nova 2013.2 to 15 (C-148, C-331).

A fetcher is an entry point of the group ``nova_image.direct_fetchers`` whose name is a URL scheme. It is
called with the configuration and returns an object with :meth:`~nova_image.direct.Fetcher.open`; what it opens
is checked, staged and put in place by us, as bytes from the service are. An example for ``nbd`` URLs::

    class NbdFetcher:
        def __init__(self, conf):
            self.conf = conf

        def open(self, location):
            export = nbd.connect(location.url.hostname, location.url.path)
            return nova_image.transfer.ChunksBody(export.chunks(), length=export.size)

and in the metadata of its distribution::

    [project.entry-points.'nova_image.direct_fetchers']
    nbd = 'nova_image_nbd:NbdFetcher'

It is used where ``[glance] allowed_direct_url_schemes`` lists ``nbd``. One that raises is logged, and the image
comes over HTTP. Old plug-ins of the group ``nova.image.download.modules`` are used for schemes that nobody else
serves.
"""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
from importlib.metadata import entry_points
from typing import Any, cast

from oslo_config import cfg

from nova_image import transfer
from nova_image.direct.places import Fetcher, Location

LOG = logging.getLogger(__name__)
GROUP = 'nova_image.direct_fetchers'
OLD_GROUP = 'nova.image.download.modules'
#: The file plug-in of Nova itself, which ours replaces.
NOVAS_OWN = 'nova.image.download.file'
BUILT_IN = {
    'file': 'nova_image.direct.file:FileFetcher',
    'filesystem': 'nova_image.direct.file:FileFetcher',
}


def fetcher(scheme: str, conf: cfg.ConfigOpts) -> Fetcher | None:
    """The fetcher of a scheme; None if nobody serves it.

    :raises Exception: whatever a third party's code raises
    """
    if scheme in BUILT_IN:
        module, _, name = BUILT_IN[scheme].partition(':')
        return cast('Fetcher', getattr(importlib.import_module(module), name)(conf))
    from stevedore import driver, exception

    try:
        return cast('Fetcher', driver.DriverManager(GROUP, scheme, invoke_on_load=True, invoke_args=(conf,)).driver)
    except exception.NoMatches:
        return _old(scheme)


def _old(scheme: str) -> Fetcher | None:
    for point in entry_points(group=OLD_GROUP):
        if point.value == NOVAS_OWN:
            continue
        try:
            module = point.load()
            if scheme in module.get_schemes():
                return OldPlugin(old_handler(module))
        except Exception:
            LOG.exception('The transfer plug-in %s (%s) cannot be used', point.name, point.value)
    return None


def old_handler(module: Any) -> Any:
    """The handler that an old plug-in makes, under either spelling of the name (C-148)."""
    factory = getattr(module, 'get_download_handler', None) or module.get_download_hander
    return factory()


class OldPlugin:
    """A handler of the old kind, which writes a file, as a fetcher."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def open(self, location: Location) -> transfer.FileBody:
        """Let it write to a place of its own, and open that; there is no name left to clear away."""
        with tempfile.TemporaryDirectory(dir=location.folder, prefix='.fetched-') as folder:
            path = os.path.join(folder, 'image')
            self._handler.download(location.context, location.url, path, dict(location.metadata))
            file = open(path, 'rb')  # noqa: SIM115 - the body closes it
            return transfer.FileBody(file, 0, os.fstat(file.fileno()).st_size)
