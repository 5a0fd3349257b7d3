# SPDX-License-Identifier: Apache-2.0
"""The statements of contract.md that no test cites, each with the reason why none can."""

from __future__ import annotations

UNCITED = {
    'C-146': 'signatures are not verified by this release: a download with verification on is refused (NotBuilt)',
    'C-147': 'signatures are not verified by this release: nothing is written whose signature could turn out bad',
}
