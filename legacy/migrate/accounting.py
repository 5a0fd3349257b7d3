# SPDX-License-Identifier: Apache-2.0
"""The independent count: a plain-text search for old mentions (D-20), and whether every one has a site.

Works on text and knows nothing of trees, scopes or rules, so that what they overlook shows here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from legacy.names import NAMES

_GAP = r'[ \t]*(?:\\\r?\n[ \t]*)?'
_DOT = rf'{_GAP}\.{_GAP}'


def _spaced(dotted: str) -> str:
    return _DOT.join(re.escape(part) for part in dotted.split('.'))


_PATHS = sorted(
    {'nova.image.glance', 'nova.image.download', 'legacy.glance'}
    | {name for name, entry in NAMES.items() if '.' in name and not entry.is_method},
    key=len,
    reverse=True,
)
_BARE = sorted((name for name in NAMES if '.' not in name), key=len, reverse=True)
_MENTION = re.compile(
    rf'(?<![\w.])(?:{"|".join(map(_spaced, _PATHS))})(?!\w)|(?<!\w)(?:{"|".join(_BARE)})(?!\w)'
)
_FROM = re.compile(
    rf'(?<![\w.])from(?:[ \t]|\\\r?\n)+({_spaced("nova.image")}|legacy)(?:[ \t]|\\\r?\n)+import(?!\w)'
)
_SUBMODULES = {'legacy': ('glance',), 'nova': ('glance', 'download')}
_TOKEN = re.compile(r'[ \t\f]+|\\\r?\n|#[^\r\n]*|\r?\n|\w+|.', re.DOTALL)
#: A quick look at bytes: without one of these there is no mention.
HINT = re.compile(
    rb'nova[ \t\r\n\\]*\.[ \t\r\n\\]*image|legacy[ \t\r\n\\]*\.|from[ \t\r\n\\]+legacy|'
    + b'|'.join(name.encode() for name in _BARE)
)


@dataclass(frozen=True)
class Mention:
    """One place where the text names something old; offsets in characters."""

    start: int
    end: int
    name: str


def mentions(text: str) -> list[Mention]:
    """Every old mention of a text, in order; none overlaps another."""
    found = {
        each.start(): Mention(each.start(), each.end(), re.sub(r'[\s\\]+', '', each.group()))
        for each in _MENTION.finditer(text)
    }
    for each in _FROM.finditer(text):
        package = each.group(1).split('.')[0].strip().rstrip('\\').strip()
        for start, end in _imported(text, each.end()):
            if text[start:end] in _SUBMODULES[package]:
                found.setdefault(start, Mention(start, end, text[start:end]))
    return [found[start] for start in sorted(found)]


def _imported(text: str, position: int) -> Iterable[tuple[int, int]]:
    """Spans of the names that a ``from`` statement imports, from behind its ``import``."""
    parenthesised = False
    expected = True
    renaming = False
    while match := _TOKEN.match(text, position):
        token, position = match.group(), match.end()
        if token[0] in ' \t\f\\':
            continue
        if token[0] == '#' or token in ('\n', '\r\n'):
            if not parenthesised:
                return
        elif token == '(' and expected and not parenthesised:
            parenthesised = True
        elif token == ',':
            expected = True
        elif token == 'as' and not expected:
            renaming = True
        elif re.match(r'\w', token) and expected:
            expected = False
            yield match.span()
        elif renaming:
            renaming = False
        else:
            return
