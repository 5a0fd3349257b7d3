# SPDX-License-Identifier: Apache-2.0
"""Deviations in what is sent: purging, empty data, activation, names that clashed, filters."""

from __future__ import annotations

from typing import Any

from legacy.deviating.recordings import Answer, Replay, Step, consumed_before, drop_calls, outcomes_of
from legacy.deviating.refusals import BASE

_CLASHING = ('version', 'method', 'context', 'controller')


def _info(step: Step) -> Any:
    return step.argument({'create': 1, 'update': 2}[step.operation], 'image_meta', 'image_info')


def _data(step: Step) -> Any:
    return step.argument({'create': 2, 'update': 3}[step.operation], 'data')


def _is_v2(step: Step) -> bool:
    return step.operation in ('create', 'update') and step.owner in ('GlanceImageServiceV2', 'API')


def _sends(data: Any) -> bool:
    return bool(data) and data != {'$bytes': ''}


def no_purge_with_data(replay: Replay, expected: Answer) -> None:
    """An update that sends data keeps the properties that it does not name (C-177, C-320)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if not _is_v2(step) or step.operation != 'update' or not _sends(_data(step)):
            continue
        if step.owner == 'API' or not step.calls or step.calls[0]['method'] != 'get':
            continue
        first = step.calls[0]
        info = _info(step)
        if 'exception' in step.answer and all(event['method'] == 'get' for event in step.calls):
            # The record was refused; now its update is, in the same words.
            plain = isinstance(info, dict) and all(isinstance(value, str) for value in info.values())
            for event in step.calls if plain else ():
                event.update(method='update', args=[], kwargs={**_editable(info), 'image_id': first['args'][0]})
        elif drop_calls(replay, expected, step, [first]):
            for event in step.calls:
                event['kwargs'].pop('remove_props', None)


def _editable(info: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in info.items() if key != 'id'}


def empty_text_is_no_data(replay: Replay, expected: Answer) -> None:
    """Empty text, bytes, lists and other falsy values mean no data on every path (D-5)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if not _is_v2(step) or _data(step) is None or _sends(_data(step)):
            continue
        outcomes = list(replay.case['input'].get('backend', ()))
        kept = consumed_before(expected, step.number)
        uploads = [event for event in step.calls if event['method'] == 'upload']
        if not uploads:
            continue
        cut = next(place for place, event in enumerate(step.calls) if event is uploads[0])
        image = outcomes[kept + cut - 1]['return']['$image']
        unwanted = step.calls[cut:]
        drop_calls(replay, expected, step, unwanted)
        record = step.answer.get('result')
        if isinstance(record, dict):
            record.update({key: image[key] for key in record if key in image and not key.endswith('_at')})


def activation_is_raw(replay: Replay, expected: Answer) -> None:
    """An empty image is activated as ``raw`` without asking for the schema (C-255)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if not _is_v2(step) or step.operation != 'create':
            continue
        info = _info(step)
        asked = [event for event in step.calls if event.get('controller') == 'schemas']
        if not drop_calls(replay, expected, step, asked):
            continue
        step.events[:] = [event for event in step.events if event['ev'] != 'log']
        if not step.calls and isinstance(info, dict):
            # The schema was refused: what would have followed is asked at once.
            _ask(replay, expected, step, [('create', [], _activated(info))])
        for event in step.calls:
            if event['method'] == 'create' and isinstance(info, dict) and 'disk_format' not in info:
                event['kwargs']['disk_format'] = 'raw'


def _activated(info: dict[str, Any]) -> dict[str, Any]:
    """What is sent to create an empty image, of metadata that needs no conversion."""
    return {'disk_format': 'raw', 'container_format': 'bare', **{key: info[key] for key in info if key != 'size'}}


def names_do_not_clash(replay: Replay, expected: Answer) -> None:
    """A property may be called like a parameter of the old call (C-055, C-056)."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if not _is_v2(step) or error is None or error['class'] not in ('TypeError', 'AttributeError'):
            continue
        info = _info(step)
        if not isinstance(info, dict) or not any(name in info for name in _CLASHING):
            continue
        _ask(replay, expected, step, _calls(step, info, _custom(replay, expected, step)))


def controller_is_kept(replay: Replay, expected: Answer) -> None:
    """Every attempt of a call goes to the controller that was named (C-055)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        named = step.given.get('kwargs', {}).get('controller')
        if step.operation == 'call' and named not in (None, 'images'):
            for event in step.calls:
                event['controller'] = named


def _custom(replay: Replay, expected: Answer, step: Step) -> list[str]:
    """The custom properties that the next image of the script has."""
    outcome = dict(enumerate(outcomes_of(replay.case, expected))).get(consumed_before(expected, step.number), {})
    shown = outcome.get('return')
    image = shown.get('$image', {}) if isinstance(shown, dict) else {}
    return [name for name in image if name not in BASE]


def _calls(step: Step, info: dict[str, Any], custom: list[str]) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """What the step asks, one call after the other."""
    data = _data(step)
    if step.operation == 'create':
        return [('create', [], dict(info))]
    who = step.argument(1, 'image_id', 'id_or_uri')
    purge = step.argument(4, 'purge_props') is not False and not _sends(data)
    calls: list[tuple[str, list[Any], dict[str, Any]]] = [('get', [who], {})] if purge else []
    sent = {**info, 'image_id': who}
    gone = [name for name in custom if name not in sent and not name.startswith('os_glance')]
    calls.append(('update', [], {**sent, 'remove_props': gone} if purge else sent))
    if _sends(data):
        calls.append(('upload', [who, {'$source': data['$source']}], {}))
    return calls


def _ask(
    replay: Replay, expected: Answer, step: Step, calls: list[tuple[str, list[Any], dict[str, Any]]]
) -> None:
    """The calls as events; the one that the script has no outcome for ends the step."""
    outcomes = len(outcomes_of(replay.case, expected))
    context = replay.case['input']['contexts'][step.argument(0, 'context')['$ctx']]
    headers = {
        'X-Auth-Token': context['auth_token'],
        'X-User-Id': context['user_id'],
        'X-Tenant-Id': context['project_id'],
        'X-Roles': ','.join(context['roles']),
        'X-Identity-Status': 'Confirmed',
    }
    servers = replay.config('api_servers')
    step.events[:] = [{'ev': 'shuffle', 'n': len(servers)}]
    for number, (method, args, kwargs) in enumerate(calls):
        client = {'ev': 'client', 'client': number, 'version': '2', 'endpoint': servers[0]}
        call = {'ev': 'call', 'client': number, 'method': method, 'args': args, 'kwargs': kwargs}
        step.events.extend([{**client, 'kwargs': {'identity_headers': headers}}, call])
        if number >= outcomes:
            step.answer['exception'] = past_the_end(method)
            return


def past_the_end(method: str) -> dict[str, Any]:
    """The error of the replay's own: one call more than were recorded."""
    return {'class': 'PastTheEnd', 'mro': ['PastTheEnd'], 'message': method, 'scripted': False}


def is_public_of_any_type(replay: Replay, expected: Answer) -> None:
    """The filter ``is_public`` may be a bool or None, as for v1 (C-230); other times are told by the server."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    for step in replay.steps(expected):
        filters = _filters(step)
        error = step.answer.get('exception')
        if error is None or error['class'] not in ('AttributeError', 'TypeError') or not filters:
            continue
        odd = filters.get('is_public', 'none')
        since = filters.get('changes-since', '')
        if isinstance(odd, str) and isinstance(since, str):
            continue
        meant = {key: value for key, value in filters.items() if key not in ('is_public', 'changes-since')}
        word = str(odd).lower()
        if word in ('true', '1'):
            meant['visibility'] = 'public'
        elif word in ('false', '0'):
            meant['visibility'] = 'private'
        if since != '':
            meant['updated_at'] = f'gte:{since}'
        if step.operation == '_extract_query_params_v2':
            del step.answer['exception']
            step.answer['result'] = {'filters': meant}
        elif step.operation == 'detail':
            _ask(replay, expected, step, [('list', [], {'filters': meant})])


def exact_prefix(replay: Replay, expected: Answer) -> None:
    """Of a filter ``property-x`` exactly the prefix is taken off (C-226)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        filters = _filters(step)
        wrong = {key: key.lstrip('property-') for key in filters if key.startswith('property-')}  # noqa: B005 - as it was
        places: list[Any] = [event['kwargs'].get('filters') for event in step.calls if event['method'] == 'list']
        if step.operation == '_extract_query_params_v2':
            places.append(step.answer.get('result', {}).get('filters'))
        for sent in places:
            if not isinstance(sent, dict):
                continue
            for key, stripped in wrong.items():
                right = key.removeprefix('property-')
                if stripped != right and stripped in sent and key not in sent:
                    sent[right] = sent.pop(stripped)


def _filters(step: Step) -> dict[str, Any]:
    if step.operation == '_extract_query_params_v2':
        filters = (step.args or [{}])[0]
        filters = filters.get('filters') if isinstance(filters, dict) else None
    else:
        filters = step.given.get('kwargs', {}).get('filters')
    return filters if isinstance(filters, dict) and '$dict' not in filters else {}
