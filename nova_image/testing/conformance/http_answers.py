# SPDX-License-Identifier: Apache-2.0
"""Conformance over HTTP: what each answer of a server, and none, comes to."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from nova_image import errors
from nova_image.testing import faults
from nova_image.testing.conformance.base import CONTENT, RAW
from nova_image.testing.conformance.http import CALLS, ApiAt, Caller, HTTPBase
from nova_image.testing.faults import Fault
from nova_image.testing.faulty import FaultyGlance

_EVERYWHERE = {413: errors.ImageQuotaExceeded, 500: errors.ImageServiceError, 503: errors.GlanceConnectionFailed}
_ONE = {
    400: errors.ImageBadRequest, 401: errors.ImageNotAuthorized, 403: errors.ImageNotAuthorized,
    404: errors.ImageNotFound, 409: errors.ImageConflict, **_EVERYWHERE,
}  # fmt: skip
_ANY = {
    400: errors.Invalid, 401: errors.Forbidden, 403: errors.Forbidden, 404: errors.NotFound, 409: errors.ImageConflict,
    **_EVERYWHERE,
}  # fmt: skip
#: the error for each status, by what is asked (C-185, C-188, C-236, C-298 to C-310)
ERRORS: dict[str, dict[int, type[errors.NovaException]]] = {
    'GET image': _ONE,
    'PATCH image': _ONE,
    'GET file': _ONE,
    'DELETE image': {**_ONE, 409: errors.ImageDeleteConflict},
    'GET images': _ANY,
    'POST images': _ANY,
}


class HTTPAnswerConformance(HTTPBase):
    """Statuses, records of other servers, lost answers, and several servers."""

    @pytest.mark.contract('C-185', 'C-188', 'C-236', 'C-298')
    @pytest.mark.parametrize('status', _ONE)
    @pytest.mark.parametrize('route', ERRORS)
    def test_a_status_is_this_error(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, route: str, status: int
    ) -> None:
        api, image = api_at(glance, glance__num_retries=0), glance.store.add(CONTENT)['id']
        glance.inject(faults.status(route, status, times=0))
        with pytest.raises(errors.NovaException) as caught:
            CALLS[route](api, member, image)
        expected = ERRORS[route][status]
        assert isinstance(caught.value, expected)
        others = {each for each in ERRORS[route].values() if not issubclass(expected, each)}
        assert not isinstance(caught.value, tuple(others))
        assert glance.store.contents == {image: CONTENT}

    @pytest.mark.contract('C-104')
    @pytest.mark.parametrize(
        'text', ['2026-02-01T10:00:00Z', '2026-02-01T10:00:00', '2026-02-01T11:00:00+01:00', '2026-02-01T10:00:00.000Z']
    )
    def test_a_time_is_in_utc_however_it_is_written(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, text: str
    ) -> None:
        image = glance.store.add(CONTENT)['id']
        glance.store.records[image]['created_at'] = text
        found = api_at(glance).get(member, image)['created_at']
        assert (found.replace(tzinfo=None), found.utcoffset()) == (
            datetime.datetime(2026, 2, 1, 10), datetime.timedelta(0)
        )  # fmt: skip

    @pytest.mark.contract('C-263', 'D-3')
    def test_a_purge_leaves_the_services_own_properties_alone(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any
    ) -> None:
        image = glance.store.add(CONTENT, mine='x', os_glance_importing_to_stores='ceph')['id']
        api_at(glance).update(member, image, {'properties': {'new': 'y'}}, purge_props=True)
        left = glance.store.show(image)
        assert (left.get('mine'), left['new'], left['os_glance_importing_to_stores']) == (None, 'y', 'ceph')

    @pytest.mark.contract('C-048')
    @pytest.mark.parametrize('fault', [faults.status('GET images', 503, after=1), faults.cut('GET images', after=1)])
    def test_a_page_that_fails_once_loses_and_doubles_no_image(self, api_at: ApiAt, member: Any, fault: Fault) -> None:
        with FaultyGlance(page_size=2) as glance:
            made = [glance.store.add(b'x')['id'] for _ in range(5)]
            glance.inject(fault)
            assert [each['id'] for each in api_at(glance).get_all(member)] == made[::-1]

    @pytest.mark.contract('C-074')
    @pytest.mark.parametrize(('limit', 'page_size'), [(2, 1), (2, 2), (3, 2), (300, 100)])
    def test_no_request_is_made_for_a_page_that_is_not_needed(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, limit: int, page_size: int
    ) -> None:
        for _ in range(limit + 5):
            glance.store.add()
        assert len(api_at(glance).get_all(member, limit=limit, page_size=page_size)) == limit
        assert glance.count('GET images') == -(-limit // page_size)

    @pytest.mark.contract('C-048')
    @pytest.mark.parametrize('fault', [faults.cut, faults.reset, faults.lost])
    def test_an_image_whose_creation_is_not_answered_is_not_made_over_and_over(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, fault: Any
    ) -> None:
        glance.inject(fault('POST images', times=3))
        image = api_at(glance, glance__num_retries=3).create(member, dict(RAW), CONTENT)
        assert glance.store.contents == {image['id']: CONTENT}
        assert len(glance.store.records) <= 2, 'one that nobody could know of, and the one that is given back'

    @pytest.mark.contract('C-049', 'C-050')
    @pytest.mark.parametrize('retries', [0, 2])
    def test_a_failing_server_is_asked_once_and_num_retries_times(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any, retries: int
    ) -> None:
        glance.inject(faults.status('GET images', 503, times=0))
        with pytest.raises(errors.GlanceConnectionFailed):
            api_at(glance, glance__num_retries=retries).get_all(member)
        assert glance.count('GET images') == 1 + retries

    @pytest.mark.contract('C-045', 'C-048')
    def test_of_several_servers_the_one_that_answers_is_asked(
        self, api_at: ApiAt, glance: FaultyGlance, member: Any
    ) -> None:
        """D-10: a server that stays down costs its price once, and one that is back is asked again."""
        with FaultyGlance() as down:
            api = api_at(glance, down, glance__num_retries=3)
            glance.inject(faults.status('GET images', 503, times=1))
            down.inject(faults.status('GET images', 503, times=0))
            api.get_all(member)
            asked = down.count('GET images')
            for _ in range(6):
                api.get_all(member)
            assert down.count('GET images') == asked

    @pytest.mark.contract('C-322')
    def test_the_address_of_the_service_is_the_first_that_is_configured(
        self, api_at: ApiAt, glance: FaultyGlance
    ) -> None:
        api = api_at(glance, 'http://another:9292')
        assert {api.generate_glance_url(Caller()) for _ in range(4)} == {glance.url}
