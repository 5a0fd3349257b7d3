# SPDX-License-Identifier: Apache-2.0
"""Costs side by side with Nova 34 and glanceclient 4.13: one command, one run, one environment.

    python benchmarks/run.py

makes a virtual environment with the peers and a copy of this checkout (kept for the next run), starts a
loopback server, measures every peer in turn, several rounds of it, and writes ``RESULTS.md`` and
``results.json`` beside this file. All figures are medians. It reports and asserts nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import render

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = ('nova==34.0.0', 'python-glanceclient==4.13.0', 'debtcollector', 'setuptools>=77', 'wheel')
COPIED = ('nova_image', 'legacy', 'setup.py', 'pyproject.toml', 'README.md')

#: case -> peers, in the order in which they take turns
CASES: dict[str, tuple[str, ...]] = {
    'list': ('bare', 'glanceclient', 'nova', 'nova_image', 'legacy'),
    'get': ('bare', 'glanceclient http', 'glanceclient', 'nova', 'nova_image', 'legacy'),
    'create with data': ('nova', 'nova_image', 'legacy'),
    'update': ('nova', 'nova_image', 'legacy'),
    'update with data': ('nova', 'nova_image', 'legacy'),
    'download': ('nova', 'glanceclient', 'nova_image', 'legacy'),
    'deprecated call': ('nothing', 'wrapt', 'debtcollector', 'legacy'),
}
IMPORTS = {
    'wrapt and oslo.config': 'import wrapt, oslo_config.cfg',
    'nova.image.glance': 'import nova.image.glance',
    'nova_image': 'import nova_image; nova_image.API',
    'legacy.glance': 'import legacy.glance',
}


def prepare(environment: Path) -> Path:
    """Make the environment unless it is there, and install this checkout into it anew."""
    python = environment / 'bin' / 'python'
    ready = environment / 'peers.txt'
    if not ready.is_file() or ready.read_text(encoding='utf-8').split() != list(PEERS):
        print(f'making {environment} with {", ".join(PEERS[:2])} ...', file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, '-m', 'venv', str(environment)], check=True)
        subprocess.run([python, '-m', 'pip', 'install', '-q', *PEERS], check=True)
        ready.write_text('\n'.join(PEERS), encoding='utf-8')
    with tempfile.TemporaryDirectory() as copy:
        # Built elsewhere, so that no build directory appears in the checkout.
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(copy, name), ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy(source, copy)
        install = ['install', '-q', '--no-deps', '--no-build-isolation', '--force-reinstall', copy]
        subprocess.run([python, '-m', 'pip', *install], check=True)
    return python


@contextlib.contextmanager
def serving(python: Path, images: int, mib: int) -> Iterator[str]:
    """The loopback server, as its URL."""
    command = [python, HERE / 'server.py', '--images', str(images), '--mib', str(mib)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None and server.stdout is not None
    try:
        yield f'http://127.0.0.1:{int(server.stdout.readline())}'
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def ask(python: Path, case: str, peer: str, url: str) -> dict[str, Any]:
    command = [python, '-W', 'ignore', HERE / 'measure.py', case, peer, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd='/')
    if done.returncode:
        raise SystemExit(f'{case}, {peer}: failed\n{done.stderr[-2000:]}')
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def import_time(python: Path, statement: str) -> dict[str, Any]:
    script = f'import time; t = time.process_time(); {statement}; print(time.process_time() - t)'
    done = subprocess.run(
        [python, '-W', 'ignore', '-c', script], capture_output=True, text=True, check=True, cwd='/'
    )
    return {'cpu': float(done.stdout.split()[-1])}


def command_time(command: list[str | Path]) -> dict[str, Any]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd='/')
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {'cpu': cpu, 'wall': wall}


def one_round(python: Path, url: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every case for every peer, the peers of a case one after the other."""
    for case, peers in CASES.items():
        for peer in peers:
            yield case, peer, ask(python, case, peer, url)
    for name, statement in IMPORTS.items():
        yield 'import', name, import_time(python, statement)
    for _ in range(3):
        yield 'command', 'python -c pass', command_time([python, '-c', 'pass'])
        yield 'command', 'nova-image --help', command_time([python.parent / 'nova-image', '--help'])


def medians(rounds: list[tuple[str, str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, float]]]:
    """case -> peer -> figure -> median over all rounds."""
    collected: dict[str, dict[str, dict[str, list[float]]]] = {}
    for case, peer, figures in rounds:
        for figure, value in figures.items():
            collected.setdefault(case, {}).setdefault(peer, {}).setdefault(figure, []).append(value)
    return {
        case: {
            peer: {figure: statistics.median(values) for figure, values in figures.items()}
            for peer, figures in peers.items()
        }
        for case, peers in collected.items()
    }


def machine(python: Path) -> dict[str, Any]:
    """What the figures were measured on."""
    script = (
        'import importlib.metadata as m, json; print(json.dumps({n: m.version(n) for n in '
        "('nova', 'python-glanceclient', 'keystoneauth1', 'requests', 'wrapt', 'debtcollector')}))"
    )
    versions = subprocess.run([python, '-c', script], capture_output=True, text=True, check=True).stdout
    return {
        'date': datetime.datetime.now(datetime.UTC).date().isoformat(),
        'python': platform.python_version(),
        'cpus': os.cpu_count(),
        'load': round(os.getloadavg()[0], 1),
        'versions': json.loads(versions),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description='Costs side by side with nova and glanceclient.')
    place = Path(tempfile.gettempdir()) / f'nova-image-bench-{os.getuid()}'
    parser.add_argument('--env', type=Path, default=place, help='virtual environment to make or reuse')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--images', type=int, default=10_000, help='images in a listing')
    parser.add_argument('--mib', type=int, default=1024, help='size of the image that is downloaded')
    parser.add_argument('--output', type=Path, default=HERE, help='where RESULTS.md and results.json go')
    arguments = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    python = prepare(arguments.env.absolute())
    rounds: list[tuple[str, str, dict[str, Any]]] = []
    with serving(python, arguments.images, arguments.mib) as url:
        for number in range(arguments.rounds):
            print(f'round {number + 1} of {arguments.rounds} ...', file=sys.stderr)
            rounds.extend(one_round(python, url))
    results = {
        'schema': 1,
        'machine': {**machine(python), 'load before': load},
        'rounds': arguments.rounds,
        'images': arguments.images,
        'mib': arguments.mib,
        'medians': medians(rounds),
    }
    (arguments.output / 'results.json').write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    text = render(results)
    (arguments.output / 'RESULTS.md').write_text(text, encoding='utf-8')
    print(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
