# SPDX-License-Identifier: Apache-2.0
"""What a run of a recorded program writes to the logs, from INFO on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any


class _Handler(logging.Handler):
    def __init__(self, note: Callable[[dict[str, Any]], object]) -> None:
        super().__init__(logging.INFO)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        self._note(
            {
                'logger': record.name,
                'level': record.levelname,
                'message': record.getMessage(),
                'exc': None if kind is None else kind.__name__,
            }
        )


@contextlib.contextmanager
def logged(note: Callable[[dict[str, Any]], object]) -> Iterator[None]:
    """While it lasts, ``note`` gets every record of both packages, and nobody else does."""
    handler = _Handler(note)
    loggers = [logging.getLogger(name) for name in ('legacy', 'nova_image')]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
