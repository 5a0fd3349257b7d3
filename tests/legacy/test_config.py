# SPDX-License-Identifier: Apache-2.0
"""Old nova.conf files of six releases, carried over: what each release would have used is what this package uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from legacy import config
from legacy.config_history import OPTIONS, position
from nova_image.settings import Settings

HERE = Path(__file__).parent / 'nova_conf'
HISTORY = json.loads((Path(__file__).parents[1] / 'contract' / 'surface.json').read_text(encoding='utf-8'))[
    'config_history'
]['options']


def run(release: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = config.main([str(HERE / f'{release}.conf'), '--release', release])
    return status, capsys.readouterr().out


def effective(text: str, tmp_path: Path) -> Settings:
    path = tmp_path / 'new.conf'
    path.write_text(text, encoding='utf-8')
    conf = cfg.ConfigOpts()
    conf(['--config-file', str(path)], project='nova')
    return Settings.of(conf)


@pytest.mark.contract('C-290', 'C-291', 'C-292')
@pytest.mark.parametrize(
    ('release', 'status', 'expected'),
    [
        ('2013.1', 0, {'api_servers': ('http://10.1.0.9:9292',), 'num_retries': 0, 'auth_strategy': 'keystone',
                       'insecure': False}),
        ('2014.1', 0, {'api_servers': ('http://glance-a:9292', 'https://glance-b:9293'), 'num_retries': 2,
                       'auth_strategy': 'noauth', 'insecure': True,
                       'allowed_direct_url_schemes': ('file', 'filesystem')}),
        ('2015.1', 0, {'api_servers': ('https://controller:9292',), 'num_retries': 0, 'auth_strategy': 'keystone',
                       'cafile': '/etc/nova/ca.pem'}),
        ('13', 0, {'api_servers': ('http://glance-a:9292', 'http://glance-b:9292'), 'num_retries': 1,
                   'auth_strategy': 'noauth', 'insecure': False}),
        ('16', 0, {'api_servers': ('https://image.example/glance',), 'num_retries': 0, 'auth_strategy': 'keystone',
                   'insecure': True, 'cafile': '/etc/ssl/ca.pem'}),
        ('34', 1, {'api_servers': (), 'num_retries': 3, 'region_name': 'RegionOne', 'valid_interfaces': ('internal',),
                   'enable_rbd_download': False}),
    ],
)  # fmt: skip
def test_the_printed_equivalent_gives_what_the_release_would_have_used(
    release: str, status: int, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done, text = run(release, capsys)
    assert done == status
    settings = effective(text, tmp_path)
    assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.contract('C-150')
def test_file_systems_come_along(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = run('2014.1', capsys)
    assert '[image_file_url:nfs]\nid = 1a2b\nmountpoint = /mnt/glance' in text


def test_what_means_nothing_any_more_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert '[glance] api_servers: not read by release 2014.1' in run('2014.1', capsys)[1]
    assert '[DEFAULT] glance_host: not read by release 2015.1' in run('2015.1', capsys)[1]
    text = run('16', capsys)[1]
    assert '[glance] use_glance_v1: not read by release 16' in text
    assert '[glance] timeout: every kind of wait' in text


def test_what_cannot_be_carried_over_is_named_and_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run('34', capsys)
    assert status == 1
    assert 'CANNOT be carried over: enable_rbd_download' in text
    assert 'CANNOT be carried over: [glance] surprise' in text


@pytest.mark.contract('C-052')
def test_negative_retries_are_taken_as_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert 'num_retries -1 is taken as 0' in run('2015.1', capsys)[1]


@pytest.mark.contract('C-039')
def test_the_protocol_that_was_not_honoured_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert 'sent requests to http://controller:9292 in spite of protocol https' in run('2015.1', capsys)[1]


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['missing.conf', '--release', '2014.1'], 'missing.conf'),
        ([str(HERE / '13.conf'), '--release', '9.9'], "release '9.9' is not known"),
        ([str(Path(__file__)), '--release', '13'], 'test_config.py'),
    ],
)
def test_what_cannot_be_read_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert config.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.count('\n') == 1
    assert said in captured.err


@pytest.mark.parametrize(
    ('line', 'said'),
    [
        ('api_insecure = maybe', "'maybe', expected true or false"),
        ('num_retries = many', "num_retries is 'many', expected a whole number"),
        ('host = h\nport = first', "port is 'first', expected a whole number"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    path = tmp_path / 'nova.conf'
    path.write_text(f'[glance]\n{line}\n', encoding='utf-8')
    assert config.main([str(path), '--release', '2015.1']) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize('name', sorted(HISTORY))
def test_the_history_is_that_of_the_surface(name: str) -> None:
    for entry in HISTORY[name]:
        if position(entry['last']) < position('2012.2'):
            continue
        group = entry['definition']['group']
        known = [option for option in OPTIONS if (option.group, option.name) == (group, name)]
        assert known, f'{group}.{name} is missing'
        assert position(known[0].first) <= position(entry['first'])
        assert position(known[0].last) >= position(entry['last'])


def test_it_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'nova_image.cli', 'config', str(HERE / '13.conf'), '--release', '13'],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, '')
    assert 'api_servers = http://glance-a:9292,http://glance-b:9292' in done.stdout
