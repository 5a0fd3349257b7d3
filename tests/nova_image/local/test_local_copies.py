# SPDX-License-Identifier: Apache-2.0
"""Plain files are copied into the store and out of it by the kernel, holes and all; every byte is still hashed."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.local.driver import LocalDriver
from nova_image.transfer import cloning

RAW = {'disk_format': 'raw', 'container_format': 'bare'}
DATA = os.urandom(3_000_000)


@pytest.fixture
def clones(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether the kernel made the copy, each time it was asked to."""
    made: list[bool] = []
    clone = cloning.clone

    def counted(*args: Any) -> Any:
        found = clone(*args)
        made.append(found is not None)
        return found

    monkeypatch.setattr(cloning, 'clone', counted)
    yield made


def content(root: Path) -> Path:
    [path] = (root / 'contents').glob('*/*')
    return path


@pytest.mark.parametrize('buffering', [0, -1])
@pytest.mark.parametrize('start', [0, 1, 70_000])
def test_a_file_is_copied_in_from_where_it_stands(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, clones: list[bool], start: int, buffering: int
) -> None:
    (tmp_path / 'source').write_bytes(DATA)
    with (tmp_path / 'source').open('rb', buffering=buffering) as file:
        file.read(start)
        made = driver.create(someone, dict(RAW), file)
        assert (file.tell(), file.read()) == (len(DATA), b'')
        file.seek(start)
        assert file.read() == DATA[start:]
    assert clones == [True]
    assert content(root).read_bytes() == DATA[start:]
    assert made['os_hash_value'] == hashlib.sha512(DATA[start:]).hexdigest()
    assert made['checksum'] == hashlib.md5(DATA[start:], usedforsecurity=False).hexdigest()
    assert made['size'] == len(DATA) - start


def test_what_is_read_by_somebodys_own_code_is_read(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, clones: list[bool]
) -> None:
    class Upper(io.FileIO):
        def read(self, size: int = -1) -> bytes:  # type: ignore[override]
            return super().read(size).upper()

    (tmp_path / 'source').write_bytes(b'abc' * 1000)
    with Upper(str(tmp_path / 'source')) as file:
        driver.create(someone, dict(RAW), file)
    assert content(root).read_bytes() == b'ABC' * 1000
    assert clones == []


@pytest.mark.parametrize('after', [0, 1])
@pytest.mark.parametrize('error', [0, 18, 22, 38, 95])
def test_where_the_kernel_cannot_the_bytes_are_written_and_holes_stay(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, after: int
) -> None:
    left, copy = [after], os.copy_file_range

    def cannot(*args: Any) -> int:
        left[0] -= 1
        if left[0] >= 0:
            return copy(*args)
        if error:
            raise OSError(error, os.strerror(error))
        return 0

    monkeypatch.setattr('nova_image.transfer.cloning.os.copy_file_range', cannot)
    source, size = tmp_path / 'source', 12 << 20
    with source.open('wb') as file:  # a hole first: what the kernel can is only known later
        for place, data in ((2 << 20, DATA), (size - len(DATA), DATA)):
            file.seek(place)
            file.write(data)
    with source.open('rb') as file:
        made = driver.create(someone, dict(RAW), file)
    left[0] = after
    driver.download(someone, made['id'], dest_path=tmp_path / 'target')
    for copied in (content(root), tmp_path / 'target'):
        assert copied.read_bytes() == source.read_bytes()
        assert copied.stat().st_blocks * 512 < 3 * len(DATA)


def test_holes_stay_holes_on_the_way_in_and_out(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, clones: list[bool]
) -> None:
    source, target, size = tmp_path / 'source', tmp_path / 'target', 24 << 20
    with source.open('wb') as file:
        file.truncate(size)
        for place in (4096, size // 2, size - 8192):
            file.seek(place)
            file.write(DATA[:4096])
    with source.open('rb') as file:
        made = driver.create(someone, dict(RAW), file)
    driver.download(someone, made['id'], dest_path=target)
    assert clones == [True, True]
    for copy in (content(root), target):
        assert (copy.stat().st_size, copy.stat().st_blocks) == (size, source.stat().st_blocks)
    with source.open('rb') as ours, target.open('rb') as theirs:
        assert hashlib.file_digest(ours, 'md5').digest() == hashlib.file_digest(theirs, 'md5').digest()


def test_a_source_that_shrinks_meanwhile_is_an_error_and_leaves_nothing(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloning, '_WINDOW_BYTES', 65536)
    source = tmp_path / 'source'
    source.write_bytes(DATA)
    copy = os.copy_file_range

    def shrinking(*args: Any) -> int:
        done = copy(*args)
        os.truncate(source, 100_000)
        return done

    monkeypatch.setattr('nova_image.transfer.cloning.os.copy_file_range', shrinking)
    with source.open('rb') as file, pytest.raises(errors.ImageUploadIncomplete):
        driver.create(someone, dict(RAW), file)
    assert driver.list(someone) == []
    assert list((root / 'staging').glob('*')) == []


def test_an_altered_content_never_gets_out_by_way_of_the_kernel(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, clones: list[bool]
) -> None:
    made = driver.create(someone, dict(RAW), DATA)
    content(root).write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    target = tmp_path / 'target'
    target.write_bytes(b'older')
    with pytest.raises(errors.ImageCorrupt):
        driver.download(someone, made['id'], dest_path=target)
    assert clones == [True]
    assert target.read_bytes() == b'older'
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ['target']
