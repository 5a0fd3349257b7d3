# SPDX-License-Identifier: Apache-2.0
"""What a run is asked to do: patterns to take or to leave, paths to pass over, and where settings are read.

Settings stand in a section ``nova-image`` of ``tox.ini`` or ``setup.cfg``, or in ``[tool.nova-image]`` of
``pyproject.toml``; the first file that has one counts. The command line wins.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEYS = ('select', 'ignore', 'exclude')
#: What a file contains, however broken, that was to have settings.
_OURS = b'nova-image'


class BadSettings(ValueError):
    """A setting that cannot be used; the text says where and what was expected."""


@dataclass(frozen=True)
class Options:
    """Choices of one run.

    :ivar select: patterns to rewrite (all if empty); ``ignore``: patterns to leave. A group is rewritten only
        if all its patterns are wanted, so that no group is split
    :ivar exclude: patterns of relative paths to pass over
    :ivar tests: move doubles of tests together with what they stand for (P-48, P-50)
    :ivar errors: move ``nova.exception`` image classes to ``nova_image.errors`` (P-46)
    :ivar api: move imports of upstream's own later image API (P-56)
    :ivar jobs: processes that work at the same time; 0 by cores and size. The answer is the same for any number
    """

    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = ()
    tests: bool = False
    errors: bool = False
    api: bool = False
    jobs: int = 1

    def wants(self, pattern: str) -> bool:
        """Whether sites of a pattern may be rewritten."""
        return pattern not in self.ignore and (not self.select or pattern in self.select)


def codes(text: str, where: str) -> frozenset[str]:
    """Pattern numbers of a list separated by commas or blanks.

    :raises BadSettings: one of them is no pattern number
    """
    found = [each for each in re.split(r'[\s,]+', text) if each]
    for each in found:
        if not re.fullmatch(r'P-(?:0[1-9]|[1-5]\d|6[01])', each):
            raise BadSettings(f'{where}: {each!r} is no pattern; they are P-01 to P-61, as scan shows them')
    return frozenset(found)


def load(folder: Path, given: dict[str, str | None]) -> Options:
    """Options of the command line over those of the settings in ``folder``.

    :raises BadSettings: a setting has an unknown name or value, or its file cannot be read
    """
    where, settings = read(folder)
    for name in settings:
        if name not in KEYS:
            raise BadSettings(f'{where}: unknown setting {name!r}; known are {", ".join(KEYS)}')
    text = {name: given.get(name) for name in KEYS}
    origin = {name: f'--{name}' if text[name] is not None else f'{where}: {name}' for name in KEYS}
    merged = {name: text[name] if text[name] is not None else settings.get(name, '') for name in KEYS}
    return Options(
        codes(merged['select'] or '', origin['select']),
        codes(merged['ignore'] or '', origin['ignore']),
        tuple(each for each in re.split(r'[\s,]+', merged['exclude'] or '') if each),
    )


def read(folder: Path) -> tuple[str, dict[str, str]]:
    """The file with settings and what stands in it; empty if there is none."""
    for name in ('tox.ini', 'setup.cfg'):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            with open(folder / name, encoding='utf-8') as stream:
                parser.read_file(stream)
        except FileNotFoundError:
            continue
        except (configparser.Error, UnicodeError) as err:
            if _OURS in (folder / name).read_bytes():
                raise BadSettings(f'{name} cannot be read: {" ".join(str(err).split())}') from err
            continue  # without a word of us it is not ours to judge
        if parser.has_section('nova-image'):
            return name, dict(parser['nova-image'])
    import tomllib

    try:
        data = (folder / 'pyproject.toml').read_bytes()
        tool = tomllib.loads(data.decode()).get('tool')
    except FileNotFoundError:
        return '', {}
    except ValueError as err:
        if _OURS in data:
            raise BadSettings(f'pyproject.toml cannot be read: {err}') from err
        return '', {}
    section: Any = tool.get('nova-image') if isinstance(tool, dict) else None
    if section is None:
        return '', {}
    if not isinstance(section, dict):
        raise BadSettings(f'pyproject.toml: tool.nova-image is {section!r}, expected a table')
    return 'pyproject.toml', {name: _listed(name, value) for name, value in section.items()}


def _listed(name: str, value: Any) -> str:
    """A text or a list of texts of ``pyproject.toml``, as the other files have it."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in texts):
        raise BadSettings(f'pyproject.toml: {name} is {value!r}, expected a text or a list of texts')
    return ','.join(texts)
