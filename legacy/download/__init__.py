# SPDX-License-Identifier: Apache-2.0
"""The old transfer plug-ins: ``nova.image.download`` (contract b.15, C-331).

Plug-ins of the entry point group ``nova.image.download.modules`` are still found; the built-in one stands
first. A plug-in's own code decides what it writes; :mod:`legacy.download.file` is ours.
"""

from __future__ import annotations

import importlib.metadata
import logging
from typing import Any

from oslo_config import cfg

from legacy.deprecation import deprecated

__all__ = ['CONF', 'LOG', 'load_transfer_modules']

CONF = cfg.CONF
LOG = logging.getLogger(__name__)
NAMESPACE = 'nova.image.download.modules'
_BUILT_IN = importlib.metadata.EntryPoint('file', 'legacy.download.file', NAMESPACE)


def entry_points(*, group: str) -> list[importlib.metadata.EntryPoint]:
    """The built-in plug-in and those that are installed; real Nova's own file plug-in is ours."""
    found = importlib.metadata.entry_points(group=group)
    return [_BUILT_IN, *(point for point in found if point.value != 'nova.image.download.file')]


@deprecated('nova.image.download.load_transfer_modules')
def load_transfer_modules() -> dict[str, Any]:
    """``{scheme: module}`` of all plug-ins; a scheme claimed twice keeps the first (C-064, C-148)."""
    modules: dict[str, Any] = {}
    for point in entry_points(group=NAMESPACE):
        module = point.load()
        for scheme in module.get_schemes():
            if scheme in modules:
                LOG.error(
                    '%(scheme)s is registered as a module twice. %(module_name)s is not being used.'
                )
            else:
                modules[scheme] = module
    return modules
