# SPDX-License-Identifier: Apache-2.0
"""The wrapper's own clients, made by the real glanceclient, against a Glance on loopback: what twins around them found."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from legacy import glance
from legacy.equivalence import twin_stores
from legacy.equivalence.real_clients import Own
from nova_image import errors
from nova_image.testing import faults
from nova_image.testing.faulty import FaultyGlance

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')


@pytest.fixture(scope='module')
def server() -> Iterator[FaultyGlance]:
    with FaultyGlance() as made:
        yield made


def configured(**options: Any) -> Any:
    """No authentication, one attempt, and these options, for a while."""
    return twin_stores.process_settings(api__auth_strategy='noauth', glance__num_retries=0, **options)


@pytest.mark.contract('C-105')
def test_a_queued_image_of_v1_has_no_bytes(ctx: Any, server: FaultyGlance) -> None:
    image = server.store.add()
    with configured(glance__api_servers=[server.url]):
        assert glance.GlanceClientWrapper().call(ctx, 1, 'get', image['id']).size == 0


@pytest.mark.contract('C-135', 'C-315')
@pytest.mark.parametrize('service', ['GlanceImageService', 'GlanceImageServiceV2'])
@pytest.mark.parametrize('sink', [None, io.BytesIO()], ids=['iterator', 'object'])
def test_an_image_without_data_is_told_through_a_client_that_wraps_none(
    service: str, sink: Any, ctx: Any, server: FaultyGlance
) -> None:
    image = server.store.add()
    with configured(glance__api_servers=[server.url]), pytest.raises(errors.ImageHasNoData):
        getattr(glance, service)(Own(glance.GlanceClientWrapper())).download(ctx, image['id'], sink)


@pytest.mark.contract('C-041')
@pytest.mark.parametrize('tail', ['/v2', '/v2/', '/v2.15/'])
def test_a_version_at_the_end_of_a_server_is_no_part_of_its_address(tail: str, ctx: Any, server: FaultyGlance) -> None:
    image = server.store.add(b'abc')
    with configured(glance__api_servers=[server.url + tail]):
        assert glance.GlanceClientWrapper().call(ctx, 1, 'get', image['id']).size == 3
        assert glance.generate_glance_url() == server.url


@pytest.mark.contract('C-292')
def test_an_endpoint_that_is_set_is_where_a_wrapper_goes(ctx: Any, server: FaultyGlance) -> None:
    image = server.store.add(b'abc')
    with configured(glance__endpoint_override=server.url):
        wrapper = glance.GlanceClientWrapper()
        assert wrapper.call(ctx, 1, 'get', image['id']).size == 3
        assert wrapper.api_server == server.url
    with configured(glance__endpoint_override=server.url, DEFAULT__glance_api_servers=['older:9292']):
        assert next(glance.get_api_servers()) == ('older', 9292, False)


@pytest.mark.contract('C-177')
def test_an_update_of_v1_that_changes_nothing_asks_the_service_all_the_same(ctx: Any, server: FaultyGlance) -> None:
    image = server.store.add()
    with configured(glance__api_servers=[server.url]):
        before = server.count('PATCH image')
        glance.GlanceClientWrapper().call(ctx, 1, 'update', image['id'], purge_props=False)
        assert server.count('PATCH image') == before + 1
        server.inject(faults.status('PATCH image', 403))
        with pytest.raises(errors.ImageNotAuthorized):
            glance.GlanceImageService(Own(glance.GlanceClientWrapper())).update(ctx, image['id'], {})
