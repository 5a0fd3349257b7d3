# SPDX-License-Identifier: Apache-2.0
"""Pairs of sides that are worth comparing, and the rules that programs for each are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from legacy.equivalence import programs, real_clients, troubles
from legacy.equivalence.ignored import CLIENTS, EXCUSED, GLANCES, PATHS, PLAIN, SERVICES, Excused, Ignored
from legacy.equivalence.programs import Program, Step

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

#: by what they show
PAIRS: Mapping[str, tuple[str, str]] = {
    'paths': ('old@local', 'new@local'),
    'paths without authentication': ('old@local-noauth', 'new@local-noauth'),
    'paths on a failing server': ('old@faulty', 'new@faulty'),
    'paths on Glance': ('old@glance', 'new@glance'),
    'releases: by position and by name': ('positional@local', 'old@local'),
    'releases: first and second class': ('old@local', 'v2@local'),
    'releases: service and API': ('old@local', 'api@local'),
    'spellings of one configuration': ('new@faulty', 'plain@faulty'),
    'a client of v1': ('client1@faulty', 'new@faulty'),
    'a client of v2': ('client2@faulty', 'new@faulty'),
    'direct calls of a client of v1': ('call1@faulty', 'new@faulty'),
    'steps that forks call': ('fork2@faulty', 'new@faulty'),
    'stores': ('new@local-noauth', 'new@glance'),
    'stores with projects': ('new@local', 'new@tenants'),
}
#: operations that two services answer in ways of their own, and why they are left to pairs on one service
APART: Mapping[str, str] = {
    'get_location': 'where the bytes are belongs to the service',
    'get_locations': 'where the bytes are belongs to the service',
}
#: operations that two kinds of store answer in ways of their own, and why they are left to one kind
NOT_ACROSS: Mapping[str, str] = {
    'copy_to_store': 'the stores of a service are named by its administrator',
    **APART,
    'image_url': 'the address of the service',
    'glance_url': 'the address of the service',
}


def store_of(name: str) -> str:
    """The store of a side's name."""
    return name.partition('@')[2]


def across(left: str, right: str) -> bool:
    """Whether the two sides stand on different kinds of store."""
    return store_of(left).partition('-')[0] != store_of(right).partition('-')[0]


def apart(left: str, right: str) -> bool:
    """Whether each of the two sides has a real Glance of its own."""
    return not {store_of(left), store_of(right)} - {'glance', 'tenants'}


def left_out(left: str, right: str) -> tuple[tuple[Ignored, ...], tuple[Excused, ...]]:
    """What a comparison of the two leaves out, and what it excuses."""
    styles = {name.partition('@')[0] for name in (left, right)}
    if across(left, right):
        return SERVICES, EXCUSED
    if styles & {*real_clients.STYLES}:
        return CLIENTS, ()
    if apart(left, right):
        return GLANCES, ()
    return (PLAIN if 'plain' in styles else PATHS), ()


def rules(left: str, right: str) -> Mapping[str, SearchStrategy[Step | Program]]:
    """The rules for two sides: steps, or several, by name; how a program begins under ``first`` and ``configure``."""
    style = left.partition('@')[0]
    if style in real_clients.STYLES:
        from hypothesis import strategies as st

        own = real_clients.steps(style)
        # A client of the caller's own checks what it can, and says nothing of what it cannot.
        begins: dict[str, SearchStrategy[Step | Program]] = {
            'first': st.lists(own['create'], min_size=1, max_size=3), 'configure': troubles.configurations('no_hash'),
        }  # fmt: skip
        return {**begins, **own, **real_clients.struck(style), 'fault': real_clients.faults(style)}
    found = dict(programs.steps())
    if across(left, right) or apart(left, right):
        unasked = NOT_ACROSS if across(left, right) else APART
        found = {name: rule for name, rule in found.items() if name not in unasked}
    found['first'] = programs.first()
    if 'faulty' in (store_of(left), store_of(right)):
        found = {name: troubles.traced(rule) for name, rule in found.items()}
        struck = {f'struck_{op}': troubles.aimed(op, found[op]) for op in troubles.ASKED}
        return {**found, 'configure': troubles.configurations(), 'fault': troubles.faults(), **struck}
    return found


def drawn(left: str, right: str, *, longest: int = 9) -> SearchStrategy[Program]:
    """Whole programs for two sides."""
    from hypothesis import strategies as st

    made = dict(rules(left, right))
    begins = [made.pop('configure')] if 'configure' in made else []
    begins.append(made.pop('first'))
    return st.builds(
        lambda start, rest: [step for each in (*start, *rest) for step in (each if isinstance(each, list) else [each])],
        st.tuples(*begins), st.lists(st.one_of(*made.values()), min_size=4, max_size=longest),
    )  # fmt: skip
