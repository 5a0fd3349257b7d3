# SPDX-License-Identifier: Apache-2.0
"""The same law against a real Glance behind a proxy that disturbs it: 24 MiB, broken at 8 MiB."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nova_image
from nova_image import errors, pauses
from nova_image.glance.servers import HEALTH
from nova_image.testing.configuration import make_conf
from nova_image.testing.contexts import Context
from nova_image.testing.disturbance import Disturbance, DisturbingProxy
from nova_image.testing.servers import GlanceServer
from nova_image.transfer import download

pytestmark = pytest.mark.glance

MIB = 1024 * 1024
IMAGE = random.Random(11).randbytes(24 * MIB)
INFO = {'name': 'image', 'disk_format': 'raw', 'container_format': 'bare'}
CALLER = Context(user_id='u', project_id='p', is_admin=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, 'FIRST_S', 1)
    monkeypatch.setattr(download, '_PAUSE_S', 0.1)
    HEALTH.forget()


@pytest.fixture
def proxy(glance_server: GlanceServer) -> Iterator[DisturbingProxy]:
    glance_server.reset()
    with DisturbingProxy(glance_server.url) as through:
        yield through


def api_of(url: str, **options: Any) -> nova_image.API:
    settings: dict[str, Any] = {
        'api__auth_strategy': 'noauth',
        'glance__api_servers': [url],
        'image__stall_timeout': 1,
        'image__upload_answer_timeout': 5,
    }
    return nova_image.API('glance', conf=make_conf(**{**settings, **options}))


class Pipe:
    """read() only."""

    def __init__(self) -> None:
        self.read = io.BytesIO(IMAGE).read


UPLOADS = [
    Disturbance('cut', 'up', 8 * MIB, b'PUT '),
    Disturbance('reset', 'up', 8 * MIB, b'PUT '),
    Disturbance('answer', 'up', 8 * MIB, b'PUT '),
    Disturbance('answer', 'up', 0, b'PUT '),
    Disturbance('stall', 'up', 8 * MIB, b'PUT '),
    Disturbance('cut', 'down', 0, b'PUT '),
]


@pytest.mark.contract('C-059')
@pytest.mark.parametrize('source', ['file', 'pipe'])
@pytest.mark.parametrize('what', UPLOADS, ids=lambda each: f'{each.kind}-{each.direction}-{each.at}')
def test_an_upload_is_whole_or_an_error_without_an_orphan(
    glance_server: GlanceServer, proxy: DisturbingProxy, what: Disturbance, source: str
) -> None:
    proxy.disturb(what)
    api, straight = api_of(proxy.url), api_of(glance_server.url)
    try:
        record = api.create(CALLER, INFO, io.BytesIO(IMAGE) if source == 'file' else Pipe())
    except errors.NovaException:
        # A lost answer cannot be told from a lost upload; a Glance that still waits for the rest takes no other.
        assert source == 'pipe' or what.direction == 'down' or what.kind == 'stall'
        assert straight.get_all(CALLER) == []
    else:
        assert (record['status'], record['size']) == ('active', len(IMAGE))
        assert b''.join(straight.download(CALLER, record['id']) or ()) == IMAGE
        assert [each['id'] for each in straight.get_all(CALLER)] == [record['id']]
        assert source == 'file'
    assert proxy.struck == [what]


DOWNLOADS = ['cut', 'reset', 'stall', 'corrupt']


@pytest.mark.parametrize('kind', DOWNLOADS)
def test_a_download_is_right_in_the_end(
    glance_server: GlanceServer, proxy: DisturbingProxy, kind: Any, tmp_path: Path
) -> None:
    image = api_of(glance_server.url).create(CALLER, INFO, IMAGE)['id']
    marker = f'GET /v2/images/{image}/file'.encode()
    proxy.disturb(Disturbance(kind, 'down', 8 * MIB, marker))
    api_of(proxy.url).download(CALLER, image, dest_path=tmp_path / 'image')
    assert (tmp_path / 'image').read_bytes() == IMAGE
    assert len(proxy.struck) == 1


@pytest.mark.parametrize('kind', DOWNLOADS)
def test_a_download_that_never_succeeds_leaves_the_old_file(
    glance_server: GlanceServer, proxy: DisturbingProxy, kind: Any, tmp_path: Path
) -> None:
    image = api_of(glance_server.url).create(CALLER, INFO, IMAGE)['id']
    (tmp_path / 'image').write_bytes(b'old')
    proxy.disturb(Disturbance(kind, 'down', 1 * MIB, f'GET /v2/images/{image}/file'.encode(), times=0))
    with pytest.raises(errors.NovaException):
        api_of(proxy.url, glance__num_retries=1).download(CALLER, image, dest_path=tmp_path / 'image')
    assert [each.name for each in tmp_path.iterdir()] == ['image']
    assert (tmp_path / 'image').read_bytes() == b'old'


def test_a_broken_download_goes_on_with_a_range(glance_server: GlanceServer, proxy: DisturbingProxy) -> None:
    image = api_of(glance_server.url).create(CALLER, INFO, IMAGE)['id']
    glance_server.record()
    proxy.disturb(Disturbance('cut', 'down', 8 * MIB, f'GET /v2/images/{image}/file'.encode()))
    sink = io.BytesIO()
    api_of(proxy.url).download(CALLER, image, sink)
    assert sink.getvalue() == IMAGE
    asked = [each for each in glance_server.exchanges(clear=True) if each['path'].endswith('/file')]
    glance_server.record(False)
    assert [each['response']['status'] for each in asked if each['response']][-1] == 206
