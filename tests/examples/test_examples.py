# SPDX-License-Identifier: Apache-2.0
"""The examples run unchanged on the new package, and the quick start proves all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from legacy.equivalence import prove, prove_cli, prove_report
from legacy.migrate import run

ROOT = Path(__file__).parents[2]
EXAMPLES = ('backup_rotation.py', 'image_cache.py', 'snapshot_upload.py')


@pytest.mark.parametrize('name', EXAMPLES)
def test_an_example_runs_unchanged(name: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        'NOVA_IMAGE_DRIVER': 'local',
        'NOVA_IMAGE_LOCAL_PATH': str(tmp_path / 'store'),
        'NOVA_IMAGE_LEGACY': 'silent',
    }
    done = subprocess.run(
        [sys.executable, '-m', 'legacy', f'examples/programs/{name}'],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_the_examples_use_the_old_import_lines_unchanged() -> None:
    lines = [
        line for name in EXAMPLES for line in (ROOT / 'examples/programs' / name).read_text().splitlines()
    ]
    assert 'from nova.image import glance' in lines
    assert 'import nova.image.glance' in lines
    assert 'from nova.image import glance as image_backend' in lines


def test_every_call_site_of_the_examples_can_be_rewritten() -> None:
    found = run([ROOT / 'examples/programs' / name for name in EXAMPLES], root=ROOT)
    assert [site for site in found.sites if site.status == 'left'] == []
    assert found.problems == []
    assert found.unaccounted == []


def _proven(capsys: pytest.CaptureFixture[str], *options: str) -> None:
    code = prove_cli.main(['examples/programs', *options, '--', sys.executable, 'examples/programs/run_all.py'])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    for name in EXAMPLES:
        (row,) = (line for line in told.out.splitlines() if line.startswith(f'examples/programs/{name}'))
        *_, operations, differences = row.split()
        assert int(operations) > 0
        assert differences == '0'
    last = told.out.splitlines()[-1]
    assert last.startswith('proven: 36 sites in 3 files ')
    assert last.endswith(' 28 operations compared, 0 differences')
    assert 'not reached' not in told.out


def test_the_quick_start_proves_every_example(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    _proven(capsys)


@pytest.mark.glance
def test_every_example_is_proven_on_a_real_glance(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    _proven(capsys, '--driver', 'glance')


def test_an_example_installed_from_elsewhere_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an editable install does: a line in a .pth file puts the original directory on the path."""
    installed = tmp_path / 'installed'
    installed.mkdir()
    for source in (ROOT / 'examples/programs').iterdir():
        if source.suffix == '.py':
            (installed / source.name).write_bytes(source.read_bytes())
    checkout = tmp_path / 'checkout'
    checkout.mkdir()
    (checkout / 'image_cache.py').write_bytes((installed / 'image_cache.py').read_bytes())
    monkeypatch.setenv('PYTHONPATH', str(installed))
    monkeypatch.chdir(tmp_path)
    proof = prove.prove('checkout', (sys.executable, '-m', 'image_cache'))
    assert proof.exit_code == 2, prove_report.text(proof)
    assert proof.comparison.compared
    assert 'somewhere else' in ' '.join(proof.reasons)
