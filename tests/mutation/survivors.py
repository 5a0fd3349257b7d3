# SPDX-License-Identifier: Apache-2.0
"""Faults that no detector finds, each with the reason.

*Equivalent* ones change nothing that a caller, a server or a file could show. The others are real and are overlooked
by the three judges; most of them are noticed by a unit test, and the reason says what a judge would need.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Survivor:
    """Why a fault is not found.

    :ivar name: of a fault written by hand; of a seeded one the file and function
    :ivar change: part of a seeded one's new text
    """

    name: str
    change: str
    why: str
    equivalent: bool = False

    def covers(self, name: str) -> bool:
        """Whether it is about the fault of that name."""
        if not self.change:
            return name == self.name
        return name.startswith(f'{self.name}: ') and self.change in name.partition(' -> ')[2]


_WORDS = 'only the words of a message, which every comparison leaves to the side that says them (C-190)'

EQUIVALENT = (
    Survivor(
        'nova_image/transfer/syncing.py sync_directory', "'O_DIRECTORY', -1",
        'the default is for systems without O_DIRECTORY, on which the package does not run', True,
    ),
    Survivor(
        'nova_image/transfer/download.py _Transfer.__init__', 'self._is_written = True',
        'set again at the start of each body, before it is read', True,
    ),
    Survivor(
        'nova_image/glance/retries.py persistently', 'attempt != attempts',
        'an attempt is never above the last one', True,
    ),
    Survivor(
        'legacy/wrapper.py GlanceClientWrapper.__init__', 'self._made = True',
        'read only beside a client, and whatever sets a client sets it', True,
    ),
)  # fmt: skip

OVERLOOKED = (
    Survivor(
        'nova_image/local/formats.py _first_look', 'head[: 513]',
        'needs a text whose 513th byte is the first that is none',
    ),
    Survivor('nova_image/local/rules.py check_properties', '[: 41]', _WORDS),
    Survivor(
        'bytes of others deleted', '',
        'a content is marked only when its last image goes; the second look is for an upload between the two '
        'transactions, which tests/nova_image/local/test_local_under_fire.py makes happen',
    ),
    Survivor(
        'nova_image/settings.py as_url', "not url.endswith('://')",
        'the recorded servers have no user, and a slash at their end is taken off again by the driver',
    ),
    Survivor(
        'nova_image/local/store.py Store.abandon_upload', 'not staging.published',
        'needs a row that cannot be committed after its content was placed; the crash sweeps make that',
    ),
    Survivor(
        'legacy/api.py API.update', "or 'update' not in vars(service)",
        'needs a replaced factory behind the API class, and an update through it',
    ),
    Survivor(
        'legacy/direct.py _fetcher', 'not type(handler) is file.FileTransfer',
        'the built-in handler and its wrapper bring the same bytes; holes and links are asked by unit tests',
    ),
    Survivor(
        'legacy/clients.py OldClientDriver.download', 'try_again=True',
        'a second try of chunks that are used up fails as the first did; only the pause shows',
    ),
    Survivor(
        'legacy/wrapper.py GlanceClientWrapper._use_endpoint', 'None, True',
        'an attribute of a wrapper whose endpoint has no usable port; the connection fails either way',
    ),
)  # fmt: skip


def explained(name: str) -> Survivor | None:
    """The explanation of a survivor, if there is one."""
    return next((each for each in (*EQUIVALENT, *OVERLOOKED) if each.covers(name)), None)
