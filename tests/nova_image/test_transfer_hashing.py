# SPDX-License-Identifier: Apache-2.0
"""Hashing beside a transfer: the same value in line and on a thread, and a thread only where it pays."""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import types

import pytest

from nova_image.transfer import hashing

DATA = random.Random(2).randbytes(3 * 1024 * 1024)


@pytest.mark.parametrize('kind', [hashing.InLine, hashing.Beside])
@pytest.mark.parametrize('step', [1000, 65536, 700_000])
def test_chunks_and_buffers_give_the_same_digests(kind: type[hashing.InLine], step: int) -> None:
    chunked, buffered = kind(['sha512', 'md5'], 0), kind(['sha512', 'md5'], step)
    for start in range(0, len(DATA), step):
        piece = DATA[start : start + step]
        chunked.add(piece)
        buffer = buffered.take()
        buffer[: len(piece)] = piece
        buffered.give(buffer, memoryview(buffer)[: len(piece)])
    expected = {
        'sha512': hashlib.sha512(DATA).hexdigest(),
        'md5': hashlib.md5(DATA, usedforsecurity=False).hexdigest(),
    }
    for lane in (chunked, buffered):
        assert lane.digests() == expected
        assert lane.digests() == expected, 'asked again'
        lane.close()


def test_a_closed_lane_leaves_no_thread() -> None:
    before = threading.active_count()
    lane = hashing.Beside(['sha512'], 10)
    assert threading.active_count() == before + 1
    lane.close()
    lane.close()
    assert threading.active_count() == before


def test_a_slow_hash_makes_the_caller_wait_instead_of_filling_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    class Slow:
        def update(self, data: object) -> None:
            gate.wait(10)

        def hexdigest(self) -> str:
            return ''

    monkeypatch.setattr(hashing, 'new', lambda name: Slow())
    lane = hashing.Beside(['sha512'], 10)
    taken = []

    def produce() -> None:
        for _ in range(hashing.SLOTS + 3):
            buffer = lane.take()
            taken.append(buffer)
            lane.give(buffer, memoryview(buffer))

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(0.2)
    assert len(taken) == hashing.SLOTS
    gate.set()
    producer.join(10)
    assert len(taken) == hashing.SLOTS + 3
    assert len({id(each) for each in taken}) == hashing.SLOTS
    lane.close()


def test_what_cannot_be_hashed_is_an_error_and_holds_nobody() -> None:
    lane = hashing.Beside(['sha512'], 10)
    for _ in range(3 * hashing.SLOTS):
        lane.give(lane.take(), memoryview(bytes(100))[::2])
    with pytest.raises(BufferError):
        lane.digests()
    assert not lane._thread.is_alive()


def test_a_thread_is_taken_for_large_bodies_on_more_than_one_core_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, '_cores', lambda: 2)
    large = hashing.lane(['md5'], hashing.THREAD_FROM_BYTES)
    unknown = hashing.lane(['md5'], None)
    assert isinstance(large, hashing.Beside)
    assert isinstance(unknown, hashing.Beside)
    for lane in (large, unknown):
        lane.close()
    assert isinstance(hashing.lane(['md5'], 100), hashing.InLine)
    assert isinstance(hashing.lane([], None), hashing.InLine)
    monkeypatch.setattr(hashing, '_cores', lambda: 1)
    assert isinstance(hashing.lane(['md5'], None), hashing.InLine)


@pytest.mark.parametrize(
    ('module', 'contents'),
    [
        ('eventlet.patcher', {'is_monkey_patched': lambda what: what == 'thread'}),
        ('gevent.monkey', {'is_module_patched': lambda what: what == 'threading'}),
    ],
)
def test_green_threads_hash_in_line(
    module: str, contents: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, '_cores', lambda: 2)
    monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**contents))  # type: ignore[arg-type]
    assert isinstance(hashing.lane(['md5'], None), hashing.InLine)


def test_a_green_thread_lets_others_run_while_it_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(hashing.time, 'sleep', pauses.append)
    monkeypatch.setattr(hashing, '_threads_are_green', lambda: True)
    for algorithms in (['md5'], []):
        lane = hashing.lane(algorithms, None)
        pauses.clear()
        for _ in range(8):
            lane.add(bytes(hashing.GREEN_BYTES // 2))
            lane.give(lane.take(), memoryview(bytes(hashing.GREEN_BYTES // 2)))
        assert pauses == [0] * 8
    monkeypatch.setattr(hashing, '_threads_are_green', lambda: False)
    hashing.lane([], None).add(bytes(hashing.GREEN_BYTES))
    assert pauses == [0] * 8


def test_an_algorithm_that_python_does_not_know_is_not_chosen() -> None:
    assert hashing.is_known('sha256')
    assert not hashing.is_known('shake_128')
    assert not hashing.is_known('whirlpool-of-2042')
