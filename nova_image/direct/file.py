# SPDX-License-Identifier: Apache-2.0
"""The fetcher of ``file`` and ``filesystem`` URLs (C-149): a file of a file system that is mounted here too."""

from __future__ import annotations

import os
from typing import Any

from oslo_config import cfg

from nova_image import transfer
from nova_image.direct import mounts
from nova_image.direct.places import Location


class FileFetcher:
    """Opens files below the mount points of ``[image_file_url]``; the kernel copies them, holes and all.

    :param module: what errors name as the module that failed
    """

    def __init__(self, conf: cfg.ConfigOpts, module: Any = None) -> None:
        self._conf = conf
        self._module = self if module is None else module

    def open(self, location: Location) -> transfer.FileBody:
        """See :class:`nova_image.direct.Fetcher`."""
        root, path = mounts.place(self._conf, location.url, location.metadata, self._module)
        descriptor = mounts.open_below(root, path)
        size = os.fstat(descriptor).st_size
        return transfer.FileBody(os.fdopen(descriptor, 'rb', buffering=0), 0, size)
