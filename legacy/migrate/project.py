# SPDX-License-Identifier: Apache-2.0
"""One run over many files: read, parse, trace, settle, check, count.

Files without an old word are read and put aside; the rest is parsed once. A rewritten file must parse (and
compile, if the input did) and keep every comment, or it is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from legacy.migrate import accounting, catalogue, edits, files
from legacy.migrate.find import Import, Reference, imports, references
from legacy.migrate.givers import Givers
from legacy.migrate.groups import Groups
from legacy.migrate.lineage import Lineage
from legacy.migrate.neighbours import Neighbours, stem_of
from legacy.migrate.options import Options
from legacy.migrate.result import FileResult, Problem, Result
from legacy.migrate.rules import doubles, errors, functions, later, places
from legacy.migrate.rules import imports as import_rules
from legacy.migrate.rules.names import NewNames
from legacy.migrate.sites import Book
from legacy.migrate.trace import Trace
from legacy.migrate.tree import Source, Unreadable, compiles, encoding_of, text_of
from legacy.migrate.troubles import Troubles
from legacy.migrate.unit import Unit
from legacy.migrate.work import Others, Work

_OLD_MODULE = re.compile(rb'^def (?:get_default_image_service|get_remote_image_service)\b', re.MULTILINE)
_OLD_CLASS = re.compile(rb'^class GlanceImageService(?:V2)?\b', re.MULTILINE)


def migrate(
    paths: list[Path],
    root: Path,
    progress: Callable[[str], None] | None = None,
    options: Options | None = None,
) -> Result:
    """See :func:`legacy.migrate.run`."""
    options = options or Options()
    result = Result(root)
    texts: dict[str, bytes] = {}
    works: list[Work] = []
    looked_at: list[files.Found] = []
    for found in files.collect(paths, root, options.exclude):
        if progress is not None:
            progress(found.path)
        looked_at.append(found)
        work = _read(found, result, texts, options)
        if work is not None:
            works.append(work)
    neighbours = Neighbours(texts, _shim_taken(root, result))
    others = Others(works, result, texts, {each.path: each for each in looked_at})
    lineage = Lineage(others.module)
    reaching = lambda name: [unit for path in neighbours.reaching(name) if (unit := others.unit(path))]
    trace = Trace(lineage, reaching)
    acquisitions = {}
    for work in works:
        work.imports = imports(work.unit)
        work.references = references(work.unit, work.imports)
        for reference in work.references:
            if places.is_factory_call(reference.node, reference.ref):
                call = reference.node.closest('call')
                assert call is not None
                acquisitions[id(reference)] = trace.acquire(work.unit, call, reference.ref)
    trace.run()
    moving = [each for work in works for each in doubles.of(work)] if options.tests else []
    givers = Givers(neighbours.containing, others.unit, lineage)
    troubles = Troubles(trace, givers, reaching, neighbours.reads_global)
    names = {work.unit.path: work.names for work in works}
    while True:
        movable = {id(each.node) for each in moving if not each.reason}
        for work in works:
            work.double = _double(work, movable)
        groups = Groups(trace, names, troubles, {work.unit.path: work.double for work in works}, options.wants)
        if not doubles.settle(moving, groups):
            break
    rewritten = {id(each) for group in groups.groups if not group.troubles for each in group.acquisitions}
    by_path = {work.unit.path: work for work in works}
    for group in groups.groups:
        for path, some in group.edits.items():
            by_path[path].edits += some
    moved = {id(each.node): each for each in moving if not each.reason}
    for each in moving:
        by_path[each.unit.path].edits += [] if each.reason else each.edits
        by_path[each.unit.path].book.double_of(each)
    inside = {
        id(reference)
        for work in works
        for reference in work.references
        for group in groups.groups
        for it in group.acquisitions
        if it.unit is work.unit and id(it) in rewritten and it.holds(reference.node)
    }
    for work in works:
        for reference in work.references:
            if id(reference) in inside:
                reference.rewritten = True
                work.book.reference(reference, 'P-20', 'rewritten', 'the client gives way to an endpoint')
                continue
            if id(reference.node) in moved:
                reference.rewritten = True
                continue
            acquired = acquisitions.get(id(reference))
            if acquired is not None:
                reference.rewritten = id(acquired) in rewritten
            else:
                _other(work, reference, options)
        _settle_imports(work, neighbours, options)
        if options.errors:
            _settle_errors(work, neighbours, options)
    for group in groups.groups:
        by_path[group.acquisitions[0].unit.path].book.group(
            group, {path: work.book for path, work in by_path.items()}
        )
    reexported = _reexported(works)
    for work in works:
        work.book.mentions(any(it.is_old for it in work.imports), reexported)
    _finish(works, groups)
    _account(result, texts)
    return result


def _read(
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
    error = source.error()
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


def _shim_taken(root: Path, result: Result) -> str:
    """Why ``legacy`` cannot be imported as the shim in this tree, or ''."""
    for path in result.files:
        head = path.split('/')[0]
        if head in ('legacy', 'legacy.py') and not (root / 'legacy' / 'names.py').exists():
            return f'the tree has a {head} of its own'
    for name in ('legacy/__init__.py', 'legacy.py'):
        if (root / name).exists() and not (root / 'legacy' / 'names.py').exists():
            return f'the tree has a {name} of its own'
    return ''


def _double(work: Work, movable: set[int]) -> int:
    """The line of the first double of something old in a file that does not move, or 0."""
    lines = [
        reference.node.line
        for reference in work.references
        if places.judge(reference.node, reference.ref)[0] in ('P-49', 'P-50')
        and not places.is_factory_call(reference.node, reference.ref)
        and id(reference.node) not in movable
    ]
    named = work.book.double(any(it.is_old for it in work.imports), movable)
    return min([*lines, *([named] if named else [])], default=0)


def _other(work: Work, reference: Reference, options: Options) -> None:
    """A reference that is not an acquisition: a helper function, or something that is left."""
    outcome = later.rewrite(reference.node, reference.ref, work.names) if options.api else None
    ref = reference.ref
    named = ref.kind == 'name' and ref.dotted in catalogue.MODULE_NAMES
    if outcome is None and named and ref.module in catalogue.GLANCE_MODULES:
        outcome = functions.rewrite(work.unit, reference.node, ref, work.names)
    if outcome is None:
        pattern, status, reason = places.judge(reference.node, reference.ref)
        work.book.reference(reference, pattern, status, reason)
    elif outcome.reason or work.names.problem:
        pattern = outcome.pattern if outcome.reason else 'P-60'
        work.book.reference(reference, pattern, 'left', outcome.reason or work.names.problem)
    elif asked := _asked_to_leave(work, reference, outcome.pattern, options):
        work.book.reference(reference, outcome.pattern, 'left', asked)
    else:
        reference.rewritten = True
        work.edits += outcome.edits
        work.book.reference(reference, outcome.pattern, 'rewritten', outcome.note)


def _asked_to_leave(work: Work, reference: Reference, pattern: str, options: Options) -> str:
    """Why a place that could be rewritten is left all the same, or ''."""
    reason = work.unit.skipped(reference.node)
    if not reason and not options.wants(pattern):
        reason = 'not selected'
    if not reason and work.double:
        reason = f'a double at line {work.double} of this file stands in for it and would go inert'
    return reason


def _verdict(
    work: Work, it: Import, reached: Callable[[str], str], shim_taken: str, options: Options
) -> import_rules.Verdict:
    """What becomes of an import; a skip comment or the selection may keep it."""
    verdict = import_rules.judge(work.unit, it, reached, shim_taken, options.api)
    if verdict.status == 'rewritten':
        reason = work.unit.skipped(it.statement)
        if not reason and not options.wants(verdict.pattern):
            reason = 'not selected'
        if reason:
            return import_rules.Verdict(verdict.pattern, 'keep', 'left', reason)
    return verdict


def _settle_imports(work: Work, neighbours: Neighbours, options: Options) -> None:
    unit = work.unit
    code = ' '.join(each.text for each in work.edits)
    statements: dict[int, list[Import]] = {}
    for it in work.imports:
        statements.setdefault(id(it.statement), []).append(it)
    added: set[int] = set()
    order = sorted(
        statements.values(),
        key=lambda some: (unit.scopes.around(some[0].statement).kind != 'module', some[0].item.start),
    )
    for some in order:
        verdicts = []
        for it in some:
            if it.is_old or (options.api and later.only(it)):
                reached = lambda name, it=it: _reached(unit, it, name, neighbours)
                verdicts.append((it, _verdict(work, it, reached, neighbours.shim_taken, options)))
            else:
                verdicts.append((it, import_rules.Verdict('P-05', 'keep', 'not-ours')))
        made, _lines = import_rules.rewrite(unit, some[0].statement, verdicts, work.names, added, code)
        work.edits += made
        for it, verdict in verdicts:
            if it.is_old or verdict.pattern == 'P-56':
                work.book.imported(it, verdict)


def _settle_errors(work: Work, neighbours: Neighbours, options: Options) -> None:
    reached = lambda name: neighbours.reads_global(work.unit, name)
    if not options.wants('P-46'):
        return
    moved = errors.rewrite(work.unit, work.names, reached)
    work.edits += moved.edits
    for node, name, why in moved.places:
        work.book.error(node, name, why)


def _reached(unit: Unit, it: Import, name: str, neighbours: Neighbours) -> str:
    if unit.scopes.around(it.statement) is not unit.scopes.module:
        return ''
    if it.binding.kind == 'import' and it.item.type != 'aliased_import':
        return ''
    return neighbours.reads_global(unit, name)


def _finish(works: list[Work], groups: Groups) -> None:
    """Make the edits of every file and check them; a group whose file fails is taken back in all its files."""
    failed = {work.unit.path: why for work in works if (why := _make(work))}
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
        return _check(source, entry.new_bytes)
    except edits.Overlap as err:
        return f'two rules want the same place ({err})'
    except UnicodeError as err:
        return str(err)


def _check(source: Source, new: bytes) -> str:
    """Why a rewritten file cannot be trusted, or ''."""
    again = Source(new)
    error = again.error()
    if error is not None:
        return f'the result would not parse near line {error.line}'
    before, after = source.comments(), again.comments()
    if before != after:
        return 'a comment would be lost'
    if not compiles(new) and compiles(source.raw):
        return 'the result would not compile'
    return ''


def _reexported(works: list[Work]) -> set[tuple[str, str]]:
    """(module stem, name) of old names that modules of the tree pass on."""
    found = set()
    for work in works:
        for it in work.imports:
            if it.is_old and work.unit.scopes.around(it.statement) is work.unit.scopes.module:
                found.add((stem_of(work.unit.path), it.binding.name))
    return found


def _account(result: Result, texts: dict[str, bytes]) -> None:
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
