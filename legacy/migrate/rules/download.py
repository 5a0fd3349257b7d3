# SPDX-License-Identifier: Apache-2.0
"""P-33 and P-34: ``download()`` keeps its name; ``dst_path`` is called ``dest_path`` now.

Positions are the same on both sides, so positional arguments stay as they are.
"""

from __future__ import annotations

from legacy.migrate.rules.outcome import MethodCall, Outcome, common_checks, left


def rewrite(call: MethodCall) -> Outcome:
    """The call of the new ``download``, or why it has to wait."""
    pattern = 'P-33' if call.value('dst_path') is None else 'P-34'
    stopped = common_checks(call, pattern)
    if stopped is not None:
        return stopped
    if call.value('image_id') is None and 'image_id' not in (call.literal or {}):
        return left(pattern, 'no image id is given')
    return Outcome(pattern, call.rename_method() + call.rename_keywords())
