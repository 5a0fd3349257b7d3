# SPDX-License-Identifier: Apache-2.0
"""The book of one file: every place found becomes a site, and every mention belongs to one.

Claims are spans of the source; a mention inside a claim is accounted for by that site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from legacy.migrate import accounting, catalogue
from legacy.migrate.edits import Edit, apply
from legacy.migrate.find import Import, Reference
from legacy.migrate.groups import Group
from legacy.migrate.result import FileResult, Site, Status
from legacy.migrate.rules import mentions as mention_rules
from legacy.migrate.rules.imports import Verdict
from legacy.migrate.rules.outcome import Outcome
from legacy.migrate.rules.patched import Double
from legacy.migrate.tree import Node, outer
from legacy.migrate.unit import Unit
from legacy.migrate.values import Use


@dataclass
class _Open:
    site: Site
    span: tuple[int, int]
    claims: list[tuple[int, int]]


class Book:
    """The sites of one file while they are being collected."""

    def __init__(self, unit: Unit, entry: FileResult) -> None:
        self.unit = unit
        self.entry = entry
        self._open: list[_Open] = []
        self._mentions: list[tuple[int, int, str]] | None = None

    # -- entries

    def _add(
        self,
        node: Node,
        name: str,
        pattern: str,
        status: str,
        reason: str,
        replacement: str = '',
        claims: list[tuple[int, int]] | None = None,
        at: Node | None = None,
    ) -> Site:
        start = at or node
        kind: Status = 'rewritten' if status == 'rewritten' else 'left' if status == 'left' else 'not-ours'
        site = Site(
            self.entry.path,
            start.line,
            self.unit.source.column(start.start),
            name,
            pattern,
            kind,
            reason,
            replacement,
            end_line=max(node.end_line, start.line),
        )
        self._open.append(
            _Open(site, (node.start, node.end), claims if claims is not None else [(node.start, node.end)])
        )
        return site

    def imported(self, it: Import, verdict: Verdict) -> None:
        """One imported name."""
        claims = [(it.item.start, it.item.end)]
        module = it.statement.get('module_name')
        if (
            module is not None
            and it.item is next(iter(it.statement.all('name')), it.item)
            or module is not None
            and not self._claimed(module)
        ):
            claims.append((module.start, module.end))
        if it.item.type == 'wildcard_import' and module is not None:
            claims.append((module.start, module.end))
        name = it.full
        self._add(it.item, name, verdict.pattern, verdict.status, verdict.reason, verdict.replacement, claims)

    def _claimed(self, node: Node) -> bool:
        return any(start <= node.start < end for each in self._open for start, end in each.claims)

    def reference(self, reference: Reference, pattern: str, status: str, reason: str) -> None:
        """A reference that is not an acquisition."""
        above = outer(reference.node).parent
        whole = (
            above
            if above is not None and above.type == 'call' and outer(reference.node).field == 'function'
            else None
        )
        claims = [(reference.node.start, reference.node.end)]
        name = reference.ref.dotted
        suggested = catalogue.suggestion(name) if status == 'left' else ''
        self._add(whole or reference.node, name, pattern, status, reason, suggested, claims)

    def group(self, group: Group, books: dict[str, Book]) -> None:
        """Every acquisition and use of a group."""
        troubles = group.troubles
        for acquisition in group.acquisitions:
            book = books[acquisition.unit.path]
            plan = group.plans[id(acquisition)]
            own = [each for each in troubles if each.node is acquisition.node]
            reason, pattern = plan.note, plan.pattern
            if troubles:
                first = own[0] if own else troubles[0]
                pattern = first.pattern if own else plan.pattern
                reason = first.reason if own else first.told_elsewhere(acquisition.unit)
            function = acquisition.node.get('function') or acquisition.node
            suggested = catalogue.suggestion(acquisition.ref.dotted) if troubles else ''
            book._add(
                acquisition.node, acquisition.ref.dotted, pattern, 'left' if troubles else 'rewritten', reason,
                suggested, [(function.start, function.end)],
            )  # fmt: skip
        for use in group.uses:
            book = books[use.unit.path]
            if use.kind in ('call', 'double'):
                book._method(group, use, group.outcomes[id(use)])
            elif use.kind == 'handed' and any(value.kind == 'service' for value in use.values):
                book._handed(group, use)
            elif use.kind == 'problem' and not any(each.node is use.node for each in group.acquisitions):
                name = use.name or next(iter(use.values)).of.ref.dotted
                book._add(use.node, name, use.pattern, 'left', use.reason, catalogue.suggestion(use.name), [])
        noted = {id(use.node) for use in group.uses} | {id(each.node) for each in group.acquisitions}
        for trouble in troubles:
            if id(trouble.node) not in noted and trouble.pattern in ('P-11', 'P-22', 'P-23', 'P-61'):
                noted.add(id(trouble.node))
                books[trouble.unit.path]._add(
                    trouble.node,
                    trouble.node.text.split('\n')[0][:60],
                    trouble.pattern,
                    'left',
                    trouble.reason,
                    claims=[],
                )

    def _handed(self, group: Group, use: Use) -> None:
        own = [each for each in group.troubles if each.node is use.node]
        reason = f'handed to {use.name}(), which is rewritten with it'
        if group.troubles:
            reason = own[0].reason if own else group.troubles[0].told_elsewhere(use.unit)
        status = 'left' if group.troubles else 'rewritten'
        self._add(use.node, use.name, 'P-21', status, reason, '', [])

    def _method(self, group: Group, use: Use, outcome: Outcome) -> None:
        assert use.call is not None
        reason = outcome.reason or outcome.note
        status = 'left' if group.troubles else 'rewritten'
        pattern = outcome.pattern
        if group.troubles and not outcome.reason:
            own = [each for each in group.troubles if each.node is use.node]
            trouble = own[0] if own else group.troubles[0]
            pattern = trouble.pattern if own else pattern
            reason = trouble.reason if own else trouble.told_elsewhere(use.unit)
        suggested = catalogue.suggestion(use.name) if group.troubles else ''
        self._add(use.node, use.name, pattern, status, reason, suggested, [])

    def error(self, node: Node, name: str, why: str) -> None:
        """An error class of nova.exception, under ``--errors``."""
        new = f'nova_image.errors.{name.rpartition(".")[2]}'
        self._add(node, name, 'P-46', 'left' if why else 'rewritten', why, new, [])

    def double_of(self, double: Double) -> None:
        """A double of a test, under ``--tests``."""
        status = 'left' if double.reason else 'rewritten'
        suggested = double.suggestion if double.reason else ''
        string = double.node if double.node.type == 'string' else double.node.closest('string')
        whole = string if string is not None and double.node.type == 'string_content' else double.node
        claims = [(whole.start, whole.end)]
        self._add(whole, double.name, double.pattern, status, double.reason or double.note, suggested, claims)

    # -- mentions

    def _found(self) -> list[tuple[int, int, str]]:
        if self._mentions is None:
            text, data = self.unit.source.text, self.unit.source.data
            plain = len(text) == len(data)
            self._mentions = [
                (each.start, each.end, each.name)
                if plain
                else (len(text[: each.start].encode()), len(text[: each.end].encode()), each.name)
                for each in accounting.mentions(text)
            ]
        return self._mentions

    def strings(self) -> Iterator[Node]:
        """The contents of strings with an old mention, each once."""
        seen: set[int] = set()
        for start, end, _name in self._found():
            node = self.unit.source.at(start, end)
            if node.type == 'string_content' and id(node) not in seen:
                seen.add(id(node))
                yield node

    def double(self, imports_old: bool, movable: set[int]) -> int:
        """The line of the first string that puts a double in the place of something old and stays, or 0."""
        source = self.unit.source
        for start, end, name in self._found():
            node = source.at(start, end)
            if node.type != 'string_content' or id(node) in movable:
                continue
            judged = mention_rules.judge(self.unit, node, name, imports_old, False)
            if judged is not None and judged[0] in ('P-48', 'P-49', 'P-50'):
                return node.line
        return 0

    def everything(self, pattern: str, status: str, reason: str) -> None:
        """One site for each mention of a file that is not looked into."""
        for start, end, name in self._found():
            self._mention(start, end, name, pattern, status, reason)
        self.close([])

    def _mention(
        self,
        start: int,
        end: int,
        name: str,
        pattern: str,
        status: str,
        reason: str,
        claim: Node | None = None,
    ) -> None:
        source = self.unit.source
        line = source.data.count(b'\n', 0, start) + 1
        kind: Status = 'left' if status == 'left' else 'not-ours'
        suggested = catalogue.suggestion(re.split('[.:]', name)[-1]) if kind == 'left' else ''
        site = Site(
            self.entry.path, line, source.column(start), name, pattern, kind, reason, suggested, end_line=line
        )
        span = (start, end) if claim is None else (claim.start, claim.end)
        self._open.append(_Open(site, span, [span]))

    def mentions(self, imports_old: bool, reexported: set[tuple[str, str]]) -> None:
        """A site for each mention in a string, a comment or a name that was not followed."""
        source = self.unit.source
        for start, end, name in self._found():
            if any(first <= start < last for each in self._open for first, last in each.claims):
                continue
            node = source.at(start, end)
            passed_on = False
            statement = (
                node if node.type == 'import_from_statement' else node.closest('import_from_statement')
            )
            if statement is None and name in catalogue.MODULE_NAMES and node.type == 'identifier':
                home = self.unit.scopes.lookup(name, self.unit.scopes.around(node))
                for binding in self.unit.scopes.all_bindings(name, home) if home is not None else ():
                    if binding.kind == 'from':
                        statement = binding.owner.closest('import_from_statement')
            if statement is not None:
                origin = (self.unit.origin(statement) or '').rpartition('.')[2]
                passed_on = (origin, name) in reexported
            judged = mention_rules.judge(self.unit, node, name, imports_old, passed_on)
            if judged is not None:
                string = node if node.type == 'string' else node.closest('string')
                if string is not None and judged[0] in ('P-07', 'P-44', 'P-48', 'P-52'):
                    said = re.sub(r'''^\w*['"]+|['"]+$''', '', string.text)
                    self._mention(start, end, said, *judged, claim=string)
                else:
                    self._mention(start, end, name, *judged)

    @staticmethod
    def document(entry: FileResult, text: str, mentioned: list[accounting.Mention]) -> None:
        """The mentions of a file that is not Python."""
        for each in mentioned:
            line = text.count('\n', 0, each.start) + 1
            column = each.start - (text.rfind('\n', 0, each.start) + 1) + 1
            entry.sites.append(
                Site(
                    entry.path,
                    line,
                    column,
                    each.name,
                    'P-57',
                    'not-ours',
                    'text: a document',
                    '',
                    line,
                    line,
                    line,
                    1,
                )
            )

    # -- the end

    def undo(self, why: str) -> None:
        """Nothing of the file is rewritten after all."""
        for each in self._open:
            if each.site.status == 'rewritten':
                each.site.status = 'left'
                each.site.reason = f'the rewrite was taken back: {why}'
                each.site.replacement = catalogue.suggestion(each.site.name)

    def close(self, edits: list[Edit]) -> None:
        """Count the mentions of each site, find its lines in the output, and fill in replacements."""
        data = self.unit.source.data
        for start, _end, name in self._found():
            owner = next((each for each in self._open if any(a <= start < b for a, b in each.claims)), None)
            if owner is None:
                self.entry.open.append((data.count(b'\n', 0, start) + 1, name))
            else:
                owner.site.mentions += 1
        for each in self._open:
            site = each.site
            site.new_line = self.entry.map_line(site.line)
            site.new_end_line = self.entry.map_line(site.end_line)
            if site.status == 'rewritten' and not site.replacement:
                first, last = each.span
                inside = [
                    Edit(edit.start - first, edit.end - first, edit.text)
                    for edit in edits
                    if first <= edit.start and edit.end <= last
                ]
                site.replacement = apply(data[first:last], inside).decode()
        self.entry.sites = [each.site for each in self._open]
