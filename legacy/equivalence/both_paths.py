# SPDX-License-Identifier: Apache-2.0
"""``@pytest.mark.both_image_paths``: a test that runs once as it is and once rewritten, compared as ``prove`` does.

Each run is a pytest of its own, in a copy of the tree and on a fresh store; in the process that collected the test
neither the test nor a fixture of it runs. Within a proof the marker means nothing, so that the two runs end there.
"""

from __future__ import annotations

import os
import sys

import pytest

MARKER = 'both_image_paths'
#: as ``pytest --markers`` shows it
HELP = (
    f'{MARKER}(path, **options): run the test once as it is and once with the old calls under `path` (.) rewritten, '
    'and compare every image operation; options are those of legacy.equivalence.prove.prove'
)


class BothPaths(pytest.Item):
    """Stands in the place of a marked test."""

    _place: tuple[os.PathLike[str] | str, int | None, str]

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
        return made

    def runtest(self) -> None:
        """Prove this one test."""
        from legacy.equivalence import prove, prove_report
        from legacy.equivalence.prove_tree import CannotProve

        marker = self.get_closest_marker(MARKER)
        assert marker is not None
        try:
            path, *rest = marker.args or ('.',)
            proof = prove.prove(path, self._command(), *rest, root=str(self.config.rootpath), **marker.kwargs)
        except CannotProve as error:
            pytest.fail(f'{MARKER}: {error}', pytrace=False)
        if proof.verdict != 'proven' or proof.failed_alike:
            pytest.fail(prove_report.text(proof), pytrace=False)
        self.add_report_section('call', MARKER, proof.sentence)

    def _command(self) -> list[str]:
        """Run just this test, with what the configuration file says, in the directory that pytest runs in."""
        name = f'{os.path.relpath(self.path)}::{self.nodeid.partition("::")[2]}'
        given = self.config.getoption('inifilename')
        return [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *(('-c', given) if given else ()), name]

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the test is, for reports."""
        return self._place

