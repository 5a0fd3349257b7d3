# SPDX-License-Identifier: Apache-2.0
"""``nova-image scan`` and ``nova-image migrate``: arguments, output, exit codes.

Exit 0: nothing to do; 1: findings or changes; 2: the job could not be done. Nothing is written without
``--write``. Progress is shown on a terminal only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from legacy.migrate import Problem, Result, journal, run, worktree
from legacy.migrate.options import BadSettings, load


class Uncommitted(BadSettings):
    """Git could not give back what the run would change."""


def scan_main(argv: Sequence[str] | None = None) -> int:
    """Show every old call site and what would become of it; nothing is written."""
    made = parser('scan', 'find the call sites of the old image module; nothing is written')
    return guarded(lambda: _scan(made.parse_args(argv)))


def migrate_main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the call sites that can be rewritten safely."""
    made = parser('migrate', 'rewrite the call sites of the old image module')
    mode = made.add_mutually_exclusive_group()
    mode.add_argument(
        '--diff', action='store_true', help='show the changes as a diff, write nothing (default)'
    )
    mode.add_argument('--write', action='store_true', help='write the changed files')
    mode.add_argument('--check', action='store_true', help='only say whether anything would change')
    mode.add_argument('--resume', action='store_true', help='finish a --write that was interrupted, and no more')
    mode.add_argument('--undo', action='store_true', help='take back a --write that was interrupted')
    made.add_argument(
        '--force', action='store_true', help='write even where Git has uncommitted changes in the paths'
    )
    return guarded(lambda: _migrate(made.parse_args(argv)))


FORMATS = ('text', 'json', 'github', 'sarif')


def parser(name: str, description: str, formats: Sequence[str] = FORMATS) -> argparse.ArgumentParser:
    """The arguments that every command over a tree has."""
    made = argparse.ArgumentParser(prog=f'nova-image {name}', description=description)
    made.add_argument('paths', nargs='+', metavar='PATH', help='file or directory to look through')
    made.add_argument('--root', metavar='DIR', help='what paths are shown relative to (default: here)')
    made.add_argument(
        '--select', metavar='CODES', help='rewrite groups of these patterns only (P-08,P-26,...)'
    )
    made.add_argument('--ignore', metavar='CODES', help='leave every group with one of these patterns')
    made.add_argument(
        '--exclude', metavar='GLOBS', help='pass over these relative paths inside directories'
    )
    made.add_argument('--tests', action='store_true', help='move doubles of tests with what they stand for')
    made.add_argument(
        '--errors', action='store_true', help="move Nova's image error classes to nova_image.errors"
    )
    made.add_argument(
        '--api', action='store_true', help="move code on upstream's own later image API, nova.image.API"
    )
    made.add_argument(
        '--jobs', metavar='N', type=_number, default=0, help='processes (default: by cores and size of the tree)'
    )
    made.add_argument('--format', choices=formats, default='text')
    return made


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is no number of processes; 1 or more, or 0 for the default')
    return int(text)


def guarded(work: Callable[[], int]) -> int:
    """The exit code of ``work``; an error that stops it is one line on stderr and 2."""
    try:
        return work()
    except (OSError, ImportError, BadSettings) as err:
        print(f'nova-image: {_reason(err)}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('nova-image: interrupted; each file is whole, old or new', file=sys.stderr)
        return 2


def _reason(err: Exception) -> str:
    if isinstance(err, ImportError):
        return f'{err}; the migration needs the extra: pip install "nova-image[migrate]"'
    return str(err)


def look(options: argparse.Namespace) -> Result:
    """Look through the paths of a command line."""
    progress = _progress() if sys.stderr.isatty() else None
    if options.root and not os.path.isdir(options.root):
        raise NotADirectoryError(f'--root {options.root} is no directory')
    given = {'select': options.select, 'ignore': options.ignore, 'exclude': options.exclude}
    chosen = load(Path(options.root or '.'), given)
    chosen = replace(chosen, tests=options.tests, errors=options.errors, api=options.api, jobs=options.jobs)
    result = run(options.paths, options.root, progress=progress, options=chosen)
    result.problems += [
        Problem(os.path.relpath(each, options.root or '.'), journal.told(each))
        for each in journal.pending(map(Path, options.paths))
        if each.name == journal.NAME
    ]
    if progress is not None:
        sys.stderr.write('\r\033[K')
    return result


def _progress() -> Callable[[str], None]:
    count = 0

    def show(path: str) -> None:
        nonlocal count
        count += 1
        if count % 50 == 0:
            sys.stderr.write(f'\r\033[K{count} files, {path[-60:]}')
            sys.stderr.flush()

    return show


def _scan(options: argparse.Namespace) -> int:
    from legacy.migrate import report

    result = look(options)
    say(report.FORMATS[options.format](result))
    return end(result)


def _migrate(options: argparse.Namespace) -> int:
    from legacy.migrate import report

    if options.resume or options.undo or options.write:
        _settle(options)
    if options.resume or options.undo:
        return 0
    result = look(options)
    if result.unaccounted:
        say(report.FORMATS[options.format](result))
        return end(result)
    if options.write:
        _write(result, options)
        say(
            report.text(result, written=True)
            if options.format == 'text'
            else report.FORMATS[options.format](result)
        )
    elif options.format != 'text':
        say(report.FORMATS[options.format](result))
    elif options.check:
        for path in result.changed:
            say(f'would change {path}\n')
        say(report.summary(result) + '\n')
    else:
        with _perhaps_read():
            stream = getattr(sys.stdout, 'buffer', None)
            sys.stdout.flush()
            for line in report.diff(result):
                if stream is not None:
                    stream.write(line)
                else:
                    sys.stdout.write(line.decode('utf-8', 'replace'))
            (stream or sys.stdout).flush()
        for site in result.sites:
            if site.status == 'left':
                print(report._line(site, False), file=sys.stderr)
        print(report.summary(result), file=sys.stderr)
    return end(result)


def _settle(options: argparse.Namespace) -> None:
    """Finish or undo what an interrupted run left."""
    found = journal.pending(map(Path, options.paths))
    for each in found:
        changed = journal.settle(each, forward=not options.undo)
        word = 'taken back' if options.undo else 'finished'
        count = f'{len(changed)} file{"" if len(changed) == 1 else "s"}'
        print(f'nova-image: the interrupted run in {each.parent} is {word}: {count}', file=sys.stderr)
    if not found and not options.write:
        print('nova-image: no interrupted run in, above or below these paths', file=sys.stderr)


def _write(result: Result, options: argparse.Namespace) -> None:
    changed = [result.files[path].absolute for path in result.changed]
    dirty = worktree.uncommitted(map(Path, options.paths), changed) if changed and not options.force else []
    if dirty:
        more = f' and {len(dirty) - 3} more' if len(dirty) > 3 else ''
        raise Uncommitted(
            f'uncommitted changes in {", ".join(dirty[:3])}{more}, nothing is written; '
            'commit or stash them, or write all the same with --force'
        )
    for path in changed:
        if (names := path.stat().st_nlink) > 1:
            print(f'nova-image: {path} has {names} names (hard links); only this one changes', file=sys.stderr)
    result.write()


def say(text: str) -> None:
    """Print; what the terminal cannot show is escaped."""
    with _perhaps_read():
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            sys.stdout.write(text.encode('ascii', 'backslashreplace').decode())
        sys.stdout.flush()


@contextlib.contextmanager
def _perhaps_read() -> Iterator[None]:
    """A reader who has gone is no error."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end(result: Result) -> int:
    """The exit code; what could not be done stands on stderr, a line each."""
    for each in result.problems:
        place = f'{each.file}:{each.line}' if each.line else each.file
        print(f'nova-image: {place}: {each.why}', file=sys.stderr)
    for missing in result.unaccounted:
        print(f'nova-image: not accounted for: {missing}', file=sys.stderr)
    return result.exit_code
