# SPDX-License-Identifier: Apache-2.0
"""A property that is literally None (C-313): the old calls stored the text ``None``, the new ones leave it out.

What the rewrite has to bridge by D-2, where it can be seen: in a dict display under the key ``properties`` of
the metadata given. ``kernel_id`` and ``ramdisk_id`` mean the same on both sides and stay.
"""

from __future__ import annotations

from collections.abc import Iterator

from legacy.migrate.edits import Edit
from legacy.migrate.rules.outcome import MethodCall
from legacy.migrate.strings import plain_string
from legacy.migrate.tree import Node, inner

NOTE = "a property None stays the text 'None' that it was (C-313)"
_SAME_ON_BOTH = ('kernel_id', 'ramdisk_id')


def keep_none(call: MethodCall) -> list[Edit]:
    """The edits that keep a literal None of a property what it was."""
    metadata = call.value('image_meta')
    if metadata is None:
        pair = (call.literal or {}).get('image_meta')
        metadata = pair.get('value') if pair is not None else None
    edits = []
    for name, properties in _items(metadata):
        if name != 'properties':
            continue
        for key, value in _items(properties):
            if inner(value).type == 'none' and key not in _SAME_ON_BOTH:
                edits.append(Edit(value.start, value.end, "'None'"))
    return edits


def _items(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Keys that are plain text, and values, of a dict display; nothing of any other expression."""
    display = inner(node) if node is not None else None
    if display is None or display.type != 'dictionary':
        return
    for pair in display.named:
        key, value = (pair.get('key'), pair.get('value')) if pair.type == 'pair' else (None, None)
        name = plain_string(key) if key is not None else None
        if name is not None and value is not None:
            yield name, value
