# SPDX-License-Identifier: Apache-2.0
"""Whether what was compared is enough for the candidate to answer an operation; what is needed is data."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nova_image.shadow.ledger import Ledger

#: Calls that have to be compared, if nothing else is said.
CALLS = 1000

#: operation -> branches that have to be among them
BRANCHES: Mapping[str, tuple[str, ...]] = {
    'list': ('success', 'invalid'),
    'show': ('success', 'not-found'),
    'download': ('success', 'not-found'),
    'glance_url': ('success',),
    'create': ('success', 'invalid', 'forbidden'),
    'update': ('success', 'not-found', 'forbidden'),
    'delete': ('success', 'not-found', 'forbidden'),
    'copy_to_store': ('success', 'not-found'),
}


def missing(ledger: Ledger, op: str, calls: int = CALLS, without: Collection[str] = ()) -> list[str]:
    """What speaks against a promotion, or is not known yet; empty: nothing.

    :param without: branches that need not be seen
    """
    found = []
    came = {what: 0 for what in ('same', 'different')}
    seen = set()
    for (name, branch, what), count in ledger.calls.items():
        if name == op and what in came:
            came[what] += count
            seen.add(branch)
    unnumbered = sum(known['count'] for known in ledger.mismatches.values() if known['seen']['op'] == op)
    came['different'] = max(came['different'], unnumbered)
    if came['different']:
        found.append(f'{came["different"]} calls differed; after mending, begin with a new ledger')
    if ledger.forgotten:
        found.append(f'{ledger.forgotten} calls differed that the ledger had no room for')
    if ledger.unreadable:
        found.append(f'{ledger.unreadable} lines of the ledger cannot be read; begin with a new ledger')
    if came['same'] < calls:
        found.append(f'{came["same"]} calls were the same, and {calls} are needed')
    for branch in BRANCHES[op]:
        if branch not in seen and branch not in without:
            found.append(f'no call ended as {branch!r}')
    return found
