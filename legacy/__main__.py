# SPDX-License-Identifier: Apache-2.0
"""``python -m legacy SCRIPT [ARG...]`` and ``python -m legacy -m MODULE [ARG...]``: a run with the old imports."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys

from legacy.installing import install

USAGE = 'usage: python -m legacy SCRIPT [ARG...] | python -m legacy -m MODULE [ARG...]'


def main(argv: list[str]) -> int:
    """Install, then run the script or module as ``__main__``; its exit is ours."""
    if argv[:1] in ([], ['-h'], ['--help']) or argv == ['-m']:
        print(USAGE, file=sys.stderr if not argv or argv == ['-m'] else sys.stdout)
        return 0 if argv[:1] in (['-h'], ['--help']) else 2
    install()
    if argv[0] == '-m':
        sys.argv = argv[1:]
        sys.path[0] = os.getcwd()
        if not _can_be_found(argv[1]):
            print(f'python -m legacy: no such module: {argv[1]}', file=sys.stderr)
            return 2
        runpy.run_module(argv[1], run_name='__main__', alter_sys=True)
        return 0
    if not os.path.exists(argv[0]):
        print(f'python -m legacy: no such script: {argv[0]}', file=sys.stderr)
        return 2
    sys.argv = argv
    sys.path[0] = os.path.dirname(os.path.abspath(argv[0]))
    runpy.run_path(argv[0], run_name='__main__')
    return 0


def _can_be_found(module: str) -> bool:
    """A parent package that is there but fails says so itself, with its traceback."""
    try:
        return not module.startswith('.') and importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f'{error.name}.')):
            return False
        raise
    except ValueError:  # what is no name of a module
        return False


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
