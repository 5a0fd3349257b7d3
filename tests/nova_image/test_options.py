# SPDX-License-Identifier: Apache-2.0
"""Options: every old name counts, the newest set one wins, and precedence is that of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from oslo_config import cfg

from nova_image import options
from nova_image.settings import Settings


def conf_of(text: str, tmp_path: Path) -> cfg.ConfigOpts:
    path = tmp_path / 'nova.conf'
    path.write_text(text, encoding='utf-8')
    conf = cfg.ConfigOpts()
    conf(['--config-file', str(path)], project='nova')
    return options.register(conf)


def test_defaults_are_those_of_the_newest_release(tmp_path: Path) -> None:
    settings = Settings.of(conf_of('', tmp_path))
    assert settings.driver == 'glance'
    assert settings.num_retries == 3
    assert settings.auth_strategy == 'keystone'
    assert settings.api_servers == ()
    assert settings.insecure is False


def test_time_limits_are_on_by_default(tmp_path: Path) -> None:
    settings = Settings.of(conf_of('', tmp_path))
    assert settings.connect_timeout == 10
    assert settings.first_byte_timeout == 60
    assert (settings.stall_bytes, settings.stall_timeout) == (65536, 60)
    assert settings.upload_answer_timeout == 600
    assert settings.metadata_timeout == 300


@pytest.mark.contract('C-290')
def test_the_newest_name_that_is_set_wins(tmp_path: Path) -> None:
    text = '[DEFAULT]\nglance_num_retries = 1\nglance_api_insecure = true\n'
    assert Settings.of(conf_of(text, tmp_path)).num_retries == 1
    assert Settings.of(conf_of(text, tmp_path)).insecure is True
    text += '[glance]\nnum_retries = 2\napi_insecure = false\n'
    assert Settings.of(conf_of(text, tmp_path)).num_retries == 2
    assert Settings.of(conf_of(text, tmp_path)).insecure is False


@pytest.mark.contract('C-292')
def test_server_list_precedence(tmp_path: Path) -> None:
    host = '[DEFAULT]\nglance_host = h\nglance_port = 1\nglance_protocol = https\n'
    assert Settings.of(conf_of(host, tmp_path)).api_servers == ('https://h:1',)
    old = host + 'glance_api_servers = a:1,https://b:2\n'
    assert Settings.of(conf_of(old, tmp_path)).api_servers == ('http://a:1', 'https://b:2')
    new = old + '[glance]\napi_servers = https://c/image\n'
    assert Settings.of(conf_of(new, tmp_path)).api_servers == ('https://c/image',)


@pytest.mark.contract('C-015')
def test_a_bare_ipv6_host_is_put_in_brackets(tmp_path: Path) -> None:
    conf = conf_of('[glance]\nhost = ::1\nport = 80\nprotocol = https\n', tmp_path)
    assert Settings.of(conf).host_url == 'https://[::1]:80'


@pytest.mark.contract('C-052')
def test_negative_retries_are_taken_as_none_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    conf = conf_of('[glance]\nnum_retries = -1\n', tmp_path)
    assert Settings.of(conf).num_retries == 0
    assert [record.levelname for record in caplog.records] == ['WARNING']


@pytest.mark.contract('C-013')
def test_options_are_read_at_call_time(tmp_path: Path) -> None:
    conf = conf_of('', tmp_path)
    conf.set_override('api_servers', ['http://one:1'], 'glance')
    assert Settings.of(conf).api_servers == ('http://one:1',)
    conf.set_override('api_servers', ['http://two:2'], 'glance')
    assert Settings.of(conf).api_servers == ('http://two:2',)


def test_the_environment_chooses_driver_and_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = conf_of('[image]\ndriver = glance\n', tmp_path)
    monkeypatch.setenv('NOVA_IMAGE_DRIVER', 'local')
    monkeypatch.setenv('NOVA_IMAGE_LOCAL_PATH', str(tmp_path))
    settings = Settings.of(conf)
    assert (settings.driver, settings.local_path) == ('local', str(tmp_path))


def test_options_registered_by_another_project_stay(tmp_path: Path) -> None:
    conf = cfg.ConfigOpts()
    theirs = cfg.IntOpt('num_retries', default=7, min=0)
    conf.register_opt(theirs, group='glance')
    conf([])
    assert Settings.of(conf).num_retries == 7
    options.register(conf)


def test_another_project_may_register_its_own_definition_later() -> None:
    conf = options.register(cfg.ConfigOpts())
    conf.register_opts([cfg.IntOpt('num_retries', default=7, min=0), cfg.StrOpt('service-type')], group='glance')
    conf([])
    assert conf.glance.num_retries == 7
    assert Settings.of(conf).num_retries == 7
    assert Settings.of(options.register(cfg.ConfigOpts())).num_retries == 3


def test_two_definitions_of_other_projects_still_clash() -> None:
    conf = options.register(cfg.ConfigOpts())
    conf.register_opt(cfg.IntOpt('mine', default=1), group='glance')
    with pytest.raises(cfg.DuplicateOptError):
        conf.register_opt(cfg.IntOpt('mine', default=2), group='glance')


def test_an_override_must_name_a_setting(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        Settings.of(conf_of('', tmp_path), retries=1)


def test_every_option_is_offered_to_the_config_generator() -> None:
    groups = {getattr(group, 'name', group) for group, _ in options.list_opts()}
    assert groups == {None, 'image', 'image_shadow', 'glance', 'api', 'ssl'}
    for _, opts in options.list_opts():
        assert all(opt.help for opt in opts)


@pytest.mark.parametrize('name', ['num_retries', 'port'])
def test_a_line_without_a_value_is_refused_by_name(name: str, tmp_path: Path) -> None:
    settings = Settings.of(conf_of(f'[glance]\n{name} =\n', tmp_path))
    with pytest.raises(ValueError, match=rf'\[glance\] {name} has no value'):
        getattr(settings, name)
