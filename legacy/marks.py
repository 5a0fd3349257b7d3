# SPDX-License-Identifier: Apache-2.0
"""Type stubs of the old modules, with a PEP 702 mark on every old name, written from the table and the code.

``python -m legacy.marks`` writes ``glance.pyi`` and its neighbours; a test compares. Checkers and editors
need the marks as literals, and only there: at run time the table is read when a warning is due.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from legacy.names import NAMES, message

__all__ = ['MODULES', 'stub_of', 'write']

MODULES = (
    'legacy.glance',
    'legacy.api',
    'legacy.download',
    'legacy.download.base',
    'legacy.download.file',
)
_DEFAULT_WITHOUT_LITERAL = re.compile(r'= <[^>]*>')
_QUOTED_TYPE = re.compile(r"(: |-> )'([^']*)'")
_LAST_IMPORT = 'from nova_image.settings import Settings'
_HEADER = """\
# SPDX-License-Identifier: Apache-2.0
# Written by `python -m legacy.marks`; do not edit.
# ruff: noqa: F401
import datetime
import importlib as importlib
import importlib.metadata
import logging as logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, Self

from oslo_config import cfg as cfg
from typing_extensions import deprecated

from nova_image.settings import Settings
"""


def stub_of(module: ModuleType) -> str:
    """The stub of one old module."""
    header = _HEADER
    if module.__name__ == 'legacy.download.file':
        header = header.replace(
            _LAST_IMPORT, f'from legacy.download.base import TransferBase\n{_LAST_IMPORT}'
        )
    lines = [header]
    for name, value in sorted(_own(module)):
        if isinstance(value, type):
            lines += _class(name, value)
        elif inspect.isfunction(value) or hasattr(value, '_self_old_name'):
            lines += _function(name, value, '')
        else:
            lines.append(f'{name}: Any\n')
    for name in sorted(getattr(module, '_ON_DEMAND', ())):
        lines.append(f'{name}: Any\n')
    return '\n'.join(lines)


_SKIPPED = ('annotations', 'cfg', 'deprecated', 'datetime', 'importlib', 'logging', '_ON_DEMAND')


def _own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if name.startswith(('__', '@')) or name in _SKIPPED:
            continue
        if getattr(value, '__name__', None) == f'{module.__name__}.{name}':
            continue  # a module of the package, there or not as the imports went
        home = getattr(value, '__module__', None)
        if module.__name__ == 'legacy.glance':
            foreign = isinstance(value, type) and not str(home).startswith('legacy')
        else:
            foreign = callable(value) and home != module.__name__
        if not foreign:
            yield name, value


def _mark(value: Any) -> str | None:
    name = getattr(value, '_self_old_name', None)
    return None if name is None else f'@deprecated({message(NAMES[name])!r})'


def _function(name: str, value: Any, indent: str, decorators: tuple[str, ...] = ()) -> list[str]:
    lines = [f'{indent}{decorator}' for decorator in decorators]
    mark = _mark(value)
    if mark:
        lines.append(indent + mark)
    signature = _QUOTED_TYPE.sub(r'\1\2', str(inspect.signature(value)))
    signature = _DEFAULT_WITHOUT_LITERAL.sub('= ...', signature)
    unlike_base = '  # type: ignore[override]' if 'dst_file' in signature else ''
    lines.append(f'{indent}def {name}{signature}: ...{unlike_base}')
    if not indent:
        lines.append('')
    return lines


def _class(name: str, cls: type) -> list[str]:
    bases = '(TransferBase)' if cls.__bases__[0].__name__ == 'TransferBase' else ''
    if cls.__bases__[0].__module__ == 'builtins' and cls.__bases__ != (object,):
        bases = f'({cls.__bases__[0].__name__})'
    mark = _mark(vars(cls).get('__init__'))
    lines = [mark] if mark else []
    lines.append(f'class {name}{bases}:')
    lines += [f'    {attribute}: Any' for attribute in _attributes(cls)]
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base is cls or base.__name__ == 'InsideV2':
            members.update(vars(base))
    body = [line for member, value in members.items() for line in _member(member, value)]
    if not body and lines[-1].startswith('class '):
        body = ['    ...']
    return [*lines, *body, '']


def _attributes(cls: type) -> list[str]:
    given = {**getattr(cls, '__annotations__', {})}
    if cls.__name__ == 'UpdateGlanceImage':
        given = dict.fromkeys(('context', 'image_id', 'metadata', 'image_stream'))
    elif cls.__name__.startswith('GlanceImageService'):
        given = dict.fromkeys(('_client', '_download_handlers'))
    elif cls.__name__ == 'GlanceClientWrapper':
        given = dict.fromkeys(
            ('client', 'api_servers', 'host', 'port', 'use_ssl', 'version', 'api_server')
        )
    return sorted(given)


def _member(name: str, value: Any) -> list[str]:
    if isinstance(value, staticmethod):
        return _function(name, value.__func__, '    ', ('@staticmethod',))
    if isinstance(value, property):
        return [] if name == 'client' else ['    @property', f'    def {name}(self) -> Any: ...']
    if name == '__init__' or hasattr(value, '_self_old_name'):
        return _function(name, value, '    ')
    return []


def write() -> list[Path]:
    """Write every stub beside its module."""
    written = []
    for name in MODULES:
        module = importlib.import_module(name)
        assert module.__file__ is not None
        path = Path(module.__file__).with_suffix('.pyi')
        path.write_text(stub_of(module), encoding='utf-8')
        written.append(path)
    return written


if __name__ == '__main__':
    for file in write():
        print(file)
