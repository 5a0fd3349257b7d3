# SPDX-License-Identifier: Apache-2.0
"""``nova-image config OLD.conf --release R``: the image settings of an old nova.conf, as this package reads them.

Tells what that release would have used (C-290 to C-292), prints the equivalent, names what no longer
means anything, and exits 1 when something cannot be carried over.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from legacy.config_history import OPTIONS, SESSION_OPTIONS, Option, position

__all__ = ['Carried', 'carry', 'main']

_LISTS = ('api_servers', 'allowed_direct_url_schemes', 'default_trusted_certificate_ids', 'valid_interfaces')
_FLAGS = (
    'insecure',
    'verify_glance_signatures',
    'enable_certificate_validation',
    'enable_rbd_download',
    'use_glance_v1',
    'debug',
)
_NOT_BUILT = {
    'enable_rbd_download': 'images are not fetched from Ceph by this release of nova-image; a download would raise',
}
_TAKEN_OVER = {'host': 'api_servers', 'port': 'api_servers', 'protocol': 'api_servers'}

Sections = dict[str, dict[str, list[str]]]


@dataclass
class Carried:
    """``settings``: (group, name) -> text to write; ``notes``: what changed meaning; ``dropped``: what means
    nothing any more; ``lost``: what cannot be carried over; each of these a line for a reader."""

    settings: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def carry(sections: Sections, release: str) -> Carried:
    """Carry the image settings of a parsed nova.conf over.

    :param sections: group -> name -> values as they stand in the file
    :param release: the Nova release the file was written for
    :raises ValueError: an unknown release, or a value that is not of its option's kind
    """
    return _Carrier(sections, position(release), release).run()


class _Carrier:
    def __init__(self, sections: Sections, at: int, release: str) -> None:
        self.sections = sections
        self.at = at
        self.release = release
        self.out = Carried()

    def run(self) -> Carried:
        self._servers()
        self.out.settings['glance', 'num_retries'] = str(self._retries())
        self.out.settings['api', 'auth_strategy'] = self._auth_strategy()
        for setting in dict.fromkeys(option.setting for option in OPTIONS):
            if setting not in (*_TAKEN_OVER, 'api_servers', 'num_retries', 'auth_strategy'):
                self._plain(setting)
        self._file_systems()
        self._strangers()
        return self.out

    def _known(self, option: Option) -> bool:
        return position(option.first) <= self.at <= position(option.last)

    def _given(self, setting: str) -> str | None:
        """The value that the release would have used, None if nothing was set."""
        for option in OPTIONS:
            if option.setting == setting and self._known(option):
                values = self.sections.get(option.group, {}).get(option.name)
                if values:
                    return values[-1]
        return None

    def _default(self, setting: str) -> Any:
        known = [option for option in OPTIONS if option.setting == setting and self._known(option)]
        return known[-1].default if known else None

    def _has(self, setting: str) -> bool:
        return any(option.setting == setting and self._known(option) for option in OPTIONS)

    def _servers(self) -> None:
        listed = self._given('api_servers')
        if listed is not None:
            self.out.settings['glance', 'api_servers'] = ','.join(_split(listed))
            for name in ('host', 'port', 'protocol'):
                if self._given(name) is not None:
                    self.out.notes.append(f'{name} made only generated URLs beside a server list; requests went to the list')
            return
        if not self._has('host'):
            return  # 14 and later: the catalogue, or endpoint_override, decides
        host, port, protocol = (self._given(name) or self._default(name) for name in ('host', 'port', 'protocol'))
        protocol = protocol or 'http'  # 2012.2 had no such option
        if protocol == 'https' and self.at < position('13'):
            self.out.notes.append(
                f'release {self.release} sent requests to http://{host}:{port} in spite of protocol https; '
                'here the protocol is honoured'
            )
        if host == '$my_ip':
            host = self.sections.get('DEFAULT', {}).get('my_ip', ['$my_ip'])[-1]
        if ':' in host and not host.startswith('['):
            host = f'[{host}]'
        self.out.settings['glance', 'api_servers'] = f'{protocol}://{host}:{_number("port", port)}'

    def _retries(self) -> int:
        given = self._given('num_retries')
        default = 3 if self.at >= position('22') else 0
        retries = default if given is None else _number('num_retries', given)
        if retries < 0:
            self.out.notes.append(f'num_retries {retries} is taken as 0; no attempt was made before 12')
            return 0
        return retries

    def _auth_strategy(self) -> str:
        given = self._given('auth_strategy')
        if self.at >= position('13'):
            if given not in (None, 'keystone'):
                self.out.notes.append(
                    f'auth_strategy {given} was not looked at for images since 13: a token was always sent; '
                    'here it means that none is'
                )
            return given or 'keystone'
        return given or ('keystone' if self.at >= position('2014.2') else 'noauth')

    def _plain(self, setting: str) -> None:
        given = self._given(setting)
        if given is None:
            return
        if setting in _FLAGS:
            value = _flag(setting, given)
            if setting in _NOT_BUILT and value:
                self.out.lost.append(f'{setting}: {_NOT_BUILT[setting]}')
                return
            if setting in ('verify_glance_signatures', 'enable_certificate_validation') and value:
                self.out.notes.append(f'{setting}: needs pip install nova-image[signatures]')
            given = str(value)
        if setting == 'use_glance_v1':
            self.out.dropped.append('use_glance_v1: only Glance v2 is spoken; old calls are translated')
        elif setting.startswith('rbd_'):
            self.out.dropped.append(f'{setting}: only read with enable_rbd_download')
        elif setting in _LISTS:
            self.out.settings['glance', setting] = ','.join(_split(given))
        else:
            self.out.settings['glance', setting] = given

    def _file_systems(self) -> None:
        """``[image_file_url]`` and its groups, read by the file transfer until 15 (C-150)."""
        for group in sorted(self.sections):
            if group == 'image_file_url' or group.startswith('image_file_url:'):
                if not position('2013.2') <= self.at <= position('15'):
                    self.out.dropped.append(f'[{group}]: not read by release {self.release}')
                    continue
                for name, values in self.sections[group].items():
                    self.out.settings[group, name] = values[-1]

    def _strangers(self) -> None:
        """Set options that the release did not know, or that nothing here stands for."""
        set_here = [(group, name) for group, names in sorted(self.sections.items()) for name in names]
        for group, name in set_here:
            options = [option for option in OPTIONS if (option.group, option.name) == (group, name)]
            if options and not any(self._known(option) for option in options):
                self.out.dropped.append(f'[{group}] {name}: not read by release {self.release}')
            elif group == 'glance' and not options:
                if name in SESSION_OPTIONS:
                    self.out.dropped.append(f'[glance] {name}: {SESSION_OPTIONS[name]}')
                else:
                    self.out.lost.append(f'[glance] {name}: not known here; look up what it did and set its counterpart')


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(',') if part.strip()]


def _flag(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word in ('true', '1', 'yes', 'on'):
        return True
    if word in ('false', '0', 'no', 'off'):
        return False
    raise ValueError(f'option {name} is {text!r}, expected true or false')


def _read(path: Path) -> Sections:
    from oslo_config import cfg

    sections: Sections = {}
    cfg.ConfigParser(str(path), sections).parse()
    return sections


def _text(carried: Carried, release: str) -> str:
    lines = [f'# Image settings of a Nova {release} configuration, for nova-image.']
    lines += [f'# note: {note}' for note in carried.notes]
    group = None
    for (each, name), value in sorted(carried.settings.items()):
        if each != group:
            group = each
            lines += ['', f'[{group}]']
        lines.append(f'{name} = {value}')
    lines += ['', *(f'# means nothing any more: {entry}' for entry in carried.dropped)] if carried.dropped else []
    lines += ['', *(f'# CANNOT be carried over: {entry}' for entry in carried.lost)] if carried.lost else []
    return '\n'.join(lines)


def _number(name: str, text: Any) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'{name} is {text!r}, expected a whole number') from None


def main(argv: list[str]) -> int:
    """The command line; 0 all carried over, 1 something is lost, 2 the file or release cannot be read."""
    parser = argparse.ArgumentParser(prog='nova-image config', description=__doc__)
    parser.add_argument('path', type=Path, metavar='OLD.conf')
    parser.add_argument('--release', required=True, help='Nova release the file was written for, like 2014.1 or 16')
    asked = parser.parse_args(argv)
    from oslo_config import iniparser

    try:
        carried = carry(_read(asked.path), asked.release)
    except (OSError, ValueError, iniparser.ParseError) as exc:
        print(f'nova-image config: {asked.path}: {exc}', file=sys.stderr)
        return 2
    print(_text(carried, asked.release))
    return 1 if carried.lost else 0
