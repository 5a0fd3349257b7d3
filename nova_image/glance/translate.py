# SPDX-License-Identifier: Apache-2.0
"""Turn the errors of glanceclient, keystoneauth1 and requests into ours, by the tables of nova_image.answers.

Knows those classes, nothing of requests or retries. A new class of theirs fails
``test_every_error_of_the_libraries_below_has_a_kind`` until it gets a line in KINDS. What used to
escape raw is now an instance of both trees, with the text it had.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import keystoneauth1.exceptions as ksa
import requests.exceptions
from glanceclient import exc as glance

from nova_image import errors
from nova_image.answers import Kind, Table

P = ParamSpec('P')
R = TypeVar('R')

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


def translate(error: BaseException, table: Table, image_id: Any = None) -> errors.NovaException | None:
    """Our error for ``error``, or None when it is not one of the libraries'."""
    kind = kind_of(error)
    if kind is None:
        return None
    line = table[kind]
    ours = line.error(str(error), image_id, type(error) if line.is_theirs_too else None)
    if line.is_theirs_too:
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
