# SPDX-License-Identifier: Apache-2.0
"""Who may do what on a local store: identities, sharing, deactivation, stores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nova_image import errors
from nova_image.local import rules
from nova_image.local.driver import LocalDriver

RAW = {'disk_format': 'raw', 'container_format': 'bare'}


@pytest.mark.contract('C-079', 'C-088')
@pytest.mark.parametrize('token', [None, ''])
def test_without_a_token_everybody_is_the_same_nobody(token: Any, caller: Any) -> None:
    assert rules.identity(caller('p', auth_token=token), 'keystone') == rules.NOBODY
    assert rules.identity(SimpleNamespace(), 'keystone') == rules.NOBODY
    assert rules.identity(caller('p'), 'noauth') == rules.NOBODY


@pytest.mark.contract('C-029')
def test_project_and_roles_are_read_under_their_old_names_too() -> None:
    old = SimpleNamespace(auth_token='t', tenant='p', roles=['Admin'])
    assert rules.identity(old, 'keystone') == rules.Identity('p', True)
    reader = SimpleNamespace(auth_token='t', project_id='p', roles=['reader'])
    assert rules.identity(reader, 'keystone') == rules.Identity('p', False, may_write=False)


def test_a_reader_reads_and_changes_nothing(driver: LocalDriver, someone: Any, caller: Any) -> None:
    made = driver.create(someone, dict(RAW), b'bytes')
    reader = caller(roles=['reader'])
    assert driver.show(reader, made['id']) == made
    for change in (
        lambda: driver.update(reader, made['id'], {'name': 'x'}),
        lambda: driver.delete(reader, made['id']),
        lambda: driver.create(reader, {}),
    ):
        with pytest.raises((errors.ImageNotAuthorized, errors.Forbidden)):
            change()


def test_a_shared_image_is_shown_to_members_and_listed_once_accepted(
    driver: LocalDriver, someone: Any, caller: Any
) -> None:
    made = driver.create(someone, {'visibility': 'shared'})
    member = caller('project-b')
    with pytest.raises(errors.ImageNotFound):
        driver.show(member, made['id'])
    driver.share(someone, made['id'], 'project-b', 'pending')
    assert driver.show(member, made['id'])['id'] == made['id']
    assert driver.list(member) == []
    driver.share(someone, made['id'], 'project-b')
    assert driver.list(member) == [made]
    with pytest.raises(errors.ImageNotAuthorized):
        driver.share(member, made['id'], 'project-c')


@pytest.mark.contract('C-259')
def test_a_snapshot_is_shared_with_the_owner_of_its_instance(driver: LocalDriver, admin: Any, caller: Any) -> None:
    made = driver.create(admin, {'properties': {'instance_owner': 'project-b'}})
    assert driver.show(caller('project-b'), made['id'])['properties'] == {}


def test_only_shared_images_have_members_and_not_too_many(driver: LocalDriver, someone: Any) -> None:
    private = driver.create(someone, {'visibility': 'private'})
    with pytest.raises(errors.ImageNotAuthorized):
        driver.share(someone, private['id'], 'project-b')
    shared = driver.create(someone, {'visibility': 'shared'})
    for number in range(rules.MAX_MEMBERS):
        driver.share(someone, shared['id'], f'project-{number}')
    with pytest.raises(errors.ImageQuotaExceeded):
        driver.share(someone, shared['id'], 'one too many')


@pytest.mark.contract('C-136')
def test_a_deactivated_image_is_downloaded_by_administrators_only(
    driver: LocalDriver, someone: Any, admin: Any
) -> None:
    made = driver.create(someone, dict(RAW), b'bytes')
    with pytest.raises(errors.ImageNotAuthorized):
        driver.set_active(someone, made['id'], active=False)
    driver.set_active(admin, made['id'], active=False)
    assert driver.show(someone, made['id'])['status'] == 'deactivated'
    with pytest.raises(errors.ImageNotAuthorized):
        driver.download(someone, made['id'])
    assert b''.join(driver.download(admin, made['id']) or ()) == b'bytes'
    driver.set_active(admin, made['id'], active=True)
    assert driver.show(someone, made['id'])['status'] == 'active'


@pytest.mark.contract('C-306')
def test_there_is_one_store_to_copy_to(driver: LocalDriver, someone: Any, admin: Any) -> None:
    queued = driver.create(someone, {})
    with pytest.raises(errors.ImageImportImpossible, match='active'):
        driver.copy_to_store(admin, queued['id'], 'other')
    active = driver.create(someone, dict(RAW), b'bytes')
    with pytest.raises(errors.ImageNotAuthorized):
        driver.copy_to_store(someone, active['id'], 'other')
    with pytest.raises(errors.ImageImportImpossible, match="'other' is not available"):
        driver.copy_to_store(admin, active['id'], 'other')
    with pytest.raises(errors.ImageBadRequest, match='already'):
        driver.copy_to_store(admin, active['id'], 'local')


@pytest.mark.contract('C-169', 'C-316')
@pytest.mark.parametrize('key', ['location', 'copy_from'])
def test_what_is_elsewhere_is_refused_and_never_kept_as_a_property(
    driver: LocalDriver, someone: Any, key: str
) -> None:
    with pytest.raises(errors.Invalid, match='expected data'):
        driver.create(someone, {**RAW, key: 'http://elsewhere/image'})
    assert driver.list(someone) == []


@pytest.mark.contract('C-172')
def test_an_unknown_target_store_is_a_bad_request(driver: LocalDriver, someone: Any) -> None:
    with pytest.raises(errors.Invalid, match="'nowhere' is not available"):
        driver.create(someone, {**RAW, 'store': 'nowhere'}, b'bytes')
    assert driver.create(someone, {**RAW, 'store': 'local'}, b'bytes')['stores'] == 'local'


def test_a_request_wrong_in_two_ways_changes_nothing(driver: LocalDriver, someone: Any) -> None:
    made = driver.create(someone, {'name': 'old', 'tags': ['a'], 'properties': {'p': '1'}})
    with pytest.raises(errors.ImageBadRequest):
        driver.update(someone, made['id'], {'name': 'new', 'tags': ['b'], 'properties': {'p': '2', 'q': '\U0001f600'}})
    assert driver.show(someone, made['id']) == made
