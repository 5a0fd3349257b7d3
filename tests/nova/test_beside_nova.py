# SPDX-License-Identifier: Apache-2.0
"""Next to real Nova 34 in one process: options, errors, the swapped module, and Nova's own contexts.

Runs in the tox environment ``nova``, which installs the nova distribution beside this package. Each test
that imports Nova does so in a process of its own, since what is imported first is the point.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import pytest

pytestmark = pytest.mark.nova


def run(program: str, *arguments: str) -> str:
    """Run ``program`` in a fresh interpreter and give its output."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(program), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


OURS = 'import nova_image, legacy.glance; nova_image.API()'
THEIRS = 'import nova.conf, nova.exception, nova.image.glance'


@pytest.mark.parametrize('imports', [[OURS, THEIRS], [THEIRS, OURS]], ids=['ours first', 'nova first'])
def test_both_import_in_either_order_and_read_the_same_options(imports: list[str]) -> None:
    program = '\n'.join(imports) + textwrap.dedent("""
        from nova_image import options
        from nova_image.settings import Settings
        conf = nova.conf.CONF
        assert conf.glance.num_retries == 3 and conf.glance.api_servers is None, vars(conf.glance)
        conf.set_override('num_retries', 5, 'glance')
        conf.set_override('api_servers', ['http://here:1'], 'glance')
        settings = Settings.of()
        assert settings.num_retries == 5
        assert settings.api_servers == ('http://here:1',)
        assert settings.auth_strategy == conf.api.auth_strategy == 'keystone'
    """)
    run(program)


@pytest.mark.contract('C-300')
@pytest.mark.parametrize('imports', [[OURS, THEIRS], [THEIRS, OURS]], ids=['ours first', 'nova first'])
def test_every_error_of_ours_is_caught_by_novas_class_of_that_name(imports: list[str]) -> None:
    program = '\n'.join(imports) + textwrap.dedent("""
        import inspect
        import nova.exception
        from nova_image import errors
        seen = 0
        for name, cls in inspect.getmembers(errors, inspect.isclass):
            theirs = getattr(nova.exception, name, None)
            if not issubclass(cls, errors.NovaException) or theirs is None:
                continue
            try:
                raise cls('text')
            except theirs as caught:
                assert isinstance(caught, cls) and str(caught) == 'text'
                seen += 1
        print(seen)
    """)
    assert int(run(program)) >= 15


def test_install_swaps_the_module_for_unchanged_nova_code_and_uninstall_puts_it_back() -> None:
    run("""
        import nova.conf, nova.image.glance, nova.virt.images
        from nova.compute import api as compute_api
        import legacy
        original = nova.image.glance
        original_api = nova.virt.images.IMAGE_API

        replaced = legacy.install()
        import nova.image.glance as swapped
        from legacy import glance
        assert swapped is glance, swapped
        assert nova.virt.images.glance is glance
        assert compute_api.glance is glance
        assert any('nova.virt.images' in name for name in replaced), replaced

        legacy.uninstall()
        import nova.image.glance as back
        assert back is original
        assert nova.virt.images.glance is original
        assert compute_api.glance is original
        assert nova.virt.images.IMAGE_API is original_api
    """)


def test_novas_own_fetch_runs_on_the_swapped_module(tmp_path: Any) -> None:
    output = run(
        """
        import sys
        import legacy
        legacy.install()
        import nova.conf, nova.context
        from nova.virt import images
        from nova_image import options
        options.register(nova.conf.CONF)
        nova.conf.CONF([], project='nova', default_config_files=[])
        nova.conf.CONF.set_override('driver', 'local', 'image')
        nova.conf.CONF.set_override('local_path', sys.argv[1] + '/store', 'image')
        context = nova.context.RequestContext('u', 'p', auth_token='t', roles=['member'])
        from nova.image import glance
        image = glance.API().create(context, {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}, b'bytes')
        images.fetch(context, image['id'], sys.argv[1] + '/fetched')
        print(open(sys.argv[1] + '/fetched').read())
        from nova import exception
        try:
            images.fetch(context, 'ee0c7d4c-6f11-4f4b-a3a1-000000000000', sys.argv[1] + '/other')
        except exception.ImageNotFound:
            print('not found')
        """,
        str(tmp_path),
    )
    assert output.split() == ['bytes', 'not', 'found']


CONTEXT_PROGRAM = """
    import sys
    import nova.conf, nova.context
    from nova.image import glance as theirs
    import nova_image
    from legacy import glance
    url, auth_url, token, user, project, service_password = sys.argv[1:]
    conf = nova.conf.CONF
    conf([], project='nova', default_config_files=[])
    conf.set_override('api_servers', [url], 'glance')
    conf.set_override('send_service_user_token', True, 'service_user')
    from keystoneauth1 import loading
    loading.register_auth_conf_options(conf, 'service_user')
    conf.set_override('auth_type', 'password', 'service_user')
    loading.get_plugin_loader('password')
    conf.register_opts(loading.get_auth_plugin_conf_options('password'), 'service_user')
    for name, value in dict(auth_url=auth_url, username='nova', password=service_password, project_name='service',
                            user_domain_id='default', project_domain_id='default').items():
        conf.set_override(name, value, 'service_user')
    context = nova.context.RequestContext(
        user, project, auth_token=token, roles=['member'], global_request_id='req-11111111-2222-3333-4444-555555555555'
    )
    new = nova_image.API()
    made = new.create(context, {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}, b'bytes')
    assert new.get(context, made['id'])['owner'] == project, made
    service = glance.get_default_image_service()
    assert service.show(context, made['id'])['name'] == 'n'
    assert b''.join(service.download(context, made['id'])) == b'bytes'
    assert glance.API().delete(context, made['id']) is True
"""


@pytest.mark.contract('C-308', 'C-203', 'C-034')
def test_novas_context_works_on_both_paths_with_service_token_and_request_id(
    keystone_server: Any, glance_keystone: Any
) -> None:
    from nova_image.testing.keystone import PASSWORD

    identity = keystone_server.identity('member')
    glance_keystone.record()
    try:
        run(
            CONTEXT_PROGRAM, glance_keystone.url, keystone_server.auth_url, identity.token, identity.user_id,
            identity.project_id, PASSWORD,
        )  # fmt: skip
        exchanges = glance_keystone.exchanges(clear=True)
    finally:
        glance_keystone.record(False)
    assert len(exchanges) >= 6
    for exchange in exchanges:
        headers = {name.lower(): value for name, value in dict(exchange['headers']).items()}
        assert headers['x-openstack-request-id'] == 'req-11111111-2222-3333-4444-555555555555'
        assert headers['x-auth-token'] == identity.token
        assert headers['x-service-token']
