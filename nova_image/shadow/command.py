# SPDX-License-Identifier: Apache-2.0
"""``nova-image mismatches``: what shadowing found, and the step of an operation to its next stage or back."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from nova_image.shadow import evidence, stages
from nova_image.shadow.ledger import Ledger
from nova_image.shadow.stages import OPERATIONS, Stage

SCHEMA = 1
_SOUND = ('same', 'different')


def main(argv: list[str]) -> int:
    """0: nothing differs, or done; 1: something does, or evidence is missing; 2: could not do the job."""
    arguments = _parser().parse_args(argv)
    try:
        _complete(arguments)
        if arguments.roll_back:
            stages.written(arguments.stages, arguments.roll_back, Stage.COMPARE)
            print(f'{arguments.stages}: {arguments.roll_back} = compare; the control answers within a second')
            return 0
        ledger = Ledger.read(arguments.ledger)
        if arguments.promote:
            return _promote(arguments, ledger)
    except (OSError, ValueError) as error:
        print(f'nova-image mismatches: {error}', file=sys.stderr)
        return 2
    print(json.dumps(_plain(ledger), indent=1) if arguments.format == 'json' else _text(ledger))
    return 1 if ledger.mismatches or ledger.forgotten or ledger.unreadable else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='nova-image mismatches', description='Show what a shadowed image driver did differently.',
        epilog='exit status: 0 no differences, or done; 1 differences, or evidence is missing; 2 could not do the job',
    )  # fmt: skip
    parser.add_argument('ledger', nargs='?', metavar='FILE', help='ledger; default [image_shadow] ledger')
    parser.add_argument('--format', choices=('text', 'json'), default='text')
    parser.add_argument('--config-file', action='append', help='where [image_shadow] ledger and stages stand')
    parser.add_argument('--stages', metavar='FILE', help='default [image_shadow] stages')
    step = parser.add_mutually_exclusive_group()
    step.add_argument('--promote', choices=OPERATIONS, help='let the candidate answer, if the evidence is enough')
    step.add_argument('--roll-back', choices=OPERATIONS, help='let the control answer again')
    parser.add_argument(
        '--calls', type=int, default=evidence.CALLS, help='calls a promotion needs (default %(default)s)'
    )
    parser.add_argument(
        '--without', action='append', default=[], metavar='BRANCH', help='a branch that need not have been seen'
    )
    return parser


def _complete(arguments: argparse.Namespace) -> None:
    """Fill in from the configuration what the command line leaves out."""
    if arguments.config_file:
        from oslo_config import cfg

        from nova_image import options

        conf = options.register(cfg.ConfigOpts())
        try:
            conf([], default_config_files=arguments.config_file, default_config_dirs=[])
        except cfg.Error as error:
            raise ValueError(str(error)) from error
        arguments.ledger = arguments.ledger or conf.image_shadow.ledger
        arguments.stages = arguments.stages or conf.image_shadow.stages
    if not arguments.ledger and not arguments.roll_back:
        raise ValueError('no ledger: name the FILE, or --config-file with [image_shadow] ledger')
    if not arguments.stages and (arguments.promote or arguments.roll_back):
        raise ValueError('no stages: name the file by --stages, or --config-file with [image_shadow] stages')


def _promote(arguments: argparse.Namespace, ledger: Ledger) -> int:
    op, branches = arguments.promote, evidence.BRANCHES[arguments.promote]
    for branch in arguments.without:
        if branch not in branches:
            raise ValueError(f'--without {branch}: {op} has to have seen {", ".join(branches)}, and no such branch')
    if arguments.calls < 1:
        raise ValueError(f'--calls {arguments.calls}: expected 1 or more')
    against = evidence.missing(ledger, op, arguments.calls, arguments.without)
    if against:
        print(f'{op} stays as it is:')
        print(''.join(f'  {each}\n' for each in against), end='')
        return 1
    stages.written(arguments.stages, op, Stage.CANDIDATE)
    print(f'{arguments.stages}: {op} = candidate; the candidate answers within a second')
    print(f'back again: nova-image mismatches --stages {arguments.stages} --roll-back {op}')
    return 0


def _plain(ledger: Ledger) -> dict[str, Any]:
    return {
        'schema': SCHEMA,
        'calls': [
            {'op': op, 'branch': branch, 'outcome': what, 'count': count}
            for (op, branch, what), count in sorted(ledger.calls.items())
        ],
        'mismatches': [
            {'shape': name, **known['seen'], **{key: known[key] for key in ('count', 'first', 'last')}}
            for name, known in ledger.by_count()
        ],
        'forgotten': ledger.forgotten,
        'unreadable_lines': ledger.unreadable,
    }


def _text(ledger: Ledger) -> str:
    parts = [_mismatch(known) for _name, known in ledger.by_count()]
    totals = ['operation      same  different  not told']
    for op in sorted({op for op, _branch, _what in ledger.calls}):
        rows = [(branch, what, count) for (name, branch, what), count in ledger.calls.items() if name == op]
        same, different = (sum(count for _, what, count in rows if what == kind) for kind in _SOUND)
        others: dict[str, int] = {}
        for _branch, what, count in rows:
            if what not in _SOUND:
                others[what] = others.get(what, 0) + count
        why = ', '.join(f'{count} {what}' for what, count in sorted(others.items())) or '0'
        totals.append(f'{op:<13}{same:>6}  {different:>9}  {why}')
    parts.append('\n'.join(totals))
    if not ledger.calls:
        parts.append('no call was compared')
    if ledger.forgotten:
        parts.append(f'{ledger.forgotten} more calls differed; the ledger had no room for how')
    if ledger.unreadable:
        parts.append(f'{ledger.unreadable} lines of the ledger cannot be read, and may tell of differences')
    return '\n\n'.join(parts)


def _mismatch(known: dict[str, Any]) -> str:
    seen, count = known['seen'], known['count']
    calls = f'{count} call{"s" if count != 1 else ""}'
    lines = [
        f'{seen["op"]}: {calls}, first {_when(known["first"])}, last {_when(known["last"])}',
        f'  control: {seen["branch"]} | candidate: {seen["candidate_branch"]}',
        f'  arguments: {json.dumps(seen["args"])}',
    ]
    for place, values in seen['fields'].items():
        lines.append(f'  {place}: {json.dumps(values["control"])} | {json.dumps(values["candidate"])}')
    return '\n'.join(lines)


def _when(at: float) -> str:
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at))
