# SPDX-License-Identifier: Apache-2.0
"""Run every example in this process; the first that fails ends it.

``nova-image prove examples/programs -- python examples/programs/run_all.py`` runs this twice, before and after migration.
On its own, over a store in a directory::

    NOVA_IMAGE_DRIVER=local NOVA_IMAGE_LOCAL_PATH=/tmp/images python -m legacy examples/programs/run_all.py
"""

import pathlib
import runpy

EXAMPLES = ('backup_rotation.py', 'snapshot_upload.py', 'image_cache.py')


def main():
    here = pathlib.Path(__file__).parent
    for name in EXAMPLES:
        runpy.run_path(str(here / name), run_name='__main__')


if __name__ == '__main__':
    main()
