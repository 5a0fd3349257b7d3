# SPDX-License-Identifier: Apache-2.0
"""What image clients do when the server fails: nova_image and legacy beside Nova 34 and glanceclient.

    python benchmarks/faults.py

makes (or reuses) the environment of ``run.py``, arms one fault after the other on a loopback Glance,
lets each client meet it in a process of its own, and writes ``FAULTS.md`` beside this file. Exits with 1
when one of ours ends in silent wrong data, leaves a partial file, hangs or gives a token away.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import random
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from fault_subjects import SUBJECTS
from run import machine, prepare

from nova_image.testing import faults
from nova_image.testing.faults import Fault
from nova_image.testing.faulty import FaultyGlance

HERE = Path(__file__).parent
HANGS_AFTER_S = 25
MIB = 1024 * 1024
IMAGE = random.Random(13).randbytes(6 * MIB)
OLD = b'what was there before'
OURS = ('nova_image', 'legacy 2014', 'legacy V2')
BAD = ('SILENT', 'e', 'HANG', 'TOKEN')


@dataclasses.dataclass(frozen=True)
class Row:
    """One fault and the call that meets it."""

    what: str
    name: str
    armed: Callable[[FaultyGlance, FaultyGlance], list[Fault]]
    args: tuple[Any, ...] = ()
    refreshing: bool = False
    hashes: tuple[str, ...] = ('sha512', 'md5')
    page_size: int = 1000


def always(*armed: Fault) -> Callable[[FaultyGlance, FaultyGlance], list[Fault]]:
    return lambda glance, stranger: list(armed)


def _uploads() -> Iterator[Row]:
    put = 'PUT file'
    for kind in ('file', 'pipe'):
        for what, fault, refreshing in (
            ('reset after 2 MiB', faults.reset(put, at=2 * MIB), False),
            ('503 after 2 MiB', faults.status(put, 503, at=2 * MIB), False),
            ('503 after the whole body', faults.status(put, 503), False),
            ('401 after the whole body', faults.status(put, 401), False),
            ('401 after the whole body, refreshing plug-in', faults.status(put, 401), True),
            ('401 early, refreshing plug-in', faults.status(put, 401, at=MIB), True),
            ('stored short', faults.short(put, at=MIB), False),
            ('stored with another byte', faults.corrupt(put, at=MIB), False),
            ('never answered', faults.stall(put), False),
        ):
            yield Row(f'upload of a {kind}: {what}', 'create', always(fault), (kind,), refreshing)
        yield Row(
            f'upload of a {kind}: 307 to the same server', 'create',
            lambda glance, stranger: [faults.redirect(put, f'{glance.url}/v2/images/1/file', 307)], (kind,),
        )  # fmt: skip
    yield Row('upload of a generator: no fault', 'create', always(), ('generator',))
    yield Row('POST /images reset once', 'create', always(faults.reset('POST images')), ('file',))


def _downloads() -> Iterator[Row]:
    get = 'GET file'
    both: list[tuple[str, list[Fault]]] = [
        ('cut, Content-Length honest', [faults.cut(get, at=MIB)]),
        ('reset', [faults.reset(get, at=MIB)]),
        ('chunked, no terminator', [faults.unterminated(get, at=MIB)]),
        ('ended short by closing', [faults.short(get, at=MIB)]),
        ('cut each time', [faults.cut(get, at=1000, times=0)]),
        ('one byte flipped once', [faults.corrupt(get, at=MIB)]),
        ('one byte flipped each time', [faults.corrupt(get, at=MIB, times=0)]),
        ('503 once', [faults.status(get, 503)]),
        ('500 each time', [faults.status(get, 500, body=b'oops', times=0)]),
        ('404', [faults.status(get, 404, body=b'oops')]),
        ('204', [faults.status(get, 204, body=b'', times=0)]),
        ('odd content type', [faults.answers_with(get, {'Content-Type': 'application/octet-stream; x=y'}, times=0)]),
        ('never answers', [faults.stall(get, times=0)]),
        ('stall', [faults.stall(get, at=MIB, times=0)]),
        ('drip, 1 byte / 2 s', [faults.drip(get, at=MIB, seconds=2, times=0)]),
    ]  # fmt: skip
    for what, armed in both:
        yield Row(f'download: {what}', 'download', always(*armed))
    for what, armed in both[3:4] + both[5:7]:
        yield Row(f'download, no hashes: {what}', 'download', always(*armed), hashes=())
    for code in (302, 307):
        yield Row(
            f'download: {code} to another host', 'download',
            lambda glance, stranger, code=code: [faults.redirect(get, f'{stranger.url}/x', code, times=0)],
        )  # fmt: skip


def _metadata() -> Iterator[Row]:
    for what, armed in (
        ('503 once', faults.status('GET image', 503)),
        ('500 once', faults.status('GET image', 500)),
        ('reset once', faults.reset('GET image')),
        ('never answers', faults.stall('GET image', times=0)),
    ):
        yield Row(f'get: {what}', 'get', always(armed), ('<image>',))
    yield Row('list: 503 on page 2', 'list', always(faults.status('GET images', 503, after=1)), page_size=1)
    yield Row('get of the id ".."', 'get', always(), ('..',))
    yield Row('delete of the id ".."', 'delete', always(faults.status('*', 204, body=b'')), ('..',))
    yield Row('get of an href elsewhere', 'get', always(), ('<elsewhere>',))


class Subject:
    """A client in a process of its own, started again when it had to be ended."""

    def __init__(self, python: Path, name: str, image: Path) -> None:
        self._command = [python, '-W', 'ignore', HERE / 'fault_subjects.py', name, image]
        self._process: subprocess.Popen[str] | None = None

    def call(self, call: dict[str, Any]) -> dict[str, Any] | None:
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
            if not selector.select(HANGS_AFTER_S):
                self.end()
                return None
        line = process.stdout.readline()
        if not line:
            self.end()
            return {'error': 'the process died', 'text': ''}
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
    """One cell of the table."""
    path = directory / 'image'
    path.write_bytes(OLD)
    with FaultyGlance(row.hashes, page_size=row.page_size) as glance, FaultyGlance() as stranger:
        ids = [] if row.name == 'create' else [glance.store.add(IMAGE, visibility='public')['id'] for _ in range(3)]
        elsewhere = stranger.store.add(b'x', visibility='public')['id']
        places = {'<image>': ids[0] if ids else '', '<elsewhere>': f'{stranger.url}/v2/images/{elsewhere}'}
        args = [places.get(each, each) for each in row.args]
        if row.name == 'download':
            args = [ids[0], str(path)]
        glance.inject(*row.armed(glance, stranger))
        answer = subject.call({'url': glance.url, 'name': row.name, 'args': args, 'refreshing': row.refreshing})
        cell = _judge(row, answer, glance, path, ids)
        if '..' in row.args and glance.requests:
            cell += f', {glance.requests[-1].method} {glance.requests[-1].path} sent'
        if stranger.tokens:
            cell = f'TOKEN ({cell})'
    for left in directory.iterdir():
        left.unlink()
    return cell


def _judge(row: Row, answer: dict[str, Any] | None, glance: FaultyGlance, path: Path, ids: list[str]) -> str:
    if answer is None:
        return 'HANG'
    failed = 'error' in answer
    if row.name == 'create':
        wrong = [len(each) for each in glance.store.contents.values() if each != IMAGE]
        if wrong and (not failed or 'stored' not in row.what):
            return f'SILENT {wrong[0] / MIB:.1f} of 6 MiB' if not failed else 'e, wrong image active'
        if not failed:
            posts = glance.count('POST images')
            return ('OK' if glance.store.contents else 'SILENT, no data') + (f', POST {posts}x' if posts > 1 else '')
        return f'E {answer["error"]}' + (', image left' if glance.store.records else '')
    if row.name == 'download':
        found = path.read_bytes() if path.exists() else b''
        partial = found not in (OLD, IMAGE) or len(os.listdir(path.parent)) > 1
        if failed:
            return ('e ' if partial else 'E ') + answer['error']
        if found == IMAGE:
            return 'OK'
        return 'warned' if answer['warned'] else 'SILENT'
    if failed:
        return f'E {answer["error"]}'
    if row.name == 'list':
        return 'OK' if sorted(answer['value']) == sorted(ids) else 'SILENT'
    return 'SILENT' if '..' in row.args else 'OK'


def table(cells: dict[str, dict[str, str]], about: dict[str, Any]) -> str:
    names = list(SUBJECTS)
    versions = ', '.join(f'{name} {version}' for name, version in about['versions'].items())
    lines = ['| fault | ' + ' | '.join(names) + ' |', '| --- |' + ' --- |' * len(names)]
    lines += [f'| {what} | ' + ' | '.join(row.get(name, '') for name in names) + ' |' for what, row in cells.items()]
    counts = {
        bad: [sum(row.get(name, '').split(' ')[0].rstrip(',') == bad for row in cells.values()) for name in names]
        for bad in BAD
    }
    words = {'SILENT': 'silent wrong data', 'e': 'wrong or partial left behind', 'HANG': 'hangs', 'TOKEN': 'token given away'}
    lines += [f'| **{words[bad]}** | ' + ' | '.join(f'**{each}**' for each in counts[bad]) + ' |' for bad in BAD]
    return f"""# What clients do when the server fails

Written by `benchmarks/faults.py` on {about['date']}, Python {about['python']}, {versions}. A 6 MiB image.
OK = right in the end; E = an error, nothing wrong left; e = an error and a partial file or wrong image left;
SILENT = success reported with wrong data; HANG = no answer in {HANGS_AFTER_S} s; TOKEN = the token reached another host;
warned = wrong data of an image without any hash, said in a warning. All with their defaults, but ours with time
limits of 2 s instead of 60 so that the rows take seconds; the others have none.

""" + '\n'.join(lines) + '\n'


def main() -> int:
    parser = argparse.ArgumentParser(description='What image clients do when the server fails.')
    place = Path(tempfile.gettempdir()) / f'nova-image-bench-{os.getuid()}'
    parser.add_argument('--env', type=Path, default=place, help='virtual environment to make or reuse')
    parser.add_argument('--python', type=Path, help='interpreter that has all clients already')
    parser.add_argument('--only', default='', help='rows whose name has this in it')
    parser.add_argument('--output', type=Path, default=HERE, help='where FAULTS.md goes')
    arguments = parser.parse_args()
    python = arguments.python or prepare(arguments.env.absolute())
    rows = [each for each in (*_uploads(), *_downloads(), *_metadata()) if arguments.only in each.what]
    cells: dict[str, dict[str, str]] = {each.what: {} for each in rows}
    with tempfile.TemporaryDirectory() as work:
        image, directory = Path(work, 'bytes'), Path(work, 'target')
        image.write_bytes(IMAGE)
        directory.mkdir()
        for name in SUBJECTS:
            with Subject(python, name, image) as subject:
                for row in rows:
                    cells[row.what][name] = meet(row, subject, directory)
                    print(f'{name}: {row.what}: {cells[row.what][name]}', file=sys.stderr)
    text = table(cells, machine(python))
    (arguments.output / 'FAULTS.md').write_text(text, encoding='utf-8')
    print(text)
    return int(any(cells[each][name].split(' ')[0].rstrip(',') in BAD for each in cells for name in OURS))


if __name__ == '__main__':
    sys.exit(main())
