# SPDX-License-Identifier: Apache-2.0
"""What shadowing costs a caller: the Glance driver alone and under a shadow, in turn, over two loopback servers.

    python benchmarks/shadow.py

measures with this interpreter and writes ``SHADOW.md`` beside this file. Both sides are called in turn, call by call,
so that a machine whose speed drifts does not decide it. It reports and asserts nothing.
"""

from __future__ import annotations

import argparse
import datetime
import logging
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from measure import FIRST, LARGE, _context
from run import serving

from nova_image import API
from nova_image.shadow.ledger import Ledger
from nova_image.shadow.worker import NAME
from nova_image.testing.configuration import make_conf

HERE = Path(__file__).parent
CONTEXT = _context()


class Case(NamedTuple):
    """``pairs`` calls, alone and shadowed in turn, with ``pause`` seconds between them; ``share`` of them compared."""

    name: str
    call: Callable[[API], Any]
    pairs: int
    pause: float = 0.0
    share: float | None = None


def _get(api: API) -> Any:
    return api.get(CONTEXT, FIRST)


def _list(api: API) -> Any:
    return api.get_all(CONTEXT)


def _download(api: API) -> Any:
    with open('/dev/null', 'wb') as sink:
        return api.download(CONTEXT, LARGE, data=sink)


CASES = (
    Case('get, one after the other', _get, 2000),
    Case('get, 10 a second', _get, 100, pause=0.05),
    Case('list', _list, 40),
    Case('download', _download, 20),
    Case('download, each one compared', _download, 20, share=1.0),
)


class Took(NamedTuple):
    """Seconds: by the clock, and of processors, the thread that compares left out."""

    wall: float
    cpu: float


def _comparing_s() -> float:
    """Processor seconds of the threads that compare, now."""
    idents = [thread.ident for thread in threading.enumerate() if thread.name == NAME and thread.ident]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(ident)) for ident in idents)


def timed(call: Callable[[API], Any], api: API) -> Took:
    comparing = _comparing_s()
    cpu, wall = time.process_time(), time.perf_counter()
    call(api)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Took(wall, cpu - (_comparing_s() - comparing))


def measured(case: Case, alone: API, shadowed: API) -> tuple[Took, Took, float]:
    """A call alone and shadowed, and the share of a processor that comparing took meanwhile.

    By the clock it is the quickest quarter of the calls, since others wait for whatever else the machine does.
    """
    took: tuple[list[Took], list[Took]] = ([], [])
    began, comparing = time.perf_counter(), _comparing_s()
    for number in range(case.pairs):
        for which in (number % 2, 1 - number % 2):
            took[which].append(timed(case.call, (alone, shadowed)[which]))
            time.sleep(case.pause)
    share = (_comparing_s() - comparing) / (time.perf_counter() - began)
    first, second = (
        Took(statistics.quantiles([each.wall for each in side])[0], statistics.median(each.cpu for each in side))
        for side in took
    )
    return first, second, share


def main() -> int:
    parser = argparse.ArgumentParser(description='What shadowing costs a caller.')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--images', type=int, default=1000)
    parser.add_argument('--mib', type=int, default=64)
    parser.add_argument('--output', type=Path, default=HERE / 'SHADOW.md')
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    python = Path(sys.executable)
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory() as place,
        serving(python, arguments.images, arguments.mib) as url,
        serving(python, arguments.images, arguments.mib) as other,
    ):
        file = Path(place, 'candidate.conf')
        file.write_text(f'[glance]\napi_servers = {other}\n', encoding='utf-8')
        conf = make_conf(
            glance__api_servers=[url], image__driver='shadow', image_shadow__candidate='glance',
            image_shadow__candidate_config=str(file), image_shadow__ledger=str(Path(place, 'ledger')),
        )  # fmt: skip
        lines = [_row(case, conf, arguments.rounds, place) for case in CASES]
    arguments.output.write_text(_page(lines, arguments, load), encoding='utf-8')
    return 0


def _row(case: Case, conf: Any, rounds: int, place: str) -> str:
    conf.set_override('download_sample', 0.01 if case.share is None else case.share, 'image_shadow')
    alone, shadowed = API('glance', conf=conf), API(conf=conf)
    for api in (alone, shadowed, alone, shadowed):
        case.call(api)
    shadowed.driver.drain(30)  # type: ignore[attr-defined]
    before = _compared(place)
    found = [measured(case, alone, shadowed) for _ in range(rounds)]
    shadowed.driver.drain(30)  # type: ignore[attr-defined]
    cpu = sorted(second.cpu / first.cpu for first, second, _ in found)
    wall = sorted(second.wall / first.wall for first, second, _ in found)
    row = (
        f'| {case.name} | {statistics.median(first.wall for first, _, _ in found) * 1e3:.2f} ms '
        f'| {statistics.median(cpu):.3f} ({cpu[0]:.3f} to {cpu[-1]:.3f}) '
        f'| {statistics.median(wall):.2f} ({wall[0]:.2f} to {wall[-1]:.2f}) '
        f'| {statistics.median(share for _, _, share in found):.1%} '
        f'| {_compared(place) - before} of {rounds * case.pairs} |'
    )
    print(row, flush=True)
    return row


def _compared(place: str) -> int:
    path = Path(place, 'ledger')
    calls = Ledger.read(str(path)).calls if path.exists() else {}
    return sum(count for (_, _, what), count in calls.items() if what in ('same', 'different'))


def _page(lines: list[str], arguments: argparse.Namespace, load: float) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""# What shadowing costs a caller

Written by `benchmarks/shadow.py` on {today}, Python {platform.python_version()}, {os.cpu_count()} processors, load before
{load:.1f}. The Glance driver alone and under a shadow with a second Glance driver and a server of its own, call by call
in turn; {arguments.rounds} rounds, {arguments.images} images, a download of {arguments.mib} MiB. Options are the
defaults, but for the last row: a thread that keeps to 2 % of one processor compares everything but downloads, of which
it compares 1 in 100; calls that it has no time for are counted, not compared. *alone*: time of one call;
*processor* and *clock*: shadowed / alone, the median over the rounds and their range, the processor time without the
comparing thread's, the clock for the quickest quarter of the calls; *thread*: the share of a processor that comparing
took, the most that it can keep from a caller.

| caller | alone | processor | clock | thread | compared |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(lines)}
"""


if __name__ == '__main__':
    sys.exit(main())
