# SPDX-License-Identifier: Apache-2.0
"""What a doubt about a name means: why a reference is left although its name was followed."""

from __future__ import annotations

_DOUBTS = {
    'P-04': 'imported by *, so that what the name means depends on the other module',
    'P-05': 'reached through a package by *',
    'P-06': 'the import stands under a condition, or there are several; a program cannot carry the choice over',
    'P-25': 'reached through another name that the function or module was bound to',
    'P-61': 'the name may also stand for something else here',
}


def doubt_reason(pattern: str) -> str:
    """Why a doubtful reference is left."""
    return _DOUBTS.get(pattern, 'what it stands for is not certain')
