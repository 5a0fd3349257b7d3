# SPDX-License-Identifier: Apache-2.0
"""P-26 and P-27: ``show()`` becomes ``get()``; its third and fourth arguments get their names.

``*args`` and ``**kwargs`` behind the id are harmless: both methods take the same two switches.
"""

from __future__ import annotations

from legacy.migrate.edits import Edit
from legacy.migrate.rules.outcome import MethodCall, Outcome, common_checks, left


def rewrite(call: MethodCall) -> Outcome:
    """The call of ``get``, or why it has to wait."""
    arguments = call.arguments
    extra = arguments.positional[2:]
    pattern = 'P-27' if extra or len(arguments.keywords) > 1 else 'P-26'
    switches = [each for each in arguments.splats if each.type == 'dictionary_splat']
    if (
        switches
        and len(switches) == len(arguments.splats)
        and len(arguments.positional) >= 2
        and not call.unknown()
    ):
        return Outcome(pattern, call.rename_method() + _named(call) + call.rename_keywords())
    stopped = common_checks(call, pattern)
    if stopped is not None:
        return stopped
    if call.value('image_id') is None and 'image_id' not in (call.literal or {}):
        return left(pattern, 'no image id is given')
    return Outcome(pattern, call.rename_method() + _named(call) + call.rename_keywords())


def _named(call: MethodCall) -> list[Edit]:
    names = call.rewrite.positional[1:]
    return [
        Edit(value.start, value.start, f'{name}=')
        for name, value in zip(names, call.arguments.positional[2:], strict=False)
        if name in call.rewrite.keywords
    ]
