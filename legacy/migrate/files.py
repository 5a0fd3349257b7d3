# SPDX-License-Identifier: Apache-2.0
"""Which files a run looks at.

Links inside a tree are not followed, so nothing outside the given paths is read or written.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SKIPPED = frozenset(
    {'.git', '.hg', '.svn', '.bzr', '.tox', '.nox', '.venv', 'venv', '__pycache__', 'node_modules', '.eggs',
     '.mypy_cache', '.ruff_cache', '.pytest_cache', '.stestr', '.testrepository'}
)  # fmt: skip
LARGEST_TEXT = 4 << 20
_SHEBANG = re.compile(rb'^#!.*\bpython')


@dataclass(frozen=True)
class Found:
    """One file to look at.

    :ivar base: the given directory it was found in
    """

    path: str
    absolute: Path
    given: bool
    base: Path | None = None


def collect(paths: list[Path], root: Path, exclude: Iterable[str] = ()) -> Iterator[Found]:
    """The regular files under the paths, each once, in a fixed order.

    :param exclude: patterns of relative paths inside the given directories that are passed over
    :raises FileNotFoundError: a path does not exist
    """
    seen: set[str] = set()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f'{path}: no such file or directory')
    for path in paths:
        if path.is_dir():
            for folder, directories, names in os.walk(path):
                directories[:] = sorted(
                    each for each in directories if each not in SKIPPED and not each.endswith('.egg-info')
                )
                for name in sorted(names):
                    each = Path(folder) / name
                    shown = relative(each, root)
                    if not any(fnmatch.fnmatch(shown, pattern) for pattern in exclude):
                        yield from _one(each, root, seen, path)
        else:
            yield from _one(path, root, seen, None)


def _one(path: Path, root: Path, seen: set[str], base: Path | None) -> Iterator[Found]:
    real = os.path.realpath(path)
    if real in seen or (base is not None and path.is_symlink()):
        return
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return
    except OSError:
        return
    seen.add(real)
    yield Found(relative(path, root), Path(real), base is None, base)


def relative(path: Path, root: Path) -> str:
    """A path as the result shows it: relative to the root, with forward slashes."""
    return os.path.relpath(os.path.abspath(path), os.path.abspath(root)).replace(os.sep, '/')


def is_python(path: str, head: bytes) -> bool:
    """Whether a file is Python source, by its name or its first line."""
    name = path.rpartition('/')[2]
    if name.endswith(('.py', '.pyw', '.pyi')):
        return True
    return '.' not in name and bool(_SHEBANG.match(head[:200]))


def package_of(path: Path) -> str:
    """Dotted name of the package a file is in, by the ``__init__.py`` files around it."""
    parts: list[str] = []
    folder = path.parent
    while (folder / '__init__.py').exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    return '.'.join(parts)


def is_whole(found: Found, package: str) -> bool:
    """Whether the package that a file belongs to lies in the given directory as a whole."""
    if found.base is None:
        return False
    base = Path(os.path.realpath(found.base))
    top = found.absolute.parents[len(package.split('.')) - 1] if package else found.absolute.parent
    return top == base or base in top.parents
