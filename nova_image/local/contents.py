# SPDX-License-Identifier: Apache-2.0
"""Content files: one for each distinct sha512, written beside and renamed in, never half there.

A file under ``contents/`` is whole and was on disk before any row pointed to it. What is being written is
under ``staging/``, locked by its writer, so that a writer that died can be told from one that is slow.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from nova_image import errors, transfer
from nova_image.local.refusals import Refused
from nova_image.transfer import hashing

_CHUNK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Staging:
    """A content being written; lock and name last until :meth:`Contents.publish` or :meth:`discard`."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.size = 0
        self.published: str | None = None

    @property
    def name(self) -> str:
        return self.path.name

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append.

        :raises Refused: 413, as Glance answers when its storage is full
        """
        view = memoryview(chunk).cast('B')
        self.size += len(view)
        while view:
            try:
                view = view[os.write(self.fd, view) :]
            except OSError as exc:
                raise self._told(exc) from exc

    def receive(self, chunks: transfer.Upload) -> str:
        """Append all chunks, put them on disk, and return their MD5; of a plain file the kernel makes the copy."""
        lane = hashing.lane(['md5'], chunks.size)
        try:
            copied = chunks.copy_to(self.fd)
            for chunk in chunks:
                lane.give(lane.take(), memoryview(chunk))
                if copied:
                    self.size += len(chunk)
                else:
                    self.write(chunk)
            self.sync()
            return lane.digests()['md5']
        except OSError as exc:
            if exc.errno not in _FULL:
                raise  # the caller's file
            raise self._told(exc) from exc
        finally:
            lane.close()

    def sync(self) -> None:
        """Put the bytes on disk."""
        try:
            os.fsync(self.fd)
        except OSError as exc:
            raise self._told(exc) from exc

    def _told(self, exc: OSError) -> Exception:
        if exc.errno in _FULL:
            return Refused(413, f'Image storage media is full: {exc.strerror} ({self.path})')
        return errors.StoreUnreadable(path=str(self.path), reason=exc.strerror or str(exc))

    def discard(self) -> None:
        """Remove what was written, unless it has been published; harmless twice."""
        if self.fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
            self.close()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Contents:
    """The content files of the store at ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / 'contents'
        self.staging = root / 'staging'
        self.lost = root / 'lost'

    def path(self, digest: str) -> Path:
        return self.directory / digest[:2] / digest

    def url(self, digest: str) -> str:
        return f'file://{self.path(digest)}'

    def stage(self, image_id: str) -> Staging:
        """A new file to write to, locked; call it under the catalogue's write lock.

        Whoever clears up after dead writers holds that lock too and so never meets a file not locked yet.
        """
        path = self.staging / f'{image_id}.{secrets.token_hex(8)}'
        try:
            self.staging.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise errors.StoreUnreadable(
                path=str(self.staging), reason=f'{exc.strerror}; expected a directory that can be written'
            ) from exc
        return Staging(path, fd)

    def publish(self, staging: Staging, digest: str) -> None:
        """Give the staged bytes, already synced, their place; call it under the catalogue's write lock.

        An equal content that is there already is replaced, which mends one that was altered. Who is reading
        the old file keeps reading it.
        """
        staging.published = digest
        self.place(staging.path, digest)
        staging.close()

    def place(self, whole: Path, digest: str) -> None:
        """Move a file that is a whole content to where contents stand; as :meth:`publish`."""
        target = self.path(digest)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(whole, target)
            _sync_directory(target.parent)
        except OSError as exc:
            raise errors.StoreUnreadable(path=str(target), reason=exc.strerror or str(exc)) from exc

    def remove(self, digest: str) -> None:
        """Remove a content nobody refers to; call it under the catalogue's write lock."""
        with contextlib.suppress(FileNotFoundError):
            self.path(digest).unlink()

    def set_aside(self, digest: str) -> None:
        """Move a content that no image is known for to ``lost/``; call it under the catalogue's write lock.

        Not removed: a catalogue that was put back from an older copy does not know the newer images.
        """
        lost = self.lost / digest
        self.lost.mkdir(exist_ok=True)
        if lost.is_file() and sha512(lost) == digest:
            self.remove(digest)  # it is there already, and whole
        else:
            os.rename(self.path(digest), lost)

    def open(self, digest: str, size: int, image_id: str) -> int:
        """A descriptor to read from; the file may be unlinked meanwhile.

        :raises StoreCorrupt: it is missing, or not as long as it was when it was stored
        """
        path = self.path(digest)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as exc:
            raise errors.StoreCorrupt(
                path=str(path), reason=f'the content of image {image_id} is missing{self._advice()}'
            ) from exc
        except OSError as exc:
            raise errors.StoreUnreadable(path=str(path), reason=exc.strerror or str(exc)) from exc
        found = os.fstat(fd).st_size
        if found != size:
            os.close(fd)
            raise errors.StoreCorrupt(
                path=str(path),
                reason=f'the content of image {image_id} is {found} bytes, expected {size}{self._advice()}',
            )
        return fd

    def body(self, content: tuple[str, int], image_id: str, offset: int) -> transfer.FileBody:
        """An opener of :func:`nova_image.transfer.deliver` for (digest, size)."""
        digest, size = content
        fd = self.open(digest, size, image_id)
        return transfer.FileBody(os.fdopen(fd, 'rb', buffering=0), offset, size - offset)

    def _advice(self) -> str:
        return f'. Put it back from a copy, or run "nova-image check-store {self.root}"'

    def digests(self) -> Iterator[str]:
        """The names of all content files."""
        for path in self.directory.glob('*/*'):
            if path.is_file() and path == self.path(path.name):  # anything else is not ours
                yield path.name

    def abandoned(self) -> Iterator[Path]:
        """Staged files whose writer is gone."""
        for path in self.staging.glob('*'):
            if path.is_file() and not self.is_being_written(path.name):
                yield path

    def is_being_written(self, name: str) -> bool:
        """Whether the staged file of that name is there and its writer lives."""
        try:
            fd = os.open(self.staging / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False


def sha512(file: int | Path) -> str:
    """Of a whole file; a descriptor is closed."""
    found = hashing.new('sha512')
    with open(file, 'rb') as opened:
        while chunk := opened.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
