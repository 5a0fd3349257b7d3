# SPDX-License-Identifier: Apache-2.0
"""Where downloads go: staged files, special files, links, modes, owners, holes (D-8, C-133, C-137)."""

from __future__ import annotations

import errno
import io
import os
import random
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_image.transfer import staged_target, staging, syncing
from nova_image.transfer.targets import CallersObject, InPlace, target_for

BYTES = random.Random(5).randbytes(200_000)
AS_ROOT = os.geteuid() == 0


def raising(error: BaseException) -> Any:
    """A function that does nothing else."""

    def refuse(*args: Any) -> None:
        raise error

    return refuse


def put(path: Any, data: bytes = BYTES) -> None:
    target = target_for(None, path)
    target.open()
    try:
        for start in range(0, len(data), 70_000):
            target.write(data[start : start + 70_000], len(data[start : start + 70_000]))
        target.commit()
    except BaseException:
        target.discard()
        raise


@pytest.fixture
def folder_of_anybody() -> Iterator[Path]:
    """A folder of the one who runs the test, who is not root, whom no mode keeps from writing."""
    with tempfile.TemporaryDirectory() as name:
        if AS_ROOT:
            os.chown(name, 65534, -1)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if AS_ROOT:
                os.seteuid(0)


def test_a_new_file_has_the_mode_that_open_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        put(tmp_path / 'image')
    finally:
        os.umask(before)
    assert (tmp_path / 'image').read_bytes() == BYTES
    assert stat.S_IMODE((tmp_path / 'image').stat().st_mode) == 0o640


@pytest.mark.parametrize('kind', [str, os.fsencode, Path])
def test_a_replaced_file_keeps_its_mode_and_is_replaced_whole(tmp_path: Path, kind: type) -> None:
    path = tmp_path / 'image'
    path.write_bytes(b'old')
    path.chmod(0o604)
    with path.open('rb') as reader:
        put(kind(str(path)))
        assert reader.read() == b'old', 'who had it open still has the old image'
    assert path.read_bytes() == BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert os.listdir(tmp_path) == ['image']


@pytest.mark.skipif(not AS_ROOT, reason='only root can give a file to somebody else; what then is refused comes next')
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / 'image'
    path.write_bytes(b'old')
    os.chown(path, 1234, 4321)
    put(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


def test_a_file_whose_owner_cannot_be_given_is_written_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'image'
    path.write_bytes(b'old' * 100_000)
    inode = path.stat().st_ino
    monkeypatch.setattr(staging.os, 'fchown', raising(PermissionError(1, 'no')))
    found = path.stat()
    other = os.stat_result((*found[:4], found.st_uid + 1, *found[5:]))
    target = staging.Staged(str(path), str(path), other)
    target.open()
    target.write(BYTES, len(BYTES))
    assert path.read_bytes() == b'old' * 100_000
    target.commit()
    assert path.read_bytes() == BYTES
    assert path.stat().st_ino == inode
    assert os.listdir(tmp_path) == ['image']


@pytest.mark.parametrize('refusal', [errno.EBUSY, errno.EPERM])
def test_a_file_that_cannot_be_renamed_over_is_written_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    path = tmp_path / 'image'
    path.write_bytes(b'old')

    monkeypatch.setattr(staging.os, 'replace', raising(OSError(refusal, 'mounted')))
    put(path)
    assert path.read_bytes() == BYTES
    assert os.listdir(tmp_path) == ['image']


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A file that cannot be renamed over, and where its old content is put aside."""
    path, spare = tmp_path / 'image', tmp_path / 'spare'
    path.write_bytes(b'old')
    spare.mkdir()
    monkeypatch.setattr(staging.os, 'replace', raising(OSError(errno.EBUSY, 'mounted')))
    monkeypatch.setattr(staging.tempfile, 'tempdir', str(spare))
    return path, spare


@pytest.mark.parametrize('failure', [OSError(errno.ENOSPC, 'full'), KeyboardInterrupt()], ids=['full', 'interrupted'])
def test_a_failure_while_a_file_is_written_in_its_place_puts_the_old_content_back(
    pinned: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    path, spare = pinned
    copy = staging._copy

    def failing(source: str, target: str) -> None:
        if source.endswith('.part'):
            Path(target).write_bytes(b'half')
            raise failure
        copy(source, target)

    monkeypatch.setattr(staging, '_copy', failing)
    with pytest.raises(type(failure)):
        put(path)
    assert path.read_bytes() == b'old'
    assert os.listdir(spare) == []
    assert sorted(os.listdir(path.parent)) == ['image', 'spare']


def test_an_old_content_that_cannot_be_put_back_is_kept_and_named(
    pinned: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, spare = pinned
    copy = staging._copy

    def failing(source: str, target: str) -> None:
        if target == str(path):
            raise OSError(errno.EIO, 'broken')
        copy(source, target)

    monkeypatch.setattr(staging, '_copy', failing)
    with pytest.raises(OSError, match='broken') as caught:
        put(path)
    (kept,) = spare.iterdir()
    assert kept.read_bytes() == b'old'
    assert str(kept) in caught.value.__notes__[0]


def test_a_failing_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging.os, 'replace', raising(OSError(errno.EIO, 'broken')))
    with pytest.raises(OSError, match='broken'):
        put(tmp_path / 'image')
    assert os.listdir(tmp_path) == []


def test_a_writable_file_in_a_closed_directory_is_written_after_all_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, spare = tmp_path / 'closed' / 'image', tmp_path / 'spare'
    path.parent.mkdir()
    spare.mkdir()
    path.write_bytes(b'old')
    real_open = open

    def guarded(name: Any, *args: Any, **kwargs: Any) -> Any:
        if os.path.dirname(str(name)) == str(path.parent) and str(name) != str(path):
            raise PermissionError(errno.EACCES, 'closed', name)
        return real_open(name, *args, **kwargs)

    monkeypatch.setattr('builtins.open', guarded)
    monkeypatch.setattr(staging.tempfile, 'gettempdir', lambda: str(spare))
    put(path)
    assert path.read_bytes() == BYTES
    assert os.listdir(spare) == []


@pytest.mark.contract('C-133')
def test_an_unwritable_path_raises_what_open_raises_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / 'missing' / 'image'
    with pytest.raises(FileNotFoundError) as caught:
        put(path)
    assert caught.value.filename == str(path)
    assert str(path) in str(caught.value)
    with pytest.raises(IsADirectoryError):
        put(tmp_path)
    with pytest.raises(IsADirectoryError):
        put(f'{tmp_path}/missing/')
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(NotADirectoryError):
        put(tmp_path / 'file' / 'image')
    (tmp_path / 'loop').symlink_to('loop')
    with pytest.raises(OSError) as looped:
        put(tmp_path / 'loop')
    assert looped.value.errno == errno.ELOOP


@pytest.mark.contract('C-133')
def test_a_read_only_file_is_not_replaced_though_its_directory_would_allow_it(folder_of_anybody: Path) -> None:
    path = folder_of_anybody / 'image'
    path.write_bytes(b'old')
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        put(path)
    assert path.read_bytes() == b'old'


def test_a_running_program_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'image'
    path.write_bytes(b'old')
    real_open = os.open

    def busy(name: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_WRONLY:
            raise OSError(errno.ETXTBSY, 'Text file busy', name)
        return real_open(name, flags, *args, **kwargs)

    monkeypatch.setattr(staging.os, 'open', busy)
    with pytest.raises(OSError, match='Text file busy'):
        put(path)
    assert path.read_bytes() == b'old'


def test_a_symbolic_link_is_followed_even_to_nothing(tmp_path: Path) -> None:
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to('real/image')
    put(tmp_path / 'link', b'first')
    assert (tmp_path / 'real' / 'image').read_bytes() == b'first'
    put(tmp_path / 'link', b'second')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'real' / 'image').read_bytes() == b'second'
    assert sorted(os.listdir(tmp_path)) == ['link', 'real']
    assert os.listdir(tmp_path / 'real') == ['image']


@pytest.mark.contract('C-137')
def test_the_null_device_and_a_fifo_are_written_in_place(tmp_path: Path) -> None:
    put(os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    fifo = tmp_path / 'fifo'
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    put(fifo)
    reader.join()
    assert got == [BYTES]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_full_device_says_so() -> None:
    with pytest.raises(OSError, match='No space left'):
        put('/dev/full')


def test_a_descriptor_number_is_written_and_closed(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / 'image', os.O_CREAT | os.O_WRONLY)
    target = target_for(None, descriptor)
    assert isinstance(target, InPlace)
    put(descriptor)
    assert (tmp_path / 'image').read_bytes() == BYTES


def test_a_name_of_the_greatest_length_can_be_staged(tmp_path: Path) -> None:
    for name in ('n' * 255, 'ü' * 127):
        put(tmp_path / name)
        assert (tmp_path / name).read_bytes() == BYTES


def test_a_staged_name_tells_what_it_stands_for(tmp_path: Path) -> None:
    target = staging.Staged(str(tmp_path / 'my.image'), str(tmp_path / 'my.image'), None)
    target.open()
    (name,) = os.listdir(tmp_path)
    assert staged_target(str(tmp_path / name)) == str(tmp_path / 'my.image')
    assert staged_target(str(tmp_path / 'my.image')) is None
    target.discard()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('refusal', [errno.EIO, errno.EINVAL])
def test_a_regular_file_that_cannot_be_synced_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(refusal, 'not on disk')

    monkeypatch.setattr(syncing.os, 'fsync', refuse)
    with pytest.raises(OSError, match='not on disk'):
        put(tmp_path / 'image')
    assert os.listdir(tmp_path) == []


def test_zeros_become_holes_and_read_back_the_same(tmp_path: Path) -> None:
    data = BYTES + bytes(8 << 20) + BYTES + bytes(3 << 20)
    target = target_for(None, tmp_path / 'image')
    target.open()
    target.write(data, len(data))
    target.commit()
    assert (tmp_path / 'image').read_bytes() == data
    assert (tmp_path / 'image').stat().st_blocks * 512 < len(data) // 2


def test_write_back_is_started_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[int, int]] = []
    monkeypatch.setattr(staging, '_WRITE_BACK_BYTES', 100_000)
    monkeypatch.setattr(staging, 'start_write_back', lambda file, begin, end: started.append((begin, end)))
    put(tmp_path / 'image')
    assert started == [(0, 140_000)]
    with (tmp_path / 'image').open('rb') as file:
        syncing.start_write_back(file, 0, 4096)


def test_a_raw_file_that_writes_less_than_it_was_given_gets_the_rest() -> None:
    class Short(io.RawIOBase):
        got = b''

        def write(self, data: Any) -> int:
            self.got += bytes(data[:1000])
            return min(1000, len(data))

    sink = Short()
    target = CallersObject(sink)
    target.open()
    target.write(BYTES, len(BYTES))
    assert sink.got == BYTES


def test_a_raw_file_that_takes_nothing_is_an_error() -> None:
    class Blocked(io.RawIOBase):
        def write(self, data: Any) -> None:
            return None

    with pytest.raises(BlockingIOError, match='non-blocking'):
        CallersObject(Blocked()).write(b'x', 1)


def test_a_callers_file_in_append_mode_is_put_back_to_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / 'log'
    path.write_bytes(b'head')
    with path.open('ab') as file:
        target = CallersObject(file)
        target.open()
        target.write(b'wrong', 5)
        assert target.restart()
        target.write(b'right', 5)
    assert path.read_bytes() == b'headright'


def test_a_callers_object_somebody_else_moved_is_not_put_back() -> None:
    file = io.BytesIO()
    target = CallersObject(file)
    target.open()
    target.write(b'abc', 3)
    file.write(b'more')
    assert not target.can_restart()
    assert not target.restart()


@settings(max_examples=60, deadline=None)
@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=8),
    cuts=st.integers(1, 50),
    kind=st.sampled_from([bytes, bytearray]),
)
def test_law_a_staged_file_reads_back_what_was_written(
    runs: list[tuple[bool, int]], cuts: int, kind: type, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """For any mix of zeros and other bytes, cut anywhere, the file has the same bytes and the same length."""
    data = b''.join((bytes(count) if zeros else b'\x01' * count) for zeros, count in runs)
    path = tmp_path_factory.mktemp('law') / 'image'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, 'HOLE_BYTES', 8)
        patch.setattr(staging, '_ZEROS', bytes(8))
        target = target_for(None, path)
        target.open()
        for start in range(0, len(data), cuts):
            piece = data[start : start + cuts]
            target.write(kind(piece + (b'rest' if kind is bytearray else b'')), len(piece))
        target.commit()
    assert path.read_bytes() == data
