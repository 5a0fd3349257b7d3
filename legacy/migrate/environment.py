# SPDX-License-Identifier: Apache-2.0
"""What may hold at one point of a program: for each name the bindings that may have reached it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: Name, or watched part of a call -> the bindings (or marks) that may hold.
Env = dict[Any, frozenset[Any]]
UNBOUND = 'unbound'


def merge(envs: Iterable[Env | None]) -> Env | None:
    """What may hold when any of these ways was taken; None if none can be."""
    result: Env | None = None
    for env in envs:
        if env is None:
            continue
        if result is None:
            result = dict(env)
            continue
        for key, values in env.items():
            present = result.get(key)
            if present is None:
                result[key] = values
            elif present is not values:
                result[key] = present | values
    return result
