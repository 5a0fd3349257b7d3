# SPDX-License-Identifier: Apache-2.0
"""The warning of an old name: whose line it blames, how often it is heard, and that nothing else changes."""

from __future__ import annotations

import concurrent.futures
import contextlib
import copy
import inspect
import pickle
import subprocess
import sys
import textwrap
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import legacy
from legacy import deprecation, glance
from legacy.deprecation import LegacyImageAPIWarning

IGNORED = 'ignore::legacy.deprecation.LegacyImageAPIWarning'


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    deprecation.set_stage(None)
    yield
    deprecation.set_stage(None)


def use() -> Any:
    return glance._remove_read_only({})


def line_of(function: Any, offset: int = 1) -> int:
    return int(function.__code__.co_firstlineno) + offset


def heard(action: str = 'always', times: int = 1) -> list[warnings.WarningMessage]:
    globals().pop('__warningregistry__', None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        for _ in range(times):
            use()
    return caught


def test_the_warning_names_the_callers_file_and_line() -> None:
    (note,) = heard()
    assert (note.filename, note.lineno) == (__file__, line_of(use))


def test_the_warning_carries_the_facts_of_the_table() -> None:
    (note,) = heard()
    assert isinstance(note.message, LegacyImageAPIWarning)
    assert isinstance(note.message, DeprecationWarning)
    assert (note.message.old, note.message.since, note.message.removed_in) == ('_remove_read_only', '1.0', '3.0')
    assert note.message.new in str(note.message)
    again = pickle.loads(pickle.dumps(note.message))
    assert (str(again), again.old) == (str(note.message), note.message.old)


def test_once_per_place_by_default_and_every_time_where_the_filters_say_always() -> None:
    assert len(heard('default', 3)) == 1
    assert len(heard('always', 3)) == 3
    assert len(heard('ignore', 3)) == 0
    assert len(heard('default', 3)) == 1


def test_a_place_that_was_silenced_is_heard_again_under_pytest_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        use()
        use()
    for _ in range(2):
        with pytest.warns(LegacyImageAPIWarning):
            use()


def test_a_filter_that_is_added_in_between_counts_at_once() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        use()
        warnings.simplefilter('error')
        with pytest.raises(LegacyImageAPIWarning):
            use()


def test_two_places_on_two_lines_are_two_warnings() -> None:
    globals().pop('__warningregistry__', None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('default')
        for _ in range(2):
            glance._remove_read_only({})
            glance._remove_read_only({})
    assert len(caught) == 2


def test_constructors_and_methods_warn_at_their_own_lines_and_inner_calls_do_not() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        service = glance.get_default_image_service()
        service._get_transfer_module('file')
        type(service)()
    names = [note.message.old for note in caught]  # type: ignore[union-attr]
    assert names == [
        'get_default_image_service',
        'GlanceImageService._get_transfer_module',
        'GlanceImageService',
    ]
    assert {note.filename for note in caught} == {__file__}


def test_a_subclass_is_blamed_where_it_calls_the_old_method() -> None:
    class Mine(glance.GlanceImageService):
        def _get_transfer_module(self, scheme: str) -> Any:
            return super()._get_transfer_module(scheme)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        mine = Mine()
        mine._get_transfer_module('x')
    assert [note.lineno for note in caught] == [
        line_of(test_a_subclass_is_blamed_where_it_calls_the_old_method, 7),
        line_of(Mine._get_transfer_module),
    ]


def test_the_stage_silent_says_nothing_and_notes_the_place() -> None:
    deprecation.set_stage('silent')
    assert heard() == []
    assert ('_remove_read_only', __file__, line_of(use)) in deprecation.sites()


def test_the_stage_error_raises_each_time() -> None:
    deprecation.set_stage('error')
    for _ in range(2):
        with pytest.raises(LegacyImageAPIWarning):
            use()


def run(program: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / 'program.py'
    script.write_text(textwrap.dedent(program), encoding='utf-8')
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )


PROGRAM = """\
    from legacy import glance
    for _ in range(3):
        glance._remove_read_only({})
    glance._convert_to_string({})
    """


def test_the_stage_summary_gives_one_warning_and_a_list_at_exit(tmp_path: Path) -> None:
    done = run(PROGRAM, tmp_path, NOVA_IMAGE_LEGACY='summary')
    assert done.stderr.count('LegacyImageAPIWarning') == 1
    assert '2 places use old image names:' in done.stderr
    assert 'program.py:3: _remove_read_only: use ' in done.stderr
    assert 'program.py:4: _convert_to_string: use ' in done.stderr


def test_by_default_a_script_hears_each_place_once(tmp_path: Path) -> None:
    done = run(PROGRAM, tmp_path)
    assert (done.returncode, done.stderr.count('LegacyImageAPIWarning: ')) == (0, 2)


def test_an_unknown_stage_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    assert 'expected one of silent, summary, all, error' in run(PROGRAM, tmp_path, NOVA_IMAGE_LEGACY='loud').stderr
    with pytest.raises(ValueError, match='not one of'):
        deprecation.set_stage('loud')


def test_importing_looking_and_inspecting_warns_of_nothing(tmp_path: Path) -> None:
    program = """\
        import inspect, pydoc
        import legacy, legacy.glance, legacy.api, legacy.download.file
        for module in (legacy, legacy.glance, legacy.api, legacy.download.file):
            for name, value in inspect.getmembers(module):
                inspect.getdoc(value)
                if isinstance(value, type):
                    inspect.getmembers(value)
            pydoc.render_doc(module)
        import sys
        assert 'glanceclient' not in sys.modules or True
        """
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')


def test_importing_the_old_module_pulls_in_no_client() -> None:
    program = (
        'import sys, nova_image, legacy.glance; '
        "print([m for m in ('glanceclient', 'keystoneauth1', 'requests', 'oslo_utils') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, '-W', 'error', '-c', program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ('[]', '')


FUNCTION = glance._remove_read_only
METHOD = glance.GlanceImageService.__dict__['show']


@pytest.mark.parametrize(
    'check',
    [
        lambda f: inspect.isfunction(f.__wrapped__),
        lambda f: callable(f),
        lambda f: f.__name__ == '_remove_read_only',
        lambda f: f.__qualname__ == '_remove_read_only',
        lambda f: f.__module__ == 'legacy.translation',
        lambda f: 'C-118' in f.__doc__,
        lambda f: str(inspect.signature(f)).startswith('(image_meta'),
        lambda f: list(inspect.signature(f).parameters) == ['image_meta'],
        lambda f: 'image_meta' in f.__annotations__,
        lambda f: f.__defaults__ is None,
        lambda f: f.__code__.co_name == '_remove_read_only',
        lambda f: inspect.getsourcefile(f) == inspect.getsourcefile(f.__wrapped__),
        lambda f: inspect.isroutine(f),
        lambda f: not inspect.iscoroutinefunction(f),
        lambda f: pickle.loads(pickle.dumps(f)) is f,
        lambda f: copy.copy(f) is f,
        lambda f: copy.deepcopy(f) is f,
        lambda f: weakref.ref(f)() is f,
        lambda f: hash(f) is not None and f == f,  # noqa: PLR0124 - that is the question
        lambda f: bool(f),
        lambda f: mock.create_autospec(f) is not None,
    ],
)
def test_a_deprecated_function_cannot_be_told_from_a_plain_one(check: Any) -> None:
    assert check(FUNCTION)


@pytest.mark.filterwarnings(IGNORED)
def test_methods_bind_pickle_and_copy_like_methods() -> None:
    service = glance.GlanceImageService()
    assert service.show.__self__ is service
    assert str(inspect.signature(service.show)).startswith('(context')
    assert str(inspect.signature(glance.GlanceImageService.show)).startswith('(self, context')
    assert str(inspect.signature(glance.GlanceImageService)).startswith('(client')
    show = copy.deepcopy(service.show)
    assert show.__self__ is not service
    assert isinstance(show.__self__, glance.GlanceImageService)
    assert copy.copy(service.show).__self__ is service
    assert pickle.loads(pickle.dumps(glance.GlanceImageService.show)).__qualname__ == 'GlanceImageService.show'
    update = pickle.loads(pickle.dumps(glance.UpdateGlanceImage(1, 2, 3, 4)))
    assert (update.context, update.image_id, update.metadata, update.image_stream) == (1, 2, 3, 4)
    assert pickle.loads(pickle.dumps(update.start)).__self__.image_id == 2


@pytest.mark.filterwarnings(IGNORED)
def test_old_classes_are_real_classes() -> None:
    class Mine(glance.GlanceImageService):
        pass

    assert isinstance(Mine(), glance.GlanceImageService)
    assert isinstance(glance.GlanceImageService, type)
    with mock.patch.object(glance.GlanceImageService, 'show', autospec=True) as show:
        glance.GlanceImageService().show('ctx', 'id')
    assert show.call_args.args[1:] == ('ctx', 'id')


def test_the_package_exports_the_category_and_says_what_it_has_not() -> None:
    assert legacy.LegacyImageAPIWarning is LegacyImageAPIWarning
    assert {'install', 'uninstall', 'LegacyImageAPIWarning'} <= set(dir(legacy))
    with pytest.raises(AttributeError, match='nothing_like_it'):
        legacy.nothing_like_it  # noqa: B018


def test_a_call_that_the_standard_library_makes_is_blamed_on_the_line_that_led_there() -> None:
    def through_stdlib() -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(glance._remove_read_only, {})

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        through_stdlib()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(glance._remove_read_only, {}).result()
    assert [Path(note.filename).name for note in caught] == [Path(__file__).name, 'thread.py']
    assert line_of(through_stdlib) <= caught[0].lineno <= line_of(through_stdlib, 2)
    assert 'a thread or a pool called it' in str(caught[1].message)
