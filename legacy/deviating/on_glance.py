# SPDX-License-Identifier: Apache-2.0
"""What is expected of programs that only a real Glance can run (faults, damaged files, locations, hrefs).

Computed from the recording step by step; the story keeps count of the deviations at work.
"""

from __future__ import annotations

import copy
from typing import Any

from legacy.deviating import programs
from legacy.deviating.programs import Place
from legacy.deviating.recordings import Answer, Replay
from legacy.deviating.story import Story, content_of, fields_of
from legacy.equivalence.wire_values import digest

_RAW = {
    'HTTPConflict': 'ImageConflict',
    'HTTPOverLimit': 'ImageQuotaExceeded',
    'HTTPUnauthorized': 'ImageNotAuthorized',
    'HTTPForbidden': 'ImageNotAuthorized',
    'HTTPNotFound': 'ImageNotFound',
    'HTTPBadRequest': 'ImageBadRequest',
}
#: Answers to a read that are worth another try.
_PASSING = ('500', '502', '504')


def compute(replay: Replay, expected: Answer, touched: list[int]) -> None:
    """Change the normalised expectation step by step."""
    story = Story(replay, expected, touched)
    for number, given in enumerate(story.steps):
        recorded = replay.case['expect']['steps'][number]
        place = Place(replay, number, given, recorded)
        answer = expected['steps'][number]
        for change in _CHANGES:
            change(story, place, answer)
        _settle(story, place, answer)


def _settle(story: Story, place: Place, answer: Answer) -> None:
    """What earlier steps left behind, in this step's records and files."""
    result = answer.get('result')
    if isinstance(result, list):
        kept = [item for item in result if item.get('id') not in story.gone]
        if story.added and not place.given.get('kwargs'):
            known = {item['id'] for item in kept}
            kept = [*(copy.deepcopy(item) for item in story.added if item['id'] not in known), *kept]
        answer['result'] = result = kept
    for record in result if isinstance(result, list) else [result]:
        if isinstance(record, dict) and record.get('id') in story.changed:
            record.update(story.changed[record['id']])
        if isinstance(record, dict) and record.get('id') in story.tasks:
            record['properties']['os_glance_import_task'] = story.tasks[record['id']]
    if 'file' in answer:
        name = place.given.get('file', 'img')
        if 'exception' in answer:
            if answer['file'] != story.files.get(name):
                story.touch(10)
                answer['file'] = story.files.get(name)
        else:
            story.files[name] = answer['file']


def raw_errors(story: Story, place: Place, answer: Answer) -> None:
    """Ours and the client's own at once."""
    error = answer.get('exception')
    if not error or not programs.client_errors(place) or str(error['class']).startswith('nova_image.'):
        return
    raw = str(error['class']).rpartition('.')[2]
    kept = {key: error[key] for key in ('code', 'details') if key in error}
    name, message, kwargs = _RAW.get(raw, 'ImageServiceError'), error['message'], None
    args = place.given.get('args') or [None]
    who = story.id_of(args[0])
    if place.op == 'delete' and raw == 'HTTPConflict':
        name, kept = 'ImageDeleteConflict', {'code': 500}
        message, kwargs = f'Conflict deleting image. Reason: {message}.', {'code': 500, 'reason': message}
    elif raw == 'HTTPOverLimit' and place.op in ('get', 'update', 'download'):
        kept, kwargs = {'code': 500}, {'code': 500, 'image_id': who}
        message = f'Quota exceeded or out of space for image {who} in the image service.'
    story.touch(33)
    answer['exception'] = {
        'class': f'nova_image.errors.{name}',
        'mro': [name, 'NovaException', *error['mro']],
        'message': message,
        **kept,
    }
    if kwargs is not None:
        answer['exception']['kwargs'] = kwargs
    if error.get('volatile_message'):
        answer['exception']['volatile_message'] = True


def without_data(story: Story, place: Place, answer: Answer) -> None:
    """ImageHasNoData."""
    if not programs.no_data(place):
        return
    story.touch(9)
    answer.pop('result', None)
    who = story.id_of(place.given['args'][0])
    reason = 'Image has no associated data'
    answer['exception'] = {
        'class': 'nova_image.errors.ImageHasNoData',
        'mro': ['ImageHasNoData', 'ImageNotFound', 'NotFound', 'ImageUnacceptable', 'Invalid', 'NovaException'],
        'message': f'Image {who} is unacceptable: {reason}',
        'code': 404,
        'kwargs': {'code': 404, 'image_id': who, 'reason': reason},
    }
    answer['logs'] = [entry for entry in answer['logs'] if not entry['message'].startswith('Error writing')]


def taken_away(story: Story, place: Place, answer: Answer) -> None:
    """The record of a create that failed."""
    if not programs.removed_again(place):
        return
    for exchange in place.recorded.get('requests', ()):
        if exchange['method'] == 'POST' and exchange['response']['status'] == 201:
            made = str(exchange['response']['body']['json']['id'])
            story.touch(34)
            story.gone.add(made)
            path = f'/v2/images/{made}'
            if isinstance(place.info, dict) and place.info.get('protected'):
                off = {'op': 'replace', 'path': '/protected', 'value': False}
                answer['requests'].append({'method': 'PATCH', 'path': path, 'body': [off]})
            answer['requests'].append({'method': 'DELETE', 'path': path, 'body': None})


def read_again(story: Story, place: Place, answer: Answer) -> None:
    """A read that a passing failure met is asked again."""
    status = str(story.fault_before(place.number).get('status', ''))[:3]
    if place.op not in ('get', 'list', 'download') or status not in _PASSING or 'exception' not in answer:
        return
    raw = place.error
    story.touch(46)
    answer['logs'] = [{'logger': '', 'level': 'ERROR', 'message': '', 'exc': raw}]
    if story.retries < 1:
        return
    answer['sleeps'] = [1]
    del answer['exception']
    if place.op == 'list':
        answer['result'] = copy.deepcopy(story.listing(place.number))
    elif place.op == 'get':
        answer['result'] = copy.deepcopy(story.record(story.id_of(place.given['args'][0]), place.number))
    else:
        content = _uploaded(story, place.given['args'][0])
        answer['result'] = {'returned': None}
        if place.given['mode'] == 'iterator':
            answer['result'] = {
                'returned': 'iterator', 'len': len(content), 'end': 'exhausted', 'content': digest(content),
            }  # fmt: skip
        elif 'file' in answer:
            answer['file'] = digest(content)
        if 'sink' in answer:
            answer['sink'] = digest(content)


def _uploaded(story: Story, form: Any) -> bytes:
    """What was uploaded to the image that a step names."""
    name = form['$ref'][0]
    for step in story.steps:
        if step.get('bind') == name:
            for argument in step['args']:
                content = content_of(argument)
                if content is not None:
                    return content
    return b''


def corrupt(story: Story, place: Place, answer: Answer) -> None:
    """Wrong bytes: ours, an OSError with EPIPE; written downloads start over first."""
    result = answer.get('result')
    if isinstance(result, dict) and isinstance(result.get('end'), dict):
        error = result['end'].get('$exc', {})
        if error.get('class') == 'BrokenPipeError':
            story.touch(47)
            result['end'] = {'$exc': _corrupt(error)}
            result['content'] = digest(b'')
    error = answer.get('exception', {})
    if error.get('class') == 'BrokenPipeError':
        story.touch(47)
        answer['exception'] = _corrupt(error)
        warning = {'logger': '', 'level': 'WARNING', 'message': '', 'exc': None}
        answer['logs'] = [*[warning] * story.retries, *answer['logs']]
        answer['sleeps'] = ['<pause>'] * story.retries


def _corrupt(error: dict[str, Any]) -> dict[str, Any]:
    return {**error, 'class': 'nova_image.errors.ImageCorrupt', 'mro': ['ImageCorrupt', 'NovaException', 'OSError']}


def whole_urls(story: Story, place: Place, answer: Answer) -> None:
    """A server without a scheme is http."""
    result = answer.get('result')
    if place.op != 'url' or not isinstance(result, str):
        return
    if '://' not in result:
        story.touch(8)
        answer['result'] = f'http://{result}'
    if answer['logs']:
        story.touch(8)
        answer['logs'] = []


def hrefs(story: Story, place: Place, answer: Answer) -> None:
    """Every shape of reference to the server names its image; what is no URL is refused."""
    if not place.given.get('href') or 'exception' not in answer:
        return
    form = place.given['args'][0]
    slash = isinstance(form, dict) and str(form.get('$href', '')).endswith('/')
    if slash and story.replay.frontend != 'api':
        return  # the old service takes what follows the last slash
    lost = answer['exception'].get('kwargs', {}).get('image_id') in (None, '')
    if isinstance(form, dict) and lost and place.error not in ('HTTPMultipleChoices', 'ImageServiceError'):
        story.touch(23)
        del answer['exception']
        answer['result'] = copy.deepcopy(story.record(story.id_of(form), place.number))
        answer['logs'], answer['sleeps'] = [], []
    elif form == '/' and story.replay.frontend != 'api':
        story.touch(13)
        answer['exception'] = {
            'class': 'nova_image.errors.ImageNotFound',
            'mro': ['ImageNotFound', 'NotFound', 'NovaException'],
            'message': 'Image  could not be found.',
            'code': 404,
            'kwargs': {'code': 404, 'image_id': ''},
        }
        answer['logs'], answer['sleeps'] = [], []
    elif isinstance(form, str) and '://' not in form:
        story.touch(13)
        answer['exception'] = {
            'class': 'nova_image.errors.InvalidImageRef',
            'mro': ['InvalidImageRef', 'Invalid', 'NovaException'],
            'message': '',
            'volatile_message': True,
            'code': 400,
        }
        answer['logs'], answer['sleeps'] = [], []
    elif isinstance(form, str) and answer['logs']:
        story.touch(6)
        answer['logs'] = [{'logger': '', 'level': 'WARNING', 'message': '', 'exc': None}, *answer['logs']]


def reserved_stay(story: Story, place: Place, answer: Answer) -> None:
    """What Glance keeps for itself is no property to purge, so the update goes on (C-262)."""
    sent = [request for request in answer.get('requests', ()) if request['method'] == 'PATCH']
    taken = [
        operation
        for request in sent
        for operation in request['body'] or ()
        if operation['op'] == 'remove' and operation['path'].startswith('/os_glance_')
    ]
    if place.op != 'update' or not taken:
        return
    story.touch(52)
    for request in sent:
        request['body'] = [operation for operation in request['body'] if operation not in taken]
    location = place.info.get('location') if isinstance(place.info, dict) else None
    if location and story.replay.case['server'] == 'noauth':
        who = story.id_of(place.given['args'][0])
        url = {'url': location, 'validation_data': {}}
        answer['requests'].append({'method': 'POST', 'path': f'/v2/images/{who}/locations', 'body': url})
        story.tasks[who] = f'<id:{8100 + place.number}>'
        answer['exception'] = {
            'class': 'nova_image.errors.ImageServiceError',
            'mro': ['ImageServiceError', 'NovaException', 'HTTPInternalServerError'],
            'message': '',
            'volatile_message': True,
            'code': 500,
        }


def direct_copies(story: Story, place: Place, answer: Answer) -> None:
    """The new API makes the copy past the service too, only in other words, and ``data`` wins over a path (C-139, C-156)."""
    replay = story.replay
    if place.op != 'download' or 'allowed_direct_url_schemes' not in replay.case['input']['config'] or replay.frontend != 'api':
        return
    copied = any(entry['message'].startswith('Successfully transferred') for entry in answer['logs'])
    if copied and place.given['mode'] == 'both':
        story.touch(54)
        answer['logs'] = []
        answer['sink'], answer['file'] = answer['file'], story.files.get(place.given.get('file', 'img'))
        return
    kept = [entry for entry in answer['logs'] if not entry['message'].startswith('Copied')]
    for entry in kept:
        if 'transferred using' in entry['message'] or 'Download image' in entry['message']:
            story.touch(54)
            entry['logger'] = 'nova_image.direct.fetching'
    answer['logs'] = kept


def no_schema(story: Story, place: Place, answer: Answer) -> None:
    """The schema is not asked for, so a fault there meets nobody."""
    if 'schemas' not in str(story.fault_before(place.number).get('contains', '')) or place.op != 'create':
        return
    story.touch(48)
    answer['logs'], answer['sleeps'] = [], []
    if 'exception' in answer:
        del answer['exception']
        like = next(
            other['result']
            for step, other in zip(story.steps, story.expected['steps'], strict=True)
            if step['op'] == 'create' and isinstance(other.get('result'), dict)
        )
        blank = dict.fromkeys(('checksum', 'os_hash_algo', 'os_hash_value', 'virtual_size'))
        record = {**copy.deepcopy(like), **blank, **place.info, 'id': f'<id:{8000 + place.number}>'}
        record.update(size=0, status='queued')
        record.pop('stores', None)
        answer['result'] = record
        answer['requests'] = [{'method': 'POST', 'path': '/v2/images', 'body': dict(place.info)}]
        story.added.insert(0, record)


def sent_whole(story: Story, place: Place, answer: Answer) -> None:
    """An upload that is tried again begins at its beginning."""
    content = content_of(place.data)
    record = answer.get('result')
    if content is None or not isinstance(record, dict) or record.get('size') in (None, len(content)):
        return
    story.touch(49)
    story.changed[record['id']] = fields_of(content)
    for request in answer.get('requests', ()):
        if request['method'] == 'PUT':
            request['body'] = digest(content)


def not_public(story: Story, place: Place, answer: Answer) -> None:
    """``is_public`` false means all that is not public."""
    filters = place.filters
    if place.op != 'list' or not isinstance(filters, dict) or str(filters.get('is_public')).lower() not in ('false', '0'):
        return
    plain = story.listing(place.number)
    if plain is None or len(filters) > 1:
        return
    wanted = [copy.deepcopy(item) for item in plain if not item['is_public']]
    if wanted != answer.get('result'):
        story.touch(30)
        answer['result'] = wanted


def tags(story: Story, place: Place, answer: Answer) -> None:
    """Tags are filtered as they are, emptied when told, refused by the service, and sent only when they change."""
    info = place.info
    if place.op == 'update':
        names_tags = isinstance(info, dict) and 'tags' in info
        for request in answer.get('requests', ()):
            if request['method'] == 'PATCH' and not names_tags and isinstance(request['body'], list):
                kept = [operation for operation in request['body'] if operation['path'] != '/tags']
                if kept != request['body']:
                    story.touch(50)
                    request['body'] = kept
        if names_tags and place.error == 'TypeError' and 'Unable to set' in place.text:
            _tags_refused(story, place, answer)
        elif names_tags and info['tags'] == [] and isinstance(answer.get('result'), dict):
            story.touch(50)
            story.changed[answer['result']['id']] = {'tags': []}
            answer['requests'][0]['body'].append({'op': 'replace', 'path': '/tags', 'value': []})
            answer['requests'][0]['body'].sort(key=lambda operation: str(operation))
    wanted = place.filters.get('tag') if isinstance(place.filters, dict) else None
    if place.op == 'list' and wanted is not None:
        asked = wanted if isinstance(wanted, list) else [wanted]
        shown = [
            record
            for step, other in zip(story.steps[: place.number], story.expected['steps'], strict=False)
            if step['op'] == 'update' and isinstance(record := other.get('result'), dict)
        ][-1:]
        found = [copy.deepcopy(record) for record in shown if all(str(tag) in record['tags'] for tag in asked)]
        if 'exception' in answer or (isinstance(wanted, str) and found != answer.get('result')):
            story.touch(30)
            answer.pop('exception', None)
            answer['result'] = found


def _tags_refused(story: Story, place: Place, answer: Answer) -> None:
    story.touch(39)
    who = story.id_of(place.given['args'][0])
    answer['exception'] = {
        'class': 'nova_image.errors.ImageBadRequest',
        'mro': ['ImageBadRequest', 'Invalid', 'NovaException'],
        'message': '',
        'volatile_message': True,
        'code': 400,
    }
    change = {'op': 'replace', 'path': '/tags', 'value': place.info['tags']}
    answer['requests'] = [{'method': 'PATCH', 'path': f'/v2/images/{who}', 'body': [change]}]


_CHANGES = (
    hrefs, direct_copies, reserved_stay, read_again, no_schema, raw_errors, without_data, corrupt, taken_away, whole_urls, sent_whole, not_public, tags,
)  # fmt: skip
