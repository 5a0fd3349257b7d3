# SPDX-License-Identifier: Apache-2.0
"""The same images in a local store and in a real Glance: every listing and every ``show`` answers alike."""

from __future__ import annotations

import itertools
import json
import random
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf
from nova_image.testing.contexts import Context, ImageContexts
from nova_image.testing.servers import GlanceServer

pytestmark = pytest.mark.glance

FILTERS = {
    'name': ['a', 'in:a,b', 'in:"a,b",zz', 'eq:a', '', 'neq:a', 'é', 'in:,', 'in:a,', 'in:"a', 'in:a"b"', 'in:x'],
    'status': ['queued', 'active', 'in:queued,active', 'x'],
    'container_format': ['bare', 'in:bare,ami'],
    'disk_format': ['raw'],
    'owner': ['project-a', 'project-b', 'project-admin', 'x'],
    'visibility': ['public', 'private', 'shared', 'community', 'all', 'x', ''],
    'size': ['10', '1', 'x'],
    'size_min': ['0', '5', 'x', '-1'],
    'size_max': ['10', '0'],
    'min_ram': ['0', '512', 'x'],
    'min_ram_max': ['1'],
    'min_disk': ['5'],
    'virtual_size': ['10'],
    'protected': ['true', 'false', 'True', ''],
    'os_hidden': ['true', 'True', 'x', 'false'],
    'p': ['1', 'é', '', '2'],
    'Arch': ['1'],
    'os_type': ['1'],
    'tag': ['x', 'y', ' x ', 'q'],
    'tags': ['ab', 'x'],
    'member_status': ['all', 'pending', 'rejected', 'x'],
    'created_at': ['gt:2020-01-01', 'lt:2020-01-01T00:00:00Z', 'gte:2020-01-01T00:00:00+02:00', 'x', 'eq:x', 'xx:x'],
    'updated_at': ['lt:2090-01-01T00:00:00Z', 'neq:2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'],
    'checksum': ['9dd4e461268c8034f5c8564e155c67a6'],
    'name_min': ['3'],
    'foo_max': ['1'],
}
SORT_KEYS = ['name', 'status', 'container_format', 'disk_format', 'size', 'id', 'created_at']


class Twins:
    """A Glance and a local driver with the same images."""

    def __init__(self, server: GlanceServer, driver: LocalDriver, contexts: ImageContexts) -> None:
        self.server = server
        self.driver = driver
        self.contexts: list[Context] = list(contexts)
        self.ids: list[str] = []
        self.choose = random.Random(5)

    def ask(self, context: Context, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        raw = isinstance(body, bytes)
        headers = {
            'x-auth-token': context.auth_token or '',
            'content-type': 'application/octet-stream' if raw else 'application/json',
        }
        data = body if raw or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text.startswith(b'{') else text
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, None

    def add(self) -> None:
        choose = self.choose
        context = choose.choice(self.contexts)
        visibilities = ['private', 'shared', 'community'] + ['public'] * context.is_admin
        fields = {
            'name': choose.choice([None, 'a', 'b', 'A', 'a,b', 'in:x', 'é', '', 'zz']),
            'visibility': choose.choice(visibilities),
            'min_ram': choose.choice([0, 1, 512]),
            'min_disk': choose.choice([0, 5]),
            'protected': choose.random() < 0.2,
            'os_hidden': choose.random() < 0.15,
            'disk_format': choose.choice([None, 'raw', 'ami']),
            'container_format': choose.choice([None, 'bare', 'ami']),
            'tags': choose.sample(['x', 'y', 'z', 'ab', 'a', 'b'], choose.randint(0, 3)),
        }
        names = choose.sample(['p', 'q', 'os_type', 'Arch'], choose.randint(0, 3))
        properties = {name: choose.choice(['1', '2', 'é', '']) for name in names}
        status, made = self.ask(context, 'POST', '/v2/images', {**fields, **properties})
        assert status == 201
        self.ids.append(made['id'])
        self.driver.create(context, {**fields, 'id': made['id'], 'properties': properties})
        if fields['disk_format'] and fields['container_format']:
            data = b'x' * choose.choice([1, 10, 100])
            assert self.ask(context, 'PUT', f'/v2/images/{made["id"]}/file', data)[0] == 204
            self.driver.update(context, made['id'], {}, data)
        if fields['visibility'] == 'shared':
            self.share(context, made['id'])

    def share(self, owner: Context, image_id: str) -> None:
        member = self.contexts[2] if owner.project_id != self.contexts[2].project_id else self.contexts[0]
        status = self.choose.choice(['pending', 'accepted', 'rejected'])
        members = f'/v2/images/{image_id}/members'
        assert self.ask(owner, 'POST', members, {'member': member.project_id})[0] == 200
        assert self.ask(member, 'PUT', f'{members}/{member.project_id}', {'status': status})[0] == 200
        self.driver.share(owner, image_id, str(member.project_id), status)

    def query(self) -> tuple[dict[str, str], dict[str, Any]]:
        choose = self.choose
        names = choose.sample(list(FILTERS), choose.choice([0, 1, 1, 1, 2, 3]))
        words: dict[str, Any] = {'limit': choose.choice([1, 3, 1000, 1000])}
        if choose.random() < 0.5:
            keys = choose.sample(SORT_KEYS, choose.randint(1, 3)) if choose.random() < 0.9 else ['bad']
            words['sort_key'] = keys
            words['sort_dir'] = [choose.choice(['asc', 'desc']) for _ in range(choose.choice([0, 1, len(keys), 2]))]
        if choose.random() < 0.3:
            words['marker'] = choose.choice(self.ids) if choose.random() < 0.9 else 'x'
        return {name: choose.choice(FILTERS[name]) for name in names}, words


@pytest.fixture(scope='module')
def twins(glance_tenants: GlanceServer, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    from nova_image.testing.contexts import tenant_contexts

    glance_tenants.reset()
    store: Path = tmp_path_factory.mktemp('twin')
    made = Twins(glance_tenants, LocalDriver(local_conf(store)), tenant_contexts())
    for _ in range(30):
        made.add()
    return made


def test_every_image_is_shown_alike_to_everybody(twins: Twins) -> None:
    for image_id, context in itertools.product(twins.ids, twins.contexts):
        status, theirs = twins.ask(context, 'GET', f'/v2/images/{image_id}')
        if status != 200:
            with pytest.raises(errors.ImageNotFound):
                twins.driver.show(context, image_id)
            assert status == 404
            continue
        ours = twins.driver._wire(context, image_id)
        for image in (theirs, ours):
            for key in ('created_at', 'updated_at', 'locations'):
                del image[key]
            image['stores'] = 'stores' in image
            image['tags'].sort()
        assert ours == theirs


@pytest.mark.contract('C-232', 'C-233', 'C-235')
def test_every_listing_is_answered_alike(twins: Twins) -> None:
    for _ in range(250):
        context = twins.choose.choice(twins.contexts)
        filters, words = twins.query()
        parameters = [*filters.items(), *words.items()]
        status, answer = twins.ask(context, 'GET', f'/v2/images?{urllib.parse.urlencode(parameters, doseq=True)}')
        theirs = [image['id'] for image in answer['images']] if status == 200 else status
        ours: Any
        try:
            ours = [record['id'] for record in twins.driver.list(context, filters=filters, **words)]
        except errors.NovaException as exc:
            ours = exc.code
        assert ours == theirs, (context.user_id, parameters)
