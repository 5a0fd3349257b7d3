# SPDX-License-Identifier: Apache-2.0
"""Reading the files of a run: what has to be parsed, what cannot be, and what stands for itself."""

from __future__ import annotations

import re
from pathlib import Path

from legacy.migrate import accounting, files
from legacy.migrate.options import Options
from legacy.migrate.result import FileResult, Problem, Result
from legacy.migrate.rules import errors, later
from legacy.migrate.rules.names import NewNames
from legacy.migrate.sites import Book
from legacy.migrate.tree import Source, Unreadable, encoding_of, text_of
from legacy.migrate.unit import Unit
from legacy.migrate.work import Work

_OLD_MODULE = re.compile(rb'^def (?:get_default_image_service|get_remote_image_service)\b', re.MULTILINE)
_OLD_CLASS = re.compile(rb'^class GlanceImageService(?:V2)?\b', re.MULTILINE)


def read(
    found: files.Found, result: Result, texts: dict[str, bytes], options: Options
) -> Work | None:
    """Read one file; a Work if it has to be parsed."""
    try:
        data = found.absolute.read_bytes()
    except OSError as err:
        result.problems.append(Problem(found.path, f'cannot be read: {err.strerror}'))
        return None
    python = files.is_python(found.path, data)
    result.searched += 1
    if not python:
        if b'\0' not in data[:8192] and len(data) <= files.LARGEST_TEXT and accounting.HINT.search(data):
            _document(found, data, result)
        return None
    texts[found.path] = data
    entry = FileResult(found.path, found.absolute, data, data)
    try:
        further = (options.errors and errors.mentioned(data)) or (options.api and later.mentioned(data))
        if not further and not accounting.HINT.search(data):
            encoding_of(data)
            return None
        if not further and not accounting.mentions(text_of(data)):
            return None
        source = Source(data)
    except Unreadable as err:
        result.problems.append(Problem(found.path, str(err)))
        result.files[found.path] = entry
        del texts[found.path]
        return None
    except RecursionError:
        result.problems.append(Problem(found.path, 'is nested too deeply to be followed'))
        result.files[found.path] = entry
        return None
    result.files[found.path] = entry
    package = files.package_of(found.absolute)
    unit = Unit(found.path, found.absolute, source, package, files.is_whole(found, package))
    book = Book(unit, entry)
    error = source.error() or next((each for each in source.backticks() if accounting.mentions(each.text)), None)
    if error is not None:
        why = f'cannot be parsed at line {error.line}, column {source.column(error.start)}: {_excerpt(error.text)}'
        result.problems.append(
            Problem(found.path, f'{why}; correct it, or rewrite it in a form Python 3 reads', error.line)
        )
        book.everything('P-58', 'left', 'the file cannot be parsed')
        return None
    if _is_old_module(found.path, data):
        book.everything('P-57', 'not-ours', 'old-module: the old module itself')
        return None
    if re.search(r'tests/(?:unit/)?image/test_glance\.py$', found.path):
        book.everything(
            'P-53', 'left', "the old module's own unit tests; port them to the shim by hand, or delete them"
        )
        return None
    return Work(unit, book, NewNames(unit))


def _excerpt(text: str) -> str:
    first = text.strip().split('\n')[0]
    return repr(first[:40])


def _is_old_module(path: str, data: bytes) -> bool:
    if re.search(r'(?:^|/)nova/image/(?:(?:glance|api|__init__)\.py|download/)', path):
        return True
    return bool(_OLD_MODULE.search(data) and _OLD_CLASS.search(data))


def _document(found: files.Found, data: bytes, result: Result) -> None:
    """Mentions in a file that is not Python: nothing to rewrite (P-57)."""
    text = data.decode('utf-8', 'replace')
    mentioned = accounting.mentions(text)
    if mentioned:
        entry = result.files[found.path] = FileResult(found.path, found.absolute, data, data)
        Book.document(entry, text, mentioned)
        result.mentions += len(mentioned)


def shim_taken(root: Path, result: Result) -> str:
    """Why ``legacy`` cannot be imported as the shim in this tree, or ''."""
    for path in result.files:
        head = path.split('/')[0]
        if head in ('legacy', 'legacy.py') and not (root / 'legacy' / 'names.py').exists():
            return f'the tree has a {head} of its own'
    for name in ('legacy/__init__.py', 'legacy.py'):
        if (root / name).exists() and not (root / 'legacy' / 'names.py').exists():
            return f'the tree has a {name} of its own'
    return ''
