# SPDX-License-Identifier: Apache-2.0
"""Inside a process of COMMAND: which names of the image API are replaced by test doubles, where, and whether
code uses them.

Loaded by its path, like ``prove_inside``, with the standard library only. Doubles of the module's names are
seen through the module's class, those of its classes' attributes through the built-in ``setattr``.
"""

from __future__ import annotations

import atexit
import builtins
import functools
import importlib.abc
import importlib.machinery
import json
import os
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

WATCHED = ('legacy.glance', 'nova_image.api')  # a double moves from the one to the other with its callers
_ABSENT: Any = object()
_setattr, _delattr = builtins.setattr, builtins.delattr
Place = tuple[str, int]


class _Double:
    def __init__(self, name: str, place: Place, value: Any) -> None:
        self.name, self.place, self.value, self.reached = name, place, value, False

    @property
    def used(self) -> bool:
        if isinstance(getattr(self.value, 'called', None), bool):  # a mock, or a function made from one
            return bool(self.value.called) or bool(getattr(self.value, 'mock_calls', ()))
        return self.reached


class Doubles:
    """All doubles of one process.

    :param write: takes a line for the notes
    :param tree: directory of the program; only what its files replace counts
    """

    def __init__(self, write: Callable[[str], None], tree: str) -> None:
        self._write, self._tree = write, os.path.realpath(tree) + os.sep
        self._classes: tuple[type, ...] = ()
        self._active: dict[tuple[int, str], _Double] = {}
        self._originals: dict[tuple[int, str], Any] = {}

    def start(self) -> None:
        """Wait for the modules that matter."""
        sys.meta_path.insert(0, _After({
            **dict.fromkeys(WATCHED, self._watch), 'unittest.mock': self._mock, 'mock.mock': self._mock,
            '_pytest.assertion.rewrite': self._pytest,
        }))  # fmt: skip
        atexit.register(self._end)

    def place(self) -> Place | None:
        """The nearest line of the program; of a ``mock.patch`` the line where it was written."""
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None:
            patcher = frame.f_locals.get('self') if frame.f_code.co_name == '__enter__' else None
            written: Place | None = getattr(patcher, '_nova_image_place', None)
            if written is not None:
                return written
            name = os.path.realpath(frame.f_code.co_filename)
            if name.startswith(self._tree):
                return name, frame.f_lineno
            frame = frame.f_back
        return None

    def set(self, owner: Any, name: str, was: Any, value: Any, shown: str) -> None:
        """A name was given another value (``_ABSENT``: it was deleted)."""
        key = id(owner), name
        before = self._active.pop(key, None)
        if before is not None:
            self._note(before)
        original = self._originals.setdefault(key, was)
        place = None if value is original or value is _ABSENT else self.place()
        if place is not None:
            self._active[key] = _Double(shown, place, value)

    def read(self, owner: Any, name: str) -> None:
        """A name of the module was looked up."""
        double = self._active.get((id(owner), name))
        if double is not None:
            double.reached = True

    def _watch(self, module: Any) -> None:
        doubles = self

        class Watched(types.ModuleType):
            def __setattr__(self, name: str, value: Any) -> None:
                was = vars(self).get(name, _ABSENT)
                super().__setattr__(name, value)
                doubles.set(self, name, was, value, name)

            def __delattr__(self, name: str) -> None:
                was = vars(self).get(name, _ABSENT)
                super().__delattr__(name)
                doubles.set(self, name, was, _ABSENT, name)

            def __getattribute__(self, name: str) -> Any:
                value = super().__getattribute__(name)
                doubles.read(self, name)
                return value

        Watched.__name__ = 'module'
        module.__class__ = Watched
        if not self._classes:
            _setattr(builtins, 'setattr', self._setattr())
            _setattr(builtins, 'delattr', self._delattr())
        package = module.__name__.partition('.')[0]
        self._classes += tuple(
            each for each in vars(module).values()
            if isinstance(each, type) and each.__module__.partition('.')[0] == package
        )  # fmt: skip

    def _setattr(self) -> Callable[..., None]:
        @functools.wraps(_setattr)
        def setattr(owner: Any, name: str, value: Any, /) -> None:
            if not any(owner is each for each in self._classes):
                _setattr(owner, name, value)
                return
            was = vars(owner).get(name, _ABSENT)
            key = id(owner), name
            plain = isinstance(value, types.FunctionType) and not isinstance(getattr(value, 'called', None), bool)
            ours = self._reaching(key, value) if plain and value is not self._originals.get(key, was) else value
            _setattr(owner, name, ours)
            self.set(owner, name, was, ours, f'{owner.__name__}.{name}')

        return setattr

    def _delattr(self) -> Callable[..., None]:
        @functools.wraps(_delattr)
        def delattr(owner: Any, name: str, /) -> None:
            watched = any(owner is each for each in self._classes)
            was = vars(owner).get(name, _ABSENT) if watched else None
            _delattr(owner, name)
            if watched:
                self.set(owner, name, was, _ABSENT, f'{owner.__name__}.{name}')

        return delattr

    def _reaching(self, key: tuple[int, str], value: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(value)
        def reaching(*args: Any, **kwargs: Any) -> Any:
            if key in self._active:
                self._active[key].reached = True
            return value(*args, **kwargs)

        return reaching

    def _mock(self, module: Any) -> None:
        patcher = module._patch
        init = patcher.__init__

        @functools.wraps(init)
        def noting(this: Any, *args: Any, **kwargs: Any) -> None:
            init(this, *args, **kwargs)
            this._nova_image_place = self.place()

        patcher.__init__ = noting

    def _pytest(self, module: Any) -> None:
        """Keep pytest's finder, which puts itself first, from loading a module that is waited for."""
        hook = module.AssertionRewritingHook
        find_spec = hook.find_spec

        def finding(this: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return None if name in WATCHED else find_spec(this, name, *args, **kwargs)

        hook.find_spec = finding

    def _note(self, double: _Double) -> None:
        file, line = double.place
        self._write(json.dumps({'double': double.name, 'file': file, 'line': line, 'used': double.used}))

    def _end(self) -> None:
        for double in self._active.values():
            self._note(double)
        self._active.clear()


class _After(importlib.abc.MetaPathFinder):
    """Does something with a module right after it was loaded."""

    def __init__(self, actions: dict[str, Callable[[Any], None]]) -> None:
        self._actions = actions

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        action = self._actions.pop(name, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Then(spec.loader, action)
                return spec
        return None


class _Then(importlib.abc.Loader):
    def __init__(self, loader: Any, action: Callable[[Any], None]) -> None:
        self._loader, self._action = loader, action

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action(module)
