# SPDX-License-Identifier: Apache-2.0
"""What a location names lies below a mount point that is listed, by its resolved path, or is not opened."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import pytest

from nova_image import errors
from nova_image.direct import mounts
from nova_image.testing.configuration import make_conf

SECRET = b'a secret of this host'


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    (tmp_path / 'secret').write_bytes(SECRET)
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside' / 'image').write_bytes(SECRET)
    mount = tmp_path / 'mount'
    (mount / 'folder').mkdir(parents=True)
    (mount / 'image').write_bytes(b'image')
    (mount / 'folder' / 'image').write_bytes(b'deeper')
    return mount


def conf_with(**groups: dict[str, Any]) -> Any:
    conf = make_conf()
    mounts.register(conf)
    conf.set_override('filesystems', list(groups), group=mounts.GROUP)
    for name, values in groups.items():
        group = f'{mounts.GROUP}:{name}'
        mounts.register_filesystem(conf, group)
        for key, value in values.items():
            conf.set_override(key, value, group=group)
    return conf


def read(root: Path, path: str) -> bytes:
    with os.fdopen(mounts.open_below(str(root), path), 'rb') as file:
        return file.read()


@pytest.mark.parametrize(('path', 'content'), [('image', b'image'), ('/folder//./image', b'deeper')])
def test_a_file_below_the_mount_point_is_opened(mount: Path, path: str, content: bytes) -> None:
    assert read(mount, path) == content


def test_the_mount_point_itself_may_be_a_link(mount: Path, tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to(mount)
    assert read(tmp_path / 'link', 'image') == b'image'


@pytest.mark.contract('C-155')
@pytest.mark.parametrize('path', ['../secret', 'folder/../../secret', '..', 'folder/..', '', '/', 'folder'])
def test_a_path_that_leaves_the_mount_point_or_names_no_file_is_refused(mount: Path, path: str) -> None:
    with pytest.raises(OSError, match='expected a') as caught:
        mounts.open_below(str(mount), path)
    assert str(mount) in str(caught.value)


def test_an_absolute_path_is_one_below_the_mount_point(mount: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mounts.open_below(str(mount), str(tmp_path / 'secret'))


@pytest.mark.parametrize('inside', [False, True])
def test_no_link_is_followed_wherever_it_leads(mount: Path, tmp_path: Path, inside: bool) -> None:
    (mount / 'file-link').symlink_to(mount / 'image' if inside else tmp_path / 'secret')
    (mount / 'folder-link').symlink_to(mount / 'folder' if inside else tmp_path / 'outside')
    for path in ('file-link', 'folder-link/image'):
        with pytest.raises(OSError, match='is a symbolic link'):
            mounts.open_below(str(mount), path)


def test_a_fifo_and_a_device_are_no_images_and_are_not_even_opened(mount: Path) -> None:
    os.mkfifo(mount / 'fifo')  # to open it would wait for a writer
    with pytest.raises(OSError, match='expected a plain file'):
        mounts.open_below(str(mount), 'fifo')
    with pytest.raises(OSError, match='expected a plain file'):
        mounts.open_below('/dev', 'null')


def test_a_link_that_is_swapped_in_meanwhile_is_never_followed(mount: Path, tmp_path: Path) -> None:
    real, links, stop = mount / 'real', mount / 'links', threading.Event()
    real.mkdir()
    (real / 'image').write_bytes(b'image')
    links.mkdir()
    (links / 'way').symlink_to(tmp_path / 'outside')

    def swap() -> None:
        while not stop.is_set():
            os.rename(real, mount / 'way')
            os.rename(mount / 'way', real)
            os.rename(links / 'way', mount / 'way')
            os.rename(mount / 'way', links / 'way')

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    try:
        for _ in range(3000):
            try:
                seen.add(read(mount, 'way/image'))
            except OSError as exc:
                seen.add(type(exc).__name__.encode())
    finally:
        stop.set()
        swapper.join()
    assert SECRET not in seen


@pytest.mark.contract('C-153', 'C-154', 'C-155')
@pytest.mark.parametrize(
    ('url', 'metadata', 'error'),
    [
        ('file:///g/image', {'id': 'other', 'mountpoint': '/g'}, errors.ImageDownloadModuleError),
        ('file:///g/image', {'id': 'fs'}, errors.ImageDownloadModuleMetaDataError),
        ('file:///g/image', {}, errors.ImageDownloadModuleMetaDataError),
        ('file:///elsewhere/image', {'id': 'fs', 'mountpoint': '/g'}, errors.ImageDownloadModuleMetaDataError),
        ('file:///gg/image', {'id': 'fs', 'mountpoint': '/g'}, errors.ImageDownloadModuleMetaDataError),
        ('file:///g/../image', {'id': 'fs', 'mountpoint': '/g'}, errors.ImageDownloadModuleMetaDataError),
    ],
)
def test_a_mount_that_is_not_listed_is_refused(mount: Path, url: str, metadata: Any, error: Any) -> None:
    conf = conf_with(one={'id': 'fs', 'mountpoint': str(mount)})
    with pytest.raises(error):
        mounts.place(conf, urlparse(url), metadata, 'module')


@pytest.mark.contract('C-150', 'C-151', 'C-154')
def test_the_mount_point_of_the_service_becomes_ours(mount: Path) -> None:
    conf = conf_with(old={'id': 'fs', 'mountpoint': '/old'}, new={'id': 'fs', 'mountpoint': str(mount)})
    url = urlparse('file://host/g/a%20b/image')
    assert mounts.place(conf, url, {'id': 'fs', 'mountpoint': '/g'}, 'm') == (str(mount), '/a%20b/image')
    # An advertised root of the service reaches no further than the mount point here.
    assert mounts.place(conf, url, {'id': 'fs', 'mountpoint': '/'}, 'm') == (str(mount), 'g/a%20b/image')
    assert mounts.place(conf_with(), url, {}, 'm') == ('/', '/g/a%20b/image')


@pytest.mark.contract('C-152')
@pytest.mark.parametrize('values', [{}, {'id': 'fs'}, {'mountpoint': '/m'}])
def test_a_file_system_that_is_half_described_is_an_error_of_configuration(values: Any) -> None:
    with pytest.raises(errors.ImageDownloadModuleConfigurationError):
        mounts.place(conf_with(one=values), SimpleNamespace(path='/x'), {'id': 'fs', 'mountpoint': '/'}, 'm')
