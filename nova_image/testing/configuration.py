# SPDX-License-Identifier: Apache-2.0
"""Configuration objects for tests, apart from the process's ``cfg.CONF`` and from any file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from nova_image import options

if TYPE_CHECKING:
    from nova_image.testing.servers import GlanceServer


def make_conf(**overrides: Any) -> cfg.ConfigOpts:
    """Give options of their own, read from nowhere.

    :param overrides: by ``<group>__<option>``, as in ``glance__num_retries=0``
    """
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    for name, value in overrides.items():
        group, _, option = name.partition('__')
        conf.set_override(option, value, group=None if group == 'DEFAULT' else group)
    return conf


def glance_conf(server: GlanceServer, **overrides: Any) -> cfg.ConfigOpts:
    """Give the options that lead the Glance driver to ``server``; failures are not retried."""
    settings: dict[str, Any] = {
        'image__driver': 'glance',
        'api__auth_strategy': 'noauth' if server.mode == 'noauth' else 'keystone',
        'glance__api_servers': [server.url],
        'glance__num_retries': 0,
    }
    return make_conf(**{**settings, **overrides})


def local_conf(
    path: str | os.PathLike[str], *, auth_strategy: str = 'keystone', **overrides: Any
) -> cfg.ConfigOpts:
    """Give the options of a local store in the directory ``path``."""
    settings: dict[str, Any] = {
        'image__driver': 'local',
        'image__local_path': os.fspath(path),
        'api__auth_strategy': auth_strategy,
    }
    return make_conf(**{**settings, **overrides})
