# SPDX-License-Identifier: Apache-2.0
"""Run one recorded boundary case against ``legacy`` and write down what happened.

The program of a case is in ``golden/FORMAT.md`` section 2; the faked surroundings are in
:mod:`legacy.equivalence.seams`. The answer has the form of the recorded ``expect``.
"""

from __future__ import annotations

import base64
import importlib
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

from legacy.deviating.recordings import SCRIPT
from legacy.equivalence import encode, seams
from legacy.equivalence.decode import Unbound, World, common

#: Where the modules of the recordings live now.
MODULES = {
    'glance': 'legacy.glance',
    'download': 'legacy.download',
    'download.base': 'legacy.download.base',
    'download.file': 'legacy.download.file',
}


def resolve(name: str) -> Any:
    """The function or class that a recorded, module-qualified name means."""
    if name == 'api.API':
        name = 'glance.API'
    parts = name.split('.')
    for cut in range(len(parts) - 1, 0, -1):
        module = MODULES.get('.'.join(parts[:cut]))
        if module is not None:
            found = importlib.import_module(module)
            for part in parts[cut:]:
                found = getattr(found, part)
            return found
    raise LookupError(f'no module for the recorded name {name!r}')


class Runner:
    """Runs cases one after the other, each in a folder of its own."""

    def __init__(self) -> None:
        self._shared = common()
        self._base = tempfile.mkdtemp(prefix='golden-')
        self._numbers = itertools.count()

    def close(self) -> None:
        """Remove what the cases left on disk."""
        shutil.rmtree(self._base, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def both(
        self, case: dict[str, Any], expected: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Expectation and answer; an expectation that brings a backend script of its own is run with that."""
        script = expected.get(SCRIPT)
        if script is not None:
            expected = {key: value for key, value in expected.items() if key != SCRIPT}
            case = {**case, 'input': {**case['input'], 'backend': script}}
        return expected, self.run(case)

    def next_root(self) -> str:
        """The folder of the next case."""
        return os.path.join(self._base, str(next(self._numbers)))

    def run(self, case: dict[str, Any], root: str = '', *, client: bool = True) -> dict[str, Any]:
        """What ``case`` comes to here, in the form of its ``expect``; see :func:`seams.installed` for ``client``."""
        root = root or self.next_root()
        world = World(case, root, self._shared)
        if 'files' in case['input'] or 'dirs' in case['input']:
            _lay_out(world, case['input'])
        with seams.installed(world, case['input'], client=client) as traps:
            steps = [_step(world, step) for step in case['input']['steps']]
            observed: dict[str, Any] = {'steps': steps}
            if world.sinks:
                observed['sinks'] = {
                    name: {'close_calls': sink.close_calls, 'written': world.encode(bytes(sink.written))}
                    for name, sink in world.sinks.items()
                }
            if traps.files.handles:
                observed['handles'] = traps.files.handles_now()
            if client and traps.backend.left:
                observed['backend_left'] = traps.backend.left
        files = _files_below(root)
        if files:
            observed['files_after'] = files
        shutil.rmtree(root, ignore_errors=True)
        return observed


def _lay_out(world: World, given: dict[str, Any]) -> None:
    Path(world.root).mkdir()
    for folder in given.get('dirs', ()):
        Path(world.root, folder).mkdir(parents=True, exist_ok=True)
    for name, content in given.get('files', {}).items():
        path = Path(world.root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(world.decode(content))


def _files_below(root: str) -> dict[str, Any]:
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            content = base64.b64encode(path.read_bytes()).decode()
            found[path.relative_to(root).as_posix()] = {'$bytes': content}
    return found


def _step(world: World, step: dict[str, Any]) -> dict[str, Any]:
    world.events = []
    observed: dict[str, Any] = {'events': world.events}
    try:
        args, kwargs = world.decode(step.get('args', [])), world.decode(step.get('kwargs', {}))
    except Unbound as missing:
        return {**observed, 'exception': encode.exception(world, KeyError(*missing.args))}
    before = world.encode(args), world.encode(kwargs)
    try:
        result = _perform(world, step, args, kwargs)
        if 'bind' in step:
            world.variables[step['bind']] = result
        observed['result'] = _taken(world, result, step) if 'take' in step else world.encode(result)
        if step.get('drain'):
            observed['drained'] = _drained(world, result)
    except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt was recorded too
        observed['exception'] = encode.exception(world, error)
    after = world.encode(args), world.encode(kwargs)
    if after != before:
        observed['args_after'] = {'args': after[0], 'kwargs': after[1]}
    return observed


def _perform(world: World, step: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    if step['op'] == 'new':
        return resolve(step['class'])(*args, **kwargs)
    if 'method' in step:
        function = getattr(world.variables[step['on']], step['method'])
    else:
        function = resolve(step['func'])
    if step['op'] == 'attr':
        return function
    if 'handling' not in step:
        return function(*args, **kwargs)
    try:
        raise world.decode(step['handling'])
    except BaseException:  # noqa: BLE001 - what the case wants handled
        return function(*args, **kwargs)


def _taken(world: World, result: Any, step: dict[str, Any]) -> dict[str, Any]:
    taken: dict[str, Any] = {'$take': []}
    for _ in range(step['take']):
        try:
            taken['$take'].append(world.encode(next(result)))
        except StopIteration:
            taken['then'] = 'exhausted'
            break
    return taken


def _drained(world: World, result: Any) -> dict[str, Any]:
    chunks: list[Any] = []
    end: Any = 'exhausted'
    try:
        for chunk in result:
            chunks.append(world.encode(chunk))
    except Exception as error:  # noqa: BLE001 - whatever ends the iteration is the answer
        end = {'$exc': encode.exception(world, error)}
    return {'chunks': chunks, 'end': end}
