# SPDX-License-Identifier: Apache-2.0
"""A store on a full disk, in a directory that cannot be written, with a damaged catalogue: typed errors, nothing torn."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.local import check
from nova_image.local.driver import LocalDriver, store_at
from nova_image.testing.configuration import local_conf

RAW = {'disk_format': 'raw', 'container_format': 'bare'}

_LIMITED = """
import resource, sys
sys.path.insert(0, {here!r})
from hammer import CONTEXT, RAW
from nova_image import errors
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf
driver = LocalDriver(local_conf({store!r}))
driver.list(CONTEXT)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
for data in (bytes(400_000), iter([bytes(100_000)] * 4), open({source!r}, 'rb')):
    try:
        driver.create(CONTEXT, dict(RAW), data)
    except errors.ImageQuotaExceeded as exc:
        print('refused', exc.code)
small = driver.create(CONTEXT, {{**RAW, 'name': 'small'}}, b'fits')
for number in range(3000):
    try:
        driver.create(CONTEXT, {{**RAW, 'name': str(number), 'properties': {{'p': 'x' * 2000}}}})
    except (errors.ImageQuotaExceeded, errors.StoreUnreadable):  # SQLite knows ENOSPC, but not EFBIG
        print('catalogue full')
        break
assert b''.join(driver.download(CONTEXT, small['id'])) == b'fits'
print('done')
"""


def test_a_size_limit_on_the_process_refuses_what_is_too_large_and_tears_nothing(root: Path, tmp_path: Path, admin: Any) -> None:
    source = tmp_path / 'source'
    source.write_bytes(os.urandom(400_000))
    here = str(Path(__file__).parent)
    code = _LIMITED.format(here=here, store=str(root), source=str(source))
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split('\n')[:-1] == [*['refused 413'] * 3, 'catalogue full', 'done'], done.stderr
    assert list(check.check(root)) == []
    driver = LocalDriver(local_conf(root))
    assert {one['status'] for one in driver.list(admin)} == {'active', 'queued'}
    driver.close()


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can mount a small disk; anybody asks the same under a limit of file sizes, above')
def test_a_disk_that_is_full_refuses_and_takes_again_once_there_is_room(tmp_path: Path, someone: Any) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(disk)], capture_output=True, check=False).returncode:
        pytest.skip('this root may not mount (a container); the test above asks the same under a limit of file sizes')
    driver = LocalDriver(local_conf(disk / 'store'))
    try:
        first = driver.create(someone, dict(RAW), os.urandom(800_000))
        source = tmp_path / 'source'
        source.write_bytes(os.urandom(1_500_000))
        for data in (os.urandom(1_500_000), source.open('rb')):
            with pytest.raises(errors.ImageQuotaExceeded, match='full'):
                driver.create(someone, dict(RAW), data)
            getattr(data, 'close', str)()
        assert [one['id'] for one in driver.list(someone)] == [first['id']]
        assert list((disk / 'store' / 'staging').iterdir()) == []
        driver.delete(someone, first['id'])
        driver.create(someone, dict(RAW), os.urandom(900_000))
        driver.close()
        assert list(check.check(disk / 'store')) == []
    finally:
        driver.close()
        subprocess.run(['umount', '-l', str(disk)], check=True)


_AS_NOBODY = """
import os, sys
sys.path.insert(0, {here!r})
from hammer import CONTEXT, RAW
from nova_image import errors
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf
driver = LocalDriver(local_conf({store!r}))
driver.name
os.setuid(65534)
for use in (lambda: driver.create(CONTEXT, dict(RAW), b'x'), lambda: driver.delete(CONTEXT, {image!r}),
            lambda: driver.update(CONTEXT, {image!r}, {{'name': 'n'}})):
    try:
        use()
    except errors.StoreUnreadable as exc:
        print('unreadable', {store!r} in str(exc))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason='nothing keeps an owner from a file that is open; only root can become somebody else')
def test_a_directory_that_cannot_be_written_is_a_clear_error(driver: LocalDriver, root: Path, someone: Any) -> None:
    image = driver.create(someone, dict(RAW), b'bytes')['id']
    driver.close()
    for path in root.parents:
        if not path.stat().st_mode & 0o001:
            path.chmod(0o755)
    code = _AS_NOBODY.format(here=str(Path(__file__).parent), store=str(root), image=image)
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == 'unreadable True\n' * 3, done.stderr
    assert list(check.check(root)) == []


@pytest.mark.parametrize('seed', range(6))
def test_random_damage_of_the_catalogue_is_a_typed_error_or_true_bytes(
    driver: LocalDriver, root: Path, someone: Any, seed: int
) -> None:
    """Zeros, noise or a cut anywhere: what is served is right, the rest says what is wrong, and repair goes on."""
    choose = random.Random(seed)
    contents = {}
    for number in range(5):
        data = bytes([number]) * 1000
        contents[driver.create(someone, {**RAW, 'name': f'n{number}', 'properties': {'p': 'x' * 900}}, data)['id']] = data
    store_at(root).close()
    path = root / 'catalogue.sqlite'
    with path.open('r+b') as file:
        size = path.stat().st_size
        if seed % 3 == 0:
            file.truncate(choose.randrange(size))
        else:
            file.seek(choose.randrange(size))
            file.write(os.urandom(6000) if seed % 3 == 1 else bytes(6000))

    def look() -> int:
        served = 0
        reader = LocalDriver(local_conf(root))
        for image_id, data in contents.items():
            try:
                chunks = reader.download(someone, image_id)
                assert chunks is not None
                assert b''.join(chunks) == data
                served += 1
            except (errors.StoreError, errors.ImageNotFound, errors.ImageTransferError, errors.ImageHasNoData):
                pass
        try:
            reader.list(someone)
        except errors.StoreError:
            pass
        reader.close()
        return served

    before = look()
    assert check.main([str(root)]) in (0, 1)
    code = check.main([str(root), '--repair'])
    assert code in (0, 1, 2)
    if code == 0:
        assert check.main([str(root)]) == 0
        assert look() >= before
    there = {each.name for folder in ('contents/*', 'lost') for each in root.glob(f'{folder}/*')}
    assert len(there) == len(contents), 'no content is ever thrown away'


def test_a_zero_length_catalogue_is_not_a_new_store(driver: LocalDriver, root: Path, someone: Any) -> None:
    driver.create(someone, dict(RAW), b'bytes')
    driver.close()
    for name in ('catalogue.sqlite-wal', 'catalogue.sqlite-shm'):
        (root / name).unlink(missing_ok=True)
    (root / 'catalogue.sqlite').write_bytes(b'')
    with pytest.raises(errors.StoreCorrupt, match='not a version'):
        driver.list(someone)
    assert check.main([str(root)]) == 1
    assert len(list((root / 'contents').glob('*/*'))) == 1
