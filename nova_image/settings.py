# SPDX-License-Identifier: Apache-2.0
"""What the options come to: old and new names merged, the environment included.

:class:`Settings` merges the names by C-290 and C-292 and is read anew for each call (C-013).
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from oslo_config import cfg

from nova_image.options import register
from nova_image.references import without_user

LOG = logging.getLogger(__name__)

T = TypeVar('T')
UNLIMITED_S = 1e6  # as long as a socket's timeout may well be


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
        return _of_kind(kind, settings.conf.image[name] if value is None else value, 'image', name)

    return _Live(compute) if env else _Read(compute)


def _glance(name: str, kind: Callable[[Any], T]) -> _Read[T]:
    return _Read(lambda settings: _of_kind(kind, settings.conf.glance[name], 'glance', name))


def _of_kind(kind: Callable[[Any], T], value: Any, group: str, name: str) -> T:
    """:raises ValueError: a line with a name and no value, where a number is needed"""
    try:
        return kind(value)
    except TypeError:
        raise ValueError(f'[{group}] {name} has no value; give a number, or leave the line out') from None


def _shadow(name: str, kind: Callable[[Any], T]) -> _Read[T]:
    return _Read(lambda settings: kind(settings.conf.image_shadow[name]))


_HOST_NAMES = tuple(
    (group, prefix + name)
    for group, prefix in (('glance', ''), ('DEFAULT', 'glance_'))
    for name in ('host', 'port', 'protocol')
)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value or ())


def _limit(value: Any) -> float:
    """Seconds; 0 is no limit."""
    return float(value) or UNLIMITED_S


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
    connect_timeout = _image('connect_timeout', _limit)
    first_byte_timeout = _image('first_byte_timeout', _limit)
    stall_timeout = _image('stall_timeout', _limit)
    stall_bytes = _image('stall_bytes', int)
    upload_answer_timeout = _image('upload_answer_timeout', _limit)
    metadata_timeout = _image('metadata_timeout', _limit)
    longest_pause = _image('longest_pause', float)
    no_hash = _image('no_hash', str)

    shadow_control = _shadow('control', str)
    shadow_candidate = _shadow('candidate', _text)
    shadow_candidate_config = _shadow('candidate_config', _text)
    shadow_stages = _shadow('stages', _text)
    shadow_ledger = _shadow('ledger', _text)
    shadow_ledger_bytes = _shadow('ledger_bytes', int)
    shadow_sample = _shadow('sample', float)
    shadow_download_sample = _shadow('download_sample', float)
    shadow_download_bytes = _shadow('download_bytes', int)
    shadow_queue = _shadow('queue', int)
    shadow_timeout = _shadow('timeout', float)
    shadow_load = _shadow('load', float)

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
    port = _Read(
        lambda s: _of_kind(int, s.newest(('glance', 'port'), ('DEFAULT', 'glance_port')), 'glance', 'port')
    )
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

    @classmethod
    def of(cls, conf: cfg.ConfigOpts | None = None, **overrides: Any) -> Settings:
        """The settings of ``conf`` (default ``cfg.CONF``), its options registered first."""
        return cls(register(conf), **overrides)

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
            group, name = 'glance', 'num_retries'
        else:
            group, name = 'DEFAULT', 'glance_num_retries'
        retries = _of_kind(int, self.value(group, name), group, name)
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


__all__ = ['Settings', 'as_url', 'bracketed', 'current']
