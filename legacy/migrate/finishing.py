# SPDX-License-Identifier: Apache-2.0
"""The end of a run: edits are made and checked, groups whose file fails are taken back, mentions are counted."""

from __future__ import annotations

import os
from typing import Any

from legacy.migrate import accounting, edits
from legacy.migrate.groups import Groups
from legacy.migrate.result import Result
from legacy.migrate.tree import Source, compiles, text_of
from legacy.migrate.work import Work

#: A file before, its comments, and the file after.
Check = tuple[bytes, Any, bytes]
#: Files to check for which one more process pays.
_WORTH_A_PROCESS = 60


def finish(works: list[Work], groups: Groups, jobs: int = 1) -> None:
    """Make the edits of every file and check them; a group whose file fails is taken back in all its files.

    :param jobs: processes that check at the same time; 0 by cores and by how much there is to check
    """
    failed = {work.unit.path: why for work in works if (why := _make(work))}
    changed = [work for work in works if work.book.entry.changed and work.unit.path not in failed]
    checks = [(work.unit.source.raw, work.unit.source.comments(), work.book.entry.new_bytes) for work in changed]
    for work in works:
        work.unit.source.release()
    for work, why in zip(changed, _checked(checks, jobs), strict=True):
        if why:
            failed[work.unit.path] = why
    spread = True
    while spread:
        spread = False
        for group in groups.groups:
            paths = set(group.edits)
            if paths & failed.keys() and not paths <= failed.keys():
                spread = True
                failed.update({path: 'another file of its group failed' for path in paths - failed.keys()})
    for work in works:
        why = failed.get(work.unit.path, '')
        if why:
            work.book.entry.new_bytes, work.book.entry.moved = work.book.entry.old_bytes, []
            work.book.undo(why)
        work.book.close([] if why else edits.ordered(work.edits))


def _make(work: Work) -> str:
    """Make the edits of one file; the reason why the result cannot be trusted, or ''."""
    source, entry = work.unit.source, work.book.entry
    try:
        made = edits.ordered(work.edits)
        data = edits.apply(source.data, made)
        if data == source.data:
            return ''
        entry.new_bytes = source.encode(data)
        entry.moved = edits.moved_lines(source.data, made)
        return ''
    except edits.Overlap as err:
        return f'two rules want the same place ({err})'
    except UnicodeError as err:
        return str(err)


def _checked(checks: list[Check], jobs: int) -> list[str]:
    jobs = jobs or min(os.cpu_count() or 1, len(checks) // _WORTH_A_PROCESS)
    if jobs < 2 or len(checks) < 2:
        return [_check(each) for each in checks]
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs, len(checks))) as pool:
        return list(pool.map(_check, checks, chunksize=8))


def _check(check: Check) -> str:
    """Why a rewritten file cannot be trusted, or ''."""
    raw, before, new = check
    again = Source(new)
    error = again.error()
    if error is not None:
        return f'the result would not parse near line {error.line}'
    if again.comments() != before:
        return 'a comment would be lost'
    if not compiles(new) and compiles(raw):
        return 'the result would not compile'
    return ''


def account(result: Result, texts: dict[str, bytes]) -> None:
    """The independent count over the Python files that could be decoded."""
    for path, data in texts.items():
        if not accounting.HINT.search(data):
            continue
        entry = result.files.get(path)
        found = accounting.mentions(text_of(data))
        result.mentions += len(found)
        claimed = sum(site.mentions for site in entry.sites) if entry is not None else 0
        if claimed != len(found):
            missing = entry.open if entry is not None else []
            result.unaccounted += [f'{path}:{line}: {name}' for line, name in missing]
            if len(missing) != len(found) - claimed:
                result.unaccounted.append(f'{path}: {len(found)} mentions, {claimed} accounted for')
        if entry is not None and not entry.sites and not any(each.file == path for each in result.problems):
            del result.files[path]
