# SPDX-License-Identifier: Apache-2.0
"""One run over many files: read, parse, trace, settle, check, count.

Files without an old word are read and put aside; the rest is parsed once. A rewritten file must parse (and
compile, if the input did) and keep every comment, or it is left.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from legacy.migrate import catalogue, files, moving
from legacy.migrate.find import Import, Reference, imports, references
from legacy.migrate.finishing import account, finish
from legacy.migrate.givers import Givers
from legacy.migrate.groups import Groups
from legacy.migrate.lineage import Lineage
from legacy.migrate.neighbours import Neighbours, stem_of
from legacy.migrate.options import Options
from legacy.migrate.reading import read, shim_taken
from legacy.migrate.result import Result
from legacy.migrate.rules import errors, fakes, functions, later, places
from legacy.migrate.rules import imports as import_rules
from legacy.migrate.trace import Trace
from legacy.migrate.troubles import Troubles
from legacy.migrate.unit import Unit
from legacy.migrate.work import Others, Work


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
        work = read(found, result, texts, options)
        if work is not None:
            works.append(work)
    neighbours = Neighbours(texts, shim_taken(root, result))
    others = Others(works, result, texts, {each.path: each for each in looked_at})
    for work in works:
        work.unit.passed_on = others.passed_on
    lineage = Lineage(others.module)
    reaching = lambda name: [unit for path in neighbours.reaching(name) if (unit := others.unit(path))]
    trace = Trace(lineage, reaching, options.tests)
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
    doubles = [each for work in works for each in moving.of(work)] if options.tests else []
    givers = Givers(neighbours.containing, others.unit, lineage)
    troubles = Troubles(trace, givers, reaching, neighbours.reads_global)
    names = {work.unit.path: work.names for work in works}
    while True:
        movable = {id(each.node) for each in doubles if not each.reason}
        for work in works:
            work.double = _double(work, movable)
        groups = Groups(trace, names, troubles, {work.unit.path: work.double for work in works}, options.wants)
        if not moving.settle(doubles, groups):
            break
    rewritten = {id(each) for group in groups.groups if not group.troubles for each in group.acquisitions}
    by_path = {work.unit.path: work for work in works}
    for group in groups.groups:
        for path, some in group.edits.items():
            by_path[path].edits += some
    moved = {id(each.node): each for each in doubles if not each.reason}
    for each in doubles:
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
    finish(works, groups, options.jobs)
    fakes.report(result, looked_at, texts)
    account(result, texts)
    return result


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


def _reexported(works: list[Work]) -> set[tuple[str, str]]:
    """(module stem, name) of old names that modules of the tree pass on."""
    found = set()
    for work in works:
        for it in work.imports:
            if it.is_old and work.unit.scopes.around(it.statement) is work.unit.scopes.module:
                found.add((stem_of(work.unit.path), it.binding.name))
    return found
