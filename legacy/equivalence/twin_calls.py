# SPDX-License-Identifier: Apache-2.0
"""How a step is called: by the old module in the style of some release, or by what its rewrite makes of it.

Each operation stands here once for each path. What a rewrite cannot say in the call itself (texts for None, keys,
filters and ids that only the old names refuse or drop) is bridged here, as ``names.py`` says under ``bridges``.
``COVERED`` says which names each operation stands for; a test holds it against the table and the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from legacy.equivalence.programs import Step
from legacy.names import NAMES
from nova_image import API, errors, images
from nova_image.references import check_image_id

#: Top-level keys that the old ``create`` took; ``update`` all but two of them (C-160, C-178).
CREATE_KEYS = frozenset((
    'name', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'owner', 'size', 'is_public', 'protected',
    'location', 'checksum', 'copy_from', 'properties', 'deleted', 'id', 'store', 'status', 'created_at',
    'updated_at', 'deleted_at',
))  # fmt: skip
SERVICE = 'GlanceImageService'
_METHODS = ('show', 'detail', 'create', 'update', 'delete', 'download')
_API_NAMES = {'show': 'get', 'detail': 'get_all'}

#: operation -> the old names and the methods of ``nova_image.API`` that it stands for, in one style or another
COVERED: Mapping[str, tuple[str, ...]] = {
    **{
        op: (
            'get_default_image_service', 'get_remote_image_service', SERVICE, 'GlanceImageServiceV2', f'{SERVICE}.{op}',
            f'GlanceImageServiceV2.{op}', 'nova.image.API', 'nova.image.api.API',
            f'nova.image.api.API.{_API_NAMES.get(op, op)}', f'API.{_API_NAMES.get(op, op)}',
        )
        for op in _METHODS
    },
    'hold': ('UpdateGlanceImage', 'UpdateGlanceImage.start'),
    'image_url': ('generate_image_url', 'nova.image.api.API.generate_image_url', 'API.generate_image_url'),
    'glance_url': ('generate_glance_url', 'API.generate_glance_url'),
    'copy_to_store': (
        'GlanceImageServiceV2.image_import_copy', 'nova.image.api.API.copy_image_to_store', 'API.copy_image_to_store',
    ),
    'index': (f'{SERVICE}.index',),
    'show_by_name': (f'{SERVICE}.show_by_name', 'get_image_service'),
    'get': (f'{SERVICE}.get',),
    'delete_all': (f'{SERVICE}.delete_all',),
    'get_location': (f'{SERVICE}.get_location',),
    'get_locations': (f'{SERVICE}.get_locations',),
}  # fmt: skip
_CLIENT = 'hands out a client of glanceclient: what is done with it never comes to the API'
_PLUG_IN = 'a plug-in of the driver, reached through ``download`` where a scheme is allowed'
#: public old names that are no image operation with a new counterpart, and why
NOT_COVERED: Mapping[str, str] = {
    'get_api_servers': 'gives addresses in a random order; the driver has its own list',
    'pick_glance_api_server': 'gives an address by chance; the driver has its own list',
    'generate_identity_headers': 'makes headers for a request of the caller\'s own',
    'get_glance_client': _CLIENT,
    'GlanceClientWrapper': 'put into a service by the programs of ``wide`` and ``injected``',
    'GlanceClientWrapper.call': _CLIENT,
    'GlanceImageServiceV2.rbd_download': 'refused on both paths, before anything is looked at',
    'glance_opts': 'a list of options',
    **{
        name: _PLUG_IN
        for name in NAMES
        if name.startswith('nova.image.download.') and not NAMES[name].is_private
    },
}

Call = Callable[[Step, Any, dict[str, Any]], Any]


def old_call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """The call through ``legacy.glance``, as an old caller wrote it."""
    from legacy import glance

    given = dict(arguments)
    special = _OLD.get(step.op)
    if special is not None:
        return special(glance, context, given)
    if step.remote:
        href = (step.href or '{id}').replace('{id}', str(given['image_id']))
        service, given['image_id'] = glance.get_remote_image_service(context, href)
    else:
        service = _service(step.via, context)
        if step.href:
            given['image_id'] = step.href.replace('{id}', str(given['image_id']))  # C-208: of an href only the id counts
    return getattr(service, step.op)(context, **given)


def positional_call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """As :func:`old_call`, in the style of the first releases: whatever can be given by position is."""
    from legacy import glance

    if step.op not in _METHODS or step.op == 'detail':
        return old_call(step, context, arguments)
    service = glance.get_default_image_service()
    given, by_position = dict(arguments), []
    for name in NAMES[f'{SERVICE}.{step.op}'].rewrite.positional:
        if name not in given:
            break
        by_position.append(given.pop(name))
    return getattr(service, step.op)(context, *by_position, **given)


def v2_call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """The call on the class of release 14 and later, which drops and refuses less than the first one."""
    from legacy import glance

    if step.op not in _METHODS:
        return old_call(step, context, arguments)
    return getattr(glance.GlanceImageServiceV2(), step.op)(context, **_bridged(step.op, arguments, 'image_meta'))


def api_call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """The call on the API class of 2014.2 and later."""
    from legacy import glance

    if step.op not in (*_METHODS, 'image_url', 'copy_to_store'):
        return old_call(step, context, arguments)
    return new_call(glance.API())(step, context, arguments)


def own_service(make: Callable[[Any], Any]) -> Call:
    """Calls on a service that the caller made: ``make`` gets the old module."""

    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        from legacy import glance

        return getattr(make(glance), step.op)(context, **arguments)

    return call


_OLD: Mapping[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
    'hold': lambda glance, context, given: glance.UpdateGlanceImage(
        context, given['image_id'], given['image_meta'], given.get('data')
    ).start(),
    'image_url': lambda glance, context, given: glance.generate_image_url(given['image_id'], context),
    'glance_url': lambda glance, context, given: glance.generate_glance_url(context),
    'copy_to_store': lambda glance, context, given: glance.GlanceImageServiceV2().image_import_copy(
        context, given['image_id'], [given['store']]
    ),
    'show_by_name': lambda glance, context, given: glance.get_image_service(context, '1')[0].show_by_name(
        context, **given
    ),
    'delete_all': lambda glance, context, given: glance.get_default_image_service().delete_all(),
}


def _service(via: str, context: Any) -> Any:
    """A service as old callers built it: by the factory, or around a client wrapper of their own."""
    from legacy import glance

    if not via:
        return glance.get_default_image_service()
    if via == 'wrapper':
        return glance.GlanceImageService(glance.GlanceClientWrapper())
    if via == 'host':
        client = glance.GlanceClientWrapper(context, 'images.example', 9292, False, 1)
    else:
        client = glance.GlanceClientWrapper(context=context, endpoint='http://images.example:9292')
    return glance.GlanceImageService(client=client)


def new_call(api: Any) -> Call:
    """Calls through the new API (or a class with its methods): what the rewrite in ``names.py`` makes of the old."""

    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        if '/' in str(arguments.get('image_id', '')) and not step.remote and step.op not in _PLAIN_TEXT:
            # An id with a slash was no image (C-094); for the new API it is a reference, and a bad one.
            raise errors.ImageNotFound(image_id=arguments['image_id'])
        special = _NEW.get(step.op)
        if special is not None:
            return special(api, context, dict(arguments))
        rule = NAMES[f'{SERVICE}.{step.op}'].rewrite
        given = {rule.params.get(name, name): value for name, value in arguments.items()}
        if rule.known:
            given = {name: value for name, value in given.items() if name in rule.known}
        if rule.purge == 'unless-data':
            given['purge_props'] = bool(given.get('purge_props', True)) and not _sends(given.get('data'))
        assert rule.to is not None, f'{step.op} has a method to go to'
        if step.remote and step.href:
            given['id_or_uri'] = _bridged_ref(step.href.replace('{id}', str(given['id_or_uri'])))
        return getattr(api, rule.to)(context, **_bridged_for(given.get('id_or_uri', ''), step.op, given))

    return call


_PLAIN_TEXT = ('image_url', 'hold')  # operations that take a reference


def _sends(data: Any) -> bool:
    return data is not None and (bool(data) or hasattr(data, 'read'))


def _held(api: API, context: Any, given: dict[str, Any]) -> None:
    more = {'data': given['data']} if 'data' in given else {}
    bridged = _bridged_for(given['image_id'], 'update', {'image_info': given['image_meta']})
    api.update(context, given['image_id'], **bridged, **more, purge_props=False)


def _listed(api: API, context: Any, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = NAMES[f'{SERVICE}.detail'].rewrite.known
    return api.get_all(context, **_bridged('detail', {k: v for k, v in given.items() if k in known}))


def _by_name(api: API, context: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    for record in api.get_all(context, filters={'name': given['name']}):
        if record['name'] == given['name']:
            return record
    raise errors.ImageNotFound(image_id=given['name'])


def _with_bytes(api: API, context: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    record = api.get(context, given['image_id'])
    api.download(context, given['image_id'], given['data'])
    return record


_NEW: Mapping[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
    'hold': _held,
    'image_url': lambda api, context, given: api.generate_image_url(given['image_id'], context),
    'glance_url': lambda api, context, given: api.generate_glance_url(context),
    'copy_to_store': lambda api, context, given: api.copy_image_to_store(context, given['image_id'], given['store']),
    'index': lambda api, context, given: [
        {'id': each['id'], 'name': each['name']} for each in _listed(api, context, given)
    ],
    'show_by_name': _by_name,
    'get': _with_bytes,
    'delete_all': lambda api, context, given: None,
    'get_location': lambda api, context, given: api.get(context, given['image_id'], include_locations=True).get(
        'direct_url'
    ),
    'get_locations': lambda api, context, given: api.get(context, given['image_id'], include_locations=True)[
        'locations'
    ],
}


def _bridged_ref(href: str) -> str:
    """A reference that the old parser read and the new one refuses, in the new one's words (C-019, D-11)."""
    path = href.partition('#')[0].partition('?')[0]
    if '/' in href and path.endswith('/'):
        raise errors.ImageNotFound(image_id='')  # C-019: nothing after the last slash
    scheme, separator, rest = href.partition('//')
    if separator and scheme.lower() not in ('http:', 'https:') and '/' not in scheme and rest[:1] != '/':
        return f'http://{rest}'  # C-019: whatever is not https is http
    return href


def _bridged_for(image_id: Any, op: str, given: dict[str, Any]) -> dict[str, Any]:
    """As :func:`_bridged`; the old names looked at the id before they looked at the keys."""
    try:
        return _bridged(op, given)
    except TypeError:
        if op == 'update' and '/' not in str(image_id):
            check_image_id(image_id)
        raise


def _bridged(op: str, given: dict[str, Any], info: str = 'image_info') -> dict[str, Any]:
    """What only the old names did, done by the caller of the new ones."""
    if info in given:
        return {**given, info: _bridged_info(op, given[info])}
    if given.get('filters'):
        return {**given, 'filters': {k: v for k, v in given['filters'].items() if _known_filter(k)}}
    return given


def _bridged_info(op: str, image_info: Mapping[str, Any]) -> dict[str, Any]:
    allowed = CREATE_KEYS if op == 'create' else CREATE_KEYS - {'store'}
    for name in image_info:
        if name not in allowed:
            raise TypeError(f'{op}() got an unexpected keyword argument {name!r}')  # C-160
    bridged = dict(image_info)
    if isinstance(bridged.get('properties'), Mapping):
        keep = (*images.IMAGE_ID_PROPERTIES, *images.JSON_PROPERTIES)
        bridged['properties'] = {
            name: 'None' if value is None and name not in keep else value  # C-313
            for name, value in bridged['properties'].items()
        }
    return bridged


_FILTERS = images.BASE_FIELDS | {
    'is_public', 'properties', 'changes-since', 'size_min', 'size_max', 'tag', 'deleted',
}  # fmt: skip


def _known_filter(name: str) -> bool:
    return name in _FILTERS or name.startswith('property-')  # D-16
