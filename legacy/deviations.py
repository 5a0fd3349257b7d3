# SPDX-License-Identifier: Apache-2.0
"""Where this package differs from the original on purpose (D-19).

Each entry computes the answer that stands in place of the recorded one; the replay compares with that
and counts. A difference that no entry computes is a bug. The guide's table is made from this list; the
computations are in ``legacy/deviating/``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from legacy.deviating import failures, records, servers, transfers
from legacy.deviating.recordings import GLANCE, LOCAL, SEAM, Answer, Replay

__all__ = ['DEVIATIONS', 'GLANCE', 'LOCAL', 'SEAM', 'Deviation', 'expectation']

#: Change ``expected`` (a copy) in place where the deviation applies.
Compute = Callable[[Replay, Answer], None]


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One deliberate difference: what, why, which statements, and the computation."""

    number: int
    what: str
    why: str
    contract: tuple[str, ...]
    compute: Compute


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        number=1,
        what='Records of the v2 classes and of API carry visibility, tags, protected and virtual_size',
        why='A record that is read, changed and written back must lose nothing that Glance knows.',
        contract=('C-108', 'C-109', 'C-312'),
        compute=records.additions,
    ),
    Deviation(
        number=2,
        what='The filters and properties of a caller are never changed',
        why='A filter dict that is used twice gave another answer the second time.',
        contract=('C-069', 'C-259'),
        compute=records.untouched_arguments,
    ),
    Deviation(
        number=3,
        what='HTTP 400 about one image raises ImageBadRequest, which is an Invalid, from the v1 class too',
        why='It names the image; every release since 13 does so, and `except Invalid` still catches it.',
        contract=('C-188', 'C-301'),
        compute=failures.bad_request,
    ),
    Deviation(
        number=4,
        what='HTTP 413 about one image raises ImageQuotaExceeded, which is the client error too',
        why='Both the old and the later `except` clauses must catch it.',
        contract=('C-299', 'C-310'),
        compute=failures.quota,
    ),
    Deviation(
        number=5,
        what='HTTP 409 on delete raises ImageDeleteConflict, which is the client error too',
        why='Both the old and the later `except` clauses must catch it.',
        contract=('C-185', 'C-299', 'C-310'),
        compute=failures.delete_conflict,
    ),
    Deviation(
        number=6,
        what='A server that only a reference names is asked without the token of the caller, with a warning',
        why='Whoever can make somebody download an href could collect tokens.',
        contract=('C-194', 'C-324'),
        compute=servers.no_token_for_strangers,
    ),
    Deviation(
        number=7,
        what='An https reference without a port means port 443; an IPv6 host without one stays whole',
        why='Port 80 never speaks TLS and the cut-off host does not exist: the request could only fail.',
        contract=('C-020', 'C-022'),
        compute=servers.https_without_port,
    ),
    Deviation(
        number=8,
        what='generate_glance_url and generate_image_url without a context name the first server, not a random one',
        why='Two URLs of one image were different texts; releases before 14 and callers compare them.',
        contract=('C-017', 'C-322'),
        compute=servers.chosen_without_chance,
    ),
    Deviation(
        number=9,
        what='Downloading an image without data raises an error that is both ImageNotFound and ImageUnacceptable',
        why='The original stumbled over None (TypeError) and could leave an empty file.',
        contract=('C-135', 'C-315'),
        compute=transfers.no_data,
    ),
    Deviation(
        number=10,
        what='After a failed download nothing new is at the path; an older file is untouched',
        why='A partial file looks like an image to the next reader.',
        contract=('C-130', 'C-303'),
        compute=transfers.whole_or_absent,
    ),
    Deviation(
        number=11,
        what='Locations are asked of the own client of the service',
        why='A service made from a remote href asked the wrong server.',
        contract=('C-124',),
        compute=transfers.own_client_for_locations,
    ),
)


def expectation(case: dict[str, Any], place: str, frontend: str = '') -> tuple[Answer, list[int]]:
    """What the case is expected to come to here, and the numbers of the deviations that say so."""
    replay = Replay(case, place, frontend)
    expected: Answer = case['expect']
    touched: list[int] = []
    for entry in DEVIATIONS:
        changed = copy.deepcopy(expected)
        entry.compute(replay, changed)
        if changed != expected:
            expected = changed
            touched.append(entry.number)
    return expected, touched
