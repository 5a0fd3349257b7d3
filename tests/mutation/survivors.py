# SPDX-License-Identifier: Apache-2.0
"""Faults that no detector finds, each with the reason, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Survivor:
    """Why a fault is not found.

    :ivar equivalent: no caller, server or file could tell; False: a detector overlooks it
    """

    why: str
    equivalent: bool = False


EXPLAINED: Mapping[str, Survivor] = {}
