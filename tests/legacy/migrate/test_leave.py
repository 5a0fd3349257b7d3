# SPDX-License-Identifier: Apache-2.0
"""P-48 to P-58: doubles and strings are reported, look-alikes and text are not ours."""

from __future__ import annotations

import pytest

REPORTED = {
    'P-48': "@mock.patch('nova.image.glance.get_remote_image_service')\ndef t(self, p):\n    pass\n",
    'P-49': "from legacy import glance\nstubs.Set(glance, 'get_default_image_service', f)\n",
    'P-49 assignment': 'from legacy import glance\nglance.get_remote_image_service = f\n',
    'P-50': "from legacy import glance\nstubs.Set(glance.GlanceImageService, 'show', f)\n",
    'P-50 instance': 'from legacy import glance\ns = glance.GlanceImageService()\ns.show = f\n',
    'P-52': "s = importutils.import_object('nova.image.glance.GlanceImageService')\n",
    'P-52 constant': "SERVICE = 'nova.image.glance.GlanceImageService'\n",
    'P-37': "from legacy import glance\ngetattr(glance, 'get_default_image_service')()\n",
    'P-44': "mock.patch('nova.image.glance._translate_from_glance')\n",
    'P-45': 'from legacy import glance\nclass T(glance.GlanceImageService):\n    pass\n',
    'P-25': 'from legacy import glance\nTABLE = {1: glance.get_default_image_service}\n',
}


@pytest.mark.parametrize('name', REPORTED)
def test_a_double_or_a_string_is_reported(name, stays):
    result = stays(REPORTED[name], name.split()[0])
    assert all(site.reason for site in result.sites)


NOT_OURS = {
    'P-54': 'from cinder.image import glance\ns, i = glance.get_remote_image_service(c, r)\ns.show(c, i)\n',
    'P-54 function': 'from other import get_default_image_service\nget_default_image_service().show(c, 1)\n',
    'P-55': 'def get_remote_image_service(c, r):\n    return Fake(), r\ns, i = get_remote_image_service(c, r)\n',
    'P-55 parameter': 'def f(glance_opts):\n    return glance_opts\n',
    'P-57': '"""Once used nova.image.glance."""\n# glance.get_default_image_service()\n',
    'P-57 message': "LOG.info('get_remote_image_service failed for %s', x)\n",
    'P-56': 'import nova_image.api\napi = nova_image.api.API()\napi.generate_image_url(r)\n',
}


def test_a_double_is_called_by_what_makes_it(stays):
    result = stays("from legacy import glance\nmock.patch.object(glance, 'get_default_image_service')\n", 'P-49')
    assert all('patch.object()' in site.reason for site in result.sites if site.pattern == 'P-49')


CALLER = 'from nova.image import glance\n\ndef f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.show(c, i)\n'
USERS = {
    'import nova.tests.image.fake\n\nclass T:\n    def s(self):\n        nova.tests.image.fake.stub_out_image_service(self)\n': 1,
    'x = 1\nfrom nova.tests.unit.image import fake as f\nf.stub_out_image_service(None)\n': 2,
    'from nova.tests.image import (cat, fake)\nfake._FakeImageService.show = 1\n': 1,
    'if 1:\n    from nova.tests.unit.image.fake import FakeImageService\n': 2,
    'def s(self):\n    self.glance = self.useFixture(nova_fixtures.GlanceFixture(self))\n': 2,
}


@pytest.mark.contract('C-219')
@pytest.mark.parametrize('user', USERS)
def test_what_runs_on_novas_fake_is_said_to_go_inert_once_a_caller_is_rewritten(user, migrate):
    (site,) = [each for each in migrate({'a.py': CALLER, 'test_a.py': user}).sites if each.file == 'test_a.py']
    assert (site.pattern, site.status, site.line) == ('P-49', 'left', USERS[user])
    assert 'inert' in site.reason and site.replacement.startswith('legacy.testing.')
    assert user.splitlines()[site.line - 1][site.column - 1].strip()


@pytest.mark.parametrize('caller', ['x = 1\n', 'from nova import exception\nexception.ImageNotFound\n'])
def test_novas_fake_is_no_matter_where_nothing_is_rewritten(caller, migrate):
    assert not migrate({'a.py': caller, 'test_a.py': next(iter(USERS))}, errors=True).totals['left']


def test_an_id_taken_from_novas_fake_does_not_go_inert(migrate):
    user = 'from nova.tests.image import fake\nfake.get_valid_image_id()\n'
    assert not migrate({'a.py': CALLER, 'test_a.py': user}).totals['left']


@pytest.mark.parametrize('name', NOT_OURS)
def test_a_look_alike_or_text_is_not_ours(name, stays):
    result = stays(NOT_OURS[name], name.split()[0], status='not-ours')
    assert result.exit_code == 0


def test_objects_with_the_same_methods_are_not_even_sites(migrate):
    """P-55: a service proves nothing by its name."""
    result = migrate({'a.py': 'def f(image_service, c):\n    return image_service.show(c, 1)\n'})
    assert not result.sites


def test_a_shadowed_name_is_not_followed(changes):
    changes(
        """
        from nova.image import glance
        def f(glance, c):
            glance.show(c, 1)
        def g(c):
            glance.get_default_image_service().show(c, 1)
        """,
        """
        import nova_image.api
        def f(glance, c):
            glance.show(c, 1)
        def g(c):
            nova_image.api.API().get(c, 1)
        """,
    )


def test_the_old_module_itself_is_not_ours(migrate):
    text = 'class GlanceImageService(object):\n    pass\n\ndef get_default_image_service():\n    return GlanceImageService()\n'
    result = migrate({'nova/image/glance.py': text, 'fork/glance.py': text})
    assert {site.status for site in result.sites} == {'not-ours'}
    assert all('old-module' in site.reason for site in result.sites)


def test_documents_and_settings_are_not_ours(migrate):
    result = migrate(
        {
            'doc.rst': 'See nova.image.glance and\nget_remote_image_service.\n',
            'x.cfg': 'a = nova.image.glance:API\n',
        }
    )
    assert [site.status for site in result.sites] == ['not-ours'] * 3
    assert result.exit_code == 0


def test_a_file_that_does_not_parse_is_reported_and_left(migrate):
    """P-58."""
    result = migrate(
        {
            'bad.py': 'from nova.image import glance\ndef f(:\n',
            'good.py': 'from nova.image import glance\nglance.get_default_image_service().show(c, 1)\n',
        }
    )
    assert result.changed == ['good.py']
    assert [each.file for each in result.problems] == ['bad.py']
    assert 'line 2' in result.problems[0].why
    assert result.exit_code == 2
    assert [site.pattern for site in result.sites if site.file == 'bad.py'] == ['P-58']


def test_the_modules_own_unit_tests_are_left_as_a_whole(migrate):
    text = 'from nova.image import glance\nglance.get_default_image_service().show(c, 1)\n'
    result = migrate({'nova/tests/image/test_glance.py': text})
    assert {site.pattern for site in result.sites} == {'P-53'}
    assert not result.changed


@pytest.mark.parametrize(
    ('text', 'name', 'pattern'),
    [
        ("mock.patch(f'nova.image.glance.{name}')", 'nova.image.glance.{name}', 'P-48'),
        ("mock.patch('nova.image.glance.%s' % name)", 'nova.image.glance.%s', 'P-52'),
        ("mock.patch('nova.image.glance.{}'.format(name))", 'nova.image.glance.{}', 'P-52'),
        ("load('nova.image.glance.' + name)", 'nova.image.glance.', 'P-52'),
        ("x = ur'nova.image.glance.GlanceClientWrapper'", 'nova.image.glance.GlanceClientWrapper', 'P-52'),
        ('x = f"""nova.image.glance"""', 'nova.image.glance', 'P-52'),
    ],
)
def test_a_dotted_string_that_is_completed_later_is_told_as_it_stands(text, name, pattern, migrate):
    result = migrate({'a.py': text + '\n'})
    assert [(site.name, site.pattern, site.status) for site in result.sites] == [(name, pattern, 'left')]
