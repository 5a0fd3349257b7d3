# SPDX-License-Identifier: Apache-2.0
"""Conformance: image signatures. Bytes that are not what was signed are never handed out (C-304)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_image import API, ImageDriver, errors
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase

_Fetch = Callable[[str], bytes]


class SignatureConformance(ConformanceBase):
    """For every driver; one that does not verify says so. Override ``signed`` where bytes can be signed."""

    @pytest.fixture
    def signed(self) -> Callable[[bytes], dict[str, str]] | None:
        """A function that signs bytes and gives the ``img_signature*`` properties, or None: nobody can sign here."""
        return None

    @pytest.fixture
    def verifying(self, driver: ImageDriver) -> Iterator[None]:
        """``[glance] verify_glance_signatures`` is on."""
        driver.conf.set_override('verify_glance_signatures', True, group='glance')
        yield
        driver.conf.clear_override('verify_glance_signatures', group='glance')

    @pytest.fixture(params=['path', 'data', 'iterator'])
    def fetch(self, request: pytest.FixtureRequest, api: API, member: Any, tmp_path: Path) -> _Fetch:
        """Download in one of the three ways; what a failed one leaves is looked at here."""

        def by(image_id: str) -> bytes:
            path, sink = tmp_path / 'image', io.BytesIO()
            try:
                if request.param == 'path':
                    api.download(member, image_id, dest_path=str(path))
                    return path.read_bytes()
                if request.param == 'data':
                    api.download(member, image_id, sink)
                    return sink.getvalue()
                return b''.join(api.download(member, image_id) or ())
            except Exception:
                assert os.listdir(tmp_path) == []
                assert sink.getvalue() == b''
                raise

        return by

    @pytest.mark.contract('C-304')
    def test_an_image_without_a_signature_is_refused(
        self, api: API, driver: ImageDriver, member: Any, fetch: _Fetch, verifying: None
    ) -> None:
        image = api.create(member, dict(RAW), CONTENT)
        refusal = errors.SignatureVerificationError if driver.verifies_signatures else errors.NotBuilt
        with pytest.raises(refusal):
            fetch(image['id'])

    @pytest.mark.contract('C-146', 'C-304')
    def test_only_what_was_signed_is_handed_out(
        self, api: API, driver: ImageDriver, member: Any, fetch: _Fetch, verifying: None,
        signed: Callable[[bytes], dict[str, str]] | None,
    ) -> None:  # fmt: skip
        if signed is None or not driver.verifies_signatures:
            pytest.skip('nobody can sign here')
        image = api.create(member, dict(RAW), CONTENT)['id']
        # Later than the bytes: some services verify an upload themselves, with certificates of their own.
        api.update(member, image, {'properties': signed(CONTENT[::-1])})
        with pytest.raises(errors.SignatureVerificationError):
            fetch(image)
        api.update(member, image, {'properties': signed(CONTENT)})
        assert fetch(image) == CONTENT
