# SPDX-License-Identifier: Apache-2.0
"""Configuration: what is registered, under which names, and what it comes to.

Importing registers nothing (D-14). Old names are options of their own; :class:`Settings` merges them
by C-290 and C-292 and is read anew for each call (C-013). A new option gets a line here and, if code
reads it, a line in Settings.
"""

from __future__ import annotations

import copy
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast, overload

from oslo_config import cfg

from nova_image.references import without_user

LOG = logging.getLogger(__name__)

T = TypeVar('T')

IMAGE_GROUP = cfg.OptGroup('image', title='The image API', help='Options of nova-image itself.')
GLANCE_GROUP = cfg.OptGroup('glance', title='Glance', help='How to reach the image service.')

IMAGE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        'driver',
        default='glance',
        help='Image driver: glance, local, or the name of an entry point.',
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
    cfg.FloatOpt('connect_timeout', default=10, min=0, help='Seconds to wait for a connection.'),
    cfg.FloatOpt(
        'first_byte_timeout', default=60, min=0, help='Seconds to wait for a transfer to begin.'
    ),
    cfg.FloatOpt(
        'stall_timeout', default=60, min=0, help='Seconds in which stall_bytes have to move.'
    ),
    cfg.IntOpt(
        'stall_bytes', default=65536, min=1, help='Bytes that have to move in stall_timeout.'
    ),
    cfg.FloatOpt(
        'upload_answer_timeout',
        default=600,
        min=0,
        help='Seconds to wait for the answer after the last byte.',
    ),
    cfg.FloatOpt(
        'metadata_timeout', default=300, min=0, help='Seconds a metadata call may take in all.'
    ),
    cfg.StrOpt(
        'no_hash',
        default='warn',
        choices=['refuse', 'warn', 'accept'],
        help='What to do with a download whose image carries no hash.',
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


def _yielding(opt: cfg.Opt) -> cfg.Opt:
    mine: Any = copy.copy(opt)
    mine.__class__ = type(type(opt).__name__, (_Yields, type(opt)), {})
    return cast('cfg.Opt', mine)


class _Read(Generic[T]):
    """A setting: computed at first access, then a plain attribute of the instance."""

    def __init__(self, compute: Callable[[Settings], T]) -> None:
        self._compute = compute

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> _Read[T]: ...
    @overload
    def __get__(self, instance: Settings, owner: type) -> T: ...
    def __get__(self, instance: Settings | None, owner: type) -> T | _Read[T]:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value


class _Live(_Read[T]):
    """A setting that is computed at each access: the environment may change at any time."""

    def __get__(self, instance: Settings | None, owner: type) -> Any:
        return self if instance is None else self._compute(instance)


def _image(name: str, kind: Callable[[Any], T], env: str | None = None) -> _Read[T]:
    def compute(settings: Settings) -> T:
        value = os.environ.get(env) if env else None
        return kind(settings.conf.image[name] if value is None else value)

    return _Live(compute) if env else _Read(compute)


def _glance(name: str, kind: Callable[[Any], T]) -> _Read[T]:
    return _Read(lambda settings: kind(settings.conf.glance[name]))


_HOST_NAMES = tuple(
    (group, prefix + name)
    for group, prefix in (('glance', ''), ('DEFAULT', 'glance_'))
    for name in ('host', 'port', 'protocol')
)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value or ())


class Settings:
    """What the options come to, read from ``conf`` at first access of each attribute.

    Make one per call. Keyword arguments override single settings.

    :raises AttributeError: an override names no setting
    """

    def __init__(self, conf: cfg.ConfigOpts, **overrides: Any) -> None:
        self.conf = conf
        for name, value in overrides.items():
            getattr(type(self), name)
            self.__dict__[name] = value

    driver = _image('driver', str, 'NOVA_IMAGE_DRIVER')
    local_path = _image('local_path', _text, 'NOVA_IMAGE_LOCAL_PATH')
    recording = _image('recording', _text, 'NOVA_IMAGE_RECORDING')
    trusted_servers = _image('trusted_servers', _texts)
    page_size = _image('page_size', int)
    connect_timeout = _image('connect_timeout', float)
    first_byte_timeout = _image('first_byte_timeout', float)
    stall_timeout = _image('stall_timeout', float)
    stall_bytes = _image('stall_bytes', int)
    upload_answer_timeout = _image('upload_answer_timeout', float)
    metadata_timeout = _image('metadata_timeout', float)
    no_hash = _image('no_hash', str)

    service_type = _glance('service_type', str)
    valid_interfaces = _glance('valid_interfaces', _texts)
    region_name = _glance('region_name', _text)
    enable_certificate_validation = _glance('enable_certificate_validation', bool)
    default_trusted_certificate_ids = _glance('default_trusted_certificate_ids', _texts)
    enable_rbd_download = _glance('enable_rbd_download', bool)

    auth_strategy = _Read(
        lambda s: str(
            os.environ.get('NOVA_IMAGE_AUTH_STRATEGY')
            or s.newest(('api', 'auth_strategy'), ('DEFAULT', 'auth_strategy'))
        )
    )
    host = _Read(lambda s: str(s.newest(('glance', 'host'), ('DEFAULT', 'glance_host'))))
    port = _Read(lambda s: int(s.newest(('glance', 'port'), ('DEFAULT', 'glance_port'))))
    protocol = _Read(
        lambda s: str(s.newest(('glance', 'protocol'), ('DEFAULT', 'glance_protocol')))
    )
    insecure = _Read(
        lambda s: bool(
            s.newest(
                ('glance', 'insecure'),
                ('glance', 'api_insecure'),
                ('DEFAULT', 'glance_api_insecure'),
            )
        )
    )
    cafile = _Read(lambda s: _text(s.newest(('glance', 'cafile'), ('ssl', 'ca_file'))))
    certfile = _Read(lambda s: _text(s.newest(('glance', 'certfile'), ('ssl', 'cert_file'))))
    keyfile = _Read(lambda s: _text(s.newest(('glance', 'keyfile'), ('ssl', 'key_file'))))
    allowed_direct_url_schemes = _Read(
        lambda s: _texts(
            s.newest(
                ('glance', 'allowed_direct_url_schemes'), ('DEFAULT', 'allowed_direct_url_schemes')
            )
        )
    )
    # The second pair has every image verified, too; either option of it alone does nothing (C-304).
    verifies_signatures = _Read(
        lambda s: bool(
            s.conf.glance.verify_glance_signatures
            or (s.conf.glance.enable_certificate_validation and s.conf.glance.default_trusted_certificate_ids)
        )
    )
    num_retries = _Read(lambda s: s._num_retries())
    api_servers = _Read(lambda s: s._api_servers())
    host_url = _Read(lambda s: s._host_url())
    is_host_set = _Read(lambda s: any(s.is_set(*name) for name in _HOST_NAMES))

    def is_set(self, group: str, name: str) -> bool:
        """Whether somebody set the option, in a file, by override, default override or environment."""
        place = None if group == 'DEFAULT' else group
        try:
            where = self.conf.get_location(name, place)
            if where is not None and where.location is cfg.Locations.set_override:
                # oslo.config goes on saying so after clear_override; what is there tells.
                return 'override' in self.conf._get_opt_info(name, place)
        except (cfg.NoSuchOptError, cfg.NoSuchGroupError):
            return False
        return where is not None and where.location is not cfg.Locations.opt_default

    def value(self, group: str, name: str) -> Any:
        """The option's value; None where nobody has registered it."""
        try:
            return self.conf[name] if group == 'DEFAULT' else self.conf[group][name]
        except (cfg.NoSuchOptError, cfg.NoSuchGroupError, KeyError):
            return None

    def newest(self, *names: tuple[str, str]) -> Any:
        """The first of the names that is set; else the last one's default (C-290)."""
        for group, name in names:
            if self.is_set(group, name):
                return self.value(group, name)
        return self.value(*names[-1])

    def _num_retries(self) -> int:
        if self.is_set('glance', 'num_retries') or not self.is_set('DEFAULT', 'glance_num_retries'):
            # 3, unless somebody else registered it with another default (D-13)
            retries = int(self.value('glance', 'num_retries'))
        else:
            retries = int(self.value('DEFAULT', 'glance_num_retries'))
        if retries < 0:
            LOG.warning('num_retries is %s, which is below 0; taken as 0', retries)  # C-052
            return 0
        return retries

    def _api_servers(self) -> tuple[str, ...]:
        """Configured servers as base URLs in configured order; empty: use the catalogue (C-292)."""
        if os.environ.get('NOVA_IMAGE_API_SERVERS'):
            return tuple(as_url(entry) for entry in os.environ['NOVA_IMAGE_API_SERVERS'].split(','))
        if self.is_set('glance', 'api_servers') and self.value('glance', 'api_servers'):
            return tuple(as_url(entry) for entry in self.value('glance', 'api_servers'))
        if self.is_set('DEFAULT', 'glance_api_servers'):
            return tuple(as_url(entry) for entry in self.value('DEFAULT', 'glance_api_servers'))
        if self.is_set('glance', 'endpoint_override') and self.value('glance', 'endpoint_override'):
            return (as_url(self.value('glance', 'endpoint_override')),)
        if self.is_host_set:
            return (self.host_url,)
        return ()

    def _host_url(self) -> str:
        """``protocol://host:port``, IPv6 hosts in brackets (C-014, C-015)."""
        return f'{self.protocol}://{bracketed(self.host)}:{self.port}'


def bracketed(host: str) -> str:
    """A host as it stands in a URL: a bare IPv6 address in brackets, anything else as it is (C-015)."""
    try:
        return f'[{host}]' if ipaddress.IPv6Address(host).scope_id is None else host
    except ValueError:
        return host


def as_url(entry: str) -> str:
    """A server entry as a base URL: ``http://`` where no scheme is given, no user, no trailing slash (C-037)."""
    entry = str(entry).strip()
    url = entry if '//' in entry else f'http://{entry}'
    return url if url.endswith('://') else without_user(url).rstrip('/')


_KEPT = (None, 'nova-image settings')


def current(conf: cfg.ConfigOpts) -> Settings:
    """The settings of this moment, for one call.

    Reading two dozen options costs as much as a third of a request. So they are kept where oslo.config
    keeps the values it has read itself, which it forgets whenever an option changes (C-013).
    """
    kept = getattr(conf, '_ConfigOpts__cache', None)
    if kept is None:
        return Settings(conf)
    found = kept.get(_KEPT)
    if found is None:
        found = kept[_KEPT] = Settings(conf)
    return found  # type: ignore[no-any-return]


def settings(conf: cfg.ConfigOpts | None = None, **overrides: Any) -> Settings:
    """The settings of ``conf`` (default ``cfg.CONF``), for one call."""
    return Settings(register(conf), **overrides)


__all__ = ['Settings', 'as_url', 'bracketed', 'current', 'list_opts', 'register', 'settings']
