# SPDX-License-Identifier: Apache-2.0
"""The laws of ``laws.py`` under coverage-guided inputs: each in a process of its own, for a bounded time.

    python tests/fuzz/run_atheris.py [--seconds 60] [LAW ...]

An input that breaks a law is kept beside the corpus and named in the output; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

ONE_INPUT_SECONDS = 10
MEMORY_MIB = 2048
ONE = '--one-law-in-this-process'
LAZY = (
    'legacy.config', 'legacy.equivalence.decode', 'legacy.equivalence.prove_trace', 'legacy.migrate.project', 'legacy.migrate.files',
    'nova_image.local.driver', 'nova_image.local.check',
)  # fmt: skip
SEEDS = (
    b'http://host:9292/v2/images/11111111-2222-4333-8444-555555555555', b'2024-01-02T03:04:05+01:00',
    b'{"id": "x", "created_at": "2024-01-02T03:04:05Z", "locations": [{"url": "file:///x", "metadata": {}}]}',
    b'{"is_public": "true", "changes-since": "x", "properties": {"a": ["b"]}, "tags": ["t"], "property-a": 1}',
    b'[{"mappings": []}]', b'[glance]\napi_servers = http://a:9292\nnum_retries = 3\n',
    b'from nova.image import glance\ns = glance.get_default_image_service()\ns.show(c, i)\n',
    b'{"$dict": [["a", {"$bytes": "eA=="}]], "x": {"$exc": "ValueError", "args": [1]}}',
    b'[["images", "created_at", "x"], ["locations", "metadata", null]]',
)  # fmt: skip


def one(name: str, corpus: str, seconds: int) -> None:
    """Run one law in this process; libFuzzer ends it."""
    import atheris

    # What a law imports when it runs has to be imported here, or no coverage of it guides the inputs.
    with atheris.instrument_imports(include=['nova_image', 'legacy', 'laws']):
        from laws import LAWS

        for module in LAZY:
            importlib.import_module(module)
    law = LAWS[name]
    atheris.Setup(
        [
            sys.argv[0], corpus, f'-max_total_time={seconds}', f'-timeout={ONE_INPUT_SECONDS}', '-max_len=4096',
            f'-rss_limit_mb={MEMORY_MIB}', f'-artifact_prefix={corpus}/broken-', '-verbosity=0', '-print_final_stats=1',
        ],
        law,
    )  # fmt: skip
    atheris.Fuzz()


def main() -> int:
    from laws import LAWS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('laws', nargs='*', metavar='LAW', help=f'default: all ({", ".join(LAWS)})')
    parser.add_argument('--seconds', type=int, default=60, help='for each law; default %(default)s')
    arguments = parser.parse_args()
    if unknown := set(arguments.laws) - set(LAWS):
        parser.error(f'no such law: {", ".join(sorted(unknown))}; expected some of {", ".join(LAWS)}')
    broken = []
    for name in arguments.laws or LAWS:
        corpus = tempfile.mkdtemp(prefix=f'fuzz-{name}-')
        for number, seed in enumerate(SEEDS):
            Path(corpus, f'seed-{number}').write_bytes(seed)
        command = [sys.executable, '-W', 'ignore', __file__, ONE, name, corpus, str(arguments.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        inputs = [line.split()[-1] for line in done.stderr.splitlines() if 'number_of_executed_units' in line]
        print(f'{name}: {inputs[0] if inputs else "no"} inputs, {"broken" if done.returncode else "held"}', flush=True)
        if done.returncode:
            broken.append(name)
            print(done.stdout[-3000:], done.stderr[-3000:], f'input kept in {corpus}', sep='\n', flush=True)
    return 1 if broken else 0


if __name__ == '__main__':
    if sys.argv[1:2] == [ONE]:
        one(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        sys.exit(main())
