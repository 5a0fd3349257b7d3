# SPDX-License-Identifier: Apache-2.0
"""The faked transfer plug-ins and the faked direct copy of a boundary case.

Plug-ins are what entry points of ``nova.image.download.modules`` would be; the copy is the external
``cp`` of the file plug-in.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any
from unittest import mock

from legacy.equivalence.decode import World, exception_class
from nova_image.transfer.staging import staged_target

#: The real one: the external ``cp`` opens nothing that was recorded.
_open = open
NAMESPACE = 'nova.image.download.modules'


class FakeTransferModule:
    """A module that a plug-in brings."""

    def __init__(self, world: World, form: dict[str, Any]) -> None:
        self._world, self._form = world, form

    def get_schemes(self) -> list[str]:
        """The URL schemes it serves."""
        return list(self._form['schemes'])

    def get_download_handler(self, **kwargs: Any) -> FakeTransfer:
        """Its handler, unless the case lets the factory fail."""
        if 'handler_error' in self._form:
            raise self._world.decode(self._form['handler_error'])
        return FakeTransfer(self._world, self._form)

    def golden_form(self, world: World) -> Any:
        """As it was recorded."""
        return {'$obj': 'FakeTransferModule'}


class FakeTransfer:
    """The handler of a scripted plug-in."""

    def __init__(self, world: World, form: dict[str, Any]) -> None:
        self._world, self._form, self.name = world, form, form['name']

    def download(self, context: Any, url_parts: Any, dst_path: str, metadata: Any, **kwargs: Any) -> None:
        """Raise, or write, as scripted."""
        world = self._world
        world.event(
            'transfer',
            module=self.name,
            context=world.encode(context),
            url=world.text(url_parts.geturl()),
            dst=world.text(staged_target(dst_path) or dst_path),
            metadata=world.encode(metadata),
        )
        if 'raises' in self._form:
            raise world.decode(self._form['raises'])
        if 'writes' in self._form:
            # Not through open(): the original's handlers were no part of what was recorded.
            descriptor = os.open(dst_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                os.write(descriptor, world.decode(self._form['writes']))
            finally:
                os.close(descriptor)

    def golden_form(self, world: World) -> Any:
        """As it was recorded."""
        return {'$handler': self.name}


class _EntryPoint:
    def __init__(self, world: World, name: str, module: Any, traced: bool) -> None:
        self.name, self.group, self.value = name, NAMESPACE, f'golden:{name}'
        self._world, self._module, self._traced = world, module, traced

    def load(self) -> Any:
        if self._traced:
            self._world.event('plugins.load', namespace=NAMESPACE, name=self.name, invoke_on_load=False)
        return self._module


class Plugins:
    """What stands under the entry point group, and the copying."""

    def __init__(self, world: World, given: dict[str, Any]) -> None:
        self._world = world
        self._modules = given.get('transfer_modules', 'default')
        self._copies = list(given.get('copy_image', ()))
        self._traced = bool(given.get('trace_plugins'))

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Put the fakes at the seams of ``legacy.download``."""
        from legacy import download
        from legacy.download import file as download_file

        with (
            mock.patch.object(download, 'entry_points', self._entry_points),
            mock.patch.object(download_file, 'copy_image', self._copy_image),
        ):
            yield

    def _entry_points(self, *, group: str) -> list[_EntryPoint]:
        if self._traced:
            self._world.event('plugins.list', namespace=group)
        from legacy.download import file as download_file

        forms: list[dict[str, Any]] = [{'name': 'file', 'builtin': True}] if self._modules == 'default' else self._modules
        return [
            _EntryPoint(
                self._world,
                form['name'],
                download_file if form.get('builtin') else FakeTransferModule(self._world, form),
                self._traced,
            )
            for form in forms
        ]

    def _copy_image(self, src: str, dst: str) -> None:
        world = self._world
        world.event('copy_image', src=world.text(src), dst=world.text(staged_target(dst) or dst))
        if self._copies:
            outcome = self._copies.pop(0)
            if 'raise' in outcome:
                raise world.decode(outcome['raise'])
        if not os.path.exists(src):
            raise exception_class('ProcessExecutionError')(f'copy failed: {world.text(src)}')
        with _open(src, 'rb') as source, _open(dst, 'wb') as target:
            shutil.copyfileobj(source, target)
