# SPDX-License-Identifier: Apache-2.0
"""Run COMMAND on one side: a fresh store, a recording, the old names, a directory for temporary files.

Knows processes and environment variables; what the recording means is for ``prove_trace``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legacy.equivalence.prove_inside import VARIABLE, sitecustomize
from legacy.equivalence.prove_tree import (
    CannotProve,
    moved_command,
    moved_paths,
    search_path,
)

_TAIL = 40
#: What would colour a terminal, clear it, or be no text in a page: sequences, and single characters.
_SEQUENCE, _CONTROL = re.compile(r'\x1b\[[0-9;?]*[ -/]*[@-~]'), re.compile(r'[\x00-\x08\x0e-\x1b\x7f]')
#: How long processes that COMMAND leaves running may go on.
CHILDREN_SECONDS = 10.0


@dataclass(frozen=True)
class Side:
    """One side of the proof: ``name`` old or new, and the directory with all that is its own."""

    name: str
    place: Path

    @property
    def is_new(self) -> bool:
        return self.name.startswith('new')

    @property
    def tree(self) -> Path:
        return self.place / 'tree'

    @property
    def store(self) -> Path:
        return self.place / 'store'

    @property
    def temporary(self) -> Path:
        return self.place / 'tmp'

    @property
    def recording(self) -> Path:
        return self.place / 'operations.jsonl'

    @property
    def notes(self) -> Path:
        return self.place / 'notes.jsonl'

    @property
    def executed(self) -> Path:
        return self.place / 'executed.jsonl'

    @property
    def output(self) -> Path:
        return self.place / 'output.txt'


@dataclass(frozen=True)
class Ended:
    """How COMMAND ended: exit status (negative: the signal), seconds, when, the end of what it printed."""

    status: int
    seconds: float
    started: float
    tail: tuple[str, ...]
    timed_out: bool = False
    left: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        if self.timed_out:
            return f'stopped after {self.seconds:.0f} s'
        if self.status < 0:
            return f'ended by {signal.Signals(-self.status).name}'
        return f'exit {self.status}'


def run_side(
    side: Side,
    command: Sequence[str],
    root: Path,
    cwd: Path,
    *,
    driver: str = 'local',
    settings: Mapping[str, str] | None = None,
    watched: Sequence[Path] = (),
    timeout: float | None = None,
) -> Ended:
    """Run COMMAND in the side's copy of the tree and wait for its end.

    :param root: the original tree; ``cwd``: the user's directory
    :param settings: environment variables that configure the driver
    :param watched: files of the copy whose executed lines are noted
    :raises CannotProve: COMMAND is not found
    """
    side.temporary.mkdir()
    inject = side.place / 'inject'
    inject.mkdir()
    (inject / 'sitecustomize.py').write_text(sitecustomize(), encoding='utf-8')
    task: dict[str, Any] = {
        'inject': str(inject),
        'notes': str(side.notes),
        'executed': str(side.executed),
        'watched': [str(file) for file in watched],
        'root': str(root),
        'tree': str(side.tree),
    }
    path = search_path(os.environ, sys.prefix, sys.base_prefix, sys.executable)
    arguments, directory = moved_command(command, cwd, root, side.tree, path)
    python_path = moved_paths(os.environ.get('PYTHONPATH', ''), cwd, root, side.tree)
    environment = {
        'PYTHONHASHSEED': '0',
        'NOVA_IMAGE_LEGACY': 'silent',
        **os.environ,
        **(settings or {}),
        'PYTHONPATH': os.pathsep.join(filter(None, (str(inject), python_path))),
        'PWD': str(directory),
        'TMPDIR': str(side.temporary),
        'NOVA_IMAGE_DRIVER': driver,
        'NOVA_IMAGE_LOCAL_PATH': str(side.store),
        'NOVA_IMAGE_RECORDING': str(side.recording),
        VARIABLE: json.dumps(task),
    }
    if path is not None:
        environment['PATH'] = path
    started = time.time()
    with side.output.open('wb') as output:
        try:
            process = subprocess.Popen(
                arguments,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotProve(f'cannot run {command[0]}: {error.strerror}') from error
        timed_out = False
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            status = _stop(process)
        except BaseException:
            _stop(process)
            raise
    seconds = time.time() - started
    left = () if timed_out else _wait_for_children(process.pid)
    return Ended(status, seconds, started, _tail(side), timed_out, left)


def _stop(process: subprocess.Popen[bytes]) -> int:
    """End the session that was started for COMMAND, all of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        return process.wait(5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _wait_for_children(session: int) -> tuple[str, ...]:
    """Give processes that COMMAND left behind time to end; those that do not are ended, and named."""
    until = time.monotonic() + CHILDREN_SECONDS
    left = _session(session)
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = _session(session)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return tuple(left.values())


def _session(session: int) -> dict[int, str]:
    """Command lines of the living processes of a session, by process id; none where there is no ``/proc``."""
    found = {}
    for place in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError, IndexError, ValueError):
            state, _, _, number = (place / 'stat').read_text().rpartition(')')[2].split()[:4]
            if int(number) == session and state not in 'ZX':
                words = (place / 'cmdline').read_bytes().decode('utf-8', 'replace')
                found[int(place.name)] = ' '.join(words.split('\0')).strip()
    return found


def _tail(side: Side) -> tuple[str, ...]:
    with side.output.open('rb') as output:
        output.seek(max(0, side.output.stat().st_size - 65536))
        text = _CONTROL.sub('\ufffd', _SEQUENCE.sub('', output.read().decode('utf-8', 'replace')))
    for directory in (side.tree, side.temporary):
        text = text.replace(f'{directory}{os.sep}', '')
    return tuple(text.splitlines()[-_TAIL:])


def notes(side: Side) -> list[dict[str, Any]]:
    """What the processes of a side said of themselves: pid, python, and a problem if they had one."""
    return read_lines(side.notes)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line; none if there is no such file.

    A line that was cut off (a process that was killed while writing) is left out, whatever is left of it.
    """
    if not path.exists():
        return []
    found = []
    with path.open(encoding='utf-8', errors='replace') as lines:
        for line in lines:
            with contextlib.suppress(ValueError, RecursionError):
                found.append(json.loads(line))
    return [each for each in found if isinstance(each, dict)]
