# SPDX-License-Identifier: Apache-2.0
"""Downloads: right or absent, whatever the stream does; retried only where nothing wrong can come of it."""

from __future__ import annotations

import dataclasses
import errno
import gc
import hashlib
import io
import logging
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_image import errors, transfer
from nova_image.transfer import hashing

IMAGE = random.Random(7).randbytes(300_000)


@dataclasses.dataclass
class Settings:
    num_retries: int = 0
    stall_timeout: float = 60
    stall_bytes: int = 65536
    no_hash: str = 'warn'


KNOWN = transfer.Expected(
    size=len(IMAGE), hash_algo='sha512', hash_value=hashlib.sha512(IMAGE).hexdigest(), image_id='img'
)
UNKNOWN = transfer.Expected(size=len(IMAGE), image_id='img')


class Server:
    """An opener over scripted answers; one answer each call, the last one for ever.

    An answer is (bytes to send, what to raise then). Serves offsets unless told not to.
    """

    def __init__(self, *script: tuple[bytes, BaseException | None], ranges: bool = True) -> None:
        self.script = list(script)
        self.offsets: list[int] = []
        self.ranges = ranges
        self.open_bodies = 0
        self.announce: int | None = None

    def __call__(self, offset: int) -> transfer.Body:
        self.offsets.append(offset)
        image, failure = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        start = offset if self.ranges else 0
        self.open_bodies += 1
        return _Scripted(self, image, start, failure)


class _Scripted:
    def __init__(self, server: Server, image: bytes, offset: int, failure: BaseException | None) -> None:
        self.offset = offset
        self.length = server.announce
        self._server, self._image, self._failure = server, image, failure
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        for start in range(self.offset, len(self._image), 40_000):
            yield self._image[start : start + 40_000]
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._server.open_bodies -= 1


def fetch(server: Server, expected: transfer.Expected | None = KNOWN, retries: int = 0, **kwargs: Any) -> Any:
    settings_ = kwargs.pop('settings', Settings(num_retries=retries))
    try:
        return transfer.deliver(server, expected, settings=settings_, pause=lambda attempt: None, **kwargs)
    finally:
        if kwargs:
            assert server.open_bodies == 0, 'C-307: every body is closed'


RESET = ConnectionResetError(errno.ECONNRESET, 'reset')
FLIPPED = IMAGE[:1000] + bytes([IMAGE[1000] ^ 1]) + IMAGE[1001:]


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    path = tmp_path / 'image'
    path.write_bytes(b'what was there before')
    return path


def only(path: Path) -> None:
    assert [each.name for each in path.parent.iterdir()] == [path.name], 'no staged file stays'


@pytest.mark.contract('C-127')
def test_a_path_gets_the_image_and_nothing_is_returned(old_file: Path) -> None:
    assert fetch(Server((IMAGE, None)), dest_path=str(old_file)) is None
    assert old_file.read_bytes() == IMAGE
    only(old_file)


@pytest.mark.contract('C-128')
def test_data_wins_over_the_path_and_is_neither_flushed_nor_closed(tmp_path: Path) -> None:
    class Sink(io.BytesIO):
        def __bool__(self) -> bool:
            return False

        def flush(self) -> None:
            raise AssertionError('flushed')

    sink = Sink()
    assert fetch(Server((IMAGE, None)), data=sink, dest_path=tmp_path / 'image') is None
    assert sink.getvalue() == IMAGE
    assert not sink.closed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('answer', 'expected', 'error'),
    [
        pytest.param((IMAGE[:99], RESET), KNOWN, ConnectionResetError, id='reset'),
        pytest.param((IMAGE[:99], None), KNOWN, errors.ImageDownloadIncomplete, id='short'),
        pytest.param((IMAGE[:99], None), UNKNOWN, errors.ImageDownloadIncomplete, id='short-no-hash'),
        pytest.param((b'', None), KNOWN, errors.ImageDownloadIncomplete, id='empty'),
        pytest.param((FLIPPED, None), KNOWN, errors.ImageCorrupt, id='flipped'),
        pytest.param((IMAGE + b'!', None), UNKNOWN, errors.ImageCorrupt, id='too-long'),
        pytest.param((IMAGE, errors.ImageTransferStalled(image_id='img', moved=1, seconds=1, expected=2)), KNOWN,
                     errors.ImageTransferStalled, id='stall-at-end'),
        pytest.param((IMAGE[:99], ZeroDivisionError()), KNOWN, ZeroDivisionError, id='bug'),
    ],
)
@pytest.mark.parametrize('retries', [0, 2])
@pytest.mark.contract('C-130', 'C-303')
def test_a_failed_download_leaves_the_old_file_and_nothing_else(
    old_file: Path, answer: tuple[bytes, BaseException | None], expected: transfer.Expected, error: type, retries: int
) -> None:
    with pytest.raises(error):
        fetch(Server(answer), expected, retries, dest_path=old_file)
    assert old_file.read_bytes() == b'what was there before'
    only(old_file)


@pytest.mark.contract('C-132')
def test_a_wrong_hash_is_an_oserror_with_epipe_and_both_values(tmp_path: Path) -> None:
    with pytest.raises(OSError, match='Corrupt image download. Hash was [0-9a-f]+ expected') as caught:
        fetch(Server((FLIPPED, None)), dest_path=tmp_path / 'image')
    assert caught.value.errno == errno.EPIPE
    assert KNOWN.hash_value is not None
    assert KNOWN.hash_value in str(caught.value)


@pytest.mark.contract('C-129')
def test_a_refused_request_leaves_no_file(tmp_path: Path) -> None:
    def refuse(offset: int) -> transfer.Body:
        raise errors.ImageNotFound(image_id='img')

    with pytest.raises(errors.ImageNotFound):
        transfer.deliver(refuse, KNOWN, settings=Settings(), dest_path=tmp_path / 'image')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.contract('C-302')
def test_a_cut_stream_goes_on_from_where_it_broke(tmp_path: Path) -> None:
    server = Server((IMAGE[:120_000], RESET), (IMAGE[:200_000], None), (IMAGE, None))
    fetch(server, retries=3, dest_path=tmp_path / 'image')
    assert server.offsets == [0, 120_000, 200_000]
    assert (tmp_path / 'image').read_bytes() == IMAGE


def test_a_store_without_ranges_is_read_again_from_the_start(tmp_path: Path) -> None:
    server = Server((IMAGE[:120_000], RESET), (IMAGE, None), ranges=False)
    fetch(server, retries=1, dest_path=tmp_path / 'image')
    assert server.offsets == [0, 120_000]
    assert (tmp_path / 'image').read_bytes() == IMAGE


def test_a_stream_without_a_hash_is_never_patched_together(tmp_path: Path) -> None:
    server = Server((IMAGE[:120_000], RESET), (IMAGE, None))
    fetch(server, UNKNOWN, retries=1, dest_path=tmp_path / 'image')
    assert server.offsets == [0, 0]


def test_corrupt_bytes_are_fetched_again_from_the_start(tmp_path: Path) -> None:
    server = Server((FLIPPED, None), (IMAGE, None))
    fetch(server, retries=1, dest_path=tmp_path / 'image')
    assert server.offsets == [0, 0]
    assert (tmp_path / 'image').read_bytes() == IMAGE


def test_retries_end_after_the_configured_number(tmp_path: Path) -> None:
    server = Server((IMAGE[:40_000], RESET))
    with pytest.raises(ConnectionResetError):
        fetch(server, retries=2, dest_path=tmp_path / 'image')
    assert server.offsets == [0, 40_000, 40_000]


def test_a_failing_disk_is_not_the_servers_fault(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, piece: Any) -> int:
            raise OSError(errno.ENOSPC, 'No space left on device')

    server = Server((IMAGE, None))
    with pytest.raises(OSError, match='No space left'):
        fetch(server, retries=3, data=Full())
    assert server.offsets == [0]


@pytest.mark.contract('C-302')
def test_a_callers_object_is_restarted_if_it_can_be_put_back() -> None:
    sink = io.BytesIO()
    sink.write(b'header')
    server = Server((FLIPPED, None), (IMAGE, None))
    fetch(server, retries=1, data=sink)
    assert sink.getvalue() == b'header' + IMAGE


@pytest.mark.contract('C-302')
def test_a_callers_pipe_is_not_restarted() -> None:
    class Pipe:
        got = b''

        def write(self, piece: bytes) -> None:
            self.got += piece

    pipe, server = Pipe(), Server((IMAGE[:40_000], RESET), (IMAGE, None))
    with pytest.raises(ConnectionResetError):
        fetch(server, retries=3, data=pipe)
    assert server.offsets == [0]
    assert pipe.got == IMAGE[:40_000]


def test_a_callers_pipe_is_continued_where_the_opener_can_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Scripted, 'resumable', True, raising=False)
    got: list[bytes] = []

    class Pipe:
        write = staticmethod(got.append)

    server = Server((IMAGE[:40_000], RESET), (IMAGE, None))
    fetch(server, retries=1, data=Pipe())
    assert server.offsets == [0, 40_000]
    assert b''.join(got) == IMAGE


def test_older_bytes_behind_the_start_of_a_callers_object_are_left_alone() -> None:
    sink = io.BytesIO(b'x' * (len(IMAGE) + 10))
    fetch(Server((IMAGE[:50_000], RESET), (IMAGE, None), ranges=False), retries=1, data=sink)
    assert sink.getvalue() == IMAGE + b'x' * 10


@pytest.mark.contract('C-126', 'C-307')
def test_the_iterator_form_hands_out_all_and_has_a_length() -> None:
    server = Server((IMAGE, None))
    chunks = fetch(server)
    assert len(chunks) == len(IMAGE)
    assert server.offsets == [0], 'the request is made at once'
    assert iter(chunks) is chunks
    assert b''.join(chunks) == IMAGE
    assert next(chunks, None) is None
    assert server.open_bodies == 0


@pytest.mark.contract('C-132')
@pytest.mark.parametrize('answer', [(FLIPPED, None), (IMAGE[:-1], None), (IMAGE + b'!', None), (IMAGE[:9], RESET)])
def test_the_iterator_form_raises_instead_of_ending_and_keeps_raising(
    answer: tuple[bytes, BaseException | None],
) -> None:
    server = Server(answer)
    chunks, got = fetch(server, retries=3), io.BytesIO()
    with pytest.raises(OSError) as caught:
        for chunk in chunks:
            got.write(chunk)
    assert len(got.getvalue()) < len(IMAGE), 'whoever counts bytes does not have a whole image'
    with pytest.raises(type(caught.value)):
        next(chunks)
    assert server.offsets == [0]
    assert server.open_bodies == 0


def test_a_closed_iterator_is_not_a_finished_one() -> None:
    server = Server((IMAGE, None))
    with fetch(server) as chunks:
        next(chunks)
    assert server.open_bodies == 0
    with pytest.raises(ValueError, match='closed after 40000 bytes'):
        next(chunks)


def test_an_iterator_dropped_before_its_end_leaves_no_thread_and_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashing, 'second_thread_pays', lambda: True)
    monkeypatch.setattr(hashing, 'THREAD_FROM_BYTES', 1)
    server, before = Server((IMAGE, None)), set(threading.enumerate())
    next(fetch(server))
    gc.collect()
    assert not set(threading.enumerate()) - before
    assert server.open_bodies == 0


def test_a_hash_of_another_kind_or_only_md5_is_checked(tmp_path: Path) -> None:
    md5 = hashlib.md5(IMAGE, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(IMAGE).hexdigest()
    for record in (
        {'size': len(IMAGE), 'checksum': md5},
        {'size': len(IMAGE), 'os_hash_algo': 'sha256', 'os_hash_value': sha256, 'checksum': 'f'},
        {'size': len(IMAGE), 'os_hash_algo': 'whirlwind', 'os_hash_value': 'ff', 'checksum': md5.upper()},
    ):
        expected = transfer.Expected.from_record({'id': 'img', **record})
        fetch(Server((IMAGE, None)), expected, dest_path=tmp_path / 'image')
        with pytest.raises(errors.ImageCorrupt):
            fetch(Server((FLIPPED, None)), expected, dest_path=tmp_path / 'image')


def test_an_unknown_size_is_not_a_size_of_zero() -> None:
    assert transfer.Expected.from_record({'id': 'img', 'size': 0, 'checksum': None}).size is None
    assert transfer.Expected.from_record({'id': 'img', 'size': 0, 'checksum': 'd41d'}).size == 0


@pytest.mark.parametrize(('policy', 'warnings'), [('warn', 1), ('accept', 0)])
def test_no_hash_is_said_once_unless_accepted(
    policy: str, warnings: int, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    fetch(Server((IMAGE, None)), UNKNOWN, settings=Settings(no_hash=policy), dest_path=tmp_path / 'image')
    assert [each.levelname for each in caplog.records] == ['WARNING'] * warnings


def test_no_hash_is_an_error_where_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.ImageHashMissing, match='img'):
        fetch(Server((IMAGE, None)), UNKNOWN, settings=Settings(no_hash='refuse'), dest_path=tmp_path / 'image')
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_checks_itself_is_not_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    sink = io.BytesIO()
    fetch(Server((IMAGE, None)), None, data=sink)
    assert sink.getvalue() == IMAGE
    assert not caplog.records


def test_the_announced_length_is_checked_where_nothing_else_is_known() -> None:
    server = Server((IMAGE[:50], None))
    server.announce = 60
    with pytest.raises(errors.ImageDownloadIncomplete, match='50 of 60'):
        fetch(server, None, data=io.BytesIO())
    server.announce = 40
    with pytest.raises(errors.ImageCorrupt, match='sent more'):
        fetch(server, None, data=io.BytesIO())


@pytest.mark.contract('C-131')
@pytest.mark.parametrize('named', [True, False])
def test_a_failure_is_logged_with_the_path_and_only_once(
    named: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(tmp_path / 'image') if named else None
    with pytest.raises(ConnectionResetError):
        fetch(Server((b'', RESET)), dest_path=path, data=None if named else io.BytesIO(), retries=1)
    logged = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert logged == [f'Error writing to {path}: {RESET}']


@settings(max_examples=60, deadline=None)
@given(
    script=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(['cut', 'reset', 'flip', 'long'])), max_size=3
    ),
    ranges=st.booleans(),
    hashed=st.booleans(),
    retries=st.integers(0, 3),
)
def test_law_right_or_absent(
    script: list[tuple[int, str]], ranges: bool, hashed: bool, retries: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever answers come, the path holds the image and None is returned, or it is untouched and an error says so."""
    image = random.Random(3).randbytes(300)
    answers: list[tuple[bytes, BaseException | None]] = []
    for at, kind in script:
        if kind == 'flip' and hashed and at < len(image):
            answers.append((image[:at] + bytes([image[at] ^ 255]) + image[at + 1 :], None))
        elif kind == 'long':
            answers.append((image + b'x', None))
        else:
            answers.append((image[:at], RESET if kind == 'reset' else None))
    known = hashlib.sha512(image).hexdigest() if hashed else None
    expected = transfer.Expected(len(image), None, 'sha512' if hashed else None, known, 'img')
    directory = tmp_path_factory.mktemp('law')
    path = directory / 'image'
    path.write_bytes(b'old')
    try:
        fetch(Server(*answers, (image, None), ranges=ranges), expected, retries, dest_path=path)
    except OSError:
        assert path.read_bytes() == b'old'
    else:
        assert path.read_bytes() == image
    assert os.listdir(directory) == ['image']
