# SPDX-License-Identifier: Apache-2.0
"""``nova-image prove PATH -- COMMAND...``: rewrite a copy, run COMMAND before and after, compare.

Puts the rooms together: copies (``prove_tree``), running (``prove_run``), reading (``prove_trace``),
comparing (``prove_compare``), telling (``prove_report``); and decides what was proven.
"""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from legacy.equivalence import prove_report, report_html
from legacy.equivalence.ending import ended_as_by_ctrl_c
from legacy.equivalence.prove_baseline import Baseline, load, save
from legacy.equivalence.prove_report import Proof
from legacy.equivalence.prove_run import CHILDREN_SECONDS, Side, notes
from legacy.equivalence.prove_runs import Runner, recorded
from legacy.equivalence.prove_stores import stores
from legacy.equivalence.prove_trace import Operation, executed, gaps, raised, span
from legacy.equivalence.prove_tree import CannotProve, copy_tree, root_of
from legacy.migrate import FileResult, Result, Site

_USAGE = 'nova-image prove PATH [OPTION...] -- COMMAND...'
#: What is rewritten only when it is asked for, as in ``nova-image migrate``.
MOVING = {
    'tests': 'doubles of tests',
    'errors': 'image classes of nova.exception',
    'api': "imports of upstream's later API",
}
DRIVERS = ('local', 'glance')
_IMPORTS = frozenset(f'P-0{number}' for number in range(1, 8))


def main(argv: list[str]) -> int:
    """Run ``nova-image prove``; returns 0 proven, 1 something differs, 2 nothing proven or cannot be done."""
    logging.getLogger('nova_image').addHandler(logging.NullHandler())
    try:
        asked, command = _arguments(argv)
        with ended_as_by_ctrl_c():  # COMMAND is in a session of its own, and would go on
            proof = prove(
                asked.path,
                command,
                root=asked.root,
                driver=asked.driver,
                timeout=asked.timeout,
                keep=asked.keep,
                repeat=asked.repeat,
                baseline=asked.baseline,
                moving=frozenset(name for name in MOVING if getattr(asked, name)),
            )
        if asked.json:
            _write_json(asked.json, proof)
        if asked.html:
            _write('--html', asked.html, report_html.page(proof))
        if asked.format == 'json' and asked.json != '-':
            _write_json('-', proof)
        if asked.format == 'json' or asked.json == '-':
            return proof.exit_code
    except CannotProve as error:
        print(f'nova-image prove: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('nova-image prove: interrupted; nothing was proven', file=sys.stderr)
        return 2
    print(prove_report.text(proof), end='')
    if proof.exit_code == 2:
        for file, why in proof.unproven:
            print(f'nova-image prove: {file}: {why}', file=sys.stderr)
    return proof.exit_code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CannotProve(f'{message}; usage: {_USAGE}')


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f'{text!r} is no number of seconds; give more than 0')
    return seconds


def _times(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is no number of times; give 1 or more')
    return int(text)


def _arguments(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = _Parser(
        prog='nova-image prove',
        usage=_USAGE,
        description='Rewrite the old call sites under PATH in a scratch copy, run COMMAND once before '
        'and once after, each on a fresh store, and compare every image operation.',
        epilog='exit status: 0 nothing differs and something was proven; 1 something differs; '
        '2 nothing was proven, or the job could not be done',
    )
    parser.add_argument('path', metavar='PATH', help='file or directory to rewrite (in the copy)')
    parser.add_argument(
        '--root', metavar='DIR', help='tree to copy; default: git top level, else the current directory, else PATH'
    )
    parser.add_argument('--driver', choices=DRIVERS, default='local',
                        help='local: a directory; glance: a throw-away Glance (extra "glance")')  # fmt: skip
    parser.add_argument(
        '--json',
        metavar='FILE',
        help='also write the report as JSON; - for stdout, instead of the table',
    )
    parser.add_argument('--format', choices=('text', 'json'), default='text', help='what goes to stdout')
    parser.add_argument('--html', metavar='FILE', help='also write the report as one HTML page')
    parser.add_argument('--repeat', metavar='N', type=_times, default=1, help='run both sides N times')
    parser.add_argument('--baseline', metavar='FILE', help='compare with the recording in FILE instead of '
                        'running the old side; if there is none, record the old side there')  # fmt: skip
    for name, what in MOVING.items():
        parser.add_argument(f'--{name}', action='store_true', help=f'rewrite {what}, too, as migrate --{name} does')
    parser.add_argument('--timeout', metavar='SECONDS', type=_seconds, help='stop COMMAND after that')
    parser.add_argument('--keep', action='store_true', help='keep the scratch copies, say where')
    split = argv.index('--') if '--' in argv else len(argv)
    asked = parser.parse_args(argv[:split])
    command = argv[split + 1 :]
    if not command:
        parser.error('COMMAND is missing')
    return asked, command


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
    proof.not_exercised = [
        site for site in migration.sites if site.status == 'rewritten' and not _ran(site, lines)
    ]
    for name, each in (('old', before), ('new', after)):
        for words in each.ended.left:
            proof.notes.append(
                f'on the {name} side COMMAND left a process running, which was ended after '
                f'{CHILDREN_SECONDS:.0f} s: {words}'
            )
    _judge(proof, old, new, before.operations, after.operations, lines)


def _judge(
    proof: Proof,
    old: Side,
    new: Side,
    before: Sequence[Operation],
    after: Sequence[Operation],
    lines: set[tuple[str, int]],
) -> None:
    """Set the verdict. Without an operation and a rewritten line that ran, nothing is proven."""
    ran = [
        site
        for site in proof.migration.sites
        if site.status == 'rewritten'
        and site not in proof.not_exercised
        and site.pattern not in _IMPORTS
    ]
    ended_alike = not any(each.kind == 'ended' for each in proof.comparison.differences)
    problems = [
        entry['problem'] for side in (old, new) for entry in notes(side) if 'problem' in entry
    ]
    lost = gaps(before) + gaps(after)
    is_prepared = bool(notes(old) or notes(new))
    if not is_prepared:
        proof.reasons.append(
            'COMMAND started no Python process that could be prepared (PYTHONPATH has to reach it: no -E, -I or -S)'
        )
    elif not before and not after:
        proof.reasons.append('no image operation was recorded')
    if is_prepared and not ran and any(site.status == 'rewritten' for site in proof.migration.sites):
        files = {file for file, _ in lines} & set(proof.migration.changed)
        proof.reasons.append(
            'no rewritten call was executed'
            if files
            else 'COMMAND executed none of the rewritten files; does it run the code from somewhere else '
            'than the tree that was copied (an installed package: set PYTHONPATH=$PWD; or a directory above it: '
            'give --root)?'
        )
        proof.notes += _from_elsewhere(after)
    if lost:
        proof.reasons.append(f'{lost} operations are missing in the recordings')
    if proof.migration.unaccounted:
        count = len(proof.migration.unaccounted)
        proof.reasons.append(
            f'{count} mentions of the old module have no site: {proof.migration.unaccounted[0]}'
        )
    if proof.reasons:
        proof.notes += [f'in COMMAND: {problem}' for problem in dict.fromkeys(problems)]
    inert = any(each.kind == 'inert' for each in proof.comparison.differences)
    if not is_prepared:
        proof.comparison.differences = []
    elif proof.comparison.differences and (ran or inert or not ended_alike or lines or proof.baseline):
        proof.verdict = 'differs'
    elif not proof.reasons:
        proof.verdict = 'proven'
    if proof.new and proof.new.status and ended_alike:
        proof.failed_alike = True
        proof.notes.append(f'COMMAND failed on both sides alike: {proof.new.words}')
        if is_prepared and proof.reasons:  # and this is likely why
            proof.reasons.insert(0, f'COMMAND failed on both sides alike ({proof.new.words})')
    if proof.comparison.concurrent:
        proof.notes.append('operations ran at the same time; their order was not compared')


def _from_elsewhere(operations: Sequence[Operation]) -> list[str]:
    """Files outside the tree that made operations, as a hint."""
    files = {
        str((each.raw.get('caller') or {}).get('file')) for each in operations if each.file is None
    }
    return [f'operations came from {", ".join(sorted(files)[:3])}'] if files else []


def _ran(site: Site, lines: set[tuple[str, int]]) -> bool:
    if site.pattern in _IMPORTS:
        return any(file == site.file for file, _ in lines)
    first, last = span(site)
    return any((site.file, line) in lines for line in range(first, last + 1))


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


def _write_json(target: str, proof: Proof) -> None:
    content = json.dumps(prove_report.as_json(proof), indent=2, ensure_ascii=False, default=str)
    if target == '-':
        print(content)
    else:
        _write('--json', target, content + '\n')


def _write(option: str, target: str, content: str) -> None:
    try:
        Path(target).write_text(content, encoding='utf-8')
    except OSError as error:
        raise CannotProve(f'cannot write {option} {target}: {error.strerror}') from error


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
