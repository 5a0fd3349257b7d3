# SPDX-License-Identifier: Apache-2.0
"""A loopback Glance v2 that costs little: canned listings, a few live images, and a count of requests.

It runs in a process of its own, so its work is not in any peer's CPU time. Prints its port, then serves
until its standard input closes. ``GET /count`` gives the requests since the last count.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

COMMON = Path(__file__).parents[1] / 'legacy' / 'equivalence' / 'golden' / 'common.json'
TIME = '2026-01-02T03:04:05Z'
LARGE = '00000000-0000-0000-0000-00000000ffff'
MIB = 1024 * 1024


def image(number: int, properties: int) -> dict[str, Any]:
    """An active image as Glance 33 shows it."""
    image_id = str(uuid.UUID(int=number + 1))
    wire = {
        'id': image_id, 'name': f'image {number}', 'status': 'active', 'visibility': 'shared', 'size': 1 << 30,
        'virtual_size': 10 << 30, 'checksum': hashlib.md5(image_id.encode()).hexdigest(), 'os_hash_algo': 'sha512',
        'os_hash_value': hashlib.sha512(image_id.encode()).hexdigest(), 'owner': '5ef70662f8b34079a6eddb8da9d75fe8',
        'disk_format': 'qcow2', 'container_format': 'bare', 'min_disk': 10, 'min_ram': 512, 'protected': False,
        'os_hidden': False, 'tags': ['one', 'two'], 'created_at': TIME, 'updated_at': TIME, 'stores': 'fast',
        'self': f'/v2/images/{image_id}', 'file': f'/v2/images/{image_id}/file', 'schema': '/v2/schemas/image',
    }  # fmt: skip
    for each in range(properties):
        wire[f'property_{each}'] = f'value {each} of image {number}'
    return wire


class Large:
    """An image to download: random bytes in a file that has no name, so that it is gone with the server."""

    def __init__(self, mib: int) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server is
        md5, sha512 = hashlib.md5(), hashlib.sha512()
        for _ in range(mib):
            piece = os.urandom(MIB)
            md5.update(piece)
            sha512.update(piece)
            self.file.write(piece)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.size = mib * MIB
        self.record = {
            **image(0xFFFF - 1, 0), 'id': LARGE, 'self': f'/v2/images/{LARGE}', 'file': f'/v2/images/{LARGE}/file',
            'size': self.size, 'checksum': md5.hexdigest(), 'os_hash_value': sha512.hexdigest(),
        }  # fmt: skip

    def send(self, connection: int) -> None:
        """From the page cache into the socket, so that little of the machine goes to the server."""
        sent = 0
        while sent < self.size:
            sent += os.sendfile(connection, self.file.fileno(), sent, self.size - sent)


class Glance:
    """Canned images for listings, live ones for changes, a large one for downloads."""

    def __init__(self, images: int, properties: int, large: Large) -> None:
        canned = [image(number, properties) for number in range(images)]
        self.ids = [each['id'] for each in canned]
        self.places = {image_id: place for place, image_id in enumerate(self.ids)}
        self.texts = [json.dumps(each) for each in canned]
        self.large = large
        self.live: dict[str, dict[str, Any]] = {canned[0]['id']: canned[0], LARGE: large.record}
        self.pages: dict[str, bytes] = {}
        schema = json.loads(COMMON.read_text(encoding='utf-8'))['shared']['schema-image']
        self.schema = json.dumps(schema).encode()
        self.requests = 0
        self.lock = threading.Lock()

    def page(self, query: str) -> bytes:
        """One page; made once, so that a listing costs the server next to nothing."""
        if query not in self.pages:
            asked = dict(parse_qsl(query))
            limit = min(int(asked.get('limit', 25)), 1000)
            start = self.places[asked['marker']] + 1 if 'marker' in asked else 0
            texts = self.texts[start : start + limit]
            more = ''
            if len(texts) == limit:
                asked['marker'] = self.ids[start + limit - 1]
                more = f', "next": "/v2/images?{urlencode(asked)}"'
            head = '{"first": "/v2/images", "schema": "/v2/schemas/images", "images": ['
            self.pages[query] = f'{head}{", ".join(texts)}]{more}}}'.encode()
        return self.pages[query]

    def create(self, fields: dict[str, Any]) -> dict[str, Any]:
        made = {**image(0, 0), 'size': None, 'checksum': None, 'os_hash_algo': None, 'os_hash_value': None,
                'virtual_size': None, 'status': 'queued', **fields, 'id': str(uuid.uuid4())}  # fmt: skip
        del made['stores']
        made['self'] = f'/v2/images/{made["id"]}'
        made['file'] = f'{made["self"]}/file'
        self.live[made['id']] = made
        return made

    def upload(self, image_id: str, body: bytes) -> None:
        self.live[image_id].update(
            status='active', size=len(body), checksum=hashlib.md5(body).hexdigest(), stores='fast',
            os_hash_algo='sha512', os_hash_value=hashlib.sha512(body).hexdigest(),
        )  # fmt: skip

    def patch(self, image_id: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
        found = self.live[image_id]
        for operation in operations:
            key = operation['path'].strip('/')
            if operation['op'] == 'remove':
                del found[key]
            else:
                found[key] = operation['value']
        return found


def handler_for(glance: Glance) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        disable_nagle_algorithm = True

        def serve(self) -> None:
            path, query = urlsplit(self.path)[2:4]
            body = self.body()
            if path == '/count':
                with glance.lock:
                    count, glance.requests = glance.requests, 0
                return self.answer(200, str(count).encode())
            with glance.lock:
                glance.requests += 1
            if path == '/v2/schemas/image':
                return self.answer(200, glance.schema)
            if path == '/v2/images' and self.command == 'GET':
                return self.answer(200, glance.page(query))
            if path == '/v2/images':
                return self.answer(201, json.dumps(glance.create(json.loads(body))).encode())
            image_id = path.split('/')[3]
            if image_id not in glance.live:
                return self.answer(404, b'no such image', 'text/plain')
            if path.endswith('/file') and self.command == 'GET':
                self.answer(200, b'', 'application/octet-stream', glance.large.size)
                return glance.large.send(self.connection.fileno())
            if path.endswith('/file'):
                glance.upload(image_id, body)
                return self.answer(204, b'', 'text/plain')
            if self.command == 'PATCH':
                return self.answer(200, json.dumps(glance.patch(image_id, json.loads(body))).encode())
            return self.answer(200, json.dumps(glance.live[image_id]).encode())

        do_GET = do_POST = do_PUT = do_PATCH = serve

        def body(self) -> bytes:
            if self.headers.get('Transfer-Encoding', '').lower() != 'chunked':
                return self.rfile.read(int(self.headers.get('Content-Length') or 0))
            parts = []
            while size := int(self.rfile.readline().split(b';')[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b''.join(parts)

        def answer(
            self, status: int, content: bytes, kind: str = 'application/json', size: int | None = None
        ) -> None:
            length = len(content) if size is None else size
            head = f'HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n'
            self.wfile.write(head.encode() + content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=10_000)
    parser.add_argument('--properties', type=int, default=15)
    parser.add_argument('--mib', type=int, default=1024, help='size of the image to download')
    arguments = parser.parse_args()
    glance = Glance(arguments.images, arguments.properties, Large(arguments.mib))
    server = ThreadingHTTPServer(('127.0.0.1', 0), handler_for(glance))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == '__main__':
    main()
