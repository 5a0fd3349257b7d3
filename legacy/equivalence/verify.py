# SPDX-License-Identifier: Apache-2.0
"""``nova-image verify``: replay the recorded answers and say, per set, what agrees.

A case is *identical* when no deviation touched its expectation, *excused* by every deviation that did,
and *different* otherwise. A deviation that explains nothing in a full run is an error, so that the list
only ever shrinks (D-19).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legacy import deviations
from legacy.equivalence.compare import Difference, differences
from legacy.equivalence.decode import GOLDEN, load

PLACES = ['seams', 'driver', 'local', 'glance']
FRONTENDS = ['service', 'legacy-api', 'api']

#: What a case is expected to come to and which deviations say so, and what it came to.
Answers = tuple[dict[str, Any], list[int], dict[str, Any]]
#: What is known of the format of recorded answers (``golden/FORMAT.md`` section 1).
RELEASES = {'boundary': ('2014.1', '14.0.0'), 'wire': ('14.0.0', '34.0.0')}
FIELDS = {
    'boundary': {'id', 'release', 'kind', 'group', 'covers', 'input', 'expect', 'flags', 'python2'},
    'wire': {'id', 'release', 'kind', 'program', 'covers', 'input', 'expect', 'frontend', 'server'},
}
_OPTIONAL = {'python2', 'covers'}


@dataclass
class Tally:
    """The outcome of one set."""

    name: str
    cases: int = 0
    identical: int = 0
    different: int = 0
    excused: Counter[int] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    findings: list[tuple[dict[str, Any], list[Difference]]] = field(default_factory=list)
    #: cases that cannot be run at this place, by reason
    left_out: Counter[str] = field(default_factory=Counter)
    #: steps whose expectation is the recording's or computed from it, and those that another run of ours answered
    steps: int = 0
    elsewhere: int = 0

    def row(self) -> str:
        """One line of the table."""
        excused = self.cases - self.identical - self.different
        counts = f'{self.cases:>7}{self.identical:>11}{excused:>9}{self.different:>11}'
        return f'{self.name:<40}{counts}{self.seconds:>9.1f}'


def replay(
    name: str, cases: Iterable[dict[str, Any]], answers: Callable[[dict[str, Any]], Answers]
) -> Tally:
    """Run every case and compare."""
    from legacy.equivalence.boundary_plan import NotOverHTTP

    tally, started = Tally(name), time.monotonic()
    for case in cases:
        try:
            expected, touched, observed = answers(case)
            found = list(differences(expected, observed))
        except NotOverHTTP as reason:
            tally.left_out[str(reason)] += 1
            continue
        except Exception as failure:  # noqa: BLE001 - a case that cannot be run is a finding, not the end
            touched, found = [], [Difference('run', 'an answer', f'{type(failure).__name__}: {failure}')]
        tally.cases += 1
        tally.steps += len(case['expect']['steps'])
        if found:
            tally.different += 1
            tally.groups[case.get('group') or case['program']] += 1
            tally.findings.append((case, found))
        elif touched:
            tally.excused.update(touched)
        else:
            tally.identical += 1
    tally.seconds = time.monotonic() - started
    return tally


def boundary(name: str, cases: list[dict[str, Any]]) -> list[Tally]:
    """The cases recorded at the client boundary, at the old seams."""
    from legacy.equivalence.boundary import Runner

    with Runner() as runner:
        return [replay(f'{name} seams', cases, _at(runner, deviations.SEAM))]


def boundary_on_driver(name: str, cases: list[dict[str, Any]]) -> list[Tally]:
    """The same again on the Glance driver over a scripted wire, as far as HTTP can express them (D-15)."""
    from legacy.equivalence.boundary_driver import DriverRunner

    with DriverRunner() as runner:
        return [replay(f'{name} driver', cases, _at(runner, deviations.DRIVER))]


def _at(runner: Any, place: str) -> Callable[[dict[str, Any]], Answers]:
    def answers(case: dict[str, Any]) -> Answers:
        expected, touched = deviations.expectation(case, place)
        expected, observed = runner.both(case, expected)
        return expected, touched, observed

    return answers


def wire_on_local(name: str, cases: list[dict[str, Any]]) -> list[Tally]:
    """The programs that do not need Glance, on the embedded store."""
    from legacy.equivalence import wire

    able = [case for case in cases if not wire.needs_glance(case)]
    print(f'{name}: {len(cases) - len(able)} of {len(cases)} programs run on Glance only')
    return _wire(f'{name} local', able, None)


def wire_on_glance(name: str, cases: list[dict[str, Any]]) -> list[Tally]:
    """All programs, on a real Glance of this machine; none where the ``glance`` extra is missing."""
    from nova_image.testing.servers import GlanceServer, ServerError

    tallies: list[Tally] = []
    for mode in ('noauth', 'tenants'):
        wanted = [case for case in cases if case['server'] == mode]
        if not wanted:
            continue
        try:
            with GlanceServer(mode) as server:
                tallies += _wire(f'{name} {mode}', wanted, server)
        except ServerError as missing:
            print(f'{name} {mode}: not run. {missing}')
    return tallies


def _wire(name: str, cases: list[dict[str, Any]], server: Any) -> list[Tally]:
    from legacy.equivalence import wire, wire_compare

    tallies = []
    for frontend in FRONTENDS:

        programs: list[Any] = []

        def answers(case: dict[str, Any], frontend: str = frontend, programs: list[Any] = programs) -> Answers:
            programs.append(wire.Program(case, frontend, server))
            return wire_compare.answers(programs[-1])

        able = [case for case in cases if frontend in wire.frontends(case)]
        if able:
            tally = replay(f'{name} {frontend}', able, answers)
            tally.elsewhere = sum(len(program.elsewhere) for program in programs)
            tallies.append(tally)
    return tallies


def report(tallies: list[Tally], *, shown: int, whole: bool, differences_shown: int = 6) -> int:
    """Print the table; the exit code."""
    print(f'{"set":<40}{"cases":>7}{"identical":>11}{"excused":>9}{"different":>11}{"seconds":>9}')
    for tally in tallies:
        print(tally.row())
    _print_judges(tallies)
    explained: Counter[int] = Counter()
    for tally in tallies:
        explained.update(tally.excused)
    for entry in deviations.DEVIATIONS:
        counts = ', '.join(
            f'{tally.name}: {tally.excused[entry.number]}'
            for tally in tallies
            if tally.excused[entry.number]
        )
        print(f'deviation {entry.number}: {entry.what} ({counts or "explains nothing here"})')
    for tally in tallies:
        for case, found in tally.findings[:shown]:
            print(f'\n{tally.name} {case["id"]} differs:')
            for difference in found[:differences_shown]:
                print(f'  {difference}')
    idle = [entry.number for entry in deviations.DEVIATIONS if not explained[entry.number]]
    if whole and idle:
        print(f'deviations that explain nothing any more, to be removed: {idle}')
    different = sum(tally.different for tally in tallies)
    return 1 if different or (whole and idle) else 0


def _print_judges(tallies: list[Tally]) -> None:
    """By what the steps were judged, and which cases could not be run at a place."""
    for tally in tallies:
        judged = f'{tally.steps - tally.elsewhere} steps judged by the recording'
        print(f'{tally.name}: {judged}, {tally.elsewhere} by another run of ours')
    for tally in tallies:
        if tally.left_out:
            total = tally.left_out.total()
            print(f'{tally.name}: {total} of {total + tally.cases} cases cannot be expressed over HTTP:')
            for reason, count in tally.left_out.most_common():
                print(f'  {count:>5}  {reason}')


def checked(case: Any) -> dict[str, Any]:
    """A case of the known format.

    :raises ValueError: it is of another one; says in what
    """
    if not isinstance(case, dict) or not isinstance(case.get('id'), str):
        raise ValueError('a line is no case: it has no id')  # noqa: TRY004 - of the file, not of an argument
    kind, release = case.get('kind'), case.get('release')
    if kind not in RELEASES or release not in RELEASES[kind]:
        known = ', '.join(f'{each} of {" or ".join(releases)}' for each, releases in RELEASES.items())
        raise ValueError(f'case {case["id"]} is {kind!r} of release {release!r}; known are {known}')
    unknown, missing = case.keys() - FIELDS[kind], FIELDS[kind] - _OPTIONAL - case.keys()
    if unknown or missing:
        words = [f'has no {name!r}' for name in sorted(missing)] + [f'has the unknown {name!r}' for name in sorted(unknown)]
        raise ValueError(f'case {case["id"]} is of another version of the format: it {", ".join(words)}')
    if len(case['expect']['steps']) != len(case['input']['steps']):
        raise ValueError(f'case {case["id"]} has not one expected answer for each step')
    return case


def main(argv: list[str]) -> int:
    """The command: replay the given files, or all that come with the package."""
    parser = argparse.ArgumentParser(prog='nova-image verify', description=__doc__)
    parser.add_argument('--golden', nargs='+', type=Path, metavar='FILE', help='recorded answers')
    parser.add_argument('--group', help='only this group or program')
    parser.add_argument('--id', help='only cases whose id contains this')
    parser.add_argument(
        '--on',
        nargs='+',
        choices=PLACES,
        default=PLACES,
        help='where: old seams, Glance driver over a scripted wire, local store, real Glance',
    )
    parser.add_argument('--show', type=int, default=5, help='differing cases to print per set')
    given = parser.parse_args(argv)
    files = given.golden or sorted(GOLDEN.glob('*.jsonl.gz'))
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        print(f'nova-image verify: no such file: {", ".join(missing)}', file=sys.stderr)
        return 2
    tallies: list[Tally] = []
    for path in files:
        try:
            cases = [case for case in map(checked, load(path)) if _wanted(case, given)]
        except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError) as error:
            print(f'nova-image verify: {path} holds no recorded answers that can be used: {_told(error)}', file=sys.stderr)
            return 2
        tallies += _replay_file(path, cases, given.on)
    if not any(tally.cases for tally in tallies):
        print('nova-image verify: nothing was replayed: no case is of that kind', file=sys.stderr)
        return 2
    whole = not (given.golden or given.group or given.id) and given.on == PLACES
    return report(tallies, shown=given.show, whole=whole)


def _told(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    if isinstance(error, EOFError):
        return 'it is cut off'
    if isinstance(error, json.JSONDecodeError):
        return f'a line is no JSON ({error})'
    return str(error) if isinstance(error, (OSError, ValueError)) else f'{type(error).__name__}: {error}'


def _wanted(case: dict[str, Any], given: argparse.Namespace) -> bool:
    family = case.get('group') or case.get('program')
    return (not given.group or family == given.group) and (not given.id or given.id in case['id'])


def _replay_file(path: Path, cases: list[dict[str, Any]], places: list[str]) -> list[Tally]:
    name = path.name.removesuffix('.jsonl.gz')
    on_boundary = [case for case in cases if case['kind'] == 'boundary']
    on_wire = [case for case in cases if case['kind'] == 'wire']
    if on_wire:
        from legacy.equivalence import wire_compare

        wire_compare.LATER_IN = [path.resolve().parent, GOLDEN]
    tallies: list[Tally] = []
    if on_boundary and 'seams' in places:
        tallies += boundary(name, on_boundary)
    if on_boundary and 'driver' in places:
        tallies += boundary_on_driver(name, on_boundary)
    if on_wire and 'local' in places:
        tallies += wire_on_local(name, on_wire)
    if on_wire and 'glance' in places:
        tallies += wire_on_glance(name, on_wire)
    return tallies


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
