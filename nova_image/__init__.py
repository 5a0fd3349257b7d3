# SPDX-License-Identifier: Apache-2.0
"""The standard image API of Nova.

What a caller imports for years to come: :class:`API`, the base class of drivers, the reference
parser and the errors. Importing registers no option, opens no connection and pulls in no client.
"""

from __future__ import annotations

from nova_image import errors
from nova_image.api import API
from nova_image.driver import ImageDriver
from nova_image.references import parse_image_ref

__all__ = ['API', 'ImageDriver', 'errors', 'parse_image_ref']
