# SPDX-License-Identifier: Apache-2.0
"""Wire programs that leave the recording: what is expected of them from there on.

A rule says that a step deviates. Its answer, and those of later steps that this changes, come from an
independent run of the same program: on the embedded store through the same front end where a real Glance is
judged, through another front end where the store itself is. Programs that only a Glance can run have their
answers computed from the recording.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from legacy.deviating import on_glance
from legacy.deviating.programs import Place, Rule, client_errors, filters_of_any_shape, removed_again, says
from legacy.deviating.recordings import GLANCE, LOCAL, Answer, Replay, wire_images
from legacy.deviating.story import Story, content_of, fields_of
from legacy.equivalence.compare import differences

_LEFT_BEHIND = ('checksum', 'os_hash_algo', 'os_hash_value', 'stores')


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
        left = False
        story = Story(self.replay, expected, self.touched)
        for number, given in enumerate(steps):
            recorded = self.replay.case['expect']['steps'][number]
            place = Place(self.replay, number, given, recorded)
            on_glance.tags(story, place, expected['steps'][number])
            if not left and client_errors(place) and not says(filters_of_any_shape, place):
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
            rule = next((entry for entry, applies in self.rules if says(applies, place)), None)
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
        return any(says(applies, place) for _, applies in self.rules if applies is not client_errors)

    def _with_leftovers(self, answer: Answer, number: int) -> None:
        """A Glance leaves hashes and stores of an upload that it refused; the embedded store leaves nothing."""
        given = self.replay.case['input']['steps'][number]
        place = Place(self.replay, number, given, {})
        content = content_of(place.data)
        error = answer.get('exception', {})
        if given['op'] == 'update' and content is not None and 'ImageServiceError' in str(error.get('class')):
            who = Story(self.replay, self.answers, self.touched).id_of(given['args'][0])
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
        story = Story(self.replay, self.answers, self.touched)
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
        on_glance.compute(self.replay, expected, self.touched)
