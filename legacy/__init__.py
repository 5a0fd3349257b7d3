# SPDX-License-Identifier: Apache-2.0
"""Everything about old callers; a user deletes this package on the day the last old call site is gone.

``from legacy import glance`` is the old module. ``legacy.install()`` makes the old imports themselves
resolve here, ``python -m legacy SCRIPT`` does that for one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from legacy.deprecation import LegacyImageAPIWarning
    from legacy.installing import InstallRefused, install, uninstall

__all__ = ['InstallRefused', 'LegacyImageAPIWarning', 'install', 'uninstall']

_HOMES = {
    'InstallRefused': 'legacy.installing',
    'LegacyImageAPIWarning': 'legacy.deprecation',
    'install': 'legacy.installing',
    'uninstall': 'legacy.installing',
}


def __getattr__(name: str) -> Any:
    import importlib

    if name in ('api', 'download', 'glance'):
        return importlib.import_module(f'legacy.{name}')
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
