# SPDX-License-Identifier: Apache-2.0
"""The twin machine: a Hypothesis state machine whose rules are written once and run on two sides (D-2).

The rules are the steps of ``programs`` (one grammar). After each step the outcomes are compared, at the end the
stores. A failure that was shrunk is saved as one test file that runs as it is, with ``python`` or with ``pytest``.

::

    from legacy.equivalence import machine
    machine.run('old@local', 'new@local', examples=200, save='failure.py')     # raises Diverged
"""

from __future__ import annotations

import contextlib
import io
import pprint
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legacy.equivalence.grounds import Grounds, twins
from legacy.equivalence.ignored import Excused
from legacy.equivalence.programs import Program, Step
from legacy.equivalence.twin import Divergence, Session, compare
from legacy.equivalence.twin_pairs import NOT_ACROSS, PAIRS, left_out, rules

__all__ = [
    'NOT_ACROSS', 'PAIRS', 'Diverged', 'Grounds', 'Tally', 'check', 'difference', 'machine', 'run', 'smallest', 'twins',
]  # fmt: skip


class Diverged(AssertionError):
    """The two sides did not do the same; ``program`` shows it."""

    def __init__(self, message: str, program: Program | None = None) -> None:
        super().__init__(message if program is None else f'{message}\nin the program\n{program!r}')
        self.program = list(program or ())


@dataclass
class Tally:
    """What a run of the machine did."""

    programs: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    excused: int = 0
    excuses: Counter[str] = field(default_factory=Counter)


def differs(
    program: Program, left: Session, right: Session, names: tuple[str, str], used: list[Excused] | None = None
) -> Divergence | None:
    """Where two programs under way differ so far."""
    ignored, excused = left_out(*names)
    return compare(program, left.found, right.found, ignored=ignored, excused=excused, used=used)


def difference(program: Program, left: str, right: str, grounds: Grounds) -> Divergence | None:
    """Run one program on both sides, and say where they part."""
    with twins(left, right, grounds) as (one, other):
        for step in program:
            one.do(step)
            other.do(step)
        one.finish()
        other.finish()
        return differs(program, one, other, (left, right))


def check(program: Program, left: str, right: str, grounds: Grounds | None = None) -> None:
    """Run one program on both sides. Saved failures call this.

    :raises Diverged: with the step, and the places that differ
    """
    with contextlib.ExitStack() as stack:
        found = difference(program, left, right, grounds or stack.enter_context(Grounds()))
    if found is not None:
        raise Diverged(f'{left} and {right} differ {found}')


def smallest(program: Program, fails: Callable[[Program], bool]) -> Program:
    """The program with whatever can go gone: steps, then arguments, as long as it still fails.

    Programs are plain data that stays meaningful when cut, so this needs a few dozen runs, and no random ones.
    """
    before = None
    while before != program:
        before = program
        for number in reversed(range(len(program))):
            fewer = [*program[:number], *program[number + 1 :]]
            if fewer and fails(fewer):
                program = fewer
        for number in range(len(program)):
            for simpler in _simpler(program[number]):
                changed = [*program[:number], simpler, *program[number + 1 :]]
                if fails(changed):
                    program = changed
                    break
    return program


def _simpler(step: Step) -> Iterator[Step]:
    for name, value in Step._field_defaults.items():
        if name not in ('arguments', 'image') and getattr(step, name) != value:
            yield step._replace(**{name: value})
    for arguments in _fewer(step.arguments):
        yield step._replace(arguments=arguments)


def _fewer(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The mapping without one of its entries, on whatever level; what a call cannot do without stays."""
    for key, inner in value.items():
        if key not in ('image_meta', 'into', 'kind', 'on', 'code', 'at', 'name', 'store'):
            yield {name: each for name, each in value.items() if name != key}
        if isinstance(inner, Mapping):
            yield from ({**value, key: each} for each in _fewer(inner))


_FILE = '''# SPDX-License-Identifier: Apache-2.0
"""{left} and {right} differ, {where}.

Saved by the twin machine of nova-image. Runs as it is: python {name}, or pytest {name}.
"""

from legacy.equivalence.machine import check
from legacy.equivalence.programs import Body, Step  # noqa: F401

PROGRAM = {program}


def test_both_sides_do_the_same() -> None:
    check(PROGRAM, {left!r}, {right!r})


if __name__ == '__main__':
    test_both_sides_do_the_same()
    print('no difference')
'''


def _save(path: str | Path, program: Program, left: str, right: str, found: Divergence) -> None:
    """Write a failure as a test file."""
    place = ', '.join(each.path for each in found.mismatches[:3])
    where = f'in {place}, after {found.step.op}' if found.step else f'in {place}, in the stores at the end'
    steps = ''.join(f'    {pprint.pformat(step, width=110, sort_dicts=False)},\n' for step in program)
    target = Path(path)
    target.write_text(
        _FILE.format(left=left, right=right, where=where, name=target.name, program=f'[\n{steps}]'), encoding='utf-8'
    )


def machine(
    left: str,
    right: str,
    *,
    grounds: Grounds,
    tally: Tally | None = None,
    only: Sequence[str] = (),
) -> type[Any]:
    """The state machine for two sides, a class for ``run_state_machine_as_test`` or for a test module.

    :param only: operations to have rules for; default all
    :raises ValueError: there is no rule for one of them
    """
    from hypothesis import stateful

    made = dict(rules(left, right))
    begins = {name: made.pop(name) for name in ('first', 'configure') if name in made}
    unknown = [name for name in only if name not in made]
    if unknown:
        raise ValueError(f'no rules for {", ".join(unknown)} between {left} and {right}; there are {", ".join(made)}')
    made = {name: rule for name, rule in made.items() if not only or name in only}
    counted = Tally() if tally is None else tally

    class TwinMachine(stateful.RuleBasedStateMachine):
        """Two sides, and the program that led where they are."""

        def __init__(self) -> None:
            super().__init__()
            self.program: Program = []
            self._stack = contextlib.ExitStack()
            self.left, self.right = self._stack.enter_context(twins(left, right, grounds))
            self._failed = False

        def steps(self, some: Step | Program) -> None:
            for step in some if isinstance(some, list) else [some]:
                self.step(step)

        def step(self, step: Step) -> None:
            self.program.append(step)
            counted.steps[step.op] += 1
            self.left.do(step)
            self.right.do(step)
            self._compare()

        def teardown(self) -> None:
            try:
                if not self._failed:
                    self.left.finish()
                    self.right.finish()
                    used: list[Excused] = []
                    self._compare(used)
                    counted.programs += 1
                    counted.excused += bool(used)
                    counted.excuses.update({each.why for each in used})
            finally:
                self._stack.close()

        def _compare(self, used: list[Excused] | None = None) -> None:
            found = differs(self.program, self.left, self.right, (left, right), used)
            if found is None:
                return
            self._failed = True
            raise Diverged(f'{left} and {right} differ {found}', self.program)

    for name, strategy in made.items():
        setattr(TwinMachine, name, _rule(name, stateful.rule(step=strategy)))
    for name, strategy in begins.items():
        setattr(TwinMachine, name, _rule(name, stateful.initialize(step=strategy)))
    TwinMachine.another = _rule('another', stateful.rule(step=made.get('create', begins['first'])))
    return TwinMachine


def _rule(name: str, made: Callable[[Any], Any]) -> Any:
    def run(self: Any, step: Step | Program) -> None:
        self.steps(step)

    run.__name__ = run.__qualname__ = name
    return made(run)


def run(
    left: str,
    right: str,
    *,
    examples: int = 100,
    length: int = 10,
    save: str | Path | None = None,
    grounds: Grounds | None = None,
    derandomize: bool = True,
    only: Sequence[str] = (),
) -> Tally:
    """Let the machine run.

    :param examples: programs; ``length``: most steps of each
    :param save: file for the failure, made smaller
    :param derandomize: the same programs each time
    :returns: how many programs and steps were run, and what was excused
    :raises Diverged: a difference, with the smallest program that shows it
    """
    from hypothesis import HealthCheck, Phase, settings, stateful

    tally = Tally()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_temporary_in_memory())
        ground = grounds or stack.enter_context(Grounds())
        made: Any = machine(left, right, grounds=ground, tally=tally, only=only)
        asked = settings(
            max_examples=examples, stateful_step_count=length, derandomize=derandomize, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,), print_blob=False,
        )  # fmt: skip
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # its own rendering of the program, in pieces
                stateful.run_state_machine_as_test(made, settings=asked)
        except Diverged as error:
            program = smallest(error.program, lambda some: difference(some, left, right, ground) is not None)
            found = difference(program, left, right, ground)
            if found is None:
                raise  # it does not happen each time; the whole program is all there is to say
            told = f'{left} and {right} differ {found}'
            try:
                if save is not None:
                    _save(save, program, left, right, found)
            except OSError as trouble:  # it may have taken an hour to find
                told = f'{told}\n(it is not saved: {trouble})'
            raise Diverged(told, program) from None
    return tally


@contextlib.contextmanager
def _temporary_in_memory() -> Iterator[None]:
    """Stores in memory where the system has a place for that: nothing there waits for a disk."""
    before = tempfile.tempdir
    if Path('/dev/shm').is_dir():
        tempfile.tempdir = '/dev/shm'
    try:
        yield
    finally:
        tempfile.tempdir = before
