# SPDX-License-Identifier: Apache-2.0
"""Run one program twice, on twin stores, and compare: the law of D-2.

A :class:`Side` runs programs, whole or step by step; what a step calls is in ``twin_calls``, where it goes in
``twin_stores``, and what is left out of a comparison in ``ignored``.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import operator
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from legacy.equivalence.eras import dressed
from legacy.equivalence.ignored import PATHS, Excused, Ignored, compared, kept
from legacy.equivalence.laws import LAWS, Exchange, Law, Seen, broken
from legacy.equivalence.outcome import Failure, Outcome, outcome
from legacy.equivalence.pairing import Mismatch, Pairing, texts
from legacy.equivalence.programs import ABSENT, Body, Program, Reads, Step
from legacy.equivalence.twin_calls import Call


@dataclass
class Run:
    """One run of a program: the outcome of each step, the records in the store afterwards, and which laws were broken."""

    outcomes: list[Outcome] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    broken: list[tuple[Step, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Divergence:
    """Where two runs part: the step (None: the stores at the end) and the places that differ."""

    step: Step | None
    mismatches: tuple[Mismatch, ...]

    def __str__(self) -> str:
        lines = [f'after {self.step!r}' if self.step else 'in the stores at the end']
        lines += [f'  {each.path}: {each.old!r} | {each.new!r}' for each in self.mismatches]
        return '\n'.join(lines)


class Side:
    """Something that runs programs.

    :param contexts: the callers by name
    :param call: makes the call of a step for a context, with arguments by old names
    :param stored: gives all records of the store
    :param around: entered for each call: the old module reads the options of the process
    :param arm: makes the server fail once, where it can (see ``nova_image.testing.faults``)
    :param configure: changes the configuration, where a program may (see ``troubles``)
    :param fit: what a step is on this side
    :param look: tells laws what the store holds and was asked; ``laws``: those that hold here
    :param hurried: do not wait between attempts, see ``outcome``
    :param places: directories where no file may stay open
    :param addresses: host and port of the servers, which go by the name ``<server>`` in what is compared
    :param warned: whether to listen to warnings; False for threads
    """

    def __init__(
        self,
        contexts: Mapping[str, Any],
        call: Call,
        stored: Callable[[], list[dict[str, Any]]],
        *,
        restrict: bool = True,
        around: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
        arm: Callable[[Mapping[str, Any]], None] | None = None,
        places: Sequence[str] = (),
        addresses: Sequence[str] = (),
        warned: bool = True,
        configure: Callable[[Mapping[str, Any]], None] | None = None,
        fit: Callable[[Step], Step] = lambda step: step,
        look: Callable[[], Exchange] = Exchange,
        laws: Sequence[Law] = LAWS,
        hurried: bool = False,
    ) -> None:
        self.contexts = contexts
        self.call = call
        self.stored = stored
        self.restrict = restrict
        self.around = around
        self.arm = arm
        self.places = places
        self.addresses = addresses
        self.warned = warned
        self.configure = configure
        self.fit = fit
        self.look = look
        self.laws = laws
        self.hurried = hurried

    def run(self, program: Program) -> Run:
        """Run all steps, whatever comes out of them."""
        with self.session() as session:
            for step in program:
                session.do(step)
        session.finish()
        return session.found

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Run steps one by one."""
        with tempfile.TemporaryDirectory() as directory:
            yield Session(self, directory)


class Session:
    """A program under way; ``found`` is what came out so far."""

    def __init__(self, side: Side, directory: str) -> None:
        self.found = Run()
        self._side = side
        self._directory = directory
        self._made: list[str] = []

    def do(self, step: Step) -> Outcome:
        """Run one more step."""
        step = self._side.fit(step)
        if step.op in ('fault', 'configure'):
            tell = self._side.arm if step.op == 'fault' else self._side.configure
            assert tell is not None, f'only a server that fails on demand understands {step.op!r}'
            tell(step.arguments)
            result = Outcome()
        else:
            before = self._side.look()
            with self._side.around():
                result = self._call(step)
            seen = Seen(step, result, before, self._side.look())
            self.found.broken += [(step, each) for each in broken(seen, self._side.laws)]
        if step.op == 'create' and isinstance(result.result, dict):
            self._made.append(result.result['id'])
        for address in self._side.addresses:
            result = _named(result, address)
        self.found.outcomes.append(result)
        return result

    def finish(self) -> None:
        """Look into the store."""
        self.found.stored = self._side.stored()

    def _call(self, step: Step) -> Outcome:
        side, made, path = self._side, self._made, os.path.join(self._directory, 'target')
        arguments = {name: _resolved(name, value, made) for name, value in step.arguments.items()}
        if step.image is not None:
            arguments['image_id'] = _image(step.image, made)
        into = arguments.pop('into', None)
        sink = io.BytesIO() if into in ('object', 'both') else None
        if sink is not None:
            arguments['data'] = sink
        if into in ('path', 'both'):
            arguments['dst_path'] = path
        context = dressed(side.contexts[step.who], step.era)
        before = _held(context, arguments)
        got: list[bytes] = []

        def call() -> Any:
            result = side.call(step, context, arguments)
            if into == 'iterator':
                got.extend(result)
                return None
            return result

        found = outcome(
            call, restrict=side.restrict, places=(self._directory, *side.places), warned=side.warned, hurried=side.hurried
        )
        delivered = None
        if into is not None:
            delivered = b''.join(got) if sink is None else sink.getvalue()
            with contextlib.suppress(FileNotFoundError):
                with open(path, 'rb') as target:
                    delivered += b'path:' + target.read()
                os.unlink(path)
        streams = {name: _stream(value) for name, value in arguments.items() if _stream(value) is not None}
        if into == 'iterator':
            streams['chunks'] = [len(chunk) for chunk in got]
        changed = {name: value for name, value in _held(context, arguments).items() if value != before[name]}
        return dataclasses.replace(found, delivered=delivered, streams=streams, arguments=changed)


def _held(context: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's objects as they are now, but for streams, which are there to be read and written."""
    return {
        'context': copy.deepcopy(getattr(context, '__dict__', None)),
        **{
            name: copy.deepcopy(value) if isinstance(value, dict | list) else value
            for name, value in arguments.items()
            if _stream(value) is None
        },
    }


def _stream(value: Any) -> Any:
    """How far a stream is, and whether it is closed; None for what is no stream."""
    if isinstance(value, io.BytesIO):
        return {'closed': value.closed, 'at': None if value.closed else value.tell()}
    if isinstance(value, Reads):
        return {'at': value.position()}
    if isinstance(value, Iterator):
        return {'left': operator.length_hint(value)}
    return None


def _named(value: Any, address: str) -> Any:
    """A value in which the server's address is a name."""
    if isinstance(value, str):
        return value.replace(address, '<server>')
    if isinstance(value, list | tuple):
        return type(value)(_named(each, address) for each in value)
    if isinstance(value, Mapping):
        return {key: _named(each, address) for key, each in value.items()}
    if isinstance(value, Outcome | Failure):
        return dataclasses.replace(value, **_named(vars(value), address))
    return value


def _image(image: int | str, made: Sequence[str]) -> str:
    if isinstance(image, int):
        return made[image % len(made)] if made else ABSENT
    return image


def _resolved(name: str, value: Any, made: Sequence[str]) -> Any:
    if isinstance(value, Body):
        return value.open()
    return _image(value, made) if name == 'marker' else value


def compare(
    program: Program,
    old: Run,
    new: Run,
    *,
    ignored: Iterable[Ignored] = PATHS,
    excused: Sequence[Excused] = (),
    used: list[Excused] | None = None,
) -> Divergence | None:
    """The first place where two runs part, or where either breaks a law; None: there is none.

    :param ignored: places that are not compared
    :param excused: differences that are accepted: comparing ends before one may show, and it is appended to ``used``
    """
    for run in (old, new):
        for step, law in run.broken:
            return Divergence(step, (Mismatch('law', law, 'of the old side' if run is old else 'of the new side'),))
    rules = tuple(ignored)
    pairing = Pairing.between(texts(_texts(old)), texts(_texts(new)))
    for step, left, right in zip(program, old.outcomes, new.outcomes, strict=True):
        found = kept(pairing.compare(compared(left.plain, rules), compared(right.plain, rules)), rules)
        excuse = next((each for each in excused if each.covers(step, left, right)), None)
        if found and (excuse is None or excuse.error):
            return Divergence(step, tuple(found))
        if excuse is not None and (found or excuse.error):
            if used is not None:
                used.append(excuse)
            return None
    twins = {record['id']: record for record in new.stored}
    pairs = [(each, twins.pop(pairing.to_new.get(each['id'], each['id']), None)) for each in old.stored]
    unknown = [each for each, twin in pairs if twin is None]  # to the caller, too: an answer was lost
    rest = zip_longest(unknown, twins.values())
    for each, twin in (*(pair for pair in pairs if pair[1] is not None), *rest):
        found = kept(pairing.compare(each, twin, 'record'), rules)
        if found:
            return Divergence(None, tuple(found))
    return None


def _texts(run: Run) -> list[Any]:
    return [[each.plain for each in run.outcomes], run.stored]
