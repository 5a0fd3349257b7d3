# SPDX-License-Identifier: Apache-2.0
"""Deviations in how bytes come down and go up."""

from __future__ import annotations

import base64
from typing import Any

from legacy.deviating.recordings import Answer, Replay, Step, consumed_before

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
        step.events[:] = [event for event in step.events if event['ev'] in ('shuffle', 'client', 'call')]
        for path in opened:
            name = path.removeprefix('<root>/')
            expected.get('files_after', {}).pop(name, None)
            handles = expected['handles']
            handles.remove({'path': path, 'closed': True})
            if not handles:
                del expected['handles']
        if expected.get('files_after') == {}:
            del expected['files_after']


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
        if asked and len(shuffles) > 1:
            del step.events[shuffles[1]]
