# SPDX-License-Identifier: Apache-2.0
"""``@pytest.mark.both_image_paths``: a test that runs once as it is and once rewritten, compared as ``prove`` does.

Each run is a pytest of its own, in a copy of the tree and on a fresh store; in the process that collected the test
neither the test nor a fixture of it runs. Within a proof the marker means nothing, so that the two runs end there.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

MARKER = 'both_image_paths'
#: as ``pytest --markers`` shows it
HELP = (
    f'{MARKER}(path, **options): run the test once as it is and once with the old calls under `path` (from the root '
    'directory; default all) rewritten, and compare every image operation; options are those of '
    'legacy.equivalence.prove.prove'
)
#: what ``-rsx`` prints, and what does the same here
_ENDS = (
    (r'SKIPPED \[1\] [^:]*:\d+: (.*)', pytest.skip),
    (r'XFAIL .*?(?: - (.*))?$', pytest.xfail),
)


class BothPaths(pytest.Item):
    """Stands in the place of a marked test."""

    _place: tuple[os.PathLike[str] | str, int | None, str]
    #: the test, for conditions of ``skipif`` that are texts: they see the names of its module
    obj: Any

    @classmethod
    def instead_of(cls, item: pytest.Item) -> pytest.Item:
        """The item for a marked test; any other test itself."""
        if item.get_closest_marker(MARKER) is None or item.parent is None:
            return item
        from legacy.equivalence.prove_inside import VARIABLE

        if VARIABLE in os.environ:
            return item
        made: BothPaths = cls.from_parent(item.parent, name=item.name)
        made.own_markers.extend(item.own_markers)
        made._place = item.reportinfo()
        made.obj = getattr(item, 'obj', cls.instead_of)
        return made

    def runtest(self) -> None:
        """Prove this one test."""
        from legacy.equivalence import prove, prove_report
        from legacy.equivalence.prove_tree import CannotProve

        marker = self.get_closest_marker(MARKER)
        assert marker is not None
        path, *rest = marker.args or ('.',)
        path = os.path.relpath(self.config.rootpath / path)  # wherever pytest was started
        options = {'root': str(self.config.rootpath), **marker.kwargs}
        try:
            asked = inspect.signature(prove.prove).bind(path, self._command(), *rest, **options)
        except TypeError as error:
            pytest.fail(f'{MARKER}: {error}', pytrace=False)
        try:
            proof = prove.prove(*asked.args, **asked.kwargs)
        except CannotProve as error:
            pytest.fail(f'{MARKER}: {error}', pytrace=False)
        if proof.old and proof.new and proof.verdict != 'differs' and not proof.failed_alike:
            _end_like(proof.old.tail, proof.new.tail)
        if proof.verdict != 'proven' or proof.failed_alike:
            pytest.fail(prove_report.text(proof), pytrace=False)
        self.add_report_section('call', MARKER, proof.sentence)

    def iter_markers_with_node(self, name: str | None = None) -> Iterator[tuple[Any, pytest.Mark]]:
        """All but ``xfail``: the two runs obey it, and how they end is how this ends."""
        return (found for found in super().iter_markers_with_node(name) if found[1].name != 'xfail')

    def _command(self) -> list[str]:
        """Run just this test, with what the configuration file says, in the directory that pytest runs in."""
        name = f'{os.path.relpath(self.path)}::{self.nodeid.partition("::")[2]}'
        given = self.config.getoption('inifilename')
        own = ('-q', '-rsx', '-p', 'no:cacheprovider')
        return [sys.executable, '-m', 'pytest', *own, *(('-c', given) if given else ()), name]

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the test is, for reports."""
        return self._place


def _end_like(old: Sequence[str], new: Sequence[str]) -> None:
    """Be skipped, or fail as expected, where the test did so in both runs: what pytest said at their ends."""
    for pattern, end in _ENDS:
        reasons = [[found[1] for line in lines if (found := re.match(pattern, line))] for lines in (old, new)]
        if all(reasons):
            end(reasons[1][0] or '')
