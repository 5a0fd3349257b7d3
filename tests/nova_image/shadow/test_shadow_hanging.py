# SPDX-License-Identifier: Apache-2.0
"""A candidate that hangs for good: it is in the ledger while it hangs, and not only when it comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_image import API
from nova_image.local.driver import LocalDriver
from nova_image.shadow.driver import ShadowDriver
from nova_image.shadow.ledger import Ledger
from nova_image.testing.configuration import local_conf
from nova_image.testing.contexts import tenant_contexts


class Hanging(LocalDriver):
    """Answers when it is let go."""

    go: threading.Event

    def show(self, *args: Any, **more: Any) -> Any:
        self.go.wait(60)
        return super().show(*args, **more)


@pytest.fixture
def candidate() -> Iterator[type[Hanging]]:
    Hanging.go = threading.Event()
    yield Hanging
    Hanging.go.set()


def test_a_candidate_that_never_answers_is_told_while_it_does_not(tmp_path: Path, candidate: type[Hanging]) -> None:
    path = tmp_path / 'ledger'
    settings = {'load': 1, 'timeout': 0.05, 'ledger': str(path)}
    conf = local_conf(tmp_path / 'store', **{f'image_shadow__{name}': value for name, value in settings.items()})
    shadow = ShadowDriver(conf, control=LocalDriver(conf), candidate=candidate(conf))
    api, member = API(shadow, conf=conf), tenant_contexts().member
    image_id = api.create(member, {'name': 'one'})['id']
    until = time.monotonic() + 20
    told: dict[Any, int] = {}
    while told.get(('show', 'success', 'different')) != 4 and time.monotonic() < until:
        api.get(member, image_id)
        time.sleep(0.02)
        told = Ledger.read(str(path)).calls if path.exists() else {}
    (known,) = Ledger.read(str(path)).mismatches.values()
    assert known['seen']['candidate_branch'] == 'no answer in time'
    assert known['count'] == 4
