# SPDX-License-Identifier: Apache-2.0
"""``tox -e mutation``: plant one fault at a time in a copy of the tree, and see which detector finds it.

    python tests/mutation/run.py [--faults] [--seeded] [--seed N] [--only NAME] [--jobs N] [--results FILE]

The checkout is never touched. First it is measured, once for a state of the tree, which case of which detector
executes which line; a fault is then shown to the cases that execute its lines, a sample first, the cheap ones
first, until one finds it. Exit 1 where less than 95 % are found or a survivor has no explanation.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import mutants
import planted_new
import planted_old
import seeded
import survivors
from detectors import CONFORMANCE, ORDER
from mutants import Mutant

LEAST = 0.95
#: cases of each detector that a fault is shown to, round by round
ROUNDS: tuple[Mapping[str, int], ...] = (
    {'seams': 25, 'driver': 25, 'wire': 8, 'twin': 12, 'conformance': 15},
    {'seams': 100, 'driver': 100, 'wire': 30, 'twin': 60, 'conformance': 100},
    {'seams': 600, 'driver': 600, 'wire': 200, 'twin': 250, 'conformance': 800},
    {'glance wire': 40, 'glance twin': 20, 'glance conformance': 80, 'glance keystone conformance': 40},
)
MUTANT_SECONDS = 1800
MEASURE_SECONDS = 1800
_COPIED = ('nova_image', 'legacy', 'tests', 'tox.ini')


class Copy:
    """A copy of the tree, and the warm process beside it."""

    def __init__(self, root: Path) -> None:
        place = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.path = Path(tempfile.mkdtemp(prefix='nova-image-mutation-', dir=place))
        for name in _COPIED:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, self.path / name, ignore=shutil.ignore_patterns('__pycache__', '.*'))
            else:
                shutil.copy(source, self.path / name)
        environment = {**os.environ, 'PYTHONPATH': str(self.path), 'TMPDIR': str(self.path)}
        self._host = subprocess.Popen(
            [sys.executable, str(self.path / 'tests/mutation/host.py'), str(self.path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=self.path,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._host.stdin is not None
        self._host.stdin.close()
        try:
            self._host.wait(30)
        except subprocess.TimeoutExpired:
            self._host.kill()
        shutil.rmtree(self.path, ignore_errors=True)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Let a child of the warm process do something."""
        assert self._host.stdin is not None and self._host.stdout is not None
        print(json.dumps(request), file=self._host.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._host.stdout.readline())
        return answer

    def judge(self, mutant: Mutant | None, rounds: list[list[str]]) -> dict[str, Any]:
        """What is found of a fault, planted meanwhile; None: of none. Real Glances are started when it comes to them."""
        answer = self._judge(mutant, [[case for case in cases if not _is_far(case)] for cases in rounds])
        far = [case for cases in rounds for case in cases if _is_far(case)]
        if far and not answer['found'] and self.ask(do='keep')['servers']:
            near, answer = answer['cases'], self._judge(mutant, [far])
            answer['cases'] += near
        return answer

    def _judge(self, mutant: Mutant | None, rounds: list[list[str]]) -> dict[str, Any]:
        if mutant is None:
            return self.ask(do='judge', rounds=rounds, seconds=MUTANT_SECONDS)
        path = self.path / mutant.file
        stat, source = path.stat(), path.read_text(encoding='utf-8')
        path.write_text(mutant.applied(source), encoding='utf-8')
        # Another time than the compiled file beside it was made for; the time of before makes that good again.
        os.utime(path, (stat.st_atime, stat.st_mtime + 1000))
        try:
            return self.ask(do='judge', rounds=rounds, seconds=MUTANT_SECONDS)
        finally:
            path.write_text(source, encoding='utf-8')
            os.utime(path, (stat.st_atime, stat.st_mtime))


def _is_far(case: str) -> bool:
    return case.startswith('glance ')


class Reach:
    """Which cases execute which lines."""

    def __init__(self, measured: list[dict[str, Any]]) -> None:
        self.failing: list[str] = [case for each in measured for case in each['failing']]
        broken = {_case_of(text, [each['cases'] for each in measured]) for text in self.failing}
        self.lines: dict[str, dict[int, set[str]]] = {}
        for each in measured:
            for file, lines in each['lines'].items():
                mine = self.lines.setdefault(file, {})
                for line, cases in lines.items():
                    names = {each['cases'][number] for number in cases} - broken
                    mine.setdefault(int(line), set()).update(names)

    def cases(self, mutant: Mutant, source: str) -> set[str]:
        """The cases that execute a changed line; of what runs at import, all that use the function or file."""
        by_line = self.lines.get(mutant.file, {})
        lines = mutant.lines(source)
        for some in (lines, _function(source, lines), by_line):
            found = set().union(*(by_line.get(line, set()) for line in some))
            if found:
                return found
        return set()


def _function(source: str, lines: range) -> range:
    """The lines of the innermost function or class around."""
    best = range(0)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if first <= lines[0] <= (node.end_lineno or first):
                found = range(first, (node.end_lineno or first) + 1)
                best = found if not best or len(found) <= len(best) else best
    return best


def rounds_for(mutant: Mutant, cases: set[str]) -> list[list[str]]:
    """The cases in the order in which they are run: a sample of each detector, then more of each."""
    shuffled: dict[str, list[str]] = {}
    for detector in ORDER:
        mine = sorted(case for case in cases if case.startswith(f'{detector}:'))
        random.Random(mutant.name).shuffle(mine)
        shuffled[detector] = mine
    made = []
    # The old names reach a Glance through the driver only, so nothing more shows there than on the local store.
    for counts in ROUNDS[:-1] if mutant.area.startswith('legacy') else ROUNDS:
        made.append([case for detector in ORDER for case in shuffled[detector][: counts.get(detector, 0)]])
        for detector in ORDER:
            del shuffled[detector][: counts.get(detector, 0)]
    return [cases for cases in made if cases]


def measured(root: Path, kept: Path, jobs: int) -> Reach:
    """The reach of all cases, from a file if this state of the tree was measured before."""
    digest = hashlib.sha256()
    sources = [*(root / 'nova_image').rglob('*.py'), *(root / 'legacy').rglob('*.py')]
    for path in (*sorted(sources), *(root / file for file in CONFORMANCE['conformance']), root / 'tests/mutation/detectors.py'):
        digest.update(path.read_bytes())
    file = kept / f'reach-{digest.hexdigest()[:16]}.json'
    if not file.exists():
        print('measuring which case executes which line', flush=True)
        answers = list(_parallel([('reach', detector) for detector in ORDER], root, jobs))
        broken = [answer for answer in answers if 'lines' not in answer]
        if broken:
            raise SystemExit(f'the detectors cannot be run on the tree as it is: {broken}')
        file.write_text(json.dumps(answers), encoding='utf-8')
    return Reach(json.loads(file.read_text(encoding='utf-8')))


def _parallel(tasks: Iterable[tuple[Any, Any]], root: Path, jobs: int) -> Iterator[dict[str, Any]]:
    """Answers of so many copies at once, as they come: to ``('reach', detector)`` or ``(mutant, rounds)``."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)

    def work() -> None:
        try:
            with Copy(root) as copy:
                while True:
                    one, other = waiting.get_nowait()
                    done.put(_answer(copy, one, other))
        except queue.Empty:
            done.put(None)
        except BaseException as error:  # noqa: BLE001 - raised below
            done.put(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    ended = 0
    while ended < jobs:
        answer = done.get()
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            ended += 1
        else:
            yield answer


def _answer(copy: Copy, one: Any, other: Any) -> dict[str, Any]:
    if one == 'reach':
        if _is_far(other) and not copy.ask(do='keep')['servers']:
            return {'cases': [], 'lines': {}, 'failing': []}
        return copy.ask(do='reach', detectors=[other], seconds=MEASURE_SECONDS)
    begun = time.monotonic()
    answer = copy.judge(one, other)
    while (case := _case_of(answer['found'], other)) is not None:
        disturbed = _case_of(copy.judge(None, _until(other, case))['found'], other)
        if disturbed is None:
            break
        # The same cases find something without a fault, too: a disturbance, of this host or by a case before, no finding.
        other = [[each for each in cases if each != disturbed] for cases in other]
        answer = copy.judge(one, other)
    return {
        'name': one.name, 'file': one.file, 'area': one.area, 'breaks': one.breaks, **answer,
        'seconds': round(time.monotonic() - begun, 1),
    }  # fmt: skip


def _case_of(found: str | None, rounds: Iterable[Iterable[str]]) -> str | None:
    """The case that found something."""
    return next((case for cases in rounds for case in cases if found and found.startswith(f'{case}: ')), None)


def _until(rounds: list[list[str]], case: str) -> list[list[str]]:
    """What ran before a case, and the case."""
    last = next(number for number, cases in enumerate(rounds) if case in cases)
    return [*rounds[:last], rounds[last][: rounds[last].index(case) + 1]]


def report(results: list[dict[str, Any]]) -> int:
    """Print found / planted by area, detectors, and survivors; the exit code."""
    unexplained = 0
    print(f'\n{"area":<20}{"planted":>9}{"found":>7}{"overlooked":>12}{"equivalent":>12}{"share":>8}')
    total: Counter[str] = Counter()
    for area in (*mutants.AREAS, 'all'):
        mine = [each for each in results if area in ('all', each['area'])]
        counts = Counter(_kind(each) for each in mine)
        if mine:
            counted = len(mine) - counts['equivalent']
            share = counts['found'] / counted if counted else 1.0
            row = f'{len(mine):>9}{counts["found"]:>7}{counts["overlooked"]:>12}{counts["equivalent"]:>12}'
            print(f'{area:<20}{row}{share:>8.1%}')
        if area == 'all':
            total = counts
    print('\nfound by', dict(Counter(_detector(each['found']) for each in results if each['found'])))
    for each in results:
        if not each['found']:
            why = survivors.explained(each['name'])
            unexplained += why is None
            print(f'\nsurvivor: {each["name"]}\n  {each["breaks"]}\n  {why.why if why else "NOT EXPLAINED"}')
    counted = len(results) - total['equivalent']
    short = counted and total['found'] / counted < LEAST
    return 1 if unexplained or short else 0


def _kind(result: Mapping[str, Any]) -> str:
    if result['found']:
        return 'found'
    why = survivors.explained(result['name'])
    return 'equivalent' if why is not None and why.equivalent else 'overlooked'


def _detector(found: str) -> str:
    return found.partition(':')[0] + (' (hang)' if 'hangs' in found else '')


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog='tox -e mutation --', description=__doc__)
    parser.add_argument('--faults', action='store_true', help='only those written by hand')
    parser.add_argument('--seeded', action='store_true', help='only those of the operators')
    parser.add_argument('--seed', type=int, default=seeded.SEED, help='for others than those that survivors are explained of')
    parser.add_argument('--only', metavar='NAME', help='only those whose name contains this')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    parser.add_argument('--results', type=Path, help='JSON lines, one fault each; those in it are not run again')
    given = parser.parse_args(argv)
    kept = Path(os.environ.get('TOX_ENV_DIR') or Path(tempfile.gettempdir()) / 'nova-image-mutation-kept')
    kept.mkdir(parents=True, exist_ok=True)
    root = mutants.ROOT
    reach = measured(root, kept, given.jobs)
    for case in reach.failing:
        print(f'left out, since it finds something without any fault: {case}')
    planted: list[Mutant] = [] if given.seeded else [*planted_new.FAULTS, *planted_old.FAULTS]
    if not given.faults:
        planted += seeded.picked(root, reach.lines, given.seed)
    planted = [each for each in planted if not given.only or given.only in each.name]
    results: list[dict[str, Any]] = []
    if given.results and given.results.exists():
        known = {each.name for each in planted}
        read = map(json.loads, given.results.read_text(encoding='utf-8').splitlines())
        results = [each for each in read if each['name'] in known]
    ran = {each['name'] for each in results}
    sources = {each.file: (root / each.file).read_text(encoding='utf-8') for each in planted}
    tasks = [
        (each, rounds_for(each, reach.cases(each, sources[each.file]))) for each in planted if each.name not in ran
    ]
    for result in _parallel(tasks, root, min(given.jobs, len(tasks) or 1)):
        results.append(result)
        said = result['found'] or f'SURVIVES {result.get("broken", "")}'
        print(f'{len(results)}/{len(planted)} {result["name"]} [{result["seconds"]} s]: {said[:150]}', flush=True)
        if given.results:
            with given.results.open('a', encoding='utf-8') as out:
                print(json.dumps(result), file=out)
    return report(results)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
