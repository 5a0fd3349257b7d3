# SPDX-License-Identifier: Apache-2.0
"""A download from opener to target: read, check, try again where that is safe, publish (D-8).

Bytes that failed a check are never under the caller's path, and a stream that ended early is never taken
for a whole one. What is retried, and from where, is decided here; backends and paths are others' business.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import random
import time
from collections.abc import Callable
from typing import Any

from nova_image import errors
from nova_image.transfer import cloning, hashing
from nova_image.transfer.bodies import Body, Expected, Opener, TransferSettings
from nova_image.transfer.checks import Count, DownloadedChunks, SignatureCheck, check_hash, lane_for
from nova_image.transfer.stalling import StallWatch
from nova_image.transfer.targets import Target, target_for

LOG = logging.getLogger(__name__)
FILL_BYTES = 256 * 1024
_PAUSE_S = 0.25
_PAUSE_MAX_S = 8.0


def deliver(
    opener: Opener,
    expected: Expected | None,
    *,
    settings: TransferSettings,
    data: Any = None,
    dest_path: Any = None,
    logger: logging.Logger = LOG,
    try_again: bool = True,
    pause: Callable[[int], None] | None = None,
    signature: SignatureCheck | None = None,
) -> DownloadedChunks | None:
    """Fetch an image's bytes to ``data``, else to ``dest_path``, else hand out an iterator (C-126 to C-128).

    The request is made at once in all three forms; a path is opened after it succeeded (C-129).

    :param opener: opens the body from an offset; called again for a retry, so it may pick another server
    :param expected: what the bytes must be; None = not known here, the body checks itself
    :param settings: retries, stall limits and the policy for images without a hash
    :param data: object with ``write``; neither flushed nor closed. Restarted only if it can be put back
    :param dest_path: replaced only when everything is there and right; falsy = not given
    :param logger: gets ``Error writing to <dest_path>: <exception>`` at ERROR when that fails (C-131)
    :param try_again: False where a body that broke or is wrong would be the same again
    :param pause: called with 1, 2, ... before each retry; default waits exponentially with jitter
    :param signature: verified when the bytes are all there and their hash is right, before they are published
    :raises SignatureVerificationError: a caller's object is put back then, where it can be (D-8)
    :raises ImageTransferError: cut, stalled, corrupt or without a hash where one is demanded
    :raises OSError: the target's own errors, as they are (C-133)
    """
    body = opener(0)
    try:
        known = _apply_no_hash_policy(expected, settings, logger)
        if data is None and not dest_path:
            return DownloadedChunks(body, known, settings, signature)
        target = target_for(data, dest_path)
    except BaseException:
        body.close()
        raise
    retries = settings.num_retries if try_again else 0
    transfer = _Transfer(opener, target, known, settings, logger, retries, pause or _wait_before_retry)
    transfer.signature = signature
    transfer.run(body, dest_path)
    return None


def _broken_stream(exc: BaseException) -> bool:
    """A stream that was cut, reset, stalled or corrupt; glanceclient's EPIPE is a ConnectionError too."""
    return isinstance(exc, (errors.ImageTransferError, ConnectionError, TimeoutError))


def _wait_before_retry(attempt: int) -> None:
    """Sleep before retry number ``attempt`` (1, 2, ...): doubling, half of it random, at most 8 s."""
    longest = min(_PAUSE_MAX_S, _PAUSE_S * 2 ** (attempt - 1))
    time.sleep(longest * (0.5 + random.random() / 2))


def _apply_no_hash_policy(expected: Expected | None, settings: TransferSettings, logger: logging.Logger) -> Expected:
    if expected is None:
        return Expected()
    if expected.best_hash() is None:
        if settings.no_hash == 'refuse':
            raise errors.ImageHashMissing(image_id=expected.image_id)
        if settings.no_hash != 'accept':
            logger.warning(
                'Image %s carries no hash: only the length of what is downloaded can be checked. '
                'Set [image] no_hash to "refuse" or "accept" to decide this for good.',
                expected.image_id,
            )
    return expected


class _Transfer:
    """One download into a target, with its retries."""

    signature: SignatureCheck | None = None

    def __init__(
        self,
        opener: Opener,
        target: Target,
        expected: Expected,
        settings: TransferSettings,
        logger: logging.Logger,
        retries: int,
        pause: Callable[[int], None],
    ) -> None:
        self._opener = opener
        self._target = target
        self._expected = expected
        self._settings = settings
        self._log = logger
        self._retries = retries
        self._pause = pause
        self._count = Count(expected)
        self._lane: hashing.Lane | None = None
        self._buffered = False  # the lane's slots are buffers, for bodies with readinto
        self._is_written = False  # the kernel copies, and the bytes come from the target
        self._writing = False  # what is raised meanwhile is the target's failure, not the body's

    def run(self, body: Body, path: Any) -> None:
        """Until the target is committed, or discarded and the error raised. Every body is closed (C-307).

        :param path: the target as the log names it (C-131)
        """
        opened = False
        try:
            try:
                self._target.open()
                opened = True
            except BaseException:
                body.close()
                raise
            self._fetch(body)
            self._target.commit()
        except BaseException as exc:
            if isinstance(exc, errors.SignatureVerificationError):
                self._put_back()
            elif opened and isinstance(exc, Exception):
                self._log.error('Error writing to %(path)s: %(exception)s', {'path': path, 'exception': exc})
            self._target.discard()
            raise
        finally:
            self._end_lane()

    def _put_back(self) -> None:
        """What was written passed every other check and is still not the image."""
        with contextlib.suppress(Exception):  # the failed signature is what the caller has to hear of
            self._target.restart()

    def _fetch(self, first: Body) -> None:
        body: Body | None = first
        attempt, failure, resumable = 0, None, False
        while True:
            try:
                if body is None:
                    assert failure is not None
                    self._pause(attempt)
                    body = self._open_again(failure)
                self._copy(body)
                return
            except BaseException as exc:
                attempt += 1
                resumable = bool(getattr(body, 'resumable', resumable))
                if not self._can_go_on(exc, attempt, resumable):
                    raise
                self._log.warning(
                    'Download of image %s broke off after %d bytes (%s); trying again, %d of %d.',
                    self._expected.image_id,
                    self._count.position,
                    exc,
                    attempt,
                    self._retries,
                )
                failure = exc
            finally:
                if body is not None:
                    body.close()
            body = None

    def _can_go_on(self, exc: BaseException, attempt: int, resumable: bool) -> bool:
        if self._writing or attempt > self._retries or not _broken_stream(exc):
            return False
        return self._target.can_restart() or (resumable and self._may_resume(exc))

    def _may_resume(self, exc: BaseException) -> bool:
        """From where it broke: only if what came so far is not what is wrong, and a hash covers it all."""
        wrong = isinstance(exc, errors.ImageCorrupt) or getattr(exc, 'errno', None) == errno.EPIPE
        return not wrong and self._count.position > 0 and self._expected.best_hash() is not None

    def _open_again(self, failure: BaseException) -> Body:
        """A body that goes on from where the last one broke, or one from the start into an emptied target."""
        wanted = self._count.position if self._may_resume(failure) else 0
        body = self._opener(wanted)
        try:
            if wanted and body.offset == wanted:
                return body
            if body.offset != 0 or not self._target.restart():
                raise failure
            if self.signature is not None:
                self.signature.restart()
        except BaseException:
            body.close()
            raise
        self._end_lane()
        self._lane, self._count = None, Count(self._expected)
        return body

    def _copy(self, body: Body) -> None:
        """All of ``body`` into the target, checked; the lane and the count go on from an earlier body."""
        watch = StallWatch(self._settings.stall_timeout, self._settings.stall_bytes, self._expected.image_id)
        readinto = getattr(body, 'readinto', None)
        clone = self._clone(body)
        self._is_written = clone is not None
        if self._lane is None:
            size = self._expected.size if self._expected.size is not None else body.length
            self._buffered = readinto is not None
            self._lane = lane_for(self._expected, size, hashing.BUFFER_BYTES if self._buffered else 0)
        lane = self._lane
        if clone is not None:
            with contextlib.closing(clone):
                self._copy_buffers(clone.readinto, lane, watch)
        elif readinto is not None and self._buffered:
            self._copy_buffers(readinto, lane, watch)
        else:
            for chunk in watch.watch(body):
                self._count.add(len(chunk))
                self._signed(chunk)
                self._write(chunk, len(chunk))
                lane.add(chunk)
        self._count.check_end(body)
        check_hash(lane, self._expected)
        if self.signature is not None:
            self.signature.verify()

    def _clone(self, body: Body) -> cloning.Clone | None:
        """The copy that the kernel makes, where both ends are plain files and nothing has been written."""
        source, copy = getattr(body, 'descriptor', None), getattr(self._target, 'clone', None)
        if source is None or copy is None or body.length is None or self._count.position:
            return None
        made: cloning.Clone | None = copy(source, body.length)
        return made

    def _copy_buffers(
        self, readinto: Callable[[memoryview], int], lane: hashing.Lane, watch: StallWatch
    ) -> None:
        ended = False
        while not ended:
            slot = lane.take()
            view, filled, failure = memoryview(slot), 0, None
            while filled < FILL_BYTES:
                try:
                    begin = time.monotonic()
                    got = readinto(view[filled:])
                    watch.moved(got, time.monotonic() - begin)
                except BaseException as exc:  # noqa: BLE001 - raised below, once what came before it is kept
                    failure = exc
                    break
                if not got:
                    ended = True
                    break
                filled += got
            if filled:
                self._count.add(filled)
                self._signed(view[:filled])
                self._write(slot, filled)
            lane.give(slot, view[:filled])
            if failure is not None:
                raise failure

    def _signed(self, part: bytes | memoryview) -> None:
        if self.signature is not None:
            self.signature.update(part)

    def _write(self, data: bytes | bytearray, count: int) -> None:
        if self._is_written:
            return
        self._writing = True
        self._target.write(data, count)
        self._writing = False

    def _end_lane(self) -> None:
        if self._lane is not None:
            self._lane.close()
