# SPDX-License-Identifier: Apache-2.0
"""Put the medians of a run into a page: one table of figures, one of ratios beside what was aimed for."""

from __future__ import annotations

from typing import Any

MIB = 1024 * 1024
Medians = dict[str, dict[str, dict[str, float]]]
FIGURES = ('cpu', 'requests', 'wall', 'memory')

#: what, case, figure, who is measured, against whom, how the aim reads, aim, is a smaller ratio better
RATIOS: tuple[tuple[str, str, str, str, str, str, float, bool], ...] = (
    ('listing', 'list', 'cpu', 'nova', 'nova_image', 'at least 6× less than nova', 6, False),
    ('listing', 'list', 'cpu', 'glanceclient', 'nova_image', 'at least 2.5× less than glanceclient', 2.5, False),
    ('listing', 'list', 'cpu', 'nova', 'legacy', 'legacy at least 5× less than nova', 5, False),
    ('get', 'get', 'cpu', 'nova_image', 'glanceclient', 'at most 1.05× of images.get', 1.05, True),
    ('download, wall', 'download', 'wall', 'nova', 'nova_image', 'at least 1.5× faster', 1.5, False),
    ('download, wall', 'download', 'wall', 'glanceclient', 'nova_image', 'at least 1.3× faster', 1.3, False),
    ('import', 'import', 'cpu', 'legacy.glance', 'wrapt and oslo.config', 'at most 1.25×', 1.25, True),
    ('deprecated call', 'deprecated call', 'cpu', 'debtcollector', 'legacy', 'at least 1.8× faster', 1.8, False),
    ('command', 'command', 'cpu', 'nova-image --help', 'python -c pass', 'at most 5.3× (80 ms : 15 ms)', 80 / 15, True),
)
#: what, case, peer, figure, how the aim reads, aim (``None``: depends on the number of images)
LIMITS: tuple[tuple[str, str, str, str, str, float | None], ...] = (
    ('listing, requests', 'list', 'nova_image', 'requests', 'one for each 1000, one for a full last page', None),
    ('get, requests', 'get', 'nova_image', 'requests', 'at most 1', 1),
    ('create with data, requests', 'create with data', 'nova_image', 'requests', 'at most 3', 3),
    ('update, requests', 'update', 'nova_image', 'requests', 'at most 2', 2),
    ('update with data, requests', 'update with data', 'nova_image', 'requests', 'at most 4', 4),
    ('download, extra memory', 'download', 'nova_image', 'memory', 'at most 32 MiB', 32 * MIB),
)


def time_text(seconds: float) -> str:
    """Seconds in the unit that keeps three digits."""
    for factor, unit in ((1, 's'), (1e3, 'ms'), (1e6, 'µs')):
        if seconds * factor >= 1:
            return f'{seconds * factor:.3g} {unit}'
    return f'{seconds * 1e9:.3g} ns'


def _figure(name: str, value: float) -> str:
    if name == 'memory':
        return f'{value / MIB:.1f} MiB'
    return f'{value:g}' if name == 'requests' else time_text(value)


def _mark(reached: bool) -> str:
    return 'yes' if reached else '**no**'


def figures(medians: Medians) -> list[str]:
    lines = [
        '| case | peer | CPU of one | requests of one | wall | extra memory |',
        '| --- | --- | ---: | ---: | ---: | ---: |',
    ]
    for case, peers in medians.items():
        for peer, found in peers.items():
            cells = [_figure(name, found[name]) if name in found else '' for name in FIGURES]
            lines.append(f'| {case} | {peer} | {" | ".join(cells)} |')
    return lines


def aims(medians: Medians, images: int) -> list[str]:
    lines = ['| what | measured | aim | reached |', '| --- | ---: | --- | --- |']
    for what, case, figure, first, second, words, aim, smaller in RATIOS:
        ratio = medians[case][first][figure] / medians[case][second][figure]
        reached = ratio <= aim if smaller else ratio >= aim
        lines.append(f'| {what}: {first} : {second} | {ratio:.2f} | {words} | {_mark(reached)} |')
    for what, case, peer, figure, words, limit in LIMITS:
        value = medians[case][peer][figure]
        limit = -(-images // 1000) + (images % 1000 == 0) if limit is None else limit
        lines.append(f'| {what} | {_figure(figure, value)} | {words} | {_mark(value <= limit)} |')
    return lines


def render(results: dict[str, Any]) -> str:
    """The page."""
    machine = results['machine']
    versions = ', '.join(f'{name} {version}' for name, version in machine['versions'].items())
    head = f"""# Costs, side by side

Written by `python benchmarks/run.py` on {machine['date']}: medians of {results['rounds']} rounds,
all peers in turn in one run and one environment (Python {machine['python']}, {versions}), {machine['cpus']} CPUs,
load average {machine['load before']} before the run and {machine['load']} at its end, its own load included.
Listings are of {results['images']} images with 15 properties from a loopback server in a process of its own; the
download is of {results['mib']} MiB of random bytes from there, verified and on the disk (fsync) when it ends. CPU is of
the whole client process, all threads. `bare` is HTTP and JSON of the standard library.
"""
    return '\n'.join(
        [
            head,
            '## Aims',
            '',
            *aims(results['medians'], results['images']),
            '',
            '## Figures',
            '',
            *figures(results['medians']),
            '',
        ]
    )
