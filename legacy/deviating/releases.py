# SPDX-License-Identifier: Apache-2.0
"""Deviations where releases contradict each other: one module stands for all, and 2014.1 is its reference."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any
from urllib.parse import urlsplit

from legacy.deviating.recordings import Answer, Replay, Step, consumed_before

_KEYS = (
    'size', 'disk_format', 'owner', 'container_format', 'checksum', 'id', 'name', 'deleted_at', 'deleted', 'status',
    'min_disk', 'min_ram', 'is_public',
)  # fmt: skip
_TIMES = ('created_at', 'updated_at')
_VERSIONLESS = re.compile(r'(?P<server>https?://[^/].*)/images/[^/]*', re.IGNORECASE)
_VERSION = re.compile(r'/v\d+(\.\d+)?$')


def _moment(text: Any) -> Any:
    if not isinstance(text, str) or not text:
        return text
    moment = datetime.datetime.fromisoformat(text)
    offset = moment.utcoffset()
    return {
        '$datetime': moment.replace(tzinfo=None).isoformat(timespec='microseconds'),
        'offset': 0 if offset is None else int(offset.total_seconds()),
    }


def v1_records(replay: Replay, expected: Answer) -> None:
    """GlanceImageService shows what the v1 object says, None where it says nothing (C-101, C-105)."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    outcomes = replay.case['input'].get('backend', [])
    for step in replay.steps(expected):
        if step.owner != 'GlanceImageService' or not step.calls:
            continue
        place = consumed_before(expected, step.number) + len(step.calls) - 1
        image = outcomes[place].get('return') if place < len(outcomes) else None
        if not isinstance(image, dict) or '$image' not in image or 'model' in image:
            continue
        shown = image['$image']
        error = step.answer.get('exception')
        record = step.answer.get('result')
        if error and error['class'] == 'AttributeError' and "'ImageV1' object" in error['message']:
            del step.answer['exception']
            record = step.answer['result'] = {
                'properties': shown.get('properties', {}),
                **{key: _moment(shown.get(key)) for key in _TIMES},
            }
        if isinstance(record, dict) and 'properties' in record:
            for key in _KEYS:
                value = shown.get(key)
                if key != 'deleted_at' or not value or record.get(key) is None:
                    record[key] = _moment(value) if key == 'deleted_at' else value
            if step.argument(2, 'include_locations') is True:
                record.setdefault('locations', [])
                record.setdefault('direct_url', None)


def one_forbidden(replay: Replay, expected: Answer) -> None:
    """NotAuthorized and Forbidden are one class, so raising either name works (C-298)."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if not error or "no attribute 'NotAuthorized'" not in str(error['message']):
            continue
        text = _scripted_text(replay)
        passed = {
            'class': 'nova.exception.Forbidden',
            'mro': ['Forbidden', 'NovaException'],
            'message': text,
            'code': 403,
            'kwargs': {'code': 403},
            'safe': False,
            'scripted': True,
        }
        if step.operation.startswith('_translate'):
            del step.answer['exception']
            step.answer['result'] = {'$exc': passed}
        else:
            step.answer['exception'] = passed


def _scripted_text(replay: Replay) -> str:
    found: list[str] = []

    def walk(form: Any) -> None:
        if isinstance(form, dict):
            if form.get('$exc') == 'nova.exception.NotAuthorized':
                found.extend(form.get('args') or ['Forbidden'])
            for value in form.values():
                walk(value)
        elif isinstance(form, list):
            for value in form:
                walk(value)

    walk(replay.case['input'])
    return found[0]


def server_items(replay: Replay, expected: Answer) -> None:
    """get_api_servers() without a context yields the tuples of 2014.1, whose text is the URL (C-309)."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    for step in replay.steps(expected):
        if step.operation != 'get_api_servers' or step.args:
            continue
        taken = step.answer.get('result', {}).get('$take')
        if taken is not None:
            taken[:] = [_as_tuple(url) for url in taken]


def _as_tuple(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {'$tuple': [parts.hostname or '', parts.port or 80, parts.scheme == 'https']}


def user_id_first(replay: Replay, expected: Answer) -> None:
    """Identity headers read user_id and project_id, then user and tenant; roles may be missing (C-027, C-029)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        for holder in _headers(step):
            context = _context_of(replay, step)
            if context is None:
                continue
            for header, names in (('X-User-Id', ('user_id', 'user')), ('X-Tenant-Id', ('project_id', 'tenant'))):
                values = [context[name] for name in names if context.get(name) is not None]
                holder[header] = values[0] if values else None
        error = step.answer.get('exception')
        if error and error['class'] == 'AttributeError' and _POOR.search(str(error['message'])):
            context = _context_of(replay, step) or {}
            headers = {
                'X-Auth-Token': context.get('auth_token'),
                'X-User-Id': context.get('user_id', context.get('user')),
                'X-Tenant-Id': context.get('project_id', context.get('tenant')),
                'X-Roles': ','.join(context.get('roles', ())),
                'X-Identity-Status': (step.args + ['Confirmed'])[1],
            }
            if 'service_catalog' in context:
                headers['X-Service-Catalog'] = json.dumps(context['service_catalog'])
            if step.operation == 'generate_identity_headers':
                del step.answer['exception']
                step.answer['result'] = headers
            elif step.operation == '_create_glance_client':
                del step.answer['exception']
                _client_made(replay, step, {**headers, 'X-Identity-Status': 'Confirmed'})


_POOR = re.compile(r"has no attribute '(roles|service_catalog)'")


def _client_made(replay: Replay, step: Step, headers: dict[str, Any]) -> None:
    """The client that the caller's context was too poor for."""
    _, host, port, secure, *rest = step.args
    host = f'[{host}]' if ':' in str(host) and not str(host).startswith('[') else host
    kwargs: dict[str, Any] = {'identity_headers': headers, 'token': headers['X-Auth-Token']}
    if secure:
        kwargs.update(insecure=replay.config('insecure', False), ssl_compression=False)
    version = str((rest + [step.given['kwargs'].get('version', 1)])[0])
    endpoint = f'{"https" if secure else "http"}://{host}:{port}'
    step.events.append({'ev': 'client', 'client': 0, 'version': version, 'endpoint': endpoint, 'kwargs': kwargs})
    step.answer['result'] = {'$client': 0}


def _headers(step: Step) -> list[dict[str, Any]]:
    found = [
        event['kwargs']['identity_headers']
        for event in step.events
        if event['ev'] == 'client' and 'identity_headers' in event['kwargs']
    ]
    result = step.answer.get('result')
    if step.operation == 'generate_identity_headers' and isinstance(result, dict):
        found.append(result)
    return found


def _context_of(replay: Replay, step: Step) -> dict[str, Any] | None:
    form = step.argument(0, 'context')
    if not isinstance(form, dict) or '$ctx' not in form:
        return None
    context: dict[str, Any] | None = replay.case['input']['contexts'][form['$ctx']]
    return context


def both_shapes_of_url(replay: Replay, expected: Answer) -> None:
    """A reference without a version segment names its server too (C-024, C-025)."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    for step in replay.steps(expected):
        reference = step.argument(1, 'image_href', 'id_or_uri')
        if step.operation == '_endpoint_from_image_ref' or not isinstance(reference, str):
            continue
        if '/' not in reference:
            continue
        found = _VERSIONLESS.fullmatch(reference)
        if found is not None and not _VERSION.search(found['server']):
            _replace(step.answer, '/'.join(reference.split('/')[:-3]), found['server'])


def _replace(value: Any, old: str, new: str) -> None:
    if isinstance(value, list):
        for item in value:
            _replace(item, old, new)
    elif isinstance(value, dict):
        for key in ('endpoint', 'api_server'):
            if value.get(key) == old:
                value[key] = new
        for item in value.values():
            _replace(item, old, new)
