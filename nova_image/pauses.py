# SPDX-License-Identifier: Apache-2.0
"""How long to wait before another attempt.

One second first, as ever (C-049); each later time up to twice as long as the time before, partly random,
so that callers who failed together do not come back together. Old names keep to one second each time.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from contextvars import ContextVar

FIRST_S = 1

_steady: ContextVar[bool] = ContextVar('steady_pauses', default=False)


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """While it lasts, each pause is the first one (C-049); also a decorator."""
    token = _steady.set(True)
    try:
        yield
    finally:
        _steady.reset(token)


def before(attempt: int, longest: float) -> float:
    """Seconds to wait before attempt number ``attempt``: 2, 3, ...; never more than ``longest``."""
    if attempt <= 2 or _steady.get():
        return min(FIRST_S, longest)
    most = min(longest, FIRST_S * 2 ** min(attempt - 2, 30))
    return random.uniform(min(FIRST_S, most), most)
