# SPDX-License-Identifier: Apache-2.0
"""Conformance over HTTP: bytes that arrive whole and right, or not at all (D-8, D-9)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.testing import faults
from nova_image.testing.conformance.base import CONTENT, RAW, content_of
from nova_image.testing.conformance.http import ApiAt, HTTPBase
from nova_image.testing.faults import Fault
from nova_image.testing.faulty import FaultyGlance

HASHES = [('sha512', 'md5'), ('sha512',), ('sha256',), ('md5',)]
PART = 1000


def _file() -> Any:
    file = io.BytesIO(b'skipped' + CONTENT)
    file.seek(len(b'skipped'))
    return file


class _Pipe:
    """Something to read once."""

    def __init__(self) -> None:
        self.read = io.BytesIO(CONTENT).read


class _Untold(io.BytesIO):
    """A file that does not know where it is (C-210)."""

    def tell(self) -> int:
        return 0


class _Stuck(io.BytesIO):
    """A file that cannot go back."""

    def seek(self, *args: int) -> int:
        raise OSError('it only goes forward')


def _chunks() -> Iterator[bytes]:
    for start in range(0, len(CONTENT), PART):
        yield CONTENT[start : start + PART]


SOURCES: dict[str, Callable[[], Any]] = {'file': _file, 'bytes': lambda: CONTENT, 'pipe': _Pipe, 'chunks': _chunks}
ONCE: dict[str, Callable[[], Any]] = {
    'pipe': _Pipe, 'chunks': _chunks, 'untold': lambda: _Untold(CONTENT), 'stuck': lambda: _Stuck(CONTENT),
}  # fmt: skip
#: That it is SHA-256 is known too late to hash on the way; only what can be read again is compared with that.
COMPARED = [
    pytest.param(source, hashes, id=f'{source}-{"+".join(hashes)}')
    for source in SOURCES
    for hashes in HASHES
    if 'sha256' not in hashes or source in ('file', 'bytes')
]


class HTTPTransferConformance(HTTPBase):
    """Uploads and downloads over a bad line, and servers that store or send something else."""

    # Uploads.

    @pytest.mark.contract('D-9')
    @pytest.mark.parametrize(('source', 'hashes'), COMPARED)
    def test_an_upload_is_compared_with_what_is_stored(
        self, api_at: ApiAt, member: Any, source: str, hashes: tuple[str, ...]
    ) -> None:
        with FaultyGlance(hashes) as glance:
            api = api_at(glance)
            stored = api.create(member, dict(RAW), SOURCES[source]())['id']
            assert glance.store.contents == {stored: CONTENT}
            glance.inject(faults.corrupt('PUT file', at=PART))
            with pytest.raises(errors.ImageUploadIncomplete):
                api.create(member, dict(RAW), SOURCES[source]())
            assert set(glance.store.records) == {stored}

    @pytest.mark.contract('D-9')
    def test_an_upload_that_was_stored_in_part_is_no_image(self, api_at: ApiAt, member: Any) -> None:
        with FaultyGlance(()) as glance:
            glance.inject(faults.short('PUT file', at=PART))
            with pytest.raises(errors.ImageUploadIncomplete):
                api_at(glance).create(member, dict(RAW), _chunks())
            assert glance.store.records == {}

    @pytest.mark.contract('C-059', 'C-210', 'D-9')
    @pytest.mark.parametrize('fault', [faults.cut('PUT file', at=PART), faults.status('PUT file', 503)], ids=['cut', '503'])
    def test_an_upload_that_failed_is_sent_again_from_its_start(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, fault: Fault
    ) -> None:
        glance.inject(fault)
        image = api_at(glance).create(member, dict(RAW), _file())
        assert image['status'] == 'active' and glance.store.contents == {image['id']: CONTENT}
        assert glance.count('PUT file') == 2

    @pytest.mark.contract('C-210', 'C-253', 'D-9')
    @pytest.mark.parametrize('source', ONCE)
    def test_an_upload_that_cannot_be_sent_again_is_an_error(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, source: str
    ) -> None:
        glance.inject(faults.status('PUT file', 503))
        with pytest.raises(errors.ImageUploadNotRepeatable):
            api_at(glance).create(member, dict(RAW), ONCE[source]())
        assert glance.store.records == {} and glance.count('PUT file') == 1

    # Downloads.

    @pytest.mark.contract('C-132', 'D-8')
    @pytest.mark.parametrize('hashes', HASHES, ids='+'.join)
    def test_a_wrong_byte_is_found_by_whatever_hash_there_is(
        self, api_at: ApiAt, member: Any, tmp_path: Path, hashes: tuple[str, ...]
    ) -> None:
        with FaultyGlance(hashes) as glance:
            api, image = api_at(glance, glance__num_retries=0), glance.store.add(CONTENT)
            assert content_of(api, member, image) == CONTENT
            glance.inject(faults.corrupt('GET file', at=PART, times=0))
            with pytest.raises(errors.ImageCorrupt):
                content_of(api, member, image)
            with pytest.raises(errors.ImageCorrupt):
                api.download(member, image['id'], dest_path=str(tmp_path / 'image'))
            assert os.listdir(tmp_path) == []

    @pytest.mark.contract('D-8')
    @pytest.mark.parametrize('fault', [faults.cut, faults.reset, faults.unterminated, faults.short])
    def test_a_download_that_broke_off_is_finished(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, tmp_path: Path, fault: Callable[..., Fault]
    ) -> None:
        image = glance.store.add(CONTENT)
        glance.inject(fault('GET file', at=PART))
        api_at(glance).download(member, image['id'], dest_path=str(tmp_path / 'image'))
        assert (tmp_path / 'image').read_bytes() == CONTENT and os.listdir(tmp_path) == ['image']
        assert glance.count('GET file') == 2

    @pytest.mark.contract('D-8')
    @pytest.mark.parametrize('hashes', [('sha512', 'md5'), ()], ids=['hash', 'no hash'])
    def test_a_body_that_just_ends_is_no_image(
        self, api_at: ApiAt, member: Any, tmp_path: Path, hashes: tuple[str, ...]
    ) -> None:
        """D-8: neither a length nor a broken connection tells; the image's size does."""
        with FaultyGlance(hashes) as glance:
            api, image = api_at(glance, glance__num_retries=0), glance.store.add(CONTENT)
            glance.inject(faults.short('GET file', at=PART, times=0))
            with pytest.raises(errors.ImageDownloadIncomplete):
                api.download(member, image['id'], dest_path=str(tmp_path / 'image'))
            with pytest.raises(errors.ImageDownloadIncomplete):
                content_of(api, member, image)
            assert os.listdir(tmp_path) == []

    @pytest.mark.contract('C-132', 'D-8')
    @pytest.mark.parametrize('policy', ['refuse', 'warn', 'accept'])
    def test_what_becomes_of_an_image_without_a_hash_is_configured(
        self, api_at: ApiAt, member: Any, caplog: pytest.LogCaptureFixture, policy: str
    ) -> None:
        with FaultyGlance(()) as glance:
            api, image = api_at(glance, image__no_hash=policy), glance.store.add(CONTENT)
            if policy == 'refuse':
                with pytest.raises(errors.ImageHashMissing):
                    content_of(api, member, image)
            else:
                assert content_of(api, member, image) == CONTENT
            warned = [each for each in caplog.records if image['id'] in each.getMessage()]
            assert len(warned) == (1 if policy == 'warn' else 0)

    @pytest.mark.contract('C-315')
    def test_an_answer_without_a_body_is_no_empty_image(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, tmp_path: Path
    ) -> None:
        image = glance.store.add(CONTENT)
        glance.inject(faults.status('GET file', 204, body=b''))
        with pytest.raises(errors.ImageHasNoData):
            api_at(glance).download(member, image['id'], dest_path=str(tmp_path / 'image'))
        assert os.listdir(tmp_path) == []

    @pytest.mark.contract('C-307')
    def test_a_connection_is_used_again(self, api_at: ApiAt, glance: FaultyGlance, member: Any) -> None:
        api, image = api_at(glance), glance.store.add(CONTENT)
        for _ in range(3):
            assert content_of(api, member, image) == CONTENT
            api.download(member, image['id'], io.BytesIO())
        assert len({each.connection for each in glance.requests}) == 1

    @pytest.mark.contract('C-307')
    def test_a_download_that_is_given_up_disturbs_no_other(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any
    ) -> None:
        api, image = api_at(glance), glance.store.add(CONTENT * 1000)
        chunks: Any = api.download(member, image['id'])
        assert next(chunks)
        chunks.close()
        assert api.get(member, image['id'])['id'] == image['id']
        assert content_of(api, member, image) == CONTENT * 1000
