# SPDX-License-Identifier: Apache-2.0
"""P-32: ``delete()`` keeps its name and its True (D-4)."""

from __future__ import annotations

from legacy.migrate.rules.outcome import MethodCall, Outcome, common_checks, left

PATTERN = 'P-32'


def rewrite(call: MethodCall) -> Outcome:
    """The call of the new ``delete``, or why it has to wait."""
    stopped = common_checks(call, PATTERN)
    if stopped is not None:
        return stopped
    if call.value('image_id') is None and 'image_id' not in (call.literal or {}):
        return left(PATTERN, 'no image id is given')
    return Outcome(PATTERN, call.rename_method() + call.rename_keywords())
