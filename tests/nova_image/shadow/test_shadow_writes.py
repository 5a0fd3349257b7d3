# SPDX-License-Identifier: Apache-2.0
"""Shadowed writes between HTTP drivers: done once, compared by requests, and nothing leaves the process."""

from __future__ import annotations

import io
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_image import API, errors
from nova_image.glance import session
from nova_image.glance.driver import GlanceDriver
from nova_image.shadow.driver import ShadowDriver
from nova_image.shadow.ledger import Ledger
from nova_image.testing import faults
from nova_image.testing.configuration import make_conf
from nova_image.testing.contexts import Context
from nova_image.testing.faulty import FaultyGlance

RAW = {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare'}
CONTENT = b'0123456789' * 1000
CTX = Context(user_id='u', project_id='p', auth_token='t0p-secret', is_admin=True)


class Rig:
    """A faulty Glance, a shadow whose two sides talk to it, and what was found."""

    def __init__(self, glance: FaultyGlance, ledger: Path, candidate: type[GlanceDriver], url: str | None) -> None:
        self.glance = glance
        self.ledger = ledger
        options = {'glance__api_servers': [glance.url], 'glance__num_retries': 0}
        shadowing = {'image_shadow__load': 1, 'image_shadow__download_sample': 1, 'image_shadow__ledger': str(ledger)}
        self.conf = make_conf(**options, **shadowing)
        other = self.conf if url is None else make_conf(**{**options, 'glance__api_servers': [url]})
        self.shadow = ShadowDriver(self.conf, control=GlanceDriver(self.conf), candidate=candidate(other))
        self.api = API(self.shadow, conf=self.conf)

    def found(self) -> Ledger:
        assert self.shadow.drain(20)
        return Ledger.read(str(self.ledger))

    def outcomes(self, op: str) -> dict[str, int]:
        return {what: count for (name, _, what), count in self.found().calls.items() if name == op}

    def fields(self) -> dict[str, Any]:
        (known,) = self.found().mismatches.values()
        return dict(known['seen']['fields'])


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    with FaultyGlance() as glance:
        yield lambda candidate=GlanceDriver, url=None: Rig(glance, tmp_path / 'ledger', candidate, url)
        session.close_all()


def queued(rig: Rig) -> str:
    return str(rig.api.create(CTX, dict(RAW))['id'])


def body(data: bytes) -> Iterator[bytes]:
    yield data[:5000]
    yield data[5000:]


@pytest.mark.parametrize('data', [None, CONTENT, 'text', io.BytesIO(CONTENT), body(CONTENT), [CONTENT, b'!']])
def test_a_create_of_whatever_body_is_done_once_and_is_the_same(rig: Callable[..., Rig], data: Any) -> None:
    made = rig()
    made.api.create(CTX, {**RAW, 'properties': {'a': 'b'}}, data)
    assert made.outcomes('create') == {'same': 1}
    assert made.glance.count('POST images') == 1
    assert made.glance.count('PUT file') == (data is not None)


def test_updates_and_deletes_and_their_refusals_are_the_same(rig: Callable[..., Rig]) -> None:
    made = rig()
    image_id = queued(made)
    made.api.update(CTX, image_id, {'properties': {'a': 'b'}}, CONTENT, purge_props=True)
    made.api.update(CTX, image_id, {'name': 'two'})
    made.api.delete(CTX, image_id)
    with pytest.raises(errors.ImageNotFound):
        made.api.delete(CTX, image_id)
    with pytest.raises(errors.BadImageInfo):
        made.api.create(CTX, dict(RAW), 5)
    made.glance.inject(faults.status('POST images', 403))
    with pytest.raises(errors.Forbidden):
        made.api.create(CTX, dict(RAW))
    assert made.outcomes('update') == {'same': 2}
    assert made.found().calls['delete', 'not-found', 'same'] == 1
    assert made.found().calls['create', 'forbidden', 'same'] == 1
    assert not made.found().mismatches
    assert made.glance.count('DELETE image') == 2


class PurgesByDefault(GlanceDriver):
    def update(
        self, context: Any, image_id: str, image_info: Any, data: Any = None, purge_props: bool = False, **more: Any
    ) -> Any:
        return super().update(context, image_id, image_info, data, True, **more)


def test_a_wrong_purge_default_is_told_by_the_patch_it_would_send(rig: Callable[..., Rig]) -> None:
    made = rig(PurgesByDefault)
    image = made.api.create(CTX, {**RAW, 'properties': {'a': 'b'}})
    made.api.update(CTX, image['id'], {'properties': {'c': 'd'}})
    fields = made.fields()
    assert list(fields) == ['requests[1].body']
    assert [each['op'] for each in fields['requests[1].body']['control']] == ['add']
    assert [each['op'] for each in fields['requests[1].body']['candidate']] == ['add', 'remove']
    record = made.api.get(CTX, image['id'])
    assert record['properties'] == {'a': 'b', 'c': 'd'}


class AsksMore(GlanceDriver):
    def delete(self, context: Any, image_id: str, **more: Any) -> bool:
        self.show(context, image_id, **more)
        super().delete(context, image_id, **more)
        return True


class LosesData(GlanceDriver):
    def create(self, context: Any, image_info: Any, data: Any = None) -> Any:
        return super().create(context, image_info)


class AnotherStore(GlanceDriver):
    def create(self, context: Any, image_info: Any, data: Any = None) -> Any:
        return super().create(context, {**image_info, 'store': 'fast'}, data)


def test_an_extra_request_is_told(rig: Callable[..., Rig]) -> None:
    made = rig(AsksMore)
    image_id = queued(made)
    made.api.delete(CTX, image_id)
    assert made.fields() == {'requests[0].method': {'control': 'DELETE', 'candidate': 'GET'}}
    assert made.glance.count('GET image') == 0


def test_a_lost_upload_is_told(rig: Callable[..., Rig]) -> None:
    made = rig(LosesData)
    made.api.create(CTX, dict(RAW), CONTENT)
    fields = made.fields()
    assert fields['requests[1]']['candidate'] == '(absent)'
    assert fields['requests[1]']['control']['method'] == 'PUT'


def test_a_lost_header_of_a_streamed_upload_is_told(rig: Callable[..., Rig]) -> None:
    made = rig(AnotherStore)
    made.api.create(CTX, dict(RAW), io.BytesIO(CONTENT))
    assert set(made.fields()) == {'requests[1].headers.x-image-meta-store'}


class Escapes(GlanceDriver):
    def delete(self, context: Any, image_id: str, **more: Any) -> bool:
        with socket.socket() as mine:
            mine.connect(('127.0.0.1', int(str(self.conf.glance.api_servers[0]).rpartition(':')[2])))
            mine.sendall(b'DELETE /v2/images/x HTTP/1.1\r\n\r\n')
        return True


def test_a_candidate_that_goes_its_own_way_does_not_get_out(rig: Callable[..., Rig]) -> None:
    made = rig(Escapes)
    image_id = queued(made)
    asked = len(made.glance.requests)
    made.api.delete(CTX, image_id)
    assert made.fields()['requests[0]']['candidate'] == '(absent)'
    assert len(made.glance.requests) == asked + 1


@pytest.mark.parametrize(
    'start',
    [
        lambda mark: subprocess.run(['touch', str(mark)], check=True),
        lambda mark: os.system(f'touch {mark}'),
        lambda mark: os.waitpid(os.posix_spawn('/usr/bin/env', ['env', 'touch', str(mark)], os.environ), 0),
        lambda mark: os.fork() or os.execlp('touch', 'touch', str(mark)),
    ],
    ids=['subprocess', 'shell', 'spawn', 'fork'],
)
def test_nor_does_it_by_a_child(rig: Callable[..., Rig], tmp_path: Path, start: Callable[[Path], object]) -> None:
    class Sends(GlanceDriver):
        def delete(self, context: Any, image_id: str, **more: Any) -> bool:
            start(tmp_path / 'mark')
            return super().delete(context, image_id, **more)

    made = rig(Sends)
    made.api.delete(CTX, queued(made))
    assert made.outcomes('delete') == {'different': 1}
    assert not (tmp_path / 'mark').exists()


def test_a_lost_answer_is_lost_for_the_candidate_too(rig: Callable[..., Rig]) -> None:
    made = rig()
    image_id = queued(made)
    made.glance.inject(faults.cut('DELETE image'))
    with pytest.raises(errors.GlanceConnectionFailed):
        made.api.delete(CTX, image_id)
    assert made.outcomes('delete') == {'control-failed': 1}


def test_the_caller_keeps_its_stream_for_itself(rig: Callable[..., Rig]) -> None:
    made = rig()
    data = io.BytesIO(b'head' + CONTENT)
    data.seek(4)
    made.api.create(CTX, dict(RAW), data)
    made.found()
    assert data.tell() == len(CONTENT) + 4
    assert not data.closed


def test_a_promoted_write_is_done_once_by_the_candidate(rig: Callable[..., Rig], tmp_path: Path) -> None:
    (tmp_path / 'stages').write_text('update = candidate\n')
    made = rig(PurgesByDefault)
    made.conf.set_override('stages', str(tmp_path / 'stages'), 'image_shadow')
    made.shadow = ShadowDriver(made.conf, control=made.shadow.control, candidate=made.shadow.candidate)
    image = made.api.create(CTX, {**RAW, 'properties': {'a': 'b'}})
    API(made.shadow, conf=made.conf).update(CTX, image['id'], {'properties': {'c': 'd'}})
    assert made.api.get(CTX, image['id'])['properties'] == {'c': 'd'}
    assert [each['op'] for each in made.fields()['requests[1].body']['control']] == ['add']
    assert made.glance.count('PATCH image') == 1


FAULTS = {
    'cut': (faults.cut('GET image', times=0), 'unreachable'),
    'status 500': (faults.status('GET image', 500, times=0), 'ImageServiceError'),
    'forbidden': (faults.status('GET image', 403, times=0), 'forbidden'),
    'never answers': (faults.stall('GET image', times=0), 'no answer in time'),
}


@pytest.mark.parametrize('name', FAULTS)
def test_a_failing_candidate_is_told_and_costs_the_caller_nothing(rig: Callable[..., Rig], name: str) -> None:
    fault, branch = FAULTS[name]
    with FaultyGlance() as other:
        made = rig(url=other.url)
        made.conf.set_override('timeout', 0.3, 'image_shadow')
        image = made.api.create(CTX, dict(RAW), CONTENT)
        other.inject(fault)
        assert made.api.get(CTX, image['id'])['id'] == image['id']
        (known,) = made.found().mismatches.values()
        assert known['seen']['candidate_branch'] == branch
        assert 't0p-secret' not in made.ledger.read_text()
        other.stopping.set()


def test_the_token_is_not_in_the_ledger_of_a_write(rig: Callable[..., Rig]) -> None:
    made = rig(PurgesByDefault)
    image = made.api.create(CTX, {**RAW, 'properties': {'a': CTX.auth_token, 'b': 'http://u:hush@host/?sig=hush'}})
    made.api.update(CTX, image['id'], {'properties': {'c': CTX.auth_token}, 'location': 'http://u:hush@host/'})
    made.found()
    text = made.ledger.read_text()
    assert '"update"' in text
    assert 't0p-secret' not in text
    assert 'hush' not in text


class ChangesSecrets(GlanceDriver):
    def update(self, context: Any, image_id: str, image_info: Any, *args: Any, **more: Any) -> Any:
        return super().update(context, image_id, {'properties': {'db_password': 'hush-2'}}, *args, **more)


def test_a_secret_is_none_the_less_one_in_a_patch(rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture) -> None:
    made = rig(ChangesSecrets)
    image_id = queued(made)
    made.api.update(CTX, image_id, {'properties': {'db_password': 'hush-1'}})
    made.api.update(CTX, image_id, {'properties': {'db_password': 'hush-3', 'and': 'more'}})
    assert made.outcomes('update') == {'different': 2}
    assert '/db_password' in made.ledger.read_text()
    assert 'hush' not in made.ledger.read_text() + caplog.text


def test_a_request_that_cannot_be_taken_down_is_sent_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from nova_image.shadow import tape

    monkeypatch.setattr(tape, 'told', lambda request: 1 / 0)
    taken = tape.Tape()
    assert taken(object(), lambda: 'sent') == 'sent'
    assert taken.exchanges == []
