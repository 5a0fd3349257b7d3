# SPDX-License-Identifier: Apache-2.0
"""What image clients do when the server fails: nova_image and legacy beside Nova 34 and glanceclient.

    python benchmarks/faults.py

makes (or reuses) the environment of ``run.py``, arms one fault after the other (``fault_rows.py``) on a
loopback Glance, or between a client and a real one, lets each client meet it in a process of its own, and
writes ``FAULTS.md`` beside this file. Exits with 1 when one of ours ends in silent wrong data, leaves a
partial file, hangs, gives a token away or needs too much memory, and when a row of the study of the peers
does not count, since no peer shows any longer what the study says of it.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import random
import selectors
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from fault_numbers import Numbers, measured
from fault_rows import MIB, Row, every_row
from fault_subjects import SUBJECTS
from run import machine, prepare

from nova_image.testing.disturbance import DisturbingProxy
from nova_image.testing.faulty import FaultyGlance
from nova_image.testing.servers import GlanceServer

HERE = Path(__file__).parent
HANGS_AFTER_S = 25
IMAGE = random.Random(13).randbytes(6 * MIB)
BIG_IMAGE = random.Random(14).randbytes(24 * MIB)
OLD = b'what was there before'
OURS = ('nova_image', 'legacy 2014', 'legacy V2')
BAD = {
    'SILENT': 'silent wrong data', 'e': 'wrong or partial left behind', 'HANG': 'hangs', 'TOKEN': 'token given away',
}  # fmt: skip


class Subject:
    """A client in a process of its own, started again when it had to be ended."""

    def __init__(self, python: Path, name: str, image: Path) -> None:
        self._command = [python, '-W', 'ignore', HERE / 'fault_subjects.py', name, image]
        self._process: subprocess.Popen[str] | None = None

    def call(self, call: dict[str, Any], limit_s: float = HANGS_AFTER_S) -> dict[str, Any] | None:
        """The answer, or None when there was none in time."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(call) + '\n')
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(limit_s):
                self.end()
                return None
        line = process.stdout.readline()
        if not line:
            self.end()
            return {'error': 'the process died', 'text': '', 'memory': 0}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()


def meet(row: Row, subject: Subject, directory: Path) -> str:
    """One cell of the table: on the faulty Glance."""
    path = directory / row.target
    if path.parent == directory:
        path.write_bytes(OLD)
    with FaultyGlance(row.hashes, page_size=row.page_size) as glance, FaultyGlance() as stranger:
        ids = [] if row.name == 'create' else [glance.store.add(IMAGE, visibility='public')['id'] for _ in range(3)]
        elsewhere = stranger.store.add(IMAGE, visibility='public')['id']
        places = {'<image>': ids[0] if ids else '', '<elsewhere>': f'{stranger.url}/v2/images/{elsewhere}'}
        args = [places.get(each, each) for each in row.args]
        if row.name == 'download':
            args = [*(args or ids[:1]), str(path)]
        assert row.armed is not None
        glance.inject(*row.armed(glance, stranger))
        answer = subject.call({
            'url': glance.url, 'name': row.name, 'args': args, 'refreshing': row.refreshing,
            'file_limit': row.file_limit, 'options': dict(row.options),
        })  # fmt: skip
        stored = [(each, glance.store.contents.get(each)) for each in glance.store.records]
        cell = _judge(row, answer, stored, glance.count('POST images'), path, ids)
        if row.args and not row.args[0].startswith('<') and row.name != 'create' and glance.requests:
            cell += f', {glance.requests[-1].method} {glance.requests[-1].path} sent'
        if stranger.tokens:
            cell = f'TOKEN ({cell})'
    for left in directory.iterdir():
        left.unlink()
    return cell


def meet_really(row: Row, subject: Subject, server: GlanceServer) -> str:
    """One cell of the table: on a real Glance behind the proxy."""
    assert row.proxied is not None
    server.reset()
    with DisturbingProxy(server.url) as proxy:
        proxy.disturb(row.proxied)
        answer = subject.call({'url': proxy.url, 'name': row.name, 'args': list(row.args)})
        struck = bool(proxy.struck)
    time.sleep(0.5)  # the server notices the loss of a connection a little later
    with urllib.request.urlopen(f'{server.url}/v2/images') as listed:
        images = json.load(listed)['images']
    contents = [
        (image['id'], server.stored_file(image['id']).read_bytes() if image['status'] == 'active' else None)
        for image in images
    ]
    cell = _judge(row, answer, contents, 1, Path(), [])
    return cell if struck else f'{cell}, never disturbed'


def _judge(
    row: Row, answer: dict[str, Any] | None, stored: list[tuple[str, bytes | None]], posts: int, path: Path,
    ids: list[str],
) -> str:  # fmt: skip
    if answer is None:
        return 'HANG'
    failed = 'error' in answer
    if row.name == 'create':
        image = BIG_IMAGE if row.proxied else IMAGE
        wrong = [content for _id, content in stored if content not in (None, image)]
        # Glance v2 has no call that undoes what a server stored wrong and calls active.
        if failed and wrong:
            return f'e {answer["error"]}, wrong image active'
        if failed:
            return f'E {answer["error"]}' + (', image left' if stored else '')
        if wrong or not any(content == image for _id, content in stored):
            return f'SILENT {len((wrong or [b""])[0] or b"") / MIB:.1f} of {len(image) // MIB} MiB'
        return 'OK' + (f', POST {posts}x' if posts > 1 else '') + (', image left' if len(stored) > 1 else '')
    if row.name == 'download':
        found = path.read_bytes() if path.exists() else OLD
        partial = found not in (OLD, IMAGE) or len(os.listdir(path.parent) if path.parent.exists() else '') > 1
        if failed:
            return ('e ' if partial else 'E ') + answer['error']
        if found == IMAGE:
            return 'OK'
        return 'warned' if answer['warned'] else 'SILENT'
    if failed:
        return f'E {answer["error"]}'
    if row.name == 'list':
        return 'OK' if sorted(answer['value']) == sorted(ids) else 'SILENT'
    return 'OK' if row.args[0].startswith('<') else 'SILENT'


def counts(row: Row, cells: dict[str, str]) -> str:
    """Whether a peer still shows what the study of the peers says of it."""
    if row.peers is None:
        return ''
    shown = [name for name, cell in row.peers.items() if name in cells and _shows(cells[name], cell)]
    return 'yes' if shown else 'NO'


def _shows(cell: str, said: str) -> bool:
    return cell.split(' ')[0].rstrip(',') == said or cell.startswith(said) or f' {said}' in cell


def is_bad(cell: str, kind: str) -> bool:
    return cell.split(' ')[0].rstrip(',') == kind


def table(rows: list[Row], cells: dict[str, dict[str, str]], numbers: Numbers, about: dict[str, Any]) -> str:
    names = list(SUBJECTS)
    versions = ', '.join(f'{name} {version}' for name, version in about['versions'].items())
    lines = ['| fault | ' + ' | '.join(names) + ' | counts |', '| --- |' + ' --- |' * (len(names) + 1)]
    lines += [
        f'| {row.what} | ' + ' | '.join(cells[row.what].get(name, '') for name in names)
        + f' | {counts(row, cells[row.what])} |'
        for row in rows
    ]  # fmt: skip
    totals = [f'| of {len(rows)} rows | ' + ' | '.join(names) + ' |', '| --- |' + ' --- |' * len(names)]
    for kind, words in BAD.items():
        found = [sum(is_bad(row.get(name, ''), kind) for row in cells.values()) for name in names]
        totals.append(f'| {words} | ' + ' | '.join(map(str, found)) + ' |')
    totals += numbers.lines(names)
    return f"""# What clients do when the server fails

Written by `benchmarks/faults.py` on {about['date']}, Python {about['python']}, {versions}. A 6 MiB image; behind
the real Glance 24 MiB. OK = right in the end; E = an error, nothing wrong left; e = an error and a partial file or
wrong image left; SILENT = success reported with wrong data; HANG = no answer in {HANGS_AFTER_S} s; TOKEN = the token
reached another host; warned = wrong data of an image without any hash, said in a warning. All with their defaults,
but ours with time limits of 2 s instead of 60 so that the rows take seconds; the others have none. *counts*: a peer
shows in this very run what an earlier study of the peers found; empty for rows that the study did not have.

""" + '\n'.join([*totals, '', *lines]) + '\n'


def run(python: Path, rows: list[Row], work: Path) -> tuple[dict[str, dict[str, str]], Numbers]:
    """Every cell. The clients meet the faulty Glance side by side, the real one in turn."""
    image, big = work / 'bytes', work / 'more'
    image.write_bytes(IMAGE)
    big.write_bytes(BIG_IMAGE)
    cells: dict[str, dict[str, str]] = {each.what: {} for each in rows}

    def note(row: Row, name: str, cell: str) -> None:
        cells[row.what][name] = cell
        print(f'{name}: {row.what}: {cell}', file=sys.stderr, flush=True)

    def side_by_side(name: str) -> None:
        directory = work / name.replace(' ', '-')
        directory.mkdir()
        with Subject(python, name, image) as subject:
            for row in rows:
                if not row.proxied:
                    note(row, name, meet(row, subject, directory))

    with concurrent.futures.ThreadPoolExecutor(len(SUBJECTS)) as pool:
        list(pool.map(side_by_side, SUBJECTS))
    proxied = [row for row in rows if row.proxied]
    if proxied:
        with GlanceServer() as server:
            for name in SUBJECTS:
                with Subject(python, name, big) as subject:
                    for row in proxied:
                        note(row, name, meet_really(row, subject, server))
    numbers = Numbers()
    for name in SUBJECTS:
        with Subject(python, name, image) as subject:
            measured(numbers, name, subject.call, work, copies=name in OURS)
    return cells, numbers


def main() -> int:
    parser = argparse.ArgumentParser(description='What image clients do when the server fails.')
    place = Path(tempfile.gettempdir()) / f'nova-image-bench-{os.getuid()}'
    parser.add_argument('--env', type=Path, default=place, help='virtual environment to make or reuse')
    parser.add_argument('--python', type=Path, help='interpreter that has all clients already')
    parser.add_argument('--only', default='', help='rows whose name has this in it')
    parser.add_argument('--output', type=Path, default=HERE, help='where FAULTS.md goes')
    arguments = parser.parse_args()
    python = arguments.python or prepare(arguments.env.absolute())
    rows = [each for each in every_row() if arguments.only in each.what]
    with tempfile.TemporaryDirectory() as work:
        cells, numbers = run(python, rows, Path(work))
    text = table(rows, cells, numbers, machine(python))
    (arguments.output / 'FAULTS.md').write_text(text, encoding='utf-8')
    print(text)
    missed = [f'{name}: {row.what}: {cells[row.what][name]}' for row in rows for name in OURS
              if any(is_bad(cells[row.what][name], kind) for kind in BAD)]  # fmt: skip
    missed += [f'{row.what}: no peer shows what is said of it' for row in rows if counts(row, cells[row.what]) == 'NO']
    missed += numbers.missed(OURS)
    print('\n'.join(missed) or 'Every row counts, every number is reached.')
    return int(bool(missed))


if __name__ == '__main__':
    sys.exit(main())
