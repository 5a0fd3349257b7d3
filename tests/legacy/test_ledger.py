# SPDX-License-Identifier: Apache-2.0
"""The ledger loses no use, however many processes and threads count and however they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from legacy import ledger

HEAD = """\
    import os, sys, threading, warnings
    warnings.simplefilter('ignore')
    from legacy import glance
    def use(times=1):
        for _ in range(times):
            glance._remove_read_only({})
    """


def run(program: str, place: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script = place / 'program.py'
    script.write_text(textwrap.dedent(HEAD) + textwrap.dedent(program))
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, cwd=place,
        env={'NOVA_IMAGE_LEGACY_LEDGER': str(place / 'ledger'), **environment},
    )  # fmt: skip


def uses(place: Path) -> Counter[ledger.Key]:
    return ledger.read(place / 'ledger').uses


def key(place: Path, function: str = 'use') -> ledger.Key:
    return '_remove_read_only', str(place / 'program.py'), function


def files(place: Path) -> set[str]:
    return {each.name for each in place.iterdir()}


def test_every_call_is_counted_by_name_file_and_function(tmp_path):
    done = run('use(1000)\nglance._convert_to_string({})\nclass C:\n    def m(self): use(1); glance._remove_read_only({})\nC().m()', tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert uses(tmp_path) == {
        key(tmp_path): 1001,
        key(tmp_path, 'C.m'): 1,
        ('_convert_to_string', str(tmp_path / 'program.py'), '<module>'): 1,
    }
    assert files(tmp_path) == {'program.py', 'ledger', 'ledger.lock'}
    answer = json.loads((tmp_path / 'ledger').read_text())
    assert answer['schema'] == 1 and answer['since'] == ledger._today()


def test_a_reader_writes_nothing_and_waits_for_who_merges(tmp_path, monkeypatch):
    run('use(7)\nos._exit(0)', tmp_path)
    there = files(tmp_path)
    assert uses(tmp_path)[key(tmp_path)] == 7 and files(tmp_path) == there and 'ledger.lock' not in there
    real = ledger._read_part

    def merged_meanwhile(part):
        monkeypatch.setattr(ledger, '_read_part', real)
        ledger._merge(tmp_path / 'ledger')
        return real(part)

    monkeypatch.setattr(ledger, '_read_part', merged_meanwhile)
    assert uses(tmp_path)[key(tmp_path)] == 7 and 'ledger.lock' in files(tmp_path)


@pytest.mark.parametrize('end', ['os._exit(0)', 'os.kill(os.getpid(), 9)', 'sys.exit(0)', 'os.abort()'])
def test_a_process_keeps_its_counts_however_it_ends(end, tmp_path):
    for _ in range(2):
        run(f'use(500)\n{end}', tmp_path)
    assert uses(tmp_path)[key(tmp_path)] == 1000


def test_forked_children_count_on_their_own(tmp_path):
    program = """\
        use(10)
        children = []
        for number in range(8):
            child = os.fork()
            if not child:
                use(100)
                if number % 2:
                    os.kill(os.getpid(), 9)
                os._exit(0)
            children.append(child)
        use(10)
        for child in children:
            os.waitpid(child, 0)
        """
    assert run(program, tmp_path).stderr == ''
    assert uses(tmp_path) == {key(tmp_path): 820}
    assert not any(each.endswith('.part') for each in files(tmp_path))


@pytest.mark.parametrize('method', ['fork', 'spawn', 'forkserver'])
def test_workers_of_multiprocessing_count(method, tmp_path):
    program = f"""\
        if __name__ == '__main__':
            import multiprocessing
            context = multiprocessing.get_context('{method}')
            workers = [context.Process(target=use, args=(50,)) for _ in range(3)]
            [each.start() for each in workers]
            [each.join() for each in workers]
            use(1)
        """
    assert run(program, tmp_path).stderr == ''
    counted = uses(tmp_path)
    assert sum(counted.values()) == 151


def test_threads_lose_nothing_while_the_ledger_is_flushed(tmp_path):
    program = """\
        from legacy import ledger
        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=use, args=(5000,)) for _ in range(4)]
        [each.start() for each in threads]
        while any(each.is_alive() for each in threads):
            ledger.flush()
        """
    assert run(program, tmp_path).stderr == ''
    assert uses(tmp_path)[key(tmp_path)] == 20000


def test_many_processes_at_once_write_one_ledger(tmp_path):
    (tmp_path / 'program.py').write_text(textwrap.dedent(HEAD) + 'use(300)\n')
    environment = {'NOVA_IMAGE_LEGACY_LEDGER': str(tmp_path / 'ledger')}
    started = [subprocess.Popen([sys.executable, 'program.py'], cwd=tmp_path, env=environment) for _ in range(6)]
    assert [each.wait() for each in started] == [0] * 6
    assert sum(uses(tmp_path).values()) == 1800


def test_a_living_process_is_read_too_and_a_part_counts_once(tmp_path):
    program = "use(7); print('counted', flush=True); sys.stdin.readline(); use(1)"
    (tmp_path / 'program.py').write_text(textwrap.dedent(HEAD) + program)
    environment = {'NOVA_IMAGE_LEGACY_LEDGER': str(tmp_path / 'ledger')}
    with subprocess.Popen(
        [sys.executable, 'program.py'], cwd=tmp_path, env=environment, stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        assert sum(uses(tmp_path).values()) == 7
        assert sum(ledger.restart(tmp_path / 'ledger').uses.values()) == 0
        assert sum(uses(tmp_path).values()) == 0
        process.stdin.write('\n')
    assert sum(uses(tmp_path).values()) == 1


def test_a_part_that_was_merged_but_not_removed_yet_does_not_count_twice(tmp_path):
    run('use(5)\nos._exit(0)', tmp_path)
    (part,) = (each for each in tmp_path.iterdir() if each.suffix == '.part')
    data = part.read_bytes()
    run('use(1)', tmp_path)
    answer = json.loads((tmp_path / 'ledger').read_text())
    part.write_bytes(data)  # as after a kill between the two steps
    assert part.name in answer['absorbed'] and sum(uses(tmp_path).values()) == 6
    run('use(1)', tmp_path)
    assert sum(uses(tmp_path).values()) == 7 and not part.exists()


def test_different_keys_are_bounded(tmp_path):
    program = f"""\
        for number in range({ledger.CAPACITY + 100}):
            exec(compile('glance._remove_read_only({{}})', f'f{{number}}', 'exec'))
        """
    assert run(program, tmp_path).stderr == ''
    counted = uses(tmp_path)
    assert len(counted) == ledger.CAPACITY and counted[ledger.REST] == 101


def test_a_ledger_that_cannot_be_written_breaks_no_program(tmp_path):
    done = run('use(2)', tmp_path, NOVA_IMAGE_LEGACY_LEDGER=str(tmp_path / 'absent' / 'ledger'))
    assert done.returncode == 0 and done.stderr.count('no ledger at') == 1
    (tmp_path / 'ledger').write_text('something else')
    done = run('use(2)', tmp_path)
    assert done.returncode == 0 and 'is no ledger' in done.stderr
    assert (tmp_path / 'ledger').read_text() == 'something else'


def test_the_option_turns_it_on(tmp_path):
    (tmp_path / 'nova.conf').write_text(f'[image]\nlegacy_ledger = {tmp_path / "ledger"}\n')
    program = "from oslo_config import cfg\ncfg.CONF([], default_config_files=['nova.conf'])\nuse(3)"
    assert run(program, tmp_path, NOVA_IMAGE_LEGACY_LEDGER='').stderr == ''
    assert uses(tmp_path) == {key(tmp_path): 3}


def test_what_was_counted_before_it_was_on_goes_there_too(tmp_path):
    program = f"use(3)\nfrom legacy import ledger\nledger.begin({str(tmp_path / 'ledger')!r})\nuse(4)\nledger.flush()\nuse(2)"
    assert run(program, tmp_path, NOVA_IMAGE_LEGACY_LEDGER='').stderr == ''
    assert uses(tmp_path) == {key(tmp_path): 9}


def test_a_ledger_that_is_not_there_is_said_and_nothing_is_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        ledger.read(tmp_path / 'ledger')
    assert os.listdir(tmp_path) == []
