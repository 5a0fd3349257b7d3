# SPDX-License-Identifier: Apache-2.0
"""The life of a test server: a directory and a process, which begin with the ``with`` block and end with it."""

from __future__ import annotations

import abc
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from nova_image.testing.processes import ServerError, WebProcess, require


class RunningServer(abc.ABC):
    """A server of one service; which one, and how it is set up, says the class that inherits."""

    service: ClassVar[str]

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._root: Path | None = None
        self._web: WebProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @abc.abstractmethod
    def _needs(self) -> tuple[str, ...]:
        """Modules without which it cannot be started."""

    @abc.abstractmethod
    def _begin(self, root: Path) -> None:
        """Fill the directory, start the process."""

    def start(self) -> None:
        """Prepare a directory, start the server, return when it answers.

        :raises ServerError: the extra is not installed, or the server did not come up
        """
        require(*self._needs())
        self._root = Path(tempfile.mkdtemp(prefix=f'nova-image-{self.service}-'))
        try:
            self._begin(self._root)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and remove its directory."""
        if self._web is not None:
            self._web.stop()
            self._web = None
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None

    def _not_running(self) -> ServerError:
        return ServerError(f'this {type(self).__name__} is not running; use it as a context manager')

    @property
    def _running(self) -> WebProcess:
        if self._web is None:
            raise self._not_running()
        return self._web

    @property
    def root(self) -> Path:
        """The directory of the running server."""
        if self._root is None:
            raise self._not_running()
        return self._root

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._running.port

    @property
    def address(self) -> str:
        """Host and port, without a scheme."""
        return f'127.0.0.1:{self.port}'

    @property
    def url(self) -> str:
        """The base URL, without version and without a slash at the end."""
        return f'http://{self.address}'
