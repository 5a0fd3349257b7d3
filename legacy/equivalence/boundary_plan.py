# SPDX-License-Identifier: Apache-2.0
"""The v2 requests that the client calls of a boundary case stand for (D-15), or why HTTP has no words for them.

What a call becomes is told by ``golden/FORMAT.md`` ("Replaying 2014.1 cases on Glance v2"): a v1 image in the
shape of v2, a split ``create`` or ``update`` with the same image for each part and its error from the first.
Written from the format and the contract alone, it asks no driver what it would send.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from legacy.deviating.recordings import Answer, outcomes_of
from legacy.equivalence.decode import ScriptedIterator, World

#: What old calls are asked of services, not of the client or of a helper function.
_SERVICE_CALLS = frozenset((
    'detail', 'show', 'create', 'update', 'delete', 'download', 'start', '_get_locations', 'get', 'get_all',
    'get_remote_image_service',
))  # fmt: skip
_CLIENT_CALLS = frozenset(('call', '_create_glance_client', '_glanceclient_from_endpoint'))
_CLIENT_CLASSES = ('glance.GlanceClientWrapper',)

HELPERS = 'nothing in it asks a server: helper functions, options, plug-ins'
OWN_CLIENT = 'the client itself is asked for, so no driver is between'
BAD_CONSTRUCTOR = 'the constructor of the client fails'
NO_V2_FORM = 'its images cannot exist on v2'
NO_STATUS = 'an error that no answer of a server can cause'
NO_MODEL = 'the client returns something that is no image'
CHUNKS = 'it depends on where one chunk ends and the next begins'
OWN_ERROR = 'an object of the caller raises an error of the client'
NO_HOST = 'the address of the server is none'
GOES_ON = 'the driver goes on where the old code gave up, for which the script has no answer'
REFUSED = 'a keyword or a value that the faked client took and v2 has no field for'

#: Statuses of the classes that glanceclient makes of an answer, by their names without HTTP (``HTTPNotImplemented`` is that of
#: 501, which a recorded server answers); its deprecated base classes mean the same.
STATUSES = {
    'MultipleChoices': 300, 'BadRequest': 400, 'Unauthorized': 401, 'Forbidden': 403, 'NotFound': 404,
    'MethodNotAllowed': 405, 'Conflict': 409, 'OverLimit': 413, 'InternalServerError': 500, 'NotImplemented': 501,
    'BadGateway': 502, 'ServiceUnavailable': 503,
}  # fmt: skip
#: No answer at all.
SILENCES = ('CommunicationError', 'InvalidEndpoint')

#: What v2 lets a caller set.
FIELDS = frozenset((
    'id', 'name', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'visibility', 'protected', 'tags',
))  # fmt: skip
#: Metadata that the old classes overwrote with their own arguments.
_NO_KEYWORD = frozenset(('data', 'purge_props', 'image_id'))
#: Keywords that v1's client knew beside them, and what only the service sets.
_OTHERS = frozenset((
    'owner', 'is_public', 'properties', 'purge_props', 'size', 'data', 'location', 'remove_props', 'image_id',
    'checksum', 'status', 'created_at', 'updated_at', 'deleted', 'deleted_at', 'copy_from', 'store',
))  # fmt: skip
BASE = FIELDS | {
    'owner', 'status', 'size', 'checksum', 'created_at', 'updated_at', 'virtual_size', 'os_hidden', 'os_hash_algo',
    'os_hash_value', 'stores', 'self', 'file', 'schema', 'locations', 'direct_url',
}  # fmt: skip


#: What v2 shows of every image.
_ALWAYS = frozenset(('id', 'visibility', 'owner', 'size', 'created_at', 'updated_at', 'status'))


_TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z')
_VISIBILITIES = ('public', 'private', 'shared', 'community')


class NotOverHTTP(Exception):
    """The case has no form over HTTP; the text is the class of reasons."""


@dataclass
class Action:
    """One request that changes or fetches something, and how the server answers it.

    ``kind``: get, list, data, create, update, upload, locate, delete. ``wanted`` is what it has to say,
    ``images`` what v2 shows afterwards, ``error`` the status or silence that comes instead, with its text.
    """

    kind: str
    step: int
    image_id: Any = None
    wanted: Any = None
    images: list[dict[str, Any]] = field(default_factory=list)
    body: bytes | None = None
    error: tuple[str, int, bytes] | None = None
    token: Any = None
    insecure: Any = None
    endpoint: str = ''
    version: str = ''


def over_http(case: dict[str, Any]) -> None:
    """Whether the case is about services whose images v2 can show.

    :raises NotOverHTTP: it is not
    """
    names = [
        str(step.get('method') or step.get('func', '')).rpartition('.')[2]
        for step in case['input']['steps']
        if step['op'] == 'call'
    ]
    for step in case['input']['steps']:
        if any(isinstance(one, dict) and not _NO_KEYWORD.isdisjoint(one) for one in step.get('args', ())):
            raise NotOverHTTP(REFUSED)
    if 'fail_with' in str(case['input']['steps']) and 'glanceclient.exc' in str(case['input']['steps']):
        raise NotOverHTTP(OWN_ERROR)
    makes = [step.get('class') for step in case['input']['steps'] if step['op'] == 'new']
    if not _CLIENT_CALLS.isdisjoint(names):
        raise NotOverHTTP(OWN_CLIENT)
    if _SERVICE_CALLS.isdisjoint(names):
        raise NotOverHTTP(OWN_CLIENT if any(name in _CLIENT_CLASSES for name in makes) else HELPERS)
    if any('raise' in outcome for outcome in case['input'].get('clients', ())):
        raise NotOverHTTP(BAD_CONSTRUCTOR)
    if case['flags']['v1_only']:
        raise NotOverHTTP(NO_V2_FORM)


def actions(case: dict[str, Any], expected: Answer, world: World) -> list[Action]:
    """What the driver has to ask, in order, for what is expected to happen at the old seams.

    :raises NotOverHTTP: one of the scripted answers cannot come over HTTP
    """
    over_http(case)
    found: list[Action] = []
    outcomes = iter(outcomes_of(case, expected))
    clients: dict[int, dict[str, Any]] = {}
    for number, answer in enumerate(expected['steps']):
        for event in answer['events']:
            if event['ev'] == 'client':
                clients[event['client']] = event
            elif event['ev'] in ('copy_image', 'transfer'):
                _true_of_copies(case, event, [action for action in found if action.step == number])
            elif event['ev'] == 'write' and _counts_chunks(case):
                raise NotOverHTTP(CHUNKS)
            elif event['ev'] == 'call':
                made = list(_call(case, event, next(outcomes, None), world))
                client = clients.get(event['client'], {})
                for action in made:
                    action.step = number
                    action.endpoint, action.version = _endpoint(client), client.get('version', '')
                    sent = client.get('kwargs', {})
                    action.insecure = sent.get('insecure')
                    action.token = event['token'] if 'token' in event else sent.get('token') or sent.get('identity_headers', {}).get('X-Auth-Token')
                found += made
                _refuse_going_on(case['input']['steps'][number], made[0])
    _show_the_last(found)
    if any(action.error and action.error[0] == 'cut' for action in found) and _retries(case):
        raise NotOverHTTP(GOES_ON)
    return found


def _refuse_going_on(step: dict[str, Any], asked: Action) -> None:
    """Locations that cannot be had do not end a download (C-330)."""
    downloads = 'download' in str(step.get('method') or step.get('func'))
    if downloads and asked.kind == 'get' and asked.error is not None and asked.error[1] not in (401, 403, 404):
        raise NotOverHTTP(GOES_ON)


def _true_of_copies(case: dict[str, Any], event: dict[str, Any], before: list[Action]) -> None:
    """An image that is copied past the service says of the copy what is true."""
    content: Any = None
    if event['ev'] == 'copy_image':
        content = case['input'].get('files', {}).get(str(event['src']).removeprefix('<root>/'))
    else:
        modules = case['input']['transfer_modules']
        content = next((one.get('writes') for one in modules if one['name'] == event['module']), None)
    if content is not None:
        for action in before:
            action.images = [truthful(one, base64.b64decode(content['$bytes'])) for one in action.images]


def _endpoint(client: dict[str, Any]) -> str:
    endpoint = str(client.get('endpoint', ''))
    if not urlsplit(endpoint).hostname:
        raise NotOverHTTP(NO_HOST)
    return endpoint


def _retries(case: dict[str, Any]) -> int:
    config = case['input']['config']
    return int(config.get('glance_num_retries', config.get('glance.num_retries', 0)))


def _show_the_last(found: list[Action]) -> None:
    """The same image in each part of an operation, which says of uploaded bytes what is true (D-9)."""
    for place, action in enumerate(found):
        rest = [other for other in found[place:] if other.step == action.step]
        if action.kind in ('create', 'update', 'locate', 'upload'):
            shown = [one for other in rest for one in other.images if one.get('id') == action.image_id]
            if shown:
                action.images = [shown[-1]]
        if action.kind == 'upload' and action.error is None and isinstance(action.wanted, bytes):
            for other in rest:
                other.images = [truthful(one, action.wanted) for one in other.images]
            for other in found[:place]:
                if other.step == action.step and other.kind in ('create', 'update', 'locate'):
                    other.images = [truthful(one, action.wanted) for one in other.images]
        later = next((other for other in rest if other.kind == 'data' and other.body is not None), None)
        if action.kind == 'get' and later is not None:
            action.images = [truthful(one, later.body or b'') for one in action.images]


def truthful(shown: dict[str, Any], content: bytes) -> dict[str, Any]:
    """An image or record with the size and checksum of its bytes."""
    told = {'size': len(content), 'checksum': hashlib.md5(content, usedforsecurity=False).hexdigest()}
    return {**{key: value for key, value in shown.items() if not key.startswith('os_hash_')}, **told}


def _counts_chunks(case: dict[str, Any]) -> bool:
    """Whether a later write than the first is to fail."""
    text = json.dumps(case['input'])
    fails = case['input'].get('file_fail', {}).get('at', 0)
    return fails > 0 or any(f'"fail_at": {number}' in text for number in range(1, 10))


def _call(
    case: dict[str, Any], event: dict[str, Any], outcome: dict[str, Any] | None, world: World
) -> Iterator[Action]:
    """The parts of one call of the client."""
    if outcome is None:
        raise NotOverHTTP(GOES_ON)
    kind, kwargs = event['method'], dict(event['kwargs'])
    args = list(event['args'])
    image_id = kwargs.pop('image_id', None) if kind == 'update' and not args else (args or [None])[0]
    image_id = str(world.decode(image_id))
    if 'raise' in outcome:
        error = _error(outcome['raise'])
        if kind == 'upload':
            yield Action('upload', 0, image_id, error=error)
        else:
            yield Action({'add_location': 'locate'}.get(kind, kind), 0, image_id, error=error)
        return
    if kind == 'data':
        yield _data(image_id, outcome['return'], world)
    elif kind == 'list':
        shown = outcome.get('return', outcome.get('gen'))
        if not isinstance(shown, list) or any(isinstance(one, dict) and 'raise' in one for one in shown):
            raise NotOverHTTP(NO_MODEL)
        yield Action('list', 0, wanted=kwargs, images=[_image(one, world) for one in shown])
    elif kind == 'delete':
        yield Action('delete', 0, image_id)
    elif kind == 'upload':
        yield Action('upload', 0, image_id, _content(args[1], case, world))
    else:
        yield from _changes(case, kind, image_id, args, kwargs, outcome['return'], world)


def _changes(
    case: dict[str, Any], kind: str, image_id: Any, args: list[Any], kwargs: dict[str, Any], shown: Any, world: World
) -> Iterator[Action]:
    image = _image(shown, world)
    if kind == 'get':
        yield Action('get', 0, image_id, images=[image])
        return
    if kind == 'add_location':
        yield Action('locate', 0, image_id, args[1], [image])
        return
    if kind not in ('create', 'update'):
        raise NotOverHTTP(NO_MODEL)
    known = FIELDS | _OTHERS
    odd = kwargs.get('properties', {})
    if not isinstance(odd, dict) or any(not isinstance(odd.get(name, ''), str | None) for name in ('kernel_id', 'ramdisk_id')):
        raise NotOverHTTP(REFUSED)
    if any(name not in known and not isinstance(value, str) for name, value in kwargs.items()):
        raise NotOverHTTP(REFUSED)
    if kind == 'create':
        image_id = image.get('id')
    yield Action(kind, 0, image_id, kwargs, [image])
    if kwargs.get('location'):
        yield Action('locate', 0, image_id, kwargs['location'], [image])
    if 'data' in kwargs:
        yield Action('upload', 0, image_id, _content(kwargs['data'], case, world), [image])
    elif kind == 'create' and kwargs.get('size') == 0 and type(kwargs['size']) is int and not kwargs.get('location'):
        yield Action('upload', 0, image_id, b'', [image])


def _content(form: Any, case: dict[str, Any], world: World) -> bytes:
    """The bytes that are handed in."""
    if isinstance(form, dict) and '$source' in form:
        form = next(_sources(case['input'], form['$source']), form)
    found = world.decode(form)
    if isinstance(found, list | ScriptedIterator):
        found = b''.join(found)
    if hasattr(found, 'read'):
        found = found.getvalue()
    if isinstance(found, str):
        found = found.encode()
    if not isinstance(found, bytes):
        raise NotOverHTTP(REFUSED)
    return found


def _sources(value: Any, name: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get('$source') == name and 'content' in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _sources(item, name)


def _data(image_id: Any, shown: Any, world: World) -> Action:
    if shown is None:
        return Action('data', 0, image_id, body=None)
    if not isinstance(shown, dict) or '$iter' not in shown:
        raise NotOverHTTP(NO_MODEL)
    chunks = [world.decode(chunk) for chunk in shown['$iter']]
    if not all(isinstance(chunk, bytes) for chunk in chunks):
        raise NotOverHTTP(NO_MODEL)
    error = None
    if 'then_raise' in shown:
        _, status, text = _error(shown['then_raise'])
        if status:
            raise NotOverHTTP(NO_STATUS)
        error = ('cut', 0, text)
    return Action('data', 0, image_id, body=b''.join(chunks), error=error)


def _error(form: Any) -> tuple[str, int, bytes]:
    """What a server does so that the client raises ``form``: a status with a text, or silence."""
    module, _, name = str(form['$exc']).rpartition('.')
    args = form.get('args') or [None]
    if module != 'glanceclient.exc':
        raise NotOverHTTP(NO_STATUS)
    if name in SILENCES:
        return name, 0, b''
    status = STATUSES.get(name.removeprefix('HTTP'))
    if status is None:
        raise NotOverHTTP(NO_STATUS)
    return name, status, str(args[0] or '').encode()


def _image(form: Any, world: World) -> dict[str, Any]:
    """A recorded image as v2 shows it."""
    if not isinstance(form, dict) or '$image' not in form:
        raise NotOverHTTP(NO_MODEL)
    shown = {key: world.decode(value) for key, value in form['$image'].items()}
    if form.get('model') != 'v2':
        shown = _from_v1(shown)
    elif shown.get('visibility') not in _VISIBILITIES or 'deleted' in (shown.get('status'), *shown) or not _ALWAYS.issubset(shown):
        raise NotOverHTTP(NO_V2_FORM)
    times = [shown.get('created_at'), shown.get('updated_at')]
    if not all(map(_is_time, times)):
        raise NotOverHTTP(NO_V2_FORM)
    if any(not isinstance(value, str) for key, value in shown.items() if key not in BASE):
        raise NotOverHTTP(NO_V2_FORM)
    try:
        made: dict[str, Any] = json.loads(json.dumps(shown))
    except (TypeError, ValueError):
        raise NotOverHTTP(NO_V2_FORM) from None
    if not isinstance(made.get('id'), str) or made != shown:
        raise NotOverHTTP(NO_V2_FORM)
    return made


def _is_time(text: Any) -> bool:
    """Whether Glance could show it."""
    if not text:
        return True
    with contextlib.suppress(ValueError):
        return _TIME.fullmatch(str(text)) is not None and datetime.datetime.fromisoformat(str(text)).year > 0
    return False


def _from_v1(shown: dict[str, Any]) -> dict[str, Any]:
    """By ``golden/FORMAT.md``: visibility, top-level properties, no deletion, times with a zone."""
    properties = shown.pop('properties', {})
    told = shown.get('deleted', False) is False and isinstance(shown.get('size', 0), int)
    if not told or not isinstance(properties, dict) or not BASE.isdisjoint(properties):
        raise NotOverHTTP(NO_V2_FORM)
    image = {key: value for key, value in shown.items() if key not in ('is_public', 'deleted', 'deleted_at')}
    image['visibility'] = 'public' if shown.get('is_public') else 'private'
    for key in ('created_at', 'updated_at'):
        if isinstance(image.get(key), str) and image[key]:
            image[key] = image[key].rstrip('Z') + 'Z'
    where = f'/v2/images/{image.get("id")}'
    served = {'tags': [], 'protected': False, 'file': f'{where}/file', 'schema': '/v2/schemas/image', 'self': where}
    return {**properties, **served, **image}
