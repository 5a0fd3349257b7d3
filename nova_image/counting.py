# SPDX-License-Identifier: Apache-2.0
"""Streams that count and hash what passes through them, and otherwise are the stream they stand for.

The recording driver puts one in front of a caller's body, sink or iterator. They know streams, not
images. After a seek the count starts again: what is told is the last pass over the stream.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from typing import Any


class Tally:
    """Number of bytes and their SHA-256, since the last :meth:`restart`."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def add(self, chunk: Any) -> None:
        """Count a chunk; whatever is not bytes-like is left to the code that will refuse it."""
        data = chunk.encode('utf-8', 'surrogatepass') if isinstance(chunk, str) else chunk
        try:
            view = memoryview(data).cast('B')
        except (TypeError, ValueError):
            return
        self.size += len(view)
        self._hash.update(view)

    def plain(self) -> dict[str, Any]:
        return {'bytes': self.size, 'sha256': self._hash.hexdigest()}


class _Counted:
    """A stream with a tally. It has exactly the methods the stream has, and passes for its class."""

    def __init__(self, stream: Any, tally: Tally) -> None:
        self._stream = stream
        self._tally = tally

    def __getattr__(self, name: str) -> Any:
        if name in ('_stream', '_tally'):  # half built, while unpickling or copying
            raise AttributeError(name)
        value = getattr(self._stream, name)
        counted = _COUNTED.get(name)
        return value if counted is None else counted(value, self._tally)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._stream)


def counted(stream: Any, tally: Tally) -> Any:
    """The stream, counted: what is read from a body or iterated over, what is written to a sink."""
    special = tuple(name for name in _SPECIAL if hasattr(type(stream), name))
    return _class_with(special)(stream, tally)


def _reads(read: Callable[..., Any], tally: Tally) -> Callable[..., Any]:
    def counting(*args: Any, **kwargs: Any) -> Any:
        chunk = read(*args, **kwargs)
        tally.add(chunk)
        return chunk

    return counting


def _reads_into(readinto: Callable[[Any], Any], tally: Tally) -> Callable[[Any], Any]:
    def counting(buffer: Any) -> Any:
        count = readinto(buffer)
        if count:
            tally.add(memoryview(buffer).cast('B')[:count])
        return count

    return counting


def _writes(write: Callable[..., Any], tally: Tally) -> Callable[..., Any]:
    def counting(chunk: Any, *args: Any, **kwargs: Any) -> Any:
        written = write(chunk, *args, **kwargs)
        tally.add(chunk)
        return written

    return counting


def _seeks(seek: Callable[..., Any], tally: Tally) -> Callable[..., Any]:
    def restarting(*args: Any, **kwargs: Any) -> Any:
        moved = seek(*args, **kwargs)
        tally.restart()
        return moved

    return restarting


_COUNTED: dict[str, Callable[[Any, Tally], Callable[..., Any]]] = {
    'read': _reads,
    'read1': _reads,
    'readline': _reads,
    'readinto': _reads_into,
    'write': _writes,
    'seek': _seeks,
}


def _iterate(self: Any) -> Any:
    inner = iter(self._stream)
    if inner is self._stream:
        return self
    self._tally.restart()  # an iterable starts from its beginning each time
    return map(_reads(lambda chunk: chunk, self._tally), inner)


def _next(self: Any) -> Any:
    chunk = next(self._stream)
    self._tally.add(chunk)
    return chunk


_SPECIAL: dict[str, Callable[..., Any]] = {
    '__iter__': _iterate,
    '__next__': _next,
    '__len__': lambda self: len(self._stream),
    '__bool__': lambda self: bool(self._stream),
    '__enter__': lambda self: self._stream.__enter__() and self,
    '__exit__': lambda self, *why: self._stream.__exit__(*why),
}


@functools.cache
def _class_with(special: tuple[str, ...]) -> type[_Counted]:
    # Python looks special methods up on the class, so each set of them needs a class of its own.
    return type('Counted', (_Counted,), {name: _SPECIAL[name] for name in special})


class CountedChunks:
    """An iterator of chunks which says once, when it ends or is let go, what went through it.

    :param done: called once with the error that ended it, or None
    :ivar is_whole: it was taken to its end
    """

    is_whole = False

    def __init__(
        self, chunks: Iterator[Any], tally: Tally, done: Callable[[BaseException | None], None]
    ) -> None:
        self._chunks = chunks
        self._tally = tally
        self._done: Callable[[BaseException | None], None] | None = done

    def __iter__(self) -> CountedChunks:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self.is_whole = True
            self.finish(None)
            raise
        except BaseException as error:
            self.finish(error)
            raise
        self._tally.add(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def close(self) -> None:
        """Close the iterator behind it, if it can be closed."""
        try:
            close = getattr(self._chunks, 'close', None)
            if close is not None:
                close()
        finally:
            self.finish(None)

    def finish(self, error: BaseException | None) -> None:
        """Say what went through, unless that was said already."""
        done, self._done = self._done, None
        if done is not None:
            done(error)

    def __del__(self) -> None:
        self.finish(None)


class CountedSizedChunks(CountedChunks):
    """The same over an iterator that knows its length (C-126)."""

    def __len__(self) -> int:
        return len(self._chunks)  # type: ignore[arg-type]
