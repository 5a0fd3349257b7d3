# SPDX-License-Identifier: Apache-2.0
"""Server and image URLs as 13 and later configured them."""

from __future__ import annotations

from typing import Any

import pytest

from legacy import glance

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')


@pytest.mark.contract('C-017')
def test_urls_come_from_host_port_and_protocol_of_the_group_too(conf: Any) -> None:
    given = {'host': 'h', 'port': 1, 'protocol': 'https'}
    for name, value in given.items():
        conf.set_override(name, value, group='glance')
    try:
        assert glance.generate_glance_url() == 'https://h:1'
        assert glance.generate_image_url('x') == 'https://h:1/images/x'
        conf.set_override('api_servers', ['http://a:1'], group='glance')
        assert glance.generate_glance_url() == 'https://h:1'
    finally:
        for name in given:
            conf.clear_override(name, group='glance')


@pytest.mark.contract('C-017', 'C-322')
def test_without_a_host_the_url_is_a_configured_server_and_the_image_url_builds_on_it(
    conf: Any, ctx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf.set_override('api_servers', ['http://a:1', 'http://b:2'], group='glance')
    assert glance.generate_glance_url() in ('http://a:1', 'http://b:2')
    assert glance.generate_glance_url(ctx) in ('http://a:1', 'http://b:2')
    assert glance.generate_image_url('x') == f'{glance.generate_glance_url()}/images/x'
    monkeypatch.setattr(glance, 'generate_glance_url', lambda *args: f'http://replaced{len(args)}')
    assert glance.generate_image_url('x') == 'http://replaced0/images/x'
    assert glance.generate_image_url('x', ctx) == 'http://replaced1/images/x'
