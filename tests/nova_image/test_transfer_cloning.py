# SPDX-License-Identifier: Apache-2.0
"""Copies that the kernel makes: blocks shared where they can be, the caller's positions left alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from nova_image.transfer import cloning

DATA = os.urandom(200_000)


def pair(tmp_path: Path, data: bytes = DATA) -> tuple[int, int]:
    (tmp_path / 'source').write_bytes(data)
    flags = os.O_RDWR | os.O_CREAT
    return os.open(tmp_path / 'source', os.O_RDONLY), os.open(tmp_path / 'target', flags)


def drain(clone: cloning.Clone) -> bytes:
    found, buffer = [], memoryview(bytearray(30_000))
    while got := clone.readinto(buffer):
        found.append(bytes(buffer[:got]))
    clone.close()
    clone.close()
    return b''.join(found)


@pytest.mark.parametrize('begin', [0, 5, 4096])
def test_what_is_read_is_what_was_copied(tmp_path: Path, begin: int) -> None:
    source, target = pair(tmp_path)
    os.lseek(source, 17, os.SEEK_SET)
    clone = cloning.clone(source, target, begin, len(DATA) - begin)
    assert clone is not None
    assert drain(clone) == (tmp_path / 'target').read_bytes() == DATA[begin:]
    assert (os.lseek(source, 0, os.SEEK_CUR), os.lseek(target, 0, os.SEEK_CUR)) == (17, 0)
    os.close(source)
    os.close(target)


def test_shared_blocks_need_no_copy_and_are_cut_to_the_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = pair(tmp_path)

    def share(to: int, request: int, of: int) -> None:
        assert request == 0x40049409
        os.pwrite(to, os.pread(of, len(DATA), 0), 0)

    def never(*args: Any) -> int:
        raise AssertionError(args)

    monkeypatch.setattr('nova_image.transfer.cloning.fcntl.ioctl', share)
    monkeypatch.setattr('nova_image.transfer.cloning.os.copy_file_range', never)
    clone = cloning.clone(source, target, 0, 150_000)
    assert clone is not None
    assert drain(clone) == (tmp_path / 'target').read_bytes() == DATA[:150_000]
    os.close(source)
    os.close(target)


def test_what_is_no_plain_file_or_too_short_is_left_to_the_caller(tmp_path: Path) -> None:
    source, target = pair(tmp_path)
    assert cloning.clone(source, target, 0, len(DATA) + 1) is None
    assert cloning.clone(source, target, 0, 0) is None
    reader, writer = os.pipe()
    assert cloning.clone(reader, target, 0, 1) is None
    assert os.fstat(target).st_size == 0
    for descriptor in (reader, writer, source, target):
        os.close(descriptor)


def test_a_full_target_is_an_error_and_nothing_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = pair(tmp_path)

    def full(*args: Any) -> int:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('nova_image.transfer.cloning.os.copy_file_range', full)
    before = len(os.listdir('/proc/self/fd'))
    with pytest.raises(OSError, match='No space left'):
        cloning.clone(source, target, 0, len(DATA))
    assert len(os.listdir('/proc/self/fd')) == before
    os.close(source)
    os.close(target)


def test_a_file_of_holes_alone_is_copied_without_a_block(tmp_path: Path) -> None:
    source, target = pair(tmp_path, b'')
    os.truncate(tmp_path / 'source', 10_000_000)
    clone = cloning.clone(source, target, 0, 10_000_000)
    assert clone is not None
    assert drain(clone) == bytes(10_000_000)
    assert (os.fstat(target).st_size, os.fstat(target).st_blocks) == (10_000_000, 0)
    os.close(source)
    os.close(target)
