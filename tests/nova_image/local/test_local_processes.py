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


class Worker:
    """A hammering process, and what it said that it had done."""

    def __init__(self, root: Path, seed: int, turns: int) -> None:
        self.log = root.with_name(f'{root.name}-{seed}.log')
        with self.log.open('wb') as out, self.log.with_suffix('.err').open('wb') as err:
            command = [sys.executable, str(HAMMER), str(root), str(seed), str(turns)]
            self.process = subprocess.Popen(command, stdout=out, stderr=err)

    def said(self) -> list[list[str]]:
        lines = self.log.read_text().splitlines(keepends=True)
        return [line.split() for line in lines if line.endswith('\n')]

    def kill_once_at_work(self, after: float) -> list[list[str]]:
        while not self.said() and self.process.poll() is None:
            time.sleep(0.01)
        time.sleep(after)
        self.process.kill()
        return self.finish()

    def finish(self) -> list[list[str]]:
        self.process.wait(300)
        assert self.process.returncode in (0, -signal.SIGKILL), self.log.with_suffix('.err').read_text()
        return self.said()


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
    workers = [Worker(root, seed * 1000 + number, 10_000) for number in range(at_once)]
    said = []
    for number in range(kills):
        said.append(workers.pop(0).kill_once_at_work(choose.uniform(0, 0.3)))
        if number < kills - at_once:
            workers.append(Worker(root, seed * 1000 + at_once + number, 10_000))
    return said


def test_processes_share_a_store(tmp_path: Path) -> None:
    root = tmp_path / 'store'
    workers = [Worker(root, seed, 25) for seed in range(3)]
    said = [worker.finish() for worker in workers]
    assert all(lines[-1] == ['done'] for lines in said)
    check_store(root, said)


def test_a_killed_process_leaves_a_whole_store(tmp_path: Path) -> None:
    root = tmp_path / 'store'
    said = kill_at_random(root, 1, kills=5, at_once=2)
    check_store(root, said)


@pytest.mark.slow
def test_two_hundred_kills_leave_a_whole_store(tmp_path: Path) -> None:
    for round_ in range(4):
        root = tmp_path / f'store-{round_}'
        check_store(root, kill_at_random(root, round_, kills=50, at_once=3))
