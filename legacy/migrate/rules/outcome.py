# SPDX-License-Identifier: Apache-2.0
"""What a rule is given and what it answers, and the edits that several rules make.

P-35: keyword names are renamed by the table, in calls and in literal ``**{...}`` dicts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from legacy.entry import Rewrite
from legacy.migrate.arguments import Arguments
from legacy.migrate.edits import Edit
from legacy.migrate.rules.names import NewNames
from legacy.migrate.strings import plain_string
from legacy.migrate.tree import Node, inner
from legacy.migrate.unit import Unit

#: Expressions whose value does not change by being read again: names, attributes, literal items.
CHAIN = re.compile(r'[\w.]+(?:\[[\w\'"]+\][\w.]*)*$')


@dataclass
class Outcome:
    """The edits of one place, or the reason why there are none.

    :ivar reason: why it is left; '' if it is rewritten
    :ivar note: what else a reader should know of a rewritten place
    """

    pattern: str
    edits: list[Edit] = field(default_factory=list)
    reason: str = ''
    note: str = ''


@dataclass
class MethodCall:
    """A call of a method of the old service.

    :ivar names: the spelling of the new package, where the file has it at its top level after the rewrite
    :ivar place: the bound method, and ``skip`` the arguments before its own, where they are passed on (P-36)
    """

    unit: Unit
    call: Node
    name: str
    rewrite: Rewrite
    place: Node | None = None
    skip: int = 0
    names: NewNames | None = None

    def __post_init__(self) -> None:
        self.arguments = Arguments(self.call, self.skip)
        function = self.place or self.call.get('function')
        assert function is not None
        self.method: Node = inner(function).get('attribute') or function

    def rename_method(self) -> list[Edit]:
        """The new verb in place of the old one."""
        new = self.rewrite.to or self.name
        return [] if new == self.name else [Edit(self.method.start, self.method.end, new)]

    def value(self, parameter: str) -> Node | None:
        """The value given for an old parameter, by position or by keyword."""
        return self.arguments.value(1 + self.rewrite.positional.index(parameter), parameter)

    @property
    def literal(self) -> dict[str, Node] | None:
        """Keys of literal ``**{...}`` dicts -> their ``key: value`` nodes; None if a splat is not literal."""
        found: dict[str, Node] = {}
        for splat in self.arguments.splats:
            value = inner(splat.named[0]) if splat.named else splat
            if splat.type != 'dictionary_splat' or value.type != 'dictionary':
                return None
            for pair in value.named:
                key = pair.get('key') if pair.type == 'pair' else None
                word = plain_string(key) if key is not None else None
                if word is None:
                    return None
                found[word] = pair
        return found

    def rename_keywords(self) -> list[Edit]:
        """New names for keyword arguments, those in literal ``**{...}`` dicts too."""
        edits = []
        for old, new in self.rewrite.params.items():
            keyword = self.arguments.keywords.get(old)
            name = keyword.get('name') if keyword is not None else None
            if name is not None:
                edits.append(Edit(name.start, name.end, new))
            pair = (self.literal or {}).get(old)
            key = pair.get('key') if pair is not None else None
            content = key.get('string_content') if key is not None else None
            if content is None and key is not None:
                content = next((each for each in key.children if each.type == 'string_content'), None)
            if content is not None:
                edits.append(Edit(content.start, content.end, new))
        return edits

    def unknown(self) -> str:
        """The first keyword that the old method did not have either, or ''."""
        known = {'context', *self.rewrite.positional}
        given = [*self.arguments.keywords, *(self.literal or {})]
        return next((each for each in given if each not in known), '')

    def append(self, keyword: str) -> list[Edit]:
        """One more keyword argument behind the last one."""
        last = self.arguments.items[-1]
        return [Edit(last.end, last.end, f', {keyword}')]

    def too_many(self) -> bool:
        """More positional arguments than the old method had."""
        return len(self.arguments.positional) > 1 + len(self.rewrite.positional)


def left(pattern: str, reason: str) -> Outcome:
    """The answer of a rule that does not rewrite."""
    return Outcome(pattern, reason=reason)


def is_empty(node: Node) -> bool:
    """Whether an expression is literally None or an empty string: no data (D-5)."""
    return inner(node).type == 'none' or plain_string(node) == ''


def is_simple(node: Node) -> bool:
    """Whether leaving an expression out, or writing it twice, changes nothing: a name or a literal."""
    return inner(node).type in ('identifier', 'string', 'integer', 'float', 'true', 'false', 'none')


def common_checks(call: MethodCall, pattern: str) -> Outcome | None:
    """What stops every method alike: no argument list, splats that hide names, arguments nobody takes."""
    if call.arguments.generator:
        return left('P-35', 'the arguments are a bare generator')
    if call.literal is None:
        return left('P-35', 'a * or ** argument may hold names that changed')
    if call.too_many():
        return left(pattern, f'more positional arguments than {call.name}() had')
    unknown = call.unknown()
    if unknown:
        return left(pattern, f'{call.name}() had no parameter {unknown!r}')
    return None
