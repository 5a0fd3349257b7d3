# SPDX-License-Identifier: Apache-2.0
"""Images that the Glance driver shows where the old code stumbled over them (D-15)."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from legacy.deviating.on_driver import images_in
from legacy.deviating.recordings import DRIVER, Answer, Replay, Step, consumed_before, outcomes_of
from legacy.deviating.records import ADDITIONS


def text_that_is_no_json(replay: Replay, expected: Answer) -> None:
    """Text of a JSON property that is none is handed out as it is (C-078, C-115)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        if 'JSONDecodeError' in str(step.answer.get('exception', {}).get('class')):
            _shown_after_all(replay, expected, step)


_MISSING = re.compile(r"has no attribute '(is_admin|project_id|user_id|auth_token)'")


def poor_contexts(replay: Replay, expected: Answer) -> None:
    """What a context does not say of the caller is not so (C-202)."""
    if replay.place != DRIVER:
        return
    for step in replay.steps(expected):
        error = step.answer.get('exception', {})
        if error.get('class') == 'AttributeError' and _MISSING.search(str(error['message'])):
            _shown_after_all(replay, expected, step)


def _shown_after_all(replay: Replay, expected: Answer, step: Step) -> None:
    """The records of the images that the backend answered with, as far as the caller may see them (b.9)."""
    place = consumed_before(expected, step.number) + len(step.calls) - 1
    shown = outcomes_of(replay.case, expected)[place]['return']
    form = step.argument(0, 'context')
    caller = (replay.case['input']['contexts'][form['$ctx']] or {}) if isinstance(form, dict) else {}
    changes = step.operation in ('create', 'update')
    seen = [one for one in images_in(shown) if changes or _may_see(caller, one['$image'])]
    del step.answer['exception']
    if step.argument(2, 'include_locations') is True and step.operation == 'show':
        for one in seen:
            _with_locations(step, one)
    elif isinstance(shown, list):
        step.answer['result'] = [_record(one) for one in seen]
    elif seen:
        step.answer['result'] = _record(seen[0])
    else:
        who = step.argument(1, 'image_id', 'id_or_uri')
        step.answer['exception'] = {
            'class': 'nova.exception.ImageNotFound',
            'mro': ['ImageNotFound', 'NotFound', 'NovaException'],
            'message': f'Image {who} could not be found.',
            'code': 404,
            'kwargs': {'code': 404, 'image_id': who},
            'safe': False,
        }


def _with_locations(step: Step, form: dict[str, Any]) -> None:
    locations = list(form['$image'].get('locations') or ())
    step.answer['result'] = {**_record(form), 'locations': locations}


def _may_see(caller: dict[str, Any], image: dict[str, Any]) -> bool:
    if caller.get('auth_token') or caller.get('is_admin') or image.get('is_public'):
        return True
    custom = image.get('properties') or {}
    for key in ('owner_id', 'project_id'):
        if caller.get('project_id') and key in custom:
            return str(custom[key]) == str(caller['project_id'])
    return 'user_id' in custom and str(custom['user_id']) == str(caller.get('user_id'))


def _record(form: dict[str, Any]) -> dict[str, Any]:
    """An image as its class showed it (C-101 to C-115)."""
    image = form['$image']
    record = {key: image[key] for key in (*_ALWAYS, *ADDITIONS, 'os_hidden', 'stores') if key in image}
    for key in ('created_at', 'updated_at'):
        if isinstance(image.get(key), str):
            record[key] = {'$datetime': f'{image[key].rstrip("Z")}.000000', 'offset': 0}
    if form.get('model') == 'v2':
        hidden = ('self', 'file', 'schema', 'locations', 'direct_url')
        custom = {key: image[key] for key in image if key not in (*_ALWAYS, *ADDITIONS, *hidden)}
        told = {'deleted': False, 'deleted_at': None, 'is_public': image.get('visibility') == 'public'}
        record.update(told, size=image.get('size') or 0)
    else:
        custom = dict(image.get('properties') or {})
        record.update({key: image[key] for key in ('deleted', 'deleted_at', 'is_public') if key in image})
    for key in ('mappings', 'block_device_mapping'):
        if isinstance(custom.get(key), str):
            with contextlib.suppress(ValueError):
                custom[key] = json.loads(custom[key])
    return {**record, 'properties': custom}


_ALWAYS = (
    'id', 'name', 'status', 'size', 'checksum', 'owner', 'disk_format', 'container_format', 'min_disk', 'min_ram',
    'created_at', 'updated_at',
)  # fmt: skip
