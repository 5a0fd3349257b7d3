# SPDX-License-Identifier: Apache-2.0
"""Deviations in how bytes come down and go up."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

from legacy.deviating.recordings import Answer, Replay, Step, consumed_before, log, renumber

_PATHS = ('dst_path', 'dest_path')


def _path(step: Step) -> Any:
    return step.argument(3, *_PATHS)


def _last_outcome(replay: Replay, expected: Answer, step: Step) -> dict[str, Any]:
    """What the backend answered to the step's last call."""
    outcomes = replay.case['input'].get('backend', [])
    place = consumed_before(expected, step.number) + len(step.calls) - 1
    return outcomes[place] if step.calls and place < len(outcomes) else {}


def _fetched(replay: Replay, expected: Answer, step: Step) -> bool:
    """Whether a download got a body from the backend."""
    return (
        step.operation == 'download'
        and bool(step.calls)
        and step.calls[-1]['method'] == 'data'
        and 'return' in _last_outcome(replay, expected, step)
    )


def no_data(replay: Replay, expected: Answer) -> None:
    """An image without data is ImageHasNoData, and nothing is opened (C-135, C-315)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if not _fetched(replay, expected, step):
            continue
        if _last_outcome(replay, expected, step)['return'] is not None:
            continue
        who = step.argument(1, 'image_id', 'id_or_uri')
        for key in ('result', 'drained'):
            step.answer.pop(key, None)
        reason = 'Image has no associated data'
        step.answer['exception'] = {
            'class': 'nova_image.errors.ImageHasNoData',
            'mro': ['ImageHasNoData', 'ImageNotFound', 'NotFound', 'ImageUnacceptable', 'Invalid', 'NovaException'],
            'message': f'Image {who} is unacceptable: {reason}',
            'code': 404,
            'kwargs': {'code': 404, 'image_id': who, 'reason': reason},
            'safe': False,
            'scripted': False,
        }
        opened = [event['path'] for event in step.events if event['ev'] == 'open']
        last = max(place for place, event in enumerate(step.events) if event['ev'] == 'call')
        del step.events[last + 1 :]
        for path in opened:
            name = path.removeprefix('<root>/')
            expected.get('files_after', {}).pop(name, None)
            handles = expected['handles']
            handles.remove({'path': path, 'closed': True})
            if not handles:
                del expected['handles']
        if expected.get('files_after') == {}:
            del expected['files_after']


def failed_write_is_logged(replay: Replay, expected: Answer) -> None:
    """A download that fails while it is written is logged at ERROR, as since 12 (C-131)."""
    if replay.on_wire or replay.release != '2014.1':
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception')
        if error is None or not _fetched(replay, expected, step) or 'ImageHasNoData' in error['class']:
            continue
        if error['class'] in ('KeyboardInterrupt', 'SystemExit', 'GeneratorExit'):
            continue  # no failure of the download
        if error['class'] == 'TypeError' and not error['scripted']:
            # What is no bytes is told before it is written.
            step.events[:] = [
                event for event in step.events if event['ev'] != 'write' or '$bytes' in event['data']
            ]
        closed = any(event['ev'] == 'close' for event in step.events)
        if closed or step.argument(2, 'data') is not None:
            step.events.insert(len(step.events) - closed, log('ERROR'))


def whole_or_absent(replay: Replay, expected: Answer) -> None:
    """After a failed download nothing new is at the path; what was there before still is (D-8)."""
    if replay.on_wire:
        return
    contents = dict(replay.case['input'].get('files', {}))
    for step in replay.steps(expected):
        written: dict[str, bytes] = {}
        for event in step.events:
            if event['ev'] == 'open':
                written[event['path'].removeprefix('<root>/')] = b''
            elif event['ev'] == 'write' and '$handle' in event['to']:
                name = event['to']['$handle'].removeprefix('<root>/')
                written[name] = written.get(name, b'') + base64.b64decode(event['data']['$bytes'])
            elif event['ev'] == 'copy_image':
                source = event['src'].removeprefix('<root>/')
                contents[event['dst'].removeprefix('<root>/')] = contents.get(source)
        for name, content in written.items():
            failed = 'exception' in step.answer
            after = expected.get('files_after', {})
            if failed and name in after:
                if contents.get(name) is None:
                    del after[name]
                else:
                    after[name] = contents[name]
            elif not failed:
                contents[name] = {'$bytes': base64.b64encode(content).decode()}
    if expected.get('files_after') == {}:
        del expected['files_after']


def own_client_for_locations(replay: Replay, expected: Answer) -> None:
    """Locations are asked of the service's own client, not of a new default one (C-124)."""
    if replay.on_wire or replay.release != '2014.1':
        return
    for step in replay.steps(expected):
        if step.operation not in ('download', '_get_locations'):
            continue
        shuffles = [place for place, event in enumerate(step.events) if event['ev'] == 'shuffle']
        asked = [event for event in step.calls if event['method'] == 'get']
        if not asked or not shuffles:
            continue
        if len(shuffles) > 1:
            del step.events[shuffles[1]]
            _next_server(replay, step)
        elif step.calls[-1]['client'] < asked[0]['client'] or _is_static(replay, step):
            _asked_of_static(expected, step, asked[0])


def _is_static(replay: Replay, step: Step) -> bool:
    """Whether the step's service stands on one client."""
    name = step.given.get('on') or (step.given.get('args') or [{}])[0].get('$var')
    made = replay.bound_by(name)
    if made.get('func') == 'glance.get_remote_image_service':
        return '/' in str(made['args'][1])
    client = (made.get('args') or [None])[0] or made.get('kwargs', {}).get('client')
    if not isinstance(client, dict) or '$var' not in client:
        return False
    wrapper = replay.bound_by(client['$var'])
    return len(wrapper.get('args', ())) > 1 or 'host' in wrapper.get('kwargs', {})


def _next_server(replay: Replay, step: Step) -> None:
    """The second client of the step is the next of the same list of servers."""
    servers = list(replay.config('api_servers') or [])
    order = replay.case['input'].get('shuffle', 'keep')
    if len(servers) < 2:
        return
    if order == 'reverse':
        servers.reverse()
    elif order == 'rotate':
        servers = servers[1:] + servers[:1]
    elif isinstance(order, list):
        servers = [servers[place] for place in order]
    made = [event for event in step.events if event['ev'] == 'client']
    for number, event in enumerate(made):
        server = servers[number % len(servers)]
        event['endpoint'] = server if '//' in server else f'http://{server}'
        secure = event['endpoint'].startswith('https')
        for name, value in (('insecure', replay.config('insecure', False)), ('ssl_compression', False)):
            event['kwargs'].pop(name, None)
            if secure:
                event['kwargs'][name] = value
    for shown in step.answer.get('args_after', {}).get('args', ()):
        state = shown.get('state', {}).get('client', {}).get('state') if isinstance(shown, dict) else None
        if state is not None and made:
            parts = urlsplit(made[-1]['endpoint'])
            state.update(host=parts.hostname, port=parts.port or 80, use_ssl=parts.scheme == 'https')


def _asked_of_static(expected: Answer, step: Step, asked: dict[str, Any]) -> None:
    """No client is made; the one of the service is asked."""
    gone = asked['client']
    step.events[:] = [
        event
        for event in step.events
        if event['ev'] != 'shuffle' and not (event['ev'] == 'client' and event['client'] == gone)
    ]
    asked['client'] = 0
    renumber(expected, gone, -1)


def odd_locations(replay: Replay, expected: Answer) -> None:
    """Locations that the server shows as null are none; one without metadata has none (C-123, C-142)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        outcome = _last_outcome(replay, expected, step)
        image = outcome.get('return') if step.operation in ('download', '_get_locations') else None
        if not isinstance(image, dict) or '$image' not in image:
            continue
        shown = image['$image']
        locations = shown.get('locations')
        error = step.answer.get('exception')
        if step.operation == '_get_locations' and locations is None and 'locations' in shown:
            step.answer.pop('exception', None)
            url = shown.get('direct_url')
            step.answer['result'] = [{'url': url, 'metadata': {}}] if url else []
        elif error and error['class'] == 'TypeError' and locations is None and 'locations' in shown:
            _asked_for_data(expected, step)
        elif error and error['class'] == 'KeyError' and error['message'] == "'metadata'":
            _copied(replay, expected, step, locations)


def _asked_for_data(expected: Answer, step: Step) -> None:
    """The plain download that follows; the script has nothing for it."""
    made = next(event for event in step.events if event['ev'] == 'client')
    number = made['client'] + 1
    who = step.argument(1, 'image_id')
    step.events.extend(
        [
            {**made, 'client': number, 'version': '1'},
            {'ev': 'call', 'client': number, 'method': 'data', 'args': [who], 'kwargs': {}},
        ]
    )
    step.answer['exception'] = {
        'class': 'PastTheEnd',
        'mro': ['PastTheEnd'],
        'message': 'data',
        'scripted': False,
    }


def _copied(replay: Replay, expected: Answer, step: Step, locations: list[Any]) -> None:
    """The direct copy that the location allows."""
    url = next(entry['url'] for entry in locations if 'metadata' not in entry)
    source = str(url['$url'] if isinstance(url, dict) else url).partition('://')[2]
    path = f'<root>/{_path(step)["$path"]}'
    step.events.extend([{'ev': 'copy_image', 'src': source, 'dst': path}, log('INFO'), log('INFO')])
    del step.answer['exception']
    step.answer['result'] = None
    content = replay.case['input'].get('files', {}).get(source.removeprefix('<root>/'))
    expected.setdefault('files_after', {})[path.removeprefix('<root>/')] = content
