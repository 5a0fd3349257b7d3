# SPDX-License-Identifier: Apache-2.0
"""How many programs a property test makes: a few hundred in all on every day, thousands in the long profile.

``NOVA_IMAGE_HYPOTHESIS=long`` is the long one; there these tests are ``slow`` ones, so that its environment
selects them. On every day they make the same programs each time.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get('NOVA_IMAGE_HYPOTHESIS') == 'long'


def budget(usual: int, long: int) -> Any:
    """The settings of a property test, as a decorator."""
    how = settings(
        max_examples=long if LONG else usual,
        deadline=None,
        database=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    return (lambda test: pytest.mark.slow(how(test))) if LONG else how
