# SPDX-License-Identifier: Apache-2.0
"""What moves only when asked: doubles (--tests), error classes (--errors), upstream's later API (--api)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from legacy.migrate import Result, run
from legacy.migrate.tree import Source


@pytest.fixture
def flagged(migrate: Callable[..., Result]) -> Callable[..., Result]:
    """Run with flags, twice; the second run changes nothing."""

    def go(files: dict[str, str], **flags: bool) -> Result:
        result = migrate(files, **flags)
        for path in result.changed:
            assert Source(result.files[path].new_bytes).error() is None
        result.write()
        again = migrate({}, **flags)
        assert not again.changed, {path: again.files[path].new_bytes for path in again.changed}
        return result

    return go


def new(result: Result, path: str) -> str:
    return result.files[path].new_bytes.decode()


CODE = (
    'from nova.image import glance\n\n\ndef look(ctx, ref):\n'
    '    svc, image_id = glance.get_remote_image_service(ctx, ref)\n    return svc.show(ctx, image_id)\n'
)
PAIR = (
    "@mock.patch('nova.image.glance.get_remote_image_service')\ndef test_it(self, get_pair):\n"
    "    svc = mock.Mock()\n    get_pair.return_value = (svc, 'an-id')\n    svc.show.return_value = RECORD\n"
    '    self.assertEqual(RECORD, code.look(1, 2))\n'
)
DOUBLES = {
    'a pair by a decorator': (
        PAIR,
        (
            "@mock.patch('nova_image.api.API')\ndef test_it(self, get_pair):\n    svc = mock.Mock()\n"
            '    get_pair.return_value = svc\n    svc.get.return_value = RECORD\n'
            '    self.assertEqual(RECORD, code.look(1, 2))\n'
        ),
    ),
    'through the module under test, two decorators': (
        (
            "@mock.patch('os.unlink')\n@mock.patch('pkg.code.glance.get_remote_image_service')\n"
            "def test_it(get_pair, unlink):\n    get_pair.return_value = mock.MagicMock(), 'x'\n"
        ),
        (
            "@mock.patch('os.unlink')\n@mock.patch('nova_image.api.API')\n"
            'def test_it(get_pair, unlink):\n    get_pair.return_value = mock.MagicMock()\n'
        ),
    ),
    'a with statement': (
        (
            "def test_it():\n    svc = mock.Mock()\n    with mock.patch('nova.image.glance.get_remote_image_service',\n"
            "                    return_value=(svc, 'x')) as get:\n        svc.show.side_effect = KeyError\n"
            '        code.look(1, 2)\n    svc.show.assert_called_once()\n'
        ),
        (
            "def test_it():\n    svc = mock.Mock()\n    with mock.patch('nova_image.api.API',\n"
            '                    return_value=svc) as get:\n        svc.get.side_effect = KeyError\n'
            '        code.look(1, 2)\n    svc.get.assert_called_once()\n'
        ),
    ),
    'P-50 a method of the class': (
        (
            'from nova.image import glance\n\n\ndef fake_show(self, ctx, image_id):\n    return 1\n\n\n'
            "def test_it(stubs):\n    stubs.Set(glance.GlanceImageService, 'show', fake_show)\n"
        ),
        (
            'import nova_image.api\n\n\ndef fake_show(self, ctx, image_id):\n    return 1\n\n\n'
            "def test_it(stubs):\n    stubs.Set(nova_image.api.API, 'get', fake_show)\n"
        ),
    ),
    'P-50 by a string': (
        "@mock.patch('nova.image.glance.GlanceImageService.show')\ndef test_it(show):\n    show.return_value = 1\n",
        "@mock.patch('nova_image.api.API.get')\ndef test_it(show):\n    show.return_value = 1\n",
    ),
}


@pytest.mark.parametrize('name', DOUBLES)
def test_a_double_moves_with_what_it_stands_for(name, flagged):
    before, after = DOUBLES[name]
    result = flagged({'pkg/__init__.py': '', 'pkg/code.py': CODE, 'pkg/test_it.py': before}, tests=True)
    assert new(result, 'pkg/test_it.py') == after
    assert result.totals['left'] == 0, [str(site) for site in result.sites]


REPORTED = {
    'arguments are asserted': PAIR + "    svc.show.assert_called_once_with(1, 'an-id')\n",
    'the factory is counted': PAIR + '    get_pair.assert_called_once_with(1, 2)\n',
    'a fake with the old names': PAIR.replace('mock.Mock()', 'FakeService()'),
    'no return value': "@mock.patch('nova.image.glance.get_remote_image_service')\ndef test_it(get):\n    pass\n",
    'autospec': PAIR.replace("service')", "service', autospec=True)"),
    'a fake without room for the purge': (
        'from legacy import glance\n\n\ndef fake(self, ctx, image_id, meta, data=None):\n    pass\n\n\n'
        "stubs.Set(glance.GlanceImageService, 'update', fake)\n"
    ),
    'by object': "from legacy import glance\nmock.patch.object(glance, 'get_remote_image_service')\n",
    'by assignment': 'from legacy import glance\nglance.get_remote_image_service = mock.Mock()\n',
}


@pytest.mark.parametrize('name', REPORTED)
def test_a_double_that_would_say_something_else_is_reported(name, flagged):
    result = flagged({'pkg/__init__.py': '', 'pkg/code.py': CODE, 'pkg/test_it.py': REPORTED[name]}, tests=True)
    left = [site for site in result.sites if site.file == 'pkg/test_it.py' and site.status == 'left']
    assert left and all(site.reason for site in left)
    assert 'nova_image' not in new(result, 'pkg/test_it.py')


def test_without_the_flag_every_double_is_reported_as_going_inert(flagged):
    through = PAIR.replace('nova.image.glance', 'pkg.code.glance')
    result = flagged({'pkg/__init__.py': '', 'pkg/code.py': CODE, 'pkg/test_it.py': PAIR, 'pkg/test_b.py': through})
    for name in ('pkg/test_it.py', 'pkg/test_b.py'):
        (site,) = [each for each in result.sites if each.file == name]
        assert (site.pattern, site.status) == ('P-48', 'left') and 'inert' in site.reason
        assert name not in result.changed


def test_a_double_of_a_site_that_is_left_stays(flagged):
    odd = CODE + '\n\ndef odd(ctx, ref):\n    svc, i = glance.get_remote_image_service(ctx, ref)\n    return svc\n'
    result = flagged({'pkg/__init__.py': '', 'pkg/code.py': odd, 'pkg/test_it.py': PAIR}, tests=True)
    assert 'pkg/test_it.py' not in result.changed
    assert any('pkg/code.py:10' in site.reason for site in result.sites if site.file == 'pkg/test_it.py')


HELD = (
    'from nova.image import glance\n\n\nclass Keeper(object):\n    def __init__(self):\n'
    '        self.images = glance.get_default_image_service()\n\n    def f(self, c):\n        return self.images.show(c, 1)\n'
)
ON_OBJECT = (
    'from pkg import a\n\n\ndef test(self, stubs):\n    keeper = a.Keeper()\n'
    "    mox.StubOutWithMock(keeper.images, 'show')\n    keeper.images.show(1, 2).AndReturn(3)\n"
    "    stubs.Set(keeper.images, 'detail', lambda *a, **k: [])\n"
)


def test_a_double_of_a_method_of_one_object_moves_with_its_group(flagged):
    result = flagged({'pkg/__init__.py': '', 'pkg/a.py': HELD, 'pkg/test_a.py': ON_OBJECT}, tests=True)
    assert new(result, 'pkg/test_a.py') == ON_OBJECT.replace("'show'", "'get'").replace('.show(', '.get(').replace(
        'detail', 'get_all'
    )
    assert result.totals['left'] == 0


def test_without_the_flag_it_keeps_its_group_as_it_is(flagged):
    result = flagged({'pkg/__init__.py': '', 'pkg/a.py': HELD, 'pkg/test_a.py': ON_OBJECT})
    assert b'get_default_image_service' in result.files['pkg/a.py'].new_bytes
    assert any(site.pattern == 'P-50' and site.file == 'pkg/test_a.py' for site in result.sites)


def test_a_double_beside_its_own_site_moves_with_it(flagged):
    result = flagged({'a.py': CODE.replace('import glance\n', 'import glance\nimport mock\n') + PAIR}, tests=True)
    assert 'nova.image' not in new(result, 'a.py')


def test_error_classes_move_when_asked(flagged):
    text = (
        'from nova import exception\n\n\ndef f(api):\n    try:\n        return api.get(1, 2)\n'
        '    except (exception.ImageNotFound, exception.ImageNotAuthorized):\n        raise exception.NotFound()\n'
    )
    result = flagged({'a.py': text}, errors=True)
    assert new(result, 'a.py') == text.replace('from nova', 'import nova_image.errors\nfrom nova').replace(
        'exception.Image', 'nova_image.errors.Image'
    )
    assert {site.pattern for site in result.sites} == {'P-46'}


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ('from nova import exception\nX = exception.ImageNotFound\n', 'import nova_image.errors\nX = nova_image.errors.ImageNotFound\n'),
        (
            'from nova import exception, log\nX = exception.InvalidImageRef, log\n',
            'import nova_image.errors\nfrom nova import log\nX = nova_image.errors.InvalidImageRef, log\n',
        ),
        (
            'from nova.exception import ImageNotFound as Gone\nX = Gone\n',
            'from nova_image.errors import ImageNotFound as Gone\nX = Gone\n',
        ),
        (
            'import nova.exception\nX = nova.exception.ImageNotActive\n',
            'import nova_image.errors\nimport nova.exception\nX = nova_image.errors.ImageNotActive\n',
        ),
        ('from cinder import exception\nX = exception.ImageNotFound\n', None),
        ('from nova import exception\nX = exception.NotFound\n', None),
        ('from nova.exception import ImageNotFound, NotFound\n', None),
        ('def f(exception):\n    return exception.ImageNotFound\n', None),
        ('from nova import exception\nnova_image = 1\nX = exception.ImageNotFound\n', None),
    ],
)
def test_each_spelling_of_an_error_class(before, after, flagged, tmp_path):
    flagged({'a.py': before}, errors=True)
    assert Path(tmp_path, 'a.py').read_text() == (after or before)
    assert not run([tmp_path], tmp_path).changed


LATER = {
    'from nova import image\n\nIMAGE_API = image.API()\n': 'import nova_image.api\n\nIMAGE_API = nova_image.api.API()\n',
    'from nova import image, log\napi = image.API(), log\n': (
        'import nova_image.api\nfrom nova import log\napi = nova_image.api.API(), log\n'
    ),
    'from nova.image import glance\napi = glance.API()\napi.get(c, 1)\n': (
        'import nova_image.api\napi = nova_image.api.API()\napi.get(c, 1)\n'
    ),
    'import nova.image.api\napi = nova.image.api.API()\n': 'import nova_image.api\napi = nova_image.api.API()\n',
    'from nova.image.api import API\nAPI().get(c, 1)\n': 'import nova_image.api\nnova_image.api.API().get(c, 1)\n',
    'from nova.image import api as image_api\nimage_api.API().get(c, 1)\n': (
        'import nova_image.api\nnova_image.api.API().get(c, 1)\n'
    ),
}


@pytest.mark.parametrize('before', LATER)
def test_the_later_api_moves_its_import_when_asked_and_only_then(before, flagged, tmp_path):
    assert not flagged({'a.py': before}).changed
    flagged({'a.py': before}, api=True)
    assert Path(tmp_path, 'a.py').read_text() == LATER[before]


def test_a_conditional_import_of_the_later_api_is_left(flagged):
    text = 'try:\n    from nova import image\nexcept ImportError:\n    image = None\napi = image.API()\n'
    assert not flagged({'a.py': text}, api=True).changed
