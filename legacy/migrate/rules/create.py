# SPDX-License-Identifier: Apache-2.0
"""P-29: ``create()`` keeps its name; ``image_meta`` is called ``image_info`` now (P-35).

Empty data means none on both paths (D-5), so ``data=''`` stays.
"""

from __future__ import annotations

from legacy.migrate.rules import properties
from legacy.migrate.rules.outcome import MethodCall, Outcome, common_checks

PATTERN = 'P-29'


def rewrite(call: MethodCall) -> Outcome:
    """The call of the new ``create``, or why it has to wait."""
    stopped = common_checks(call, PATTERN)
    if stopped is not None:
        return stopped
    kept = properties.keep_none(call)
    edits = call.rename_method() + call.rename_keywords() + kept
    return Outcome(PATTERN, edits, note=properties.NOTE if kept else '')
