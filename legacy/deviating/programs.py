# SPDX-License-Identifier: Apache-2.0
"""Wire programs that leave the recording: what is expected of them from there on.

A rule says that a step deviates, by what was passed and what was recorded. Its answer, and those of later
steps that this changes, come from an independent run of the same program: on the embedded store through
the same front end where a real Glance is judged, through another front end where the store itself is.
Programs that only a Glance can run have their answers computed from the recording.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from legacy.deviating.recordings import GLANCE, LOCAL, Answer, Replay, wire_images
from legacy.deviating.story import Story, content_of, fields_of

#: Whether a step deviates; the first rule that says so counts.
Rule = Callable[['Place'], bool]

_RESERVED = frozenset((
    'id', 'name', 'status', 'size', 'checksum', 'owner', 'disk_format', 'container_format', 'min_disk', 'min_ram',
    'created_at', 'updated_at', 'deleted_at', 'deleted', 'visibility', 'tags', 'protected', 'os_hidden',
    'os_hash_algo', 'os_hash_value', 'virtual_size', 'stores', 'self', 'file', 'schema', 'locations', 'direct_url',
    'location', 'image_id', 'remove_props', 'backend', 'properties', 'is_public',
))  # fmt: skip
_READ_ONLY = frozenset((
    'checksum', 'virtual_size', 'stores', 'os_hash_algo', 'os_hash_value', 'direct_url', 'self', 'file', 'schema',
    'locations', 'owner', 'id', 'status', 'created_at', 'updated_at',
))  # fmt: skip
_UPLOADS = ('create', 'update')
_PLAIN_FILTERS = frozenset(('name', 'status', 'container_format', 'disk_format', 'owner', 'visibility', 'id'))
_LEFT_BEHIND = ('checksum', 'os_hash_algo', 'os_hash_value', 'stores')


@dataclass(frozen=True)
class Place:
    """One step of a program: what is passed, what was recorded, through which front end."""

    replay: Replay
    number: int
    given: dict[str, Any]
    recorded: Answer

    @property
    def op(self) -> str:
        """The operation."""
        return str(self.given['op'])

    @property
    def info(self) -> Any:
        """The metadata that is passed."""
        place = {'create': 0, 'update': 1}.get(self.op)
        args = self.given.get('args', [])
        return args[place] if place is not None and len(args) > place else None

    @property
    def data(self) -> Any:
        """The image data that is passed."""
        place = {'create': 1, 'update': 2}.get(self.op)
        args = self.given.get('args', [])
        if 'data' in self.given.get('kwargs', {}):
            return self.given['kwargs']['data']
        return args[place] if place is not None and len(args) > place else None

    @property
    def properties(self) -> dict[str, Any]:
        """The custom properties that are passed."""
        found = self.info.get('properties') if isinstance(self.info, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def filters(self) -> Any:
        """The filters of a listing."""
        return self.given.get('kwargs', {}).get('filters')

    @property
    def error(self) -> str:
        """The class of the recorded error, or nothing."""
        return str(self.recorded.get('exception', {}).get('class', '')).rpartition('.')[2]

    @property
    def text(self) -> str:
        """The text of the recorded error."""
        return str(self.recorded.get('exception', {}).get('message', ''))

    @property
    def purges(self) -> bool:
        """Whether the recorded class purged."""
        default = self.replay.case['frontend'].endswith('service')
        return bool(self.given.get('kwargs', {}).get('purge_props', default))


def none_properties(place: Place) -> bool:
    """A property of None (C-241, C-313)."""
    return None in place.properties.values()


def image_ids_of_properties(place: Place) -> bool:
    """kernel_id and ramdisk_id that mean none, on an update, or are no text (C-242, C-243)."""
    return any(
        name in place.properties and (place.op == 'update' or not isinstance(place.properties[name], str))
        for name in ('kernel_id', 'ramdisk_id')
    )


def reserved_names(place: Place) -> bool:
    """A property with the name of a field (C-244)."""
    return not _RESERVED.isdisjoint(place.properties)


def read_only_keys(place: Place) -> bool:
    """Fields that only the service sets, and an owner of a non-admin's choice (C-247, C-248)."""
    return isinstance(place.info, dict) and not _READ_ONLY.isdisjoint(place.info)


def client_refusals(place: Place) -> bool:
    """What the client's schema refused with TypeError (C-318)."""
    return place.op in _UPLOADS and place.error == 'TypeError' and 'Unable to set' in place.text


def wrong_types(place: Place) -> bool:
    """Arguments of a wrong type (C-237, C-266)."""
    if place.op == 'list':
        return place.filters is not None and (
            place.error in ('AttributeError', 'TypeError', 'ValueError') or not isinstance(place.filters, dict)
        )
    return place.op in _UPLOADS and place.error in ('AttributeError', 'TypeError', 'ValueError')


def hidden_keeps_visibility(place: Place) -> bool:
    """``is_public`` false on an update of an image that is not public (C-239)."""
    return (
        place.op == 'update'
        and isinstance(place.info, dict)
        and 'is_public' in place.info
        and not place.info['is_public']
    )


def bad_json(place: Place) -> bool:
    """Text of a JSON property that is none (C-078, C-115)."""
    return place.error == 'JSONDecodeError'


def data_kinds(place: Place) -> bool:
    """Data that is no file object: bytes, text, a list, an iterator, or empty (C-165, D-5)."""
    return place.data is not None and not (isinstance(place.data, dict) and '$file' in place.data)


def purge_with_data(place: Place) -> bool:
    """A service's update with data (C-177)."""
    return place.op == 'update' and place.replay.frontend == 'service' and place.data is not None and place.purges


def no_data(place: Place) -> bool:
    """A download of an image without data (C-315)."""
    if place.op != 'download':
        return False
    end = (place.recorded.get('result') or {}).get('end')
    lost = isinstance(end, dict) and 'NoneType' in str(end)
    return place.error == 'ImageUnacceptable' or 'NoneType' in place.text or lost


def other_keys(place: Place) -> bool:
    """copy_from, store, location of another kind, and keys that nobody knows (C-245, C-246, C-316)."""
    return isinstance(place.info, dict) and any(
        name in place.info for name in ('copy_from', 'store', 'backend', 'deleted', 'version', 'method')
    )


def no_moves(place: Place) -> bool:
    """A property taken away and another of the same value put in (C-263)."""
    return place.op == 'update' and '`move`' in place.text


def filters_of_any_shape(place: Place) -> bool:
    """Filters that the v2 classes passed on or stumbled over (C-226, C-227, C-230, C-231, C-232)."""
    if place.op != 'list' or not isinstance(place.filters, dict):
        return False
    return any(key not in _PLAIN_FILTERS or not isinstance(value, str) for key, value in place.filters.items())


def list_arguments(place: Place) -> bool:
    """Keywords that nobody knows, on the new API, and limits of other types (D-4)."""
    known = {'filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir'}
    kwargs = place.given.get('kwargs', {})
    if place.op != 'list':
        return False
    return (place.replay.frontend == 'api' and not known.issuperset(kwargs)) or any(
        name in kwargs and not isinstance(kwargs[name], int) for name in ('limit', 'page_size')
    )


def references(place: Place) -> bool:
    """References that lost their server, and ids that cannot be ids (C-025, C-094)."""
    args = place.given.get('args', [])
    if place.op not in ('get', 'delete', 'update', 'download') or not args:
        return False
    return bool(place.given.get('href')) or not (isinstance(args[0], dict) or _is_plain(args[0]))


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and value != '' and not any(letter in value for letter in '/?#%')


def removed_again(place: Place) -> bool:
    """A create that failed after its record was made (C-253)."""
    made = any(
        exchange['method'] == 'POST' and exchange['response']['status'] == 201
        for exchange in place.recorded.get('requests', ())
    )
    return place.op == 'create' and bool(place.error) and made


def readers_only_read(place: Place) -> bool:
    """A change by a caller who only has the role reader, on the embedded store."""
    if place.replay.place != LOCAL or 'as' not in place.given:
        return False
    roles = place.replay.case['input']['contexts'][place.given['as']].get('roles')
    return place.op in ('create', 'update', 'delete') and roles == ['reader']


def client_errors(place: Place) -> bool:
    """An error of the client that escaped raw (C-299, C-310)."""
    error = str(place.recorded.get('exception', {}).get('class', ''))
    return error.startswith(('glanceclient.exc.', 'keystoneauth1.'))


@dataclass
class Course:
    """A program's expectation on its way through the steps."""

    replay: Replay
    rules: tuple[tuple[int, Rule], ...]
    other: Callable[[], Answer]
    touched: list[int] = field(default_factory=list)
    #: steps whose answers come from the other run
    elsewhere: set[int] = field(default_factory=set)
    #: images that a deviating step changed, made or did not make
    affected: set[str] = field(default_factory=set)
    #: what refused uploads left of themselves, by image
    refused: dict[Any, dict[str, Any]] = field(default_factory=dict)

    @functools.cached_property
    def answers(self) -> Answer:
        """The other run, made when the first step needs it."""
        return self.other()

    def follow(self, expected: Answer) -> None:
        """Put the deviating answers in their places."""
        steps = self.replay.case['input']['steps']
        from legacy.deviating import on_glance
        from legacy.equivalence.compare import differences

        left = False
        story = Story(self, expected)
        for number, given in enumerate(steps):
            recorded = self.replay.case['expect']['steps'][number]
            place = Place(self.replay, number, given, recorded)
            on_glance.tags(story, place, expected['steps'][number])
            if not left and client_errors(place) and not _says(filters_of_any_shape, place):
                # The error is the recording's; only what a failed create leaves is another matter.
                on_glance.raw_errors(story, place, expected['steps'][number])
                if place.op == 'update' and (self.replay.place == LOCAL or self._also_deviates(place)):
                    left = True  # the metadata went through before the error
                    self.elsewhere.add(number)
                if left:
                    self._affects(story, place, expected['steps'][number])
                if removed_again(place):
                    left = True
                    self._affects(story, place, expected['steps'][number])
                    if self.replay.place == GLANCE:
                        on_glance.taken_away(story, place, expected['steps'][number])
                    elif 34 not in self.touched:
                        self.touched.append(34)
                continue
            rule = next((entry for entry, applies in self.rules if _says(applies, place)), None)
            if rule is None and not left:
                continue
            if not list(differences(expected['steps'][number], self.answers['steps'][number])):
                continue
            if self.replay.place == GLANCE:
                self._with_leftovers(self.answers['steps'][number], number)
            if rule is None and not self._concerns(story, place, expected['steps'][number]):
                continue
            if rule is not None and rule not in self.touched:
                self.touched.append(rule)
            if place.op in ('create', 'update', 'delete'):
                left = True
                self._affects(story, place, expected['steps'][number], self.answers['steps'][number])
            self.elsewhere.add(number)
            expected['steps'][number] = self.answers['steps'][number]

    def _affects(self, story: Story, place: Place, *answers: Answer) -> None:
        """Note the images that a deviating step leaves otherwise than the recording."""
        args = place.given.get('args') or [None]
        if place.op in ('update', 'delete'):
            self.affected.add(str(story.id_of(args[0])))
        for answer in answers:
            if isinstance(answer.get('result'), dict):
                self.affected.add(str(answer['result'].get('id')))
        for exchange in place.recorded.get('requests', ()):
            if exchange['method'] == 'POST' and exchange['response']['status'] == 201:
                self.affected.add(exchange['response']['body']['json']['id'])

    def _concerns(self, story: Story, place: Place, expected: Answer) -> bool:
        """Whether a later step is about such an image; for any other the recording goes on to judge."""
        answer = self.answers['steps'][place.number]
        lists = expected.get('result'), answer.get('result')
        if place.op == 'list' and all(isinstance(each, list) for each in lists):
            recorded, other = ([one for one in each or () if not self._is_affected(one.get('id'))] for each in lists)
            return bool(recorded == other)
        args = place.given.get('args') or [None]
        return place.op == 'list' or self._is_affected(story.id_of(args[0]))

    def _is_affected(self, image_id: Any) -> bool:
        """An id without a symbol is of an image that the recording never had."""
        return str(image_id) in self.affected or not str(image_id).startswith('<id:')

    def _also_deviates(self, place: Place) -> bool:
        return any(_says(applies, place) for _, applies in self.rules if applies is not client_errors)

    def _with_leftovers(self, answer: Answer, number: int) -> None:
        """A Glance leaves hashes and stores of an upload that it refused; the embedded store leaves nothing."""
        given = self.replay.case['input']['steps'][number]
        place = Place(self.replay, number, given, {})
        content = content_of(place.data)
        error = answer.get('exception', {})
        if given['op'] == 'update' and content is not None and 'ImageServiceError' in str(error.get('class')):
            who = Story(self, {'steps': self.answers['steps']}).id_of(given['args'][0])
            left = fields_of(content)
            self.refused[who] = {key: left[key] for key in _LEFT_BEHIND}
            location = {'url': f'file://<store>/{who}', 'metadata': {'store': 'fast'}}
            self.refused[who]['locations'] = [location]
        shown: dict[Any, dict[str, Any]] = {}
        for recorded in self.replay.case['expect']['steps'][: number + 1]:
            for image in wire_images(recorded):
                shown[image['id']] = image
        self._lost_data(place, answer, {**shown, **self.refused})
        result = answer.get('result')
        for record in result if isinstance(result, list) else [result]:
            if isinstance(record, dict) and record.get('status') == 'queued':
                image = shown.get(record.get('id'), self.refused.get(record.get('id'), {}))
                if image.get('status', 'queued') == 'queued':
                    record.update({key: image[key] for key in _LEFT_BEHIND if key in image})
                    if 'locations' in record and image.get('stores'):
                        record['locations'] = image.get('locations', record['locations'])

    def _lost_data(self, place: Place, answer: Answer, shown: dict[Any, dict[str, Any]]) -> None:
        """What a refused upload left has a location and no file: a Glance fails at it."""
        if place.op != 'download' or 'ImageHasNoData' not in str(answer.get('exception', {}).get('class')):
            return
        story = Story(self, {'steps': self.answers['steps']})
        image = shown.get(story.id_of(place.given['args'][0]), {})
        if not image.get('stores') or image.get('status', 'queued') != 'queued':
            return
        failed = {'logger': '', 'level': 'ERROR', 'message': '', 'exc': 'HTTPInternalServerError'}
        answer['logs'], answer['sleeps'] = [failed] * (story.retries + 1), [1] * story.retries
        answer['exception'] = {
            'class': 'nova_image.errors.ImageServiceError',
            'mro': ['ImageServiceError', 'NovaException', 'HTTPInternalServerError'],
            'message': '',
            'volatile_message': True,
        }

    def compute(self, expected: Answer) -> None:
        """For a program that only a Glance can run: from the recording alone."""
        from legacy.deviating import on_glance

        on_glance.compute(self, expected)


def _says(applies: Rule, place: Place) -> bool:
    try:
        return applies(place)
    except (AttributeError, LookupError, TypeError):
        return False
