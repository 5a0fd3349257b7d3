# SPDX-License-Identifier: Apache-2.0
"""Several processes on one store at once, some of them killed at any moment: nothing torn, nothing lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nova_image.local import check
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf

HAMMER = Path(__file__).with_name('hammer.py')
CONTEXT = SimpleNamespace(auth_token='token', project_id='p', user_id='u', is_admin=False, roles=['member'])


def start(root: Path, seed: int, turns: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HAMMER), str(root), str(seed), str(turns)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> list[list[str]]:
    """What the process said that it had done."""
    out, err = process.communicate(timeout=300)
    assert process.returncode in (0, -signal.SIGKILL), err
    return [line.split() for line in out.splitlines(keepends=True) if line.endswith('\n')]


def check_store(root: Path, said: list[list[list[str]]]) -> None:
    """All that was answered is there, all that is there is whole, and the store has nothing to complain of."""
    driver = LocalDriver(local_conf(root))
    listed = {record['id']: record for record in driver.list(CONTEXT)}
    there = {line[1]: line[2] for lines in said for line in lines if line[0] == 'there'}
    going = {line[1] for lines in said for line in lines if line[0] == 'going'}
    gone = {line[1] for lines in said for line in lines if line[0] == 'gone'}
    assert not gone & set(listed)
    for image_id in set(there) - going:
        assert listed[image_id]['status'] == 'active'
    bytes_of = _hammer()
    for image_id, record in listed.items():
        assert record['status'] in ('active', 'queued')
        assert record['properties'].get('left') == record['properties'].get('right')
        if record['status'] == 'active':
            chunks = driver.download(CONTEXT, image_id)
            assert chunks is not None
            assert b''.join(chunks) == bytes_of(record['name'])
    driver.close()
    assert list(check.check(root)) == []


def _hammer():  # type: ignore[no-untyped-def]
    import runpy

    return runpy.run_path(str(HAMMER))['bytes_of']


def kill_at_random(root: Path, seed: int, kills: int, at_once: int) -> list[list[list[str]]]:
    """Keep ``at_once`` processes at work, killing one after the other; what each of them said."""
    choose = random.Random(seed)
    running = [start(root, seed * 1000 + number, 10_000) for number in range(at_once)]
    said = []
    for number in range(kills):
        time.sleep(choose.uniform(0.05, 0.5))
        victim = running.pop(0)
        victim.kill()
        said.append(finish(victim))
        if number < kills - at_once:
            running.append(start(root, seed * 1000 + at_once + number, 10_000))
    for process in running:
        process.kill()
        said.append(finish(process))
    return said


def test_processes_share_a_store(tmp_path: Path) -> None:
    root = tmp_path / 'store'
    running = [start(root, seed, 25) for seed in range(3)]
    said = [finish(process) for process in running]
    assert all(lines[-1] == ['done'] for lines in said)
    check_store(root, said)


def test_a_killed_process_leaves_a_whole_store(tmp_path: Path) -> None:
    root = tmp_path / 'store'
    said = kill_at_random(root, 1, kills=5, at_once=2)
    assert any(lines for lines in said), 'nothing was done before the kills'
    check_store(root, said)


@pytest.mark.slow
def test_two_hundred_kills_leave_a_whole_store(tmp_path: Path) -> None:
    for round_ in range(4):
        root = tmp_path / f'store-{round_}'
        check_store(root, kill_at_random(root, round_, kills=50, at_once=3))
