# SPDX-License-Identifier: Apache-2.0
"""What an answer of the image service means, and as which error it is raised (contract b.18, C-298 to C-310).

One table for each kind of operation, for every driver: the Glance driver finds the kind of a client library's
error, the local store the kind of its own refusal. Knows :mod:`nova_image.errors` and no library.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nova_image import errors


class Kind(enum.Enum):
    """What went wrong with an image operation."""

    BAD_REQUEST = enum.auto()
    UNAUTHORIZED = enum.auto()
    FORBIDDEN = enum.auto()
    NOT_FOUND = enum.auto()
    CONFLICT = enum.auto()
    TOO_LARGE = enum.auto()
    UNREACHABLE = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True)
class Line:
    """One line of a table: our class, and how it is built.

    :ivar fields: keywords of our template from (image id, text); None: the text is the message
    :ivar both: the error is also an instance of the client library's class (D-1)
    :ivar raw: callers used to see the client library's own error: both, with its code
    """

    ours: type[errors.NovaException]
    fields: Callable[[Any, str], dict[str, Any]] | None = None
    both: bool = False
    raw: bool = False

    @property
    def is_theirs_too(self) -> bool:
        return self.both or self.raw

    def error(self, text: str, image_id: Any, theirs: type[BaseException] | None = None) -> errors.NovaException:
        """The error for ``text``; of both trees where ``theirs`` is given."""
        cls = self.ours if theirs is None else errors.joined(self.ours, theirs)
        return cls(text) if self.fields is None else cls(**self.fields(image_id, text))


def _image(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id}


def _response(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id, 'response': text}


def _reason(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id, 'reason': text}


def _server(image_id: Any, text: str) -> dict[str, Any]:
    return {'server': '(Glance or Keystone)', 'reason': text}


Table = Mapping[Kind, Line]

_EVERYWHERE: Table = {
    Kind.CONFLICT: Line(errors.ImageConflict, raw=True),
    Kind.TOO_LARGE: Line(errors.ImageQuotaExceeded, raw=True),
    Kind.UNREACHABLE: Line(errors.GlanceConnectionFailed, _server, both=True),
    Kind.OTHER: Line(errors.ImageServiceError, raw=True),
}
#: show, update, download, locations
IMAGE: Table = {
    **_EVERYWHERE,
    Kind.BAD_REQUEST: Line(errors.ImageBadRequest, _response),
    Kind.UNAUTHORIZED: Line(errors.ImageNotAuthorized, _image),
    Kind.FORBIDDEN: Line(errors.ImageNotAuthorized, _image),
    Kind.NOT_FOUND: Line(errors.ImageNotFound, _image),
    Kind.TOO_LARGE: Line(errors.ImageQuotaExceeded, _image, both=True),
}
#: create
PLAIN: Table = {
    **_EVERYWHERE,
    Kind.BAD_REQUEST: Line(errors.Invalid),
    Kind.UNAUTHORIZED: Line(errors.Forbidden),
    Kind.FORBIDDEN: Line(errors.Forbidden),
    Kind.NOT_FOUND: Line(errors.NotFound),
}
#: list: the plain table, and also what Icehouse let through raw (C-310)
LISTING: Table = {
    **PLAIN,
    **{
        kind: Line(PLAIN[kind].ours, both=True)
        for kind in (Kind.BAD_REQUEST, Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.NOT_FOUND)
    },
}
#: delete: only 403, 404 and 409 were ever translated (C-185)
DELETE: Table = {
    **_EVERYWHERE,
    Kind.BAD_REQUEST: Line(errors.ImageBadRequest, raw=True),
    Kind.UNAUTHORIZED: Line(errors.ImageNotAuthorized, raw=True),
    Kind.FORBIDDEN: Line(errors.ImageNotAuthorized, _image),
    Kind.NOT_FOUND: Line(errors.ImageNotFound, _image),
    Kind.CONFLICT: Line(errors.ImageDeleteConflict, lambda image_id, text: {'reason': text}, both=True),
}
#: import of a copy (C-306)
IMPORT: Table = {
    **IMAGE,
    Kind.CONFLICT: Line(errors.ImageImportImpossible, _reason, both=True),
}
