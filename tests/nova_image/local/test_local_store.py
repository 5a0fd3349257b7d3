# SPDX-License-Identifier: Apache-2.0
"""The local store keeps what it was given, and says clearly what is wrong with what it finds."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nova_image import errors
from nova_image.local.driver import LocalDriver, store_at
from nova_image.local.store import Store
from nova_image.testing.configuration import local_conf

RAW = {'disk_format': 'raw', 'container_format': 'bare'}


def contents(root: Path) -> list[Path]:
    return sorted((root / 'contents').glob('*/*'))


def staged(root: Path) -> list[Path]:
    return sorted((root / 'staging').glob('*'))


def content_of(driver: LocalDriver, context: Any, image_id: str) -> bytes:
    chunks = driver.download(context, image_id)
    assert chunks is not None
    return b''.join(chunks)


def abandon(root: Path) -> None:
    """Forget this process's handle on the store, as a process that ends does."""
    store_at(root).close()
    store_at(root)._settled_by = 0


def test_equal_bytes_are_stored_once_and_go_with_their_last_image(driver: LocalDriver, root: Path, someone: Any) -> None:
    first = driver.create(someone, dict(RAW), b'same')
    second = driver.create(someone, dict(RAW), io.BytesIO(b'same'))
    driver.create(someone, dict(RAW), b'other')
    assert len(contents(root)) == 2
    driver.delete(someone, first['id'])
    assert content_of(driver, someone, second['id']) == b'same'
    driver.delete(someone, second['id'])
    assert len(contents(root)) == 1


def test_a_location_names_the_content_file(driver: LocalDriver, someone: Any) -> None:
    made = driver.create(someone, dict(RAW), b'bytes')
    [location] = driver.show(someone, made['id'], include_locations=True)['locations']
    assert location['metadata'] == {'store': 'local'}
    assert Path(location['url'].removeprefix('file://')).read_bytes() == b'bytes'


def test_a_failed_create_leaves_nothing(driver: LocalDriver, root: Path, someone: Any) -> None:
    def breaks() -> Iterator[bytes]:
        yield b'some bytes'
        raise RuntimeError('the source broke')

    with pytest.raises(RuntimeError, match='the source broke'):
        driver.create(someone, dict(RAW), breaks())
    assert driver.list(someone) == []
    assert contents(root) == staged(root) == []


def test_a_failed_update_leaves_a_queued_image_that_takes_data(driver: LocalDriver, root: Path, someone: Any) -> None:
    def breaks() -> Iterator[bytes]:
        yield b'some bytes'
        raise RuntimeError('the source broke')

    made = driver.create(someone, dict(RAW))
    with pytest.raises(RuntimeError, match='the source broke'):
        driver.update(someone, made['id'], {}, breaks())
    assert driver.show(someone, made['id'])['status'] == 'queued'
    assert staged(root) == []
    assert driver.update(someone, made['id'], {}, b'good')['status'] == 'active'


def test_content_of_another_format_is_refused_and_the_image_may_try_again(driver: LocalDriver, someone: Any) -> None:
    made = driver.create(someone, {'disk_format': 'qcow2', 'container_format': 'bare'})
    with pytest.raises(errors.ImageServiceError, match='does not match') as caught:
        driver.update(someone, made['id'], {}, b'no qcow2')
    assert caught.value.code == 'N/A'  # as the client library's, which knows no number for 415
    assert driver.update(someone, made['id'], {'disk_format': 'raw'}, b'raw')['status'] == 'active'


def test_an_image_deleted_during_its_upload_is_gone(driver: LocalDriver, root: Path, someone: Any) -> None:
    made = driver.create(someone, dict(RAW))

    def chunks() -> Iterator[bytes]:
        yield b'a'
        driver.delete(someone, made['id'])
        yield b'b'

    with pytest.raises(errors.ImageServiceError, match='deleted'):
        driver.update(someone, made['id'], {}, chunks())
    assert contents(root) == staged(root) == []


def test_an_image_is_saving_while_its_bytes_come(driver: LocalDriver, someone: Any) -> None:
    made = driver.create(someone, dict(RAW))
    seen = []

    def chunks() -> Iterator[bytes]:
        yield b'a'
        seen.append(driver.show(someone, made['id'])['status'])
        with pytest.raises(errors.ImageConflict):
            driver.update(someone, made['id'], {}, b'second upload')

    driver.update(someone, made['id'], {}, chunks())
    assert seen == ['saving']
    assert content_of(driver, someone, made['id']) == b'a'


def test_a_reader_keeps_its_bytes_while_the_image_is_deleted(driver: LocalDriver, someone: Any) -> None:
    made = driver.create(someone, dict(RAW), b'x' * 300_000)
    chunks = driver.download(someone, made['id'])
    assert chunks is not None
    read = next(chunks)
    driver.delete(someone, made['id'])
    assert read + b''.join(chunks) == b'x' * 300_000


@pytest.mark.contract('C-249')
def test_an_id_stays_taken_after_its_image_is_gone(driver: LocalDriver, someone: Any) -> None:
    wanted = {'id': '6f2a2c0e-0c6e-4b2e-8b0e-000000000001'}
    driver.create(someone, dict(wanted))
    driver.delete(someone, wanted['id'])
    with pytest.raises(errors.ImageConflict, match='deleted'):
        driver.create(someone, dict(wanted))


def test_an_id_is_taken_also_by_an_image_whose_bytes_were_refused(driver: LocalDriver, someone: Any) -> None:
    wanted = {'id': '6f2a2c0e-0c6e-4b2e-8b0e-000000000001'}
    with pytest.raises(errors.Invalid, match='must be set'):
        driver.create(someone, dict(wanted), b'bytes of no format')
    with pytest.raises(errors.ImageConflict, match='deleted'):
        driver.create(someone, dict(wanted))


def test_no_path_is_a_clear_error(someone: Any) -> None:
    with pytest.raises(errors.StoreUnreadable, match='local_path is not set'):
        LocalDriver(local_conf('')).list(someone)


def test_a_file_in_place_of_the_directory_is_a_clear_error(root: Path, someone: Any) -> None:
    root.write_text('precious')
    with pytest.raises(errors.StoreUnreadable, match='no directory'):
        LocalDriver(local_conf(root)).list(someone)
    assert root.read_text() == 'precious'


def test_a_directory_below_a_file_is_a_clear_error(root: Path, someone: Any) -> None:
    root.write_text('precious')
    with pytest.raises(errors.StoreUnreadable, match='directory'):
        LocalDriver(local_conf(root / 'below')).list(someone)


@pytest.mark.skipif(os.geteuid() != 0, reason='the directory is to be of somebody else, whom only root can become')
@pytest.mark.parametrize('mode', [0o700, 0o755])
def test_a_directory_of_somebody_else_is_a_clear_error(mode: int, someone: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / 'store'
        driver = LocalDriver(local_conf(root))
        driver.create(someone, dict(RAW), b'bytes')
        driver.close()
        os.chmod(name, mode)
        child = os.fork()
        if not child:
            code = 1
            try:
                os.setuid(65534)
                for operation in (driver.list, lambda context: driver.create(context, dict(RAW), b'more')):
                    with pytest.raises(errors.StoreUnreadable, match='expected a'):
                        operation(someone)
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(driver.list(someone)) == 1


@pytest.mark.parametrize('junk', [b'not a database at all, but longer than a header' * 100, b'SQLite format 3\x00junk'])
def test_a_file_that_is_no_catalogue_is_left_as_it_is(root: Path, someone: Any, junk: bytes) -> None:
    root.mkdir()
    (root / 'catalogue.sqlite').write_bytes(junk)
    for _ in range(2):
        with pytest.raises(errors.StoreCorrupt, match='catalogue.sqlite'):
            LocalDriver(local_conf(root)).list(someone)
    assert (root / 'catalogue.sqlite').read_bytes() == junk


def test_another_programs_database_is_left_as_it_is(root: Path, someone: Any) -> None:
    root.mkdir()
    connection = sqlite3.connect(root / 'catalogue.sqlite')
    connection.execute('CREATE TABLE theirs (x)')
    connection.commit()
    connection.close()
    before = (root / 'catalogue.sqlite').read_bytes()
    with pytest.raises(errors.StoreCorrupt, match='application id'):
        LocalDriver(local_conf(root)).create(someone, {})
    assert (root / 'catalogue.sqlite').read_bytes() == before


def test_a_lost_catalogue_is_not_replaced_by_an_empty_one(driver: LocalDriver, root: Path, someone: Any) -> None:
    driver.create(someone, dict(RAW), b'bytes')
    abandon(root)
    for name in os.listdir(root):
        if name.startswith('catalogue'):
            (root / name).unlink()
    with pytest.raises(errors.StoreCorrupt, match=r'contents but no catalogue'):
        driver.list(someone)
    assert len(contents(root)) == 1


def test_a_damaged_catalogue_says_so(driver: LocalDriver, root: Path, someone: Any) -> None:
    for number in range(200):
        driver.create(someone, {'name': f'image {number}', 'properties': {'p': 'x' * 200}})
    abandon(root)
    path = root / 'catalogue.sqlite'
    size = path.stat().st_size
    with path.open('r+b') as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(errors.StoreCorrupt, match='check-store'):
        driver.list(someone)


@pytest.mark.parametrize(
    ('damage', 'error', 'says'),
    [
        (Path.unlink, errors.StoreCorrupt, 'missing'),
        (lambda path: path.write_bytes(b'short'), errors.StoreCorrupt, '5 bytes, expected 10'),
        (lambda path: path.write_bytes(b'0123456780'), errors.ImageCorrupt, 'Hash was'),
    ],
)
def test_a_content_that_is_not_what_was_stored_is_never_served(
    driver: LocalDriver, root: Path, someone: Any, tmp_path: Path, damage: Any, error: Any, says: str
) -> None:
    made = driver.create(someone, dict(RAW), b'0123456789')
    damage(contents(root)[0])
    target = tmp_path / 'target'
    target.write_bytes(b'older')
    with pytest.raises(error, match=says):
        driver.download(someone, made['id'], dest_path=str(target))
    assert target.read_bytes() == b'older'
    assert driver.show(someone, made['id'])['status'] == 'active'


def test_storing_the_same_bytes_again_mends_an_altered_content(driver: LocalDriver, root: Path, someone: Any) -> None:
    made = driver.create(someone, dict(RAW), b'0123456789')
    contents(root)[0].write_bytes(b'altered!!!')
    driver.create(someone, dict(RAW), b'0123456789')
    assert content_of(driver, someone, made['id']) == b'0123456789'


def test_what_a_dead_writer_left_is_settled_by_the_next_process(driver: LocalDriver, root: Path, someone: Any) -> None:
    made = driver.create(someone, dict(RAW))
    with store_at(root).writing() as connection:
        row = connection.execute('SELECT * FROM images').fetchone()
        staging = store_at(root).contents.stage(made['id'])
        connection.execute("UPDATE images SET status = 'saving', staging = ?", (staging.name,))
    abandon(root)
    assert driver.show(someone, row['id'])['status'] == 'saving', 'its writer lives: nothing is taken from it'
    staging.close()
    abandon(root)
    assert driver.show(someone, row['id'])['status'] == 'queued'
    assert staged(root) == []


def test_a_content_placed_by_a_writer_that_died_before_its_commit_is_collected(
    driver: LocalDriver, root: Path, someone: Any
) -> None:
    made = driver.create(someone, dict(RAW))
    store = store_at(root)
    with store.writing() as connection:
        staging = store.start_upload(connection, connection.execute('SELECT * FROM images').fetchone())
    staging.write(b'bytes')
    store.contents.publish(staging, 'ab' * 64)
    abandon(root)
    assert driver.show(someone, made['id'])['status'] == 'queued'
    assert contents(root) == []


def test_a_full_disk_is_an_error_and_leaves_nothing(
    driver: LocalDriver, root: Path, someone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: Any) -> int:
        raise OSError(28, 'No space left on device')

    driver.list(someone)
    monkeypatch.setattr('nova_image.local.contents.os.write', full)
    with pytest.raises(errors.ImageQuotaExceeded, match='No space left'):
        driver.create(someone, dict(RAW), b'bytes')
    assert driver.list(someone) == []
    assert staged(root) == []


def test_threads_share_a_driver(driver: LocalDriver, someone: Any) -> None:
    def work(number: int) -> None:
        for turn in range(5):
            made = driver.create(someone, {**RAW, 'name': f'{number}-{turn}'}, b'%d' % turn)
            driver.update(someone, made['id'], {'properties': {'turn': str(turn)}})
            assert content_of(driver, someone, made['id']) == b'%d' % turn
            if turn % 2:
                driver.delete(someone, made['id'])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(driver.list(someone)) == 6 * 3


def test_no_connection_survives_a_fork(driver: LocalDriver, root: Path, someone: Any) -> None:
    driver.create(someone, {'name': 'before'})
    parents = store_at(root).catalogue._pool
    child = os.fork()
    if not child:
        code = 1
        try:
            driver.create(someone, {'name': 'in the child'})
            mine = store_at(root).catalogue._pool
            code = 0 if mine is not parents and mine.all and not parents.all else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert {record['name'] for record in driver.list(someone)} == {'before', 'in the child'}


def test_a_store_that_was_removed_is_begun_anew(driver: LocalDriver, root: Path, someone: Any) -> None:
    driver.create(someone, dict(RAW), b'bytes')
    shutil.rmtree(root)
    assert driver.list(someone) == []
    made = driver.create(someone, dict(RAW), b'bytes')
    assert content_of(driver, someone, made['id']) == b'bytes'


def test_text_that_is_none_is_refused(driver: LocalDriver, someone: Any) -> None:
    with pytest.raises(errors.Invalid, match='no text'):
        driver.create(someone, {'name': 'lone surrogate \ud800'})


def test_a_closed_driver_can_be_used_again(driver: LocalDriver, someone: Any) -> None:
    made = driver.create(someone, {})
    driver.close()
    assert driver.show(someone, made['id'])['id'] == made['id']


def test_a_store_is_the_same_for_every_driver_of_its_directory(
    driver: LocalDriver, root: Path, caller: Any
) -> None:
    made = driver.create(caller(), {'visibility': 'community'})
    other = LocalDriver(local_conf(root / '..' / root.name))
    assert other.show(caller('project-b'), made['id'], server='http://elsewhere:9292')['id'] == made['id']
    assert isinstance(store_at(root), Store)


@pytest.mark.contract('C-014', 'C-322')
def test_the_url_is_the_configured_one(root: Path) -> None:
    conf = local_conf(root, glance__host='glance.example', glance__port=9292, glance__protocol='https')
    assert LocalDriver(conf).glance_url() == 'https://glance.example:9292'
    assert LocalDriver(conf, endpoint='http://h:1/').glance_url() == 'http://h:1'
