# SPDX-License-Identifier: Apache-2.0
"""A tree of 1,200 files and 350,000 lines: seconds of CPU, memory, and growth with the files that matter."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

OLD = """\
from nova.image import glance
class C{n}(object):
    def __init__(self): self.svc = glance.get_default_image_service()
    def go(self, ctx, ref):
        (s, i) = glance.get_remote_image_service(ctx, ref)
        m = s.show(ctx, i)
        self.svc.update(ctx, m['id'], {{'name': 'x'}})
        return self.svc.detail(ctx, filters={{'a': 'b'}})

"""
OTHER = """\
def f{n}_{i}(a, b=None, *args, **kw):
    \"\"\"Text {i}.\"\"\"
    x = a + {i}
    if x > b:
        for y in range(x):
            print(y, x, kw.get("k{i}"))
    return [z for z in args if z]

"""


def plant(tree: Path, with_old: int, files: int = 1200) -> None:
    for n in range(files):
        folder = tree / f'p{n // 50}'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / '__init__.py').touch()
        text = ''.join(OTHER.format(n=n, i=i) for i in range(36))
        (folder / f'm{n}.py').write_text((OLD.format(n=n) if n % (files // with_old) == 0 else '') + text)


def cost(tree: Path) -> tuple[float, int]:
    """CPU seconds and peak KiB of a run in a process of its own."""
    program = f'import sys; from legacy.migrate.cli import migrate_main; sys.exit(migrate_main(["--check", {str(tree)!r}]))'
    process = subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


@pytest.mark.slow
def test_a_large_tree_costs_seconds_and_grows_with_the_files_that_matter(tmp_path):
    plant(tmp_path / 'few', 40)
    plant(tmp_path / 'more', 120)
    few, memory = cost(tmp_path / 'few')
    more, _ = cost(tmp_path / 'more')
    assert few < 12, '6 s on 2 cores'
    assert memory < 400 << 10
    assert more < 4.5 * few, 'three times the files that matter'
