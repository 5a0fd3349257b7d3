# SPDX-License-Identifier: Apache-2.0
"""What a listing asks for when nothing is said, and who sees an image without a token."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from legacy import glance
from legacy.equivalence.decode import V2Image

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}


class Lister:
    """An injected client with nothing to list."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def call(self, context: Any, version: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        assert (version, method, args) == (1, 'list', ())
        self.asked.append(kwargs)
        return []


def nobody(**attributes: Any) -> Any:
    """A context without a token that is no administrator's."""
    words = {'auth_token': None, 'is_admin': False, 'project_id': 'p', 'user_id': 'u'}
    return SimpleNamespace(**{**words, **attributes})


@pytest.mark.contract('C-068')
@pytest.mark.parametrize(
    ('given', 'sent'),
    [
        ({}, {'is_public': 'none'}),
        ({'filters': {'name': 'n'}}, {'name': 'n', 'is_public': 'none'}),
        ({'filters': {'is_public': True}}, {'is_public': True}),
        ({'filters': {'is_public': None}}, {'is_public': None}),
    ],
)
def test_a_listing_that_says_nothing_of_visibility_filters_nothing_by_it(given: Any, sent: Any, ctx: Any) -> None:
    client = Lister()
    glance.GlanceImageService(client).detail(ctx, **given)
    assert client.asked == [{'filters': sent}]


@pytest.mark.contract('C-068', 'C-071')
@pytest.mark.usefixtures('local')
def test_private_images_are_listed_with_and_without_filters(ctx: Any, admin: Any) -> None:
    service = glance.GlanceImageService()
    public = service.create(admin, {**META, 'is_public': True})['id']
    private = service.create(ctx, {**META, 'is_public': False})['id']
    for filters in (None, {}, {'name': 'n'}, {'is_public': 'none'}):
        assert {record['id'] for record in service.detail(ctx, filters=filters)} == {public, private}
    assert [record['id'] for record in service.detail(ctx, filters={'is_public': True})] == [public]
    assert [record['id'] for record in service.detail(ctx, filters={'is_public': False})] == [private]


@pytest.mark.contract('C-075')
@pytest.mark.usefixtures('local')
def test_filters_under_properties_are_filters_by_custom_property(ctx: Any) -> None:
    service = glance.GlanceImageService()
    made = [service.create(ctx, {**META, 'properties': {'a': str(number % 2)}})['id'] for number in range(4)]
    expected = [made[3], made[1]]
    for filters in ({'properties': {'a': '1'}}, {'property-a': '1'}, {'properties': {'a': '1'}, 'name': 'n'}):
        assert [record['id'] for record in service.detail(ctx, filters=filters, page_size=1)] == expected
    assert service.detail(ctx, filters={'properties': {'a': '1'}, 'name': 'x'}) == []


@pytest.mark.contract('C-081')
@pytest.mark.parametrize(
    ('image', 'shown'),
    [
        ({'visibility': 'public'}, True),
        ({'visibility': 'PUBLIC'}, True),
        ({'visibility': 'shared'}, False),
        ({'visibility': 'community'}, False),
        ({'visibility': 'private'}, False),
        ({'visibility': 'private', 'is_public': True}, False),
        ({'is_public': True}, True),
        ({'is_public': False}, False),
    ],
)
def test_public_is_a_word_in_any_case_or_the_old_flag(image: dict[str, Any], shown: bool) -> None:
    assert glance._is_image_available(nobody(), SimpleNamespace(properties={}, **image)) is shown


@pytest.mark.contract('C-087')
@pytest.mark.parametrize('image', [{'is_public': False, 'properties': {}}, {'visibility': 'private'}])
def test_the_owner_of_an_image_is_not_asked_about(image: dict[str, Any]) -> None:
    assert not glance._is_image_available(nobody(project_id='p'), V2Image(owner='p', **image))


@pytest.mark.contract('C-087')
@pytest.mark.usefixtures('local')
def test_an_owner_without_a_token_does_not_see_the_image(ctx: Any) -> None:
    service = glance.GlanceImageService()
    assert service.create(ctx, META)['owner'] == 'p'
    assert service.detail(nobody(project_id='p', user_id='u')) == []
    assert len(service.detail(ctx)) == 1


@pytest.mark.contract('C-089')
@pytest.mark.parametrize(
    ('custom', 'shown'),
    [
        ({}, False),
        ({'owner_id': 'p'}, True),
        ({'owner_id': 'other', 'user_id': 'u'}, False),
        ({'project_id': 'p'}, True),
        ({'user_id': 'u'}, True),
        ({'user_id': 'other'}, False),
    ],
)
def test_the_rule_reads_custom_keys_at_the_top_of_a_v2_model(custom: dict[str, str], shown: bool) -> None:
    model = V2Image(id='i', visibility='shared', owner='p', **custom)
    assert glance._is_image_available(nobody(), model) is shown
    assert glance._is_image_available(nobody(), SimpleNamespace(**model)) is shown
