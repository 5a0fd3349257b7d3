# SPDX-License-Identifier: Apache-2.0
"""What other modules hold of the old image modules: found, replaced, put back, or a reason to refuse."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any

__all__ = ['InstallRefused', 'Reference', 'references_to']


class InstallRefused(RuntimeError):
    """Something was bound to the old modules before and cannot be replaced."""


@dataclass(frozen=True)
class Reference:
    """An attribute of a module or class that is one of the old modules, or a thing out of one."""

    owner: Any
    attribute: str
    name: str
    before: Any
    after: Any

    def replace(self) -> None:
        """Point it at the new one."""
        setattr(self.owner, self.attribute, self.after)

    def put_back(self) -> None:
        """Point it at the old one again, unless somebody changed it meanwhile."""
        if vars(self.owner).get(self.attribute) is self.after:
            setattr(self.owner, self.attribute, self.before)


def references_to(old: Mapping[str, ModuleType], new: Mapping[str, ModuleType]) -> list[Reference]:
    """All references in other modules and their classes.

    :param old: loaded old modules by name; :param new: what takes their places
    :raises InstallRefused: an instance, a subclass, a collection or a name without counterpart is in the way
    """
    if not old or all(old[name] is new[name] for name in old):
        return []
    things = dict(_things(old, new))
    obstacles = [f'a subclass of {owner}: {sub}' for owner, sub in _subclasses(old)]
    instances = _instances(old)
    for instance in instances:
        after = _stateless(instance, old, new)
        if after is None or _held_elsewhere(instance, instances):
            obstacles.append(f'an instance of {type(instance).__qualname__}')
        else:
            things[id(instance)] = after
    found = []
    for owner, owner_name in _owners(old):
        for attribute, value in list(vars(owner).items()):
            name = f'{owner_name}.{attribute}'
            if isinstance(value, dict | list | tuple | set | frozenset):
                inside = value.values() if isinstance(value, dict) else value
                if any(_key(item) in things for item in inside):
                    obstacles.append(f'the collection {name}')
            elif _key(value) in things:
                after = things[_key(value)]
                if after is None:
                    obstacles.append(f'{name}, which has no counterpart in legacy')
                else:
                    found.append(Reference(owner, attribute, name, value, after))
    if obstacles:
        raise InstallRefused(
            'legacy.install() changed nothing, because these hold on to the old image module and cannot be '
            f'replaced: {"; ".join(sorted(set(obstacles)))}. Call install() before they are made, best as the '
            'first thing the program does.'
        )
    return found


def _key(value: Any) -> int:
    return id(value)


def _things(
    old: Mapping[str, ModuleType], new: Mapping[str, ModuleType]
) -> Iterator[tuple[int, Any]]:
    """Old modules, their functions and classes, each with what replaces it (None: nothing does)."""
    for name, module in old.items():
        yield id(module), new[name]
        for attribute, value in vars(module).items():
            if getattr(value, '__module__', None) == name and hasattr(value, '__qualname__'):
                yield id(value), getattr(new[name], attribute, None)


def _classes(old: Mapping[str, ModuleType]) -> Iterator[type]:
    for name, module in old.items():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == name:
                yield value


def _subclasses(old: Mapping[str, ModuleType]) -> Iterator[tuple[str, str]]:
    for cls in _classes(old):
        subclasses: list[type] = cls.__subclasses__()
        for sub in subclasses:
            if sub.__module__ not in old:
                yield cls.__qualname__, f'{sub.__module__}.{sub.__qualname__}'


def _instances(old: Mapping[str, ModuleType]) -> list[Any]:
    classes = set(_classes(old))
    return [item for item in gc.get_objects() if type(item) in classes]


def _stateless(instance: Any, old: Mapping[str, ModuleType], new: Mapping[str, ModuleType]) -> Any:
    """What can stand for an instance that holds no state of its own: only ``API`` is of that kind (C-277)."""
    cls = type(instance)
    if cls.__name__ != 'API' or vars(instance):
        return None
    counterpart = getattr(new[cls.__module__], 'API', None)
    return None if counterpart is None else counterpart.__new__(counterpart)


def _held_elsewhere(instance: Any, instances: list[Any]) -> bool:
    """Whether anything but modules (and this search) refers to the instance."""
    modules = {id(vars(module)) for module in list(sys.modules.values()) if isinstance(module, ModuleType)}
    return any(
        id(holder) not in modules and holder is not instances and not isinstance(holder, FrameType)
        for holder in gc.get_referrers(instance)
    )


def _owners(old: Mapping[str, ModuleType]) -> Iterator[tuple[Any, str]]:
    """Modules that are not the old ones, and the classes defined in them."""
    mine = {id(module) for module in old.values()}
    packages = {name.rpartition('.')[0] for name in old}
    seen: set[int] = set()
    for name, module in list(sys.modules.items()):
        if (
            not isinstance(module, ModuleType)
            or id(module) in mine
            or name == 'sys'
            or _is_ours(name)
        ):
            continue
        if id(module) in seen:
            continue  # a second name of the same module
        seen.add(id(module))
        if name not in packages:
            yield module, name
        for value in list(vars(module).values()):
            if isinstance(value, type) and getattr(value, '__module__', None) == name:
                yield value, f'{name}.{value.__qualname__}'


def _is_ours(name: str) -> bool:
    return name.partition('.')[0] in ('legacy', 'nova_image')
