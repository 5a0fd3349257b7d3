# SPDX-License-Identifier: Apache-2.0
"""Deviations that only the Glance driver shows, against a case recorded at the old client (D-15)."""

from __future__ import annotations

import base64
import copy
from typing import Any

from legacy.deviating import refusals
from legacy.deviating.recordings import (
    DRIVER,
    Answer,
    Event,
    Replay,
    Step,
    consumed_before,
    log,
    outcomes_of,
    script,
)
from legacy.deviating.records import ADDITIONS

_RAW = {
    'Conflict': 'ImageConflict', 'OverLimit': 'ImageQuotaExceeded', 'Unauthorized': 'ImageNotAuthorized',
    'Forbidden': 'ImageNotAuthorized', 'NotFound': 'ImageNotFound', 'BadRequest': 'ImageBadRequest',
}  # fmt: skip
_PASSING = ('HTTPInternalServerError', 'HTTPBadGateway')
_READS = ('get', 'list', 'data')


def ours_too(replay: Replay, expected: Answer) -> None:
    """An error of the client that escaped raw is one of ours and that error at once (C-299)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if error is None or not str(error['class']).startswith('glanceclient.exc.') or not step.calls:
            continue
        raw = str(error['class']).rpartition('.')[2]
        name = _RAW.get(raw.removeprefix('HTTP'), 'ImageServiceError')
        step.answer['exception'] = {
            **error,
            'class': f'nova_image.errors.{name}',
            'mro': [name, 'NovaException', *error['mro']],
            'scripted': False,
        }


def reads_are_repeated(replay: Replay, expected: Answer) -> None:
    """A read that is answered with 500, 502 or 504 is asked again, as often as ``num_retries`` says (C-048)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        calls = step.calls
        first = consumed_before(expected, step.number)
        for place, call in enumerate(calls):
            outcome = outcomes_of(replay.case, expected)[first + place]
            if call['method'] not in _READS or not _is_passing(outcome):
                continue
            at = next(number for number, event in enumerate(step.events) if event is call) + 1
            more: list[Event] = [log('ERROR')]
            for _ in range(max(0, int(replay.config('num_retries', 0)))):
                more += [{'ev': 'sleep', 'args': [1]}, copy.deepcopy(call), log('ERROR')]
                script(replay, expected).insert(first + place, outcome)
            step.events[at:at] = more
            break


def _is_passing(outcome: dict[str, Any]) -> bool:
    return str(outcome.get('raise', {}).get('$exc', '')).rpartition('.')[2] in _PASSING


def named_by_url(replay: Replay, expected: Answer) -> None:
    """A server that does not answer is named by its URL (C-325)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if error is None or not str(error['class']).endswith('.GlanceConnectionFailed') or error.get('scripted'):
            continue
        kwargs = error['kwargs']
        if 'host' in kwargs:
            url = _last_client(expected, step).get('endpoint', '').rstrip('/')
            error['kwargs'] = {'code': kwargs['code'], 'server': url, 'reason': kwargs['reason']}
            error['message'] = f'Connection to glance host {url} failed: {kwargs["reason"]}'


def _last_client(expected: Answer, step: Step) -> Event:
    number = step.calls[-1]['client']
    for answer in expected['steps']:
        for event in answer['events']:
            if event['ev'] == 'client' and event['client'] == number:
                found: Event = event
                return found
    return {}


def told_to_keystone_only(replay: Replay, expected: Answer) -> None:
    """Without keystone nothing is sent of the caller (C-035, D-13)."""
    if replay.place != DRIVER or replay.config('auth_strategy', 'noauth') == 'keystone':
        return
    for answer in expected['steps']:
        for event in answer['events']:
            if event['ev'] == 'client':
                event['kwargs'].pop('identity_headers', None)
                event['kwargs'].pop('token', None)


def ids_are_text(replay: Replay, expected: Answer) -> None:
    """An id of another type counts as its text; what follows ``?`` or ``#`` is no part of one (C-019, C-208)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        error: dict[str, Any] = step.answer.get('exception', {})
        kwargs = error.get('kwargs')
        who = kwargs.get('image_id') if isinstance(kwargs, dict) else None
        if isinstance(kwargs, dict) and isinstance(who, dict) and '$bytes' in who:
            kwargs['image_id'] = str(base64.b64decode(who['$bytes']))
        elif isinstance(kwargs, dict) and who is not None and not isinstance(who, (str, dict)):
            kwargs['image_id'] = str(who)
        found = step.answer.get('result')
        if step.operation == 'get_remote_image_service' and isinstance(found, dict) and replay.release == '14.0.0':
            pair = found.get('$tuple', ())
            if isinstance(pair[1], str):
                pair[1] = pair[1].partition('#')[0].partition('?')[0]


def additions(replay: Replay, expected: Answer) -> None:
    """Records of the v2 classes say all that v2 shows (C-108, C-109)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        if step.owner not in ('GlanceImageServiceV2', 'API'):
            continue
        first = consumed_before(expected, step.number)
        shown: dict[Any, dict[str, Any]] = {}
        for outcome in outcomes_of(replay.case, expected)[first : first + len(step.calls)]:
            for form in images_in(outcome.get('return', outcome.get('gen'))):
                shown[form['$image'].get('id')] = _v2_fields(form)
        for record in images_in(step.answer.get('result'), 'properties'):
            record.update(shown.get(record.get('id'), {}))


def images_in(value: Any, key: str = '$image') -> list[dict[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict) and key in item]


def _v2_fields(form: dict[str, Any]) -> dict[str, Any]:
    image = form['$image']
    if form.get('model') == 'v2':
        return {key: image[key] for key in ADDITIONS if key in image}
    return {'visibility': 'public' if image.get('is_public') else 'private', 'tags': [], 'protected': False}


def taken_away(replay: Replay, expected: Answer) -> None:
    """A create that fails after its record was made takes the record away again (C-253)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        if step.operation != 'create' or 'exception' not in step.answer or len(step.calls) < 2:
            continue
        first = consumed_before(expected, step.number)
        outcomes = outcomes_of(replay.case, expected)[first : first + len(step.calls)]
        made = [outcome['return'] for outcome in outcomes if '$image' in (outcome.get('return') or {})]
        if made and 'raise' in outcomes[-1]:
            place = first + len(step.calls)
            call = {**step.calls[-1], 'method': 'delete', 'args': [made[0]['$image']['id']], 'kwargs': {}}
            step.events.append(call)
            script(replay, expected).insert(place, {'return': True})


def cut_off(replay: Replay, expected: Answer) -> None:
    """A body that breaks off is ImageDownloadIncomplete, whatever the client made of it (C-132, C-302)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        first = consumed_before(expected, step.number)
        outcomes = outcomes_of(replay.case, expected)[first : first + len(step.calls)]
        if step.operation != 'download' or not any('then_raise' in str(one) for one in outcomes):
            continue
        end = step.answer.get('drained', {}).get('end')
        error = end['$exc'] if isinstance(end, dict) else step.answer.get('exception')
        if error is not None and 'CommunicationError' in error['mro']:
            error.clear()
            error.update({
                'class': 'nova_image.errors.ImageDownloadIncomplete',
                'mro': ['ImageDownloadIncomplete', 'ImageTransferError', 'NovaException', 'OSError'],
                'message': '', 'volatile_message': True,
            })  # fmt: skip


def _info(step: Step) -> dict[str, Any]:
    place = {'create': 1, 'update': 2}.get(step.operation)
    info = None if place is None else step.argument(place, 'image_meta', 'image_info')
    return info if isinstance(info, dict) and '$tuple' not in info else {}


def _changing(step: Step) -> list[dict[str, Any]]:
    return [event['kwargs'] for event in step.calls if event['method'] in ('create', 'update')]


def no_image_is_none(replay: Replay, expected: Answer) -> None:
    """kernel_id and ramdisk_id that mean none are left out, and taken away by an update (C-242, C-243)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        for kwargs in _changing(step):
            holder = kwargs.get('properties', kwargs)
            for name in ('kernel_id', 'ramdisk_id'):
                if isinstance(holder, dict) and name in holder and str(holder[name]).strip().lower() in ('', 'none'):
                    del holder[name]
                    if step.operation == 'update':
                        kwargs['remove_props'] = [*(kwargs.get('remove_props') or ()), name]


def fields_before_properties(replay: Replay, expected: Answer) -> None:
    """A property with the name of a field is left out (C-244)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        info = _info(step)
        properties = info.get('properties')
        for kwargs in _changing(step):
            for name in properties if isinstance(properties, dict) else ():
                if name in _FIELDS and 'properties' not in kwargs and name in kwargs:
                    del kwargs[name]
                    if name in info:
                        kwargs[name] = info[name]


_FIELDS = frozenset(('name', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'visibility', 'protected', 'tags'))
_FALSE = ('false', '0')
_V1_FILTERS = frozenset((
    'is_public', 'changes-since', 'properties', 'size_min', 'size_max', 'deleted', 'tag', 'member_status', 'os_hidden',
    'id', 'name', 'status', 'size', 'checksum', 'owner', 'disk_format', 'container_format', 'min_disk', 'min_ram',
    'created_at', 'updated_at', 'visibility', 'tags', 'protected', 'os_hash_algo', 'os_hash_value', 'virtual_size',
    'stores',
))  # fmt: skip


def not_public(replay: Replay, expected: Answer) -> None:
    """The filter ``is_public`` false means all that is not public (C-231)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        filters = step.given.get('kwargs', {}).get('filters')
        word = str(filters.get('is_public', '')).strip().lower() if isinstance(filters, dict) else ''
        if step.operation != 'detail' or word not in _FALSE or not isinstance(step.answer.get('result'), list):
            continue
        step.answer['result'] = [record for record in step.answer['result'] if not record['is_public']]
        for event in step.calls:
            event['kwargs']['filters'].pop('visibility', None)
            event['kwargs']['filters'].pop('is_public', None)


def unknown_filters_are_ignored(replay: Replay, expected: Answer) -> None:
    """GlanceImageService leaves filters out that are none of v1's or v2's (C-317, D-16)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        for event in step.calls:
            filters = event['kwargs'].get('filters')
            if step.owner == 'GlanceImageService' and isinstance(filters, dict):
                for name in [one for one in filters if one not in _V1_FILTERS and not one.startswith('property-')]:
                    del filters[name]


def direct_url_where_shown(replay: Replay, expected: Answer) -> None:
    """A direct URL that is not shown is no key (C-095)."""
    if replay.place != DRIVER:
        return
    for answer in expected['steps']:
        record = answer.get('result')
        if isinstance(record, dict) and record.get('direct_url', '') is None:
            del record['direct_url']


def refused_location(replay: Replay, expected: Answer) -> None:
    """HTTP 400 about a location of an image is about the image, too (C-188, C-301)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if step.operation != 'update' or error is None or not str(error['class']).endswith('.Invalid'):
            continue
        if step.calls and step.calls[-1]['method'] == 'add_location':
            who, said = step.argument(1, 'image_id', 'id_or_uri'), error['message']
            step.answer['exception'] = {
                **error,
                'class': 'nova.exception.ImageBadRequest',
                'mro': ['ImageBadRequest', *error['mro']],
                'message': f'Request of image {who} got BadRequest response: {said}',
                'kwargs': {'code': 400, 'image_id': who, 'response': said},
            }


def wrong_values(replay: Replay, expected: Answer) -> None:
    """Values of a wrong type are BadImageInfo, which is the old error too; v1's class has no such keyword (C-266)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if error is None or error['class'] not in ('AttributeError', 'TypeError', 'ValueError'):
            continue
        if step.operation not in ('create', 'update') or step.calls or not error.get('volatile_message'):
            continue
        if step.owner == 'GlanceImageService' and 'controller' in _info(step):
            step.answer['exception'] = {**error, 'class': 'TypeError', 'mro': ['TypeError']}
        elif step.owner in ('GlanceImageServiceV2', 'API') and _CLASHING.isdisjoint(_info(step)):
            step.answer['exception'] = {
                **error,
                'class': 'nova_image.errors.BadImageInfo',
                'mro': ['BadImageInfo', 'Invalid', 'NovaException', error['class']],
                'code': 400,
            }


#: Names of another deviation.
_CLASHING = frozenset(('version', 'method', 'context', 'controller'))


def only_raw_is_empty(replay: Replay, expected: Answer) -> None:
    """An empty image of another format than raw is refused before anything is made (C-256)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        info = _info(step)
        formatted = info.get('disk_format', 'raw')
        if step.operation != 'create' or info.get('size') != 0 or formatted == 'raw' or len(step.calls) < 2:
            continue
        if any(event['method'] == 'upload' and event['args'][1] == '' for event in step.calls):
            refusals.forget(replay, expected, step)
            step.answer['exception'] = {
                'class': 'nova_image.errors.ImageBadRequest',
                'mro': ['ImageBadRequest', 'Invalid', 'NovaException'],
                'message': '',
                'volatile_message': True,
            }


def credential_of_the_call(replay: Replay, expected: Answer) -> None:
    """A named server is asked as who calls, not as who named it (C-324)."""
    if replay.place != DRIVER or replay.config('auth_strategy', 'noauth') != 'keystone':
        return
    for step in replay.steps(expected):
        form = step.argument(0, 'context')
        made_here = {event['client'] for event in step.events if event['ev'] == 'client'}
        if not isinstance(form, dict) or '$ctx' not in form or step.operation == 'new':
            continue
        caller = replay.case['input']['contexts'][form['$ctx']] or {}
        for event in step.calls:
            if event['client'] not in made_here and _had_a_token(expected, event['client']):
                event['token'] = caller.get('auth_token')


def _had_a_token(expected: Answer, number: int) -> bool:
    events = [event for answer in expected['steps'] for event in answer['events']]
    return any(
        event['ev'] == 'client' and event['client'] == number and 'identity_headers' in event['kwargs'] for event in events
    )
