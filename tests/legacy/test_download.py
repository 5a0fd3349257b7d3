# SPDX-License-Identifier: Apache-2.0
"""The old transfer plug-ins: found, configured, contained, and tried in order."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import urlparse

import pytest

from legacy import download, glance
from legacy.download import base, file
from nova_image import errors

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}


@pytest.mark.contract('C-148', 'C-149')
def test_the_built_in_module_serves_two_schemes_under_both_spellings() -> None:
    assert download.load_transfer_modules() == {'file': file, 'filesystem': file}
    assert isinstance(file.get_download_handler(x=1), file.FileTransfer)
    assert isinstance(file.get_download_hander(), base.TransferBase)
    with pytest.raises(errors.ImageDownloadModuleNotImplementedError, match='method download is not implemented'):
        base.TransferBase().download(None, None, None, {})


@pytest.mark.contract('C-155')
@pytest.mark.parametrize(
    'path', ['/other/x', '/glancex/x', '/glance/../etc/passwd', '/glance/a/../../etc/passwd', '/glance/..']
)
def test_a_path_that_leaves_the_advertised_mountpoint_is_refused(path: str) -> None:
    with pytest.raises(errors.ImageDownloadModuleMetaDataError, match='does not match the URL path'):
        file.FileTransfer()._normalize_destination('/nova', '/glance', path)


@pytest.mark.contract('C-155')
def test_the_prefix_is_replaced_once() -> None:
    transfer = file.FileTransfer()
    assert transfer._normalize_destination('/n', '/g', '/g/g/x') == '/n/g/x'
    assert transfer._normalize_destination('/n/', '/g/', '/g/x') == '/n/x'


@pytest.mark.contract('C-150', 'C-152', 'C-153', 'C-154')
def test_configured_file_systems_are_looked_up_by_the_metadata(conf: Any, tmp_path: Path) -> None:
    (tmp_path / 'image').write_bytes(b'bytes')
    conf.set_override('filesystems', ['one'], group='image_file_url')
    transfer = file.FileTransfer()
    url, target = urlparse('file:///glance/image'), tmp_path / 'target'
    with pytest.raises(errors.ImageDownloadModuleConfigurationError):
        transfer.download(None, url, str(target), {})
    conf.set_override('id', 'fs', group='image_file_url:one')
    try:
        with pytest.raises(errors.ImageDownloadModuleConfigurationError):
            transfer.download(None, url, str(target), {'id': 'fs', 'mountpoint': '/glance'})
        conf.set_override('mountpoint', str(tmp_path), group='image_file_url:one')
        for metadata, error in (
            ({}, errors.ImageDownloadModuleMetaDataError),
            ({'id': 'fs'}, errors.ImageDownloadModuleMetaDataError),
            ({'id': 'other', 'mountpoint': '/glance'}, errors.ImageDownloadModuleError),
        ):
            with pytest.raises(error):
                transfer.download(None, url, str(target), metadata)
        assert not target.exists()
        transfer.download(None, url, str(target), {'id': 'fs', 'mountpoint': '/glance'})
        assert target.read_bytes() == b'bytes'
    finally:
        conf.clear_override('id', group='image_file_url:one')
        conf.clear_override('mountpoint', group='image_file_url:one')


@pytest.mark.contract('C-151', 'C-156')
def test_a_copy_is_whole_or_the_old_file_stays(tmp_path: Path) -> None:
    source, target = tmp_path / 'a%20b', tmp_path / 'target'
    source.write_bytes(b'new')
    target.write_bytes(b'old')
    target.chmod(0o640)
    transfer = file.FileTransfer()
    with pytest.raises(file.ProcessExecutionError, match='No such file'):
        transfer.download(None, urlparse(f'file://{tmp_path}/nothing'), str(target), {})
    assert target.read_bytes() == b'old'
    transfer.download(None, urlparse(f'file://host{source}'), str(target), {})
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b'new', 0o640)
    transfer.download(None, urlparse(f'file://{source}'), os.devnull, {})
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ['a%20b', 'target']


class Handler:
    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.got = error, []  # type: ignore[var-annotated]

    def download(self, *args: Any) -> None:
        self.got.append(args)
        if self.error:
            raise self.error


@pytest.mark.contract('C-138', 'C-139', 'C-140', 'C-142')
@pytest.mark.usefixtures('local')
def test_locations_are_tried_in_order_and_the_server_comes_last(
    conf: Any, ctx: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = glance.GlanceImageService()
    made = service.create(ctx, META, io.BytesIO(b'hello'))
    conf.set_override('allowed_direct_url_schemes', ['one', 'two'])
    broken, works = Handler(OSError('broken')), Handler()
    service._download_handlers.update(one=broken, two=works)
    locations = [{'url': 'nine://x'}, {'url': 'one://x'}, {'url': 'two://y/z', 'metadata': {'k': 'v'}}]
    target = str(tmp_path / 'target')
    with mock.patch.object(type(service), '_locations', lambda *args: locations), caplog.at_level('INFO'):
        assert service.download(ctx, made['id'], dst_path=target) is None
        assert broken.got[0][1].geturl() == 'one://x'
        assert works.got == [(ctx, urlparse('two://y/z'), target, {'k': 'v'})]
        assert not os.path.exists(target)
        assert [record.getMessage() for record in caplog.records][-2:] == [
            'broken', 'Successfully transferred using two',
        ]  # fmt: skip
        works.error = ValueError('also')
        service.download(ctx, made['id'], dst_path=target)
    assert Path(target).read_bytes() == b'hello'
    works.got.clear()
    assert b''.join(service.download(ctx, made['id'])) == b'hello'
    assert works.got == []


@pytest.mark.contract('C-063', 'C-064')
def test_a_broken_plug_in_and_a_scheme_claimed_twice_are_logged_and_skipped(
    conf: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise ValueError('no handler')

    first = SimpleNamespace(get_schemes=lambda: ['a'], get_download_hander=Handler)
    second = SimpleNamespace(get_schemes=lambda: ['a', 'b'], get_download_handler=fails)
    points = [SimpleNamespace(load=lambda: first), SimpleNamespace(load=lambda: second)]
    conf.set_override('allowed_direct_url_schemes', ['a', 'b', 'c'])
    with mock.patch.object(download, 'entry_points', lambda *, group: points):
        service = glance.GlanceImageService()
    assert list(service._download_handlers) == ['a']
    assert service._get_transfer_module('a') is service._download_handlers['a']
    assert service._get_transfer_module('b') is None
    assert glance.GlanceImageServiceV2()._get_transfer_method('nothing') is None
    said = [record.getMessage() for record in caplog.records]
    assert any('registered as a module twice' in text for text in said)
    assert any('the following error occurred: no handler' in text for text in said)
