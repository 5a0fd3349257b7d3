# SPDX-License-Identifier: Apache-2.0
"""Log records as part of an outcome: how many of each level from WARNING on, without those known to differ.

Texts are not compared, since each side names its own functions. What one side says on purpose and the
other has no reason to is listed here, with that reason.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import re
from collections.abc import Iterator, Mapping

#: pattern of a message (from its start) -> why only one side says it
KNOWN: Mapping[str, str] = {
    r'image filter .* is ignored: ': 'D-16: only the old names leave out filters of nobody, and say so; the '
    'rewrite does not pass them',
}
_KNOWN = re.compile('|'.join(f'(?:{pattern})' for pattern in KNOWN))

Levels = tuple[tuple[str, int], ...]


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.counts: collections.Counter[str] = collections.Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if not _KNOWN.match(record.getMessage()):
            self.counts[record.levelname] += 1


class Heard:
    """What was logged while listening."""

    levels: Levels = ()


@contextlib.contextmanager
def listening() -> Iterator[Heard]:
    """Count the records of WARNING and above that reach the root logger; the answer is there at the end."""
    heard, kept, root = Heard(), _Kept(), logging.getLogger()
    root.addHandler(kept)
    try:
        yield heard
    finally:
        root.removeHandler(kept)
        heard.levels = tuple(sorted(kept.counts.items()))
