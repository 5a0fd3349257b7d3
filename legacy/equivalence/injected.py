# SPDX-License-Identifier: Apache-2.0
"""Twins around a client of the caller's own: the old service that was given one, and the new API over it (D-15).

The client is the v1 stub of 2014.1, with bytes. The law is as in ``twin``, and the client must be called
alike. What the old names refuse or convert for today's servers does not happen here: an old client
takes what the old class sent.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from glanceclient import exc

from legacy.equivalence.programs import Program, Step
from legacy.equivalence.twin import Run, Side
from legacy.equivalence.twin_calls import Call, own_service
from legacy.equivalence.twin_stores import contexts
from legacy.names import NAMES
from legacy.stub_client import StubGlanceClient, StubImage
from nova_image import API, errors

#: ways of handing in a client: put into a wrapper, put into a wrapper of a named server, or an object with ``call``
WAYS = ('wrapper', 'host', 'bare')
_ALREADY = {
    'id': 'f3a2b1c0-0000-4000-8000-0000000000c1', 'name': 'there', 'status': 'active', 'is_public': True,
    'properties': {'kernel_id': 'nokernel', 'mappings': '[{"device": "sda1", "virtual": "root"}]'},
}  # fmt: skip


Records = list[dict[str, Any]]


class StubWithBytes(StubGlanceClient):
    """The stub, keeping the bytes of images and a list of the calls it got."""

    def __init__(self) -> None:
        self.bytes: dict[str, bytes] = {}
        self.calls: list[dict[str, Any]] = []
        super().__init__([_ALREADY])
        self.calls.clear()

    def _got(self, method: str, *args: Any, **kwargs: Any) -> None:
        kept = {name: copy.deepcopy(value) for name, value in kwargs.items() if name != 'data'}
        if 'data' in kwargs:
            kept['data'] = type(kwargs['data']).__name__
            kept.pop('purge_props', None)  # C-177: it means nothing beside data; the old class sent its default
        self.calls.append({'method': method, 'args': list(args), **kept})

    def list(
        self,
        filters: Any = None,
        marker: Any = None,
        limit: int = 30,
        page_size: int = 20,
        **order: Any,
    ) -> Any:
        """As the stub; an order is noted and ignored."""
        asked = {'filters': filters, 'marker': marker, 'limit': limit, 'page_size': page_size}
        self._got('list', **asked, **order)
        return super().list(**asked)

    def get(self, image_id: Any) -> Any:
        """As the stub."""
        self._got('get', image_id)
        return super().get(image_id)

    def data(self, image_id: Any) -> Any:
        """The bytes in two chunks, or None for an image without."""
        self._got('data', image_id)
        content = self.bytes.get(super().get(image_id).id)
        return None if content is None else iter([content[:2], content[2:]])

    def create(self, **metadata: Any) -> StubImage:
        """As the stub, bytes kept; an id that is taken is refused, as by every server."""
        self._got('create', **metadata)
        if metadata.get('id') in {image.id for image in self._images}:
            raise exc.HTTPConflict()
        image = super().create(**metadata)
        self._keep(image, metadata)
        return image

    def update(self, image_id: Any, **metadata: Any) -> Any:
        """As the stub, bytes kept."""
        self._got('update', image_id, **metadata)
        image = super().update(image_id, **metadata)
        self._keep(image, metadata)
        return image

    def delete(self, image_id: Any) -> None:
        """As the stub."""
        self._got('delete', image_id)
        super().delete(image_id)

    def _keep(self, image: Any, metadata: Mapping[str, Any]) -> None:
        if metadata.get('data') is not None:
            data = metadata['data']
            self.bytes[image.id] = data.read() if hasattr(data, 'read') else b''.join(_chunks(data))
            vars(image).update(size=len(self.bytes[image.id]), status='active')

    def stored(self) -> Records:
        """The images, and the calls, as records to compare."""
        images = [{**vars(image), 'bytes': self.bytes.get(image.id)} for image in self._images]
        return [*images, {'id': 'calls', 'calls': self.calls}]


def _chunks(data: Any) -> Any:
    return [data] if isinstance(data, bytes) else data


class Bare:
    """What tests of 2012 to 2014 injected: any object with ``call``."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def call(self, context: Any, version: int, method: str, *args: Any, **kwargs: Any) -> Any:
        """The client's method."""
        return getattr(self._client.images, method)(*args, **kwargs)


def given_in(way: str, client: Any) -> Any:
    """The client as the first argument of an old service."""
    from legacy import glance

    if way == 'bare':
        return Bare(client)
    if way == 'wrapper':
        wrapper = glance.GlanceClientWrapper()
    else:
        wrapper = glance.GlanceClientWrapper(None, 'images.example', 9292, False, 1)
    wrapper.client = client
    return wrapper


def run_old(program: Program, way: str) -> Run:
    """A program on an old service that was given the stub."""
    client = StubWithBytes()
    call = own_service(lambda glance: glance.GlanceImageService(client=given_in(way, client)))
    return Side(contexts(), call, client.stored).run(program)


def run_new(program: Program, way: str, make: Callable[[Any], API] | None = None) -> Run:
    """The same on the new API, over the driver for old clients.

    :param make: makes the API of what is handed in
    """
    from legacy.clients import V1ClientDriver

    client = StubWithBytes()
    given = given_in(way, client)
    api = API(V1ClientDriver(given)) if make is None else make(given)
    return Side(contexts(), _rewritten(api), client.stored).run(program)


def _rewritten(api: API) -> Call:
    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        rule = NAMES[f'GlanceImageService.{step.op}'].rewrite
        given = {rule.params.get(name, name): value for name, value in arguments.items()}
        if rule.known:
            given = {name: value for name, value in given.items() if name in rule.known}
        if rule.purge == 'unless-data':
            given.setdefault('purge_props', True)
        if '/' in str(given.get('id_or_uri', '')):
            raise errors.ImageNotFound(image_id=given['id_or_uri'])
        assert rule.to is not None
        return getattr(api, rule.to)(context, **given)

    return call
