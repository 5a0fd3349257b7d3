# SPDX-License-Identifier: Apache-2.0
"""``pytest --nova-image-equivalence[=DRIVER|URL]``: the packaged suite on the user's own image service; fixtures; a marker.

Loaded by entry point in every pytest run of an environment that has nova-image, so importing it costs next to nothing;
whatever is needed is imported on use. The suite makes private, tagged images and deletes exactly those.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from legacy.equivalence.both_paths import HELP, BothPaths

if TYPE_CHECKING:
    from legacy.equivalence.visit import Visit
    from nova_image import API

OPTION = '--nova-image-equivalence'
_SUITE = Path(__file__).with_name('suite.py')


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f'{text!r} is no number of programs; give 1 or more')
    return int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option, and how much of the suite to run."""
    group = parser.getgroup('nova-image')
    group.addoption(
        OPTION, nargs='?', const='', default=None, metavar='DRIVER|URL',
        help='run the equivalence suite of nova-image against your image service: what OS_CLOUD or OS_AUTH_URL leads '
        'to, a URL, or a driver; it makes private images and deletes exactly those',
    )  # fmt: skip
    group.addoption(
        '--nova-image-programs', type=_number, default=25, metavar='N', help='programs of the equivalence suite (25)'
    )


def pytest_configure(config: pytest.Config) -> None:
    """With the option the suite is what runs, and what the command line names besides."""
    config.addinivalue_line('markers', HELP)
    if config.getoption(OPTION) is not None:
        named = config.args if config.args_source is config.ArgsSource.ARGS else []
        config.args = [str(_SUITE), *named]


@pytest.hookimpl(trylast=True)  # after those that choose tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marked tests run once per path."""
    items[:] = [BothPaths.instead_of(item) for item in items]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what is going to happen, before it does, however quiet the run."""
    target = session.config.getoption(OPTION)
    if target is None:
        return
    from legacy.equivalence.owned import TAG

    print(
        f'nova-image equivalence: against {target or "the service that the environment names"}\n'
        f'  makes private images with the tag {TAG!r} and deletes exactly those at the end, also when interrupted;\n'
        '  no other image is listed, read, changed or deleted, and nothing is published',
        flush=True,
    )


@pytest.fixture(scope='session')
def twin_stores(request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Two sets of images of this run's own, for the old and for the new path; gone at the end."""
    from legacy.equivalence.cloud import NoCloud
    from legacy.equivalence.visit import visit

    try:
        with visit(request.config.getoption(OPTION)) as made:
            yield made
    except NoCloud as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture
def image_api(twin_stores: Visit) -> API:
    """``nova_image.API`` on the store of the new path."""
    return twin_stores.api


@pytest.fixture
def legacy_image(twin_stores: Visit) -> Iterator[Any]:
    """The old module ``legacy.glance`` on the store of the old path, for the length of a test."""
    from legacy import glance

    with twin_stores.old_path():
        yield glance
