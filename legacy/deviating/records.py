# SPDX-License-Identifier: Apache-2.0
"""Deviations in the shape of image records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from legacy.deviating.recordings import Answer, Replay, images_in, is_record, outcomes, wire_images

#: Glance's additions that the original left out (D-2); the others it passed on by their names.
ADDITIONS = ('visibility', 'tags', 'protected', 'virtual_size')


def additions(replay: Replay, expected: Answer) -> None:
    """Records of the v2 classes carry visibility, tags, protected and virtual_size too."""
    shown: dict[Any, dict[str, Any]] = {}
    scripted = [] if replay.on_wire else outcomes(replay)
    for number, (_, answer) in enumerate(replay.steps(expected)):
        recorded = replay.case['expect']['steps'][number]
        images: Iterator[dict[str, Any]] = (
            wire_images(recorded) if replay.on_wire else images_in(scripted[number])
        )
        for image in images:
            shown[image.get('id')] = image
        result = answer.get('result')
        for record in result if isinstance(result, list) else [result]:
            if record is not None and is_record(record) and record.get('id') in shown:
                image = shown[record['id']]
                record.update({key: image[key] for key in ADDITIONS if key in image})
