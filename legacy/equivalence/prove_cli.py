# SPDX-License-Identifier: Apache-2.0
"""The command ``nova-image prove``: its words, and where its reports go."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import NoReturn

from legacy.equivalence import prove_report, report_html
from legacy.equivalence.ending import ended_as_by_ctrl_c
from legacy.equivalence.prove import DRIVERS, MOVING, prove
from legacy.equivalence.prove_report import Proof
from legacy.equivalence.prove_tree import CannotProve

_USAGE = 'nova-image prove PATH [OPTION...] -- COMMAND...'


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
