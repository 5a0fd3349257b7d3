# SPDX-License-Identifier: Apache-2.0
"""Byte-span edits: what is replaced, what stays, and where lines go.

Nothing outside the spans changes, so line endings, tabs, comments and trailing spaces survive by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replace ``start`` to ``end`` (offsets in the UTF-8 text) by ``text``; equal offsets insert."""

    start: int
    end: int
    text: str


class Overlap(Exception):
    """Two different edits want the same bytes."""


def ordered(edits: Iterable[Edit]) -> list[Edit]:
    """The edits by place, doubles removed.

    :raises Overlap: two edits overlap, or insert at the same place
    """
    kept: list[Edit] = []
    for edit in sorted(set(edits)):
        if kept and edit.start < kept[-1].end:
            raise Overlap(f'{kept[-1]} and {edit}')
        kept.append(edit)
    return kept


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with the edits made."""
    parts: list[bytes] = []
    position = 0
    for edit in ordered(edits):
        parts.append(data[position : edit.start])
        parts.append(edit.text.encode())
        position = edit.end
    parts.append(data[position:])
    return b''.join(parts)


def moved_lines(data: bytes, edits: Iterable[Edit]) -> list[tuple[int, int]]:
    """Pairs of (line of the input from which it holds, by how many lines the output is behind)."""
    moves: list[tuple[int, int]] = []
    shift = 0
    for edit in ordered(edits):
        change = edit.text.count('\n') - data.count(b'\n', edit.start, edit.end)
        if change:
            shift += change
            before = data.count(b'\n', 0, edit.end) + 1
            at_line_start = edit.end == 0 or data[edit.end - 1 : edit.end] == b'\n'
            moves.append((before if at_line_start else before + 1, shift))
    return moves
