# SPDX-License-Identifier: Apache-2.0
"""A process that works on a local store until it is done or killed: ``hammer.py STORE SEED TURNS``.

Prints a line for each operation that was answered, so that whoever killed it knows what has to be there.
Bytes of an image are made from its name, so anybody can tell whether they are right.
"""

from __future__ import annotations

import hashlib
import random
import sys
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

from nova_image import errors
from nova_image.local.driver import LocalDriver
from nova_image.testing.configuration import local_conf

CONTEXT = SimpleNamespace(auth_token='token', project_id='p', user_id='u', is_admin=False, roles=['member'])
RAW = {'disk_format': 'raw', 'container_format': 'bare'}


def bytes_of(name: str) -> bytes:
    """The content of the image of that name; some names share theirs."""
    kind = name.partition('-')[0]
    return hashlib.sha256(kind.encode()).digest() * (1 + 5000 * int(kind))


def slowly(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 65536):
        yield data[start : start + 65536]


def said(*words: str) -> None:
    print(*words, flush=True)


def main(store: str, seed: int, turns: int) -> None:
    driver = LocalDriver(local_conf(store))
    choose = random.Random(seed)
    mine: list[tuple[str, str]] = []
    for _ in range(turns):
        action = choose.choice(['create', 'create', 'upload', 'update', 'delete', 'read', 'list'])
        name = f'{choose.randrange(6)}-{uuid.uuid4()}'
        if action == 'create':
            image_id = driver.create(CONTEXT, {**RAW, 'name': name}, slowly(bytes_of(name)))['id']
            mine.append((image_id, name))
            said('there', image_id, name)
        elif action == 'upload':
            image_id = driver.create(CONTEXT, {**RAW, 'name': name})['id']
            driver.update(CONTEXT, image_id, {'properties': {'half': 'a'}}, slowly(bytes_of(name)))
            mine.append((image_id, name))
            said('there', image_id, name)
        elif action == 'update' and mine:
            image_id, _ = choose.choice(mine)
            value = str(uuid.uuid4())
            driver.update(CONTEXT, image_id, {'properties': {'left': value, 'right': value}}, purge_props=True)
        elif action == 'delete' and mine:
            image_id, _ = mine.pop(choose.randrange(len(mine)))
            said('going', image_id)
            driver.delete(CONTEXT, image_id)
            said('gone', image_id)
        elif action == 'read' and mine:
            image_id, name = choose.choice(mine)
            chunks = driver.download(CONTEXT, image_id)
            assert chunks is not None
            assert b''.join(chunks) == bytes_of(name)
        elif action == 'list':
            for record in driver.list(CONTEXT, limit=20):
                properties = record['properties']
                assert properties.get('left') == properties.get('right')
                if record['status'] == 'active':
                    try:
                        read = driver.download(CONTEXT, record['id'])
                    except errors.ImageNotFound:
                        continue
                    assert read is not None
                    assert b''.join(read) == bytes_of(record['name'])
    said('done')


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
