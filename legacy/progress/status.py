# SPDX-License-Identifier: Apache-2.0
"""``nova-image status``: what was found, what ran and what the baseline knows, joined in one table.

Exit 0: nothing is left; 1: something is; 2: the job could not be done. With ``--done``: 0 only if it is shown
that ``legacy`` can go (nothing found, nothing ran since the ledger began, a proof that passed).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from legacy import ledger
from legacy.migrate import cli
from legacy.migrate.options import BadSettings
from legacy.progress import baseline


def main(argv: Sequence[str] | None = None) -> int:
    """Show the table, or the proof that nothing is left."""
    parser = cli.parser('status', 'what is left, what ran, what can go next', formats=('text', 'json', 'html'))
    parser.add_argument(
        '--ledger', metavar='FILE', help='uses at run time (default: NOVA_IMAGE_LEGACY_LEDGER of the environment)'
    )
    parser.add_argument('--baseline', metavar='FILE', help=f'default: {baseline.FILE} in the root, if there is one')
    parser.add_argument('--prove', metavar='FILE', help='answer of "nova-image prove --json FILE"')
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument('--done', action='store_true', help='say whether legacy can be deleted, and show why')
    mode.add_argument('--restart-ledger', action='store_true', help='first begin the ledger anew, today')
    return cli.guarded(lambda: _main(parser.parse_args(argv)))


def _main(options: argparse.Namespace) -> int:
    from legacy.progress import report
    from legacy.progress.rows import Status, join

    if options.done:
        options.tests = options.errors = options.api = True
    path = options.ledger or os.environ.get('NOVA_IMAGE_LEGACY_LEDGER') or ''
    if options.restart_ledger and not path:
        raise BadSettings('--restart-ledger needs --ledger FILE')
    try:
        if options.restart_ledger:
            ledger.restart(path)
        counted = ledger.read(path) if path else None
    except ValueError as err:
        raise BadSettings(str(err)) from err
    file = Path(options.baseline or os.path.join(options.root or '.', baseline.FILE))
    known = baseline.read(file) if options.baseline or file.exists() else None
    proof = _proof(Path(options.prove), Path(options.root or '.')) if options.prove else None
    result = cli.look(options)
    status = Status(result, join(result, counted, known), counted, path, proof, options.prove or '')
    cli.say(report.FORMATS[options.format](status, options.done))
    cli.end(result)
    if result.problems or result.unaccounted:
        return 2
    return int(not status.done if options.done else bool(status.rows))


def _proof(path: Path, root: Path) -> dict[str, Any]:
    """What a proof says, if it is of the tree at hand: a file of it is still there."""
    try:
        answer = json.loads(path.read_bytes())
        files = [row['file'] for row in answer.get('files', ())]
        said = {key: answer[key] for key in ('verdict', 'path', 'command')}
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise BadSettings(f'{path} is no answer of "nova-image prove PATH --json FILE -- COMMAND"') from err
    if files and not any((base / each).exists() for base in (root, Path()) for each in files):
        raise BadSettings(f'{path} is the proof of another tree: {files[0]} is not here, nor any other file of it')
    return said
