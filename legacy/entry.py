# SPDX-License-Identifier: Apache-2.0
"""What one row of the table of old names holds, and what a row must not lack.

The rows are in ``names_public.py`` and ``names_private.py``, the joined table in ``names.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Literal

__all__ = ['Class', 'OldName', 'Rewrite', 'message']

Class = Literal['AUTOMATIC', 'ASSISTED', 'MANUAL']


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """How a call of the old name becomes a call of the new one; the law of D-2 compares exactly these two.

    :param pattern: the pattern of the catalogue that the rewrite follows (``P-26``)
    :param to: method of ``nova_image.API``; None when there is no single call to rewrite to
    :param how: what a program may do with it: AUTOMATIC, ASSISTED (marked or in a whole-tree run), MANUAL
    :param params: old parameter name -> new parameter name, where they differ
    :param positional: the old parameters in order, after the context
    :param keywords: parameters that the new call takes by keyword even if the old one gave them by position
    :param known: if not empty, the only keywords that are passed on; others are dropped and reported (P-28)
    :param purge: what the rewrite says of ``purge_props``: ``no`` nothing, ``unless-data`` the rule of P-30
        (True without data, False with data), ``never`` always False
    :param bridges: what else the old name does and the new call does not, for the guide and for the law
    """

    pattern: str
    to: str | None
    how: Class = 'MANUAL'
    params: Mapping[str, str] = field(default_factory=dict)
    positional: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    purge: Literal['no', 'unless-data', 'never'] = 'no'
    bridges: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.pattern.startswith('P-') and self.pattern[2:].isdigit()):
            raise ValueError(f'rewrite pattern {self.pattern!r} is not of the form P-nn')
        if self.how != 'MANUAL' and self.to is None:
            raise ValueError(
                f'a rewrite of class {self.how} needs a method of nova_image.API to go to'
            )
        object.__setattr__(self, 'params', MappingProxyType(dict(self.params)))


@dataclass(frozen=True, kw_only=True)
class OldName:
    """One old name. Every field is mandatory; an empty one is refused.

    :param name: key of the table. Names of ``nova.image.glance`` stand bare (``Class.method`` for methods);
        names of other modules and words too common to look for (``API``) carry their module
    :param new: what to write instead, one line that can be pasted, or what to do if there is no such line
    :param since: release of this package that deprecates the name
    :param removed_in: release of this package that no longer has it
    :param why: reason, one sentence
    """

    name: str
    new: str
    since: str
    removed_in: str
    why: str
    rewrite: Rewrite
    contract: tuple[str, ...]

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name):
                raise ValueError(
                    f'old name {self.name!r}: field {each.name!r} is empty; every field is needed'
                )
        for number in self.contract:
            if not number.startswith(('C-', 'D-')):
                raise ValueError(
                    f'old name {self.name!r}: {number!r} is not a contract or decision number'
                )

    @property
    def is_method(self) -> bool:
        """Whether the name is a method of an old class (``GlanceImageService.show``)."""
        module, _, _rest = self.name.rpartition('.')
        return bool(module) and module.rpartition('.')[2][:1].isupper()

    @property
    def is_private(self) -> bool:
        """Whether the name was private in the old module."""
        return self.name.rpartition('.')[2].startswith('_')


def message(entry: OldName) -> str:
    """The words of the warning and of the type mark for one entry."""
    return (
        f'{entry.name} is deprecated since nova-image {entry.since}, removed in {entry.removed_in}: '
        f'use {entry.new}'
    )
