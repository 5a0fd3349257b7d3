# SPDX-License-Identifier: Apache-2.0
"""Run the tests of the tree."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


def main():
    found = unittest.defaultTestLoader.loadTestsFromName('snapshots.test_program')
    result = unittest.TextTestRunner().run(found)
    sys.exit(not result.wasSuccessful())


if __name__ == '__main__':
    main()
