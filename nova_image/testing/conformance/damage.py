# SPDX-License-Identifier: Apache-2.0
"""Conformance: stored bytes that went bad. Right, or absent, or an error; never silently wrong (D-8)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_image import API
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase, content_of, to_override


class DamageConformance(ConformanceBase):
    """For drivers whose stored bytes a test can reach. Override ``damage``."""

    @pytest.fixture
    def damage(self) -> Callable[[str], None]:
        """A function that flips one stored byte of the image with the given id."""
        raise to_override(self, 'damage', 'with a function that flips one stored byte of an image')

    @pytest.fixture
    def damaged(self, api: API, member: Any, damage: Callable[[str], None]) -> str:
        """The id of an image whose stored bytes are not what was uploaded."""
        image_id: str = api.create(member, dict(RAW), CONTENT)['id']
        damage(image_id)
        return image_id

    @pytest.mark.contract('C-132', 'D-8')
    def test_wrong_bytes_never_appear_at_the_path(
        self, api: API, member: Any, damaged: str, tmp_path: Path
    ) -> None:
        with pytest.raises(OSError):
            api.download(member, damaged, dest_path=str(tmp_path / 'image'))
        assert os.listdir(tmp_path) == []

    @pytest.mark.contract('D-8')
    def test_wrong_bytes_leave_an_older_file_alone(
        self, api: API, member: Any, damaged: str, tmp_path: Path
    ) -> None:
        (tmp_path / 'image').write_bytes(b'older')
        with pytest.raises(OSError):
            api.download(member, damaged, dest_path=str(tmp_path / 'image'))
        assert (tmp_path / 'image').read_bytes() == b'older'
        assert os.listdir(tmp_path) == ['image']

    @pytest.mark.contract('C-132')
    def test_wrong_bytes_end_the_iterator_with_an_error(self, api: API, member: Any, damaged: str) -> None:
        with pytest.raises(OSError):
            content_of(api, member, {'id': damaged})

    @pytest.mark.contract('C-132')
    def test_wrong_bytes_to_an_object_are_an_error(self, api: API, member: Any, damaged: str) -> None:
        with pytest.raises(OSError):
            api.download(member, damaged, io.BytesIO())
