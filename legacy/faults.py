# SPDX-License-Identifier: Apache-2.0
"""Old names about errors: the two translation tables of contract b.18, in the shapes that forks call.

The tables themselves are ``nova_image.answers``'s. What the old code let through stays the
same object here, since that is what a caller of these names compares.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from legacy.deprecation import deprecated
from legacy.seams import glance
from nova_image import answers
from nova_image.answers import Kind

__all__: list[str] = []


def _translated(error: Any, table_name: str, image_id: Any = None) -> Any:
    """The translation of a glanceclient HTTP error by one of the tables, else the same object."""
    if not isinstance(error, BaseException) or 'glanceclient' not in sys.modules:
        return error
    import glanceclient.exc

    if not isinstance(error, glanceclient.exc.HTTPException):
        return error
    from nova_image.glance import translate

    kind = translate.kind_of(error)
    known = {Kind.BAD_REQUEST, Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.NOT_FOUND}
    if table_name == 'IMAGE':
        known.add(Kind.TOO_LARGE)
    elif table_name == 'DELETE':
        known = {Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.CONFLICT}
    if kind not in known:
        return error
    return translate.translate(error, getattr(answers, table_name), image_id) or error


@deprecated('_translate_image_exception')
def _translate_image_exception(image_id: Any, exc_type: Any = None, exc_value: Any = None) -> Any:
    """What the image table makes of an error; anything unknown comes back as it is (C-188, C-189).

    Called as ``(image_id, exc_value)``; 2012.1 had ``exc_type`` in between.
    """
    return _translated(exc_type if exc_value is None else exc_value, 'IMAGE', image_id)


@deprecated('_translate_plain_exception')
def _translate_plain_exception(exc_type: Any = None, exc_value: Any = None) -> Any:
    """What the plain table makes of an error; anything unknown comes back as it is (C-188, C-189).

    Called as ``(exc_value)``; 2012.1 had ``exc_type`` before it.
    """
    return _translated(exc_type if exc_value is None else exc_value, 'PLAIN')


@deprecated('_reraise_translated_image_exception')
def _reraise_translated_image_exception(image_id: Any) -> NoReturn:
    """Raise the translation of the error being handled, with its traceback (C-189, C-216)."""
    _raise(glance._translate_image_exception(image_id, sys.exc_info()[1]))


@deprecated('_reraise_translated_exception')
def _reraise_translated_exception() -> NoReturn:
    """Raise the plain translation of the error being handled, with its traceback (C-189)."""
    _raise(glance._translate_plain_exception(sys.exc_info()[1]))


def _raise(new: Any) -> NoReturn:
    current = sys.exc_info()[1]
    if current is None or new is None:
        raise RuntimeError('called outside an except block: there is no error to translate')
    if new is current:
        raise new.with_traceback(current.__traceback__)
    raise new.with_traceback(current.__traceback__) from current
