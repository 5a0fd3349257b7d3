# SPDX-License-Identifier: Apache-2.0
"""Which image option each Nova release had, under which name and with which default (contract section e).

Data only: ``legacy.config`` reads it. Source: ``config_history`` of tests/contract/surface.json, which a
test compares, and the contract for what the releases took from keystoneauth.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ['OPTIONS', 'RELEASES', 'SESSION_OPTIONS', 'Option', 'position']

#: Series in order; a release belongs to the last series that is not after it.
RELEASES = (
    '2012.2', '2013.1', '2013.2', '2014.1', '2014.2', '2015.1', '12', '13', '14', '15', '16', '17', '18', '19',
    '20', '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31', '32', '33', '34',
)  # fmt: skip


class Option(NamedTuple):
    """``setting`` is what it sets; ``first`` and ``last`` are series; ``default`` is that of these series."""

    setting: str
    group: str
    name: str
    first: str
    last: str
    default: Any = None


_ALIAS = '2014.2'  # the only series in which the old names were aliases of the new ones (C-290)

#: Newest name first within a setting: that is the order in which a release looked.
OPTIONS = (
    Option('api_servers', 'glance', 'api_servers', '2014.2', '34'),
    Option('api_servers', 'DEFAULT', 'glance_api_servers', '2012.2', _ALIAS),
    Option('host', 'glance', 'host', '2014.2', '13', '$my_ip'),
    Option('host', 'DEFAULT', 'glance_host', '2012.2', _ALIAS, '$my_ip'),
    Option('port', 'glance', 'port', '2014.2', '13', 9292),
    Option('port', 'DEFAULT', 'glance_port', '2012.2', _ALIAS, 9292),
    Option('protocol', 'glance', 'protocol', '2014.2', '13', 'http'),
    Option('protocol', 'DEFAULT', 'glance_protocol', '2013.1', _ALIAS, 'http'),
    Option('insecure', 'glance', 'insecure', '16', '34', False),
    Option('insecure', 'glance', 'api_insecure', '2014.2', '34', False),
    Option('insecure', 'DEFAULT', 'glance_api_insecure', '2012.2', _ALIAS, False),
    Option('num_retries', 'glance', 'num_retries', '2014.2', '34', 0),
    Option('num_retries', 'DEFAULT', 'glance_num_retries', '2012.2', _ALIAS, 0),
    Option('auth_strategy', 'api', 'auth_strategy', '16', '34', 'keystone'),
    Option('auth_strategy', 'DEFAULT', 'auth_strategy', '2012.2', '16', 'noauth'),
    Option('cafile', 'glance', 'cafile', '16', '34'),
    Option('cafile', 'ssl', 'ca_file', '2014.2', '34'),
    Option('certfile', 'glance', 'certfile', '16', '34'),
    Option('certfile', 'ssl', 'cert_file', '2014.2', '34'),
    Option('keyfile', 'glance', 'keyfile', '16', '34'),
    Option('keyfile', 'ssl', 'key_file', '2014.2', '34'),
    Option('allowed_direct_url_schemes', 'glance', 'allowed_direct_url_schemes', '2014.2', '22'),
    Option('allowed_direct_url_schemes', 'DEFAULT', 'allowed_direct_url_schemes', '2013.1', _ALIAS),
    Option('verify_glance_signatures', 'glance', 'verify_glance_signatures', '13', '34', False),
    Option('enable_certificate_validation', 'glance', 'enable_certificate_validation', '16', '34', False),
    Option('default_trusted_certificate_ids', 'glance', 'default_trusted_certificate_ids', '16', '34'),
    Option('enable_rbd_download', 'glance', 'enable_rbd_download', '22', '34', False),
    Option('rbd_user', 'glance', 'rbd_user', '22', '34', ''),
    Option('rbd_pool', 'glance', 'rbd_pool', '22', '34', ''),
    Option('rbd_ceph_conf', 'glance', 'rbd_ceph_conf', '22', '34', ''),
    Option('rbd_connect_timeout', 'glance', 'rbd_connect_timeout', '22', '34', 5),
    Option('use_glance_v1', 'glance', 'use_glance_v1', '14', '14', False),
    Option('debug', 'glance', 'debug', '14', '34', False),
    Option('service_type', 'glance', 'service_type', '17', '34', 'image'),
    Option('valid_interfaces', 'glance', 'valid_interfaces', '17', '34'),
    Option('region_name', 'glance', 'region_name', '17', '34'),
    Option('endpoint_override', 'glance', 'endpoint_override', '17', '34'),
)

#: What keystoneauth added to the group from 16 and 17 on and has no counterpart here, with the reason.
SESSION_OPTIONS = {
    'timeout': 'every kind of wait has a limit of its own here: see the [image] *_timeout options',
    'collect_timing': 'no timing is collected',
    'split_loggers': 'the client logs to its own loggers',
    'service_name': 'the catalogue is searched by service_type',
    'min_version': 'only Glance v2 is spoken',
    'max_version': 'only Glance v2 is spoken',
    'connect_retries': 'num_retries covers connecting',
    'connect_retry_delay': 'num_retries covers connecting',
    'status_code_retries': 'num_retries covers refused requests',
    'status_code_retry_delay': 'num_retries covers refused requests',
    'retriable_status_codes': 'which answers are retried depends on the request',
}


def position(release: str) -> int:
    """Where a release stands in the order of series.

    :raises ValueError: no release of Nova since 2012.2
    """
    text = release.removeprefix('v')
    best = -1
    for index, series in enumerate(RELEASES):
        if text == series or text.startswith(series + '.'):
            best = index
    if best < 0:
        raise ValueError(
            f'release {release!r} is not known; expected one from {RELEASES[0]} to {RELEASES[-1]}, like 2014.1 or 16'
        )
    return best
