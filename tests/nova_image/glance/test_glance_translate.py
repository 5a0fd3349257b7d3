# SPDX-License-Identifier: Apache-2.0
"""Errors of the libraries below become ours, and nothing that used to be caught stops being caught."""

from __future__ import annotations

import inspect
from typing import Any

import keystoneauth1.exceptions
import pytest
import requests.exceptions
from glanceclient import exc as glance

from nova_image import answers, errors
from nova_image.glance import translate

LIBRARIES = (glance, keystoneauth1.exceptions, requests.exceptions)


def library_errors() -> list[type[BaseException]]:
    found: set[type[BaseException]] = set()
    for module in LIBRARIES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseException):
                top = value.__module__.partition('.')[0]
                if top in ('glanceclient', 'keystoneauth1', 'requests'):
                    found.add(value)
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


def made(cls: type[BaseException]) -> BaseException:
    """An instance, whatever its constructor wants."""
    error = cls.__new__(cls)
    error.message = error.details = 'some text'  # type: ignore[attr-defined]
    error.args = ('some text',)
    return error


@pytest.mark.parametrize('cls', library_errors(), ids=lambda cls: f'{cls.__module__}.{cls.__name__}')
def test_every_error_of_the_libraries_below_has_a_kind(cls: type[BaseException]) -> None:
    error = made(cls)
    kind = translate.kind_of(error)
    assert (kind is None) == isinstance(error, translate.PASSED)
    if kind is not None:
        for table in (answers.IMAGE, answers.PLAIN, answers.LISTING, answers.DELETE, answers.IMPORT):
            assert isinstance(translate.translate(error, table, 'ID'), errors.NovaException)


def test_the_walk_sees_the_errors_it_is_about() -> None:
    names = {cls.__name__ for cls in library_errors()}
    assert {'HTTPNotFound', 'ConnectFailure', 'ChunkedEncodingError'} <= names
    assert len(names) > 80


def test_errors_of_others_and_of_ours_pass() -> None:
    both = errors.joined(errors.ImageConflict, glance.HTTPConflict)('already ours')
    for error in (KeyError('x'), OSError('disk'), errors.ImageNotFound(image_id='x'), both):
        assert translate.translate(error, answers.IMAGE, 'ID') is None


#: Theirs by status: ``HTTPNotImplemented`` is what glanceclient makes of a server's 501.
IMAGE_TABLE: list[tuple[Any, type[Exception], bool]] = [
    (glance.HTTPUnauthorized, errors.ImageNotAuthorized, False),
    (glance.HTTPForbidden, errors.ImageNotAuthorized, False),
    (glance.HTTPNotFound, errors.ImageNotFound, False),
    (glance.HTTPBadRequest, errors.ImageBadRequest, False),
    (glance.HTTPOverLimit, errors.ImageQuotaExceeded, True),
    (glance.HTTPConflict, errors.ImageConflict, True),
    (glance.HTTPInternalServerError, errors.ImageServiceError, True),
    (glance.HTTPNotImplemented, errors.ImageServiceError, True),
    (glance.HTTPException, errors.ImageServiceError, True),
    (glance.HTTPMultipleChoices, errors.ImageServiceError, True),
]


@pytest.mark.contract('C-188', 'C-299')
@pytest.mark.parametrize(('theirs', 'ours', 'both'), IMAGE_TABLE)
def test_the_image_table(theirs: Any, ours: type[Exception], both: bool) -> None:
    error = translate.translate(theirs('text'), answers.IMAGE, 'ID')
    assert isinstance(error, ours)
    assert isinstance(error, theirs) == both


@pytest.mark.contract('C-191')
@pytest.mark.parametrize('theirs', [glance.Unauthorized, glance.Forbidden, glance.NotFound, glance.BadRequest])
def test_the_deprecated_base_classes_are_recognised_too(theirs: Any) -> None:
    assert type(translate.translate(theirs('x'), answers.IMAGE, 'ID')).__name__ in (
        'ImageNotAuthorized', 'ImageNotFound', 'ImageBadRequest',
    )  # fmt: skip


@pytest.mark.contract('C-188', 'C-161')
@pytest.mark.parametrize(
    ('theirs', 'ours', 'both'),
    [
        (glance.HTTPUnauthorized, errors.Forbidden, False),
        (glance.HTTPForbidden, errors.Forbidden, False),
        (glance.HTTPNotFound, errors.NotFound, False),
        (glance.HTTPBadRequest, errors.Invalid, False),
        (glance.HTTPConflict, errors.ImageConflict, True),
        (glance.HTTPOverLimit, errors.ImageQuotaExceeded, True),
    ],
)
def test_the_plain_table_keeps_the_text(theirs: Any, ours: type[Exception], both: bool) -> None:
    error = translate.translate(theirs('text'), answers.PLAIN)
    assert isinstance(error, ours)
    assert isinstance(error, theirs) == both
    assert str(error) == 'HTTP text'


@pytest.mark.contract('C-236', 'C-310')
@pytest.mark.parametrize(
    ('theirs', 'ours'),
    [
        (glance.HTTPUnauthorized, errors.Forbidden),
        (glance.HTTPForbidden, errors.Forbidden),
        (glance.HTTPNotFound, errors.NotFound),
        (glance.HTTPBadRequest, errors.Invalid),
    ],
)
def test_errors_of_a_listing_are_caught_by_either_name(theirs: Any, ours: type[errors.NovaException]) -> None:
    error = translate.translate(theirs('text'), answers.LISTING)
    assert isinstance(error, ours)
    assert isinstance(error, theirs)
    assert (error.code, str(error)) == (ours.code, 'HTTP text')


@pytest.mark.contract('C-185', 'C-299')
def test_a_conflict_of_delete_is_caught_by_either_name() -> None:
    error = translate.translate(glance.HTTPConflict('in use'), answers.DELETE, 'ID')
    assert isinstance(error, errors.ImageDeleteConflict)
    assert isinstance(error, glance.HTTPConflict)
    assert str(error) == 'Conflict deleting image. Reason: HTTP in use.'
    assert error.code == 500


@pytest.mark.contract('C-185')
@pytest.mark.parametrize('theirs', [glance.HTTPUnauthorized, glance.HTTPBadRequest, glance.HTTPOverLimit])
def test_what_delete_let_through_raw_keeps_class_text_and_code(theirs: Any) -> None:
    error = translate.translate(theirs('nope'), answers.DELETE, 'ID')
    assert isinstance(error, theirs)
    assert str(error) == 'HTTP nope'
    assert error.code == theirs.code  # type: ignore[union-attr]
    assert error.details == 'nope'  # type: ignore[union-attr]


@pytest.mark.contract('C-306')
def test_a_conflict_of_an_import_says_so() -> None:
    error = translate.translate(glance.HTTPConflict('busy'), answers.IMPORT, 'ID')
    assert isinstance(error, errors.ImageImportImpossible)
    assert str(error) == 'Import of image ID refused: HTTP busy'


def test_a_decorated_method_keeps_its_name_signature_and_chains() -> None:
    class Thing:
        @translate.image_errors(answers.IMAGE)
        def show(self, context: Any, image_id: str, *, server: str | None = None) -> None:
            """Doc."""
            raise glance.HTTPNotFound('gone')

    assert Thing.show.__name__ == 'show'
    assert Thing.show.__doc__ == 'Doc.'
    assert list(inspect.signature(Thing.show).parameters) == ['self', 'context', 'image_id', 'server']
    with pytest.raises(errors.ImageNotFound, match='Image X could not be found') as caught:
        Thing().show(None, 'X', server='s')
    assert isinstance(caught.value.__cause__, glance.HTTPNotFound)
