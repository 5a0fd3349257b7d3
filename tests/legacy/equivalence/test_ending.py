# SPDX-License-Identifier: Apache-2.0
"""A proof that somebody ends leaves no process and no copy behind."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: Starts a child, says that it did, and waits. A lock is held as long as either of the two lives.
LONG = '''
import fcntl, os, subprocess, sys, time
from legacy import glance
glance.get_default_image_service()
lock = open(sys.argv[1], 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=[lock.fileno()])
os.mkdir(sys.argv[1] + '.told')
time.sleep(60)
'''


def _is_running(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize('how', [signal.SIGTERM, signal.SIGINT])
def test_an_ended_proof_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    tree, scratch, lock = tmp_path / 'tree', tmp_path / 'scratch', tmp_path / 'lock'
    tree.mkdir()
    scratch.mkdir()
    (tree / 'long.py').write_text(LONG)
    command = ['long.py', '--root', '.', '--', sys.executable, 'long.py', str(lock)]
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child in the background would ignore it
    process = subprocess.Popen(
        [sys.executable, '-c', 'import sys; from legacy.equivalence import prove_cli; sys.exit(prove_cli.main(sys.argv[1:]))', *command],
        cwd=tree, env={**os.environ, 'TMPDIR': str(scratch)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, ours)
    until = time.monotonic() + 60
    while not (tmp_path / 'lock.told').exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert _is_running(lock)
    process.send_signal(how)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (2, 'nova-image prove: interrupted; nothing was proven\n')
    until = time.monotonic() + 10
    while _is_running(lock) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _is_running(lock)
    assert not list(scratch.iterdir())
