# SPDX-License-Identifier: Apache-2.0
"""Writing the files of one run together: what was begun can be finished or undone, whatever stopped it.

Before the first file changes, a journal with the old and the new text of every file is put into the directory
that holds them all; it goes when the last file is written. A run that dies in between leaves it behind, each
file old or new. ``migrate --write`` finishes such a run first; ``--undo`` takes it back.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = '.nova-image.journal'
_BEGUN = NAME + '.new'
_STAGED = '.nova-image.new'


class JournalError(OSError):
    """The files of a run cannot be written, finished or undone; the text says why and what to do."""


@dataclass(frozen=True)
class Step:
    """One file of a run: its real path, its text before and after."""

    target: Path
    old: bytes
    new: bytes


def write(steps: list[Step]) -> None:
    """Write every file, all or none.

    :raises JournalError: another run is writing here, or one was interrupted
    :raises OSError: a file cannot be written; those already written have been put back
    """
    if not steps:
        return
    folder = Path(os.path.commonpath([step.target.parent for step in steps]))
    begun: list[Step] = []
    try:
        with _begun(folder, steps):
            try:
                for step in steps:
                    if step.target.read_bytes() != step.old:
                        raise JournalError(f'{step.target} changed during the run, nothing is written; run again')
                    begun.append(step)
                    replace(step.target, step.new)
            except BaseException:
                _settle(begun, forward=False)
                raise
    except OSError as err:
        if err.errno is not None:
            err.filename = err.filename or str(folder)
        raise


@contextlib.contextmanager
def _begun(folder: Path, steps: list[Step]) -> Iterator[None]:
    """The journal stands while the block runs; it stays if the block could not even undo its work."""
    begun, journal = folder / _BEGUN, folder / NAME
    handle = os.open(begun, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, 'wb') as stream:
        _lock(handle, journal)
        if journal.exists():
            raise JournalError(told(journal))
        try:
            stream.truncate()
            stream.write(_encode(folder, steps))
            stream.flush()
            os.fsync(handle)
            os.rename(begun, journal)
            _sync(folder)
            yield
        except BaseException:
            if not any(step.target.exists() and step.target.read_bytes() == step.new for step in steps):
                for each in (begun, journal):
                    each.unlink(missing_ok=True)
            raise
        for each in sorted({step.target.parent for step in steps}):
            _sync(each)
        os.unlink(journal)


def replace(target: Path, data: bytes, like: Path | None = None) -> None:
    """Put ``data`` at ``target`` whole, with mode, owner and attributes of the file there (or of ``like``)."""
    staged = target.with_name(f'.{target.name}{_STAGED}')
    staged.unlink(missing_ok=True)
    try:
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), 'wb') as stream:
            stream.write(data)
            stream.flush()
            _keep_attributes(like or target, stream.fileno())
            os.fsync(stream.fileno())
        os.replace(staged, target)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def _keep_attributes(like: Path, handle: int) -> None:
    information = os.stat(like)
    with contextlib.suppress(OSError):  # only root may give files away
        os.chown(handle, information.st_uid, information.st_gid)
    with contextlib.suppress(OSError):  # not every file system has any
        for name in os.listxattr(like):
            os.setxattr(handle, name, os.getxattr(like, name))
    os.chmod(handle, stat.S_IMODE(information.st_mode))  # behind chown, which clears bits


def pending(paths: Iterable[Path]) -> list[Path]:
    """Journals of interrupted runs that concern the paths: in, above and below them."""
    found: dict[Path, None] = {}
    for path in paths:
        real = Path(os.path.realpath(path))
        for folder in (*real.parents, *(Path(each) for each, _, _ in os.walk(real))):
            found.update({folder / name: None for name in (NAME, _BEGUN) if (folder / name).is_file()})
    return sorted(found)


def told(journal: Path) -> str:
    """What an interrupted run means and how to go on."""
    return (
        f'{journal} is of a run that was interrupted or is still going on; '
        f'finish it with "nova-image migrate --resume {journal.parent}" or take it back with --undo'
    )


def settle(journal: Path, *, forward: bool) -> list[Path]:
    """Finish an interrupted run (``forward``) or take it back, and return the files that changed now.

    :raises JournalError: the run is still going on, or a file was changed by somebody else since
    """
    try:
        with open(journal, 'rb') as stream:
            _lock(stream.fileno(), journal)
            if journal.name == _BEGUN:  # no file was touched yet
                os.unlink(journal)
                return []
            steps = _decode(journal.parent, stream.read())
            changed = _settle(steps, forward=forward)
            os.unlink(journal)
    except (KeyError, ValueError) as err:
        raise JournalError(f'{journal} is no journal ({err}); look at the files around it and delete it') from err
    return changed


def _settle(steps: list[Step], *, forward: bool) -> list[Path]:
    due = []
    for step in steps:
        wanted, other = (step.new, step.old) if forward else (step.old, step.new)
        try:
            now = step.target.read_bytes()
        except OSError as err:
            raise JournalError(f'{step.target} of an interrupted run cannot be read: {err.strerror}') from err
        if now == other and now != wanted:
            due.append((step.target, wanted))
        elif now != wanted:
            raise JournalError(
                f'{step.target} was changed since a run was interrupted; put it in order, then delete {NAME} '
                'in the directory of the run to keep all files as they are'
            )
        step.target.with_name(f'.{step.target.name}{_STAGED}').unlink(missing_ok=True)
    for target, wanted in due:
        replace(target, wanted)
    return [target for target, _ in due]


def _lock(handle: int, journal: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        raise JournalError(f'another run is writing below {journal.parent}; wait for its end') from err


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encode(folder: Path, steps: list[Step]) -> bytes:
    rows = [
        {
            'path': os.path.relpath(step.target, folder),
            'old': base64.b85encode(step.old).decode(),
            'new': base64.b85encode(step.new).decode(),
        }
        for step in steps
    ]
    return json.dumps({'schema': 1, 'files': rows}).encode()


def _decode(folder: Path, data: bytes) -> list[Step]:
    rows = json.loads(data)['files']
    return [
        Step(folder / row['path'], base64.b85decode(row['old']), base64.b85decode(row['new'])) for row in rows
    ]
