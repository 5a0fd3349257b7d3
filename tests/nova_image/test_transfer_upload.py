# SPDX-License-Identifier: Apache-2.0
"""Uploads: every kind of data is sent whole from its start, or is not sent a second time."""

from __future__ import annotations

import array
import codecs
import collections
import gzip
import hashlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_image import errors, transfer
from nova_image.transfer import hashing, sources

BODY = bytes(range(256)) * 5000


class VMwarePipe:
    """read() in chunks of its own size, '' at the end, a seek() that does nothing, tell() says the total."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = collections.deque(chunks)
        self._total = sum(map(len, chunks))

    def read(self, size: int) -> bytes | str:
        return self._chunks.popleft() if self._chunks else ''

    def seek(self, offset: int, whence: int = 0) -> None:
        pass

    def tell(self) -> int:
        return self._total


class ReadAhead:
    """A wrapper with a buffer of its own: tell() and seek() go past it, to the file underneath."""

    def __init__(self, file: io.BytesIO) -> None:
        self._file, self._buffer = file, b''
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        self._buffer += self._file.read(4 * size)
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece


def test_bytes_and_text_are_sent_as_they_are_and_as_often_as_needed() -> None:
    for data, wire in ((BODY, BODY), (bytearray(BODY), BODY), ('glänzend', 'glänzend'.encode())):
        body = transfer.upload(data)
        assert body.size == len(wire)
        assert [b''.join(body), b''.join(body)] == [wire, wire]
        assert body.sent == len(wire)
        assert body.digest('sha512') == hashlib.sha512(wire).hexdigest()


def test_a_buffer_of_any_shape_is_sent_as_its_bytes_and_not_held() -> None:
    numbers = array.array('I', range(200_000))
    for data, wire in (
        (memoryview(numbers), numbers.tobytes()),
        (memoryview(BODY)[::2], BODY[::2]),
        (memoryview(b''), b''),
        ([memoryview(numbers)[:10], bytearray(b'x')], numbers[:10].tobytes() + b'x'),
    ):
        body = transfer.upload(data)
        assert body.size == len(wire)
        assert [b''.join(body), b''.join(body)] == [wire, wire]
    growing = bytearray(BODY)
    body = transfer.upload(growing)
    assert sum(map(len, body)) == len(BODY)
    growing.append(1)  # a buffer that is held would not allow that


@pytest.mark.parametrize('unpacked', [b'x' * 300, b'x' * 300_000])
def test_a_file_that_reads_more_than_it_is_long_is_not_cut(unpacked: bytes, tmp_path: Path) -> None:
    class Unpacking:
        """Gives something else than the file has, and everything but read() is the file's own."""

        def __init__(self) -> None:
            self._file, self._given = io.BytesIO(unpacked[:100]), io.BytesIO(unpacked)
            self.read = self._given.read

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

    with pytest.raises(errors.BadImageInfo, match='tell'):
        collections.deque(transfer.upload(Unpacking()), maxlen=0)
    (tmp_path / 'text').write_bytes('ä'.encode('latin-1') * len(unpacked))
    with codecs.open(str(tmp_path / 'text'), 'r', 'latin-1') as text, pytest.raises(errors.BadImageInfo, match='tell'):
        collections.deque(transfer.upload(text), maxlen=0)


@pytest.mark.contract('C-165', 'C-059')
def test_a_file_is_sent_from_its_current_offset_and_sent_again_from_there(tmp_path: Path) -> None:
    (tmp_path / 'image').write_bytes(BODY)
    with (tmp_path / 'image').open('rb') as file:
        file.seek(1000)
        body = transfer.upload(file)
        assert body.size == len(BODY) - 1000
        assert b''.join(body) == BODY[1000:]
        assert b''.join(body) == BODY[1000:]
        assert not file.closed


@pytest.mark.contract('C-059')
def test_a_pass_that_broke_in_the_middle_starts_again_from_the_start() -> None:
    body = transfer.upload(io.BytesIO(BODY))
    broken = iter(body)
    next(broken)
    assert 0 < body.sent < len(BODY)
    assert b''.join(body) == BODY
    assert body.digest('md5') == hashlib.md5(BODY, usedforsecurity=False).hexdigest()


@pytest.mark.contract('C-210')
def test_a_pipe_whose_seek_does_nothing_is_sent_once_and_then_refused() -> None:
    body = transfer.upload(VMwarePipe([b'one', b'two']), image_id='img')
    assert body.size is None
    assert body.rewind(), 'nothing was read yet'
    assert b''.join(body) == b'onetwo'
    assert not body.rewind()
    with pytest.raises(errors.ImageUploadNotRepeatable, match='img.*after 6 bytes') as caught:
        iter(body)
    assert body.failure is caught.value
    assert body.digest('sha512') == hashlib.sha512(b'onetwo').hexdigest()
    assert body.digest('md5') == hashlib.md5(b'onetwo', usedforsecurity=False).hexdigest()


@pytest.mark.contract('C-210')
def test_a_wrapper_that_reads_ahead_is_not_trusted_to_rewind() -> None:
    body = transfer.upload(ReadAhead(io.BytesIO(BODY)))
    next(iter(body))
    assert not body.rewind()


def test_a_real_pipe_is_sent_whole() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b'through a pipe')
    os.close(write_end)
    with open(read_end, 'rb') as pipe:
        body = transfer.upload(pipe)
        assert body.size is None
        assert b''.join(body) == b'through a pipe'
        assert not body.rewind()


@pytest.mark.contract('C-165')
@pytest.mark.parametrize('wrap', [iter, lambda chunks: (each for each in chunks)])
def test_iterators_and_generators_are_sent_once_without_their_empty_chunks(wrap: type) -> None:
    body = transfer.upload(wrap([b'a', b'', 'b', bytearray(b'c')]))
    assert body.size is None
    assert list(body) == [b'a', b'b', b'c']
    with pytest.raises(errors.ImageUploadNotRepeatable):
        iter(body)


def test_a_list_of_chunks_has_a_size_and_can_be_sent_again() -> None:
    body = transfer.upload([b'a', 'ü', b'c'])
    assert body.size == 4
    assert b''.join(body) == b''.join(body) == 'aüc'.encode()


def test_a_text_file_is_sent_as_utf8_and_can_be_sent_again(tmp_path: Path) -> None:
    (tmp_path / 'text').write_text('grün\n' * 10, encoding='latin-1')
    with (tmp_path / 'text').open(encoding='latin-1') as file:
        body = transfer.upload(file)
        assert body.size is None
        assert b''.join(body) == b''.join(body) == ('grün\n' * 10).encode()


def test_a_gzip_object_is_not_measured_by_the_file_underneath(tmp_path: Path) -> None:
    with gzip.open(tmp_path / 'image.gz', 'wb') as packed:
        packed.write(BODY)
    with gzip.open(tmp_path / 'image.gz', 'rb') as file:
        body = transfer.upload(file)
        assert b''.join(body) == BODY


def test_a_file_without_a_size_is_still_sent() -> None:
    with Path('/proc/self/status').open('rb') as file:
        body = transfer.upload(file)
        assert body.size is None
        assert b'Name:' in b''.join(body)


def test_what_is_appended_while_sending_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / 'log'
    path.write_bytes(BODY)
    with path.open('rb') as file:
        body = transfer.upload(file)
        with path.open('ab') as more:
            more.write(b'later')
        assert b''.join(body) == BODY


def test_a_file_that_shrinks_while_it_is_sent_is_an_error_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / 'image'
    path.write_bytes(BODY)
    with path.open('rb') as file:
        body = transfer.upload(file, image_id='img')
        os.truncate(path, 100)
        with pytest.raises(errors.ImageUploadIncomplete, match=f'100, expected {len(BODY)}') as caught:
            b''.join(body)
    assert body.failure is caught.value


def test_a_source_that_fails_is_told_apart_from_a_connection_that_fails() -> None:
    def chunks() -> collections.abc.Iterator[bytes]:
        yield b'a'
        raise OSError(5, 'bad disk')

    body = transfer.upload(chunks())
    with pytest.raises(OSError, match='bad disk') as caught:
        list(body)
    assert body.failure is caught.value


def test_a_non_blocking_file_with_nothing_to_read_is_no_end_of_file() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    with (
        open(read_end, 'rb', buffering=0) as pipe,
        open(write_end, 'wb', buffering=0),
        pytest.raises(BlockingIOError, match='non-blocking'),
    ):
        list(transfer.upload(pipe))


@pytest.mark.parametrize('data', [7, 2.5, {'a': b'b'}, object()])
def test_data_without_bytes_is_refused_with_its_value(data: object) -> None:
    with pytest.raises(errors.BadImageInfo, match='expected bytes, text, a file object'):
        transfer.upload(data)


def test_a_chunk_that_is_a_number_is_refused() -> None:
    with pytest.raises(TypeError, match='chunks of bytes'):
        list(transfer.upload(iter([b'a', 7])))


@pytest.mark.contract('C-217')
def test_an_empty_or_falsy_object_is_an_empty_body() -> None:
    class Falsy(io.BytesIO):
        def __bool__(self) -> bool:
            return False

    assert list(transfer.upload(Falsy())) == []
    assert b''.join(transfer.upload(Falsy(b'full'))) == b'full'


def test_the_final_record_has_to_say_what_was_sent() -> None:
    body = transfer.upload(io.BytesIO(BODY), image_id='img')
    assert b''.join(body) == BODY
    good = {'size': len(BODY), 'os_hash_algo': 'sha512', 'os_hash_value': hashlib.sha512(BODY).hexdigest()}
    transfer.check_upload(body, good)
    transfer.check_upload(body, {'size': len(BODY)})
    md5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    transfer.check_upload(body, {'size': len(BODY), 'checksum': md5})
    sha256 = hashlib.sha256(BODY).hexdigest()
    transfer.check_upload(body, {'size': len(BODY), 'os_hash_algo': 'sha256', 'os_hash_value': sha256})
    for wrong in (
        {**good, 'size': 14},
        {**good, 'os_hash_value': 'f' * 128},
        {'size': len(BODY), 'os_hash_algo': 'sha256', 'os_hash_value': 'f' * 64},
        {'size': len(BODY), 'os_hash_algo': 'unknown', 'os_hash_value': 'f', 'checksum': 'f' * 32},
        {'size': None, 'status': 'queued'},
        {'size': 0, 'status': 'active'},
    ):
        with pytest.raises(errors.ImageUploadIncomplete, match='img'):
            transfer.check_upload(body, wrong)


def test_a_body_that_was_not_sent_to_its_end_is_never_right() -> None:
    body = transfer.upload(BODY)
    next(iter(body))
    with pytest.raises(errors.ImageUploadIncomplete, match='number of bytes sent'):
        transfer.check_upload(body, {'size': body.sent, 'status': 'active'})


def test_a_hash_beside_the_transfer_is_the_same_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, 'THREAD_FROM_BYTES', 0)
    monkeypatch.setattr(hashing, 'second_thread_pays', lambda: True)
    body = transfer.upload(iter([BODY] * 3))
    assert b''.join(body) == BODY * 3
    assert body.digest('sha512') == hashlib.sha512(BODY * 3).hexdigest()


def test_an_upload_offers_nothing_that_would_let_a_library_go_on_from_the_middle() -> None:
    body = transfer.upload(BODY)
    assert not hasattr(body, 'read')
    assert not hasattr(body, '__len__')
    assert transfer.upload(body) is body


@settings(max_examples=40, deadline=None)
@given(
    data=st.binary(max_size=2000),
    start=st.integers(0, 50),
    cuts=st.lists(st.integers(0, 12), max_size=3),
    chunk=st.integers(1, 200),
)
def test_law_whatever_broke_before_the_last_pass_sends_all_from_the_start(
    data: bytes, start: int, cuts: list[int], chunk: int
) -> None:
    """After any number of broken passes, one whole pass sends exactly the bytes from the start offset."""
    file = io.BytesIO(data)
    file.seek(start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, 'CHUNK_BYTES', chunk)
        body = transfer.upload(file)
        for count in cuts:
            for _, _chunk in zip(range(count), body, strict=False):
                pass
        assert b''.join(body) == data[start:]
        assert body.sent == len(data[start:])
        assert body.digest('sha512') == hashlib.sha512(data[start:]).hexdigest()
