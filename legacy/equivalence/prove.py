# SPDX-License-Identifier: Apache-2.0
"""``nova-image prove PATH -- COMMAND...``: rewrite a copy, run COMMAND before and after, compare.

Puts the rooms together: copies (``prove_tree``), running (``prove_run``), reading (``prove_trace``),
comparing (``prove_compare``), deciding (``prove_judge``), telling (``prove_report``). The command is ``prove_cli``.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from legacy.equivalence.prove_baseline import Baseline, load, save
from legacy.equivalence.prove_judge import judge
from legacy.equivalence.prove_report import Proof
from legacy.equivalence.prove_run import CHILDREN_SECONDS, Side
from legacy.equivalence.prove_runs import Runner, recorded
from legacy.equivalence.prove_stores import stores
from legacy.equivalence.prove_trace import executed, raised
from legacy.equivalence.prove_tree import CannotProve, copy_tree, root_of
from legacy.migrate import FileResult, Result

#: What is rewritten only when it is asked for, as in ``nova-image migrate``.
MOVING = {
    'tests': 'doubles of tests',
    'errors': 'image classes of nova.exception',
    'api': "imports of upstream's later API",
}
DRIVERS = ('local', 'glance')


def prove(
    path: str,
    command: Sequence[str],
    *,
    root: str | None = None,
    driver: str = 'local',
    timeout: float | None = None,
    keep: bool = False,
    repeat: int = 1,
    baseline: str | None = None,
    moving: frozenset[str] = frozenset(),
) -> Proof:
    """Do the whole proof; see the module. Nothing of the user's tree is written.

    :param root: tree to copy; default the git top level around ``path``, else its directory
    :param repeat: how often each side runs
    :param baseline: file with a recording of the old side, or to record it in
    :param moving: what of :data:`MOVING` is rewritten, too
    :raises CannotProve: bad input; the text is one line
    """
    target = Path(path)
    if not target.exists():
        raise CannotProve(f'{path} does not exist; give a file or directory')
    _check(driver, timeout, repeat, moving)
    target = target.resolve()
    top, cwd = root_of(target, root), Path.cwd()
    place = Path(tempfile.mkdtemp(prefix='nova-image-prove-')).resolve()
    try:
        old, new = Side('old', place / 'old'), Side('new', place / 'new')
        for side in (old, new):
            side.place.mkdir()
            copy_tree(top, side.tree, place)
        migration = migrate(new.tree, target.relative_to(top), moving)
        words = {'--root': root, '--driver': driver if driver != 'local' else None, '--baseline': baseline,
                 '--repeat': repeat if repeat > 1 else None, '--timeout': timeout}  # fmt: skip
        options = [word for name, value in words.items() if value is not None for word in (name, str(value))]
        proof = Proof(path, command, driver, migration, [*options, *(f'--{name}' for name in sorted(moving))])
        proof.unproven = _unrunnable(migration)
        proof.baseline = load(baseline) if baseline else None
        if proof.baseline is not None:
            _fits(proof, proof.baseline, str(baseline))
        if proof.baseline is None and not any(site.status == 'rewritten' for site in migration.sites):
            proof.reasons.append(_why_none(migration, path))
            return proof
        migration.write()
        _compare_runs(proof, old, new, top, cwd, Asked(repeat, timeout, baseline))
        if keep:
            proof.notes.append(f'the copies, recordings and stores are kept in {place}')
        return proof
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


def _check(driver: str, timeout: float | None, repeat: int, moving: frozenset[str]) -> None:
    """Refuse what the command line refuses; the marker on tests comes here without it."""
    if driver not in DRIVERS:
        raise CannotProve(f'no driver {driver!r}; there are {", ".join(DRIVERS)}')
    if repeat < 1:
        raise CannotProve(f'{repeat!r} is no number of times; give 1 or more')
    if timeout is not None and not timeout > 0:
        raise CannotProve(f'{timeout!r} is no number of seconds; give more than 0')
    for name in sorted(set(moving) - set(MOVING)):
        raise CannotProve(f'{name!r} cannot be rewritten besides; there are {", ".join(MOVING)}')


def _fits(proof: Proof, recording: Baseline, file: str) -> None:
    """Whether the recording is of this program, as far as anybody can tell."""
    if recording.driver not in (proof.driver, None):
        raise CannotProve(
            f'--baseline {file} was recorded on the driver {recording.driver}; give --driver {recording.driver}, '
            'or remove it to record anew'
        )
    if recording.command != list(proof.command):
        proof.notes.append(f'{file} was recorded of another COMMAND: {shlex.join(recording.command)}')


@dataclass(frozen=True)
class Asked:
    """How the runs are to be made."""

    repeat: int
    timeout: float | None
    baseline: str | None


def migrate(tree: Path, path: Path, moving: frozenset[str] = frozenset()) -> Result:
    """Work out the rewrite of ``path`` in the copy ``tree``, by the settings of the tree."""
    from legacy.migrate import run
    from legacy.migrate.options import load

    try:
        tests, errors, api = (name in moving for name in MOVING)
        options = replace(load(tree, {}), tests=tests, errors=errors, api=api)
        return run([tree / path], root=tree, options=options)
    except ValueError as error:  # settings that cannot be read
        raise CannotProve(str(error)) from error
    except ImportError as error:
        raise CannotProve(
            f"rewriting needs {error.name}; install it with: pip install 'nova-image[migrate]'"
        ) from error


def _compare_runs(proof: Proof, old: Side, new: Side, root: Path, cwd: Path, asked: Asked) -> None:
    migration = proof.migration
    with stores(proof.driver) as kind:
        runner = Runner(migration, proof.command, kind, root, cwd, asked.timeout)
        record = asked.baseline is not None and proof.baseline is None
        runs = runner.runs(old, new, asked.repeat, proof.baseline, record=record)
    if record and asked.baseline is not None:
        save(asked.baseline, proof.command, proof.driver, recorded(runs.old))
        proof.notes.append(f'the old program is recorded in {asked.baseline}; later runs are compared with it')
    proof.comparison, proof.often, proof.noise = runs.comparison, runs.often, runs.noise.told
    before, after = runs.old[0], runs.new[0]
    proof.old, proof.new, proof.repeat = before.ended, after.ended, len(runs.new)
    proof.raised = {place: text for run in reversed(runs.new) if run.side for place, text in raised(run.side).items()}
    lines = executed(new, after.operations)
    for name, each in (('old', before), ('new', after)):
        for words in each.ended.left:
            proof.notes.append(
                f'on the {name} side COMMAND left a process running, which was ended after '
                f'{CHILDREN_SECONDS:.0f} s: {words}'
            )
    judge(proof, old, new, before.operations, after.operations, lines)


def _why_none(migration: Result, path: str) -> str:
    if not migration.sites:
        return f'no old call site was found under {path}'
    return f'no call site under {path} could be rewritten'


def _unrunnable(migration: Result) -> list[tuple[str, str]]:
    """Files that no run of this Python can say anything about."""
    found = [(problem.file, problem.why) for problem in migration.problems]
    version = '.'.join(map(str, sys.version_info[:2]))
    for file in _changed(migration):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                compile(file.new_bytes, file.path, 'exec', dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            found.append((file.path, f'Python {version} cannot run it: {error}'))
    return found


def _changed(migration: Result) -> Iterable[FileResult]:
    return (migration.files[name] for name in migration.changed)
