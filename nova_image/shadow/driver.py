# SPDX-License-Identifier: Apache-2.0
"""The shadow driver: one driver answers the caller, another one is asked the same, off the caller's path.

Decides who answers (``stages``), which calls are compared, and what is kept of them; comparing itself is in
``calls``. A write is done once, by the driver that answers.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import logging
import os
import pickle
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from oslo_config import cfg

from nova_image import driver as drivers
from nova_image import errors, options
from nova_image.counting import counted
from nova_image.driver import ImageDriver
from nova_image.settings import current
from nova_image.shadow.calls import STREAM, Call, Comparison
from nova_image.shadow.compare import failure
from nova_image.shadow.delivered import Delivered, Digest, watched
from nova_image.shadow.stages import OFF, READS, Rule, Stage, Stages
from nova_image.shadow.tape import Tape
from nova_image.shadow.worker import DRAIN_S, Worker

LOG = logging.getLogger(__name__)

_PLAIN = frozenset((str, int, float, bool, type(None), datetime.datetime))


class ShadowDriver(ImageDriver):
    """Two drivers as one (``docs/shadow.md``). Safe between threads; after a fork the child has a worker of its own.

    :param control: the driver that answers until an operation is promoted; default ``[image_shadow] control``
    :param candidate: the other one; default ``[image_shadow] candidate``, made when it is first needed
    :raises UnknownDriver: one of them is not named, or not known
    """

    name: ClassVar[str] = 'shadow'

    def __init__(
        self,
        conf: cfg.ConfigOpts | None = None,
        *,
        endpoint: str | None = None,
        control: ImageDriver | None = None,
        candidate: ImageDriver | None = None,
    ) -> None:
        super().__init__(conf, endpoint=endpoint)
        settings = current(self.conf)
        self._candidate = candidate
        self._candidate_class = type(candidate) if candidate else _class_of('candidate', settings.shadow_candidate)
        self._has_complained = False
        self._candidate_file = None if candidate else settings.shadow_candidate_config
        self.control = control or _class_of('control', settings.shadow_control)(self.conf, endpoint=endpoint)
        # The control's own method, since a listing asks it for each image.
        self.is_available = self.control.is_available  # type: ignore[method-assign]
        self._stages = Stages(settings.shadow_stages)
        self._worker: Worker | None = None
        self.compares_writes = type(self.control).is_replayable and self._candidate_class.is_replayable
        if not self.compares_writes:
            LOG.warning(
                'The shadow driver compares reads only: %s and %s do not both speak HTTP to an image service',
                self.control.name,
                self._candidate_class.name,
            )

    @property
    def candidate(self) -> ImageDriver:
        """The candidate, made now if it was not needed yet."""
        if self._candidate is None:
            # Without a lock, which a fork could find held for ever: two threads at once may make one each.
            try:
                conf = self.conf if self._candidate_file is None else _conf_of(self._candidate_file)
                self._candidate = self._candidate_class(conf, endpoint=self.endpoint)
            except Exception as error:
                if not self._has_complained:
                    self._has_complained = True
                    LOG.warning('The candidate cannot be made, so the control answers, and nothing is compared: %s', error)
                raise
        return self._candidate

    @property
    def worker(self) -> Worker:
        """What compares, in this process."""
        worker = self._worker
        if worker is None or worker.pid != os.getpid():
            worker = self._worker = Worker(lambda: current(self.conf))
        return worker

    def drain(self, seconds: float = DRAIN_S) -> bool:
        """Wait until what was handed over is compared and in the ledger; False: not all of it, in that time."""
        return self.worker.drain(seconds)

    # -- operations

    def list(self, context: Any, **query: Any) -> list[dict[str, Any]]:
        """See :meth:`ImageDriver.list`."""
        found: list[dict[str, Any]] = self._read('list', context, query)
        return found

    def show(
        self,
        context: Any,
        image_id: str,
        include_locations: bool = False,
        show_deleted: bool = True,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """See :meth:`ImageDriver.show`."""
        args = {
            'image_id': image_id,
            'include_locations': include_locations,
            'show_deleted': show_deleted,
            'server': server,
        }
        found: dict[str, Any] = self._read('show', context, args)
        return found

    def glance_url(self, context: Any = None) -> str:
        """See :meth:`ImageDriver.glance_url`."""
        return str(self._read('glance_url', context, {}))

    def create(self, context: Any, image_info: dict[str, Any], data: Any = None, **where: Any) -> dict[str, Any]:
        """See :meth:`ImageDriver.create`."""
        made: dict[str, Any] = self._write('create', context, {'image_info': image_info, **where}, data)
        return made

    def update(
        self,
        context: Any,
        image_id: str,
        image_info: dict[str, Any],
        data: Any = None,
        purge_props: bool = False,
        *,
        server: str | None = None,
    ) -> dict[str, Any]:
        """See :meth:`ImageDriver.update`."""
        args = {'image_id': image_id, 'image_info': image_info, 'purge_props': purge_props, 'server': server}
        changed: dict[str, Any] = self._write('update', context, args, data)
        return changed

    def delete(self, context: Any, image_id: str, *, server: str | None = None) -> bool:
        """See :meth:`ImageDriver.delete`."""
        return bool(self._write('delete', context, {'image_id': image_id, 'server': server}))

    def copy_to_store(self, context: Any, image_id: str, store: str, *, server: str | None = None) -> None:
        """See :meth:`ImageDriver.copy_to_store`."""
        self._write('copy_to_store', context, {'image_id': image_id, 'store': store, 'server': server})

    def download(
        self,
        context: Any,
        image_id: str,
        data: Any = None,
        dest_path: Any = None,
        trusted_certs: Any = None,
        *,
        server: str | None = None,
    ) -> Iterator[bytes] | None:
        """See :meth:`ImageDriver.download`."""
        args = {'image_id': image_id, 'server': server}
        call, answering = self._begin('download', context, args)
        where = {'data': data, 'dest_path': dest_path, 'trusted_certs': trusted_certs, 'server': server}
        if call is None:
            return answering.download(context, image_id, **where)
        digest = Digest(current(self.conf).shadow_download_bytes)
        if data is not None and hasattr(data, 'write'):
            where['data'] = counted(data, digest)
        try:
            chunks = answering.download(context, image_id, **where)
        except Exception as error:
            self._hand_over(call, error=error)
            raise
        if chunks is not None:
            return watched(chunks, digest, functools.partial(self._delivered, call, digest))
        self._hand_over(call, delivered=Delivered.of(digest, dest_path if data is None else None))
        return None

    # -- what is not compared

    @property
    def verifies_signatures(self) -> bool:  # type: ignore[override]
        """Whether the driver that answers downloads does."""
        return self._answering(self._stages.of('download')).verifies_signatures

    def close(self) -> None:
        """Close both drivers."""
        self.control.close()
        if self._candidate is not None:
            self._candidate.close()

    # -- how a call is compared

    def _answering(self, rule: Rule) -> ImageDriver:
        if rule.stage is Stage.CANDIDATE:
            with contextlib.suppress(Exception):
                return self.candidate
        return self.control

    def _begin(self, op: str, context: Any, args: Mapping[str, Any]) -> tuple[Call | None, ImageDriver]:
        """The call as it is to be compared, or None, and who answers it. Raises nothing of its own."""
        rule = self._stages.of(op)
        if self._candidate_file is not None and (self.endpoint or args.get('server')):
            rule = OFF  # the server that it names is one of the control's
        answering = self._answering(rule)
        if rule.stage is Stage.OFF or (op not in READS and not self.compares_writes):
            return None, answering
        settings = current(self.conf)
        share = settings.shadow_download_sample if op == 'download' else settings.shadow_sample
        share = share if rule.share is None else rule.share
        if share < 1 and random.random() >= share:
            return None, answering
        worker = self.worker
        try:
            if not worker.has_room():
                worker.book.count(op, '-', 'dropped')
                return None, answering
            return Call(op, copy.copy(context), _own(args), answering is not self.control), answering
        except Exception as error:  # noqa: BLE001 - say, it cannot be copied: not compared, but served
            worker.book.count(op, type(error).__name__, 'failed')
            return None, answering

    def _read(self, op: str, context: Any, args: Mapping[str, Any]) -> Any:
        call, answering = self._begin(op, context, args)
        if call is None:
            return getattr(answering, op)(context, **args)
        try:
            result = getattr(answering, op)(context, **args)
        except Exception as error:
            self._hand_over(call, error=error)
            raise
        self._hand_over(call, result)
        return result

    def _write(self, op: str, context: Any, args: Mapping[str, Any], data: Any = None) -> Any:
        call, answering = self._begin(op, context, args)
        body = {'data': data} if op in ('create', 'update') else {}
        if call is None:
            return getattr(answering, op)(context, **args, **body)
        from nova_image.glance import limits

        call.tape = Tape()
        # A stream belongs to the caller, and is not kept.
        call.data = data if data is None or isinstance(data, (str, bytes)) else STREAM
        try:
            with limits.between(call.tape):
                result = getattr(answering, op)(context, **args, **body)
        except Exception as error:
            self._hand_over(call, error=error)
            raise
        self._hand_over(call, result)
        return result

    def _delivered(self, call: Call, digest: Digest, is_whole: bool, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self._hand_over(call, error=error)
        elif is_whole and error is None:
            self._hand_over(call, delivered=Delivered.of(digest, None))
        else:
            self.worker.book.count('download', 'success', 'abandoned')

    def _hand_over(
        self, call: Call, result: Any = None, *, error: Exception | None = None, delivered: Delivered | None = None
    ) -> None:
        """Put a finished call into the queue, with a copy of what it came to. Raises nothing, costs little."""
        worker = self.worker
        try:
            if error is not None:
                call.error = failure(error)
            elif delivered is not None:
                call.delivered = delivered
            else:
                call.result = _kept(result)
            most_bytes = current(self.conf).shadow_download_bytes
            if call.is_swapped:
                comparison = Comparison(call, self.candidate, lambda: self.control, most_bytes)
            else:
                comparison = Comparison(call, self.control, lambda: self.candidate, most_bytes)
            worker.put(comparison, comparison.given_up)
        except Exception as exc:  # noqa: BLE001 - the caller has been served
            worker.book.count(call.op, type(exc).__name__, 'failed')


def _own(value: Any) -> Any:
    """A copy of plain data, and of what else there is in it."""
    kind = type(value)
    if kind is dict:
        return {name: each if type(each) in _PLAIN else _own(each) for name, each in value.items()}
    return value if kind in _PLAIN else copy.deepcopy(value)


def _kept(result: Any) -> Callable[[], Any]:
    """Gives what a call returned, whatever the caller does to it meanwhile.

    One record is copied faster than it is pickled, a thousand are pickled faster.
    """
    if isinstance(result, list):
        return functools.partial(pickle.loads, pickle.dumps(result, pickle.HIGHEST_PROTOCOL))
    return functools.partial(_own, _own(result))


def _class_of(side: str, name: str | None) -> type[ImageDriver]:
    if not name or name == ShadowDriver.name:
        raise errors.UnknownDriver(
            f'[image_shadow] {side} is {name!r}, expected the name of an image driver other than the shadow itself.'
        )
    return drivers.load(name)


def _conf_of(path: str) -> cfg.ConfigOpts:
    """The options of one configuration file, and of nothing else."""
    conf = options.register(cfg.ConfigOpts())
    conf([], default_config_files=[path], default_config_dirs=[])
    return conf
