# SPDX-License-Identifier: Apache-2.0
"""Deviations in which error comes out: ours where the client's own used to escape, later names, later classes."""

from __future__ import annotations

from typing import Any

from legacy.deviating.recordings import Answer, Replay, Step

_IMAGE_METHODS = ('show', 'update', 'download', '_get_locations')
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
