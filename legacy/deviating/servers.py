# SPDX-License-Identifier: Apache-2.0
"""Deviations in which server is asked and what it is told about the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from legacy.deviating.recordings import Answer, Event, Replay, Step, log

_CREDENTIALS = ('token', 'identity_headers')


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url if '//' in url else f'http://{url}')
        port = parts.port or (443 if parts.scheme == 'https' else 80)
    except ValueError:
        return None
    return parts.scheme, (parts.hostname or '').lower(), port


def _configured(replay: Replay) -> set[Any]:
    """Origins of the servers that the case's options name."""
    servers = replay.config('api_servers')
    if servers is None:
        host = str(replay.config('host', '192.0.2.10'))
        host = f'[{host}]' if ':' in host and not host.startswith('[') else host
        servers = [f'{replay.config("protocol", "http")}://{host}:{replay.config("port", 9292)}']
    return {_origin(server) for server in servers}


def _static_clients(step: Step) -> Iterator[tuple[int, Event]]:
    """Clients that a step made for the server of a reference."""
    remote = step.operation in ('get_remote_image_service', 'start') or step.owner == 'API'
    if not remote or any(event['ev'] == 'shuffle' for event in step.events):
        return
    for place, event in enumerate(step.events):
        if event['ev'] == 'client':
            yield place, event
            return


def no_token_for_strangers(replay: Replay, expected: Answer) -> None:
    """A server that only a reference names is asked without the caller's token, with a warning (D-7)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        for place, event in list(_static_clients(step)):
            sent = event['kwargs'].get('identity_headers') or {}
            if 'identity_headers' not in event['kwargs'] or _origin(event['endpoint']) in _configured(replay):
                continue
            for name in _CREDENTIALS:
                event['kwargs'].pop(name, None)
            if sent.get('X-Auth-Token'):
                step.events.insert(place, log('WARNING'))
        _context_not_read(replay, step)


def _context_not_read(replay: Replay, step: Step) -> None:
    """Where nothing is sent of the caller, a context that lacks something does no harm."""
    error = step.answer.get('exception')
    href = _reference(replay, step)
    if step.operation != 'get_remote_image_service' or not error or error['class'] != 'AttributeError':
        return
    if href is None or '/' not in href or _origin(href) in _configured(replay):
        return
    parts = urlsplit(href)
    port, secure = parts.port or (443 if parts.scheme == 'https' else 80), parts.scheme == 'https'
    host = parts.hostname or ''
    form = step.argument(0, 'context')
    context = replay.case['input']['contexts'][form['$ctx']] or {}
    if context.get('auth_token'):
        step.events.append(log('WARNING'))
    step.events.append(
        {
            'ev': 'client',
            'client': 0,
            'version': '1',
            'endpoint': f'{parts.scheme}://{host}:{port}',
            'kwargs': {'insecure': False, 'ssl_compression': False} if secure else {},
        }
    )
    state = {'static': True, 'host': host, 'port': port, 'use_ssl': secure, 'version': 1}
    del step.answer['exception']
    service = {
        '$obj': 'GlanceImageService',
        'state': {'client': {'$obj': 'GlanceClientWrapper', 'state': state}, 'download_handlers': []},
    }
    step.answer['result'] = {'$tuple': [service, parts.path.rpartition('/')[2]]}


def https_without_port(replay: Replay, expected: Answer) -> None:
    """An https reference without a port means port 443, and ``[::1]`` stays whole (C-020, C-022, D-11)."""
    if replay.on_wire or replay.release != '2014.1':
        return
    for step in replay.steps(expected):
        if step.operation == 'get_api_servers':
            _whole_hosts(replay, step)
        for _, event in _static_clients(step):
            href = _reference(replay, step)
            if href is None:
                continue
            parts = urlsplit(href)
            wanted: dict[str, Any] = {}
            if parts.port is None and parts.scheme == 'https':
                wanted['port'] = 443
            if parts.port is None and parts.netloc.endswith(']'):
                wanted['host'] = parts.netloc
            if not wanted:
                continue
            _move(expected, event, wanted)


def configured_protocol(replay: Replay, expected: Answer) -> None:
    """The one server that host and port name is spoken to in the configured protocol (C-039, C-292)."""
    if replay.on_wire or replay.release != '2014.1':
        return
    if replay.config('api_servers') is not None or replay.config('protocol') != 'https':
        return
    more = {'insecure': replay.config('insecure', False), 'ssl_compression': False}
    own: set[int] = set()
    for step in replay.steps(expected):
        fixed = [event for _, event in _static_clients(step)]
        for event in step.events:
            if event['ev'] == 'client' and event not in fixed and event['endpoint'].startswith('http://'):
                event['endpoint'] = event['endpoint'].replace('http://', 'https://', 1)
                event['kwargs'].update(more)
                own.add(event['client'])
        result = step.answer.get('result')
        if step.operation == 'get_api_servers' and isinstance(result, dict):
            for item in result.get('$take', ()):
                item['$tuple'][2] = True
        if own and 'args_after' in step.answer:
            _rename_secure(step.answer['args_after'])


def _rename_secure(shown: Any) -> None:
    """A wrapper that took the default server shows that it speaks TLS."""
    if isinstance(shown, list):
        for item in shown:
            _rename_secure(item)
    elif isinstance(shown, dict):
        if shown.get('static') is False and 'use_ssl' in shown:
            shown['use_ssl'] = True
        for item in shown.values():
            _rename_secure(item)


def no_server(replay: Replay, expected: Answer) -> None:
    """A call without any server is a failed connection, no StopIteration that ends a caller's loop (C-038)."""
    if replay.on_wire or replay.config('api_servers') != []:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if error and error['class'] == 'StopIteration' and not error['scripted'] and step.operation in _ASKING:
            step.events[:] = [event for event in step.events if event['ev'] != 'shuffle']
            step.answer['exception'] = {
                'class': 'nova.exception.GlanceConnectionFailed',
                'mro': ['GlanceConnectionFailed', 'NovaException'],
                'message': '',
                'volatile_message': True,
                'code': 500,
                'scripted': False,
            }


_ASKING = ('detail', 'show', 'create', 'update', 'delete', 'download', 'start', 'call', '_get_locations')


def _whole_hosts(replay: Replay, step: Step) -> None:
    """Bracketed hosts of the list keep all of their address, bare ones too (C-037)."""
    servers = replay.config('api_servers')
    if servers is None:
        host = str(replay.config('host', '192.0.2.10'))
        if 'exception' in step.answer:
            del step.answer['exception']
            item = {'$tuple': [host.strip('[]'), replay.config('port', 9292), False]}
            step.events.append({'ev': 'shuffle', 'n': 1})
            step.answer['result'] = {'$take': [item] * step.given['take']}
        return
    if step.answer.get('exception', {}).get('class') == 'IndexError':
        del step.answer['exception']
        parts = [urlsplit(one if '//' in one else f'http://{one}') for one in servers]
        items = [{'$tuple': [part.hostname or '', part.port or 80, part.scheme == 'https']} for part in parts]
        step.events.append({'ev': 'shuffle', 'n': len(servers)})
        step.answer['result'] = {'$take': (items * step.given['take'])[: step.given['take']]}
    for item in step.answer.get('result', {}).get('$take', ()):
        if item['$tuple'][0] == '[:':
            item['$tuple'][0] = next(one.partition('[')[2].partition(']')[0] for one in servers if '[' in one)


def host_without_port(replay: Replay, expected: Answer) -> None:
    """A wrapper's host without a port is an endpoint, as since 13; ``h:None`` is no address (C-323)."""
    if replay.on_wire or replay.release != '2014.1':
        return
    for step in replay.steps(expected):
        if step.owner != 'GlanceClientWrapper' or step.operation != 'new':
            continue
        form = step.argument(0, 'context')
        context = replay.case['input']['contexts'][form['$ctx']] if form else None
        for event in step.events:
            if not str(event.get('endpoint', '')).endswith(':None'):
                continue
            event['endpoint'] = event['endpoint'].removesuffix(':None')
            event['version'] = '2'
            step.answer['result']['state'].update(port=80, version=2)
            event['kwargs'].pop('token', None)
            if context is None:
                continue
            event['kwargs'] |= {
                'identity_headers': {
                    'X-Auth-Token': context['auth_token'],
                    'X-User-Id': context['user_id'],
                    'X-Tenant-Id': context['project_id'],
                    'X-Roles': ','.join(context['roles']),
                    'X-Identity-Status': 'Confirmed',
                }
            }
    for step in replay.steps(expected):
        error = step.answer.get('exception', {})
        told = error.get('kwargs', {})
        if error.get('class') == 'nova.exception.GlanceConnectionFailed' and 'port' in told and told['port'] is None:
            server = f'http://{told.pop("host")}'
            del told['port']
            told['server'] = server
            error['message'] = f'Connection to glance host {server} failed: {told["reason"]}'


def _reference(replay: Replay, step: Step) -> str | None:
    if step.operation == 'start':
        made = replay.bound_by(step.given['on'])
        reference = (made.get('args') or [None, None])[1]
    else:
        reference = step.argument(1, 'image_href', 'id_or_uri')
    return reference if isinstance(reference, str) else None


def _move(expected: Answer, event: Event, wanted: dict[str, Any]) -> None:
    """Another host or port for a static client, in its endpoint and wherever its wrapper is shown."""
    scheme, _, place = event['endpoint'].partition('://')
    host, _, port = place.rpartition(':')
    before = {'host': host, 'port': int(port)}
    after = {**before, **wanted}
    event['endpoint'] = f'{scheme}://{after["host"]}:{after["port"]}'
    for answer in expected['steps']:
        for shown in (answer.get('result'), answer.get('args_after')):
            _rename(shown, before, after)


def _rename(shown: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    if isinstance(shown, list):
        for item in shown:
            _rename(item, before, after)
    elif isinstance(shown, dict):
        if shown.get('static') is True and all(shown.get(key) == before[key] for key in before):
            shown.update(after)
        for item in shown.values():
            _rename(item, before, after)


def chosen_without_chance(replay: Replay, expected: Answer) -> None:
    """Without a context the URL helpers name the first configured server; nothing is shuffled (C-322)."""
    if replay.on_wire or replay.release != '14.0.0':
        return
    for step in replay.steps(expected):
        if step.operation in ('generate_glance_url', 'generate_image_url'):
            step.events[:] = [event for event in step.events if event['ev'] not in ('shuffle', 'log')]
            servers = [one if '//' in one else f'http://{one}' for one in replay.config('api_servers') or []]
            result = step.answer.get('result')
            error = step.answer.get('exception')
            for server in servers[1:]:
                if isinstance(result, str) and result.startswith(server):
                    step.answer['result'] = servers[0] + result.removeprefix(server)
            if not servers and error and error['class'] == 'StopIteration':
                # No server at all: what host, port and protocol come to (C-292).
                del step.answer['exception']
                tail = f'/images/{(step.args or [None])[0]}' if 'image' in step.operation else ''
                step.answer['result'] = f'http://192.0.2.10:9292{tail}'
