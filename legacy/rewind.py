# SPDX-License-Identifier: Apache-2.0
"""Whether the body of an upload may be sent again through an old-style client (C-059, C-210)."""

from __future__ import annotations

import io
from typing import Any

__all__ = ['Rewinder']

_UPLOADS = ('create', 'update', 'upload', 'stage')


class Rewinder:
    """Remembers where the body of a call stood, and puts it back there before another attempt."""

    def __init__(self, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._body: Any = None
        if method in _UPLOADS:
            given = [kwargs.get('data'), kwargs.get('image_data'), *args[1:]]
            self._body = next(
                (item for item in given if hasattr(item, 'read') or _one_shot(item)), None
            )
        from nova_image.transfer.sources import source_of

        self._source = None if self._body is None else source_of(self._body)
        self._start = self._position()

    def rewind(self) -> bool:
        """Put the body back; False when it cannot be known to stand at its start again.

        The proof is the transfer's (:meth:`nova_image.transfer.sources.Source.rewind`): ``seek`` alone is not
        trusted, since some pipes have one that does nothing (C-210).
        """
        if self._source is None:
            return True
        now = self._position()
        if now is None or self._start is None:
            return False
        # At its end already, a buffer in memory is known to be empty; of anything else that cannot be told.
        repeatable = self._source.repeatable or isinstance(self._body, io.BytesIO)
        return repeatable and self._source.rewind(now - self._start)

    def _position(self) -> int | None:
        try:
            return int(self._body.tell())
        except (AttributeError, OSError, TypeError, ValueError):
            return None


def _one_shot(item: Any) -> bool:
    return hasattr(item, '__next__')
