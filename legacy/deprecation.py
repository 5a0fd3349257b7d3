# SPDX-License-Identifier: Apache-2.0
"""The warning of every old name: its words, its place, and how often it is heard.

Words come from the table (``names.py``), the place is the caller's own line, and Python's warning
filters decide (D-17). Knows nothing of images. Built on ``wrapt.FunctionWrapper``; the first call from
a place goes the long way, later ones cost a dictionary look-up until the filters change.
"""

from __future__ import annotations

import atexit
import copy
import importlib
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar, cast

import wrapt
from oslo_config import cfg

from legacy import ledger

__all__ = ['STAGES', 'LegacyImageAPIWarning', 'deprecated', 'set_stage', 'sites', 'stage']

F = TypeVar('F', bound=Callable[..., Any])

STAGES = ('silent', 'summary', 'all', 'error')
STAGE_OPT = cfg.StrOpt(
    'legacy',
    choices=list(STAGES),
    help='What uses of old image names lead to: nothing (silent), one warning and a list at exit (summary), '
    'a warning per place (all, the default), or an error. NOVA_IMAGE_LEGACY in the environment wins.',
)
LEDGER_OPT = cfg.StrOpt(
    'legacy_ledger',
    help='File in which all processes count the uses of old image names, for "nova-image status". '
    'NOVA_IMAGE_LEGACY_LEDGER in the environment wins.',
)
_LEGACY = os.path.dirname(os.path.abspath(__file__))
_WRAPT = os.path.dirname(os.path.abspath(wrapt.__file__)) + os.sep
#: Code in these directories is never the caller that a warning is for.
_HERE = (_LEGACY + os.sep, os.path.join(os.path.dirname(_LEGACY), 'nova_image', ''), _WRAPT)
_STDLIB = os.path.join(sysconfig.get_path('stdlib'), '')
# With wrapt's C part the wrapper is called straight from the caller; without it wrapt's own frames
# stand between, all with the same place, so no place may be remembered.
_STRAIGHT = type(wrapt.FunctionWrapper.__call__).__name__ == 'wrapper_descriptor'


class LegacyImageAPIWarning(DeprecationWarning):
    """An old image name was used; carries the facts of the table beside the text."""

    def __init__(
        self, text: str, *, old: str = '', new: str = '', since: str = '', removed_in: str = ''
    ) -> None:
        super().__init__(text)
        self.old, self.new, self.since, self.removed_in = old, new, since, removed_in

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_warning, (str(self), self.old, self.new, self.since, self.removed_in)


def _rebuild_warning(
    text: str, old: str, new: str, since: str, removed_in: str
) -> LegacyImageAPIWarning:
    return LegacyImageAPIWarning(text, old=old, new=new, since=since, removed_in=removed_in)


class _State:
    """What is remembered between calls: the stage, the filters last seen, the places used."""

    stage: str | None = None
    filters: Any = None
    first: Any = None
    count: int = -1
    summary_given = False
    #: (old name, file, line) of every place that was seen
    sites: dict[tuple[str, str, int], None]


_State.sites = {}
#: of each old name: a place in code -> where it is counted, and the code, which must not go
_Quiet = dict[tuple[int, int], tuple[int, CodeType]]
_remembered: list[_Quiet] = []
_MOST_PLACES = 4096


def stage() -> str:
    """The stage in force: set by :func:`set_stage`, else ``NOVA_IMAGE_LEGACY``, else the option, else ``all``.

    :raises ValueError: the environment names no stage
    """
    if _State.stage is not None:
        return _State.stage
    name = os.environ.get('NOVA_IMAGE_LEGACY') or _configured('legacy') or 'all'
    if name not in STAGES:
        raise ValueError(
            f'NOVA_IMAGE_LEGACY is {name!r}, expected one of {", ".join(STAGES)}; unset it for "all"'
        )
    return name


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options of this package, for oslo-config-generator."""
    return [('image', [STAGE_OPT, LEDGER_OPT])]


def _configured(option: str) -> str | None:
    try:
        value = cfg.CONF.image[option]
    except (cfg.Error, KeyError):  # nobody has registered it: the old module was never imported
        return None
    return None if value is None else str(value)


def set_stage(name: str | None) -> None:
    """Choose a stage for this process; None goes back to environment and options. Forgets all places."""
    if name is not None and name not in STAGES:
        raise ValueError(f'stage {name!r} is not one of {", ".join(STAGES)}')
    _State.stage = name
    _State.summary_given = False
    _forget()


def sites() -> list[tuple[str, str, int]]:
    """The places that used an old name so far: (old name, file, line), sorted."""
    return sorted(_State.sites)


def _forget() -> None:
    for places in _remembered:
        places.clear()
    filters = warnings.filters
    _State.filters, _State.count = filters, len(filters)
    _State.first = filters[0] if filters else None


class _Bound(wrapt.BoundFunctionWrapper[..., Any]):
    """A deprecated method bound to its object; pickles and copies as a bound method does."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        owner = getattr(self, '__self__', None)
        if owner is None:
            return _find, (self.__module__, self.__qualname__)
        return getattr, (owner, self.__name__)

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(4)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        owner = getattr(self, '__self__', None)
        if owner is None or isinstance(owner, type):
            return self
        return getattr(copy.deepcopy(owner, memo), self.__name__)


class Deprecated(wrapt.FunctionWrapper[..., Any]):
    """A function or method of the old API; pickles by name and copies to itself, as functions do."""

    __bound_function_wrapper__ = _Bound
    _self_old_name = ''  # no annotation: it would hide those of the function

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _find, (self.__module__, self.__qualname__)

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(4)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


def _find(module: str, qualname: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in qualname.split('.'):
        found = getattr(found, part)
    return found


def deprecated(name: str) -> Callable[[F], F]:
    """Decorate the implementation of an old name; calls from outside our packages warn.

    :param name: key of the table, which is read when the first warning is due (a test checks the names)
    """
    quiet: _Quiet = {}
    _remembered.append(quiet)
    state, here, getframe, straight = _State, ledger.Here, sys._getframe, _STRAIGHT

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        frame = getframe(1)
        filters = warnings.filters
        known = quiet.get((id(frame.f_code), frame.f_lasti))
        if (
            known is not None
            and filters is state.filters
            and len(filters) == state.count
            and (not filters or filters[0] is state.first)
        ):
            here.counts[known[0]] += 1
            return wrapped(*args, **kwargs)
        slot = _announce(name, frame)
        if slot is not None and straight:
            if len(quiet) >= _MOST_PLACES:
                quiet.clear()
            quiet[id(frame.f_code), frame.f_lasti] = slot, frame.f_code
        return wrapped(*args, **kwargs)

    def decorate(function: F) -> F:
        marked = Deprecated(function, wrapper)
        marked._self_old_name = name
        return cast('F', marked)

    return decorate


def _filters_changed() -> bool:
    filters = warnings.filters
    return not (
        filters is _State.filters
        and len(filters) == _State.count
        and (not filters or filters[0] is _State.first)
    )


def _announce(name: str, frame: FrameType) -> int | None:
    """Warn of one call at its caller and count it; where to count from now on if the place stays quiet."""
    if _filters_changed():
        _forget()
    caller = _caller(frame)
    if caller is None:  # our own code calls through the old names for the seams' sake; nobody to tell
        return ledger.NOBODY if frame.f_code.co_filename.startswith(_HERE) else None
    _ask_for_ledger()
    code = caller.f_code
    slot = ledger.slot((name, code.co_filename, code.co_qualname))
    ledger.Here.counts[slot] += 1
    now = stage()
    _State.sites[name, code.co_filename, caller.f_lineno] = None
    quiet = _warn(name, caller, now)
    return slot if quiet and caller is frame else None


def _caller(frame: FrameType) -> FrameType | None:
    """The frame a call is to be blamed on: the first that is not wrapt's or the standard library's.

    None if that is our own code. What a thread or a pool runs has no such frame: then it is the innermost.
    """
    first: FrameType | None = frame
    while first is not None and first.f_code.co_filename.startswith(_WRAPT):
        first = first.f_back
    caller = first
    while caller is not None and _is_stdlib(caller.f_code.co_filename):
        caller = caller.f_back
    caller = caller or first
    return None if caller is None or caller.f_code.co_filename.startswith(_HERE) else caller


def _is_stdlib(file: str) -> bool:
    return file.startswith(_STDLIB) and '-packages' not in file


def _ask_for_ledger() -> None:
    if ledger.Here.path is None:
        path = os.environ.get('NOVA_IMAGE_LEGACY_LEDGER') or _configured('legacy_ledger')
        if path:
            ledger.begin(path)


def _warn(name: str, caller: FrameType, now: str) -> bool:
    """Do what the stage says of a call; True when the place stays quiet from now on."""
    if now == 'silent':
        return True
    from legacy.names import NAMES, message

    entry = NAMES[name]
    text = message(entry)
    if _is_stdlib(caller.f_code.co_filename):
        text += '; a thread or a pool called it, the place that handed it over is not known'
    if now == 'summary':
        if _State.summary_given:
            return True
        _State.summary_given = True
        atexit.unregister(_list_sites)  # after a change of stage: one list is enough
        atexit.register(_list_sites)
        text = f'old image names are in use, the first is: {text}. NOVA_IMAGE_LEGACY=all shows every place'
    note = LegacyImageAPIWarning(
        text, old=entry.name, new=entry.new, since=entry.since, removed_in=entry.removed_in
    )
    if now == 'error':
        raise note
    where = caller.f_globals
    module = str(where.get('__name__') or '<unknown>')
    action = _action(text, module, caller.f_lineno)
    warnings.warn_explicit(
        note,
        None,
        caller.f_code.co_filename,
        caller.f_lineno,
        module,
        where.setdefault('__warningregistry__', {}),
    )
    return action not in ('always', 'all', 'error')


def _action(text: str, module: str, line: int) -> str:
    """What Python's filters say of this warning; only to know whether the place may be remembered."""
    for action, pattern, category, where, number in warnings.filters:
        if (
            _matches(pattern, text)
            and issubclass(LegacyImageAPIWarning, category)
            and _matches(where, module)
            and number in (0, line)
        ):
            return str(action)
    return str(getattr(warnings, 'defaultaction', 'default'))


def _matches(pattern: Any, text: str) -> bool:
    """A filter's pattern: none, compiled, or (the filters Python starts with) the whole text."""
    if pattern is None:
        return True
    return bool(pattern == text if isinstance(pattern, str) else pattern.match(text))


def _list_sites() -> None:
    from legacy.names import NAMES

    print(f'{len(_State.sites)} places use old image names:', file=sys.stderr)
    for name, file, line in sites():
        print(f'  {file}:{line}: {name}: use {NAMES[name].new}', file=sys.stderr)
