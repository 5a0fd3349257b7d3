# SPDX-License-Identifier: Apache-2.0
"""The ``nova-image`` command: finds the subcommand and hands over.

Subcommands are a name, a line of help and a dotted path, imported when it runs; other packages add
theirs by the entry point group ``nova_image.commands``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast


class Command(NamedTuple):
    """``target`` is ``module:function``; the function takes the arguments after the name, returns the exit code."""

    name: str
    help: str
    target: str


BUILT_IN: tuple[Command, ...] = (
    Command('check-store', 'report and mend damage of a local image store', 'nova_image.local.check:main'),
    Command('mismatches', 'show what a shadowed driver did differently; promote it', 'nova_image.shadow.command:main'),
)


def commands() -> list[Command]:
    """All subcommands, by name."""
    from importlib.metadata import entry_points

    found = list(BUILT_IN)
    for point in entry_points(group='nova_image.commands'):
        found.extend(cast('Sequence[Command]', point.load()))
    return sorted(found)


def usage(known: Sequence[Command]) -> str:
    lines = ['usage: nova-image COMMAND [ARGUMENTS]', '       nova-image COMMAND --help', '', 'commands:']
    width = max((len(command.name) for command in known), default=0)
    lines += [f'  {command.name:<{width}}  {command.help}' for command in known]
    lines += ['', 'exit status: 0 clean, 1 findings or differences, 2 could not do the job']
    return '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    known = commands()
    if not arguments or arguments[0] in ('-h', '--help', 'help'):
        print(usage(known))
        return 0 if arguments else 2
    if arguments[0] == '--version':
        from importlib.metadata import version

        print(f'nova-image {version("nova-image")}')
        return 0
    for command in known:
        if command.name == arguments[0]:
            module, _, function = command.target.partition(':')
            run = cast('Callable[[list[str]], int]', getattr(importlib.import_module(module), function))
            return run(arguments[1:])
    names = ', '.join(command.name for command in known)
    print(f'nova-image: no command {arguments[0]!r}; there are {names}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
