# SPDX-License-Identifier: Apache-2.0
"""P-01 to P-07: what becomes of each spelling of the import."""

from __future__ import annotations

import pytest

USE = 'glance.get_default_image_service().delete(c, 1)\n'
NEW = 'nova_image.api.API().delete(c, 1)\n'
CASES = {
    'P-01': (f'from nova.image import glance\n{USE}', f'import nova_image.api\n{NEW}'),
    'P-01 from legacy': (f'from legacy import glance\n{USE}', f'import nova_image.api\n{NEW}'),
    'P-01 among others': (
        f'from nova.image import glance, other  # two\n{USE}other.x\n',
        f'import nova_image.api\nfrom nova.image import other  # two\n{NEW}other.x\n',
    ),
    'P-01 last of two': (
        f'from nova.image import other, glance\n{USE}',
        f'import nova_image.api\nfrom nova.image import other\n{NEW}',
    ),
    'P-01 in parentheses': (
        f'from nova.image import (  # several\n    alpha,  # one\n    glance,\n    omega,\n)\n{USE}',
        f'import nova_image.api\nfrom nova.image import (  # several\n    alpha,  # one\n    omega,\n)\n{NEW}',
    ),
    'P-01 in parentheses with a comment of its own': (
        f'from nova.image import (\n    alpha,\n    glance,  # images\n)\n{USE}',
        f'import nova_image.api\nfrom nova.image import (\n    alpha,\n      # images\n)\n{NEW}',
    ),
    'P-01 alone in parentheses with a comment': (
        f'from nova.image import (  # images\n    glance)\n{USE}',
        f'# images\nimport nova_image.api\n{NEW}',
    ),
    'P-01 behind a future import': (
        f'"""Doc."""\nfrom __future__ import print_function\nfrom nova.image import glance\n{USE}',
        f'"""Doc."""\nfrom __future__ import print_function\nimport nova_image.api\n{NEW}',
    ),
    'P-01 on a shared line': (
        f'import os; from nova.image import glance; import sys\n{USE}',
        f'import os; import nova_image.api; import sys\n{NEW}',
    ),
    'P-02': (
        'import nova.image.glance\nnova.image.glance.get_default_image_service().delete(c, 1)\n',
        f'import nova_image.api\n{NEW}',
    ),
    'P-02 nova is needed otherwise': (
        'import nova.image.glance\nnova.image.glance.get_default_image_service().delete(c, 1)\nnova.exception.X\n',
        f'import nova_image.api\nimport nova\n{NEW}nova.exception.X\n',
    ),
    'P-02 nova comes from elsewhere too': (
        (
            'import nova.exception\nimport nova.image.glance\n'
            'nova.image.glance.get_default_image_service().delete(c, 1)\nnova.exception.X\n'
        ),
        f'import nova.exception\nimport nova_image.api\n{NEW}nova.exception.X\n',
    ),
    'P-02 from legacy': (
        'import legacy.glance\nlegacy.glance.get_default_image_service().delete(c, 1)\n',
        f'import nova_image.api\n{NEW}',
    ),
    'P-03': (
        'from nova.image import glance as img\nimg.get_default_image_service().delete(c, 1)\n',
        f'import nova_image.api\n{NEW}',
    ),
    'P-03 dotted': (
        'import nova.image.glance as img\nimg.get_default_image_service().delete(c, 1)\n',
        f'import nova_image.api\n{NEW}',
    ),
    'P-04 a function': (
        'from nova.image.glance import get_default_image_service\nget_default_image_service().delete(c, 1)\n',
        f'import nova_image.api\n{NEW}',
    ),
    'P-04 a renamed function': (
        (
            'from nova.image.glance import get_remote_image_service as pair\n'
            'def f(c, r):\n    s, i = pair(c, r)\n    s.delete(c, i)\n'
        ),
        'import nova_image.api\ndef f(c, r):\n    s = nova_image.api.API()\n    s.delete(c, r)\n',
    ),
    'P-05 through the package': (
        'from nova import image\nimage.glance.get_default_image_service().delete(c, 1)\nimage.other\n',
        f'import nova_image.api\nfrom nova import image\n{NEW}image.other\n',
    ),
    'P-06 in a function': (
        'def f(c):\n    from nova.image import glance\n    glance.get_default_image_service().delete(c, 1)\n',
        'def f(c):\n    import nova_image.api\n    nova_image.api.API().delete(c, 1)\n',
    ),
    'two imports bind separately': (
        (
            f'from nova.image import glance\n{USE}def f(c):\n    import nova.image.glance as g\n'
            '    g.get_default_image_service().delete(c, 1)\n'
        ),
        f'import nova_image.api\n{NEW}def f(c):\n    nova_image.api.API().delete(c, 1)\n',
    ),
    'something old is left: the shim': (
        f'from nova.image import glance\n{USE}glance.get_api_servers()\n',
        f'import nova_image.api\nfrom legacy import glance\n{NEW}glance.get_api_servers()\n',
    ),
    'something old is left: the shim under its alias': (
        'from nova.image import glance as g\ng.get_api_servers()\n',
        'from legacy import glance as g\ng.get_api_servers()\n',
    ),
    'something old is left: a name of the shim': (
        'from nova.image.glance import get_api_servers\nget_api_servers()\n',
        'from legacy.glance import get_api_servers\nget_api_servers()\n',
    ),
    'the new import is there already': (
        f'import nova_image.api\nfrom nova.image import glance\n{USE}nova_image.api.API().get(c, 1)\n',
        f'import nova_image.api\n{NEW}nova_image.api.API().get(c, 1)\n',
    ),
    'windows lines and tabs': (
        'from nova.image import glance, x\r\ndef f(c):\r\n\tglance.get_default_image_service().show(c, 1)  \r\n',
        'import nova_image.api\r\nfrom nova.image import x\r\ndef f(c):\r\n\tnova_image.api.API().get(c, 1)  \r\n',
    ),
}


@pytest.mark.parametrize('name', CASES)
def test_an_import_makes_way(name, changes):
    changes(*CASES[name])


LEFT = {
    'P-04 star': ('P-04', 'from nova.image.glance import *\nget_default_image_service().delete(c, 1)\n'),
    'P-06 try': (
        'P-06',
        f'try:\n    from nova.image import glance\nexcept ImportError:\n    glance = None\n{USE}',
    ),
    'P-06 version switch': (
        'P-06',
        f'if x:\n    from nova.image import glance\nelse:\n    from legacy import glance\n{USE}',
    ),
    'P-07 unused': ('P-07', 'from nova.image import glance\n'),
    'P-07 option': ('P-07', "CONF.import_opt('glance_num_retries', 'nova.image.glance')\n"),
    'P-37 transfer modules': (
        'P-37',
        'from nova.image.download import base\nclass T(base.TransferBase): pass\n',
    ),
    'P-59': ('P-59', 'import nova.image\nnova.image.get_default_image_service().show(c, 1)\n'),
}


@pytest.mark.parametrize('name', LEFT)
def test_an_import_with_a_decision_in_it_is_left(name, stays):
    pattern, text = LEFT[name]
    stays(text, pattern)


LATER = {
    'from nova.image import glance\napi = glance.API()\napi.get(c, 1)\n',
    'from nova import image\napi = image.API()\n',
    'import nova.image.api\napi = nova.image.api.API()\n',
    'from nova.image.api import API\nAPI().get(c, 1)\n',
}


@pytest.mark.parametrize('text', sorted(LATER))
def test_a_file_on_the_later_api_is_not_ours(text, stays):
    stays(text, status='not-ours')


def test_a_tree_with_a_legacy_of_its_own_keeps_the_old_import(migrate):
    result = migrate(
        {'legacy/__init__.py': '', 'a.py': 'from nova.image import glance\nglance.get_api_servers()\n'}
    )
    assert not result.changed


def test_a_module_that_others_reach_through_keeps_the_name(migrate):
    """P-05: tests reach the functions through the module under test."""
    result = migrate(
        {
            'snapshotter.py': f'from nova.image import glance\n{USE}',
            'test_it.py': 'import snapshotter\nmox.StubOutWithMock(snapshotter.glance, "get_default_image_service")\n',
        }
    )
    assert b'from legacy import glance' in result.files['snapshotter.py'].new_bytes
    assert any(site.pattern == 'P-49' and site.file == 'test_it.py' for site in result.sites)


def test_relative_imports_are_made_absolute(migrate):
    result = migrate(
        {
            'nova/__init__.py': '',
            'nova/image/__init__.py': '',
            'nova/compute/__init__.py': '',
            'nova/compute/api.py': f'from ..image import glance\n{USE}',
        }
    )
    assert result.files['nova/compute/api.py'].new_bytes.decode() == f'import nova_image.api\n{NEW}'
