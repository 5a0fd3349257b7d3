# SPDX-License-Identifier: Apache-2.0
"""What every comparison of two runs of a program asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from legacy.equivalence import twin_stores
from legacy.equivalence.ignored import SERVICES
from legacy.equivalence.programs import Program
from legacy.equivalence.twin import Run, compare

if TYPE_CHECKING:
    from nova_image.testing.servers import GlanceServer


def same(program: Program, old: Run, new: Run, **how: Any) -> None:
    """The two runs are the same, and nobody's arguments were changed."""
    found = compare(program, old, new, **how)
    assert found is None, f'{found}\nin the program\n{program!r}'
    for run in (old, new):
        untouched(program, run)


def untouched(program: Program, run: Run) -> None:
    """Only a body is read, and only a target is written to."""
    for step, each in zip(program, run.outcomes, strict=True):
        assert not each.arguments, f'{step!r} changed {each.arguments}'
        for state in each.streams.values():
            assert not isinstance(state, dict) or not state.get('closed'), f'{step!r} closed its body'
        assert not each.open_files and not each.warned


def same_paths(program: Program, server: GlanceServer) -> None:
    """Old calls and their rewrites are the same on a Glance that is empty for each."""
    server.reset()
    old = twin_stores.old_on_glance(program, server.url)
    server.reset()
    same(program, old, twin_stores.new_on_glance(program, server.url))


def same_stores(program: Program, server: GlanceServer, auth_strategy: str = 'noauth', who: Any = None) -> None:
    """The local store cannot be told from an empty Glance."""
    server.reset()
    same(
        program,
        twin_stores.new_on_local(program, auth_strategy, who, restrict=False),
        twin_stores.new_on_glance(program, server.url, auth_strategy, who, restrict=False),
        ignored=SERVICES,
    )
