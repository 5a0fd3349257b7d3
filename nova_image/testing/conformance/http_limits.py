# SPDX-License-Identifier: Apache-2.0
"""Conformance over HTTP: no server holds a caller longer than the options say (D-10).

Nothing here is measured with a clock: a server that goes on after more than the limit finds nobody there any more.
"""

from __future__ import annotations

import io
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing import faults
from nova_image.testing.conformance.base import CONTENT, RAW
from nova_image.testing.conformance.http import CALLS, ApiAt, HTTPBase
from nova_image.testing.faulty import FaultyGlance

LIMIT_S = 0.2
#: how long a server is silent that goes on afterwards
LATE_S = 0.7
LOST = (errors.ImageTransferError, errors.GlanceConnectionFailed)


def _limited(api_at: ApiAt, glance: FaultyGlance, **limits: float) -> API:
    return api_at(glance, glance__num_retries=0, **{f'image__{name}': value for name, value in limits.items()})


class HTTPLimitConformance(HTTPBase):
    """Silent, slow and dripping servers."""

    @pytest.mark.contract('D-10')
    @pytest.mark.parametrize('route', CALLS)
    def test_a_server_that_does_not_answer_in_time_is_given_up(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, route: str
    ) -> None:
        image = glance.store.add(CONTENT)['id']
        glance.inject(faults.late(route, LATE_S))
        limit = 'upload_answer_timeout' if route == 'PUT file' else 'first_byte_timeout'
        with pytest.raises(errors.GlanceConnectionFailed):
            CALLS[route](_limited(api_at, glance, **{limit: LIMIT_S}), member, image)

    @pytest.mark.contract('D-10')
    @pytest.mark.parametrize('route', ['GET images', 'GET image', 'GET file'])
    def test_an_answer_that_stops_moving_is_given_up(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, route: str
    ) -> None:
        image = glance.store.add(CONTENT)['id']
        glance.inject(faults.pause(route, at=100, seconds=LATE_S))
        with pytest.raises(LOST):
            CALLS[route](_limited(api_at, glance, stall_timeout=LIMIT_S), member, image)

    @pytest.mark.contract('D-10')
    def test_a_drip_is_no_progress(self, api_at: ApiAt, glance: FaultyGlance, member: Any) -> None:
        """D-10: each byte comes within the limit, and fewer of them than have to."""
        image = glance.store.add(CONTENT)['id']
        glance.inject(faults.drip('GET file', at=len(CONTENT) - 4, seconds=LIMIT_S / 2))
        with pytest.raises(errors.ImageTransferStalled):
            CALLS['GET file'](_limited(api_at, glance, stall_timeout=LIMIT_S * 0.75, stall_bytes=2), member, image)

    @pytest.mark.contract('D-10')
    @pytest.mark.parametrize('route', ['GET images', 'GET image', 'PATCH image', 'DELETE image', 'POST images'])
    @pytest.mark.parametrize('limit_s', [LIMIT_S, 1e-9], ids=['short', 'over at once'])
    def test_a_metadata_call_has_a_limit_in_all(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, route: str, limit_s: float
    ) -> None:
        image = glance.store.add(CONTENT)['id']
        glance.inject(faults.late(route, LATE_S))
        with pytest.raises(errors.GlanceConnectionFailed):
            CALLS[route](_limited(api_at, glance, metadata_timeout=limit_s), member, image)

    @pytest.mark.contract('D-10')
    def test_a_limit_of_zero_is_none(self, api_at: ApiAt, glance: FaultyGlance, member: Any) -> None:
        names = ('first_byte_timeout', 'stall_timeout', 'upload_answer_timeout', 'metadata_timeout')
        api = _limited(api_at, glance, **dict.fromkeys(names, 0))
        glance.inject(faults.late('GET image', LIMIT_S), faults.pause('GET file', at=100, seconds=LIMIT_S))
        image = api.create(member, dict(RAW), CONTENT)
        api.download(member, image['id'], io.BytesIO())

    @pytest.mark.contract('D-10')
    def test_a_transfer_has_none_in_all(self, api_at: ApiAt, glance: FaultyGlance, member: Any) -> None:
        api = _limited(api_at, glance, metadata_timeout=LATE_S - 0.1)
        glance.inject(faults.late('PUT file', LATE_S), faults.late('GET file', LATE_S))
        image = api.create(member, dict(RAW), CONTENT)
        api.download(member, image['id'], io.BytesIO())

    @pytest.mark.contract('D-10')
    @pytest.mark.parametrize('status', [429, 503])
    def test_the_pause_that_a_server_asks_for_is_kept_within_limits(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, status: int
    ) -> None:
        api, image = api_at(glance), glance.store.add(CONTENT)['id']
        glance.inject(faults.status('GET image', status, headers={'Retry-After': '0'}))
        assert api.get(member, image)['id'] == image
        glance.inject(faults.status('GET image', status, headers={'Retry-After': '3600'}))
        if status == 503:
            assert api.get(member, image)['id'] == image
        else:
            with pytest.raises(errors.NovaException, match='3600'):
                api.get(member, image)

    @pytest.mark.contract('D-10')
    @pytest.mark.parametrize('asked', ['soon', '-1', 'Thu, 01 Jan 1970 00:00:00 GMT', f'Fri, 01 Jan {"9" * 20} 00:00:00 GMT'])
    def test_a_pause_that_is_none_is_as_good_as_not_asked_for(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, asked: str
    ) -> None:
        api, image = api_at(glance), glance.store.add(CONTENT)['id']
        glance.inject(faults.status('GET image', 503, headers={'Retry-After': asked}))
        assert api.get(member, image)['id'] == image
