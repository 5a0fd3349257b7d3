# SPDX-License-Identifier: Apache-2.0
"""Conformance: ``download`` in all its modes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import (
    ABSENT,
    CONTENT,
    RAW,
    ConformanceBase,
    content_of,
)


class _Sink:
    """Something to write to that records what happens to it; its truth value is false."""

    def __init__(self, fail_with: Exception | None = None) -> None:
        self.content = b''
        self.other_calls: list[str] = []
        self._fail_with = fail_with

    def __bool__(self) -> bool:
        return False

    def write(self, chunk: bytes) -> int:
        if self._fail_with is not None:
            raise self._fail_with
        self.content += chunk
        return len(chunk)

    def close(self) -> None:
        self.other_calls.append('close')

    def flush(self) -> None:
        self.other_calls.append('flush')


class DownloadConformance(ConformanceBase):
    """Iterator, object, path, both, and what failure leaves behind."""

    @pytest.fixture
    def image(self, api: API, member: Any) -> dict[str, Any]:
        """An active image with CONTENT."""
        return api.create(member, {'name': 'one', **RAW}, CONTENT)

    @pytest.mark.contract('C-126', 'C-283')
    def test_without_a_target_it_returns_an_iterator_of_bytes(self, api: API, member: Any, image: Any) -> None:
        chunks = api.download(member, image['id'])
        assert chunks is not None and iter(chunks) is chunks
        first = next(chunks)
        assert type(first) is bytes
        assert first + b''.join(chunks) == CONTENT
        assert list(chunks) == []

    @pytest.mark.contract('C-126')
    def test_the_iterator_has_the_images_length(self, api: API, member: Any, image: Any) -> None:
        chunks: Any = api.download(member, image['id'])
        assert len(chunks) == len(CONTENT)
        assert b''.join(chunks) == CONTENT

    @pytest.mark.contract('C-307')
    def test_the_iterator_can_be_closed_early(self, api: API, member: Any, image: Any) -> None:
        chunks: Any = api.download(member, image['id'])
        chunks.close()
        assert content_of(api, member, image) == CONTENT

    @pytest.mark.contract('C-128')
    def test_an_object_is_written_to_and_left_open(self, api: API, member: Any, image: Any) -> None:
        sink = _Sink()
        assert api.download(member, image['id'], sink) is None
        assert sink.content == CONTENT
        assert sink.other_calls == []

    @pytest.mark.contract('C-127')
    @pytest.mark.parametrize('kind', [str, Path])
    def test_a_path_gets_the_bytes(self, api: API, member: Any, image: Any, tmp_path: Path, kind: Any) -> None:
        target = tmp_path / 'image'
        assert api.download(member, image['id'], dest_path=kind(target)) is None
        assert target.read_bytes() == CONTENT
        assert os.listdir(tmp_path) == ['image']

    @pytest.mark.contract('C-127', 'D-8')
    def test_an_older_file_is_replaced_and_keeps_its_mode(
        self, api: API, member: Any, image: Any, tmp_path: Path
    ) -> None:
        target = tmp_path / 'image'
        target.write_bytes(b'older and longer' * 1000)
        target.chmod(0o604)
        api.download(member, image['id'], dest_path=str(target))
        assert target.read_bytes() == CONTENT
        assert target.stat().st_mode & 0o777 == 0o604

    @pytest.mark.contract('C-137', 'D-8')
    def test_what_stands_under_a_path_is_on_disk(
        self, api: API, member: Any, image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced = set()

        def noting(real: Any) -> Any:
            def sync(file: Any) -> None:
                synced.add(os.stat(file).st_ino)
                real(file)

            return sync

        for name in ('fsync', 'fdatasync'):
            monkeypatch.setattr(os, name, noting(getattr(os, name)))
        api.download(member, image['id'], dest_path=str(tmp_path / 'image'))
        assert synced >= {(tmp_path / 'image').stat().st_ino, tmp_path.stat().st_ino}

    @pytest.mark.contract('C-128')
    def test_with_both_targets_the_object_wins(self, api: API, member: Any, image: Any, tmp_path: Path) -> None:
        sink = io.BytesIO()
        assert api.download(member, image['id'], sink, str(tmp_path / 'image')) is None
        assert sink.getvalue() == CONTENT
        assert os.listdir(tmp_path) == []

    @pytest.mark.contract('C-133')
    def test_a_path_that_cannot_be_written_is_an_os_error(
        self, api: API, member: Any, image: Any, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError):
            api.download(member, image['id'], dest_path=str(tmp_path / 'missing' / 'image'))

    @pytest.mark.contract('C-137', 'D-8')
    def test_the_null_device_can_be_written_to(self, api: API, member: Any, image: Any) -> None:
        assert api.download(member, image['id'], dest_path=os.devnull) is None
        assert not Path(os.devnull).is_file()

    @pytest.mark.contract('D-8')
    def test_a_link_is_followed(self, api: API, member: Any, image: Any, tmp_path: Path) -> None:
        (tmp_path / 'link').symlink_to(tmp_path / 'target')
        api.download(member, image['id'], dest_path=str(tmp_path / 'link'))
        assert (tmp_path / 'link').is_symlink()
        assert (tmp_path / 'target').read_bytes() == CONTENT

    @pytest.mark.contract('C-130')
    def test_an_error_of_the_target_reaches_the_caller(self, api: API, member: Any, image: Any) -> None:
        failure = OSError(28, 'no space')
        with pytest.raises(OSError) as caught:
            api.download(member, image['id'], _Sink(failure))
        assert caught.value is failure

    @pytest.mark.contract('C-129', 'C-134')
    def test_an_absent_image_leaves_no_file_and_writes_nothing(
        self, api: API, member: Any, tmp_path: Path
    ) -> None:
        sink = _Sink()
        with pytest.raises(errors.ImageNotFound):
            api.download(member, ABSENT, sink)
        with pytest.raises(errors.ImageNotFound):
            api.download(member, ABSENT, dest_path=str(tmp_path / 'image'))
        with pytest.raises(errors.ImageNotFound):
            api.download(member, ABSENT)
        assert sink.content == b'' and os.listdir(tmp_path) == []

    @pytest.mark.contract('C-135', 'C-315')
    @pytest.mark.parametrize('also', [errors.ImageNotFound, errors.ImageUnacceptable])
    def test_an_image_without_data_says_so_and_leaves_no_file(
        self, api: API, member: Any, tmp_path: Path, also: type[Exception]
    ) -> None:
        image = api.create(member, dict(RAW))
        target = tmp_path / 'image'
        with pytest.raises(also):
            api.download(member, image['id'], dest_path=str(target))
        with pytest.raises(also):
            api.download(member, image['id'])
        with pytest.raises(also):
            api.download(member, image['id'], _Sink())
        assert not target.exists()

    @pytest.mark.contract('C-135')
    def test_an_image_without_data_leaves_an_older_file_alone(
        self, api: API, member: Any, tmp_path: Path
    ) -> None:
        image = api.create(member, dict(RAW))
        target = tmp_path / 'image'
        target.write_bytes(b'older')
        with pytest.raises(errors.ImageHasNoData):
            api.download(member, image['id'], dest_path=str(target))
        assert target.read_bytes() == b'older'

    @pytest.mark.contract('C-255')
    def test_an_empty_image_downloads_as_nothing(self, api: API, member: Any, tmp_path: Path) -> None:
        image = api.create(member, {'size': 0})
        assert content_of(api, member, image) == b''
        sink = _Sink()
        api.download(member, image['id'], sink)
        assert sink.content == b''
        api.download(member, image['id'], dest_path=str(tmp_path / 'image'))
        assert (tmp_path / 'image').read_bytes() == b''

    @pytest.mark.contract('C-126', 'C-209')
    def test_a_large_file_with_holes_comes_and_goes_whole(self, api: API, member: Any, tmp_path: Path) -> None:
        """More than is copied in one go (megabytes), from the middle of a file."""
        size, begin = 20 * 1024 * 1024, 7
        with (tmp_path / 'given').open('wb+') as given:
            for at in (0, size // 2, size - len(CONTENT)):
                given.seek(at)
                given.write(CONTENT)
            given.seek(begin)
            image = api.create(member, dict(RAW), given)
        wanted = (tmp_path / 'given').read_bytes()[begin:]
        api.download(member, image['id'], dest_path=str(tmp_path / 'image'))
        assert (tmp_path / 'image').read_bytes() == wanted
        assert image['size'] == len(wanted)
