# SPDX-License-Identifier: Apache-2.0
"""The zero-edit import, without Nova; beside real Nova it is tests/nova's subject. Each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

OLD_NOVA = {
    'nova/__init__.py': '',
    'nova/exception.py': 'class NovaException(Exception): pass\nclass ImageNotFound(NovaException): pass\n',
    'nova/image/__init__.py': '',
    'nova/image/glance.py': (
        'class API: pass\nclass GlanceImageService: pass\n'
        'def get_default_image_service(): return "old"\n'
        'def only_here(): pass\n'
    ),
}


def run(program: str, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (where / 'program.py').write_text(textwrap.dedent(program), encoding='utf-8')
    return subprocess.run(
        [sys.executable, '-W', 'ignore', *arguments, 'program.py'],
        capture_output=True, text=True, check=False, cwd=where,
    )  # fmt: skip


def passes(program: str, where: Path) -> None:
    done = run(program, where)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def old_nova(tmp_path: Path) -> Path:
    """A place where an old Nova can be imported from."""
    for name, text in OLD_NOVA.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
    return tmp_path


def test_every_spelling_of_the_old_import_resolves_to_the_shim(tmp_path: Path) -> None:
    passes(
        """
        import sys
        import legacy
        assert legacy.install() == () and legacy.install() == ()
        from nova.image import glance
        import nova.image.glance
        import nova.image.glance as aliased
        from nova.image.glance import get_remote_image_service
        import nova.image, nova.image.api
        import nova.image.download, nova.image.download.base
        from nova.image.download import file
        import legacy.glance
        assert glance is aliased is nova.image.glance is legacy.glance
        assert get_remote_image_service is legacy.glance.get_remote_image_service
        assert isinstance(nova.image.API(), nova.image.api.API)
        assert file.get_schemes() == ['file', 'filesystem']
        """,
        tmp_path,
    )


def test_whoever_asks_if_there_is_another_module_of_nova_is_told_that_there_is_none(tmp_path: Path) -> None:
    passes(
        """
        import importlib.util
        import legacy
        legacy.install()
        assert importlib.util.find_spec('nova.compute') is None
        assert importlib.util.find_spec('nova.image.glance') is not None
        try:
            import nova.compute
        except ModuleNotFoundError as error:
            assert 'Nova is not installed here' in str(error)
        else:
            raise AssertionError('imported')
        """,
        tmp_path,
    )


@pytest.mark.contract('C-300')
def test_without_nova_its_exceptions_offer_the_image_errors_and_refuse_the_rest_with_a_reason(tmp_path: Path) -> None:
    passes(
        """
        import legacy
        legacy.install()
        from nova import exception
        from nova.exception import ImageNotFound, NovaException, Forbidden, NotAuthorized
        from nova_image import errors
        import nova
        assert ImageNotFound is errors.ImageNotFound and exception.ImageNotFound is ImageNotFound
        assert nova.__nova_image_standin__ and exception.__nova_image_standin__
        assert not hasattr(exception, 'InstanceNotFound')
        for statement in ('from nova.exception import InstanceNotFound', 'from nova import utils',
                          'import nova.compute.api', 'exception.InstanceNotFound'):
            try:
                exec(statement)
            except (ImportError, AttributeError) as error:
                assert 'Nova is not installed here' in str(error), (statement, error)
            else:
                raise AssertionError(statement)
        """,
        tmp_path,
    )


def test_uninstall_takes_the_stand_in_away_again(tmp_path: Path) -> None:
    passes(
        """
        import sys
        import legacy
        legacy.uninstall()
        before = set(sys.modules), list(sys.meta_path)
        legacy.install()
        import nova.image.glance
        from nova import exception
        legacy.uninstall()
        assert not [name for name in sys.modules if name.split('.')[0] == 'nova']
        assert sys.meta_path == before[1]
        try:
            import nova.image.glance
        except ImportError:
            pass
        else:
            raise AssertionError
        legacy.install()
        import nova.image.glance
        """,
        tmp_path,
    )


def test_an_installed_nova_keeps_everything_but_its_image_modules(old_nova: Path) -> None:
    passes(
        """
        import legacy
        legacy.install()
        import sys
        assert 'nova' not in sys.modules  # not imported on our own account
        import nova.image
        from nova.image import glance
        from nova import exception
        import nova.image.download.file
        assert glance.__name__ == 'legacy.glance'
        assert exception.__file__.endswith('nova/exception.py')
        assert nova.image.API().__class__.__module__ == 'legacy.api'
        try:
            glance.GlanceImageService().show(None, 'a/b')
        except exception.ImageNotFound as error:
            assert error.kwargs['image_id'] == 'a/b'
        legacy.uninstall()
        import nova.image.glance
        assert nova.image.glance.get_default_image_service() == 'old'
        assert not hasattr(nova.image, 'API')
        """,
        old_nova,
    )


def test_what_was_bound_before_is_replaced_and_named_and_put_back(old_nova: Path) -> None:
    passes(
        """
        from nova.image import glance
        from nova.image.glance import get_default_image_service as make
        class Manager:
            module = glance
        import legacy, legacy.glance
        assert legacy.install() == ('__main__.Manager.module', '__main__.glance', '__main__.make')
        assert glance is Manager.module is legacy.glance
        assert make is legacy.glance.get_default_image_service
        legacy.uninstall()
        assert make() == 'old' and Manager.module is glance is not legacy.glance
        """,
        old_nova,
    )


@pytest.mark.parametrize(
    ('before', 'named'),
    [
        ('service = glance.GlanceImageService()', 'an instance of GlanceImageService'),
        ('class Mine(glance.GlanceImageService): pass', 'a subclass of GlanceImageService: __main__.Mine'),
        ('TABLE = {"a": glance.get_default_image_service}', 'the collection __main__.TABLE'),
        ('from nova.image.glance import only_here', '__main__.only_here, which has no counterpart'),
    ],
)
def test_what_cannot_be_replaced_is_named_and_nothing_is_changed(old_nova: Path, before: str, named: str) -> None:
    done = run(
        f"""
        import sys
        from nova.image import glance
        {before}
        import legacy
        try:
            legacy.install()
        except legacy.InstallRefused as error:
            print(error)
        assert glance.get_default_image_service() == 'old'
        assert sys.modules['nova.image.glance'] is glance
        assert not [finder for finder in sys.meta_path if type(finder).__module__ == 'legacy.installing']
        """,
        old_nova,
    )
    assert done.returncode == 0, done.stderr
    assert named in done.stdout
    assert 'Call install() before they are made' in done.stdout


def test_a_script_runs_unchanged_with_its_arguments_and_its_exit(tmp_path: Path) -> None:
    (tmp_path / 'sibling.py').write_text('VALUE = 7\n', encoding='utf-8')
    (tmp_path / 'app.py').write_text(
        'import sys, sibling\nfrom nova.image import glance\n'
        'print(__name__, sys.argv[1:], glance.__name__)\nsys.exit(sibling.VALUE)\n',
        encoding='utf-8',
    )
    for how in (['app.py'], ['-m', 'app']):
        done = subprocess.run(
            [sys.executable, '-m', 'legacy', *how, 'a', '--b'], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert (done.returncode, done.stdout) == (7, "__main__ ['a', '--b'] legacy.glance\n"), done.stderr


@pytest.mark.parametrize(
    ('arguments', 'status', 'said'),
    [
        ([], 2, 'usage:'),
        (['--help'], 0, 'usage:'),
        (['-m'], 2, 'usage:'),
        (['nothing.py'], 2, 'no such script: nothing.py'),
        (['-m', 'nothing'], 2, 'no such module: nothing'),
        (['-m', 'nothing.below'], 2, 'no such module: nothing.below'),
        (['-m', '.relative'], 2, 'no such module: .relative'),
    ],
)
def test_a_bad_command_line_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'legacy', *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == status
    text = done.stdout + done.stderr
    assert said in text
    assert len(text.splitlines()) == 1
