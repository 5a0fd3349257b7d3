# SPDX-License-Identifier: Apache-2.0
"""What ``prove`` does inside each Python process of COMMAND, before its first line.

Started by the ``sitecustomize`` that ``prove`` puts on PYTHONPATH; hands over to the user's own one,
waits with the old names until somebody imports them, and notes which lines of the rewritten files run.
Loaded by its path, with the standard library only, so that a program finds none of our packages already
imported (pytest warns of that). An error in here is noted and never reaches the program.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType, ModuleType
from typing import Any

#: Environment variable with a JSON object: inject, notes, executed, watched, root, tree.
VARIABLE = 'NOVA_IMAGE_PROVE'

_SITECUSTOMIZE = """\
import importlib.util
import json
import os
import sys

_spec = importlib.util.spec_from_file_location('_nova_image_prove', {file!r})
_module = sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
_module.start(json.loads(os.environ[{variable!r}]))
"""


def sitecustomize() -> str:
    """Text of the module to inject."""
    return _SITECUSTOMIZE.format(file=os.path.abspath(__file__), variable=VARIABLE)


def start(task: dict[str, Any]) -> None:
    """Make this process ready; called once, at the start of the interpreter."""
    _hand_over(task['inject'])
    note: dict[str, Any] = {'pid': os.getpid(), 'python': sys.executable}
    if importlib.util.find_spec('legacy') is None:
        note['problem'] = f'{sys.executable} does not have the package nova-image installed'
    _append(task['notes'], json.dumps(note))
    if task.get('tree'):
        _lead_into_copy(task['root'], task['tree'])
        _doubles().Doubles(lambda line: _append(task['notes'], line), task['tree']).start()
    sys.meta_path.insert(0, _OldNames(task['notes']))
    if task['watched']:
        watch(task['watched'], task['executed'])


def _doubles() -> Any:
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'prove_inside_doubles.py')
    spec = importlib.util.spec_from_file_location('_nova_image_doubles', place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _lead_into_copy(root: str, tree: str) -> None:
    """Let an editable installation of the program lead into the copy; this package itself stays where it is."""
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def moved(place: Any) -> Any:
        if not isinstance(place, str) or not os.path.isabs(place) or place == ours:
            return place
        inside = os.path.relpath(os.path.realpath(place), root)
        copy = os.path.normpath(os.path.join(tree, inside))
        return place if inside.startswith(os.pardir) or not os.path.exists(copy) else copy

    sys.path[:] = [moved(entry) for entry in sys.path]
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, '__module__', '') or '')
        for table in (getattr(module, 'MAPPING', None), getattr(finder, '_redirections', None)):
            if isinstance(table, dict):  # setuptools, and the package "editables"
                table.update({name: moved(place) for name, place in table.items() if name not in _OURS})


_OURS = ('legacy', 'nova_image')


class _OldNames(importlib.abc.MetaPathFinder):
    """Installs the old names when ``nova`` is imported for the first time, and is gone then."""

    def __init__(self, notes: str) -> None:
        self._notes = notes

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition('.')[0] != 'nova' or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        try:
            import legacy

            legacy.install()
        except Exception as error:  # noqa: BLE001 - whatever it is, the program has to run
            problem = f'cannot install the old names: {type(error).__name__}: {error}'
            _append(self._notes, json.dumps({'pid': os.getpid(), 'problem': problem}))
        if name in sys.modules:
            return importlib.util.spec_from_loader(name, _Loaded(sys.modules[name]))
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


class _Loaded(importlib.abc.Loader):
    """Loads a module that is there already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        pass


def _hand_over(inject: str) -> None:
    """Run the ``sitecustomize`` that would have been found without ours."""
    sys.path[:] = [entry for entry in sys.path if entry != inject]
    ours = sys.modules.pop('sitecustomize', None)
    spec = importlib.machinery.PathFinder.find_spec('sitecustomize', sys.path)
    if spec is None or spec.loader is None:
        if ours is not None:
            sys.modules['sitecustomize'] = ours
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules['sitecustomize'] = module
    spec.loader.exec_module(module)


def watch(files: list[str], executed: str) -> None:
    """Note each line of the files that runs, and each that raises, once per process, by ``sys.settrace``.

    A program that traces itself (a debugger, coverage) takes the trace away; then the recorded calls
    alone tell which lines ran.

    :param executed: file to append ``{"file", "line"}`` lines to
    """
    wanted = frozenset(os.path.realpath(file) for file in files)
    names: dict[str, str | None] = {}
    seen: set[tuple[str, int]] = set()
    failed: set[tuple[str, int]] = set()

    def on_line(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == 'line':
            place = (names.get(frame.f_code.co_filename) or '', frame.f_lineno)
            if place not in seen:
                seen.add(place)
                _append(executed, json.dumps({'file': place[0], 'line': place[1]}))
        elif event == 'exception' and issubclass(argument[0], Exception):
            place = (names.get(frame.f_code.co_filename) or '', frame.f_lineno)
            if place not in failed and not issubclass(argument[0], StopIteration):
                failed.add(place)
                raised = f'{argument[0].__name__}: {argument[1]}'
                _append(executed, json.dumps({'file': place[0], 'line': place[1], 'raised': raised}))
        return on_line

    def on_call(frame: FrameType, _event: str, _: Any) -> Callable[..., Any] | None:
        name = frame.f_code.co_filename
        try:
            known = names[name]
        except KeyError:
            real = os.path.realpath(name)
            known = names[name] = real if real in wanted else None
        return None if known is None else on_line

    threading.settrace(on_call)
    sys.settrace(on_call)


def _append(path: str, line: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, line.encode() + b'\n')
    finally:
        os.close(handle)
