# SPDX-License-Identifier: Apache-2.0
"""``nova-image check-store`` reports what is wrong and mends what can be mended."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.local import check
from nova_image.local.contents import Contents
from nova_image.local.driver import LocalDriver, store_at
from nova_image.local.store import Store

RAW = {'disk_format': 'raw', 'container_format': 'bare'}


@pytest.fixture
def image(driver: LocalDriver, root: Path, someone: Any) -> dict[str, Any]:
    made = driver.create(someone, {**RAW, 'name': 'kept', 'properties': {'p': 'v'}}, b'0123456789')
    driver.close()
    return made


def content(root: Path) -> Path:
    [path] = (root / 'contents').glob('*/*')
    return path


def test_a_whole_store_has_nothing_wrong(image: Any, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(root)]) == 0
    assert capsys.readouterr().out == 'nothing wrong\n'


@pytest.mark.parametrize(
    ('damage', 'says'),
    [
        (Path.unlink, 'is missing'),
        (lambda path: path.write_bytes(b'short'), 'is 5 bytes, expected 10'),
        (lambda path: path.write_bytes(b'0123456780'), 'was altered'),
    ],
)
def test_a_damaged_content_is_reported_with_its_image_and_left(
    image: Any, root: Path, capsys: pytest.CaptureFixture[str], damage: Any, says: str
) -> None:
    damage(content(root))
    assert check.main([str(root), '--repair']) == 1
    out = capsys.readouterr().out
    assert image['id'] in out
    assert says in out
    assert '1 found, 0 repaired' in out


@pytest.mark.parametrize('damage', [Path.unlink, lambda path: path.write_bytes(b'0123456780')])
def test_a_content_comes_back_from_lost_where_its_own_place_has_it_no_longer(
    image: Any, driver: LocalDriver, root: Path, someone: Any, capsys: pytest.CaptureFixture[str], damage: Any
) -> None:
    (root / 'lost').mkdir()
    lost = root / 'lost' / content(root).name
    lost.write_bytes(content(root).read_bytes())
    damage(content(root))
    assert check.main([str(root)]) == 1
    assert 'can be repaired: the content of image' in capsys.readouterr().out
    assert check.main([str(root), '--repair']) == 0
    assert '1 found, 1 repaired' in capsys.readouterr().out
    assert b''.join(driver.download(someone, image['id'])) == b'0123456789'
    assert not lost.exists()


def test_repair_with_an_older_catalogue_keeps_what_only_the_newer_one_knows(
    image: Any, driver: LocalDriver, root: Path, someone: Any
) -> None:
    stored = content(root)
    with contextlib.closing(sqlite3.connect(root / 'catalogue.sqlite')) as catalogue:
        rows = catalogue.execute('SELECT * FROM locations').fetchall()
        catalogue.execute('DELETE FROM locations')
        catalogue.execute('DELETE FROM doomed')
        catalogue.commit()
    stray = stored.parent / 'notes.txt'
    stray.write_text('not ours')
    assert check.main([str(root), '--repair']) == 0
    assert (root / 'lost' / stored.name).read_bytes() == b'0123456789'
    assert stray.exists()
    with contextlib.closing(sqlite3.connect(root / 'catalogue.sqlite')) as catalogue:
        marks = ', '.join('?' * len(rows[0]))
        catalogue.executemany(f'INSERT INTO locations VALUES ({marks})', rows)
        catalogue.commit()
    assert check.main([str(root), '--repair']) == 0
    assert b''.join(driver.download(someone, image['id'])) == b'0123456789'


def test_a_schema_damaged_beyond_text_is_a_damaged_catalogue(
    image: Any, driver: LocalDriver, root: Path, someone: Any
) -> None:
    catalogue = root / 'catalogue.sqlite'
    with contextlib.closing(sqlite3.connect(catalogue)) as connection:
        connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    whole = catalogue.read_bytes()
    catalogue.write_bytes(whole.replace(b'CREATE TABLE members', b'CRE\xbeTE TABLE members'))
    assert catalogue.read_bytes() != whole
    driver.close()
    with pytest.raises(errors.StoreCorrupt):
        driver.list(someone)
    assert check.main([str(root), '--repair']) == 2
    assert content(root).read_bytes() == b'0123456789'


def test_a_whole_content_in_lost_is_not_replaced_by_an_altered_one(driver: LocalDriver, root: Path, someone: Any) -> None:
    driver.list(someone)
    contents = Contents(root)
    digest = hashlib.sha512(b'whole').hexdigest()
    contents.path(digest).parent.mkdir(parents=True)
    contents.path(digest).write_bytes(b'altered')
    contents.lost.mkdir()
    (contents.lost / digest).write_bytes(b'whole')
    contents.set_aside(digest)
    assert (contents.lost / digest).read_bytes() == b'whole'


def test_what_is_damaged_in_lost_too_stays_there(image: Any, root: Path) -> None:
    (root / 'lost').mkdir()
    lost = root / 'lost' / content(root).name
    lost.write_bytes(b'0123456780')
    content(root).unlink()
    assert check.main([str(root), '--repair']) == 1
    assert lost.exists()
    assert not list((root / 'contents').glob('*/*'))


def test_what_dead_writers_left_is_mended(
    image: Any, driver: LocalDriver, root: Path, someone: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    half = driver.create(someone, dict(RAW))
    store = Store(root)
    with store.writing() as connection:
        row = connection.execute('SELECT * FROM images WHERE id = ?', (half['id'],)).fetchone()
        store.start_upload(connection, row).close()
    store.close()
    (root / 'contents' / 'ab').mkdir(exist_ok=True)
    (root / 'contents' / 'ab' / ('ab' * 64)).write_bytes(b'nobody has this')
    assert check.main([str(root)]) == 1
    assert capsys.readouterr().out.count('can be repaired') == 3
    assert check.main([str(root), '--repair']) == 0
    assert capsys.readouterr().out.endswith('3 found, 3 repaired\n')
    assert driver.show(someone, half['id'])['status'] == 'queued'
    assert content(root).read_bytes() == b'0123456789'


def test_an_upload_that_goes_on_is_nothing_wrong(driver: LocalDriver, root: Path, someone: Any) -> None:
    made = driver.create(someone, dict(RAW))
    found = []

    def chunks() -> Any:
        yield b'a'
        found.extend(check.check(root))

    driver.update(someone, made['id'], {}, chunks())
    assert found == []


def test_a_damaged_catalogue_is_rebuilt_from_what_can_be_read(
    driver: LocalDriver, root: Path, someone: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(120):
        driver.create(someone, {'name': f'image {number}', 'properties': {'p': 'x' * 300}})
    store_at(root).close()
    path = root / 'catalogue.sqlite'
    page = 4096
    with path.open('r+b') as file:
        file.seek(path.stat().st_size // 2 // page * page)
        file.write(os.urandom(page))
    damaged = path.read_bytes()
    assert check.main([str(root)]) == 1
    assert path.read_bytes() == damaged, 'without --repair nothing is changed'
    assert check.main([str(root), '--repair']) == 0
    assert 'repaired: catalogue' in capsys.readouterr().out
    assert (root / 'catalogue.damaged').read_bytes() == damaged
    assert len(driver.list(someone)) > 60


@pytest.mark.parametrize('junk', [b'', b'no database ' * 1000])
def test_a_catalogue_of_which_nothing_is_left_is_not_touched(
    image: Any, root: Path, capsys: pytest.CaptureFixture[str], junk: bytes
) -> None:
    (root / 'catalogue.sqlite').write_bytes(junk)
    for name in ('catalogue.sqlite-wal', 'catalogue.sqlite-shm'):
        (root / name).unlink(missing_ok=True)
    assert check.main([str(root), '--repair']) == (2 if junk else 1)
    assert 'left as it is' in capsys.readouterr().err or junk == b''
    assert (root / 'catalogue.sqlite').read_bytes() == junk
    assert content(root).exists()


def test_a_catalogue_of_another_version_is_left_to_that_version(
    image: Any, driver: LocalDriver, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    driver.close()
    connection = sqlite3.connect(root / 'catalogue.sqlite')
    connection.execute('PRAGMA user_version = 99')
    connection.close()
    assert check.main([str(root), '--repair']) == 1
    assert 'not repairable: catalogue: ' in capsys.readouterr().out
    connection = sqlite3.connect(root / 'catalogue.sqlite')
    assert connection.execute('PRAGMA user_version').fetchone() == (99,)
    connection.close()


def test_what_is_no_store_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(tmp_path / 'nowhere')]) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1
    assert 'no local store' in err
    assert not (tmp_path / 'nowhere').exists()
    with pytest.raises(errors.StoreUnreadable):
        list(check.check(tmp_path))
