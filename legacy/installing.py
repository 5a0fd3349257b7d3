# SPDX-License-Identifier: Apache-2.0
"""The zero-edit import: ``nova.image.glance`` and its siblings resolve here, with and without real Nova.

An import hook answers for the old module names; ``standin.py`` stands in for the rest of Nova where
there is none. What was bound to the old modules before is replaced and named, or nothing is done at all.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from legacy.bound import InstallRefused, Reference, references_to
from legacy.names import OLD_MODULES

__all__ = ['InstallRefused', 'install', 'uninstall']

LOG = logging.getLogger(__name__)
_ABSENT = object()


class _Finder(importlib.abc.MetaPathFinder):
    """Answers imports of the old module names, and of the stand-in package where real Nova is not there."""

    def __init__(self, *, stand_in: bool) -> None:
        self.stand_in = stand_in

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name in OLD_MODULES:
            return importlib.machinery.ModuleSpec(name, _Swap(OLD_MODULES[name]))
        if name != 'nova' and not name.startswith('nova.'):
            return None
        if self.stand_in:
            from legacy import standin

            return standin.spec_of(name)
        if name == 'nova.image':
            return _with_api(importlib.machinery.PathFinder.find_spec(name, path))
        return None


class _Swap(importlib.abc.Loader):
    """Loads an old module by putting the new one in its place."""

    def __init__(self, home: str) -> None:
        self.home = home

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(self.home)


class _ThenApi(importlib.abc.Loader):
    """Loads real ``nova.image`` and then sets ``API`` on it (C-277)."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        from legacy import standin

        self._loader.exec_module(module)
        _installed.set_on(module, standin.package_names())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _with_api(
    spec: importlib.machinery.ModuleSpec | None,
) -> importlib.machinery.ModuleSpec | None:
    if spec is not None and spec.loader is not None:
        spec.loader = _ThenApi(spec.loader)
    return spec


class _Installation:
    """What was changed, so that it can be put back."""

    def __init__(self) -> None:
        self.finder: _Finder | None = None
        self.modules: dict[str, ModuleType] = {}
        self.attributes: list[tuple[ModuleType, str, Any]] = []
        self.references: list[Reference] = []

    def set_on(self, module: ModuleType, names: dict[str, Any]) -> None:
        for name, value in names.items():
            self.attributes.append((module, name, vars(module).get(name, _ABSENT)))
            setattr(module, name, value)


_installed = _Installation()


def install() -> tuple[str, ...]:
    """Let ``nova.image.glance``, ``nova.image.api``, ``nova.image.download`` and ``nova.image.API()`` resolve here.

    May be called again without effect. Real Nova is used where it is installed, never imported by this call.

    :returns: names that were bound to the old modules and were replaced, such as ``app.images.glance``
    :raises InstallRefused: something holds on to the old modules that cannot be replaced; nothing was changed
    """
    if _installed.finder is not None:
        return ()
    loaded = {name: sys.modules[name] for name in OLD_MODULES if name in sys.modules}
    homes = {name: importlib.import_module(OLD_MODULES[name]) for name in loaded}
    references = references_to(loaded, homes)
    stand_in = not _has_nova()
    _installed.finder = _Finder(stand_in=stand_in)
    sys.meta_path.insert(0, _installed.finder)
    _installed.modules = loaded
    for name, home in homes.items():
        sys.modules[name] = home
        parent, _, child = name.rpartition('.')
        if parent in sys.modules:
            _installed.set_on(sys.modules[parent], {child: home})
    if 'nova.image' in sys.modules:
        from legacy import standin

        _installed.set_on(sys.modules['nova.image'], standin.package_names())
    for reference in references:
        reference.replace()
    _installed.references = references
    replaced = tuple(sorted(reference.name for reference in references))
    for name in replaced:
        LOG.info('%s was bound to the old image module and is replaced', name)
    return replaced


def uninstall() -> None:
    """Put everything back as it was before :func:`install`; without one, do nothing.

    Names that were imported meanwhile keep what they have.
    """
    if _installed.finder is None:
        return
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _installed.finder]
    for reference in _installed.references:
        reference.put_back()
    for name, home in OLD_MODULES.items():
        parent, _, child = name.rpartition('.')
        ours = sys.modules.get(home)
        if ours is not None and sys.modules.get(name) is ours:
            del sys.modules[name]
            package = sys.modules.get(parent)
            if package is not None and vars(package).get(child) is ours:
                delattr(package, child)
    sys.modules.update(_installed.modules)
    for module, name, before in reversed(_installed.attributes):
        if before is not _ABSENT:
            setattr(module, name, before)
        elif name in vars(module):
            delattr(module, name)
    if _installed.finder.stand_in:
        from legacy import standin

        standin.remove()
    _installed.__init__()  # type: ignore[misc]  # as new


def _has_nova() -> bool:
    """Whether real Nova is loaded or could be; it is not imported."""
    nova = sys.modules.get('nova')
    if nova is not None:
        return not getattr(nova, '__nova_image_standin__', False)
    spec = importlib.machinery.PathFinder.find_spec('nova')
    return spec is not None and spec.origin is not None  # a folder of that name is no Nova
