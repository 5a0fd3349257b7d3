# SPDX-License-Identifier: Apache-2.0
"""What a fetcher is, and what it is told: the two names that everybody who fetches, or finds fetchers, shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import ParseResult

from nova_image import transfer


@dataclasses.dataclass(frozen=True)
class Location:
    """Where an image is said to be.

    :ivar url: six fields, nothing decoded (C-143, C-151)
    :ivar metadata: what the service says of the place; may be empty (C-142)
    :ivar context: of the caller
    :ivar folder: a directory on the file system of the target, for a fetcher that can only write files; None:
        where temporary files go
    """

    url: ParseResult
    metadata: Mapping[str, Any]
    context: Any = None
    folder: str | None = None


class Fetcher(Protocol):
    """Opens images of one or more URL schemes; :mod:`nova_image.direct.plugins` has an example."""

    def open(self, location: Location) -> transfer.Body:
        """The bytes at ``location``, all of them. :raises Exception: they cannot be had; the next location is tried"""
