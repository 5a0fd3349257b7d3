# SPDX-License-Identifier: Apache-2.0
"""Conformance: who sees what, and who may change it (Glance's default policies)."""

from __future__ import annotations

from typing import Any

import pytest

from nova_image import API, errors
from nova_image.testing.conformance.base import CONTENT, RAW, ConformanceBase, content_of, ids
from nova_image.testing.contexts import Context, ImageContexts


class TenantConformance(ConformanceBase):
    """For drivers that tell projects apart. Override ``contexts``."""

    @pytest.fixture
    def teammate(self, contexts: ImageContexts) -> Context:
        """Another user of the member's project."""
        return contexts.teammate

    @pytest.fixture
    def stranger(self, contexts: ImageContexts) -> Context:
        """A user of another project."""
        return contexts.stranger

    @pytest.fixture
    def admin(self, contexts: ImageContexts) -> Context:
        """An administrator."""
        return contexts.admin

    @pytest.fixture
    def publisher(self, admin: Context) -> Context:
        """Only administrators publish, by default policy (C-272)."""
        return admin

    def test_an_image_belongs_to_the_project_of_its_maker(self, api: API, member: Any) -> None:
        """Glance's API: ``owner`` is the caller's project."""
        assert api.create(member, {})['owner'] == member.project_id

    @pytest.mark.contract('C-170', 'C-248', 'C-329')
    def test_an_owner_given_by_a_member_is_ignored(self, api: API, member: Any, stranger: Any) -> None:
        image = api.create(member, {'owner': stranger.project_id})
        assert image['owner'] == member.project_id
        changed = api.update(member, image['id'], {'owner': stranger.project_id, 'name': 'two'})
        assert (changed['owner'], changed['name']) == (member.project_id, 'two')

    @pytest.mark.contract('C-248')
    def test_an_owner_given_by_an_administrator_counts(self, api: API, admin: Any, member: Any) -> None:
        image = api.create(admin, {'owner': member.project_id})
        assert api.get(member, image['id'])['owner'] == member.project_id

    def test_a_project_shares_its_images(self, api: API, member: Any, teammate: Any) -> None:
        """Glance's API: ownership is by project, not by user."""
        image = api.create(member, {'name': 'one', 'is_public': False, **RAW}, CONTENT)
        assert content_of(api, teammate, image) == CONTENT
        assert ids(api.get_all(teammate)) == {image['id']}
        assert api.update(teammate, image['id'], {'name': 'two'})['name'] == 'two'
        assert api.delete(teammate, image['id']) is True

    @pytest.mark.contract('C-235')
    @pytest.mark.parametrize('visibility', ['private', 'shared'])
    def test_a_stranger_does_not_find_an_image(
        self, api: API, member: Any, stranger: Any, visibility: str, tmp_path: Any
    ) -> None:
        image = api.create(member, {'name': 'one', 'visibility': visibility, **RAW}, CONTENT)
        for attempt in (api.get, api.delete, api.download):
            with pytest.raises(errors.ImageNotFound):
                attempt(stranger, image['id'])
        with pytest.raises(errors.ImageNotFound):
            api.update(stranger, image['id'], {'name': 'two'})
        with pytest.raises(errors.ImageNotFound):
            api.download(stranger, image['id'], dest_path=str(tmp_path / 'image'))
        assert not (tmp_path / 'image').exists()
        assert api.get_all(stranger) == []
        assert api.get_all(stranger, filters={'owner': member.project_id}) == []
        assert api.get(member, image['id']) == image

    @pytest.mark.contract('C-235')
    def test_a_public_image_is_everybodys_to_read(self, api: API, admin: Any, stranger: Any) -> None:
        image = api.create(admin, {'name': 'one', 'is_public': True, **RAW}, CONTENT)
        assert ids(api.get_all(stranger)) == {image['id']}
        assert api.get(stranger, image['id'])['is_public'] is True
        assert content_of(api, stranger, image) == CONTENT

    @pytest.mark.contract('C-179', 'C-185')
    @pytest.mark.parametrize('visibility', ['public', 'community'])
    def test_an_image_is_its_owners_to_change(
        self, api: API, admin: Any, stranger: Any, visibility: str
    ) -> None:
        image = api.create(admin, {'name': 'one', 'visibility': visibility, **RAW}, CONTENT)
        with pytest.raises(errors.ImageNotAuthorized):
            api.update(stranger, image['id'], {'name': 'two'})
        with pytest.raises(errors.ImageNotAuthorized):
            api.update(stranger, image['id'], {'properties': {'a': 'b'}}, purge_props=True)
        with pytest.raises(errors.ImageNotAuthorized):
            api.delete(stranger, image['id'])
        assert api.get(admin, image['id']) == image

    @pytest.mark.contract('C-272')
    def test_a_member_may_not_publish(self, api: API, member: Any) -> None:
        with pytest.raises(errors.Forbidden):
            api.create(member, {'is_public': True})
        assert api.get_all(member) == []
        image = api.create(member, {})
        with pytest.raises(errors.ImageNotAuthorized):
            api.update(member, image['id'], {'is_public': True})
        assert api.get(member, image['id']) == image

    def test_a_community_image_is_found_by_id_and_listed_on_request(
        self, api: API, member: Any, stranger: Any
    ) -> None:
        """Glance's API: ``community`` is readable by all, and left out of listings unless asked for."""
        image = api.create(member, {'name': 'one', 'visibility': 'community', **RAW}, CONTENT)
        assert api.get_all(stranger) == []
        assert ids(api.get_all(stranger, filters={'visibility': 'community'})) == {image['id']}
        assert api.get(stranger, image['id'])['visibility'] == 'community'
        assert content_of(api, stranger, image) == CONTENT

    @pytest.mark.contract('C-259')
    def test_instance_owner_shares_the_image_with_that_project(
        self, api: API, member: Any, stranger: Any
    ) -> None:
        info = {'properties': {'instance_owner': stranger.project_id, 'a': 'b'}, **RAW}
        image = api.create(member, info, CONTENT)
        assert image['properties'] == {'a': 'b'}
        assert api.get(stranger, image['id'])['id'] == image['id']
        assert content_of(api, stranger, image) == CONTENT
        with pytest.raises(errors.ImageNotAuthorized):
            api.update(stranger, image['id'], {'name': 'two'})
        # Not accepted yet, hence not in the stranger's listing.
        assert api.get_all(stranger) == []

    @pytest.mark.contract('C-235')
    def test_an_administrator_sees_and_changes_everything(
        self, api: API, member: Any, stranger: Any, admin: Any
    ) -> None:
        made = [api.create(who, {'name': 'one', 'is_public': False, **RAW}, CONTENT) for who in (member, stranger)]
        assert ids(api.get_all(admin)) == ids(made)
        assert content_of(api, admin, made[0]) == CONTENT
        assert api.update(admin, made[0]['id'], {'name': 'two'})['owner'] == member.project_id
        assert api.delete(admin, made[1]['id']) is True

    def test_a_marker_of_another_project_is_forbidden(self, api: API, member: Any, stranger: Any) -> None:
        """Glance's API: a marker has to be an image that the caller can see, else 403 (C-236)."""
        image = api.create(member, {'is_public': False})
        with pytest.raises(errors.Forbidden):
            api.get_all(stranger, marker=image['id'])

    @pytest.mark.contract('C-328')
    def test_a_deleted_marker_is_invalid(self, api: API, member: Any) -> None:
        image = api.create(member, {})
        api.delete(member, image['id'])
        with pytest.raises(errors.Invalid):
            api.get_all(member, marker=image['id'])

    def test_the_owner_is_a_filter(self, api: API, member: Any, admin: Any) -> None:
        """Glance's API: ``owner`` narrows a listing; it does not widen what is seen."""
        theirs, ours = api.create(member, {}), api.create(admin, {})
        assert ids(api.get_all(admin, filters={'owner': member.project_id})) == {theirs['id']}
        assert ids(api.get_all(admin, filters={'owner': admin.project_id})) == {ours['id']}

    @pytest.mark.contract('C-231')
    def test_is_public_false_leaves_out_public_images(self, api: API, member: Any, admin: Any) -> None:
        made = {
            visibility: api.create(admin, {'visibility': visibility})['id']
            for visibility in ('public', 'private', 'shared')
        }
        found = ids(api.get_all(admin, filters={'is_public': False}))
        assert found == {made['private'], made['shared']}
        assert ids(api.get_all(member, filters={'is_public': True})) == {made['public']}
