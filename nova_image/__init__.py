# SPDX-License-Identifier: Apache-2.0
"""The standard image API of Nova.

What a caller imports for years to come: :class:`API`, the base class of drivers, the reference
parser and the errors. Importing registers no option, opens no connection and pulls in no client;
the names load on first use, so that a command line pays only for what it runs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nova_image import api as api
    from nova_image import errors
    from nova_image.api import API, listing_arguments
    from nova_image.driver import ImageDriver
    from nova_image.references import parse_image_ref

__all__ = ['API', 'ImageDriver', 'errors', 'listing_arguments', 'parse_image_ref']

_HOMES = {'API': 'api', 'ImageDriver': 'driver', 'listing_arguments': 'api', 'parse_image_ref': 'references'}


def __getattr__(name: str) -> Any:
    if name in ('api', 'errors'):  # whatever else of the package is imported
        return importlib.import_module(f'nova_image.{name}')
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(importlib.import_module(f'nova_image.{_HOMES[name]}'), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
