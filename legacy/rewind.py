# SPDX-License-Identifier: Apache-2.0
"""Whether the body of an upload may be sent again through an old-style client (C-059, C-210)."""

from __future__ import annotations

from typing import Any

__all__ = ['Rewinder']

_UPLOADS = ('create', 'update', 'upload', 'stage')


class Rewinder:
    """Remembers where the body of a call stood, and puts it back there before another attempt."""

    def __init__(self, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._body = None
        if method in _UPLOADS:
            given = [kwargs.get('data'), kwargs.get('image_data'), *args[1:]]
            self._body = next(
                (item for item in given if hasattr(item, 'read') or _one_shot(item)), None
            )
        self._start = _position(self._body)

    def rewind(self) -> bool:
        """Put the body back; False when it cannot be known to stand at its start again.

        ``seek`` is not trusted: some pipes have one that does nothing, with a ``tell`` that always says
        the same (C-210), so a body must say ``seekable()``, or be seen to move.
        """
        body = self._body
        if body is None:
            return True
        if self._start is None:
            return False
        try:
            sure = bool(body.seekable()) if hasattr(body, 'seekable') else False
            moved = body.tell() != self._start
            body.seek(self._start)
            return bool(body.tell() == self._start and (sure or moved))
        except (AttributeError, OSError, ValueError):
            return False


def _one_shot(item: Any) -> bool:
    return hasattr(item, '__next__')


def _position(body: Any) -> int | None:
    try:
        return int(body.tell())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
