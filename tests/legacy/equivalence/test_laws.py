# SPDX-License-Identifier: Apache-2.0
"""What has to hold of every call: each law is seen to be broken where both sides do the same wrong thing."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from legacy.equivalence import machine
from legacy.equivalence.laws import LAWS
from legacy.equivalence.programs import Body, Program, Step

META = {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare', 'properties': {'a': 'x'}}
MADE = Step('create', 'ann', None, {'image_meta': META, 'data': Body(b'abcdef', 'file')})
OUT = Step('download', 'ann', 0, {'into': 'object'})
PURGE = Step('update', 'ann', 0, {'image_meta': {}, 'purge_props': True})
SHOWN = Step('show', 'ann', 0)


SHARED = Step('create', 'ann', None, {'image_meta': {**META, 'properties': {'instance_owner': 'p-two'}}})


def conf(**chosen: Any) -> Step:
    return Step('configure', 'ann', None, chosen)


def fault(**chosen: Any) -> Step:
    return Step('fault', 'ann', None, chosen)


def nothing(*args: Any, **given: Any) -> None:
    """Done in place of what a law asks for."""


def naive(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.rstrip('Z'))


def uncaused(new: BaseException) -> None:
    raise new from None


class Hopeful:
    """A log in which nobody ever gives up."""

    def exception(self, text: str, given: dict[str, str]) -> None:
        logging.getLogger('hopeful').error(text, {**given, 'next': 'retrying'})


UNTOLD = property(lambda wire: None, nothing)
#: law -> what goes wrong on both sides at once (a name, and what stands there), and a program that shows it
BROKEN: dict[str, tuple[dict[str, Any], Program]] = {
    '_left_alone': ({'nova_image.api._own': lambda info: info}, [SHARED]),
    '_aware': ({'nova_image.images.parse_time': naive}, [MADE, fault(kind='zoneless'), SHOWN]),
    '_caused': (
        {'legacy.faults._raise': uncaused}, [MADE, fault(kind='status', on='GET image', code=403, times=0), SHOWN]
    ),
    '_last_words': (
        {'nova_image.glance.retries.LOG': Hopeful()}, [fault(kind='status', on='POST images', code=503, times=0), MADE]
    ),
    '_well_asked': ({'nova_image.images.RESERVED_PREFIX': '-'}, [MADE, fault(kind='copying'), PURGE]),
    '_whole': (
        {'nova_image.transfer.download.check_hash': nothing}, [MADE, fault(kind='corrupt', on='GET file', at=1), OUT]
    ),
    '_arrived': ({'nova_image.transfer.check_upload': nothing}, [fault(kind='corrupt', on='PUT file', at=0), MADE]),
    '_once': ({'nova_image.glance.retries.is_lost': nothing}, [conf(num_retries=2), fault(kind='lost', on='POST images', times=2), MADE]),
    '_unhashed': ({'nova_image.settings.Settings.no_hash': 'accept'}, [conf(hashes=(), no_hash='refuse'), MADE, OUT]),
    '_traced': ({'nova_image.glance.wire.Wire._request_id': UNTOLD}, [MADE, SHOWN._replace(era='16')]),
    '_healthy_first': (
        {'nova_image.glance.servers.Health.is_suspect': nothing},
        [conf(servers=2), MADE, fault(kind='status', on='GET images', code=503), *[Step('detail', 'ann', None, {})] * 3],
    ),
}  # fmt: skip


@pytest.fixture(scope='module')
def grounds() -> Iterator[machine.Grounds]:
    with machine.Grounds() as made:
        yield made


def difference(program: Program, grounds: machine.Grounds) -> str:
    client = program in (BROKEN['_left_alone'][1], BROKEN['_caused'][1])
    pair = 'a client of v2' if client else 'paths on a failing server'
    return str(machine.difference(program, *machine.PAIRS[pair], grounds) or '')


@pytest.mark.parametrize('law', BROKEN)
def test_a_law_that_both_sides_break_is_told_with_what_broke_it(
    law: str, grounds: machine.Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, program = BROKEN[law]
    assert not difference(program, grounds)
    for name, value in wrong.items():
        monkeypatch.setattr(name, value, raising=False)
    said = {each.__name__: (each.__doc__ or '').strip() for each in LAWS}
    assert said[law] in difference(program, grounds)


def test_requests_are_part_of_what_is_compared(grounds: machine.Grounds) -> None:
    with machine.twins(*machine.PAIRS['paths on a failing server'], grounds) as sides:
        asked = [[each['method'] for each in side.do(MADE).requests] for side in sides]
    assert asked == [['POST', 'PUT', 'GET']] * 2


def test_every_law_is_seen_to_be_broken() -> None:
    assert set(BROKEN) == {law.__name__ for law in LAWS}


@pytest.mark.contract('D-8')
@pytest.mark.parametrize('no_hash', ['warn', 'accept', 'refuse'])
def test_bytes_without_a_hash_are_handed_out_as_configured(grounds: machine.Grounds, no_hash: str) -> None:
    assert not difference([conf(hashes=(), no_hash=no_hash), MADE, OUT], grounds)
