# SPDX-License-Identifier: Apache-2.0
"""A recording of the old program that later runs are compared with (``--baseline FILE``): one JSON file.

It has what COMMAND did, not the program, so steps are matched by file and function instead of by line.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legacy.equivalence.prove_run import Ended
from legacy.equivalence.prove_tree import CannotProve

SCHEMA = 1
_ANEW = 'remove it to record anew'


@dataclass(frozen=True)
class Recorded:
    """One run: how COMMAND ended, lines of its recording, what was stored afterwards."""

    ended: Ended
    operations: list[dict[str, Any]]
    stored: list[dict[str, Any]]


@dataclass(frozen=True)
class Baseline:
    """What a file has: when it was made (ISO 8601, UTC), the runs of the old program, and how it was run.

    :ivar driver: None in early recordings, which do not say
    """

    made: str
    command: list[str]
    driver: str | None
    runs: list[Recorded]


def load(file: str) -> Baseline | None:
    """The baseline in a file; None if there is no such file yet.

    :raises CannotProve: it cannot be read, or is something else
    """
    try:
        content = json.loads(Path(file).read_text(encoding='utf-8'))
        if content['schema'] != SCHEMA:
            raise CannotProve(f'--baseline {file} has schema {content["schema"]}, expected {SCHEMA}; {_ANEW}')
        runs = [_recorded(run) for run in content['runs']]
        if not runs:
            raise ValueError('no run')
        command = [str(word) for word in content['command']]
        return Baseline(str(content['made']), command, content.get('driver'), runs)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotProve(f'--baseline {file} cannot be read: {error.strerror}') from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CannotProve(f'--baseline {file} is no recording of this tool; {_ANEW}') from error


def _recorded(run: Mapping[str, Any]) -> Recorded:
    """A run as it stands in the file. :raises Exception: one of those that ``load`` explains"""
    ended, operations, stored = run['ended'], run['operations'], _dated(run['stored'])
    for each in operations:
        known = each['op'], int(each['n']), float(each['at']), each['args'].get('image_id')
        if not isinstance(known[0], str) or not isinstance(each.get('caller') or {}, dict):
            raise TypeError('an operation is something else')
    for record in stored:
        if not isinstance(record['created_at'], datetime.datetime):
            raise TypeError('a time is something else')
    status, seconds = int(ended['status']), float(ended['seconds'])
    return Recorded(Ended(status, seconds, 0.0, (), bool(ended['timed_out'])), operations, stored)


def save(file: str, command: Sequence[str], driver: str, runs: Sequence[Recorded]) -> None:
    """Write the file, whole.

    :raises CannotProve: it cannot be written
    """
    content = {
        'schema': SCHEMA,
        'made': datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds'),
        'command': list(command),
        'driver': driver,
        'runs': [
            {
                'ended': {'status': run.ended.status, 'seconds': run.ended.seconds, 'timed_out': run.ended.timed_out},
                'operations': run.operations,
                'stored': run.stored,
            }
            for run in runs
        ],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, default=_plain)
    part = f'{file}.part'
    try:
        Path(part).write_text(text + '\n', encoding='utf-8')
        os.replace(part, file)
    except OSError as error:
        raise CannotProve(f'cannot write --baseline {file}: {error.strerror}') from error


def _plain(value: Any) -> Any:
    return {'$time': value.isoformat()} if isinstance(value, datetime.datetime) else str(value)


def _dated(value: Any) -> Any:
    if isinstance(value, list):
        return [_dated(each) for each in value]
    if isinstance(value, dict):
        if set(value) == {'$time'}:
            return datetime.datetime.fromisoformat(value['$time'])
        return {name: _dated(each) for name, each in value.items()}
    return value
