# SPDX-License-Identifier: Apache-2.0
"""The state of a recorded program on its way: images, files, and what is known of their contents."""

from __future__ import annotations

import hashlib
from typing import Any

from legacy.deviating.recordings import Answer, Replay
from legacy.equivalence.wire_values import digest, image_data


def content_of(form: Any) -> bytes | None:
    """The bytes of a data descriptor."""
    described = form.get('$file') or form.get('$data') if isinstance(form, dict) else None
    if not described:
        return None
    return image_data(described['seed'], described['size'])


def fields_of(content: bytes) -> dict[str, Any]:
    """What a record says of its bytes."""
    return {
        'size': len(content),
        'virtual_size': len(content),
        'checksum': digest(content)['md5'],
        'os_hash_algo': 'sha512',
        'os_hash_value': hashlib.sha512(content).hexdigest(),
        'stores': 'fast',
        'status': 'active',
    }


class Story:
    """The state of a program on its way; ``touched`` collects the numbers of the deviations at work."""

    def __init__(self, replay: Replay, expected: Answer, touched: list[int]) -> None:
        self.replay, self.expected, self.touched = replay, expected, touched
        self.steps = replay.case['input']['steps']
        self.gone: set[str] = set()
        self.changed: dict[str, dict[str, Any]] = {}
        self.added: list[dict[str, Any]] = []
        self.files: dict[str, Any] = {}
        self.tasks: dict[str, str] = {}
        default = 0 if replay.release == '14.0.0' else 3
        self.retries = int(replay.case['input']['config'].get('num_retries', default))

    def touch(self, number: int) -> None:
        """Note that a deviation is at work."""
        if number not in self.touched:
            self.touched.append(number)

    def id_of(self, form: Any) -> Any:
        """The image that an argument names."""
        if isinstance(form, dict) and '$ref' in form:
            name = form['$ref'][0]
            for step, answer in zip(self.steps, self.expected['steps'], strict=True):
                if step.get('bind') == name and isinstance(answer.get('result'), dict):
                    return answer['result'].get('id')
        if isinstance(form, dict) and '$href' in form:
            return self.id_of({'$ref': form['of']})
        return form

    def fault_before(self, number: int) -> dict[str, Any]:
        """The fault that was set up for a step."""
        before = self.steps[number - 1] if number else {}
        faults = before.get('faults') or [{}] if before.get('op') == 'fault' else [{}]
        fault: dict[str, Any] = faults[0]
        return fault

    def record(self, image_id: Any, number: int) -> Any:
        """The latest record of an image that the recording shows up to a step, or after it."""
        found = None
        for place, answer in enumerate(self.expected['steps']):
            result = answer.get('result')
            for item in result if isinstance(result, list) else [result]:
                if isinstance(item, dict) and item.get('id') == image_id and 'status' in item:
                    if place > number and found is not None:
                        return found
                    found = item
        return found

    def listing(self, number: int) -> Any:
        """The nearest plain listing by the same caller."""
        caller = self.steps[number].get('as')
        places = [
            place
            for place, step in enumerate(self.steps)
            if step['op'] == 'list'
            and step.get('as') == caller
            and not step.get('kwargs')
            and isinstance(self.expected['steps'][place].get('result'), list)
        ]
        if not places:
            made = [
                answer['result']['id']
                for step, answer in zip(self.steps[:number], self.expected['steps'], strict=False)
                if step['op'] == 'create' and isinstance(answer.get('result'), dict)
            ]
            return [self.record(image_id, number) for image_id in reversed(made) if image_id not in self.gone]
        nearest = min(places, key=lambda place: abs(place - number))
        return self.expected['steps'][nearest]['result']
