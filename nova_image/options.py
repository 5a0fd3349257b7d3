# SPDX-License-Identifier: Apache-2.0
"""Configuration: what is registered, and under which names.

Importing registers nothing (D-14). Old names are options of their own; what they come to together is
read by :class:`nova_image.settings.Settings`. A new option gets a line here and, if code reads it, a line there.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from typing import Any, cast

from oslo_config import cfg

LOG = logging.getLogger(__name__)

IMAGE_GROUP = cfg.OptGroup('image', title='The image API', help='Options of nova-image itself.')
SHADOW_GROUP = cfg.OptGroup('image_shadow', title='Shadowing', help='How [image] driver = shadow compares two drivers.')
GLANCE_GROUP = cfg.OptGroup('glance', title='Glance', help='How to reach the image service.')

IMAGE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        'driver',
        default='glance',
        help='Image driver: glance, local, shadow, or the name of an entry point.',
    ),
    cfg.StrOpt('local_path', help='Directory of the local driver; made on first use.'),
    cfg.StrOpt('recording', help='File that gets one JSON line for each image operation.'),
    cfg.ListOpt(
        'trusted_servers',
        default=[],
        help='Base URLs of image servers, beside the configured ones, that may be sent the token of a caller.',
    ),
    cfg.IntOpt(
        'page_size', default=1000, min=1, max=1000, help='Images asked for in one list request.'
    ),
    cfg.FloatOpt('connect_timeout', default=10, min=0, help='Seconds to wait for a connection; 0: no limit.'),
    cfg.FloatOpt(
        'first_byte_timeout', default=60, min=0, help='Seconds to wait for an answer to begin; 0: no limit.'
    ),
    cfg.FloatOpt(
        'stall_timeout', default=60, min=0, help='Seconds in which stall_bytes have to move; 0: no limit.'
    ),
    cfg.IntOpt(
        'stall_bytes', default=65536, min=1, help='Bytes that have to move in stall_timeout.'
    ),
    cfg.FloatOpt(
        'upload_answer_timeout',
        default=600,
        min=0,
        help='Seconds to wait for the answer after the last byte; 0: no limit.',
    ),
    cfg.FloatOpt(
        'metadata_timeout', default=300, min=0, help='Seconds a metadata call may take in all; 0: no limit.'
    ),
    cfg.FloatOpt(
        'longest_pause',
        default=60,
        min=0,
        help='Most seconds between two attempts. The first pause is one second, each later one up to twice as '
        'long as the one before, partly random; Retry-After is followed up to this limit.',
    ),
    cfg.StrOpt(
        'no_hash',
        default='warn',
        choices=['refuse', 'warn', 'accept'],
        help='What to do with a download whose image carries no hash.',
    ),
]

SHADOW_OPTS: list[cfg.Opt] = [
    cfg.StrOpt('control', default='glance', help='Driver that answers until an operation is promoted.'),
    cfg.StrOpt('candidate', help='Driver that is compared with it.'),
    cfg.StrOpt(
        'candidate_config',
        help='Configuration file of the candidate, all of its options; without one it has those of the control.',
    ),
    cfg.StrOpt('stages', help='File with the stage of each operation; without one, everything is compared.'),
    cfg.StrOpt('ledger', help='File that gets what was compared and found; several processes may share it.'),
    cfg.IntOpt('ledger_bytes', default=4 << 20, min=4096, help='Most bytes of the ledger; rare findings go first.'),
    cfg.FloatOpt('sample', default=1.0, min=0, max=1, help='Share of the calls, downloads aside, that is compared.'),
    cfg.FloatOpt('download_sample', default=0.01, min=0, max=1, help='Share of the downloads that is compared.'),
    cfg.IntOpt('download_bytes', default=64 << 20, min=0, help='Longer downloads are not compared.'),
    cfg.IntOpt('queue', default=32, min=1, help='Most calls that wait to be compared; what comes then is not.'),
    cfg.FloatOpt('timeout', default=30, min=0, help='Seconds for one call; then it counts as not answered.'),
    cfg.FloatOpt(
        'load', default=0.02, min=0.001, max=1, help='Most of one processor that comparing takes, per process.'
    ),
]

GLANCE_OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        'api_servers',
        help='Image servers; the first of the names for it that is looked at (C-292).',
    ),
    cfg.StrOpt('endpoint_override', help='One image server to use instead of the catalogue.'),
    cfg.StrOpt('host', help='Host of the image server; default $my_ip.'),
    cfg.PortOpt('port', help='Port of the image server; default 9292.'),
    cfg.StrOpt('protocol', help='http or https; default http.'),
    cfg.IntOpt('num_retries', default=3, help='Further attempts after a failed one; default 3.'),
    cfg.BoolOpt('insecure', default=False, help='Do not verify certificates.'),
    cfg.BoolOpt('api_insecure', default=False, help='Older name of insecure.'),
    cfg.StrOpt('cafile', help='Certificates of authorities to trust.'),
    cfg.StrOpt('certfile', help='Client certificate.'),
    cfg.StrOpt('keyfile', help='Key of the client certificate.'),
    cfg.StrOpt('service_type', default='image', help='Service type in the catalogue.'),
    cfg.ListOpt(
        'valid_interfaces',
        default=['internal', 'public'],
        help='Interfaces in order of preference.',
    ),
    cfg.StrOpt('region_name', help='Region in the catalogue.'),
    cfg.ListOpt(
        'allowed_direct_url_schemes',
        default=[],
        help='Schemes that may be fetched past the server.',
    ),
    cfg.BoolOpt('verify_glance_signatures', default=False, help='Verify image signatures.'),
    cfg.BoolOpt(
        'enable_certificate_validation', default=False, help='Validate signing certificates.'
    ),
    cfg.ListOpt(
        'default_trusted_certificate_ids', default=[], help='Certificates trusted by default.'
    ),
    cfg.BoolOpt('enable_rbd_download', default=False, help='Fetch from Ceph directly.'),
    cfg.BoolOpt(
        'use_glance_v1', default=False, help='Only in release 14: which old class the old factories return.'
    ),
    cfg.BoolOpt('debug', default=False, help='Debug logging of the client.'),
]

DEFAULT_OPTS: list[cfg.Opt] = [
    cfg.StrOpt('glance_host', default='$my_ip', help='Host of the image server (until 2014.1).'),
    # No range: the releases that read this name had none (contract e).
    cfg.IntOpt('glance_port', default=9292, help='Port of the image server (until 2014.1).'),
    cfg.StrOpt('glance_protocol', default='http', help='http or https (until 2014.1).'),
    cfg.ListOpt(
        'glance_api_servers',
        default=['$glance_host:$glance_port'],
        help='Image servers (until 2014.1).',
    ),
    cfg.BoolOpt(
        'glance_api_insecure', default=False, help='Do not verify certificates (until 2014.1).'
    ),
    cfg.IntOpt(
        'glance_num_retries', default=0, help='Further attempts after a failed one (until 2014.1).'
    ),
    cfg.ListOpt(
        'allowed_direct_url_schemes', default=[], help='Schemes fetched directly (until 2014.1).'
    ),
]

AUTH_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        'auth_strategy',
        default='keystone',
        help='keystone, or noauth for a server that needs no token.',
    )
]
SSL_OPTS: list[cfg.Opt] = [
    cfg.StrOpt('ca_file', help='Certificates of authorities to trust (2014.2 to 15).'),
    cfg.StrOpt('cert_file', help='Client certificate (2014.2 to 15).'),
    cfg.StrOpt('key_file', help='Key of the client certificate (2014.2 to 15).'),
]


def _my_ip() -> str:
    """The address of the default route; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))
            return str(probe.getsockname()[0])
        except OSError:
            return '127.0.0.1'


def _my_ip_opt() -> cfg.Opt:
    return cfg.StrOpt(
        'my_ip', default=_my_ip(), sample_default='<host_ip>', help='Address of this host.'
    )


def list_opts() -> list[tuple[cfg.OptGroup | str | None, list[cfg.Opt]]]:
    """All options by group, for oslo-config-generator."""
    return [
        (None, [*DEFAULT_OPTS, *AUTH_OPTS, _my_ip_opt()]),
        (IMAGE_GROUP, IMAGE_OPTS),
        (SHADOW_GROUP, SHADOW_OPTS),
        (GLANCE_GROUP, GLANCE_OPTS),
        ('api', AUTH_OPTS),
        ('ssl', SSL_OPTS),
    ]


def register(conf: cfg.ConfigOpts | None = None) -> cfg.ConfigOpts:
    """Register every option that ``conf`` does not have yet; what another project registered stays (D-14).

    :param conf: default: the process's ``cfg.CONF``
    """
    conf = cfg.CONF if conf is None else conf
    if not vars(conf).get('_nova_image_registered'):
        for group, opts in list_opts():
            _register_group(conf, group, opts)
        vars(conf)['_nova_image_registered'] = True
    return conf


def _register_group(
    conf: cfg.ConfigOpts, group: cfg.OptGroup | str | None, opts: Iterable[cfg.Opt]
) -> None:
    if isinstance(group, cfg.OptGroup):
        # A group of its own for each ConfigOpts: oslo.config copies ours shallowly, overrides and all.
        group = cfg.OptGroup(group.name, title=group.title, help=group.help)
    for opt in opts:
        try:
            conf.register_opt(_yielding(opt), group=group)
        except cfg.DuplicateOptError:
            LOG.debug('option %s is registered by somebody else and stays as it is', opt.name)


class _Yields:
    """An option that takes over the definition of whoever registers the same name later.

    oslo.config refuses a second, different definition; real Nova may be imported after us and has to
    find its own (D-14). The comparison is the only moment at which both are at hand.
    """

    dest: str

    def __ne__(self, other: object) -> bool:
        if not isinstance(other, cfg.Opt) or other.dest != self.dest:
            return True
        if not isinstance(other, _Yields):
            vars(self).update(vars(other))
        return False

    __hash__ = object.__hash__


_KINDS: dict[type[cfg.Opt], type[cfg.Opt]] = {}


def _yielding(opt: cfg.Opt) -> cfg.Opt:
    kind = type(opt)
    if kind not in _KINDS:
        _KINDS[kind] = type(kind.__name__, (_Yields, kind), {})
    mine: Any = object.__new__(_KINDS[kind])
    vars(mine).update(vars(opt))
    return cast('cfg.Opt', mine)


__all__ = ['list_opts', 'register']
