# SPDX-License-Identifier: Apache-2.0
"""What there is to say of one difference, in the order in which a reader needs it; no layout.

One sentence, the smallest program that shows it, old and new call, the fields, the requests, how often,
how to run it again, and the entry of the table of names that it likely comes from.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from legacy.equivalence.pairing import MISSING, Mismatch
from legacy.equivalence.prove_compare import Difference
from legacy.equivalence.prove_facts import Facts
from legacy.equivalence.prove_runs import place_of
from legacy.equivalence.prove_trace import Operation, old_line
from legacy.migrate import FileResult
from legacy.names import NAMES

_LONGEST = 160
_MOST_LINES = 8
_MOST_STEPS = 12
_TABLES = ('names_public', 'names_private')
_METHODS = {'show': 'get', 'list': 'get_all'}
_OLD_METHODS = {'list': 'detail'}


class Finding:
    """One difference of a proof, and what is known around it."""

    def __init__(self, proof: Facts, difference: Difference) -> None:
        self.proof, self.difference = proof, difference
        self.file: FileResult | None = proof.migration.files.get(difference.file or '')

    @property
    def line(self) -> int:
        """Its line in the user's file as it stands; where there is none, in the rewritten one; 0 if unknown."""
        if self.difference.file is None:
            return 0
        return old_line(self.file, self.difference.new_line) or self.difference.new_line

    @property
    def place(self) -> str:
        return f'{self.difference.file}:{self.line}' if self.difference.file else 'somewhere outside the tree'

    @property
    def sentence(self) -> str:
        """What differs, and where."""
        each = self.difference
        first = each.mismatches[0] if each.mismatches else Mismatch('', MISSING, MISSING)
        fields = f'old {short(first.old, 60)}, new {short(first.new, 60)}'
        more = f' (and {len(each.mismatches) - 1} more)' if len(each.mismatches) > 1 else ''
        if each.kind == 'ended':
            at = f'{self.place}: ' if each.file else ''
            return f'{at}COMMAND ends otherwise: old {first.old}, new {first.new}'
        told = {
            'inert': f'the double of {each.subject} went inert: the old code calls it, the new code passes it by',
            'changed': f'{each.op} differs in {first.path}: {fields}{more}',
            'missing': f'only the old program calls {each.op}{self._because()}',
            'extra': f'only the new program calls {each.op}',
            'order': f'{each.op} comes in another order in its thread',
            'stored': f'the stores differ at the end: {each.subject}'
            + (f' in {first.path}: {fields}{more}' if first.path else self._only(first)),
        }
        return f'{self.place}: {told[each.kind]}'

    def _only(self, first: Mismatch) -> str:
        return ' is there only in the ' + ('new one' if first.old == MISSING else 'old one')

    def _because(self) -> str:
        return f'; the new one raises {self.raised} there' if self.raised else ''

    @property
    def raised(self) -> str:
        """The error that the rewritten line raised in the new program, where a call is missing."""
        each = self.difference
        if each.kind != 'missing' or each.file is None:
            return ''
        return self.proof.raised.get((each.file, each.new_line), '')

    def code(self) -> Iterator[tuple[str, int, list[str]]]:
        """The call before (``-``) and after (``+``) the rewrite."""
        file, new_line = self.file, self.difference.new_line
        if file is None or not new_line:
            return
        before, after = (
            content.decode('utf-8', 'replace').splitlines() for content in (file.old_bytes, file.new_bytes)
        )
        line = old_line(file, new_line)
        site = next((each for each in file.sites if each.new_line == new_line), None)
        last, new_last = (site.end_line, site.new_end_line) if site else (line, new_line)
        if line:
            yield '-', line, before[line - 1 : max(line, last)][:_MOST_LINES]
        yield '+', new_line, after[new_line - 1 : max(new_line, new_last)][:_MOST_LINES]

    def program(self) -> list[str]:
        """The operations that lead to the difference, as calls of the new API; ``-`` and ``+`` mark the sides."""
        old, new = self.difference.old, self.difference.new
        if old is None and new is None:
            return []
        names: dict[str, str] = {}
        before = [left for left, _ in self.difference.pairs if left is not None]
        after = [right for _, right in self.difference.pairs if right is not None]
        lines = [
            f'  {_call(each, names)}'
            for each in (_history(before, old) if old is not None else _history(after, new))
        ]
        if old is not None and new is not None:
            made_old, made_new = _made(old), _made(new)
            new_names = dict(names)
            left, right = _ids(old)[0], _ids(new)[0]
            if left in names and right:
                new_names[right] = names[left]
            if made_old and made_new:
                names.setdefault(made_old, f'image_{len(names) + 1}')
                new_names[made_new] = names[made_old]
            left_call, right_call = _call(old, names), _call(new, new_names)
            if left_call == right_call:
                return [*lines, f'  {left_call}']
            return [*lines, f'- {left_call}', f'+ {right_call}']
        only = old or new
        assert only is not None
        return [*lines, f'{"-" if old else "+"} {_call(only, names)}']

    def wire(self) -> tuple[list[str], list[str]]:
        """The requests that the old and the new operation sent, where they were recorded."""
        old, new = self.difference.old, self.difference.new
        before, after = _requests(old), _requests(new)
        if old is not None and new is not None:
            for left, right in zip(_ids(old), _ids(new), strict=True):
                if left and right:  # the same image, by whatever id
                    after = [each.replace(right, left) for each in after]
        return before, after

    def often(self) -> str:
        """How often, and since when."""
        each, proof = self.difference, self.proof
        times, runs = proof.often.get(place_of(each), (1, 1))
        words = f'{times} time{"" if times == 1 else "s"} in {runs} of {proof.repeat} run'
        words += '' if proof.repeat == 1 else 's'
        shown = each.new or each.old
        if shown is not None and each.kind != 'stored':
            at = next((n for n, pair in enumerate(each.pairs, 1) if shown in pair), 0)
            words += f', first at operation {at} of {len(each.pairs)}' if at else ''
        words += self._other_fields()
        if proof.baseline is not None:
            words += f'; since the recording of {proof.baseline.made}'
        return words

    def _other_fields(self) -> str:
        """What differs in other calls from here and not in the one that is shown; a helper makes many calls."""
        here = place_of(self.difference)
        others = [each for each in self.proof.comparison.differences if place_of(each) == here]
        shown = {each.path for each in self.difference.mismatches}
        paths = sorted({each.path for other in others for each in other.mismatches} - shown)
        if not paths:
            return ''
        more = f' and {len(paths) - 5} more' if len(paths) > 5 else ''
        return f'; other times in {", ".join(paths[:5])}{more}'

    def again(self) -> str:
        """The command line that does it again."""
        proof = self.proof
        return shlex.join(['nova-image', 'prove', proof.path, *proof.options, '--', *proof.command])

    def entry(self) -> tuple[str, str, int] | None:
        """Name, file and line of the likely entry of the table of names."""
        each = self.difference
        sites = [site for site in (self.file.sites if self.file else ()) if site.new_line == each.new_line]
        words = [each.subject] if each.kind == 'inert' else []
        words += [site.name for site in sites]
        words.append(_OLD_METHODS.get(each.op, each.op))
        for word in words:
            for name in (f'GlanceImageService.{word}', word):
                if name in NAMES and (name.count('.') or sites or each.kind == 'inert'):
                    return name, *_where(name)
        return None


@functools.cache
def _where(name: str) -> tuple[str, int]:
    """File and line of an entry of the table."""
    last = name.rpartition('.')[2]
    for table in _TABLES:
        module = importlib.import_module(f'legacy.{table}')
        lines = Path(str(module.__file__)).read_text(encoding='utf-8').splitlines()
        for wanted in (f"'{name}'", f"'{last}'", f'.{last}\''):
            for number, line in enumerate(lines, 1):
                if wanted in line:
                    return f'legacy/{table}.py', number
    return 'legacy/names.py', 1


def short(value: Any, longest: int = _LONGEST) -> str:
    """A value on one line."""
    shown = value if value == MISSING else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= longest else f'{shown[:longest]}… ({len(shown)} characters)'


def _made(operation: Operation) -> str:
    result = operation.raw.get('result')
    made = result.get('id') if operation.op == 'create' and isinstance(result, dict) else None
    return made if isinstance(made, str) else ''


def _history(before: Sequence[Operation], last: Operation | None) -> list[Operation]:
    """The operations before ``last`` that changed an image that it touches, and those it lists."""
    if last is None:
        return []
    result = last.raw.get('result')
    listed = [each.get('id') for each in result if isinstance(each, dict)] if isinstance(result, list) else []
    touched = {last.raw.get('args', {}).get('image_id'), *listed} - {None}
    found = []
    for each in before:
        if each is last:
            break
        if 'error' not in each.raw and each.op in ('create', 'update', 'delete') and (
            {each.raw.get('args', {}).get('image_id'), _made(each)} & touched
        ):  # fmt: skip
            found.append(each)
    return found[-_MOST_STEPS:]


def _call(operation: Operation, names: dict[str, str]) -> str:
    """One call of the new API; images that the program made get names."""
    given = {k: v for k, v in operation.raw.get('args', {}).items() if v is not None}
    method = _METHODS.get(operation.op, operation.op)
    words = ['context']
    for name, value in given.items():
        if name == 'image_id':
            words.append(names.get(value, repr(value)))
        elif name == 'image_info':
            words.append(_literal(value, names))
        elif name == 'data':
            size = (operation.raw.get('sent') or operation.raw.get('received') or {}).get('bytes', 0)
            words.append(f"data=b'x' * {size}" if operation.raw.get('sent') else 'data=io.BytesIO()')
        elif not (value is False or (name == 'show_deleted' and value is True)):
            words.append(f'{name}={_literal(value, names)}')
    call = f'images.{method}({", ".join(words)})'
    made = _made(operation)
    if made:
        names.setdefault(made, f'image_{len(names) + 1}')
        return f"{names[made]} = {call}['id']"
    return call


def _literal(value: Any, names: dict[str, str]) -> str:
    text = repr(value)
    for image_id, name in names.items():
        text = text.replace(f"'{image_id}'", name)
    return text


def _ids(operation: Operation) -> tuple[str, str]:
    return str(operation.raw.get('args', {}).get('image_id') or ''), _made(operation)


def _requests(operation: Operation | None) -> list[str]:
    return [_request(each) for each in (operation.raw.get('requests') or ())] if operation else []


_BLANKS = re.compile(r'\s+')


def _request(request: dict[str, Any]) -> str:
    body = f' {json.dumps(request["body"], ensure_ascii=False, sort_keys=True)}' if 'body' in request else ''
    return _BLANKS.sub(' ', f'{request["method"]} {request["path"]}{body}')
