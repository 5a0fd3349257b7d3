# SPDX-License-Identifier: Apache-2.0
"""The scratch copies that ``prove`` works in, and what of a command line has to point into them.

The user's own tree is read and never written. Version control, virtual environments and caches are not
copied; links that lead elsewhere lead there from the copy too. Knows files, nothing of images.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

_SKIPPED = frozenset((
    '.git', '.hg', '.svn', '.bzr', '__pycache__', '.tox', '.nox', '.venv', 'venv', 'node_modules', '.eggs',
    '.cache', '.mypy_cache', '.ruff_cache', '.pytest_cache', '.hypothesis', '.stestr', '.testrepository',
))  # fmt: skip


class CannotProve(Exception):
    """The job cannot be done; the text is the one line that the user gets."""


def root_of(path: Path, given: str | None) -> Path:
    """The tree to copy: ``given``, else the git top level, else the current directory if ``path`` is below it,
    so that COMMAND runs in a copy of where it was called, else the directory of ``path``.

    :raises CannotProve: no such directory, or ``path`` is not in it
    """
    if given is not None:
        root = Path(given).resolve()
        if not root.is_dir():
            raise CannotProve(f'--root {given} is no directory; give one that contains {path}')
        if not path.is_relative_to(root):
            raise CannotProve(f'{path} is not under --root {given}; give a root that contains it')
        return root
    start = path if path.is_dir() else path.parent
    for place in (start, *start.parents):
        if (place / '.git').exists():
            return place
    here = Path.cwd()
    too_much = here == Path(here.anchor) or here == Path.home()
    return here if start.is_relative_to(here) and not too_much else start


def copy_tree(source: Path, target: Path, leave_out: Path) -> None:
    """Copy a tree, without what does not belong to the program.

    :param leave_out: a directory not to descend into (the scratch space, should it lie inside)
    :raises CannotProve: something cannot be read
    """
    try:
        _copy(source, target, source, target, leave_out)
    except OSError as error:
        raise CannotProve(
            f'cannot copy {error.filename or source}: {error.strerror}; make it readable, or give a '
            'smaller --root'
        ) from error


def _copy(source: Path, target: Path, old_root: Path, new_root: Path, leave_out: Path) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            here, there = Path(entry.path), target / entry.name
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                there.symlink_to(_link(here, old_root, new_root))
            elif stat.S_ISDIR(mode):
                if not _skipped(here) and here != leave_out:
                    _copy(here, there, old_root, new_root, leave_out)
            elif stat.S_ISREG(mode) and not entry.name.endswith('.pyc'):
                shutil.copy2(here, there)


def _skipped(directory: Path) -> bool:
    return directory.name in _SKIPPED or (directory / 'pyvenv.cfg').exists()


def _link(link: Path, old_root: Path, new_root: Path) -> str:
    """Where the copy of a link points: into the copy if the link stays in the tree, else to the same place."""
    to = os.readlink(link)
    goal = Path(os.path.normpath(link.parent / to))
    if goal.is_relative_to(old_root):
        return str(new_root / goal.relative_to(old_root)) if os.path.isabs(to) else to
    return str(goal)


def moved(path: Path, old_root: Path, new_root: Path) -> Path | None:
    """The place of ``path`` in the copy, or None if it has none there."""
    absolute = Path(os.path.abspath(path))
    for place in (absolute, absolute.parent.resolve() / absolute.name):
        if place.is_relative_to(old_root):
            new = new_root / place.relative_to(old_root)
            return new if new.exists() else None
    return None


def moved_command(
    command: Sequence[str], cwd: Path, old_root: Path, new_root: Path, path: str | None
) -> tuple[list[str], Path]:
    """The command and its directory, pointing into the copy.

    Arguments that name something of the tree absolutely, or from outside of it, are changed; everything
    else keeps its words.

    :param path: where programs are looked for (``PATH``)
    :raises CannotProve: there is no such program
    """
    new_cwd = moved(cwd, old_root, new_root)
    arguments = [_argument(word, cwd, new_cwd, old_root, new_root) for word in command[1:]]
    return [
        _program(command[0], cwd, new_cwd, old_root, new_root, path),
        *arguments,
    ], new_cwd or cwd


def _argument(word: str, cwd: Path, new_cwd: Path | None, old_root: Path, new_root: Path) -> str:
    name, equals, value = word.partition('=')
    if name.startswith('-') and equals and os.path.isabs(value):
        return f'{name}={_argument(value, cwd, new_cwd, old_root, new_root)}'
    file, colons, inside = word.partition('::')
    if colons:  # a test, as pytest names it
        return f'{_argument(file, cwd, new_cwd, old_root, new_root)}::{inside}'
    if not os.path.isabs(word) and (new_cwd is not None or not (cwd / word).exists()):
        return word
    place = moved(cwd / word, old_root, new_root)
    return word if place is None else str(place)


def _program(
    word: str, cwd: Path, new_cwd: Path | None, old_root: Path, new_root: Path, path: str | None
) -> str:
    if os.sep not in word:
        found = shutil.which(word, path=path)
        if found is None:
            raise CannotProve(f'command not found: {word}; give a program on PATH or a path to one')
        return os.path.abspath(found)
    place = (new_cwd and moved(cwd / word, old_root, new_root)) or moved(
        Path(word), old_root, new_root
    )
    program = place or (cwd / word)
    if not os.access(program, os.X_OK) or program.is_dir():
        what = 'is not executable' if program.exists() else 'does not exist'
        raise CannotProve(
            f'command not found: {word} {what}; give a program on PATH or a path to one'
        )
    return str(program)


def moved_paths(value: str, cwd: Path, old_root: Path, new_root: Path) -> str:
    """A list of directories such as ``PYTHONPATH``, pointing into the copy where the tree is meant."""
    places = [entry for entry in value.split(os.pathsep) if entry]
    return os.pathsep.join(str(moved(cwd / entry, old_root, new_root) or entry) for entry in places)


def search_path(
    environ: Mapping[str, str], prefix: str, base_prefix: str, executable: str
) -> str | None:
    """``PATH`` for the command: the environment of this Python first, unless another one is active."""
    path = environ.get('PATH')
    if prefix == base_prefix or environ.get('VIRTUAL_ENV', prefix) != prefix:
        return path
    ours = os.path.dirname(executable)
    return ours if path is None else os.pathsep.join((ours, path))
