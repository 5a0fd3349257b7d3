# SPDX-License-Identifier: Apache-2.0
"""Deviations in which error comes out: ours where the client's own used to escape, later names, later classes."""

from __future__ import annotations

from typing import Any

from legacy.deviating.recordings import Answer, Replay, Step

_IMAGE_METHODS = ('show', 'update', 'download', '_get_locations', 'start')
_IMAGE_HELPERS = ('_translate_image_exception', '_reraise_translated_image_exception')
_LATE_HELPERS = ('_translate_plain_exception', '_reraise_translated_exception')


def _last(error: dict[str, Any]) -> str:
    return str(error['class']).rpartition('.')[2]


def _is_raw(error: dict[str, Any]) -> bool:
    return str(error['class']).startswith('glanceclient.exc.')


def _ours(name: str, parents: list[str], message: str, **kwargs: Any) -> dict[str, Any]:
    """One of our errors in recorded form."""
    return {
        'class': f'nova.exception.{name}',
        'mro': parents,
        'message': message,
        'code': kwargs.pop('class_code', 500),
        'kwargs': kwargs,
        'safe': False,
        'scripted': False,
    }


def _text(error: dict[str, Any]) -> Any:
    return error['message']


def image_id(step: Step) -> Any:
    """The image that a step is about, as an error names it."""
    if step.operation in _IMAGE_HELPERS:
        return (step.args or [None])[0]
    if step.operation == 'start':
        made = step.replay.bound_by(step.given['on'])
        return str((made.get('args') or [None, ''])[1]).rpartition('/')[2]
    reference = step.argument(1, 'image_id', 'id_or_uri')
    if step.owner == 'API' and isinstance(reference, str):
        return reference.rpartition('/')[2]
    return reference


def _about_one_image(step: Step) -> bool:
    return step.operation in _IMAGE_METHODS or step.operation in _IMAGE_HELPERS


def bad_request(replay: Replay, expected: Answer) -> None:
    """HTTP 400 about one image is ImageBadRequest, a kind of Invalid, as in every release since 13."""
    if replay.on_wire or replay.release != '2014.1':
        return
    for step in replay.steps(expected):
        if not _about_one_image(step) or step.owner == 'GlanceClientWrapper':
            continue
        for holder, key in step.errors():
            error = holder[key]
            if _last(error) == 'Invalid' and not error['scripted']:
                who = image_id(step)
                holder[key] = _ours(
                    'ImageBadRequest',
                    ['ImageBadRequest', 'Invalid', 'NovaException'],
                    f'Request of image {who} got BadRequest response: {_text(error)}',
                    class_code=400,
                    code=400,
                    image_id=who,
                    response=_text(error),
                )


def quota(replay: Replay, expected: Answer) -> None:
    """HTTP 413 about one image is ImageQuotaExceeded and still the client's own error (C-299)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if not _about_one_image(step) or step.owner == 'GlanceClientWrapper':
            continue
        for holder, key in step.errors():
            error = holder[key]
            if _last(error) in ('OverLimit', 'HTTPOverLimit'):
                who = image_id(step)
                holder[key] = _ours(
                    'ImageQuotaExceeded',
                    ['ImageQuotaExceeded', 'NovaException', *error['mro']],
                    f'Quota exceeded or out of space for image {who} in the image service.',
                    code=500,
                    image_id=who,
                )


def delete_conflict(replay: Replay, expected: Answer) -> None:
    """HTTP 409 on a delete is ImageDeleteConflict and still the client's own error (C-299)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if step.operation != 'delete':
            continue
        for holder, key in step.errors():
            error = holder[key]
            if _last(error) in ('Conflict', 'HTTPConflict'):
                holder[key] = _ours(
                    'ImageDeleteConflict',
                    ['ImageDeleteConflict', 'NovaException', *error['mro']],
                    f'Conflict deleting image. Reason: {_text(error)}.',
                    code=500,
                    reason=_text(error),
                )


def base_classes_count(replay: Replay, expected: Answer) -> None:
    """A delete knows the deprecated client classes as well as the HTTP ones (C-186, C-191)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if step.operation != 'delete':
            continue
        for holder, key in step.errors():
            name = _last(holder[key])
            who = image_id(step)
            if _is_raw(holder[key]) and name == 'Forbidden':
                holder[key] = _ours(
                    'ImageNotAuthorized',
                    ['ImageNotAuthorized', 'NovaException'],
                    f'Not authorized for image {who}.',
                    code=500,
                    image_id=who,
                )
            elif _is_raw(holder[key]) and name == 'NotFound':
                holder[key] = _ours(
                    'ImageNotFound',
                    ['ImageNotFound', 'NotFound', 'NovaException'],
                    f'Image {who} could not be found.',
                    class_code=404,
                    code=404,
                    image_id=who,
                )


_LISTING = {
    'Unauthorized': ('Forbidden', 403),
    'Forbidden': ('Forbidden', 403),
    'NotFound': ('NotFound', 404),
    'BadRequest': ('Invalid', 400),
}


def listing(replay: Replay, expected: Answer) -> None:
    """What a listing raised raw while it was read is our error and the client's own at once (C-077, C-310)."""
    if replay.on_wire:
        return
    for step in replay.steps(expected):
        if step.operation != 'detail':
            continue
        for holder, key in step.errors():
            error = holder[key]
            ours = _LISTING.get(_last(error).removeprefix('HTTP'))
            if _is_raw(error) and ours is not None:
                name, code = ours
                holder[key] = _ours(
                    name,
                    [name, 'NovaException', *error['mro']],
                    _text(error),
                    class_code=code,
                    code=code,
                )
