# SPDX-License-Identifier: Apache-2.0
"""Who answers which operation: one small file that a person edits, read again when it changes.

A line is ``OPERATION = STAGE [SHARE]``: ``off`` (the control alone), ``compare`` (the control answers, the
candidate is compared), ``candidate`` (the other way round); SHARE is the part of the calls that is compared.
What cannot be understood is off, so that a slip of the pen never has the candidate answer.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

LOG = logging.getLogger(__name__)

READS = ('list', 'show', 'download', 'glance_url')
WRITES = ('create', 'update', 'delete', 'copy_to_store')
OPERATIONS = (*READS, *WRITES)
#: Seconds in which a change of the file takes effect.
LOOK_AGAIN_S = 1.0

_LINE = re.compile(r'\s*(?P<op>\w+)\s*[=:]\s*(?P<stage>\w+)(?:\s+(?P<share>[0-9.]+))?\s*(?:#.*)?')


class Stage(Enum):
    """How far an operation has come."""

    OFF = 'off'
    COMPARE = 'compare'
    CANDIDATE = 'candidate'


class Rule(NamedTuple):
    """What holds for one operation; ``share`` None: what the options say."""

    stage: Stage
    share: float | None = None


USUAL = Rule(Stage.COMPARE)
OFF = Rule(Stage.OFF)


def parsed(lines: Iterable[str]) -> tuple[dict[str, Rule], list[str]]:
    """The rules of the lines, and what is wrong with them."""
    rules: dict[str, Rule] = {}
    wrong = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith('#'):
            continue
        found = _LINE.fullmatch(line.rstrip('\n'))
        op = found['op'] if found else next(iter(re.findall(r'\w+', line)), '')
        if op not in OPERATIONS:
            wrong.append(f'line {number} names no operation ({", ".join(OPERATIONS)}): {line.strip()!r}')
        elif found is None or op in rules or _rule(found['stage'], found['share']) is None:
            why = 'a second line for it' if op in rules else 'expected "off", "compare" or "candidate", and a share'
            wrong.append(f'line {number}, so {op} is off: {why}: {line.strip()!r}')
            rules[op] = OFF
        else:
            rules[op] = _rule(found['stage'], found['share']) or OFF
    return rules, wrong


def _rule(stage: str, share: str | None) -> Rule | None:
    try:
        rule = Rule(Stage(stage.lower()), None if share is None else float(share))
    except ValueError:
        return None
    return rule if rule.share is None or 0 <= rule.share <= 1 else None


class Stages:
    """The rules in force; costs next to nothing to ask."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._rules: Mapping[str, Rule] = {}
        self._usual = USUAL
        self._seen: object = None
        self._next_look = 0.0

    def of(self, op: str) -> Rule:
        """The rule of an operation; one that the file does not name is compared."""
        if self._path is not None and time.monotonic() >= self._next_look:
            self._look(self._path)
        return self._rules.get(op, self._usual)

    def _look(self, path: str) -> None:
        self._next_look = time.monotonic() + LOOK_AGAIN_S
        try:
            found = os.stat(path)
            stamp: object = (found.st_mtime_ns, found.st_size, found.st_ino)
        except FileNotFoundError:
            stamp = 'no file'
        except OSError as error:
            stamp = str(error)
        if stamp == self._seen:
            return
        self._seen = stamp
        rules: Mapping[str, Rule] = {}
        usual = USUAL
        wrong: list[str] = []
        if stamp != 'no file':
            try:
                with open(path, encoding='utf-8') as file:
                    rules, wrong = parsed(file)
            except (OSError, ValueError) as error:
                usual, wrong = OFF, [f'it cannot be read, so everything is off: {error}']
        for each in wrong:
            LOG.warning('Stages of the shadow driver, %s: %s', path, each)
        self._rules, self._usual = rules, usual


def written(path: str, op: str, stage: Stage) -> None:
    """Give an operation another stage; the other lines, and this one's share, stay as they are.

    :raises OSError: the file cannot be read or replaced
    """
    try:
        with open(path, encoding='utf-8') as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    kept, done = [], False
    for line in lines:
        found = _LINE.fullmatch(line)
        if (found['op'] if found else next(iter(re.findall(r'\w+', line)), '')) != op or line.lstrip().startswith('#'):
            kept.append(line)
        elif not done:
            share = f' {found["share"]}' if found and found['share'] and _rule(stage.value, found['share']) else ''
            kept.append(f'{op} = {stage.value}{share}')
            done = True
    if not done:
        kept.append(f'{op} = {stage.value}')
    _replace(path, ''.join(f'{line}\n' for line in kept))


def _replace(path: str, text: str) -> None:
    target = os.path.realpath(path)
    handle, staged = tempfile.mkstemp(dir=os.path.dirname(target), prefix='.stages-')
    try:
        with open(handle, 'w', encoding='utf-8') as file:
            file.write(text)
            mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else 0o644
            os.fchmod(file.fileno(), mode)
        os.replace(staged, target)
    except BaseException:
        os.unlink(staged)
        raise
