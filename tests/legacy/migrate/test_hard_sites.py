# SPDX-License-Identifier: Apache-2.0
"""The ten call sites on which well-known engines are wrong or silent: right, or left with a reason; never wrong."""

from __future__ import annotations


def test_a_module_attribute_with_a_trailing_comment(changes):
    changes(
        'from nova.image import glance\nx = glance.get_default_image_service()  # keep\nx.show(c, 1)\n',
        'import nova_image.api\nx = nova_image.api.API()  # keep\nx.get(c, 1)\n',
        left=0,
    )


def test_renamed_imports(changes):
    changes(
        'import nova.image.glance as g\nfrom nova.image.glance import get_default_image_service as h\n'
        'g.get_default_image_service().show(c, 1)\nh().show(c, 1)\n',
        'import nova_image.api\nnova_image.api.API().get(c, 1)\nnova_image.api.API().get(c, 1)\n',
        left=0,
    )


def test_a_fully_dotted_use(changes):
    changes(
        'import nova.image.glance\nnova.image.glance.get_default_image_service().show(c, 1)\n',
        'import nova_image.api\nnova_image.api.API().get(c, 1)\n',
        left=0,
    )


def test_a_name_shadowed_by_a_parameter(changes):
    changes(
        'from nova.image.glance import get_default_image_service\n'
        'def f(get_default_image_service):\n    get_default_image_service().show(c, 1)\n'
        'get_default_image_service().show(c, 1)\n',
        'import nova_image.api\n'
        'def f(get_default_image_service):\n    get_default_image_service().show(c, 1)\n'
        'nova_image.api.API().get(c, 1)\n',
    )


def test_the_same_name_from_another_package(stays):
    stays(
        'from cinder.image import glance\nglance.get_default_image_service().show(c, 1)\n',
        'P-54',
        status='not-ours',
    )


def test_patched_names_are_told(migrate):
    result = migrate(
        {
            'a.py': """
from nova.image import glance
def test(mock):
    with mock.patch('nova.image.glance.get_default_image_service'), \\
            mock.patch.object(glance, 'get_default_image_service'):
        glance.get_default_image_service().show(c, 1)
"""
        }
    )
    left = {(site.line, site.pattern) for site in result.sites if site.status == 'left'}
    assert left == {(4, 'P-48'), (5, 'P-49'), (6, 'P-09'), (6, 'P-26')}, 'the call stays with its doubles'
    assert all('inert' in site.reason for site in result.sites if site.status == 'left')
    assert b'from legacy import glance' in result.files['a.py'].new_bytes


def test_an_import_by_star_is_told(stays):
    result = stays('from nova.image.glance import *\nget_default_image_service().show(c, 1)\n', 'P-04')
    assert len([site for site in result.sites if site.status == 'left']) == 3


def test_a_value_in_a_table_and_a_name_in_getattr_are_told(stays):
    stays(
        "from legacy import glance\nT = {'x': glance.get_default_image_service}\n"
        "getattr(glance, 'get_default_image_service')()\n",
        'P-25',
        'P-37',
    )


def test_an_import_inside_try_or_a_function_stays_there(migrate):
    result = migrate(
        {
            'a.py': 'try:\n    from nova.image import glance\nexcept ImportError:\n    glance = None\n'
            'def f(c):\n    glance.get_default_image_service().show(c, 1)\n',
            'b.py': 'def f(c):\n    from nova.image import glance\n    glance.get_default_image_service().show(c, 1)\n',
        }
    )
    assert result.changed == ['b.py']
    assert result.files['b.py'].new_bytes == (
        b'def f(c):\n    import nova_image.api\n    nova_image.api.API().get(c, 1)\n'
    )
    assert {site.pattern for site in result.sites if site.file == 'a.py' and site.status == 'left'} >= {
        'P-06'
    }


def test_an_import_and_a_call_over_lines_with_comments(changes):
    changes(
        """
        from nova.image import (
            download,  # transfers
            glance,  # images
        )
        x = download
        svc = glance.get_default_image_service(
            # nothing
        )
        svc.show(  # one
            c,  # two
            1)  # three
        """,
        """
        import nova_image.api
        from nova.image import (
            download,  # transfers
              # images
        )
        x = download
        svc = nova_image.api.API(
            # nothing
        )
        svc.get(  # one
            c,  # two
            1)  # three
        """,
    )
