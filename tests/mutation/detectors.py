# SPDX-License-Identifier: Apache-2.0
"""The three kinds of detectors, cut into cases that can be run one by one (no unit test is among them).

The golden replay (``seams``, ``driver``, ``wire``), the conformance suite on the local store and over
HTTP, and programs of the twin machine. A case has an id, ``detector:what``; running it says what differs, or None.
Everything of the packages is imported on first use, from wherever the tree under test is.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

#: in the order in which they are asked: the cheap ones first
ORDER = (
    'seams', 'driver', 'wire', 'twin', 'conformance', 'glance wire', 'glance twin', 'glance conformance',
    'glance keystone conformance',
)  # fmt: skip
PAIRS = (
    'paths', 'paths without authentication', 'releases: by position and by name', 'releases: first and second class',
    'releases: service and API', 'paths on a failing server', 'spellings of one configuration', 'a client of v1',
    'a client of v2', 'direct calls of a client of v1', 'steps that forks call',
)  # fmt: skip
#: Programs in the words of every era, on both paths; and a service around a client of the caller's own (v1's stub).
ERAS = ('eras', 'eras without authentication')
CLIENTS = ('client bare', 'client wrapper', 'client host')
PAIRS_ON_GLANCE = ('stores', 'stores with projects')
PROGRAMS_PER_PAIR = 60
#: these are quick, and have more to choose from
PROGRAMS_ON_FAULTY = 100
PROGRAMS_OF_A_SEED = 20
CONFORMANCE: Mapping[str, tuple[str, ...]] = {
    'conformance': ('tests/nova_image/test_conformance_local.py', 'tests/nova_image/test_conformance_http.py'),
    'glance conformance': ('tests/nova_image/test_conformance_glance.py::TestGlanceWithoutAuthentication',),
    'glance keystone conformance': ('tests/nova_image/test_conformance_glance.py::TestGlanceWithKeystone',),
}
CASE_SECONDS = 60

Case = str
#: Called with a case just before it runs, while coverage is measured.
Announce = Callable[[Case], None]


class Hang(BaseException):
    """A case did not come to an end; no ``except Exception`` of the code under test may keep it."""


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def ring(number: int, frame: Any) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(CASE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Detectors:
    """All cases, and how each is run.

    :param root: the tree whose packages are on ``sys.path``
    :param recorded: the golden cases by file name
    :param glances: what is known of the real Glances that run, see ``glances.py``
    """

    def __init__(self, root: Path, recorded: dict[str, list[dict[str, Any]]], glances: Mapping[str, Any]) -> None:
        self._root = root
        if glances:
            import glances as real

            real.attach(dict(glances))
        self._recorded = recorded
        self._stack = contextlib.ExitStack()
        self._servers: dict[str, Any] = {}
        self._drawn: dict[str, list[Any]] = {}
        self._by_id: dict[str, dict[str, Any]] | None = None

    def close(self) -> None:
        self._stack.close()

    # -- the cases --------------------------------------------------------------------------------

    def cases(self, detector: str) -> list[Case]:
        """The ids of a detector's cases, in the order of their files."""
        if detector in ('seams', 'driver'):
            names = ('boundary-2014.1', 'boundary-14.0.0')
            return [f'{detector}:{case["id"]}' for name in names for case in self._recorded[name]]
        if detector in ('wire', 'glance wire'):
            from legacy.equivalence import wire

            able = [case for name in ('wire-14.0.0', 'wire-34.0.0') for case in self._recorded[name]]
            if detector == 'wire':
                able = [case for case in able if not wire.needs_glance(case)]
            return [f'{detector}:{frontend}:{case["id"]}' for case in able for frontend in wire.frontends(case)]
        if detector in ('twin', 'glance twin'):
            pairs, most = ((*PAIRS, *ERAS, *CLIENTS), None) if detector == 'twin' else (PAIRS_ON_GLANCE, 25)
            return [f'{detector}:{pair}:{n}' for pair in pairs for n in range(len(self._programs(pair)[:most]))]
        listed: list[str] = []
        files = [f'{self._root}/{file}' for file in CONFORMANCE[detector]]
        self._pytest(['--collect-only', '-q', *files], _Collector(listed))
        return [f'{detector}:{node}' for node in listed]

    # -- running them -----------------------------------------------------------------------------

    def first(self, cases: Sequence[Case], announce: Announce | None = None, *, all_of: bool = False) -> list[str]:
        """Run the cases, each with its kind, until one finds something.

        :param announce: told of each case before it runs
        :param all_of: go on after a finding
        :returns: ``case: what it says`` of those that found something
        """
        found: list[str] = []
        for case in cases:
            if _is_test(case):
                continue
            if announce:
                announce(case)
            said = self._bounded_run(case)
            if said:
                found.append(f'{case}: {said}')
                if not all_of:
                    return found
        for detector in CONFORMANCE:
            nodes = [case.partition(':')[2] for case in cases if case.startswith(f'{detector}:')]
            if nodes and (all_of or not found):
                reporter = _Reporter(detector, announce)
                self._pytest([*([] if all_of else ['-x']), *(f'{self._root}/{node}' for node in nodes)], reporter)
                found += reporter.found
        return found if all_of else found[:1]

    def _bounded_run(self, case: Case) -> str | None:
        try:
            with _bounded():
                return self._run(case)
        except Hang:
            return f'hangs: no end after {CASE_SECONDS} s'
        except Exception as error:  # noqa: BLE001 - a case that cannot be run any more found something
            return f'{type(error).__name__}: {error}'[:300]

    def _run(self, case: Case) -> str | None:
        detector, _, what = case.partition(':')
        if detector == 'seams':
            return self._boundary(what, driver=False)
        if detector == 'driver':
            return self._boundary(what, driver=True)
        if detector.endswith('wire'):
            return self._wire(what, real=detector != 'wire')
        return self._twin(*what.rsplit(':', 1))

    def _case(self, name: str) -> dict[str, Any]:
        if self._by_id is None:
            self._by_id = {case['id']: case for cases in self._recorded.values() for case in cases}
        return self._by_id[name]

    def _boundary(self, name: str, *, driver: bool) -> str | None:
        from legacy import deviations
        from legacy.equivalence.boundary import Runner
        from legacy.equivalence.boundary_driver import DriverRunner
        from legacy.equivalence.boundary_plan import NotOverHTTP
        from legacy.equivalence.compare import differences

        place = deviations.DRIVER if driver else deviations.SEAM
        case = self._case(name)
        expected, _ = deviations.expectation(case, place)
        with (DriverRunner if driver else Runner)() as runner:
            try:
                found = list(differences(*runner.both(case, expected)))
            except NotOverHTTP:
                return None
        return str(found[0])[:300] if found else None

    def _wire(self, what: str, *, real: bool) -> str | None:
        from legacy.equivalence import wire, wire_compare
        from legacy.equivalence.compare import differences

        frontend, _, name = what.partition(':')
        case = self._case(name)
        server = self._glance(case['server']) if real else None
        expected, _, observed = wire_compare.answers(wire.Program(case, frontend, server))
        found = list(differences(expected, observed))
        return str(found[0])[:300] if found else None

    def _twin(self, pair: str, number: str) -> str | None:
        from legacy.equivalence import injected, machine, twin, twin_stores

        if pair in (*ERAS, *CLIENTS):
            program = self._programs(pair)[int(number)]
            if pair in ERAS:
                auth = 'keystone' if pair == 'eras' else 'noauth'
                runs = twin_stores.old_on_local(program, auth), twin_stores.new_on_local(program, auth)
            else:
                program = [step._replace(remote=False, href='') for step in program]
                way = pair.partition(' ')[2]
                runs = injected.run_old(program, way), injected.run_new(program, way)
            different = twin.compare(program, *runs)
            return str(different)[:300] if different else None
        if not hasattr(self, '_grounds'):
            self._grounds = self._stack.enter_context(machine.Grounds())
        found = machine.difference(self._programs(pair)[int(number)], *machine.PAIRS[pair], self._grounds)
        return str(found)[:300] if found else None

    def _glance(self, mode: str) -> Any:
        from nova_image.testing.servers import GlanceServer

        if mode not in self._servers:
            self._servers[mode] = self._stack.enter_context(GlanceServer(mode))  # type: ignore[arg-type]
        return self._servers[mode]

    def _programs(self, pair: str) -> list[Any]:
        """Programs of the machine's own rules, the same in each run."""
        from legacy.equivalence import twin_pairs

        sides = twin_pairs.PAIRS.get(pair, ())
        local = sides and all('local' in each for each in sides)
        kind = 'wide' if not sides else 'plain' if local else 'across' if pair in PAIRS_ON_GLANCE else pair
        if kind not in self._drawn:
            self._drawn[kind] = _drawn(sides)
        return self._drawn[kind]

    def _pytest(self, arguments: Iterable[str], plugin: Any) -> None:
        # Hypothesis's plug-in does not like to be loaded after it was used.
        without = ('cacheprovider', 'nova_image_equivalence', 'hypothesispytest')
        options = ['-q', '--assert=plain', '-c', f'{self._root}/tox.ini', f'--rootdir={self._root}']
        options += ['--basetemp', tempfile.mkdtemp(prefix='mutation-')]
        options += [part for name in without for part in ('-p', f'no:{name}')]
        before = os.getcwd()
        os.chdir(self._root)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                code = pytest.main([*options, *arguments], plugins=[plugin])
        finally:
            os.chdir(before)
        if code not in (0, 1) and not getattr(plugin, 'found', ()):
            raise RuntimeError(f'pytest ended with {int(code)} and no finding')


def _is_test(case: Case) -> bool:
    return case.partition(':')[0] in CONFORMANCE


def _drawn(sides: Sequence[str]) -> list[Any]:
    """Programs for a pair of sides; without: in the words of every era."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from legacy.equivalence import twin_pairs, wide

    found: list[Any] = []

    def note(program: list[Any]) -> None:
        found.append(program)

    most = PROGRAMS_ON_FAULTY if any('faulty' in each for each in sides) else PROGRAMS_PER_PAIR
    few = settings(
        max_examples=PROGRAMS_OF_A_SEED, database=None, deadline=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    programs = twin_pairs.drawn(*sides) if sides else wide.wide_programs()
    # A seed for every few, the same in each run: the later examples of one seed are much like the earlier ones.
    for number in range(most // PROGRAMS_OF_A_SEED):
        seed(zlib.crc32(f'{sides} {number}'.encode()))(few(given(programs)(note)))()
    return found


class _Collector:
    """Notes the ids of tests."""

    def __init__(self, listed: list[str]) -> None:
        self._listed = listed

    def pytest_collection_finish(self, session: Any) -> None:
        self._listed += [item.nodeid for item in session.items]


class _Reporter:
    """Notes failing tests; a test that hangs fails."""

    def __init__(self, detector: str, announce: Announce | None) -> None:
        self._detector = detector
        self._announce = announce
        self.found: list[str] = []

    def pytest_runtest_setup(self, item: Any) -> None:
        if self._announce:
            self._announce(f'{self._detector}:{item.nodeid}')

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        with _bounded():
            return (yield)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            said = getattr(getattr(report.longrepr, 'reprcrash', None), 'message', str(report.longrepr))
            self.found.append(f'{self._detector}:{report.nodeid}: {said}'[:300])

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.found.append(f'{self._detector}:{report.nodeid}: {report.longrepr}'[:300])
