# SPDX-License-Identifier: Apache-2.0
"""Deviations in what is refused before anything is asked, and in what is no longer refused."""

from __future__ import annotations

import re
from typing import Any

from legacy.deviating.failures import image_id
from legacy.deviating.recordings import (
    SCRIPT,
    Answer,
    Event,
    Replay,
    Step,
    consumed_before,
    log,
    renumber,
    script,
)

_UNSAFE = re.compile(r'[/?#%\x00-\x1f\x7f]')
_BY_ID = ('show', 'update', 'delete', 'download', '_get_locations', 'start')
BASE = frozenset((
    'id', 'name', 'status', 'size', 'checksum', 'owner', 'disk_format', 'container_format', 'min_disk', 'min_ram',
    'created_at', 'updated_at', 'visibility', 'tags', 'protected', 'os_hidden', 'os_hash_algo', 'os_hash_value',
    'virtual_size', 'stores', 'self', 'file', 'schema', 'locations', 'direct_url',
))  # fmt: skip


def _asked_id(replay: Replay, step: Step) -> Any:
    if step.operation == 'start':
        return (replay.bound_by(step.given['on']).get('args') or [None, None])[1]
    return step.argument(1, 'image_id', 'id_or_uri')


def _is_no_id(value: Any) -> bool:
    return value is None or str(value) in ('', '.', '..') or bool(_UNSAFE.search(str(value)))


def strange_ids(replay: Replay, expected: Answer) -> None:
    """An id that cannot be one is ImageNotFound without a request (C-093, C-094)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if step.operation not in _BY_ID or not step.calls:
            continue
        asked = _asked_id(replay, step)
        called = step.calls[0]['args'][0] if step.calls[0]['args'] else step.calls[0]['kwargs'].get('image_id')
        if isinstance(asked, dict):
            asked = called
        if isinstance(asked, str) and '://' in asked:
            if step.owner == 'API' or step.operation == 'start':
                asked = called  # the part of the reference that was taken for the id
            else:
                _last_segment(step, asked)
                continue
        if not isinstance(asked, dict) and _is_no_id(asked):
            forget(replay, expected, step)
            step.answer['exception'] = {
                'class': 'nova.exception.ImageNotFound',
                'mro': ['ImageNotFound', 'NotFound', 'NovaException'],
                'message': f'Image {asked} could not be found.',
                'code': 404,
                'kwargs': {'code': 404, 'image_id': asked},
                'safe': False,
                'scripted': False,
            }


def _last_segment(step: Step, href: str) -> None:
    """A full href as image id of a service method means its last segment (C-208)."""
    last = re.split(r'[?#]', href)[0].rstrip('/').rpartition('/')[2]
    for event in step.calls:
        event['args'] = [last if argument == href else argument for argument in event['args']]
        if event['kwargs'].get('image_id') == href:
            event['kwargs']['image_id'] = last
    error = step.answer.get('exception')
    if error and error.get('kwargs', {}).get('image_id') == href:
        error['kwargs']['image_id'] = last
        error['message'] = error['message'].replace(href, last)


def forget(replay: Replay, expected: Answer, step: Step) -> None:
    """All that the step did, and what came of it."""
    script(replay, expected)
    shuffled: list[Event] = []
    made = [event['client'] for event in step.events if event['ev'] == 'client']
    taken = len(step.calls)
    before = sum(
        event['ev'] == 'call'
        for answer in expected['steps'][: step.number]
        for event in answer['events']
    )
    del expected[SCRIPT][before : before + taken]
    for event in step.events:
        if event['ev'] == 'shuffle':
            shuffled.append(event)
        if event['ev'] == 'open':
            _unopened(replay, expected, event['path'])
        if event['ev'] == 'write' and '$sink' in event['to']:
            expected['sinks'][event['to']['$sink']]['written'] = {'$bytes': ''}
    step.events[:] = []
    for client in reversed(made):
        renumber(expected, client, -1)
    for key in ('result', 'drained'):
        step.answer.pop(key, None)
    for later in expected['steps'][step.number + 1 :]:
        for place, event in enumerate(later['events']):
            if event['ev'] == 'client' and shuffled:
                later['events'][place:place] = shuffled
                return


def _unopened(replay: Replay, expected: Answer, path: str) -> None:
    name = path.removeprefix('<root>/')
    given = replay.case['input'].get('files', {})
    after = expected.get('files_after', {})
    if name in given:
        after[name] = given[name]
    else:
        after.pop(name, None)
    if after == {}:
        expected.pop('files_after', None)
    expected['handles'] = [handle for handle in expected['handles'] if handle['path'] != path]
    if not expected['handles']:
        del expected['handles']


def v2_models_have_an_answer(replay: Replay, expected: Answer) -> None:
    """The availability rule reads the custom keys of a v2 model instead of failing on it (C-089)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        _completed(replay, expected, step)
        error = step.answer.get('exception')
        if not error or error['class'] != 'AttributeError' or error['message'] != 'properties':
            continue
        if step.operation == '_is_image_available':
            context, image = step.args
            if 'project_id' not in replay.case['input']['contexts'][context['$ctx']]:
                continue
            del step.answer['exception']
            step.answer['result'] = _available(replay, context, image)
        elif step.operation == 'detail':
            del step.answer['exception']
            step.answer['result'] = []
        elif step.operation in ('download', '_get_locations', 'show', 'update') and step.calls:
            who = image_id(step)
            step.answer['exception'] = {
                **error,
                'class': 'nova.exception.ImageNotFound',
                'mro': ['ImageNotFound', 'NotFound', 'NovaException'],
                'message': f'Image {who} could not be found.',
                'code': 404,
                'kwargs': {'code': 404, 'image_id': who},
                'safe': False,
                'volatile_message': False,
            }


def _completed(replay: Replay, expected: Answer, step: Step) -> None:
    """2014.1 knew no v2 model in its image dict: ``deleted`` and ``is_public`` were None."""
    record = step.answer.get('result')
    if replay.release != '2014.1' or not isinstance(record, dict) or record.get('is_public', True) is not None:
        return
    if step.operation == '_translate_from_glance':
        image = step.args[0]
    else:
        outcomes = replay.case['input'].get('backend', [])
        place = consumed_before(expected, step.number) + len(step.calls) - 1
        image = outcomes[place].get('return') if step.calls and place < len(outcomes) else None
    if isinstance(image, dict) and image.get('model') == 'v2':
        record.update({'deleted': False, 'is_public': image['$image'].get('visibility') == 'public'})


def _available(replay: Replay, context: Any, image: Any) -> bool:
    caller = replay.case['input']['contexts'][context['$ctx']]
    custom = {key: value for key, value in image['$image'].items() if key not in BASE}
    if caller.get('project_id'):
        for key in ('owner_id', 'project_id'):
            if key in custom:
                return str(custom[key]) == str(caller['project_id'])
    return 'user_id' in custom and str(custom['user_id']) == str(caller['user_id'])


def wrong_types_are_named(replay: Replay, expected: Answer) -> None:
    """Metadata or filters of a wrong type raise our error, which is the old one too (C-070, C-266)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if not error or error['class'] not in ('AttributeError', 'TypeError', 'ValueError') or error['scripted']:
            continue
        place = {'create': 1, 'update': 2}.get(step.operation)
        info = None if place is None else step.argument(place, 'image_meta', 'image_info')
        filters = step.given.get('kwargs', {}).get('filters')
        name = ''
        if place is not None and (not isinstance(info, dict) or '$tuple' in info):
            name = 'BadImageInfo'
        elif step.operation == 'detail' and filters and not isinstance(filters, dict):
            name = 'BadFilter'
        if name:
            step.answer['exception'] = {
                'class': f'nova_image.errors.{name}',
                'mro': [name, 'Invalid', 'NovaException', error['class']],
                'message': '',
                'volatile_message': True,
                'code': 400,
                'scripted': False,
            }


def negative_retries(replay: Replay, expected: Answer) -> None:
    """Negative retries count as 0, with a warning, so that a call is made at all (C-052)."""
    if replay.on_wire or replay.release != '2014.1' or int(replay.config('num_retries', 0)) >= 0:
        return
    for step in replay.steps(expected):
        if step.operation != 'call':
            continue
        made = replay.bound_by(step.given['on'])
        static = len(made.get('args', ())) > 1 or 'host' in made.get('kwargs', {})
        _, version, method, *args = step.args
        events: list[Event] = [log('WARNING')]
        client = 0
        if not static:
            servers = replay.config('api_servers') or ['']
            host = f'{replay.config("host", "192.0.2.10")}:{replay.config("port", 9292)}'
            events += [
                {'ev': 'shuffle', 'n': len(servers)},
                {
                    'ev': 'client',
                    'client': 0,
                    'version': str(version),
                    'endpoint': f'http://{servers[0] or host}'.replace('http://http', 'http'),
                    'kwargs': {},
                },
            ]
        events.append(
            {'ev': 'call', 'client': client, 'method': method, 'args': args, 'kwargs': step.given['kwargs']}
        )
        step.answer['events'] = events
        step.answer.pop('result', None)
        step.answer['exception'] = {
            'class': 'PastTheEnd',
            'mro': ['PastTheEnd'],
            'message': method,
            'scripted': False,
        }
