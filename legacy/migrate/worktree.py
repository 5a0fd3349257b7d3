# SPDX-License-Identifier: Apache-2.0
"""Whether Git can give back what a run is about to change: asks ``git``, and nothing else.

Directories outside of Git, and machines without it, are nobody's business here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path


def uncommitted(paths: Iterable[Path], changed: Iterable[Path]) -> list[str]:
    """Files in the given paths with uncommitted changes, as ``git status`` names them, sorted.

    Files that Git does not know, or ignores, count only if the run would change them.

    :param changed: real paths of the files that the run would change
    """
    ours = {os.fsencode(path) for path in changed}
    found: set[str] = set()
    for path in paths:
        real = Path(os.path.realpath(path))
        folder, name = (real, '.') if real.is_dir() else (real.parent, real.name)
        top = next((each for each in (folder, *folder.parents) if (each / '.git').exists()), None)
        if top is not None:
            found.update(_status(top, folder, name, ours))
    return sorted(found)


def _status(top: Path, folder: Path, name: str, changed: set[bytes]) -> Iterable[str]:
    command = ['git', '--literal-pathspecs', '-C', str(folder), 'status', '--porcelain', '-z',
               '--no-renames', '--untracked-files=all', '--ignored', '--', name]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return
    if done.returncode:
        yield f'{folder}: git cannot tell ({done.stderr.decode("utf-8", "replace").strip()})'
    for row in done.stdout.split(b'\0')[:-1]:
        path = row[3:]
        if row[:2] not in (b'??', b'!!') or os.path.join(os.fsencode(top), path) in changed:
            yield os.fsdecode(path)
