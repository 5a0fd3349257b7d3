# SPDX-License-Identifier: Apache-2.0
"""Generated programs run before and after the rewrite against two small models: nothing may change.

The models are the law of the rewrite in a few lines: the old service with its purge rule and its servers, the
new API with its own. What the new API widens on purpose (an id that is a URI) ends the comparison.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Self

from budgets import budget
from hypothesis import given
from hypothesis import strategies as st
from test_generated import programs

from legacy.migrate import run

seen: Counter[str] = Counter()


class Widened(BaseException):
    """The old call could only fail; the new one does what was meant."""


class Stream:
    """Something with bytes in it."""

    def read(self) -> bytes:
        return b''

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        return None


class World:
    """Records what happens."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def note(self, *what: Any) -> dict[str, Any]:
        self.events.append(tuple(each.name if isinstance(each, Context) else repr(each) for each in what))
        if len(self.events) > 200:
            raise RuntimeError('enough')
        return {'id': 'made', 'ref': 'made'}


class Context:
    """A request context that can be exchanged for another."""

    def __init__(self, name: str = 'ctx') -> None:
        self.name = name

    @property
    def other(self) -> Context:
        return Context(self.name + '+')


def sent(data: Any) -> bool:
    return data is not None and data not in ('', b'')


def split(reference: Any) -> tuple[str | None, Any]:
    if isinstance(reference, str) and '/' in reference:
        server, _, image = reference.rpartition('/')
        return server, image
    return None, reference


class OldService:
    """A service of the old module."""

    def __init__(self, world: World, server: str | None = None, context: Any = None) -> None:
        self.world, self.server, self.context = world, server, context

    def _id(self, image_id: Any) -> Any:
        if isinstance(image_id, str) and '/' in image_id:
            raise Widened
        return image_id

    def _context(self, context: Any) -> Any:
        return self.context if self.server is not None else context

    def show(
        self, context: Any, image_id: Any, include_locations: bool = False, show_deleted: bool = True
    ) -> Any:
        return self.world.note(
            'get', self.server, self._context(context), self._id(image_id), include_locations
        )

    def detail(self, context: Any, **kwargs: Any) -> Any:
        self.world.note('list', self.server, self._context(context), kwargs.get('filters'))
        return []

    def create(self, context: Any, image_meta: Any, data: Any = None) -> Any:
        return self.world.note('create', self.server, self._context(context), image_meta, sent(data))

    def update(
        self, context: Any, image_id: Any, image_meta: Any, data: Any = None, purge_props: Any = True
    ) -> Any:
        purged = bool(purge_props) and not sent(data)
        return self.world.note(
            'update', self.server, self._context(context), self._id(image_id), image_meta, sent(data), purged
        )

    def delete(self, context: Any, image_id: Any) -> Any:
        self.world.note('delete', self.server, self._context(context), self._id(image_id))
        return True

    def download(self, context: Any, image_id: Any, data: Any = None, dst_path: Any = None) -> Any:
        return self.world.note(
            'download', self.server, self._context(context), self._id(image_id), sent(data), dst_path
        )


class OldModule:
    """The old module."""

    def __init__(self, world: World) -> None:
        self.world = world

    def get_default_image_service(self) -> OldService:
        return OldService(self.world)

    GlanceImageService = get_default_image_service

    def get_remote_image_service(self, context: Any, image_href: Any) -> Any:
        server, image = split(image_href)
        return OldService(self.world, server, context), image

    def generate_image_url(self, image_ref: Any) -> Any:
        return self.world.note('url', image_ref)


class NewAPI:
    """The new API."""

    world: World

    def __init__(self, endpoint: str | None = None) -> None:
        self.endpoint = endpoint

    @classmethod
    def for_reference(cls, reference: Any) -> Self:
        return cls(split(reference)[0])

    def split(self, reference: Any) -> tuple[str | None, Any]:
        server, image = split(reference)
        return self.endpoint if server is None else server, image

    def get(
        self, context: Any, id_or_uri: Any, include_locations: bool = False, show_deleted: bool = True
    ) -> Any:
        server, image = self.split(id_or_uri)
        return self.world.note('get', server, context, image, include_locations)

    def get_all(self, context: Any, *, filters: Any = None, marker: Any = None) -> Any:
        self.world.note('list', self.endpoint, context, filters)
        return []

    def create(self, context: Any, image_info: Any, data: Any = None) -> Any:
        return self.world.note('create', self.endpoint, context, image_info, sent(data))

    def update(
        self, context: Any, id_or_uri: Any, image_info: Any, data: Any = None, purge_props: Any = False
    ) -> Any:
        server, image = self.split(id_or_uri)
        return self.world.note('update', server, context, image, image_info, sent(data), bool(purge_props))

    def delete(self, context: Any, id_or_uri: Any) -> Any:
        server, image = self.split(id_or_uri)
        self.world.note('delete', server, context, image)
        return True

    def download(self, context: Any, id_or_uri: Any, data: Any = None, dest_path: Any = None) -> Any:
        server, image = self.split(id_or_uri)
        return self.world.note('download', server, context, image, sent(data), dest_path)

    def generate_image_url(self, image_ref: Any, context: Any = None) -> Any:
        return self.world.note('url', image_ref)


class Holder:
    """An object with attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __repr__(self) -> str:
        return 'holder'


class Reference(Holder):
    """What ``parse_image_ref`` returns."""


def outcome(text: str, reference: str, data: Any) -> tuple[list[Any], str]:
    """Events and the error of one run of the program's function."""
    world = World()
    old = OldModule(world)
    api = type('API', (NewAPI,), {'world': world})
    nova = Holder(image=Holder(glance=old), exception=Holder())

    def parse(ref: Any) -> Reference:
        server, image = split(ref)
        return Reference(server=server, image_id=image)

    def listed(given: Any) -> dict[str, Any]:
        return {name: given[name] for name in given if name in ('self', 'context', 'filters', 'marker')}

    new = Holder(api=Holder(API=api), parse_image_ref=parse, listing_arguments=listed)
    modules = {
        'nova.image': Holder(glance=old, other=1, image=Holder(glance=old)),
        'nova.image.glance': nova,
        'legacy': Holder(glance=old),
        'nova': nova,
        'nova_image.api': new,
        'os': Holder(),
    }

    def importer(name: str, space: Any = None, local: Any = None, names: Any = (), level: int = 0) -> Any:
        return modules[name]

    space: dict[str, Any] = {
        '__builtins__': {
            **vars(__import__('builtins')),
            '__import__': importer,
            'open': lambda *_arguments: Stream(),
        },
        '__name__': 'program',
        'log': lambda *values: world.note('log', *values),
        'helper': lambda service, image: world.note('helper', image),
    }
    error = ''
    try:
        # the alias form of a dotted import looks the parts up in the module that came back
        exec(compile(text, 'program', 'exec'), space)  # noqa: S102
        holder = Holder(ref='http://h2/images/two')
        function = space.get('function') or space['Driver'].function
        function(holder, Context(), reference, {'id': 'three', 'ref': 'http://h3/images/four'}, data)
    except Widened:
        raise
    except Exception as err:  # noqa: BLE001  any error is an outcome
        error = type(err).__name__
    return world.events, error


@budget(80, long=4000)
@given(
    programs(),
    st.sampled_from(('one', 'http://h1/images/one')),
    st.sampled_from((None, '', 'bytes')),
)
def test_a_program_does_the_same_after_the_rewrite(text: str, reference: str, data: Any) -> None:
    """Law: same operations on the same servers with the same contexts, same values logged, same error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'a.py')
        path.write_bytes(text.encode())
        result = run([path], folder)
        new = result.files['a.py'].new_bytes.decode()
    if new == text:
        return
    try:
        before = outcome(text, reference, data)
    except Widened:
        return
    if before[1] in ('NameError', 'UnboundLocalError'):
        return
    for site in result.sites:
        seen[f'{site.pattern} {site.status}'] += 1
    after = outcome(new, reference, data)
    assert after == before, new
