# SPDX-License-Identifier: Apache-2.0
"""The body of one upload: knows its start, counts and hashes what was sent, is never sent from the middle.

Whoever sends it just iterates. Iterating again (a retry, a 401, a redirect, by whatever layer below)
puts the source back to its start first, or is refused (C-059, C-210, D-9). Has no ``read`` and no
``len()`` on purpose: HTTP libraries would take the first for a licence to go on from where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nova_image import errors
from nova_image.transfer import hashing
from nova_image.transfer.sources import Source, source_of


class Upload:
    """Bytes for one image, to be iterated by whatever sends them.

    :ivar size: bytes from the start position, when known beforehand; what is sent never differs from it
    :ivar sent: bytes handed out in the present pass
    :ivar started: whether anything was taken from the source since the start or the last rewind
    :ivar failure: what the *source* raised (or the refusal to send it again), for a driver that finds it
        wrapped in an error of its HTTP library
    :ivar image_id: named in errors; a driver sets it once it knows
    """

    def __init__(self, source: Source, image_id: str = '') -> None:
        self.image_id = image_id
        self.size = source.size
        self.sent = 0
        self.started = False
        self.failure: BaseException | None = None
        self._source = source
        self._pulled = 0
        # What Glance may hash with is not known yet. A source that can be read again gives MD5 later.
        self._algorithms = ('sha512',) if source.repeatable else ('sha512', 'md5')
        self._lane: hashing.Lane | None = None
        self._digests: dict[str, str] = {}

    def copy_to(self, target: int) -> bool:
        """Have the kernel copy what the next pass hands out to ``target``, an empty plain file that may be read.

        False where the source is no plain file, or the kernel cannot: then the chunks have to be written.

        :raises OSError: ``target`` cannot take it
        """
        copy = getattr(self._source, 'copy_to', None)
        return copy is not None and bool(copy(target))

    def rewind(self) -> bool:
        """Back to the start, verified by ``tell()``. False: cannot, and must not be sent again (C-210)."""
        if self.started:
            if not self._source.rewind(self._pulled):
                return False
            self._forget()
        return True

    def _forget(self) -> None:
        self._end_lane()
        self.sent = self._pulled = 0
        self.started = False
        self.failure = None
        self._digests = {}

    def __iter__(self) -> Iterator[bytes]:
        if not self.rewind():
            self.failure = errors.ImageUploadNotRepeatable(
                image_id=self.image_id, reason=f'after {self.sent} bytes were read'
            )
            raise self.failure
        return self._pass()

    def _pass(self) -> Iterator[bytes]:
        lane = self._lane = hashing.lane(self._algorithms, self.size)
        try:
            for chunk in self._pull():
                self.sent += len(chunk)
                lane.add(chunk)
                yield chunk
            if self.size is not None and self.sent != self.size:
                raise errors.ImageUploadIncomplete(
                    image_id=self.image_id, what='the length of the data', actual=self.sent, expected=self.size
                )
        except GeneratorExit:
            raise
        except BaseException as exc:
            self.failure = exc
            raise
        finally:
            if self._lane is lane:
                self._end_lane()

    def _pull(self) -> Iterator[bytes]:
        self.started = True
        for chunk in self._source.chunks():
            self._pulled += len(chunk)
            if chunk:  # an empty chunk would end a chunked request
                yield chunk

    def _end_lane(self) -> None:
        if self._lane is not None:
            self._digests = self._lane.digests()
            self._lane = None

    def digest(self, algorithm: str) -> str | None:
        """Hex digest of what was sent in the present pass.

        None if it was not computed on the way and the source cannot be read again; reading it once more is
        what such an algorithm costs.
        """
        self._end_lane()
        if algorithm not in self._digests:
            if not hashing.is_known(algorithm) or not self._source.rewind(self._pulled):
                return None
            again, left = hashing.new(algorithm), self.sent
            self._pulled = 0
            for chunk in self._pull():
                again.update(chunk[:left])
                left -= len(chunk)
                if left <= 0:
                    break
            if left > 0:
                return None
            self._digests[algorithm] = again.hexdigest()
        return self._digests[algorithm]


def upload(data: Any, image_id: str = '') -> Upload:
    """An :class:`Upload` of bytes, text (as UTF-8), a file object from its current position, or chunks.

    File objects are read to their end as of now, and not closed. ``data`` of any other type is refused
    before anything is sent.

    :raises BadImageInfo: not something that has bytes
    """
    if isinstance(data, Upload):
        return data
    return Upload(source_of(data), image_id)


def check_upload(sent: Upload, record: Mapping[str, Any]) -> None:
    """Compare what was sent with what the image's final record says is stored (D-9).

    :raises ImageUploadIncomplete: other size or other hash; the caller puts the record back
    """
    image_id = sent.image_id or str(record.get('id') or '')

    def differ(what: str, actual: Any, expected: Any) -> None:
        raise errors.ImageUploadIncomplete(
            image_id=image_id, what=what, actual=actual, expected=expected
        )

    if sent.size is not None and sent.sent != sent.size:
        differ('the number of bytes sent', sent.sent, sent.size)
    stored = record.get('size')
    if stored is None and record.get('status') in ('queued', 'killed', 'deleted', 'pending_delete'):
        stored = 0
        if not sent.sent:
            differ('the status', record.get('status'), 'active')
    if stored is not None and stored != sent.sent:
        differ('the stored size', stored, sent.sent)
    algorithm, value = record.get('os_hash_algo'), record.get('os_hash_value')
    if algorithm and value:
        ours = sent.digest(str(algorithm).lower())
        if ours is not None:
            if ours != str(value).lower():
                differ(f'the stored {algorithm}', value, ours)
            return
    if checksum := record.get('checksum'):
        ours = sent.digest('md5')
        if ours is not None and ours != str(checksum).lower():
            differ('the stored md5', checksum, ours)
