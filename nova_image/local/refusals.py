# SPDX-License-Identifier: Apache-2.0
"""What the store refuses, with the HTTP status that Glance v2 answers in its place, and the error it becomes.

Rules raise :class:`Refused` and know nothing of error classes; the driver translates once, by the same
tables as the Glance driver. Where a client library's error used to escape raw, what is raised is that class
as well (D-1, C-299, C-310); the library is imported for it then, and not before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from nova_image import errors
from nova_image.answers import Kind, Table

#: status: what it means, and the client library's class for it
_STATUSES = {
    400: (Kind.BAD_REQUEST, 'HTTPBadRequest'),
    401: (Kind.UNAUTHORIZED, 'HTTPUnauthorized'),
    403: (Kind.FORBIDDEN, 'HTTPForbidden'),
    404: (Kind.NOT_FOUND, 'HTTPNotFound'),
    409: (Kind.CONFLICT, 'HTTPConflict'),
    413: (Kind.TOO_LARGE, 'HTTPOverLimit'),
    500: (Kind.OTHER, 'HTTPInternalServerError'),
}


class Refused(Exception):
    """``status``: what Glance would have answered; ``text``: what happened, what was expected."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@contextlib.contextmanager
def answering(table: Table, image_id: Any = None) -> Iterator[None]:
    """Raise what the table says of a refusal, the refusal chained."""
    try:
        yield
    except Refused as exc:
        raise error_for(exc, table, image_id) from exc


def error_for(refused: Refused, table: Table, image_id: Any) -> errors.NovaException:
    """What the table says of a refusal."""
    kind, name = _STATUSES.get(refused.status, (Kind.OTHER, 'HTTPException'))
    line = table[kind]
    if not line.is_theirs_too:
        return line.error(refused.text, image_id)
    from glanceclient import exc as client

    error = line.error(refused.text, image_id, getattr(client, name))
    error.details = refused.text  # type: ignore[attr-defined]
    if line.raw:
        error.code = getattr(client, name).code  # 'N/A' for a status that the library has no class for
    return error
