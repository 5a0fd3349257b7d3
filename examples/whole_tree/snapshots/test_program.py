# SPDX-License-Identifier: Apache-2.0
"""Tests with doubles: they move together with what they stand for."""

import unittest
from unittest import mock

from nova.image import glance

from snapshots import keeper, program


def fake_detail(self, context, **kwargs):
    return [{'name': 'b', 'id': 2}, {'name': 'a', 'id': 1}]


class TestProgram(unittest.TestCase):
    @mock.patch('nova.image.glance.get_remote_image_service')
    def test_look_tells_name_and_size(self, get_pair):
        service = mock.Mock()
        get_pair.return_value = (service, 'an-id')
        service.show.return_value = {'name': 'x', 'size': 3}
        self.assertEqual({'name': 'x', 'size': 3}, program.Program.look(mock.Mock(), None, 'a-ref'))

    @mock.patch.object(glance.GlanceImageService, 'detail', fake_detail)
    def test_names_are_sorted(self):
        self.assertEqual(['a', 'b'], keeper.Keeper().names(None))


if __name__ == '__main__':
    unittest.main()
