# SPDX-License-Identifier: Apache-2.0
"""Old services around a client of the caller's own that is a real glanceclient, of v1 or v2, against the new API.

The two sides share a server's kind and nothing else: one goes through ``legacy.clients``, the wrapper and what
``glanceclient`` makes of a call, the other through the Glance driver (D-15). Requests differ by nature; what the
service holds afterwards must not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from legacy.equivalence.programs import ABSENT, Body, Program, Step
from legacy.equivalence.twin_calls import Call
from nova_image import errors

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


class Own:
    """An object with ``call``, as callers put into services; nobody knows what is behind."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The wrapper's."""
        return self._wrapper.call(*args, **kwargs)


def _service(class_name: str) -> Call:
    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        from legacy import glance

        service = getattr(glance, class_name)(Own(glance.GlanceClientWrapper()))
        return getattr(service, step.op)(context, **arguments)

    return call


def _fork(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """As on v2's class, but an image is made by the private step that forks call (C-007, C-252)."""
    from legacy import glance

    if step.op != 'create':
        return STYLES['client2'](step, context, arguments)
    properties = dict(arguments['image_meta'].get('properties') or {})
    member = properties.pop('instance_owner', None)
    flat = glance._convert_to_v2(glance._translate_to_glance({**arguments['image_meta'], 'properties': properties}))
    service = glance.GlanceImageServiceV2(Own(glance.GlanceClientWrapper()))
    return service._create_v2(context, flat, arguments.get('data'), sharing_member_id=member)


def _asked(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """V1's client asked directly, with the private names of the module around it, as forks do (C-311)."""
    from legacy import glance

    if step.op in ('detail', 'download', 'delete'):  # what is added to these is all in the service
        return STYLES['client1'](step, context, arguments)
    image_id = arguments.get('image_id')
    sent = glance._translate_to_glance(arguments['image_meta']) if 'image_meta' in arguments else {}
    sent.update({'data': arguments['data']} if 'data' in arguments else {})
    if step.op == 'update' and arguments.get('purge_props', True):
        sent['purge_props'] = True
    given = () if image_id is None else (image_id,)
    try:
        image = glance.GlanceClientWrapper().call(context, 1, _METHODS.get(step.op, step.op), *given, **sent)
    except Exception:  # noqa: BLE001 - whatever it is, it is raised again
        glance._reraise_translated_image_exception(image_id) if given else glance._reraise_translated_exception()
    if step.op == 'show' and not glance._is_image_available(context, image):
        raise errors.ImageNotFound(image_id=image_id)
    return glance._translate_from_glance(image)


_METHODS: Mapping[str, str] = {'show': 'get'}
#: calling styles, as in ``twin_stores``
STYLES: Mapping[str, Call] = {
    'client1': _service('GlanceImageService'), 'client2': _service('GlanceImageServiceV2'), 'fork2': _fork,
    'call1': _asked,
}  # fmt: skip
#: those whose client speaks v1
V1 = ('client1', 'call1')


def steps(style: str) -> Mapping[str, SearchStrategy[Step]]:
    """Steps that a client understands as the new API does: callers with a token, files, and texts for properties."""
    from hypothesis import strategies as st

    def on(op: str, arguments: SearchStrategy[dict[str, Any]]) -> SearchStrategy[Step]:
        images = st.sampled_from((0, 0, 0, 1, 2, ABSENT))
        return st.builds(lambda who, image, given: Step(op, who, image, given), who, images, arguments)

    who = st.sampled_from(('ann', 'ann', 'root'))
    # The wrapper sends no pipe again that v1's client was given; the driver does while nothing was read (C-210).
    kinds = ('file',) if style in V1 else ('file', 'pipe')
    bodies = st.builds(Body, st.sampled_from((b'abcdef', b'\0' * 70)), st.sampled_from(kinds))
    names = ('a', 'os_type', 'ключ', 'kernel_id', *(('instance_owner',) if style not in V1 else ()))
    # One text is the value of one name only: of others v2's client makes a "move", which no Glance takes (C-263).
    properties = st.dictionaries(st.sampled_from(names), st.sampled_from((1, 2)), max_size=3).map(
        lambda chosen: {name: f'{name} {number}' for name, number in chosen.items()}
    )
    fields = {
        'name': st.sampled_from(('one', 'two', 'Größe')),
        'min_ram': st.sampled_from((0, 64)),
        'is_public': st.booleans(),
        'properties': properties,
        'protected': st.booleans(),
    }
    # C-239: of what is not public, v2's class makes a private image, the new API leaves a shared one shared.
    kept = {name: values for name, values in fields.items() if name != 'is_public'}
    changes = st.fixed_dictionaries({}, optional={**kept, 'properties': properties.map(_unshared)})
    # V1's create takes back what it cannot finish, which a refused change would prevent.
    first = {name: values for name, values in fields.items() if style not in V1 or name != 'protected'}
    made = st.builds(
        lambda who, some, data: Step(
            'create', who, None, {'image_meta': {'disk_format': 'raw', 'container_format': 'bare', **some}, **data}
        ),
        who, st.fixed_dictionaries({}, optional=first), _maybe('data', bodies),
    )  # fmt: skip
    changed = st.builds(
        lambda meta, data, purge: {'image_meta': meta, **data, **purge},
        changes, st.one_of(st.just({}), _maybe('data', bodies)), _maybe('purge_props', st.booleans()),
    )  # fmt: skip
    filters = {'name': fields['name'], 'status': st.sampled_from(('active', 'queued')), 'property-a': st.just('a 1')}
    if style in V1:  # C-231: of what is not public, v2's class asks for what is private
        filters['is_public'] = st.booleans()
    alone = [st.fixed_dictionaries({name: values}) for name, values in filters.items()]  # several seldom match anything
    listed = st.fixed_dictionaries(
        {}, optional={
            'filters': st.one_of(st.fixed_dictionaries({}, optional=filters), *alone), 'limit': st.sampled_from((1, 2)),
            'page_size': st.sampled_from((1, 2)), 'marker': st.just(0),
        },
    )  # fmt: skip
    nothing: SearchStrategy[dict[str, Any]] = st.just({})
    return {
        'create': made,
        'show': on('show', st.sampled_from(({}, {}, {'show_deleted': False}))),
        'delete': on('delete', nothing),
        'update': on('update', changed),
        'download': on('download', st.fixed_dictionaries({'into': st.sampled_from(('iterator', 'object', 'path', 'both'))})),
        'detail': st.builds(lambda who, given: Step('detail', who, None, given), who, listed),
    }


def faults(style: str) -> SearchStrategy[Step]:
    """Refusals of what both sides ask for alike; and what a service does to records by itself.

    None of a creation by a fork: what comes out of its step is translated by whoever calls it. Bytes are refused
    of v1's only, which takes the record away again: v2's class leaves it (C-253).
    """
    from hypothesis import strategies as st

    on = st.sampled_from({'fork2': _OTHERS, 'client2': ('POST images', *_OTHERS)}.get(style, _V1))
    # V1's client counts attempts for a whole change, the driver for each request: once is enough, see ``struck``.
    codes = st.sampled_from(_REFUSALS if style in V1 else (*_REFUSALS, 503))
    refusals = st.builds(_refusal, on, codes, st.sampled_from((1, 1, 4)))
    by_itself = st.sampled_from(('copying', 'zoneless')).map(lambda kind: Step('fault', 'ann', None, {'kind': kind}))
    return st.one_of(refusals, by_itself)


def struck(style: str) -> Mapping[str, SearchStrategy[Program]]:
    """Faults of v1's programs that strike one step and no other: refusals of a deletion, and a busy service (C-059, C-210)."""
    from hypothesis import strategies as st

    if style not in V1:
        return {}
    own = steps(style)
    sent = st.sampled_from(('create', 'update')).flatmap(lambda op: own[op]).map(_with_bytes)
    deleted = st.builds(
        lambda code, step: [_refusal('DELETE image', code, 1), step], st.sampled_from((*_REFUSALS, 503)), own['delete']
    )
    return {
        'busy_upload': sent.map(lambda step: [_refusal('PUT file', 503, 1), step]),
        'busy_list': own['detail'].map(lambda step: [_refusal('GET images', 503, 1), step]),
        'refused_delete': deleted,
    }


_REFUSALS = (400, 401, 403, 404, 409)
_OTHERS = ('PATCH image', 'DELETE image', 'GET images')
_V1 = ('POST images', 'PUT file', 'PUT file', 'PATCH image', 'GET images')


def _refusal(on: str, code: int, times: int) -> Step:
    return Step('fault', 'ann', None, {'kind': 'status', 'on': on, 'code': code, 'times': times})


def _with_bytes(step: Step) -> Step:
    return step._replace(arguments={**step.arguments, 'data': Body(b'abcdef', 'file')})


def _unshared(properties: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if name != 'instance_owner'}


def _maybe(name: str, values: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    return st.one_of(st.just({}), values.map(lambda value: {name: value}))


