# SPDX-License-Identifier: Apache-2.0
"""What is planted: one change to one file, and the five areas that the faults are spread over.

Knows files and texts only; nothing here imports the packages. Faults written by hand stand in
``planted_new.py`` and ``planted_old.py``, those of the seeded operators are made in ``seeded.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: The areas by name: files and folders. What a fault cannot change for a caller is in none: the testing kit,
#: the migration tool, the judge itself (``legacy/equivalence``), the recorded deviations, reports and guides; and
#: the warnings (``legacy/deprecation.py``), which every comparison leaves out.
AREAS: Mapping[str, tuple[str, ...]] = {
    'nova_image': (
        'nova_image/api.py', 'nova_image/images.py', 'nova_image/references.py', 'nova_image/settings.py',
        'nova_image/errors.py', 'nova_image/answers.py', 'nova_image/driver.py', 'nova_image/signatures.py',
        'nova_image/pauses.py', 'nova_image/transfer',
    ),
    'nova_image/glance': ('nova_image/glance',),
    'nova_image/local': ('nova_image/local',),
    'legacy': (
        'legacy/api.py', 'legacy/service.py', 'legacy/services.py', 'legacy/translation.py', 'legacy/factories.py',
        'legacy/faults.py', 'legacy/filters.py', 'legacy/urls.py', 'legacy/trust.py', 'legacy/direct.py',
        'legacy/download', 'legacy/seams.py',
    ),
    'legacy clients': (
        'legacy/clients.py', 'legacy/connect.py', 'legacy/v1.py', 'legacy/wrapper.py', 'legacy/inside_v2.py',
        'legacy/rewind.py',
    ),
}  # fmt: skip
#: Files of those folders that run in programs of their own, which no detector starts.
NOT_REACHED = ('nova_image/local/check.py',)


class DoesNotApply(ValueError):
    """The old text is not there exactly once, or the result is no Python."""


@dataclass(frozen=True)
class Mutant:
    """One planted change.

    :ivar name: by which results and explanations name it
    :ivar file: relative to the root; ``old`` occurs there once
    :ivar breaks: what is wrong then, in a few words
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str

    @property
    def area(self) -> str:
        return area_of(self.file)

    def applied(self, source: str) -> str:
        """The source with the change.

        :raises DoesNotApply: says why
        """
        count = source.count(self.old)
        if count != 1:
            raise DoesNotApply(f'{self.name}: {self.file} has the text {count} times, expected once: {self.old!r}')
        changed = source.replace(self.old, self.new)
        try:
            same = _meaning(changed) == _meaning(source)
        except SyntaxError as error:
            raise DoesNotApply(f'{self.name}: {self.file} would be no Python: {error}') from error
        if same:
            raise DoesNotApply(f'{self.name}: {self.file} would mean the same')
        return changed

    def lines(self, source: str) -> range:
        """The lines of the source (from 1) that change."""
        at = source.index(self.old)
        skipped = _common_start(self.old, self.new)
        first = source.count('\n', 0, at + min(skipped, len(self.old) - 1)) + 1
        last = source.count('\n', 0, at + len(self.old.rstrip())) + 1
        return range(first, max(first, last) + 1)


class _Bare(ast.NodeTransformer):
    """Without annotations, which nothing evaluates."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant('')
        return self.generic_visit(node)


def _meaning(source: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(source)))


def _common_start(one: str, other: str) -> int:
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))


def area_of(file: str) -> str:
    """The area of a file.

    :raises LookupError: it is in none
    """
    for name, places in AREAS.items():
        if any(file == place or file.startswith(f'{place}/') for place in places):
            return name
    raise LookupError(f'{file} is in none of the areas {", ".join(AREAS)}')


def files(area: str, root: Path = ROOT) -> Iterator[str]:
    """The files of an area, sorted."""
    for place in AREAS[area]:
        found = [root / place] if place.endswith('.py') else sorted((root / place).rglob('*.py'))
        for path in found:
            name = path.relative_to(root).as_posix()
            if name not in NOT_REACHED:
                yield name
