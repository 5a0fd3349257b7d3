# SPDX-License-Identifier: Apache-2.0
"""A warm process beside one copy of the tree: for each request it forks, and the child runs the detectors.

What others wrote is imported once, here; the packages under test only in the children, so each of them sees the
copy as it is at that moment. A request is a line of JSON on standard input, its answer a line on standard output.

    python host.py COPY
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import glances
import mutants
from detectors import Detectors

#: What takes long to import and is not ours.
THIRD_PARTY = (
    'pytest', 'hypothesis', 'hypothesis.stateful', 'hypothesis.strategies', 'oslo_config.cfg', 'oslo_utils.timeutils',
    'oslo_serialization.jsonutils', 'keystoneauth1.session', 'keystoneauth1.loading', 'keystoneauth1.service_token',
    'keystoneauth1.access.service_catalog', 'glanceclient', 'glanceclient.common.http', 'glanceclient.v2.client',
    'requests', 'urllib3', 'wrapt', 'stevedore', 'sqlite3', 'cryptography.x509', 'cursive.signature_utils',
)  # fmt: skip


def golden(root: Path) -> dict[str, list[dict[str, Any]]]:
    """The recorded cases of the tree, by the name of their file."""
    found = {}
    for path in sorted((root / 'legacy/equivalence/golden').glob('*.jsonl.gz')):
        with gzip.open(path, 'rt', encoding='utf-8') as lines:
            found[path.name.removesuffix('.jsonl.gz')] = [json.loads(line) for line in lines]
    return found


def import_all(root: Path) -> None:
    """Import what is under test before a case fakes its surroundings: a name taken from a fake would stay.

    A module that a fault keeps from being imported is left to the cases that need it.
    """
    for file in (file for area in mutants.AREAS for file in mutants.files(area, root)):
        with contextlib.suppress(Exception):
            importlib.import_module(file.removesuffix('.py').removesuffix('/__init__').replace('/', '.'))


def judge(detectors: Detectors, rounds: list[list[str]]) -> dict[str, Any]:
    """The first finding of the cases, round by round."""
    ran = 0
    for cases in rounds:
        ran += len(cases)
        found = detectors.first(cases)
        if found:
            return {'found': found[0], 'cases': ran}
    return {'found': None, 'cases': ran}


def reach(detectors: Detectors, root: Path, names: list[str]) -> dict[str, Any]:
    """Which case executes which lines; and the cases that find something although nothing is planted."""
    import coverage

    files = [str(root / file) for area in mutants.AREAS for file in mutants.files(area, root)]
    data = tempfile.mkdtemp()
    cover = coverage.Coverage(data_file=f'{data}/reach', include=files, config_file=False)
    cover.start()
    import_all(root)
    failing: list[str] = []
    ran: list[str] = []

    def announce(case: str) -> None:
        ran.append(case)
        cover.switch_context(str(len(ran) - 1))

    for detector in names:
        failing += detectors.first(detectors.cases(detector), announce, all_of=True)
    cover.stop()
    lines: dict[str, dict[int, list[int]]] = {}
    measured = cover.get_data()
    for file in files:
        by_line = measured.contexts_by_lineno(file).items()
        mine = {line: sorted(int(one) for one in contexts if one) for line, contexts in by_line}
        lines[str(Path(file).relative_to(root))] = mine
    shutil.rmtree(data, ignore_errors=True)
    return {'cases': ran, 'lines': lines, 'failing': failing}


def in_child(work: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What ``work`` gives, run in a child with a time limit, which loses all that it left on disk."""
    scratch = tempfile.mkdtemp(prefix='mutation-')
    mine, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        os.close(mine)
        os.environ['TMPDIR'] = tempfile.tempdir = scratch
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        try:
            answer = work()
        except BaseException:  # noqa: BLE001 - told, and judged by who asked
            answer = {'found': None, 'broken': traceback.format_exc(limit=-3)[-600:], 'cases': 0}
        with contextlib.suppress(OSError), os.fdopen(theirs, 'wb') as out:
            out.write(json.dumps(answer).encode())
        os._exit(0)
    os.close(theirs)
    until = time.monotonic() + seconds
    said = b''
    with os.fdopen(mine, 'rb', buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                break
            piece = pipe.read(1 << 20)
            said += piece or b''
            if not piece:
                break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        result: dict[str, Any] = json.loads(said)
    except ValueError:
        if time.monotonic() >= until:
            # Which case hung is not known, and a busy host is no finding; one that hangs is found by its own limit.
            return {'found': None, 'broken': f'not at its end after {seconds:.0f} s', 'cases': 0}
        return {'found': None, 'broken': 'the child died', 'cases': 0}
    return result


def main(argv: list[str]) -> int:
    root = Path(argv[0])
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = False
    for name in THIRD_PARTY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    recorded = golden(root)
    keeper: glances.Keeper | None = None
    assert not any(name.partition('.')[0] in ('nova_image', 'legacy') for name in sys.modules), 'imported too early'
    for line in sys.stdin:
        asked = json.loads(line)
        if asked['do'] == 'keep':
            keeper = keeper or glances.Keeper()
            print(json.dumps({'servers': list(keeper.servers)}), flush=True)
            continue
        servers = keeper.servers if keeper else {}

        def work(asked: dict[str, Any] = asked, servers: dict[str, Any] = servers) -> dict[str, Any]:
            detectors = Detectors(root, recorded, servers)
            try:
                if asked['do'] == 'reach':
                    return reach(detectors, root, asked['detectors'])
                sys.dont_write_bytecode = True
                import_all(root)
                return judge(detectors, asked['rounds'])
            finally:
                detectors.close()

        print(json.dumps(in_child(work, asked['seconds'])), flush=True)
    if keeper:
        keeper.close()
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
