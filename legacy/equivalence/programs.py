# SPDX-License-Identifier: Apache-2.0
"""Programs of image operations as plain data, and Hypothesis strategies that make them.

A program is a list of :class:`Step`; its ``repr`` can be pasted into a test. Steps are in the words of
the *old* module; what runs them decides which API they go to (see ``twin``). Knows no driver.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

#: An image that no program makes.
ABSENT = 'f3a2b1c0-0000-4000-8000-00000000dead'
#: Ids that programs may ask for themselves.
CHOSEN = ('f3a2b1c0-0000-4000-8000-0000000000a1', 'f3a2b1c0-0000-4000-8000-0000000000a2')


class Body(NamedTuple):
    """Bytes to upload and the kind of object they come in: bytes, file, list, iterator."""

    content: bytes
    kind: str = 'bytes'

    def open(self) -> Any:
        """A fresh object with the content."""
        return _OPEN[self.kind](self.content)


class Reads:
    """The least that counts as a file: ``read``, and nothing else."""

    def __init__(self, content: bytes) -> None:
        self._source = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._source.read(size)

    def position(self) -> int:
        """How far it was read; for whoever looks on, not for whoever reads."""
        return self._source.tell()


def _chunks(content: bytes) -> Iterator[bytes]:
    return iter([content[:3], content[3:]])


_OPEN: Mapping[str, Any] = {
    'bytes': bytes,
    'file': io.BytesIO,
    'pipe': Reads,
    'list': lambda content: list(_chunks(content)),
    'iterator': _chunks,
}


class Step(NamedTuple):
    """One call.

    :param op: an operation of ``steps``, most of them methods of the old service; ``fault`` and
        ``configure`` are in ``troubles``
    :param who: name of the caller
    :param image: which image: an index into those made so far, or an id as it stands
    :param arguments: by the old parameter names; a ``data`` is a :class:`Body`, a ``marker`` is as ``image``;
        for ``download`` ``into`` says where to: iterator, object, path, both
    :param remote: whether the service is got by reference
    :param href: shape of that reference, with ``{id}`` where the id goes; none: the id alone. Without ``remote``: what
        the old service is given in place of the id (C-208)
    :param era: whose kind of context object the caller has, see ``eras``
    :param via: what the old service is built around: '' (nothing), or a ``GlanceClientWrapper`` of the caller's
        own, 'wrapper' for the configured servers, 'host' or 'endpoint' for a named one
    """

    op: str
    who: str = 'ann'
    image: int | str | None = None
    arguments: Mapping[str, Any] = {}
    remote: bool = False
    href: str = ''
    era: str = ''
    via: str = ''


Program = list[Step]


def callers() -> tuple[str, ...]:
    """Names of the callers in programs: two projects, an administrator, and two without a token."""
    return ('ann', 'bob', 'root', 'nobody', 'guest')


def programs(*, longest: int = 9) -> SearchStrategy[Program]:
    """Programs that make one image first and then do anything."""
    from hypothesis import strategies as st

    return st.builds(
        lambda made, rest: [made, *rest],
        first(),
        st.lists(_steps(), min_size=1, max_size=longest),
    )


def first() -> SearchStrategy[Step]:
    """What a program begins with: an image that is there."""
    from hypothesis import strategies as st

    return st.builds(_create, st.just('ann'), _good_meta(), _bodies())


def _usually(
    usual: SearchStrategy[Any], odd: SearchStrategy[Any], of: int = 12
) -> SearchStrategy[Any]:
    """Values of the first kind, once in ``of`` times one of the second."""
    from hypothesis import strategies as st

    return st.integers(1, of).flatmap(lambda number: odd if number == of else usual)


def _steps() -> SearchStrategy[Step]:
    from hypothesis import strategies as st

    kinds = steps()
    return st.one_of(*(kinds[op] for op in _COMMON), kinds['update'])


#: what short programs are made of; the machine has all operations
_COMMON = ('create', 'show', 'delete', 'update', 'download', 'detail')


def steps() -> Mapping[str, SearchStrategy[Step]]:
    """Strategies for one step of each operation: the grammar, for whole programs and for the machine."""
    from hypothesis import strategies as st

    nothing: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({})
    held = st.builds(
        lambda given: {name: value for name, value in given.items() if name != 'purge_props'}, _update_arguments()
    )
    names = st.fixed_dictionaries({'name': st.sampled_from(('one', 'two', 'Größe', 'x'))})
    return {
        'create': _creates(),
        'show': _on_image('show', st.one_of(nothing, nothing, st.just({'show_deleted': False}))),
        'delete': _on_image('delete', nothing),
        'update': _on_image('update', _update_arguments()),
        'download': _on_image('download', st.fixed_dictionaries({'into': _into()})),
        'detail': st.builds(lambda who, given: Step('detail', who, None, given), _who(), _list_arguments()),
        'index': st.builds(lambda who, given: Step('index', who, None, given), _who(), _list_arguments()),
        'show_by_name': st.builds(lambda who, given: Step('show_by_name', who, None, given), _who(), names),
        'get': _local(_on_image('get', st.just({'into': 'object'}))),
        'get_location': _local(_on_image('get_location', nothing)),
        'get_locations': _local(_on_image('get_locations', nothing)),
        'hold': _local(_on_image('hold', held)),
        'copy_to_store': _local(
            _on_image('copy_to_store', st.fixed_dictionaries({'store': st.sampled_from(('fast', 'nowhere'))}))
        ),
        'image_url': _local(_on_image('image_url', nothing)),
        'glance_url': st.builds(lambda who: Step('glance_url', who), _who()),
        'delete_all': st.builds(lambda who: Step('delete_all', who), _who()),
    }


def _local(steps: SearchStrategy[Step]) -> SearchStrategy[Step]:
    return steps.map(lambda step: step._replace(remote=False, href=''))


def _who() -> SearchStrategy[str]:
    from hypothesis import strategies as st

    return st.sampled_from(('ann', 'ann', 'ann', *callers()))


def _into() -> SearchStrategy[str]:
    from hypothesis import strategies as st

    return st.sampled_from(('iterator', 'object', 'path', 'both'))


def _images() -> SearchStrategy[int | str]:
    from hypothesis import strategies as st

    usual = st.integers(0, 3)
    odd = st.sampled_from(
        (ABSENT, CHOSEN[0], ABSENT.upper(), 'no-uuid', 'a/b', 'a?b', '..', '', 'ü')
    )
    return _usually(usual, odd, 6)


def _on_image(op: str, arguments: SearchStrategy[dict[str, Any]]) -> SearchStrategy[Step]:
    from hypothesis import strategies as st

    return st.builds(
        lambda who, image, given, remote, href: Step(
            op, who, image, given, remote and '/' not in str(image), '' if remote or isinstance(image, str) else href
        ),
        _who(),
        _images(),
        arguments,
        st.booleans(),
        st.sampled_from(('', '', '', 'http://images.example:9292/v1/images/{id}')),
    )


def _creates() -> SearchStrategy[Step]:
    from hypothesis import strategies as st

    return st.builds(_create, _who(), _create_meta(), _bodies())


def _create(who: str, meta: dict[str, Any], data: Body | None) -> Step:
    return Step(
        'create', who, None, {'image_meta': meta, **({} if data is None else {'data': data})}
    )


def _bodies() -> SearchStrategy[Body | None]:
    from hypothesis import strategies as st

    content = st.sampled_from((b'abcdef', b'\0' * 70, bytes(range(256)), b'a'))
    full = st.builds(Body, content, st.sampled_from(tuple(_OPEN)))
    return st.one_of(st.none(), full, st.just(Body(b'', 'bytes')), st.just(Body(b'', 'file')))


def _text() -> SearchStrategy[str]:
    from hypothesis import strategies as st

    # Glance refuses characters outside the basic plane; a few are enough to see that all sides say so.
    characters = st.characters(max_codepoint=0xFFFF, exclude_categories=('Cs', 'Cc', 'Cn', 'Co'))
    usual = st.sampled_from(('one', 'two', 'Größe', '日本', 'a b', 'A,b', '', 'none', 'x' * 255))
    return _usually(st.one_of(usual, st.text(characters, max_size=8)), st.just('\U0001f600'), 40)


def _property_names() -> SearchStrategy[str]:
    from hypothesis import strategies as st

    usual = st.sampled_from(('os_type', 'a', 'A-b_C', 'ключ', 'image_type', 'user_id', 'owner_id'))
    odd = st.sampled_from(
        ('kernel_id', 'ramdisk_id', 'x/y', 'til~de', 'with space', 'n' * 256, 'name')
    )
    return _usually(usual, odd, 5)


def _properties() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    values = st.one_of(_text(), _text(), st.sampled_from((None, 0, 7, True, 1.5, 'u-ann', 'p-one')))
    plain = st.dictionaries(_property_names(), values, max_size=4)
    mapping = st.sampled_from(
        ([], [{'virtual': 'root', 'device': 'sda1'}], '[]', '[{"device": "ü"}]', {})
    )
    extra = st.fixed_dictionaries(
        {}, optional={'mappings': mapping, 'block_device_mapping': mapping}
    )
    return st.builds(lambda some, more: {**some, **more}, plain, extra)


def _meta_fields() -> dict[str, SearchStrategy[Any]]:
    from hypothesis import strategies as st

    small = st.sampled_from((0, 1, 7, '3', -1, 2**31 - 1, 2**31, 1.0))
    return {
        'name': st.one_of(_text(), st.sampled_from((None, 'n' * 256, 7))),
        'is_public': st.sampled_from((True, False, False, None, 0, 1)),
        'min_disk': small,
        'min_ram': small,
        'protected': st.sampled_from((True, False, 'yes')),
        'disk_format': st.sampled_from(('raw', 'qcow2', 'vhd', 'ami', 'bogus', None)),
        'container_format': st.sampled_from(('bare', 'bare', 'ovf', 'ami', 'bogus', None)),
        'owner': st.sampled_from(('p-one', 'p-two', None)),
        'properties': _properties(),
        # read-only, dropped on the way out
        'status': st.sampled_from(('active', 'queued')),
        'deleted': st.just(False),
    }


def _good_meta() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    good = {
        'disk_format': st.just('raw'),
        'container_format': st.just('bare'),
        'name': _text(),
        'properties': _properties(),
    }
    return st.fixed_dictionaries(
        good, optional={'is_public': st.just(False), 'min_ram': st.just(64)}
    )


def _create_meta() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    more = {
        **_meta_fields(),
        'id': st.sampled_from((*CHOSEN, 'no-uuid')),
        'size': st.sampled_from((0, 6, None)),
        'foo': st.sampled_from(('bar', 7)),
    }
    odd = st.builds(lambda good, some: {**good, **some}, _good_meta(), _some_of(more))
    return _usually(_good_meta(), st.one_of(odd, _some_of(more)), 4)


def _some_of(fields: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    return st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=4).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


def _update_arguments() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    meta = st.one_of(
        st.builds(lambda properties: {'properties': properties}, _properties()),
        _some_of({**_meta_fields(), 'id': st.just(CHOSEN[1]), 'foo': st.just('bar')}),
        st.just({}),
    )
    return st.builds(
        lambda given, data, purge: {
            'image_meta': given,
            **({} if data is None else {'data': data}),
            **({} if purge is None else {'purge_props': purge}),
        },
        meta,
        _bodies(),
        st.sampled_from((None, None, True, False)),
    )


def _list_arguments() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    numbers = st.sampled_from((0, 1, 6, '6', 64))
    filters = {
        'name': _text(),
        'status': st.sampled_from(('active', 'queued', 'ACTIVE')),
        'is_public': st.sampled_from((True, False, None, 'none', 'true', '0')),
        'disk_format': st.sampled_from(('raw', 'qcow2')),
        'container_format': st.just('bare'),
        'min_ram': numbers,
        'min_disk': numbers,
        'size_min': numbers,
        'size_max': numbers,
        'protected': st.booleans(),
        'deleted': st.just(False),
        'properties': st.dictionaries(_property_names(), _text(), max_size=2),
        'property-os_type': _text(),
        'property-a': _text(),
        'property-image_type': st.sampled_from(('backup', 'one')),
        'changes-since': st.sampled_from(('2014-01-01T00:00:00Z', '2999-01-01', 'never')),
        'foo': st.just('bar'),
    }
    arguments = {
        'filters': _some_of(filters),
        'marker': _images(),
        'limit': st.sampled_from((0, 1, 2, 50)),
        'page_size': st.sampled_from((1, 2, 100)),
        'sort_key': st.sampled_from(('name', 'created_at', 'size', 'status', 'bogus')),
        'sort_dir': st.sampled_from(('asc', 'desc', 'sideways')),
        'unknown': st.just('word'),
    }
    usual = st.fixed_dictionaries({'filters': _some_of(filters)})
    return st.one_of(usual, _some_of(arguments))
