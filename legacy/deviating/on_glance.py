# SPDX-License-Identifier: Apache-2.0
"""What is expected of programs that only a real Glance can run (faults, damaged files, locations)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from legacy.deviating import programs
from legacy.deviating.recordings import Answer

if TYPE_CHECKING:
    from legacy.deviating.programs import Course, Place

_OURS = {
    'HTTPConflict': 'ImageConflict',
    'HTTPOverLimit': 'ImageQuotaExceeded',
    'HTTPUnauthorized': 'ImageNotAuthorized',
    'HTTPForbidden': 'ImageNotAuthorized',
    'HTTPNotFound': 'ImageNotFound',
    'HTTPBadRequest': 'ImageBadRequest',
}


def compute(course: Course, expected: Answer) -> None:
    """Change the normalised expectation step by step."""
    gone: set[str] = set()
    for number, given in enumerate(course.replay.case['input']['steps']):
        recorded = course.replay.case['expect']['steps'][number]
        place = programs.Place(course.replay, number, given, recorded)
        answer = expected['steps'][number]
        _error(course, place, answer)
        _no_data(course, place, answer)
        _removed(course, place, answer, gone)
        result = answer.get('result')
        if isinstance(result, list) and gone:
            answer['result'] = [item for item in result if item.get('id') not in gone]


def touch(course: Course, number: int) -> None:
    """Note that a deviation is at work."""
    if number not in course.touched:
        course.touched.append(number)


def _error(course: Course, place: Place, answer: Answer) -> None:
    error = answer.get('exception')
    if not error or not programs.client_errors(place):
        return
    raw = str(error['class']).rpartition('.')[2]
    name = _OURS.get(raw, 'ImageServiceError')
    touch(course, 33)
    answer['exception'] = {
        'class': f'nova_image.errors.{name}',
        'mro': [name, 'NovaException', *error['mro']],
        'message': '',
        'volatile_message': True,
    }


def _no_data(course: Course, place: Place, answer: Answer) -> None:
    if not programs.no_data(place):
        return
    touch(course, 9)
    answer.pop('result', None)
    who: Any = answer.get('exception', {}).get('kwargs', {}).get('image_id')
    answer['exception'] = {
        'class': 'nova_image.errors.ImageHasNoData',
        'mro': ['ImageHasNoData', 'ImageNotFound', 'NotFound', 'ImageUnacceptable', 'Invalid', 'NovaException'],
        'message': '',
        'volatile_message': True,
        'code': 404,
    }
    if who is not None:
        answer['exception']['kwargs'] = {
            'code': 404,
            'image_id': who,
            'reason': 'Image has no associated data',
        }
    answer['logs'] = []


def _removed(course: Course, place: Place, answer: Answer, gone: set[str]) -> None:
    if not programs.removed_again(place):
        return
    for exchange in place.recorded.get('requests', ()):
        if exchange['method'] == 'POST' and exchange['response']['status'] == 201:
            made = str(exchange['response']['body']['json']['id'])
            touch(course, 34)
            gone.add(made)
            answer['requests'].append({'method': 'DELETE', 'path': f'/v2/images/{made}', 'body': None})
