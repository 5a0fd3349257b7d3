# SPDX-License-Identifier: Apache-2.0
"""The packaged suite: the old path equals the new one on the user's image service. Run by ``--nova-image-equivalence``."""

from __future__ import annotations

import logging
import warnings

import pytest

from legacy.equivalence.visit import Visit


def test_an_old_call_equals_its_rewrite_on_your_image_service(
    twin_stores: Visit, request: pytest.FixtureRequest
) -> None:
    """Generated programs on both paths (D-2)."""
    from hypothesis import HealthCheck, Phase, given, settings

    from legacy.equivalence.programs import Program, programs

    @settings(
        max_examples=request.config.getoption('--nova-image-programs'), deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
    )  # fmt: skip
    @given(programs(longest=6))
    def check(program: Program) -> None:
        found = twin_stores.compare(program)
        assert found is None, f'{found}\nin the program\n{program!r}'

    logging.getLogger('legacy').setLevel(logging.ERROR)
    with warnings.catch_warnings():
        check()
