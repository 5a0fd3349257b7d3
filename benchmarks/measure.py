# SPDX-License-Identifier: Apache-2.0
"""Measure one case for one peer and print it as JSON; started by ``run.py`` in an interpreter of its own.

Each peer is a class with the same operations, so every case reads the same for all of them.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import resource
import statistics
import tempfile
import time
import types
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

FIRST = '00000000-0000-0000-0000-000000000001'
LARGE = '00000000-0000-0000-0000-00000000ffff'
DATA = b'x' * 65536
INFO = {'name': 'made', 'disk_format': 'raw', 'container_format': 'bare', 'properties': {'a': 'b'}}
CHANGE = {'name': 'changed', 'properties': {'c': 'd'}}


class Bare:
    """HTTP and JSON of the standard library, for scale."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def ask(self, path: str) -> Any:
        self.connection.request('GET', path)
        return json.loads(self.connection.getresponse().read())

    def list(self) -> list[Any]:
        found: list[Any] = []
        path = '/v2/images?limit=1000'
        while path:
            page = self.ask(path)
            found += page['images']
            path = page.get('next')
        return found

    def get(self) -> Any:
        return self.ask(f'/v2/images/{FIRST}')


class GlanceClient:
    """python-glanceclient as its users call it."""

    def __init__(self, url: str) -> None:
        import glanceclient

        self.client = glanceclient.Client('2', endpoint=url, token='token')

    def list(self) -> list[Any]:
        return list(self.client.images.list())

    def get(self) -> Any:
        return self.client.images.get(FIRST)

    def download(self, path: str) -> None:
        with open(path, 'wb') as file:
            for chunk in self.client.images.data(LARGE):  # noqa: FURB122 - as its users write it
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


class GlanceClientHTTP(GlanceClient):
    """The HTTP client inside glanceclient, without its models."""

    def get(self) -> Any:
        return self.client.http_client.get(f'/v2/images/{FIRST}')[1]


class Nova:
    """nova.image.glance of the installed Nova."""

    def __init__(self, url: str) -> None:
        import nova.conf
        from nova import context
        from nova.image import glance

        nova.conf.CONF([], project='nova', default_config_files=[])
        nova.conf.CONF.set_override('api_servers', [url], 'glance')
        self.api = glance.API()
        self.context = context.RequestContext('user', 'project', auth_token='token')

    def list(self) -> list[Any]:
        return self.api.get_all(self.context)

    def get(self) -> Any:
        return self.api.get(self.context, FIRST)

    def download(self, path: str) -> None:
        self.api.download(self.context, LARGE, dest_path=path)

    def create(self) -> Any:
        return self.api.create(self.context, dict(INFO, properties={'a': 'b'}), data=io.BytesIO(DATA))

    def queue(self) -> Any:
        return self.api.create(self.context, dict(INFO, properties={'a': 'b'}))

    def update(self, image: Any) -> Any:
        return self.api.update(self.context, image['id'], dict(CHANGE))

    def update_with_data(self, image: Any) -> Any:
        return self.api.update(self.context, image['id'], dict(CHANGE), data=io.BytesIO(DATA))


class NovaImage(Nova):
    """The new API."""

    def __init__(self, url: str) -> None:
        import nova_image
        from nova_image.testing.configuration import make_conf

        self.context = _context()
        self.api = nova_image.API(conf=make_conf(glance__api_servers=[url]))


class Legacy(Nova):
    """The old module over the new API; its warnings are counted, not shown."""

    def __init__(self, url: str) -> None:
        from oslo_config import cfg

        from legacy import glance

        warnings.simplefilter('ignore')
        cfg.CONF([], default_config_files=[])
        cfg.CONF.set_override('api_servers', [url], 'glance')
        self.context = _context()
        self.service = glance.GlanceImageService()

    def list(self) -> list[Any]:
        return self.service.detail(self.context)

    def get(self) -> Any:
        return self.service.show(self.context, FIRST)

    def download(self, path: str) -> None:
        self.service.download(self.context, LARGE, dst_path=path)

    def create(self) -> Any:
        return self.service.create(self.context, dict(INFO), data=io.BytesIO(DATA))

    def queue(self) -> Any:
        return self.service.create(self.context, dict(INFO))

    def update(self, image: Any) -> Any:
        return self.service.update(self.context, image['id'], dict(CHANGE), purge_props=False)

    def update_with_data(self, image: Any) -> Any:
        return self.service.update(self.context, image['id'], dict(CHANGE), data=io.BytesIO(DATA))


PEERS: dict[str, Callable[[str], Any]] = {
    'bare': Bare,
    'glanceclient': GlanceClient,
    'glanceclient http': GlanceClientHTTP,
    'nova': Nova,
    'nova_image': NovaImage,
    'legacy': Legacy,
}


def _context() -> Any:
    return types.SimpleNamespace(
        user_id='user', project_id='project', auth_token='token', is_admin=False, roles=['member'], service_catalog=[]
    )


def _count(url: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request('GET', '/count')
    return int(connection.getresponse().read())


def _cpu(call: Callable[[], object], calls: int, repeats: int) -> float:
    """CPU seconds of one call, all threads of this process: the median of ``repeats`` rounds."""
    rounds = []
    for _ in range(repeats):
        started = time.process_time()
        for _ in range(calls):
            call()
        rounds.append((time.process_time() - started) / calls)
    return statistics.median(rounds)


def _operation(peer: Any, url: str, call: Callable[[], object], calls: int, repeats: int) -> dict[str, Any]:
    call()
    _count(url)
    call()
    requests = _count(url)
    return {'cpu': _cpu(call, calls, repeats), 'requests': requests}


def _requests(url: str, call: Callable[[], object]) -> int:
    _count(url)
    call()
    return _count(url)


def _download(peer: Any) -> dict[str, Any]:
    """One download to a file, verified and on the disk; with what it takes of memory."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'image')
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started, cpu = time.perf_counter(), time.process_time()
        peer.download(path)
        found = {'cpu': time.process_time() - cpu, 'wall': time.perf_counter() - started}
        found['memory'] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
        assert os.path.getsize(path) >= 1 << 20
    return found


def measure(case: str, name: str, url: str) -> dict[str, Any]:
    if case == 'deprecated call':
        return {'cpu': _deprecated_call(name)}
    peer = PEERS[name](url)
    if case == 'list':
        assert len(peer.list()) > 1000
        return _operation(peer, url, peer.list, 1, 3)
    if case == 'get':
        return _operation(peer, url, peer.get, 200, 3)
    peer.get()
    if case == 'download':
        return _download(peer)
    if case == 'create with data':
        return {'requests': _requests(url, peer.create)}
    image = peer.queue()
    change = peer.update if case == 'update' else peer.update_with_data
    return {'requests': _requests(url, lambda: change(image))}


def _plain(value: object) -> object:
    return value


def _deprecated_call(name: str) -> float:
    """Seconds of one call of a deprecated function that does nothing, after its warning was given."""
    decorate: Callable[[Any], Any]
    if name == 'legacy':
        from legacy.deprecation import deprecated

        decorate = deprecated('generate_glance_url')
    elif name == 'debtcollector':
        from debtcollector import removals

        decorate = removals.remove
    elif name == 'wrapt':
        import wrapt

        @wrapt.decorator
        def decorate(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            return wrapped(*args, **kwargs)
    else:

        def decorate(function: Any) -> Any:
            return function

    function = decorate(_plain)
    warnings.simplefilter('default')
    with open('/dev/null', 'w', encoding='ascii') as nowhere:
        warnings.showwarning = lambda *args, **kwargs: nowhere.write('x')  # type: ignore[assignment]

        def hundred_thousand() -> None:
            for _ in range(100_000):
                function(1)

        hundred_thousand()
        return _cpu(hundred_thousand, 1, 5) / 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('case')
    parser.add_argument('peer')
    parser.add_argument('url')
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.case, arguments.peer, arguments.url)))


if __name__ == '__main__':
    main()
