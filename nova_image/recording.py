# SPDX-License-Identifier: Apache-2.0
"""A driver that wraps any driver and writes down each operation, one JSON line each.

Switched on by ``[image] recording`` or ``NOVA_IMAGE_RECORDING`` (a file; several processes may share
it: a line is one append). ``nova-image prove`` compares two such files. What a line has, and what is
never in one, stands in ``recorded.py``. An error while recording never reaches the caller: it is
counted in ``failures`` and logged once.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from nova_image.counting import CountedChunks, CountedSizedChunks, Tally
from nova_image.driver import ImageDriver
from nova_image.recorded import Line, kind
from nova_image.wiretap import into, listen

LOG = logging.getLogger(__name__)
T = TypeVar('T')
_unfinished: weakref.WeakSet[CountedChunks] = weakref.WeakSet()


class RecordingDriver(ImageDriver):
    """Does what ``inner`` does, and appends one line per operation to the file ``path``.

    :param inner: the driver that does the work; its errors and results pass unchanged
    :param path: file to append to; made when it is not there
    """

    name: ClassVar[str] = 'recording'

    def __init__(self, inner: ImageDriver, path: str) -> None:
        # No super().__init__(): configuration and endpoint are those of the driver inside.
        self.inner = inner
        self.verifies_signatures = inner.verifies_signatures
        self.path = os.path.abspath(path)
        self.failures = 0
        listen()

    def __getattr__(self, name: str) -> Any:
        if name == 'inner':  # while unpickling or half built
            raise AttributeError(name)
        return getattr(self.inner, name)

    # -- operations

    def list(self, context: Any, **query: Any) -> list[dict[str, Any]]:
        names = ('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir')
        line = self._line('list', context, query.get('server'), {name: query.get(name) for name in names})
        return self._run(line, lambda: self.inner.list(context, **query))

    def show(
        self,
        context: Any,
        image_id: Any,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        args = {
            'image_id': image_id,
            'include_locations': include_locations,
            'show_deleted': show_deleted,
        }
        line = self._line('show', context, server, args)
        return self._run(
            line,
            lambda: self.inner.show(
                context, image_id, include_locations, show_deleted, server=server
            ),
        )

    def create(self, context: Any, image_info: dict[str, Any], data: Any = None, **where: Any) -> dict[str, Any]:
        line = self._line('create', context, where.get('server'), {'image_info': image_info, 'data': kind(data)})
        body = line.body(data)
        return self._run(line, lambda: self.inner.create(context, image_info, body, **where))

    def update(
        self,
        context: Any,
        image_id: Any,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        args = {
            'image_id': image_id,
            'image_info': image_info,
            'data': kind(data),
            'purge_props': purge_props,
        }
        line = self._line('update', context, server, args)
        body = line.body(data)
        return self._run(
            line,
            lambda: self.inner.update(
                context, image_id, image_info, body, purge_props, server=server
            ),
        )

    def delete(self, context: Any, image_id: Any, *, server: str | None = None) -> bool:
        line = self._line('delete', context, server, {'image_id': image_id})
        return self._run(line, lambda: self.inner.delete(context, image_id, server=server))

    def download(
        self,
        context: Any,
        image_id: Any,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
        *,
        server: str | None = None,
    ) -> Iterator[bytes] | None:
        args = {
            'image_id': image_id,
            'data': kind(data),
            'dest_path': dest_path,
            'trusted_certs': getattr(trusted_certs, 'ids', trusted_certs),
        }
        line = self._line('download', context, server, args)
        sink = line.sink(data)
        line.watch = None if data is not None else dest_path
        chunks = self._run(
            line,
            lambda: self.inner.download(
                context, image_id, sink, dest_path, trusted_certs, server=server
            ),
            keep_open=True,
        )
        if chunks is None:
            self._write(line)
            return None
        return self._counted(line, chunks)

    def copy_to_store(
        self, context: Any, image_id: Any, store: str, *, server: str | None = None
    ) -> None:
        line = self._line('copy_to_store', context, server, {'image_id': image_id, 'store': store})
        return self._run(
            line, lambda: self.inner.copy_to_store(context, image_id, store, server=server)
        )

    # -- what is passed on and not written down

    def glance_url(self, context: Any = None) -> str:
        return self.inner.glance_url(context)

    def is_available(self, context: Any, record: Mapping[str, Any]) -> bool:
        return self.inner.is_available(context, record)

    def close(self) -> None:
        self.inner.close()

    # -- how a line comes about

    def _line(self, op: str, context: Any, server: str | None, args: dict[str, Any]) -> Line:
        where = server or getattr(self.inner, 'endpoint', None)
        try:
            return Line(op, context, where, args)
        except Exception as error:  # noqa: BLE001 - recording never breaks the caller
            self._failed(error)
            return Line(op, None, None, {'unreadable': type(error).__name__})

    def _run(self, line: Line, call: Callable[[], T], keep_open: bool = False) -> T:
        try:
            with into(line.requests):
                result = call()
        except BaseException as error:
            line.error = error
            self._write(line)
            raise
        line.result = result
        if not keep_open:
            self._write(line)
        return result

    def _counted(self, line: Line, chunks: Iterator[bytes]) -> Iterator[bytes]:
        line.received = Tally()

        def done(error: BaseException | None) -> None:
            line.error = error
            self._write(line)

        made = CountedSizedChunks if hasattr(type(chunks), '__len__') else CountedChunks
        watched = made(chunks, line.received, done)
        _unfinished.add(watched)
        return watched

    def _write(self, line: Line) -> None:
        try:
            _append(self.path, json.dumps(line.plain(), separators=(',', ':')) + '\n')
        except Exception as error:  # noqa: BLE001 - recording never breaks the caller
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            LOG.warning(
                'Recording to %s failed (%s: %s); the image operation itself was not touched. '
                'Further failures are only counted.',
                self.path,
                type(error).__name__,
                error,
            )


def _append(path: str, text: str) -> None:
    # Opened for each line: a descriptor kept open would not survive a caller that closes all of them.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, text.encode('utf-8', 'backslashreplace'))
    finally:
        os.close(handle)


@atexit.register
def _finish_open_iterators() -> None:
    for chunks in list(_unfinished):
        chunks.finish(None)
