# SPDX-License-Identifier: Apache-2.0
"""Find the call sites of the old image module, rewrite what is safe, account for the rest.

For programs (``nova-image prove`` is one)::

    result = run(['src/pkg'], root='.')         # reads, never writes
    result.sites                                # list of Site, sorted by file, line, column
    result.files['src/pkg/a.py'].new_bytes      # what the file becomes; equal to .old_bytes if nothing changes
    result.files['src/pkg/a.py'].sites          # its sites; .line/.end_line of the input,
                                                #   .new_line/.new_end_line of the rewritten file
    result.files['src/pkg/a.py'].map_line(12)   # line of the input -> line of the rewritten file
    result.problems                             # files that could not be read or parsed, each with why
    result.unaccounted                          # mentions without a site: empty, or the run is not to be trusted
    result.totals                               # rewritten + left + not-ours == sites, and the same for mentions
    result.changed                              # relative paths of files that change
    result.write(destination_root)              # write the changed files below another root (default: in place)

Paths in a result are relative to ``root``, with forward slashes. ``files`` holds every file with a site or a
problem. A site's ``status`` is ``rewritten``, ``left`` or ``not-ours``; ``reason`` says why, ``pattern`` is the
number of the catalogue. Nothing here imports a tree-sitter module before ``run`` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from legacy.migrate.options import Options
from legacy.migrate.result import FileResult, Problem, Result, Site

__all__ = ['FileResult', 'Problem', 'Result', 'Site', 'run']


def run(
    paths: Iterable[Path | str],
    root: Path | str | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    options: Options | None = None,
) -> Result:
    """Look through ``paths`` and work out the rewrite of every call site; nothing is written.

    :param root: what the paths in the result are relative to; default the current directory
    :param progress: told each file that is looked at
    :param options: patterns to rewrite or to leave, paths to pass over; default all and none
    :raises FileNotFoundError: a path does not exist
    """
    from legacy.migrate.project import migrate

    places = [Path(each) for each in paths]
    return migrate(places, Path.cwd() if root is None else Path(root), progress, options)
