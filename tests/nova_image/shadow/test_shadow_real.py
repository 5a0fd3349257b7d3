# SPDX-License-Identifier: Apache-2.0
"""A shadow over two Glance drivers on one real Glance: nothing differs, writes are done once, evidence promotes."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from nova_image import API, cli, errors
from nova_image.glance.driver import GlanceDriver
from nova_image.shadow.driver import ShadowDriver
from nova_image.shadow.ledger import Ledger
from nova_image.testing.configuration import glance_conf

pytestmark = pytest.mark.glance

ABSENT = '00000000-dead-4bad-8bad-0123456789ab'
RAW = {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare'}
CONTENT = b'0123456789' * 100_000


class LosesTheLimit(GlanceDriver):
    """Planted: a listing without its limit, and a delete that looks first."""

    def list(self, context: Any, **query: Any) -> Any:
        return super().list(context, **{**query, 'limit': None})

    def delete(self, context: Any, image_id: str, **more: Any) -> bool:
        self.show(context, image_id, **more)
        return super().delete(context, image_id, **more)


def shadowed(server: Any, tmp_path: Path, candidate: type[GlanceDriver]) -> API:
    options = {'load': 1, 'download_sample': 1, 'queue': 1000}
    options |= {'ledger': str(tmp_path / 'ledger'), 'stages': str(tmp_path / 'stages')}
    conf = glance_conf(server, **{f'image_shadow__{name}': value for name, value in options.items()})
    return API(ShadowDriver(conf, control=GlanceDriver(conf), candidate=candidate(conf)), conf=conf)


def use(api: API, contexts: Any, path: Path) -> None:
    """Every operation, going well and not."""
    me, stranger = contexts.member, contexts.stranger
    image = api.create(me, {**RAW, 'properties': {'a': 'b'}}, CONTENT)
    api.create(me, dict(RAW), io.BytesIO(CONTENT))
    api.create(me, dict(RAW))
    api.get(me, image['id'], include_locations=True)
    api.get_all(me, filters={'name': 'one'}, limit=2)
    assert b''.join(api.download(me, image['id']) or ()) == CONTENT
    api.download(me, image['id'], dest_path=path)
    api.update(me, image['id'], {'properties': {'c': 'd'}})
    api.update(me, image['id'], {'properties': {'e': None}}, purge_props=True)
    for call in (
        lambda: api.get(stranger, image['id']),
        lambda: api.download(me, ABSENT),
        lambda: api.update(me, ABSENT, {'name': 'x'}),
        lambda: api.delete(stranger, image['id']),
        lambda: api.create(me, {**RAW, 'disk_format': 'none such'}),
        lambda: api.create(me, {**RAW, 'is_public': True}),
        lambda: api.get_all(me, sort_key='none such'),
    ):
        with contextlib.suppress(errors.NovaException):
            call()
    api.delete(me, image['id'])


def found(api: API, tmp_path: Path) -> Ledger:
    assert api.driver.drain(60)  # type: ignore[attr-defined]
    return Ledger.read(str(tmp_path / 'ledger'))


def test_the_same_driver_twice_differs_in_nothing_and_is_promoted(
    glance_tenants: Any, image_contexts: Any, tmp_path: Path
) -> None:
    glance_tenants.reset()
    api = shadowed(glance_tenants, tmp_path, GlanceDriver)
    use(api, image_contexts, tmp_path / 'target')
    seen = found(api, tmp_path)
    assert not seen.mismatches
    assert {op for op, _, what in seen.calls if what == 'same'} == {
        'list', 'show', 'download', 'create', 'update', 'delete',
    }  # fmt: skip
    assert {branch for op, branch, _ in seen.calls if op == 'create'} == {'success', 'invalid', 'forbidden'}
    files = [str(tmp_path / 'ledger'), '--stages', str(tmp_path / 'stages')]
    assert cli.main(['mismatches', *files, '--promote', 'create', '--calls', '5']) == 0
    again = shadowed(glance_tenants, tmp_path, GlanceDriver)
    assert len(again.get_all(image_contexts.member)) == 2
    again.create(image_contexts.member, dict(RAW), CONTENT)
    assert len(again.get_all(image_contexts.member)) == 3
    assert not found(again, tmp_path).mismatches


def test_planted_faults_are_told(glance_tenants: Any, image_contexts: Any, tmp_path: Path) -> None:
    glance_tenants.reset()
    api = shadowed(glance_tenants, tmp_path, LosesTheLimit)
    use(api, image_contexts, tmp_path / 'target')
    told = {known['seen']['op']: known['seen']['fields'] for known in found(api, tmp_path).mismatches.values()}
    assert set(told) == {'list', 'delete'}
    assert 'result.ids' in told['list']
    assert told['delete'] == {'requests[0].method': {'control': 'DELETE', 'candidate': 'GET'}}
