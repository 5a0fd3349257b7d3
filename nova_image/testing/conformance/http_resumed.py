# SPDX-License-Identifier: Apache-2.0
"""Conformance over HTTP: downloads that broke off or came wrong go on, begin again, or are an error (D-8)."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.testing import faults
from nova_image.testing.conformance.base import CONTENT
from nova_image.testing.conformance.http import ApiAt, HTTPBase
from nova_image.testing.faulty import FaultyGlance

PART, END = 1000, len(CONTENT) - 1


BEFORE = b'before'
OLDER = BEFORE + b'behind' * PART


def _with(content: bytes) -> bytes:
    """What a sink holds when that was written to it."""
    return BEFORE + content + OLDER[len(BEFORE) + len(content) :]


class _Sink(io.BytesIO):
    """Something to write to that has bytes of its caller around what comes."""

    def __init__(self) -> None:
        super().__init__(OLDER)
        self.seek(len(BEFORE))


class _Forward(_Sink):
    """It cannot go back."""

    def seekable(self) -> bool:
        return False


class _Lost(_Sink):
    """It does not know where it is."""

    def tell(self) -> int:
        return 0


class HTTPResumeConformance(HTTPBase):
    """Whatever is delivered is the image, once."""

    @pytest.mark.contract('D-8')
    @pytest.mark.parametrize(
        ('answered', 'is_the_rest'),
        [(f'{PART}-{END}/*', True), (f'{PART + 1}-{END}/{END + 1}', False), (f'{PART}-{END}/{END}', False), (None, False)],
    )
    def test_a_part_is_appended_where_it_is_said_to_be_the_rest(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, answered: str | None, is_the_rest: bool
    ) -> None:
        image, sink = glance.store.add(CONTENT), io.BytesIO()
        said = {'Content-Range': answered and f'bytes {answered}'}
        glance.inject(faults.cut('GET file', at=PART), faults.answers_with('GET file', said))
        api_at(glance).download(member, image['id'], sink)
        assert sink.getvalue() == CONTENT
        assert glance.count('GET file') == (2 if is_the_rest else 3)

    @pytest.mark.contract('D-8')
    def test_a_store_that_gives_no_parts_is_read_again(self, api_at: ApiAt, member: Any) -> None:
        with FaultyGlance(ranges=False) as glance:
            image, sink = glance.store.add(CONTENT), io.BytesIO()
            glance.inject(faults.cut('GET file', at=PART))
            api_at(glance).download(member, image['id'], sink)
            assert sink.getvalue() == CONTENT

    @pytest.mark.contract('D-8')
    def test_an_incomplete_download_says_how_far_it_came(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any
    ) -> None:
        image = glance.store.add(CONTENT)
        glance.inject(faults.cut('GET file', at=PART, times=2))
        with pytest.raises(errors.ImageDownloadIncomplete) as caught:
            api_at(glance).download(member, image['id'], io.BytesIO())
        assert glance.requests[-1].headers['Range'] == f'bytes={PART}-'
        assert (caught.value.kwargs['received'], caught.value.kwargs['expected']) == (2 * PART, len(CONTENT))

    @pytest.mark.contract('C-132', 'D-8')
    def test_wrong_bytes_are_fetched_again(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, tmp_path: Path
    ) -> None:
        api, image = api_at(glance), glance.store.add(CONTENT)
        glance.inject(faults.corrupt('GET file', at=PART))
        api.download(member, image['id'], dest_path=str(tmp_path / 'image'))
        assert (tmp_path / 'image').read_bytes() == CONTENT and os.listdir(tmp_path) == ['image']
        glance.inject(faults.corrupt('GET file', at=PART))
        sink = _Sink()
        api.download(member, image['id'], sink)
        assert sink.getvalue() == _with(CONTENT)
        assert glance.count('GET file') == 4

    @pytest.mark.contract('C-132', 'D-8')
    @pytest.mark.parametrize('kind', [_Forward, _Lost])
    def test_wrong_bytes_that_cannot_be_taken_back_are_an_error(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, kind: type[_Sink]
    ) -> None:
        image = glance.store.add(CONTENT)
        glance.inject(faults.corrupt('GET file', at=PART))
        with pytest.raises(errors.ImageCorrupt):
            api_at(glance).download(member, image['id'], kind())
        assert glance.count('GET file') == 1

    @pytest.mark.contract('D-8')
    @pytest.mark.parametrize('kind', [_Forward, _Lost])
    def test_what_broke_off_is_not_written_twice(self, api_at: ApiAt, member: Any, kind: type[_Sink]) -> None:
        with FaultyGlance(ranges=False) as glance:
            image, sink = glance.store.add(CONTENT), kind()
            glance.inject(faults.cut('GET file', at=PART))
            with pytest.raises(errors.ImageDownloadIncomplete):
                api_at(glance).download(member, image['id'], sink)
            assert sink.getvalue() == _with(CONTENT[:PART])
