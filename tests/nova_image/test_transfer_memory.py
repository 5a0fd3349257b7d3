# SPDX-License-Identifier: Apache-2.0
"""Memory: an image of any size passes through at most 32 MiB, both ways, in line and with a thread."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MOST_BYTES = 32 << 20
SIZE = 160 << 20
#: A body that costs no disk; the hash, the ring of buffers and the target are the real ones.
SCRIPT = """
import hashlib, resource, sys
from types import SimpleNamespace
from nova_image import transfer
from nova_image.transfer import hashing

way, thread, path, size = sys.argv[1], sys.argv[2] == 'thread', sys.argv[3], int(sys.argv[4])
hashing.second_thread_pays = lambda: thread
limits = SimpleNamespace(num_retries=0, stall_timeout=60, stall_bytes=1, no_hash='accept')
known = hashlib.md5()
for _ in range(size >> 20):
    known.update(bytes(1 << 20))
source = open(path + '.source', 'wb+')
source.truncate(size)
source.seek(0)

class Chunks(transfer.ChunksBody):
    def __init__(self):
        super().__init__(iter(lambda: source.read(1 << 20), b''), size)

def run(size):
    expected = transfer.Expected(size=size, checksum=known.hexdigest())
    if way == 'upload':
        body = transfer.upload(source)
        return sum(map(len, body)), body.digest('sha512')
    opener = (lambda offset: transfer.FileBody(source)) if way == 'buffers' else (lambda offset: Chunks())
    if way == 'iterator':
        return sum(map(len, transfer.deliver(opener, expected, settings=limits)))
    transfer.deliver(opener, expected, settings=limits, dest_path=path)

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(size)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.parametrize('thread', ['thread', 'in line'])
@pytest.mark.parametrize('way', ['buffers', 'chunks', 'iterator', 'upload'])
def test_a_large_image_takes_little_memory(way: str, thread: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT, way, thread, str(tmp_path / 'image'), str(SIZE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= MOST_BYTES
    if way in ('buffers', 'chunks'):
        found = (tmp_path / 'image').stat()
        assert found.st_size == SIZE
        assert found.st_blocks * 512 < 1 << 20, 'zeros are holes'
