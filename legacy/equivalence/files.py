# SPDX-License-Identifier: Apache-2.0
"""Files opened for writing below a case's folder, seen as events.

The code under test opens files with the ordinary ``open``; what is written under the name of a staged
file is reported under the name of its target (D-8).
"""

from __future__ import annotations

import builtins
import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any, Self
from unittest import mock

from legacy.equivalence.decode import World
from nova_image.transfer.staging import staged_target

_open = builtins.open


class Files:
    """All handles of one case."""

    def __init__(self, world: World, given: dict[str, Any]) -> None:
        self._world = world
        self._fail = given.get('file_fail')
        self.handles: list[TrackedFile] = []

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Report on what ``open`` opens."""
        with mock.patch.object(builtins, 'open', self._open):
            yield

    def handles_now(self) -> list[dict[str, Any]]:
        """Every handle, and whether it is closed."""
        return [{'path': handle.path, 'closed': handle.closed} for handle in self.handles]

    def target(self, path: str) -> str:
        """The name that ``path`` is reported under."""
        return self._world.text(staged_target(path) or path)

    def _open(self, file: Any, mode: str = 'r', *args: Any, **kwargs: Any) -> Any:
        path = str(os.fspath(file)) if isinstance(file, (str, os.PathLike)) else ''
        if ('r' in mode and '+' not in mode) or not path.startswith(self._world.root):
            return _open(file, mode, *args, **kwargs)
        self._world.event('open', path=self.target(path), mode=mode)
        handle = TrackedFile(
            _open(file, mode, *args, **kwargs), self.target(path), self._world, self._fail
        )
        self.handles.append(handle)
        return handle


class TrackedFile:
    """A real file whose writes, truncation and closing are events."""

    def __init__(self, opened: IO[Any], path: str, world: World, fail: dict[str, Any] | None) -> None:
        self._opened, self.path, self._world, self._fail = opened, path, world, fail
        self._writes = 0

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._opened.closed

    def write(self, data: Any) -> int:
        """Write, after the event and unless the case lets this write fail."""
        self._world.event('write', to={'$handle': self.path}, data=self._world.encode(bytes(data)))
        number, self._writes = self._writes, self._writes + 1
        if self._fail is not None and number == self._fail['at']:
            raise self._world.decode(self._fail['with'])
        return int(self._opened.write(data))

    def truncate(self, *args: Any) -> int:
        """Truncate, as an event."""
        self._world.event('truncate', of={'$handle': self.path}, args=list(args))
        return int(self._opened.truncate(*args))

    def close(self) -> None:
        """Close; an event the first time."""
        if not self._opened.closed:
            self._world.event('close', of={'$handle': self.path})
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)
