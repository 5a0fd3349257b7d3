# SPDX-License-Identifier: Apache-2.0
"""What a call said beside its answer: log records in their order, and warnings (point 4 of D-2).

Kept are records of WARNING and above of the calling thread, and warnings of every kind but ours. What
one side says on purpose and the other has no reason to is listed here, with that reason.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: pattern of a message (from its start) -> why only one side says it
KNOWN: Mapping[str, str] = {
    r'image filter .* is ignored: ': 'D-16: only the old names leave out filters of nobody, and say so; the '
    'rewrite does not pass them',
}
#: pattern of a warning, ``class: text`` -> why it is no part of what a call did
KNOWN_WARNINGS: Mapping[str, str] = {
    'LegacyImageAPIWarning: ': 'D-17: the deprecation of the old name itself, which is why there are two sides',
    'ResourceWarning: ': 'when the collector runs is chance; files left open are looked for directly',
    "DeprecationWarning: 'cgi' is deprecated": 'raised once per process, by whoever imports webob first',
}
_KNOWN = re.compile('|'.join(f'(?:{pattern})' for pattern in KNOWN))
_KNOWN_WARNINGS = re.compile('|'.join(f'(?:{pattern})' for pattern in KNOWN_WARNINGS))

#: (level or class, text), in the order in which they came
Said = tuple[tuple[str, str], ...]


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[tuple[str, str]] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.thread == self._thread and not _KNOWN.match(text):
            self.records.append((record.levelname, text))


@dataclass
class Heard:
    """What was said while listening."""

    logged: Said = ()
    warned: Said = ()


@contextlib.contextmanager
def listening(*, warned: bool = True) -> Iterator[Heard]:
    """Keep what this thread logs and what is warned of; the answer is there at the end.

    :param warned: False where several threads listen at once: the filters of warnings are the process's
    """
    heard, kept, root = Heard(), _Kept(), logging.getLogger()
    root.addHandler(kept)
    try:
        with contextlib.ExitStack() as stack:
            caught = None
            if warned:
                caught = stack.enter_context(warnings.catch_warnings(record=True))
                warnings.simplefilter('always')
            yield heard
    finally:
        root.removeHandler(kept)
        heard.logged = tuple(kept.records)
        heard.warned = tuple(
            (each.category.__name__, str(each.message))
            for each in caught or ()
            if not _KNOWN_WARNINGS.match(f'{each.category.__name__}: {each.message}')
        )
