# SPDX-License-Identifier: Apache-2.0
"""One image client under test: reads a JSON call a line, does it, answers with a line.

Started by ``faults.py`` in an interpreter of its own, so that a client that hangs can be ended. All
clients run with their defaults, but ours with shorter time limits, so that a row takes seconds. The answer
says how much memory the call took beyond what the process had used before.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import resource
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keystoneauth1.plugin

INFO = {'name': 'image', 'disk_format': 'raw', 'container_format': 'bare'}
SHORT_LIMITS = {
    'connect_timeout': 2, 'first_byte_timeout': 2, 'stall_timeout': 2, 'upload_answer_timeout': 2,
    'metadata_timeout': 6,
}  # fmt: skip


class Plugin(keystoneauth1.plugin.BaseAuthPlugin):
    """A credential that gets another token when one is refused."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.serial = url, 1

    def get_token(self, session: Any, **kwargs: Any) -> str:
        return f'token-{self.serial}'

    def get_endpoint(self, session: Any, **kwargs: Any) -> str:
        return self.url

    def invalidate(self) -> bool:
        self.serial += 1
        return True


class Pipe:
    """read() only."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


def chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


def source(kind: str, data: bytes) -> Any:
    return {'file': io.BytesIO, 'pipe': Pipe, 'generator': chunks}[kind](data)


class NovaImage:
    """nova_image.API."""

    def __init__(self, url: str, plugin: Plugin | None, options: dict[str, Any]) -> None:
        import nova_image
        from nova_image.testing.configuration import make_conf

        given = {f'image__{name}': value for name, value in (SHORT_LIMITS | options).items()}
        self.api: Any = nova_image.API(conf=make_conf(glance__api_servers=[url], **given))
        self.context = self._context(plugin)

    def _context(self, plugin: Plugin | None) -> Any:
        context = types.SimpleNamespace(
            auth_token='token-1', user_id='u', project_id='p', roles=['member'], is_admin=False, service_catalog=[],
            user='u', tenant='p', to_dict=dict,
        )  # fmt: skip
        if plugin:
            context.get_auth_plugin = lambda: plugin
        return context

    def create(self, data: Any) -> Any:
        return self.api.create(self.context, dict(INFO), data=data)['id']

    def download(self, image: str, path: str) -> None:
        self.api.download(self.context, image, dest_path=path)

    def get(self, image: str) -> Any:
        return self.api.get(self.context, image)['id']

    def list(self) -> Any:
        return [each['id'] for each in self.api.get_all(self.context)]

    def delete(self, image: str) -> None:
        self.api.delete(self.context, image)


class Nova(NovaImage):
    """nova.image.glance.API of Nova 34."""

    def __init__(self, url: str, plugin: Plugin | None, options: dict[str, Any]) -> None:
        import nova.conf
        from nova import context
        from nova.image import glance

        nova.conf.CONF([], project='nova', default_config_files=[])
        nova.conf.CONF.set_override('api_servers', [url], 'glance')
        self.api = glance.API()
        self.context = context.RequestContext('u', 'p', auth_token='token-1', user_auth_plugin=plugin)


class Icehouse(NovaImage):
    """legacy.glance.GlanceImageService."""

    service = 'GlanceImageService'

    def __init__(self, url: str, plugin: Plugin | None, options: dict[str, Any]) -> None:
        from oslo_config import cfg

        from legacy import glance

        warnings.simplefilter('ignore')
        cfg.CONF.reset()
        cfg.CONF([], default_config_files=[])
        cfg.CONF.set_override('api_servers', [url], 'glance')
        for name, value in (SHORT_LIMITS | options).items():
            cfg.CONF.set_override(name, value, 'image')
        self.glance, self.api = glance, getattr(glance, self.service)()
        self.context = self._context(plugin)

    def _of(self, reference: str) -> tuple[Any, str]:
        """The service and the id of a reference, as callers of that time asked for them."""
        if '://' not in reference:
            return self.api, reference
        service, image = self.glance.get_remote_image_service(self.context, reference)
        return getattr(self.glance, self.service)(service._client), image

    def download(self, image: str, path: str) -> None:
        service, image = self._of(image)
        service.download(self.context, image, dst_path=path)

    def get(self, image: str) -> Any:
        service, image = self._of(image)
        return service.show(self.context, image)['id']

    def delete(self, image: str) -> None:
        service, image = self._of(image)
        service.delete(self.context, image)

    def list(self) -> Any:
        return [each['id'] for each in self.api.detail(self.context)]


class Newton(Icehouse):
    """legacy.glance.GlanceImageServiceV2."""

    service = 'GlanceImageServiceV2'


class GlanceClient(NovaImage):
    """python-glanceclient as its users call it."""

    def __init__(self, url: str, plugin: Plugin | None, options: dict[str, Any]) -> None:
        import glanceclient
        from keystoneauth1 import session

        if plugin:
            self.client = glanceclient.Client('2', session=session.Session(plugin), endpoint_override=url)
        else:
            self.client = glanceclient.Client('2', endpoint=url, token='token-1')

    def create(self, data: Any) -> Any:
        image = self.client.images.create(**INFO)['id']
        if data is not None:
            self.client.images.upload(image, data)
        return image

    def download(self, image: str, path: str) -> None:
        chunks = self.client.images.data(image)
        with Path(path).open('wb') as file:
            file.writelines(chunks)

    def get(self, image: str) -> Any:
        return self.client.images.get(image)['id']

    def list(self) -> Any:
        return [each['id'] for each in self.client.images.list()]

    def delete(self, image: str) -> None:
        self.client.images.delete(image)


SUBJECTS = {
    'nova_image': NovaImage, 'legacy 2014': Icehouse, 'legacy V2': Newton, 'nova 34': Nova,
    'glanceclient': GlanceClient,
}  # fmt: skip


class Warned(logging.Handler):
    """Whether the client said that something cannot be checked."""

    said = False

    def emit(self, record: logging.LogRecord) -> None:
        if 'no hash' in record.getMessage():
            self.said = True


def answer_to(subject: type[NovaImage], call: dict[str, Any], data: bytes) -> dict[str, Any]:
    """Do one call."""
    args, opened = call['args'], None
    client = subject(call['url'], Plugin(call['url']) if call.get('refreshing') else None, call.get('options', {}))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    Path('/proc/self/clear_refs').write_text('5')  # the peak counts from here
    before = memory('VmRSS')
    try:
        if call.get('file_limit'):  # a file grows no further, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (call['file_limit'], unlimited[1]))
        if call['name'] == 'create':
            opened = Path(args[0]).open('rb') if os.path.isabs(args[0]) else None  # noqa: SIM115
            args = [opened or source(args[0], data)]
        answer = {'value': getattr(client, call['name'])(*args)}
    except Exception as exc:  # noqa: BLE001 - whatever a client raises is its answer
        answer = {'error': type(exc).__name__, 'text': str(exc)[:200]}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        if opened is not None:
            opened.close()
    return {**answer, 'memory': memory('VmHWM') - before}


def memory(name: str) -> int:
    """Bytes that Linux says of this process: now (``VmRSS``), at most (``VmHWM``)."""
    found = re.search(rf'{name}:\s+(\d+) kB', Path('/proc/self/status').read_text())
    assert found is not None
    return 1024 * int(found[1])


def main() -> None:
    warnings.simplefilter('ignore')
    subject, data = SUBJECTS[sys.argv[1]], Path(sys.argv[2]).read_bytes()
    warned = Warned(logging.WARNING)
    logging.getLogger().addHandler(warned)
    for line in sys.stdin:
        warned.said = False
        answer = answer_to(subject, json.loads(line), data)
        print(json.dumps({**answer, 'warned': warned.said}), flush=True)


if __name__ == '__main__':
    main()
