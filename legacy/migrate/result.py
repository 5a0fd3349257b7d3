# SPDX-License-Identifier: Apache-2.0
"""What a run of the migration hands back: sites, files, problems, totals.

Plain data. How the answer is found stands in ``project.py``; how it is shown in ``report.py``; how files
are written in ``journal.py``.
"""

from __future__ import annotations

import bisect
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from legacy.migrate import journal

Status = Literal['rewritten', 'left', 'not-ours']
STATUSES: tuple[Status, ...] = ('rewritten', 'left', 'not-ours')


@dataclass
class Site:
    """One reference to the old module, and what became of it.

    :ivar line: line of the input, from 1; ``end_line`` the last line of the expression
    :ivar column: column of the input, in characters, from 1
    :ivar name: the old name at this place (``get_default_image_service``, ``show``)
    :ivar pattern: number in the catalogue of call-site patterns
    :ivar reason: why it was left or is not ours; for a rewritten site what else there is to know, or ''
    :ivar replacement: the new code; for a site that was left, the suggested one; or ''
    :ivar new_line: line in the rewritten file
    :ivar mentions: how many old mentions (D-20) this site accounts for
    """

    file: str
    line: int
    column: int
    name: str
    pattern: str
    status: Status
    reason: str = ''
    replacement: str = ''
    end_line: int = 0
    new_line: int = 0
    new_end_line: int = 0
    mentions: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The site as it stands in JSON."""
        return {
            'file': self.file,
            'line': self.line,
            'column': self.column,
            'name': self.name,
            'pattern': self.pattern,
            'status': self.status,
            'reason': self.reason,
            'replacement': self.replacement,
        }


@dataclass(frozen=True)
class Problem:
    """A file that could not be read or parsed; it is left as it is."""

    file: str
    why: str
    line: int = 0


@dataclass
class FileResult:
    """One file with sites or a problem.

    :ivar moved: from which line of the input on the output is behind by how many lines
    :ivar open: line and name of mentions without a site
    """

    path: str
    absolute: Path
    old_bytes: bytes
    new_bytes: bytes
    sites: list[Site] = field(default_factory=list)
    moved: list[tuple[int, int]] = field(default_factory=list)
    open: list[tuple[int, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the rewrite differs from the input."""
        return self.old_bytes != self.new_bytes

    def map_line(self, line: int) -> int:
        """The line of the rewritten file where ``line`` of the input went."""
        index = bisect.bisect_right(self.moved, (line, 1 << 60)) - 1
        return line + (self.moved[index][1] if index >= 0 else 0)


@dataclass
class Result:
    """Everything one run found; nothing is written until :meth:`write`."""

    root: Path
    files: dict[str, FileResult] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unaccounted: list[str] = field(default_factory=list)
    searched: int = 0
    mentions: int = 0

    @property
    def sites(self) -> list[Site]:
        """All sites, by file, line and column."""
        return sorted(
            (site for each in self.files.values() for site in each.sites),
            key=lambda site: (site.file, site.line, site.column),
        )

    @property
    def changed(self) -> list[str]:
        """Relative paths of the files that change, sorted."""
        return sorted(path for path, each in self.files.items() if each.changed)

    @property
    def totals(self) -> dict[str, Any]:
        """Counts of sites by status and by pattern, and of mentions by status and as searched for."""
        sites = self.sites
        by_status: Counter[str] = Counter(site.status for site in sites)
        mentions: Counter[str] = Counter()
        for site in sites:
            mentions[site.status] += site.mentions
        return {
            'files': self.searched,
            'changed': len(self.changed),
            'sites': len(sites),
            **{status: by_status[status] for status in STATUSES},
            'mentions': {
                'found': self.mentions,
                **{status: mentions[status] for status in STATUSES},
            },
            'patterns': dict(sorted(Counter(site.pattern for site in sites).items())),
        }

    @property
    def exit_code(self) -> int:
        """0 nothing to do, 1 findings or changes, 2 the job could not be done."""
        if self.problems or self.unaccounted:
            return 2
        return 1 if any(site.status != 'not-ours' for site in self.sites) else 0

    def as_dict(self) -> dict[str, Any]:
        """The answer of ``--format json``, schema 1."""
        answer: dict[str, Any] = {
            'schema': 1,
            'sites': [site.as_dict() for site in self.sites],
            'files': [{'file': each.file, 'line': each.line, 'why': each.why} for each in self.problems],
            'totals': self.totals,
        }
        if self.unaccounted:
            answer['unaccounted'] = self.unaccounted
        return answer

    def write(self, destination_root: Path | str | None = None) -> list[str]:
        """Write the changed files, each whole by rename, and return their paths.

        :param destination_root: write below this directory instead; missing directories are made
        :raises OSError: a file cannot be written, or changed since it was read; then none is written
        """
        steps = []
        for path in self.changed:
            each = self.files[path]
            if destination_root is not None:
                target = Path(destination_root) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                journal.replace(Path(os.path.realpath(target)), each.new_bytes, each.absolute)
            elif each.absolute.read_bytes() != each.old_bytes:
                raise OSError(f'{path} changed while it was looked at; run again')
            else:
                steps.append(journal.Step(each.absolute, each.old_bytes, each.new_bytes))
        journal.write(steps)
        return self.changed
