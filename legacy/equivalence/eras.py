# SPDX-License-Identifier: Apache-2.0
"""The same caller as a context object of each era (C-202 to C-205).

What is read from a context changed with the releases; who the caller is did not. Knows no driver.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any

_FIRST = ('auth_token', 'is_admin', 'project_id', 'user_id')


class Plain:
    """The context of 2012.2 and 2013.1: an object with four attributes and no roles."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        vars(self).update(attributes)


class Sealed:
    """A bag of slots: no ``__dict__``, no ``to_dict``, and nothing may be written to it."""

    __slots__ = (*_FIRST, 'roles')

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, attributes[name])

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f'a caller\'s context is not to be written to, got {name} = {value!r}')


class Later(Plain):
    """The context of 16 and later: makes its own auth plug-in and knows the request's id across services."""

    global_id = 'req-f3a2b1c0-0000-4000-8000-000000000016'

    def get_auth_plugin(self) -> Any:
        """A plug-in that hands out the token; made when asked for."""
        from keystoneauth1 import token_endpoint

        return token_endpoint.Token('http://catalogue.example', vars(self)['auth_token'])

    def to_dict(self) -> dict[str, Any]:
        """As those contexts travelled between services."""
        return dict(vars(self))


def _first(context: Any, **changed: Any) -> dict[str, Any]:
    return {**{name: getattr(context, name) for name in _FIRST}, **changed}


def _middle(context: Any) -> Any:
    catalogue = [
        {'type': 'image', 'endpoints': [{'publicURL': 'http://images.example:9292'}]},
        {'type': 'volume', 'endpoints': []},
    ]
    return types.SimpleNamespace(
        **_first(context), user=context.user_id, tenant=context.project_id, roles=list(context.roles),
        service_catalog=catalogue,
    )  # fmt: skip


def _without_token(context: Any) -> Any:
    given = _first(context)
    del given['auth_token']
    return types.SimpleNamespace(**given)


#: how each era's context is made of today's; the first four say the same of the caller
ERAS: Mapping[str, Callable[[Any], Any]] = {
    '2012': lambda context: Plain(_first(context)),
    '2013': _middle,
    '16': lambda context: Later(_first(context, roles=list(context.roles))),
    'sealed': lambda context: Sealed(_first(context, roles=tuple(context.roles))),
    'no token': _without_token,  # C-202
    'get_admin_context': lambda context: Plain(
        {'auth_token': None, 'is_admin': True, 'project_id': None, 'user_id': None}
    ),  # C-205
    'None': lambda context: None,  # C-204
}
#: the eras whose contexts say the same of a caller
ALIKE = ('2012', '2013', '16', 'sealed')


def dressed(context: Any, era: str) -> Any:
    """The context as that era made it; no era: as it is."""
    return ERAS[era](context) if era else context
