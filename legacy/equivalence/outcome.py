# SPDX-License-Identifier: Apache-2.0
"""What came out of one call, in a form that two runs can be compared by (D-2).

A result or an error, and the bytes that were delivered. Knows records and errors, nothing of who made
the call.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from legacy.equivalence.notes import Levels, listening
from nova_image import errors, images


@dataclass(frozen=True)
class Outcome:
    """``result`` or ``error`` (class, code, text), and ``delivered`` bytes, None where none were asked for.

    ``logged`` are the numbers of log records by level (see ``notes``), ``arguments`` what the caller holds
    afterwards.
    """

    result: Any = None
    error: tuple[str, Any, str] | None = None
    delivered: bytes | None = None
    logged: Levels = ()
    arguments: Any = None

    @property
    def plain(self) -> dict[str, Any]:
        """As a dict, for comparing and printing."""
        return dict(vars(self))


def outcome(
    call: Callable[[], Any],
    *,
    restrict: bool,
    delivered: Callable[[], bytes | None],
    arguments: Callable[[], Any] = lambda: None,
) -> Outcome:
    """Make a call and keep what comes out of it.

    :param restrict: cut records down to the 16 standard keys
    :param delivered: asked afterwards for the bytes that arrived
    :param arguments: asked afterwards for what the caller holds
    """
    result: Any = None
    error = None
    with listening() as heard:
        try:
            result = call()
        except Exception as caught:  # noqa: BLE001 - an error is an outcome
            error = told(caught)
    if error is None:
        result = _restricted(result) if restrict else copy.deepcopy(result)
    return Outcome(result, error, delivered(), heard.levels, arguments())


def told(error: BaseException) -> tuple[str, Any, str]:
    """Class by its historic name, code, and text."""
    for kind in type(error).__mro__:
        # A class that also is somebody else's (D-1) goes by the name of ours.
        if vars(errors).get(kind.__name__) is kind:
            return kind.__name__, getattr(error, 'code', None), str(error)
    return type(error).__name__, None, str(error)


def _restricted(result: Any) -> Any:
    if isinstance(result, list):
        return [_restricted(each) for each in result]
    if isinstance(result, dict) and 'properties' in result:
        return images.restrict(copy.deepcopy(result))
    return result
