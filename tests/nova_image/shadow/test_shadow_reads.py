# SPDX-License-Identifier: Apache-2.0
"""Shadowed reads: what differs is found and told without secrets, and the caller never notices anything."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from nova_image import API, errors
from nova_image.local.driver import LocalDriver
from nova_image.shadow.driver import ShadowDriver
from nova_image.shadow.ledger import Ledger
from nova_image.testing.configuration import local_conf, make_conf
from nova_image.testing.contexts import Context, tenant_contexts

RAW = {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare'}
CONTENT = b'0123456789' * 1000


class Planted(LocalDriver):
    """A local driver with something wrong, as each test sets it."""

    wrong: Callable[..., Any] = staticmethod(lambda op, answer, **args: answer())

    def list(self, context: Any, **query: Any) -> Any:
        return self.wrong('list', lambda: super(Planted, self).list(context, **query), context=context, **query)

    def show(self, context: Any, image_id: str, *args: Any, **more: Any) -> Any:
        call = lambda: super(Planted, self).show(context, image_id, *args, **more)
        return self.wrong('show', call, context=context, image_id=image_id)

    def download(self, context: Any, image_id: str, *args: Any, **more: Any) -> Any:
        call = lambda: super(Planted, self).download(context, image_id, *args, **more)
        return self.wrong('download', call, context=context, image_id=image_id)


class Pair(types.SimpleNamespace):
    shadow: ShadowDriver
    candidate: Planted
    api: API
    member: Context
    conf: cfg.ConfigOpts

    def found(self) -> Ledger:
        assert self.shadow.drain(10)
        path = self.conf.image_shadow.ledger
        return Ledger.read(path) if os.path.exists(path) else Ledger()

    def outcomes(self, op: str) -> dict[str, int]:
        calls = self.found().calls
        return {what: count for (name, _, what), count in calls.items() if name == op}

    def mismatch(self) -> dict[str, Any]:
        (known,) = self.found().mismatches.values()
        return {**known['seen'], 'count': known['count']}

    def image(self, **fields: Any) -> str:
        return str(self.api.create(self.member, {**RAW, **fields}, CONTENT)['id'])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    settings = {'load': 1, 'download_sample': 1, 'ledger': str(tmp_path / 'ledger'), 'stages': str(tmp_path / 'stages')}
    conf = local_conf(tmp_path / 'store', **{f'image_shadow__{name}': value for name, value in settings.items()})
    candidate = Planted(conf)
    shadow = ShadowDriver(conf, control=LocalDriver(conf), candidate=candidate)
    yield Pair(
        shadow=shadow, candidate=candidate, api=API(shadow, conf=conf), member=tenant_contexts().member, conf=conf
    )
    candidate.wrong = lambda op, answer, **args: answer()
    shadow.drain(5)


def test_what_is_the_same_is_counted_by_branch(pair: Pair) -> None:
    image_id = pair.image()
    pair.api.get(pair.member, image_id)
    with pytest.raises(errors.ImageNotFound):
        pair.api.get(pair.member, '00000000-dead-4bad-8bad-0123456789ab')
    pair.api.get_all(pair.member)
    found = pair.found()
    assert not found.mismatches
    assert found.calls == {
        ('show', 'success', 'same'): 1, ('show', 'not-found', 'same'): 1, ('list', 'success', 'same'): 1,
    }  # fmt: skip


def test_only_the_fields_that_differ_are_told(pair: Pair) -> None:
    image_id = pair.image(properties={'a': 'b'})
    pair.candidate.wrong = lambda op, answer, **args: {**answer(), 'min_ram': 7, 'properties': {'a': 'c'}}
    for _ in range(3):
        assert pair.api.get(pair.member, image_id)['min_ram'] == 0
    told = pair.mismatch()
    assert told['fields'] == {
        'result.min_ram': {'control': 0, 'candidate': 7},
        'result.properties.a': {'control': 'b', 'candidate': 'c'},
    }
    assert (told['op'], told['count'], told['args']['image_id']) == ('show', 3, image_id)


def test_a_lost_filter_shows_the_ids_that_should_not_be_there(pair: Pair) -> None:
    pair.image(name='one'), pair.image(name='two')
    pair.candidate.wrong = lambda op, answer, context, filters=None, **query: (
        LocalDriver.list(pair.candidate, context, **query)
    )
    (kept,) = pair.api.get_all(pair.member, filters={'name': 'one'})
    fields = pair.mismatch()['fields']
    assert [place for place in fields] == ['result.ids']
    assert fields['result.ids']['control'] == []
    assert len(fields['result.ids']['candidate']) == 1
    assert kept['id'] not in fields['result.ids']['candidate']


@pytest.mark.parametrize(
    ('raised', 'name'),
    [(errors.Forbidden(), 'Forbidden'), (SystemExit(3), 'SystemExit'), (KeyboardInterrupt(), 'KeyboardInterrupt')],
)
def test_whatever_the_candidate_raises_is_its_answer_and_costs_nothing(
    pair: Pair, raised: BaseException, name: str
) -> None:
    image_id = pair.image()

    def wrong(op: str, answer: Any, **args: Any) -> Any:
        raise raised

    pair.candidate.wrong = wrong
    assert pair.api.get(pair.member, image_id)['id'] == image_id
    told = pair.mismatch()
    assert list(told['fields']) == ['error']
    assert told['fields']['error']['candidate']['class'] == name
    assert told['candidate_branch'] in ('forbidden', name)


def test_secrets_are_never_in_the_ledger(pair: Pair) -> None:
    pair.member.auth_token = 't0p-secret'
    image_id = pair.image(properties={'db_password': 'hush-1', 'link': 'http://u:hush-2@host/p?sig=hush-3'})
    pair.candidate.wrong = lambda op, answer, context, **args: {
        **answer(), 'name': context.auth_token, 'properties': {'db_password': 'hush-4', 'link': 'http://u:hush-5@h/'},
        'locations': [{'url': 'swift://u:hush-6@h/', 'metadata': {'k': 'hush-7'}}],
    }  # fmt: skip
    pair.api.get(pair.member, image_id, include_locations=True)
    assert {'result.name', 'result.properties.db_password', 'result.properties.link'} == set(pair.mismatch()['fields'])
    text = Path(pair.conf.image_shadow.ledger).read_text()
    assert 'hush' not in text
    assert 't0p-secret' not in text


def test_the_candidate_can_change_nothing_of_the_callers(pair: Pair) -> None:
    pair.image()
    filters = {'properties': {'a': ['b']}}

    def wrong(op: str, answer: Any, context: Any, filters: Any, **args: Any) -> Any:
        filters['properties']['a'].append('c')
        context.project_id = 'other'
        return []

    pair.candidate.wrong = wrong
    found = pair.api.get_all(pair.member, filters=filters)
    found.append('mine')  # type: ignore[arg-type]
    pair.found()
    assert filters == {'properties': {'a': ['b']}}
    assert pair.member.project_id == tenant_contexts().member.project_id


def test_what_the_caller_does_to_its_result_is_not_compared(pair: Pair) -> None:
    image_id, go = pair.image(), threading.Event()
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10), answer())[1]
    record = pair.api.get(pair.member, image_id)
    record['properties']['mine'] = 'x'
    record.clear()
    go.set()
    assert pair.outcomes('show') == {'same': 1}


def test_an_image_that_changed_meanwhile_is_no_mismatch(pair: Pair) -> None:
    image_id, go = pair.image(), threading.Event()
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10), answer())[1]
    pair.api.get(pair.member, image_id)
    pair.api.update(pair.member, image_id, {'name': 'two'})
    go.set()
    assert pair.outcomes('show') == {'changed': 1}


def test_a_full_queue_drops_what_comes_and_counts_it(pair: Pair) -> None:
    pair.conf.set_override('queue', 2, 'image_shadow')
    image_id, go = pair.image(), threading.Event()
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10), answer())[1]
    began = time.monotonic()
    for _ in range(50):
        pair.api.get(pair.member, image_id)
    assert time.monotonic() - began < 5
    go.set()
    outcomes = pair.outcomes('show')
    assert outcomes['same'] <= 4
    assert sum(outcomes.values()) == 50


def test_a_candidate_that_hangs_is_given_up_and_comparing_goes_on(pair: Pair) -> None:
    pair.conf.set_override('timeout', 0.2, 'image_shadow')
    image_id, go, calls = pair.image(), threading.Event(), iter(range(100))
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10) if next(calls) == 0 else None, answer())[1]
    pair.api.get(pair.member, image_id)
    time.sleep(0.4)
    pair.api.get(pair.member, image_id)
    assert pair.outcomes('show') == {'different': 1, 'same': 1}
    assert pair.mismatch()['candidate_branch'] == 'no answer in time'
    go.set()


def test_a_candidate_that_always_hangs_takes_no_more_threads_than_a_few(pair: Pair) -> None:
    pair.conf.set_override('timeout', 0.01, 'image_shadow')
    image_id, go, before = pair.image(), threading.Event(), threading.active_count()
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10), answer())[1]
    for _ in range(10):
        for _ in range(3):  # so that some wait
            pair.api.get(pair.member, image_id)
        time.sleep(0.03)
    assert threading.active_count() - before <= 5
    go.set()


def test_downloads_are_compared_by_what_the_caller_got(pair: Pair, tmp_path: Path) -> None:
    image_id, target = pair.image(), tmp_path / 'target'
    assert b''.join(pair.api.download(pair.member, image_id) or ()) == CONTENT
    with open(tmp_path / 'sink', 'wb') as sink:
        pair.api.download(pair.member, image_id, data=sink)
    pair.api.download(pair.member, image_id, dest_path=target)
    assert target.read_bytes() == (tmp_path / 'sink').read_bytes() == CONTENT
    assert pair.outcomes('download') == {'same': 3}


def test_other_bytes_are_a_mismatch(pair: Pair) -> None:
    image_id = pair.image()
    pair.candidate.wrong = lambda op, answer, **args: answer() if op == 'show' else iter([CONTENT[:-1], b'!', b'?'])
    b''.join(pair.api.download(pair.member, image_id) or ())
    told = pair.mismatch()
    assert told['fields']['result.bytes'] == {'control': len(CONTENT), 'candidate': f'more than {len(CONTENT)}'}


def test_a_download_that_the_caller_leaves_is_counted_as_left(pair: Pair) -> None:
    image_id = pair.image()
    chunks = pair.api.download(pair.member, image_id)
    assert chunks is not None
    chunks.close()  # type: ignore[attr-defined]
    assert pair.outcomes('download') == {'abandoned': 1}


def test_long_downloads_are_not_compared(pair: Pair, tmp_path: Path) -> None:
    pair.conf.set_override('download_bytes', 100, 'image_shadow')
    image_id = pair.image()
    b''.join(pair.api.download(pair.member, image_id) or ())
    pair.api.download(pair.member, image_id, dest_path=tmp_path / 'target')
    assert pair.outcomes('download') == {'too-large': 2}


def test_a_file_that_the_caller_changed_since_is_not_blamed(pair: Pair, tmp_path: Path) -> None:
    image_id, go = pair.image(), threading.Event()
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10), answer())[1]
    pair.api.get(pair.member, image_id)
    pair.api.download(pair.member, image_id, dest_path=tmp_path / 'target')
    with open(tmp_path / 'target', 'ab') as file:
        file.write(b'more')
    go.set()
    assert pair.outcomes('download') == {'changed': 1}


def test_a_share_of_the_calls_is_compared(pair: Pair) -> None:
    pair.conf.set_override('sample', 0.0, 'image_shadow')
    pair.api.get(pair.member, pair.image())
    assert pair.outcomes('show') == {}


def test_writes_between_other_drivers_are_done_once_and_said_not_to_be_compared(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    ShadowDriver(pair.conf, control=pair.shadow.control, candidate=pair.candidate)
    assert 'compares reads only' in caplog.text
    pair.image()
    assert len(pair.api.get_all(pair.member)) == 1
    assert pair.outcomes('create') == {}


def test_a_promoted_operation_is_answered_by_the_candidate_and_rolled_back_by_one_line(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('nova_image.shadow.stages.LOOK_AGAIN_S', 0.0)
    stages = Path(pair.conf.image_shadow.stages)
    image_id = pair.image()
    pair.candidate.wrong = lambda op, answer, **args: {**answer(), 'name': 'candidate'}
    stages.write_text('show = candidate\n')
    assert pair.api.get(pair.member, image_id)['name'] == 'candidate'
    assert pair.mismatch()['fields'] == {'result.name': {'control': 'one', 'candidate': 'candidate'}}
    stages.write_text('show = compare\n')
    assert pair.api.get(pair.member, image_id)['name'] == 'one'
    stages.write_text('show = off  # for now\n')
    assert pair.api.get(pair.member, image_id)['name'] == 'one'
    assert pair.outcomes('show') == {'different': 2}


def test_a_stage_that_cannot_be_read_is_off(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    Path(pair.conf.image_shadow.stages).write_text('show = candidat\n')
    pair.candidate.wrong = lambda op, answer, **args: {**answer(), 'name': 'candidate'}
    assert pair.api.get(pair.member, pair.image())['name'] == 'one'
    assert "'show = candidat'" in caplog.text
    assert pair.outcomes('show') == {}


def test_threads_are_all_served_and_all_counted(pair: Pair) -> None:
    pair.conf.set_override('queue', 1000, 'image_shadow')
    image_id = pair.image()

    def reads() -> None:
        for _ in range(20):
            assert pair.api.get(pair.member, image_id)['id'] == image_id

    threads = [threading.Thread(target=reads) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pair.outcomes('show') == {'same': 160}


def test_a_forked_child_compares_by_itself_and_the_ledger_has_both(pair: Pair) -> None:
    image_id, go = pair.image(), threading.Event()
    pair.candidate.wrong = lambda op, answer, **args: (go.wait(10), {**answer(), 'min_disk': 1})[1]
    pair.api.get(pair.member, image_id)  # the thread is at work when the process forks

    def child() -> None:
        go.set()
        pair.api.get(pair.member, image_id)
        pair.shadow.drain(10)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    process.join(20)
    assert process.exitcode == 0
    go.set()
    assert pair.mismatch()['count'] == 2


def test_a_process_that_ends_at_once_leaves_what_it_found(pair: Pair) -> None:
    image_id = pair.image()
    program = f'''
from nova_image import API
from nova_image.testing.configuration import local_conf
from nova_image.testing.contexts import tenant_contexts
conf = local_conf({pair.conf.image.local_path!r}, image__driver='shadow', image_shadow__control='local',
                  image_shadow__candidate='local', image_shadow__ledger={pair.conf.image_shadow.ledger!r})
API(conf=conf).get(tenant_contexts().member, {image_id!r})
'''
    import subprocess
    import sys

    subprocess.run([sys.executable, '-W', 'error', '-c', program], check=True, timeout=60)
    assert pair.outcomes('show') == {'same': 1}


def test_the_candidate_may_have_options_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / 'candidate.conf'
    file.write_text(f'[image]\nlocal_path = {tmp_path / "other"}\n[api]\nauth_strategy = noauth\n')
    conf = make_conf(
        image__driver='shadow', image__local_path=str(tmp_path / 'store'), api__auth_strategy='noauth',
        image_shadow__control='local', image_shadow__candidate='local', image_shadow__candidate_config=str(file),
        image_shadow__ledger=str(tmp_path / 'ledger'),
    )  # fmt: skip
    api, context = API(conf=conf), Context(is_admin=True)
    image = api.create(context, dict(RAW), CONTENT)
    api.get(context, image['id'])
    assert api.driver.drain(10)  # type: ignore[attr-defined]
    (known,) = Ledger.read(str(tmp_path / 'ledger')).mismatches.values()
    assert known['seen']['candidate_branch'] == 'not-found'
    assert json.dumps(known['seen']['args'])


def test_a_candidate_that_cannot_be_made_is_told_once_and_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    conf = local_conf(
        tmp_path / 'store', image__driver='shadow', image_shadow__control='local', image_shadow__candidate='local',
        image_shadow__candidate_config=str(tmp_path / 'none.conf'), image_shadow__load=1,
    )  # fmt: skip
    api, member = API(conf=conf), tenant_contexts().member
    image = api.create(member, dict(RAW), CONTENT)
    for _ in range(3):
        assert api.get(member, image['id'])['id'] == image['id']
    api.driver.drain(10)  # type: ignore[attr-defined]
    assert caplog.text.count('The candidate cannot be made') == 1
    assert 'none.conf' in caplog.text


def test_a_promoted_candidate_that_cannot_be_made_leaves_the_answer_to_the_control(tmp_path: Path) -> None:
    (tmp_path / 'stages').write_text('show = candidate\ncreate = candidate\n')
    conf = local_conf(
        tmp_path / 'store', image__driver='shadow', image_shadow__control='local', image_shadow__candidate='local',
        image_shadow__candidate_config=str(tmp_path / 'none.conf'), image_shadow__stages=str(tmp_path / 'stages'),
    )  # fmt: skip
    api, member = API(conf=conf), tenant_contexts().member
    image = api.create(member, dict(RAW), CONTENT)
    assert api.get(member, image['id'])['id'] == image['id']


def test_a_thread_that_cannot_be_started_costs_the_caller_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    image_id = pair.image()
    monkeypatch.setattr(threading.Thread, 'start', refuses)
    assert pair.api.get(pair.member, image_id)['id'] == image_id
    monkeypatch.undo()
    assert pair.outcomes('show')['failed'] == 1


@pytest.mark.parametrize('name', [None, 'shadow', 'nonesuch'])
def test_a_candidate_that_is_none_is_refused_by_name(tmp_path: Path, name: str | None) -> None:
    conf = local_conf(tmp_path, image_shadow__control='local', image_shadow__candidate=name)
    with pytest.raises(errors.UnknownDriver, match=repr(name) if name != 'nonesuch' else name):
        ShadowDriver(conf)


@pytest.mark.contract('D-7')
def test_the_server_of_a_reference_is_told_to_both_drivers(pair: Pair) -> None:
    told = []
    pair.candidate.wrong = lambda op, answer, **args: told.append((op, args.get('server'))) or answer()
    stays = API.for_reference('http://h:1/images/x', driver=pair.shadow)
    image_id = stays.create(pair.member, RAW, CONTENT)['id']
    assert [each['id'] for each in stays.get_all(pair.member)] == [image_id]
    assert pair.outcomes('list')
    assert told == [('list', 'http://h:1')]
