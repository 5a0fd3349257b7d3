# SPDX-License-Identifier: Apache-2.0
"""Twin sides in one image service, that of the user: each sees and touches only the images that it made."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

from legacy.equivalence.cloud import Cloud, NoCloud, reach
from legacy.equivalence.ending import ended_as_by_ctrl_c
from legacy.equivalence.owned import OwnedDriver
from legacy.equivalence.programs import Program, callers
from legacy.equivalence.twin import Divergence, Side, compare
from legacy.equivalence.twin_calls import new_call, old_call
from nova_image import API, errors
from nova_image.driver import ImageDriver

#: How long a request that was left alone may take to make its image.
_SETTLE_S = 1.0


class Visit:
    """Two drivers over one service, and the sides that stand on them.

    :param cloud: the service, and who calls
    """

    def __init__(self, cloud: Cloud) -> None:
        self.context = cloud.context
        self.old, self.new = OwnedDriver(cloud.driver), OwnedDriver(cloud.driver)
        self.api = API(self.new, conf=cloud.driver.conf)

    @contextlib.contextmanager
    def old_path(self) -> Iterator[None]:
        """Whoever uses the old module inside gets to the store of the old path."""

        def driver(api: Any) -> ImageDriver:
            return api._given if isinstance(api._given, ImageDriver) else self.old

        with mock.patch.object(API, 'driver', property(driver)):
            yield

    def compare(self, program: Program) -> Divergence | None:
        """Run a program on both paths, all of it as the one caller there is, and delete what it made."""
        program = [step._replace(era='', href='') for step in program]
        who = dict.fromkeys(callers(), self.context)
        old = Side(who, old_call, lambda: self._stored(self.old), around=self.old_path)
        new = Side(who, new_call(self.api), lambda: self._stored(self.new))
        try:
            return compare(program, old.run(program), new.run(program))
        finally:
            self.clean()

    def _stored(self, driver: OwnedDriver) -> list[dict[str, Any]]:
        """The records at the end, without the tags, which are the driver's and in no order."""
        return [{**record, 'tags': []} for record in driver.list(self.context)]

    def clean(self) -> None:
        """Delete what was made. :raises RuntimeError: something is left; the text names it"""
        left = [*self.old.clean(self.context), *self.new.clean(self.context)]
        if left:
            raise RuntimeError('these images of the suite could not be deleted: ' + '; '.join(left))


    def leave(self) -> None:
        """Delete what was made, at the end, also what a request makes that was left alone.

        :raises RuntimeError: as ``clean``
        """
        try:
            if not (self.old.is_settled and self.new.is_settled):
                time.sleep(_SETTLE_S)
            self.clean()
        except KeyboardInterrupt:
            print('nova-image equivalence: these images may be left:', *self.old.made, *self.new.made, file=sys.stderr)
            raise


@contextlib.contextmanager
def visit(target: str | None) -> Iterator[Visit]:
    """A visit to the service; to a store of its own that goes again where nobody named one."""
    with contextlib.ExitStack() as stack:
        if target is None or target == 'local':
            from nova_image.testing.configuration import local_conf
            from nova_image.testing.contexts import tenant_contexts

            path = stack.enter_context(tempfile.TemporaryDirectory())
            api = API(conf=local_conf(f'{path}/store'))
            stack.callback(api.driver.close)
            cloud = Cloud(tenant_contexts().member, api.driver, 'a local store of its own')
        else:
            cloud = reach(target)
            stack.enter_context(ended_as_by_ctrl_c())
        made = Visit(cloud)
        stack.callback(made.leave)
        try:
            made.new.list(cloud.context, limit=1)
        except errors.NovaException as error:
            raise NoCloud(f'{cloud.where} does not answer: {error}') from error
        yield made
