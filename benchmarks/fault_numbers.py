# SPDX-License-Identifier: Apache-2.0
"""The numbers beside the fault table: memory for a large image, and a sparse copy past 2 GiB."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nova_image.testing.faulty import FaultyGlance

MIB = 1024 * 1024
MOST_MEMORY = 32 * MIB
LARGE = 256 * MIB
SPARSE = 3 * 1024 * MIB
LIMIT_S = 300.0
#: The loopback server hashes a large image for a while before it answers.
UNHURRIED = {'first_byte_timeout': LIMIT_S, 'stall_timeout': LIMIT_S, 'upload_answer_timeout': LIMIT_S}
Call = Callable[[dict[str, Any], float], dict[str, Any] | None]


class Numbers:
    """Subject -> what it needed, and what came of its copy."""

    def __init__(self) -> None:
        self.memory: dict[str, int] = {}
        self.copy: dict[str, str] = {}

    def lines(self, names: Iterable[str]) -> list[str]:
        """Rows of the table of totals."""
        names = list(names)
        memory = [f'{self.memory[name] / MIB:.0f} MiB' if name in self.memory else '' for name in names]
        return [
            f'| memory for an image of {LARGE // MIB} MiB, up and down | ' + ' | '.join(memory) + ' |',
            f'| sparse local copy of {SPARSE // MIB // 1024} GiB | '
            + ' | '.join(self.copy.get(name, '') for name in names) + ' |',
        ]  # fmt: skip

    def missed(self, ours: Iterable[str]) -> list[str]:
        """What one of ours did not reach."""
        found = [
            f'{name}: {self.memory[name] / MIB:.0f} MiB of memory, at most {MOST_MEMORY // MIB} are allowed'
            for name in ours if self.memory[name] > MOST_MEMORY
        ]  # fmt: skip
        return found + [f'{name}: sparse copy: {self.copy[name]}' for name in ours if self.copy[name] != 'OK']


def measured(numbers: Numbers, name: str, call: Call, work: Path, *, copies: bool) -> None:
    """Measure one subject; what it holds anyway is not counted, so one small image goes first."""
    large = work / 'large'
    if not large.exists():
        with large.open('wb') as file:
            for number in range(LARGE // MIB):
                file.write(number.to_bytes(4, 'big') * (MIB // 4))
    with FaultyGlance() as glance:
        most = 0
        for source in ('file', str(large)):
            asked = {'url': glance.url, 'options': UNHURRIED}
            made = call({**asked, 'name': 'create', 'args': [source]}, LIMIT_S) or {}
            target = work / 'downloaded'
            args = [str(made.get('value')), str(target)]
            fetched = call({**asked, 'name': 'download', 'args': args}, LIMIT_S) or {}
            most = max(int(made.get('memory', 0)), int(fetched.get('memory', 0)))
            if source == str(large) and not ('error' not in fetched and filecmp.cmp(target, large, shallow=False)):
                raise RuntimeError(f'{name} could not do it: {made}, {fetched}')
            target.unlink(missing_ok=True)
        numbers.memory[name] = most
    if copies:
        numbers.copy[name] = _sparse_copy(call, work)


def _sparse_copy(call: Call, work: Path) -> str:
    """Up into a local store and down again; past 2 GiB copies have ended early, and holes were filled."""
    source = work / 'sparse'
    with source.open('wb') as file:
        for place in (0, SPARSE // 2, SPARSE - MIB):
            file.seek(place)
            file.write(b'\x5a' * MIB)
    with tempfile.TemporaryDirectory(dir=work) as directory:
        options = {'driver': 'local', 'local_path': f'{directory}/store'}
        target = Path(directory, 'copy')
        asked = {'url': 'http://127.0.0.1:1', 'options': options}
        made = call({**asked, 'name': 'create', 'args': [str(source)]}, LIMIT_S)
        if made is None or 'error' in made:
            return f'E {made and made["error"]} {made and made["text"]}'
        done = call({**asked, 'name': 'download', 'args': [made['value'], str(target)]}, LIMIT_S)
        if done is None or 'error' in done:
            return f'E {done and done["error"]} {done and done["text"]}'
        if not filecmp.cmp(source, target, shallow=False):
            return f'SILENT, {target.stat().st_size} bytes'
        blocks, most = target.stat().st_blocks, source.stat().st_blocks
        return 'OK' if blocks <= most + 64 else f'holes filled, {blocks} blocks for {most}'
