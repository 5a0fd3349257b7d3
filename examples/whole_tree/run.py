# SPDX-License-Identifier: Apache-2.0
"""Use the tree once, over whatever store is configured."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'programs'))

from request import Context
from snapshots import program


def main():
    context = Context('p-one', 'u-one', is_admin=True)
    made = program.Program()
    ids = [made.take(context, f'day{day}', b'bytes of a disk') for day in range(4)]
    print(made.look(context, ids[0]), made.look(context, f'http://images.example.org:9292/images/{ids[1]}'))
    print(made.hide(context, ids[3]), made.rotation.rotate(context), made.rotation.names(context))


if __name__ == '__main__':
    main()
