# SPDX-License-Identifier: Apache-2.0
"""A fork at any moment leaves parent and child with a store that works; what SQLite knows stays behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_image.local import catalogue as catalogues
from nova_image.local import pool as pools
from nova_image.local.catalogue import Catalogue
from nova_image.local.driver import LocalDriver

INSERT = 'INSERT INTO gone (id) VALUES (?)'


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.setattr(catalogues, 'BUSY_SECONDS', 2.0)
    monkeypatch.setattr(pools, 'PATIENCE', 10.0)
    return Catalogue(tmp_path)


def add(catalogue: Catalogue, name: str) -> None:
    with catalogue.writing() as connection:
        connection.execute(INSERT, (name,))


def names(catalogue: Catalogue) -> set[str]:
    with catalogue.reading() as connection:
        return {row['id'] for row in connection.execute('SELECT id FROM gone').fetchall()}


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def ended_well(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_a_child_wrote_stays_when_the_parent_closes(catalogue: Catalogue) -> None:
    add(catalogue, 'parent')
    (wrote, tell_wrote), (closed, tell_closed) = os.pipe(), os.pipe()

    def work() -> None:
        add(catalogue, 'child, before')
        os.write(tell_wrote, b'.')
        os.read(closed, 1)
        add(catalogue, 'child, after')

    child = in_child(work)
    os.read(wrote, 1)
    catalogue.close()
    os.write(tell_closed, b'.')
    assert ended_well(child)
    assert names(catalogue) == {'parent', 'child, before', 'child, after'}
    for fd in (wrote, tell_wrote, closed, tell_closed):
        os.close(fd)


def test_a_child_does_not_wait_for_a_thread_of_its_parent(catalogue: Catalogue) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with catalogue.writing() as connection:
            connection.execute(INSERT, ('thread',))
            inside.set()
            go_on.wait(0.5)

    thread = threading.Thread(target=write)
    thread.start()
    inside.wait()
    child = in_child(lambda: add(catalogue, 'child'))
    thread.join()
    assert ended_well(child)
    assert names(catalogue) == {'thread', 'child'}


def test_a_fork_within_a_transaction_of_its_own_thread_does_not_hang(catalogue: Catalogue) -> None:
    with catalogue.writing() as connection:
        connection.execute(INSERT, ('parent',))
        assert ended_well(in_child(lambda: None))
    assert names(catalogue) == {'parent'}


def test_threads_and_forked_processes_share_a_store(driver: LocalDriver, someone: Any) -> None:
    def work(number: int) -> None:
        for turn in range(4):
            made = driver.create(someone, {'name': f'{number}-{turn}'})
            driver.update(someone, made['id'], {'properties': {'turn': str(turn)}})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    children = [in_child(lambda number=number: work(number)) for number in (10, 20, 30)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert all(ended_well(child) for child in children)
    assert len(driver.list(someone)) == 4 * (4 + 3)
