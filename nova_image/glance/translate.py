# SPDX-License-Identifier: Apache-2.0
"""Turn the errors of glanceclient, keystoneauth1 and requests into ours (contract b.18, C-298 to C-310).

Knows those classes and :mod:`nova_image.errors`, nothing of requests or retries. A new class of theirs
fails ``test_every_error_of_the_libraries_below_has_a_kind`` until it gets a line in KINDS. What used to
escape raw is now an instance of both trees, with the text it had.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import keystoneauth1.exceptions as ksa
import requests.exceptions
from glanceclient import exc as glance

from nova_image import errors

P = ParamSpec('P')
R = TypeVar('R')


class Kind(enum.Enum):
    """What an error of the libraries below means for an image operation."""

    BAD_REQUEST = enum.auto()
    UNAUTHORIZED = enum.auto()
    FORBIDDEN = enum.auto()
    NOT_FOUND = enum.auto()
    CONFLICT = enum.auto()
    TOO_LARGE = enum.auto()
    UNREACHABLE = enum.auto()
    OTHER = enum.auto()


#: The nearest class of an error's MRO that stands here decides.
KINDS: Mapping[type[BaseException], Kind] = {
    glance.BadRequest: Kind.BAD_REQUEST,
    glance.Unauthorized: Kind.UNAUTHORIZED,
    glance.Forbidden: Kind.FORBIDDEN,
    glance.NotFound: Kind.NOT_FOUND,
    glance.Conflict: Kind.CONFLICT,
    glance.OverLimit: Kind.TOO_LARGE,
    glance.ServiceUnavailable: Kind.UNREACHABLE,
    glance.ClientException: Kind.OTHER,
    glance.BaseException: Kind.UNREACHABLE,
    glance.CommandError: Kind.OTHER,
    glance.NoTokenLookupException: Kind.UNAUTHORIZED,
    glance.EndpointNotFound: Kind.UNREACHABLE,
    ksa.Unauthorized: Kind.UNAUTHORIZED,
    ksa.Forbidden: Kind.FORBIDDEN,
    ksa.AuthorizationFailure: Kind.UNAUTHORIZED,
    ksa.MissingAuthMethods: Kind.UNAUTHORIZED,
    ksa.AuthPluginException: Kind.UNAUTHORIZED,
    ksa.CatalogException: Kind.UNREACHABLE,
    ksa.ConnectionError: Kind.UNREACHABLE,
    ksa.RetriableConnectionFailure: Kind.UNREACHABLE,
    ksa.DiscoveryFailure: Kind.UNREACHABLE,
    ksa.ImpliedVersionMismatch: Kind.UNREACHABLE,
    ksa.ServiceUnavailable: Kind.UNREACHABLE,
    ksa.ServiceProviderNotFound: Kind.UNREACHABLE,
    ksa.ClientException: Kind.OTHER,
    requests.exceptions.InvalidJSONError: Kind.OTHER,
    requests.exceptions.RequestException: Kind.UNREACHABLE,
}
#: Deliberately passed as they are: no errors of a call.
PASSED: tuple[type[BaseException], ...] = (requests.exceptions.RequestsWarning, DeprecationWarning)


def kind_of(error: BaseException) -> Kind | None:
    """The kind of an error of the libraries below; None for anything else, and for what is ours already."""
    if isinstance(error, (errors.NovaException, *PASSED)):
        return None
    for cls in type(error).__mro__:
        kind = KINDS.get(cls)
        if kind is not None:
            return kind
    return None


@dataclass(frozen=True)
class Line:
    """One line of a table: our class, and how it is built.

    :ivar fields: keywords of our template from (image id, text); None: the client's text is the message
    :ivar both: the error is also an instance of the client's class
    :ivar raw: callers used to see the client's own error: both, with its code
    """

    ours: type[errors.NovaException]
    fields: Callable[[Any, str], dict[str, Any]] | None = None
    both: bool = False
    raw: bool = False


def _image(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id}


def _response(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id, 'response': text}


def _reason(image_id: Any, text: str) -> dict[str, Any]:
    return {'image_id': image_id, 'reason': text}


def _server(image_id: Any, text: str) -> dict[str, Any]:
    return {'server': '(Glance or Keystone)', 'reason': text}


Table = Mapping[Kind, Line]

_EVERYWHERE: Table = {
    Kind.CONFLICT: Line(errors.ImageConflict, raw=True),
    Kind.TOO_LARGE: Line(errors.ImageQuotaExceeded, raw=True),
    Kind.UNREACHABLE: Line(errors.GlanceConnectionFailed, _server, both=True),
    Kind.OTHER: Line(errors.ImageServiceError, raw=True),
}
#: show, update, download, locations
IMAGE: Table = {
    **_EVERYWHERE,
    Kind.BAD_REQUEST: Line(errors.ImageBadRequest, _response),
    Kind.UNAUTHORIZED: Line(errors.ImageNotAuthorized, _image),
    Kind.FORBIDDEN: Line(errors.ImageNotAuthorized, _image),
    Kind.NOT_FOUND: Line(errors.ImageNotFound, _image),
    Kind.TOO_LARGE: Line(errors.ImageQuotaExceeded, _image, both=True),
}
#: create
PLAIN: Table = {
    **_EVERYWHERE,
    Kind.BAD_REQUEST: Line(errors.Invalid),
    Kind.UNAUTHORIZED: Line(errors.Forbidden),
    Kind.FORBIDDEN: Line(errors.Forbidden),
    Kind.NOT_FOUND: Line(errors.NotFound),
}
#: list: the plain table, and also what Icehouse let through raw (C-310)
LISTING: Table = {
    **PLAIN,
    **{
        kind: Line(PLAIN[kind].ours, both=True)
        for kind in (Kind.BAD_REQUEST, Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.NOT_FOUND)
    },
}
#: delete: only 403, 404 and 409 were ever translated (C-185)
DELETE: Table = {
    **_EVERYWHERE,
    Kind.BAD_REQUEST: Line(errors.ImageBadRequest, raw=True),
    Kind.UNAUTHORIZED: Line(errors.ImageNotAuthorized, raw=True),
    Kind.FORBIDDEN: Line(errors.ImageNotAuthorized, _image),
    Kind.NOT_FOUND: Line(errors.ImageNotFound, _image),
    Kind.CONFLICT: Line(errors.ImageDeleteConflict, lambda image_id, text: {'reason': text}, both=True),
}
#: import of a copy (C-306)
IMPORT: Table = {
    **IMAGE,
    Kind.CONFLICT: Line(errors.ImageImportImpossible, _reason, both=True),
}


def translate(error: BaseException, table: Table, image_id: Any = None) -> errors.NovaException | None:
    """Our error for ``error``, or None when it is not one of the libraries'."""
    kind = kind_of(error)
    if kind is None:
        return None
    line = table[kind]
    text = str(error)
    both = line.both or line.raw
    cls = errors.joined(line.ours, type(error)) if both else line.ours
    ours = cls(text) if line.fields is None else cls(**line.fields(image_id, text))
    if both:
        for name, value in vars(error).items():
            if name not in ('message', 'kwargs', 'args'):
                setattr(ours, name, value)
    if line.raw:
        ours.code = getattr(error, 'code', ours.code)
    return ours


def image_errors(
    table: Table,
) -> Callable[[Callable[Concatenate[Any, Any, Any, P], R]], Callable[Concatenate[Any, Any, Any, P], R]]:
    """Decorator for ``method(self, context, image_id, ...)``: errors by ``table``, the original chained."""

    def decorate(
        method: Callable[Concatenate[Any, Any, Any, P], R],
    ) -> Callable[Concatenate[Any, Any, Any, P], R]:
        @functools.wraps(method)
        def translated(self: Any, context: Any, image_id: Any, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return method(self, context, image_id, *args, **kwargs)
            except Exception as exc:
                ours = translate(exc, table, image_id)
                if ours is None:
                    raise
                raise ours from exc

        return cast('Callable[Concatenate[Any, Any, Any, P], R]', translated)

    return decorate


def plain_errors(table: Table) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The same for methods that name no image."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def translated(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return method(*args, **kwargs)
            except Exception as exc:
                ours = translate(exc, table)
                if ours is None:
                    raise
                raise ours from exc

        return translated

    return decorate
