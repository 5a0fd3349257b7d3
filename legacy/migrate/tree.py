# SPDX-License-Identifier: Apache-2.0
"""Source text as a tree: decoding, tree-sitter's parse, and light nodes over it.

Nodes are made when they are looked at, know their parent and their field, and are the same object every
time. Offsets are of the UTF-8 form of the text; ``Source.encode`` gives the file's own encoding back.
Knows nothing of the old module.
"""

from __future__ import annotations

import bisect
import codecs
import re
from collections.abc import Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tree_sitter

_COOKIE = re.compile(rb'^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)')
_BLANK = re.compile(rb'^[ \t\f]*(?:#[^\r\n]*)?$')
#: Nodes that are looked through when asking what an expression is used for.
TRANSPARENT = ('parenthesized_expression',)


class Unreadable(Exception):
    """The file cannot be decoded; the text says why and what to do."""


@cache
def _language() -> tree_sitter.Language:
    import tree_sitter
    import tree_sitter_python

    return tree_sitter.Language(tree_sitter_python.language())


@cache
def _parser() -> tree_sitter.Parser:
    import tree_sitter

    return tree_sitter.Parser(_language())


@cache
def _query(kind: str) -> tree_sitter.Query:
    import tree_sitter

    return tree_sitter.Query(_language(), f'({kind}) @{kind}')


def encoding_of(data: bytes) -> tuple[str, bytes]:
    """The encoding a Python file declares, and its byte order mark.

    :raises Unreadable: UTF-16 or UTF-32, or a codec that does not exist
    """
    for mark in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if data.startswith(mark):
            raise Unreadable('is UTF-16 or UTF-32, which Python does not read; convert it to UTF-8')
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b''
    lines = re.split(rb'\r\n|\r|\n', data[len(mark) : len(mark) + 1024])[:2]
    for line in lines:
        found = _COOKIE.match(line)
        if found:
            name = found.group(1).decode('ascii')
            try:
                return codecs.lookup(name).name, mark
            except LookupError:
                raise Unreadable(
                    f'declares the unknown encoding {name!r}; correct the coding line or convert to UTF-8'
                ) from None
        if not _BLANK.match(line):
            break
    return 'utf-8', mark


def text_of(data: bytes) -> str:
    """The decoded text of a Python file, without its byte order mark."""
    encoding, mark = encoding_of(data)
    try:
        return data[len(mark) :].decode(encoding)
    except (UnicodeError, LookupError) as err:  # LookupError: a codec, but none of text
        raise Unreadable(f'is not valid {encoding} ({err}); add or correct the coding line') from err


#: The children of every node that has none.
_NONE: list[Node] = []


class Node:
    """One node of the tree."""

    __slots__ = ('_children', '_raw', 'end', 'field', 'is_named', 'parent', 'source', 'start', 'type')

    def __init__(self, raw: Any, source: Source, parent: Node | None, field: str | None) -> None:
        self.source = source
        self.parent = parent
        self.field = field
        self.type: str = raw.type
        self.start: int = raw.start_byte
        self.end: int = raw.end_byte
        self.is_named: bool = raw.is_named
        # The parser's own node costs as much as this one: kept only as long as there are children to be made.
        self._children: list[Node] | None = None if raw.child_count else _NONE
        self._raw: Any = raw if raw.child_count else None

    @property
    def children(self) -> list[Node]:
        """All children, punctuation and comments included."""
        if self._children is None:
            made: list[Node] = []
            cursor = self._raw.walk()
            if cursor.goto_first_child():
                while True:
                    made.append(Node(cursor.node, self.source, self, cursor.field_name))
                    if not cursor.goto_next_sibling():
                        break
            self._children, self._raw = made, None
        return self._children

    @property
    def named(self) -> list[Node]:
        """Children that are not punctuation or comments."""
        return [each for each in self.children if each.is_named and each.type != 'comment']

    def get(self, field: str) -> Node | None:
        """The first child in ``field``."""
        for child in self.children:
            if child.field == field:
                return child
        return None

    def all(self, field: str) -> list[Node]:
        """The children in ``field``, without punctuation."""
        return [each for each in self.children if each.field == field and each.is_named]

    @property
    def text(self) -> str:
        """The source text of the node."""
        return self.source.data[self.start : self.end].decode('utf-8')

    def walk(self, into: tuple[str, ...] = ()) -> Iterator[Node]:
        """This node and all below, in order of the text; does not enter nodes of the types ``into``."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.type not in into or node is self:
                stack.extend(reversed(node.children))

    def ancestors(self) -> Iterator[Node]:
        """The parents, innermost first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def closest(self, *types: str) -> Node | None:
        """The innermost ancestor of one of these types."""
        for node in self.ancestors():
            if node.type in types:
                return node
        return None

    @property
    def line(self) -> int:
        """Line of the input, from 1."""
        return self.source.line(self.start)

    @property
    def end_line(self) -> int:
        """Last line of the node, from 1."""
        return self.source.line(self.end)

    def __repr__(self) -> str:
        return f'<{self.type} {self.line}: {self.text[:40]!r}>'


class Source:
    """One decoded and parsed file.

    :raises Unreadable: the bytes do not decode, or would not come back the same
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.encoding, self.mark = encoding_of(raw)
        body = raw[len(self.mark) :]
        try:
            self.text = body.decode(self.encoding)
            same = self.text.encode(self.encoding) == body
        except (UnicodeError, ValueError) as err:
            raise Unreadable(f'is not valid {self.encoding} ({err}); add or correct the coding line') from err
        if not same:
            raise Unreadable(f'would not come back the same from {self.encoding}; convert it to UTF-8')
        self.data = self.text.encode('utf-8')
        self._tree = _parser().parse(self.data)
        self.root = Node(self._tree.root_node, self, None, None)

    def encode(self, data: bytes) -> bytes:
        """UTF-8 text as bytes of the file's own encoding, with its byte order mark."""
        return self.mark + data.decode('utf-8').encode(self.encoding)

    @property
    def newline(self) -> str:
        """The line ending of the first line."""
        found = re.search(r'\r\n|\r|\n', self.text)
        return found.group() if found else '\n'

    def error(self) -> Node | None:
        """The first place that could not be parsed, or None."""
        raw = self._tree.root_node
        if not raw.has_error:
            return None
        node = self.root
        while True:
            for child, below in zip(node.children, raw.children, strict=True):
                if below.is_error or below.is_missing:
                    return child
                if below.has_error:
                    node, raw = child, below
                    break
            else:
                return node

    def line(self, offset: int) -> int:
        """Line of an offset, from 1."""
        return bisect.bisect_left(self._line_ends, offset) + 1

    @cached_property
    def _line_ends(self) -> list[int]:
        return [each.start() for each in re.finditer(rb'\n', self.data)]

    def column(self, offset: int) -> int:
        """Column of an offset in characters, from 1."""
        start = max(self.data.rfind(b'\n', 0, offset), self.data.rfind(b'\r', 0, offset)) + 1
        return len(self.data[start:offset].decode('utf-8')) + 1

    def at(self, start: int, end: int) -> Node:
        """The smallest node that covers the span."""
        node = self.root
        while True:
            for child in node.children:
                if child.start <= start and end <= child.end and child.end > child.start:
                    node = child
                    break
            else:
                return node

    def release(self) -> None:
        """Give the parser's memory back, twenty times the text; nodes that nobody has asked for are gone."""
        del self._tree
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if node._children is None:
                node._children, node._raw = _NONE, None
            waiting += node._children

    def comments(self) -> list[bytes]:
        """The text of every comment, in order."""
        return [self.data[start:end] for start, end in self._spans('comment')]

    def _spans(self, kind: str) -> list[tuple[int, int]]:
        """Start and end of every node of a kind, in order."""
        import tree_sitter

        captured = tree_sitter.QueryCursor(_query(kind)).captures(self._tree.root_node).get(kind, [])
        return sorted((each.start_byte, each.end_byte) for each in captured)

    def backticks(self) -> list[Node]:
        """The expressions in backticks, which the parser takes for texts."""
        spans = self._spans('string_start') if b'`' in self.data else []
        starts = [self.at(*span) for span in spans if self.data[slice(*span)] == b'`']
        return [each.parent for each in starts if each.parent is not None]


def compiles(raw: bytes) -> bool:
    """Whether this Python accepts the file."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            compile(raw, '<file>', 'exec', dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def in_backticks(node: Node) -> bool:
    """Whether a text is an expression in backticks."""
    return node.type == 'string_content' and node.parent is not None and node.parent.text[0] == '`'


def outer(node: Node) -> Node:
    """The node, or the outermost parentheses around it."""
    while node.parent is not None and node.parent.type in TRANSPARENT:
        node = node.parent
    return node


def inner(node: Node) -> Node:
    """The node without parentheses around it."""
    while node.type in TRANSPARENT and node.named:
        node = node.named[0]
    return node
