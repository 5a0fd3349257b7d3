# SPDX-License-Identifier: Apache-2.0
"""``nova-image baseline``: old uses that are there today are known; more of them is a finding, fewer never is.

The file has one line for each file, function and old name, sorted, without line numbers, so that it changes
only where uses change. Exit 0: no more than the baseline; 1: more; 2: the job could not be done.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from legacy.migrate import Result, cli
from legacy.migrate.journal import replace
from legacy.migrate.options import BadSettings

FILE = '.nova-image-baseline.json'
#: (file, function, old name)
Place = tuple[str, str, str]


def count(result: Result) -> Counter[Place]:
    """Uses of a run: sites that are rewritten or left."""
    from legacy.progress.uses import places

    return Counter((site.file, function, site.name) for site, function in places(result))


def read(path: Path) -> Counter[Place]:
    """The uses a baseline allows.

    :raises BadSettings: the file is no baseline
    """
    try:
        rows = json.loads(path.read_bytes())['uses']
        return Counter({(row['file'], row['function'], row['name']): int(row['count']) for row in rows})
    except (KeyError, TypeError, ValueError) as err:
        raise BadSettings(f'{path} is no baseline; write a new one with --write') from err


def write(path: Path, uses: Counter[Place]) -> None:
    """Write a baseline: sorted, one use a line, so that merges are easy."""
    rows = [
        json.dumps({'file': file, 'function': function, 'name': name, 'count': number}, ensure_ascii=False)
        for (file, function, name), number in sorted(uses.items())
        if number > 0
    ]
    text = '{"schema": 1, "uses": [\n' + ',\n'.join(rows) + '\n]}\n'
    data = text.encode('utf-8', 'surrogatepass')  # names of files that are no UTF-8
    if path.exists():
        replace(path, data)
    else:
        path.write_bytes(data)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare with the baseline; write or shrink it where asked to."""
    parser = cli.parser('baseline', 'compare the old uses with those the baseline knows', formats=('text', 'json'))
    parser.add_argument('--file', metavar='FILE', help=f'the baseline (default: {FILE} in the root)')
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument('--write', action='store_true', help='write the uses of today as the baseline')
    mode.add_argument('--shrink', action='store_true', help='take out of the baseline what is gone, add nothing')
    return cli.guarded(lambda: _main(parser.parse_args(argv)))


def _main(options: argparse.Namespace) -> int:
    path = Path(options.file or os.path.join(options.root or '.', FILE))
    if not path.exists() and not options.write:
        raise FileNotFoundError(f'there is no baseline at {path}; make one with --write')
    result = cli.look(options)
    now, known = count(result), read(path) if path.exists() else Counter()
    here = Counter({place: number for place, number in known.items() if _within(place[0], options)})
    if result.problems or result.unaccounted:
        cli.end(result)
        if options.write or options.shrink:
            raise BadSettings(f'{path} is left as it is: not every file could be looked at')
    if options.write:
        write(path, (known - here) + now)
        known = here = now
    more = {place: (here[place], number) for place, number in sorted(now.items()) if number > here[place]}
    gone = sum((here - now).values())
    if options.shrink:
        write(path, (known - here) + (here & now))
    if options.format == 'json':
        rows = [
            {'file': file, 'function': function, 'name': name, 'baseline': before, 'count': number}
            for (file, function, name), (before, number) in more.items()
        ]
        answer = {'schema': 1, 'more': rows, 'gone': gone, 'uses': now.total(), 'baseline': here.total()}
        cli.say(json.dumps(answer, indent=2, ensure_ascii=False) + '\n')
    else:
        cli.say(''.join(_lines(more, gone, now.total(), options)))
    return 2 if result.problems or result.unaccounted else int(bool(more))


def _lines(
    more: dict[Place, tuple[int, int]], gone: int, uses: int, options: argparse.Namespace
) -> Iterable[str]:
    for (file, function, name), (before, number) in more.items():
        yield f'{file}: {function}: {name}: {number}, the baseline has {before}\n'
    if more:
        yield 'old uses were added: write them with nova_image, or accept them with --write\n'
    if gone and not options.shrink:
        yield f'{gone} uses of the baseline are gone: nova-image baseline --shrink takes them out\n'
    yield f'{uses} old uses, {sum(number - before for before, number in more.values())} more than the baseline\n'


def _within(file: str, options: argparse.Namespace) -> bool:
    """Whether a file of the baseline lies in the given paths; others are not judged."""
    place = os.path.realpath(os.path.join(options.root or '.', file))
    return any(os.path.commonpath([place, real]) == real for real in map(os.path.realpath, options.paths))
