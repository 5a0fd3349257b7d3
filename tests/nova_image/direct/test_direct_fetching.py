# SPDX-License-Identifier: Apache-2.0
"""Images past the service: right and whole, holes and all, or the next location, or the service."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import resource
import stat
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from nova_image import API, direct, transfer
from nova_image.direct import plugins
from nova_image.glance.driver import GlanceDriver
from nova_image.settings import Settings
from nova_image.testing import faults
from nova_image.testing.configuration import make_conf
from nova_image.testing.faulty import FaultyGlance

CTX = SimpleNamespace(auth_token=None, is_admin=False, project_id='p', user_id='u', roles=['member'])
DATA = random.Random(13).randbytes(300_000)


def record(data: bytes, *locations: Any, **fields: Any) -> dict[str, Any]:
    return {
        'id': 'i', 'status': 'active', 'size': len(data), 'os_hash_algo': 'sha512',
        'os_hash_value': hashlib.sha512(data).hexdigest(), 'locations': list(locations), **fields,
    }  # fmt: skip


def settings(**values: Any) -> Settings:
    conf = make_conf(glance__allowed_direct_url_schemes=['file', 'theirs', 'old', 'broken'])
    return Settings(conf, **values)


def at(path: Path) -> dict[str, Any]:
    return {'url': f'file://{path}', 'metadata': {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / 'folder'
    folder.mkdir()
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / 'source'
    source.write_bytes(DATA)
    return source


@pytest.mark.contract('C-138', 'C-139', 'C-142')
def test_a_file_is_fetched_to_a_path_whose_mode_it_keeps(source: Path, folder: Path) -> None:
    target = folder / 'target'
    target.write_bytes(b'older')
    target.chmod(0o640)
    assert direct.fetch(CTX, record(DATA, {'url': f'file://{source}'}), target, settings=settings())
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (DATA, 0o640)
    assert os.listdir(folder) == ['target']


@pytest.mark.contract('C-138')
@pytest.mark.parametrize(
    ('changed', 'values'),
    [
        ({}, {'allowed_direct_url_schemes': ()}),
        ({}, {'allowed_direct_url_schemes': ('filesystem',)}),
        ({'status': 'deactivated'}, {}),
        ({'locations': None}, {}),
    ],
)
def test_nothing_is_fetched_where_that_is_not_allowed_or_nothing_is_shown(
    changed: Any, values: Any, source: Path, folder: Path
) -> None:
    shown = {**record(DATA, at(source)), **changed}
    assert not direct.fetch(CTX, shown, folder / 'target', settings=settings(**values))
    assert os.listdir(folder) == []


@pytest.mark.contract('C-123', 'C-140')
def test_wrong_bytes_are_an_error_and_the_next_location_has_its_turn(
    source: Path, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target, wrong, short = folder / 'target', tmp_path / 'wrong', tmp_path / 'short'
    target.write_bytes(b'older')
    wrong.write_bytes(b'x' + DATA[1:])
    short.write_bytes(DATA[:-1])
    bad = [at(wrong), at(short), at(tmp_path / 'nowhere'), {'url': 'http://[x'}, {'url': 'nine://x'}]
    assert not direct.fetch(CTX, record(DATA, *bad), target, settings=settings())
    assert (target.read_bytes(), os.listdir(folder)) == (b'older', ['target'])
    failed = [each.getMessage() for each in caplog.records if each.exc_info]
    assert len(failed) == 4
    assert 'Hash was' in failed[0]
    assert 'No such file' in failed[2]
    assert direct.fetch(CTX, record(DATA, *bad, direct_url=f'file://{source}'), target, settings=settings())
    assert target.read_bytes() == DATA


def test_the_policy_for_images_without_a_hash_counts_here_too(
    source: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown = record(DATA, at(source), os_hash_algo=None, os_hash_value=None)
    assert not direct.fetch(CTX, shown, folder / 'target', settings=settings(no_hash='refuse'))
    assert os.listdir(folder) == []
    assert 'hash' in caplog.text
    assert direct.fetch(CTX, shown, folder / 'target', settings=settings(no_hash='accept'))


def test_special_targets_are_written_in_place_and_a_pipe_is_left_to_the_service(source: Path, folder: Path) -> None:
    assert direct.fetch(CTX, record(DATA, at(source)), os.devnull, settings=settings())
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    os.mkfifo(folder / 'pipe')
    assert not direct.fetch(CTX, record(DATA, at(source)), folder / 'pipe', settings=settings())
    (folder / 'link').symlink_to(folder / 'real')
    assert direct.fetch(CTX, record(DATA, at(source)), folder / 'link', settings=settings())
    assert (folder / 'link').is_symlink()
    assert (folder / 'real').read_bytes() == DATA


def test_a_source_that_changes_meanwhile_is_not_published(source: Path, folder: Path) -> None:
    changing = threading.Event()

    class Changes(transfer.FileBody):
        @property
        def length(self) -> int:
            if not changing.is_set():
                changing.set()
                with source.open('r+b') as file:
                    file.write(b'changed')
            return len(DATA)

        @length.setter
        def length(self, value: Any) -> None:
            pass

    fetcher = SimpleNamespace(open=lambda location: Changes(source.open('rb')))
    with mock.patch.object(plugins, 'fetcher', lambda scheme, conf: fetcher):
        assert not direct.fetch(CTX, record(DATA, at(source)), folder / 'target', settings=settings())
    assert os.listdir(folder) == []


def test_three_gib_with_holes_stay_three_gib_with_holes(tmp_path: Path, folder: Path) -> None:
    source, target, size = tmp_path / 'sparse', folder / 'target', 3 << 30
    places = (8192, (2 << 30) + 4096, size - 65536)
    with source.open('wb') as file:
        file.truncate(size)
        for place in places:
            file.seek(place)
            file.write(DATA[:12_288])
    shown = {'id': 'i', 'status': 'active', 'size': size, 'locations': [at(source)]}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert direct.fetch(CTX, shown, target, settings=settings(no_hash='accept'))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
    assert (target.stat().st_size, target.stat().st_blocks) == (size, source.stat().st_blocks)
    with target.open('rb') as file:
        for place in places:
            file.seek(place)
            assert file.read(12_288) == DATA[:12_288]
        holes = [os.lseek(file.fileno(), place, os.SEEK_HOLE) for place in places]
    assert holes == [place + 12_288 for place in places]


class Points:
    """Entry points that somebody installed."""

    def __init__(self, **modules: Any) -> None:
        self.points = [
            SimpleNamespace(name=name, value=f'{name}:module', load=mock.Mock(side_effect=lambda module=module: module))
            for name, module in modules.items()
        ]

    def __call__(self, *, group: str) -> Any:
        return self.points if group == plugins.OLD_GROUP else []


@pytest.mark.contract('C-148', 'C-331')
@pytest.mark.parametrize('spelling', ['get_download_handler', 'get_download_hander'])
def test_an_old_plug_in_is_used_and_what_it_writes_is_checked(
    spelling: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = [DATA]

    def download(context: Any, url: Any, path: str, metadata: Any) -> None:
        assert (context, url.netloc, metadata) == (CTX, 'x', {'k': 'v'})
        Path(path).write_bytes(written[0])

    module = SimpleNamespace(get_schemes=lambda: ['old'], **{spelling: lambda: SimpleNamespace(download=download)})
    shown = record(DATA, {'url': 'old://x', 'metadata': {'k': 'v'}})
    with mock.patch.object(plugins, 'entry_points', Points(broken=None, old=module)):
        assert direct.fetch(CTX, shown, folder / 'target', settings=settings())
        assert (folder / 'target').read_bytes() == DATA
        os.unlink(folder / 'target')
        written[0] = DATA[::-1]
        assert not direct.fetch(CTX, shown, folder / 'target', settings=settings())
    assert os.listdir(folder) == []
    assert 'plug-in broken' in caplog.text


def test_a_third_partys_fetcher_is_found_by_its_scheme(folder: Path) -> None:
    class Theirs:
        def __init__(self, conf: Any) -> None:
            self.conf = conf

        def open(self, location: direct.Location) -> transfer.ChunksBody:
            assert (location.url.path, location.folder) == ('/y', str(folder))
            return transfer.ChunksBody([DATA], len(DATA))

    with mock.patch('stevedore.driver.DriverManager') as manager:
        manager.return_value.driver = Theirs(None)
        assert direct.fetch(CTX, record(DATA, {'url': 'theirs://x/y'}), folder / 'target', settings=settings())
    assert manager.call_args.args == ('nova_image.direct_fetchers', 'theirs')
    assert (folder / 'target').read_bytes() == DATA


@pytest.mark.contract('C-138', 'C-140', 'C-330')
def test_the_driver_goes_direct_where_it_may_and_to_the_service_for_the_rest(
    source: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FaultyGlance() as glance:
        conf = make_conf(
            api__auth_strategy='noauth', glance__api_servers=[glance.url], glance__num_retries=0,
            glance__allowed_direct_url_schemes=['file', 'broken'],
        )  # fmt: skip
        api, target = API(GlanceDriver(conf), conf=conf), folder / 'target'
        image = glance.store.add(DATA)['id']
        glance.store.records[image]['locations'] = [at(source)]
        api.download(CTX, image, dest_path=target)
        assert (target.read_bytes(), glance.count('GET file')) == (DATA, 0)
        with (folder / 'data').open('wb') as sink:
            api.download(CTX, image, sink, folder / 'untouched')
        chunks = api.download(CTX, image)
        assert chunks is not None
        assert b''.join(chunks) == (folder / 'data').read_bytes() == DATA
        assert glance.count('GET file') == 2
        source.write_bytes(b'gone bad')
        with mock.patch('stevedore.driver.DriverManager', side_effect=ValueError('broken fetcher')):
            glance.store.records[image]['locations'] = [{'url': 'broken://x'}, at(source)]
            api.download(CTX, image, dest_path=target)
        assert (target.read_bytes(), glance.count('GET file')) == (DATA, 3)
        assert 'broken fetcher' in caplog.text
        assert not (folder / 'untouched').exists()
        glance.inject(faults.status('GET image', 404))
        with pytest.raises(Exception, match='could not be found'):
            api.download(CTX, image, dest_path=target)
        assert target.read_bytes() == DATA


@pytest.mark.parametrize('url', ['theirs://user:s3cret@host/x', 'theirs://host/x?sig=s3cret', 'theirs://[s3cret'])
def test_a_failed_fetch_does_not_log_what_a_location_holds(url: str, caplog: pytest.LogCaptureFixture) -> None:
    def take(parsed: Any, metadata: Any) -> bool:
        raise ValueError(f'no route to {parsed.geturl()}')

    assert not direct.first_that_works([{'url': url}], take, logging.getLogger('direct'))
    assert caplog.records and 's3cret' not in caplog.text
