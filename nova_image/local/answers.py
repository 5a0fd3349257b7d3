# SPDX-License-Identifier: Apache-2.0
"""Refusals as errors of the package, by the tables of contract b.18.

The same classes as the Glance driver raises; a test compares the two. Where a client library's error used
to escape raw, what is raised is that class as well (D-1, C-299, C-310); the library is imported for it
then, and not before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nova_image import errors
from nova_image.local.refusals import Refused

_CLIENT_CLASSES = {
    400: 'HTTPBadRequest',
    401: 'HTTPUnauthorized',
    403: 'HTTPForbidden',
    404: 'HTTPNotFound',
    409: 'HTTPConflict',
    413: 'HTTPOverLimit',
    500: 'HTTPInternalServerError',
}
_ANY = 0


@dataclass(frozen=True)
class _Answer:
    """``words``: keywords of the template; None: the text is the message. ``raw``: also the client's class."""

    kind: type[errors.NovaException]
    words: Callable[[Any, str], dict[str, Any]] | None = None
    raw: bool = False


def _image(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id}


Table = Mapping[int, _Answer]
#: ``create``
PLAIN: Table = {
    400: _Answer(errors.Invalid),
    403: _Answer(errors.Forbidden),
    404: _Answer(errors.NotFound),
    409: _Answer(errors.ImageConflict, raw=True),
    413: _Answer(errors.ImageQuotaExceeded, raw=True),
    _ANY: _Answer(errors.ImageServiceError, raw=True),
}
#: ``list``, whose errors Icehouse let through raw (C-310)
LISTING: Table = {status: replace(answer, raw=True) for status, answer in PLAIN.items()}
#: ``show``, ``update``, ``download``
IMAGE: Table = {
    **PLAIN,
    400: _Answer(
        errors.ImageBadRequest, lambda image_id, text: {'image_id': image_id, 'response': text}
    ),
    403: _Answer(errors.ImageNotAuthorized, _image),
    404: _Answer(errors.ImageNotFound, _image),
    413: _Answer(errors.ImageQuotaExceeded, _image, raw=True),
}
#: ``delete`` (C-185)
DELETE: Table = {
    **IMAGE,
    400: _Answer(errors.ImageBadRequest, raw=True),
    409: _Answer(errors.ImageDeleteConflict, lambda image_id, text: {'reason': text}, raw=True),
    413: PLAIN[413],
}
#: ``copy_to_store`` (C-306)
IMPORT: Table = {
    **IMAGE,
    409: _Answer(
        errors.ImageImportImpossible, lambda image_id, text: {'image_id': image_id, 'reason': text}, raw=True
    ),
}


@contextlib.contextmanager
def answering(table: Table, image_id: Any = None) -> Iterator[None]:
    """Raise what the table says of a refusal, the refusal chained."""
    try:
        yield
    except Refused as exc:
        raise error_for(exc, table, image_id) from exc


def error_for(refused: Refused, table: Table, image_id: Any) -> errors.NovaException:
    answer = table.get(refused.status, table[_ANY])
    kind = answer.kind
    if answer.raw:
        from glanceclient import exc as client

        name = _CLIENT_CLASSES.get(refused.status, 'HTTPException')
        kind = errors.joined(kind, getattr(client, name))
    if answer.words is not None:
        error = kind(**answer.words(image_id, refused.text))
    else:
        error = kind(refused.text)
        error.code = refused.status
    if answer.raw:
        error.details = refused.text  # type: ignore[attr-defined]
    return error
