# SPDX-License-Identifier: Apache-2.0
"""What the store refuses, with the HTTP status that Glance v2 answers in its place.

Rules raise :class:`Refused` and know nothing of error classes; the driver translates once, by the same
tables as the Glance driver.
"""

from __future__ import annotations


class Refused(Exception):
    """``status``: what Glance would have answered; ``text``: what happened, what was expected."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
