# SPDX-License-Identifier: Apache-2.0
"""A proof that somebody ends leaves no process and no copy behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: Starts a child, says who it is, and waits.
LONG = '''
import os, subprocess, sys, time
from legacy import glance
glance.get_default_image_service()
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
with open(sys.argv[1] + '.part', 'w') as file:
    file.write(f'{os.getpid()} {child.pid}')
os.rename(sys.argv[1] + '.part', sys.argv[1])
time.sleep(60)
'''


def _is_running(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='asks /proc what is running')
@pytest.mark.parametrize('how', [signal.SIGTERM, signal.SIGINT])
def test_an_ended_proof_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    tree, scratch, told = tmp_path / 'tree', tmp_path / 'scratch', tmp_path / 'told'
    tree.mkdir()
    scratch.mkdir()
    (tree / 'long.py').write_text(LONG)
    command = ['long.py', '--root', '.', '--', sys.executable, 'long.py', str(told)]
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child in the background would ignore it
    process = subprocess.Popen(
        [sys.executable, '-c', 'import sys; from legacy.equivalence import prove_cli; sys.exit(prove_cli.main(sys.argv[1:]))', *command],
        cwd=tree, env={**os.environ, 'TMPDIR': str(scratch)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, ours)
    until = time.monotonic() + 60
    while not told.exists() and time.monotonic() < until:
        time.sleep(0.05)
    started = [int(pid) for pid in told.read_text().split()]
    process.send_signal(how)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (2, 'nova-image prove: interrupted; nothing was proven\n')
    until = time.monotonic() + 10
    while any(map(_is_running, started)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(_is_running, started))
    assert not list(scratch.iterdir())
