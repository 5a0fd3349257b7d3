# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the package ``nova`` where it is not installed: image errors, and a clear no to the rest."""

from __future__ import annotations

import dis
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

from nova_image import errors

__all__ = ['package_names', 'remove', 'spec_of']

_WHY = (
    'Nova is not installed here; legacy.install() stands in for nova.image and the image errors of '
    'nova.exception only. Install nova, or take what you need from elsewhere.'
)
_PACKAGES = ('nova', 'nova.image')
_MODULES = (*_PACKAGES, 'nova.exception')


def spec_of(name: str) -> importlib.machinery.ModuleSpec | None:
    """The spec of a module that is stood in for; None for any other to ``importlib.util.find_spec``.

    :raises ModuleNotFoundError: another module of Nova is imported; with the reason
    """
    if name not in _MODULES:
        if _only_asked_for(sys._getframe(1)):
            return None
        raise ModuleNotFoundError(f'No module named {name!r}: {_WHY}', name=name)
    return importlib.machinery.ModuleSpec(name, _Loader(), is_package=name in _PACKAGES)


def _only_asked_for(frame: Any) -> bool:
    """Whether somebody asks if there is such a module, without importing it."""
    while frame is not None and frame.f_globals.get('__name__') in ('importlib._bootstrap', 'legacy.installing'):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get('__name__') == 'importlib.util'


class _Loader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)['__nova_image_standin__'] = True
        if module.__name__ == 'nova.exception':
            vars(module).update(_image_errors())
        elif module.__name__ == 'nova.image':
            vars(module).update(package_names())


def package_names() -> dict[str, Any]:
    """What ``nova.image`` itself offered (C-277; contract a.3)."""
    from legacy import api, glance

    return {
        'API': api.new_api,
        'get_default_image_service': glance.get_default_image_service,
        'get_image_service': glance.get_image_service,
    }


def _image_errors() -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.NovaException)
    }


class _StandIn(ModuleType):
    """A module that says why a name is not there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        text = f'{self.__name__}.{name} is not available: {_WHY}'
        if _importing(sys._getframe(1)):
            # Python would replace the text of an AttributeError here.
            raise ImportError(text, name=self.__name__)
        raise AttributeError(text)


def _importing(frame: Any) -> bool:
    """Whether the caller is executing ``from module import name``."""
    return bool(dis.opname[frame.f_code.co_code[frame.f_lasti]] == 'IMPORT_FROM')


def remove() -> None:
    """Forget the stand-ins."""
    for name in _MODULES:
        if getattr(sys.modules.get(name), '__nova_image_standin__', False):
            del sys.modules[name]
