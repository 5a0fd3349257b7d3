# SPDX-License-Identifier: Apache-2.0
"""``nova-image prove PATH -- COMMAND...``: rewrite a copy, run COMMAND before and after, compare.

Puts the rooms together: copies (``prove_tree``), running (``prove_run``), reading (``prove_trace``),
comparing (``prove_compare``), telling (``prove_report``); and decides what was proven.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from legacy.equivalence import prove_report
from legacy.equivalence.pairing import Mismatch
from legacy.equivalence.prove_compare import Comparison, Difference, compare
from legacy.equivalence.prove_report import Proof
from legacy.equivalence.prove_run import Ended, Side, notes, run_side
from legacy.equivalence.prove_stores import Stores, stores
from legacy.equivalence.prove_trace import Operation, executed, gaps, read, span
from legacy.equivalence.prove_tree import CannotProve, copy_tree, root_of
from legacy.migrate import FileResult, Result, Site

_USAGE = 'nova-image prove PATH [--root DIR] [--driver local|glance] [--json FILE] -- COMMAND...'
_IMPORTS = frozenset(f'P-0{number}' for number in range(1, 8))


def main(argv: list[str]) -> int:
    """Run ``nova-image prove``; returns 0 proven, 1 something differs, 2 nothing proven or cannot be done."""
    logging.getLogger('nova_image').addHandler(logging.NullHandler())
    try:
        asked, command = _arguments(argv)
        proof = prove(
            asked.path,
            command,
            root=asked.root,
            driver=asked.driver,
            timeout=asked.timeout,
            keep=asked.keep,
        )
        if asked.json:
            _write_json(asked.json, proof)
        if asked.json == '-':
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
    seconds = float(text)
    if not seconds > 0:
        raise ValueError(text)
    return seconds


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
    parser.add_argument('--driver', choices=('local', 'glance'), default='local',
                        help='local: a directory; glance: a throw-away Glance (extra "glance")')  # fmt: skip
    parser.add_argument(
        '--json',
        metavar='FILE',
        help='also write the report as JSON; - for stdout, instead of the table',
    )
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
) -> Proof:
    """Do the whole proof; see the module. Nothing of the user's tree is written.

    :param root: tree to copy; default the git top level around ``path``, else its directory
    :raises CannotProve: bad input; the text is one line
    """
    target = Path(path)
    if not target.exists():
        raise CannotProve(f'{path} does not exist; give a file or directory')
    target = target.resolve()
    top, cwd = root_of(target, root), Path.cwd()
    place = Path(tempfile.mkdtemp(prefix='nova-image-prove-')).resolve()
    try:
        old, new = Side('old', place / 'old'), Side('new', place / 'new')
        for side in (old, new):
            side.place.mkdir()
            copy_tree(top, side.tree, place)
        migration = migrate(new.tree, target.relative_to(top))
        proof = Proof(path, command, driver, migration)
        proof.unproven = _unrunnable(migration)
        if not any(site.status == 'rewritten' for site in migration.sites):
            proof.reasons.append(_why_none(migration, path))
            return proof
        migration.write()
        _compare_runs(proof, old, new, top, cwd, timeout)
        if keep:
            proof.notes.append(f'the copies, recordings and stores are kept in {place}')
        return proof
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


def migrate(tree: Path, path: Path) -> Result:
    """Work out the rewrite of ``path`` in the copy ``tree``."""
    from legacy.migrate import run

    try:
        return run([tree / path], root=tree)
    except ImportError as error:
        raise CannotProve(
            f"rewriting needs {error.name}; install it with: pip install 'nova-image[migrate]'"
        ) from error


@dataclass(frozen=True)
class Taken:
    """What one run of COMMAND left behind."""

    ended: Ended
    operations: list[Operation]
    stored: list[dict[str, Any]]


def _compare_runs(
    proof: Proof, old: Side, new: Side, root: Path, cwd: Path, timeout: float | None
) -> None:
    migration = proof.migration
    watched = [new.tree / file for file in migration.changed]
    started = time.time()

    def take(kind: Stores, side: Side) -> Taken:
        kind.fresh(side)
        ended = run_side(
            side, proof.command, root, cwd, driver=proof.driver, settings=kind.settings,
            watched=watched if side is new else (), timeout=timeout,
        )  # fmt: skip
        return Taken(ended, read(side, migration), kind.contents(side))

    def differ(one: Taken, other: Taken) -> Comparison:
        found = compare(
            one.operations, other.operations, one.stored, other.stored, (started, time.time())
        )
        if (one.ended.status, one.ended.timed_out) != (other.ended.status, other.ended.timed_out):
            words = Mismatch('exit', one.ended.words, other.ended.words)
            found.differences.append(Difference('ended', 'COMMAND', mismatches=(words,)))
        return found

    with stores(proof.driver) as kind:
        before, after = take(kind, old), take(kind, new)
        proof.comparison = differ(before, after)
        if proof.comparison.differences and not before.ended.timed_out:
            again = Side('again', old.place.with_name('again'))
            again.place.mkdir()
            copy_tree(root, again.tree, old.place.parent)
            unsteady = differ(before, take(kind, again)).differences
            if unsteady:
                proof.notes.append(
                    f'two runs of the old program differ from each other as well ({len(unsteady)} '
                    'differences); what differs may come from the program and not from the rewrite'
                )
    proof.old, proof.new = before.ended, after.ended
    lines = executed(new, after.operations)
    proof.not_exercised = [
        site for site in migration.sites if site.status == 'rewritten' and not _ran(site, lines)
    ]
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
    if not before and not after:
        proof.reasons.append('no image operation was recorded')
    if not ran:
        files = {file for file, _ in lines} & set(proof.migration.changed)
        proof.reasons.append(
            'no rewritten call was executed'
            if files
            else 'COMMAND executed none of the rewritten files; does it run the code from somewhere else '
            'than the tree that was copied (an installed package, or a directory above it: give --root)?'
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
        if not notes(old) and not notes(new):
            proof.notes.append('COMMAND started no Python process that could be prepared')
        proof.notes += [f'in COMMAND: {problem}' for problem in dict.fromkeys(problems)]
    if proof.comparison.differences and (ran or not ended_alike or lines):
        proof.verdict = 'differs'
    elif not proof.reasons:
        proof.verdict = 'proven'
    if proof.new and proof.new.status and ended_alike:
        proof.notes.append(f'COMMAND failed on both sides alike: {proof.new.words}')
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
        return
    try:
        Path(target).write_text(content + '\n', encoding='utf-8')
    except OSError as error:
        raise CannotProve(f'cannot write --json {target}: {error.strerror}') from error


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
