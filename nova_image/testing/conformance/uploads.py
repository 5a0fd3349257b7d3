# SPDX-License-Identifier: Apache-2.0
"""Conformance: bytes on their way up, in ``create`` and ``update``."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase, content_of


class _FalsyFile(io.BytesIO):
    """A stream whose truth value says nothing about its content."""

    def __bool__(self) -> bool:
        return False


class _BareReader:
    """An object that can be read and nothing else."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


def _chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


FORMS: dict[str, Callable[[bytes], Any]] = {
    'bytes': bytes,
    'bytearray': bytearray,
    'file': io.BytesIO,
    'falsy file': _FalsyFile,
    'bare reader': _BareReader,
    'generator': _chunks,
    'list': lambda content: list(_chunks(content)),
}


class UploadConformance(ConformanceBase):
    """Data forms, activation, and what a failed upload leaves behind."""

    @pytest.mark.contract('C-165', 'C-217')
    @pytest.mark.parametrize('form', FORMS)
    def test_create_takes_every_form_of_data(self, api: API, member: Any, form: str) -> None:
        image = api.create(member, dict(RAW), FORMS[form](CONTENT))
        assert (image['status'], image['size']) == ('active', len(CONTENT))
        assert content_of(api, member, image) == CONTENT

    @pytest.mark.contract('C-175', 'C-217')
    @pytest.mark.parametrize('form', FORMS)
    def test_update_takes_every_form_of_data(self, api: API, member: Any, form: str) -> None:
        image_id = api.create(member, dict(RAW))['id']
        image = api.update(member, image_id, {}, FORMS[form](CONTENT))
        assert (image['status'], image['size']) == ('active', len(CONTENT))
        assert content_of(api, member, image) == CONTENT

    @pytest.mark.contract('C-165')
    def test_a_file_is_sent_from_where_it_stands_and_stays_open(self, api: API, member: Any) -> None:
        source = io.BytesIO(b'HEAD' + CONTENT)
        source.seek(4)
        image = api.create(member, dict(RAW), source)
        assert content_of(api, member, image) == CONTENT
        assert not source.closed

    def test_glance_keeps_md5_and_sha512(self, api: API, member: Any) -> None:
        """Glance's API: ``checksum`` is the MD5, ``os_hash_value`` by ``os_hash_algo`` sha512."""
        image = api.create(member, dict(RAW), CONTENT)
        assert image['checksum'] == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
        assert image['os_hash_algo'] == 'sha512'
        assert image['os_hash_value'] == hashlib.sha512(CONTENT).hexdigest()

    @pytest.mark.contract('D-5', 'C-159')
    @pytest.mark.parametrize('nothing', [None, '', b''])
    def test_nothing_to_send_leaves_the_image_queued(self, api: API, member: Any, nothing: Any) -> None:
        image = api.create(member, dict(RAW), nothing)
        assert image['status'] == 'queued'
        assert api.update(member, image['id'], {'name': 'x'}, nothing)['status'] == 'queued'

    @pytest.mark.contract('D-5', 'C-217')
    def test_an_empty_file_is_sent_and_activates(self, api: API, member: Any) -> None:
        image = api.create(member, dict(RAW), io.BytesIO(b''))
        assert (image['status'], image['size']) == ('active', 0)
        assert content_of(api, member, image) == b''

    @pytest.mark.contract('C-213', 'C-255', 'D-5')
    @pytest.mark.parametrize('nothing', [None, '', b''])
    def test_size_0_without_data_makes_an_empty_active_image(self, api: API, member: Any, nothing: Any) -> None:
        image = api.create(member, {'name': 'volume-backed', 'size': 0}, nothing)
        assert (image['status'], image['size']) == ('active', 0)
        assert (image['disk_format'], image['container_format']) == ('raw', 'bare')

    @pytest.mark.contract('C-255')
    def test_size_0_keeps_the_container_format(self, api: API, member: Any) -> None:
        image = api.create(member, {'size': 0, 'container_format': 'ovf', 'disk_format': 'raw'})
        assert (image['status'], image['container_format']) == ('active', 'ovf')

    @pytest.mark.contract('C-255', 'C-301')
    @pytest.mark.parametrize('disk_format', ['qcow2', None])
    def test_size_0_with_another_disk_format_is_refused(self, api: API, member: Any, disk_format: Any) -> None:
        with pytest.raises(errors.ImageBadRequest, match='disk_format'):
            api.create(member, {'size': 0, 'disk_format': disk_format})
        assert api.get_all(member) == []

    @pytest.mark.contract('C-253', 'C-254', 'D-9')
    @pytest.mark.parametrize('missing', ['disk_format', 'container_format'])
    def test_data_without_a_format_is_invalid_and_leaves_no_image(self, api: API, member: Any, missing: str) -> None:
        info = {key: value for key, value in RAW.items() if key != missing}
        with pytest.raises(errors.Invalid):
            api.create(member, info, CONTENT)
        assert api.get_all(member) == []

    @pytest.mark.contract('C-253', 'C-256', 'D-9')
    def test_data_of_another_format_is_refused_and_leaves_no_image(self, api: API, member: Any) -> None:
        with pytest.raises(errors.NovaException):
            api.create(member, {'disk_format': 'qcow2', 'container_format': 'bare'}, b'not a qcow2' * 1000)
        assert api.get_all(member) == []

    @pytest.mark.contract('C-253', 'D-9')
    def test_a_source_that_fails_leaves_no_image(self, api: API, member: Any) -> None:
        def failing() -> Iterator[bytes]:
            yield CONTENT
            raise ConnectionAbortedError('the source went away')

        with pytest.raises(Exception, match='the source went away|did not arrive|interrupted'):
            api.create(member, dict(RAW), failing())
        assert api.get_all(member) == []

    @pytest.mark.contract('D-9')
    def test_a_source_that_fails_leaves_no_active_image_after_update(self, api: API, member: Any) -> None:
        def failing() -> Iterator[bytes]:
            yield CONTENT
            raise ConnectionAbortedError('the source went away')

        image_id = api.create(member, dict(RAW))['id']
        with pytest.raises(Exception, match='the source went away|did not arrive|interrupted'):
            api.update(member, image_id, {}, failing())
        assert api.get(member, image_id)['status'] != 'active'

    @pytest.mark.contract('C-180')
    def test_an_image_takes_its_bytes_once(self, api: API, member: Any) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        with pytest.raises(errors.ImageConflict):
            api.update(member, image['id'], {}, b'other bytes')
        assert content_of(api, member, image) == CONTENT

    @pytest.mark.contract('C-254')
    def test_an_upload_without_formats_leaves_the_image_as_it_was(self, api: API, member: Any) -> None:
        image_id = api.create(member, {'name': 'one'})['id']
        with pytest.raises(errors.ImageBadRequest):
            api.update(member, image_id, {}, CONTENT)
        assert api.get(member, image_id)['status'] == 'queued'

    def test_a_few_megabytes_arrive_whole(self, api: API, member: Any) -> None:
        """D-9: the stored size and hash are those of what was sent."""
        content = hashlib.sha512(b'seed').digest() * (3 * 1024 * 16 + 1)
        image = api.create(member, dict(RAW), io.BytesIO(content))
        assert image['os_hash_value'] == hashlib.sha512(content).hexdigest()
        assert content_of(api, member, image) == content
