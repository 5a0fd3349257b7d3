# SPDX-License-Identifier: Apache-2.0
"""The report of a proof as one static HTML page: light and dark, no script, nothing from elsewhere.

Every text of the program goes through :func:`_e`. Says the same as ``prove_report`` in the same order, and
draws the operations over the run.
"""

from __future__ import annotations

import difflib
import html
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from legacy.equivalence.prove_report import COLUMNS, MOST_MISMATCHES, Proof, verdict
from legacy.equivalence.report_finding import Finding, short

_STYLE = """
:root { color-scheme: light dark; --fg:#1c2128; --dim:#57606a; --bg:#fff; --box:#f4f6f8; --line:#d0d7de;
  --good:#1a7f37; --bad:#cf222e; --mild:#9a6700; --minus:#ffebe9; --plus:#dafbe1; }
@media (prefers-color-scheme: dark) { :root { --fg:#e6edf3; --dim:#9198a1; --bg:#0d1117; --box:#161b22;
  --line:#30363d; --good:#3fb950; --bad:#ff7b72; --mild:#d29922; --minus:#4a1d1f; --plus:#12361f; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); margin: 2rem auto;
  max-width: 64rem; padding: 0 1rem; }
h1 { font-size: 1.35rem; line-height: 1.35; border-left: .35rem solid; padding-left: .8rem; overflow-wrap: anywhere; }
h1.proven { border-color: var(--good); } h1.differs { border-color: var(--bad); }
h1.nothing { border-color: var(--mild); }
h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; overflow-wrap: anywhere; }
h3 { font-size: .9rem; margin: 1rem 0 .3rem; color: var(--dim); }
pre { font: 13px/1.5 ui-monospace, monospace; background: var(--box); border: 1px solid var(--line); margin: 0;
  border-radius: 6px; padding: .6rem .8rem; overflow-x: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre span { display: block; padding-left: 2ch; text-indent: -2ch; } .minus { background: var(--minus); } .plus { background: var(--plus); }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem .25rem 0; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--dim); font-weight: 600; }
td.n, th.n { text-align: right; } code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
td:first-child code { white-space: nowrap; } details { margin: .8rem 0; } summary { cursor: pointer;
  font-weight: 600; overflow-wrap: anywhere; } details > :not(summary) { margin-left: 1rem; }
p.dim, figcaption { color: var(--dim); } .scroll { overflow-x: auto; } figure { margin: 0; }
svg text { font: 12px system-ui, sans-serif; fill: var(--dim); } svg line { stroke: var(--line); }
svg .equal { fill: var(--good); } svg .bad { fill: var(--bad); } svg .hollow { fill: none; stroke: var(--bad);
  stroke-width: 2; }
"""
_CLASSES = {'proven': 'proven', 'differs': 'differs', 'nothing proven': 'nothing'}


def page(proof: Proof) -> str:
    """The whole page."""
    body = '\n'.join(_body(proof))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{_e(proof.verdict)}: {_e(proof.path)}</title>\n<style>{_STYLE}</style></head>\n'
        f'<body>\n{body}\n</body></html>\n'
    )


def _e(value: Any) -> str:
    return html.escape(str(value), quote=True)


def _body(proof: Proof) -> Iterator[str]:
    yield f'<h1 class="{_CLASSES[proof.verdict]}">{_e(proof.sentence)}</h1>'
    yield f'<p class="dim">{_e(verdict(proof))}</p>'
    findings = proof.findings
    for finding in findings[:1]:
        if proof.verdict != 'differs':
            yield f'<h2>{_e(finding.sentence)}</h2>'
        yield from _finding(finding)
    if findings[1:]:
        yield f'<h2>Then ({len(findings) - 1})</h2>'
    for finding in findings[1:]:
        yield f'<details><summary>{_e(finding.sentence)}</summary>{"".join(_finding(finding))}</details>'
    yield from _noise(proof)
    yield '<h2>Operations over the run</h2>'
    yield _picture(proof)
    yield '<h2>Totals</h2>'
    rows = [*proof.rows(), ('total', proof.totals())]
    yield _table(('file', *COLUMNS), ([name, *numbers] for name, numbers in rows), numbers=True)
    yield from _runs(proof)
    for title, sites in (('Left as they are', proof.left), ('Rewritten, but not reached', proof.not_exercised)):
        if sites:
            yield f'<h2>{title} ({len(sites)})</h2>'
            told = ((f'{each.file}:{each.line}', each.name, each.pattern, each.reason) for each in sites)
            yield _table(('place', 'old name', 'pattern', 'reason'), told)
    if proof.unproven:
        yield f'<h2>Unproven files ({len(proof.unproven)})</h2>'
        yield _table(('file', 'why'), proof.unproven)
    if proof.notes:
        yield '<h2>Notes</h2><ul>' + ''.join(f'<li>{_e(note)}</li>' for note in proof.notes) + '</ul>'


def _finding(finding: Finding) -> Iterator[str]:
    program = finding.program()
    if program:
        yield '<h3>Smallest program (images = nova_image.API())</h3>' + _marked(program)
    code = [
        f'{sign} {line}' for sign, number, text in finding.code()
        for line in (f'{finding.difference.file}:{number}',
                     *textwrap.indent(textwrap.dedent('\n'.join(text)), '  ').splitlines())
    ]  # fmt: skip
    if code:
        yield '<h3>Old call and new call</h3>' + _marked(code)
    mismatches = finding.difference.mismatches
    if mismatches:
        yield '<h3>Fields that differ</h3>'
        told = [(each.path or finding.difference.subject, short(each.old), short(each.new)) for each in mismatches]
        yield _table(('field', 'old', 'new'), told[:MOST_MISMATCHES], code=True)
        if told[MOST_MISMATCHES:]:
            rest = _table(('field', 'old', 'new'), told[MOST_MISMATCHES:], code=True)
            yield f'<details><summary>and {len(told) - MOST_MISMATCHES} more fields</summary>{rest}</details>'
    old, new = finding.wire()
    if old or new:
        lines = [line for line in difflib.ndiff(old, new) if not line.startswith('?')]
        yield '<h3>Requests</h3>' + _marked(lines)
    yield f'<h3>How often</h3><p>{_e(finding.often())}</p>'
    yield f'<h3>Run it again</h3><pre>{_e(finding.again())}</pre>'
    entry = finding.entry()
    if entry:
        yield f'<h3>Likely entry</h3><p><code>{_e(entry[0])}</code> in <code>{_e(entry[1])}:{entry[2]}</code></p>'


def _marked(lines: Iterable[str]) -> str:
    names = {'-': ' class="minus"', '+': ' class="plus"'}
    return '<pre>' + ''.join(f'<span{names.get(line[:1], "")}>{_e(line)}</span>' for line in lines) + '</pre>'


def _table(
    head: Iterable[str], rows: Iterable[Iterable[Any]], *, numbers: bool = False, code: bool = False
) -> str:
    def cell(tag: str, index: int, value: Any) -> str:
        kind = ' class="n"' if numbers and index else ''
        shown = f'<code>{_e(value)}</code>' if code and tag == 'td' else _e(value)
        return f'<{tag}{kind}>{shown}</{tag}>'

    lines = [''.join(cell('th', n, each) for n, each in enumerate(head))]
    lines += [''.join(cell('td', n, each) for n, each in enumerate(row)) for row in rows]
    return '<div class="scroll"><table>' + ''.join(f'<tr>{line}</tr>' for line in lines) + '</table></div>'


def _noise(proof: Proof) -> Iterator[str]:
    if proof.noise:
        yield f'<h2>Noise of the old program, subtracted ({len(proof.noise)} fields)</h2>'
        yield _table(
            ('file', 'operation', 'field', 'old runs', 'new run'),
            ((each.file or '', each.op, each.path, ', '.join(dict.fromkeys(short(one, 40) for one in each.seen[:4])),
              short(each.new, 40)) for each in proof.noise),
        )  # fmt: skip


def _runs(proof: Proof) -> Iterator[str]:
    if proof.old and proof.new:
        yield f'<h2>Command</h2><pre>{_e(shlex.join(proof.command))}</pre>'
        yield _table(
            ('side', 'ended', 'seconds'),
            ((name, each.words, f'{each.seconds:.1f}') for name, each in (('old', proof.old), ('new', proof.new))),
        )
        failed = proof.new if proof.new.status else proof.old
        if failed.status:
            yield '<h3>End of what it printed</h3><pre>' + _e('\n'.join(failed.tail[-15:])) + '</pre>'


def _picture(proof: Proof) -> str:
    """A row for each kind of operation, a mark for each operation, in order from left to right."""
    pairs = proof.comparison.pairs
    if not pairs:
        return '<p class="dim">No operation was recorded.</p>'
    kinds = {id(each.new or each.old): each.kind for each in proof.comparison.differences if each.kind != 'stored'}
    lanes = sorted({(right or left).op for left, right in pairs})  # type: ignore[union-attr]
    step = min(24.0, 820 / len(pairs))
    width, height = 110 + step * len(pairs) + 10, 26 * len(lanes) + 10
    marks = [
        f'<text x="0" y="{26 * n + 22}">{_e(lane)}</text>'
        f'<line x1="100" x2="{width:.0f}" y1="{26 * n + 18}" y2="{26 * n + 18}"/>'
        for n, lane in enumerate(lanes)
    ]
    for number, (left, right) in enumerate(pairs):
        shown = right or left
        assert shown is not None
        kind = kinds.get(id(shown), 'equal')
        x, y = 110 + step * number, 26 * lanes.index(shown.op) + 18
        title = f'<title>{_e(f"{number + 1}: {shown.op}, {shown.file}:{shown.new_line}: {kind}")}</title>'
        marks.append(_mark(kind, x, y, title))
    return (
        f'<figure><svg viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" style="max-width:100%" role="img" '
        f'aria-label="operations over the run">{"".join(marks)}</svg><figcaption>Each mark is one operation, in '
        'order. Dot: equal on both sides; square: differs; ring: only the old program; cross: only the new one.'
        '</figcaption></figure>'
    )


def _mark(kind: str, x: float, y: float, title: str) -> str:
    if kind == 'equal':
        return f'<circle class="equal" cx="{x:.1f}" cy="{y}" r="4">{title}</circle>'
    if kind == 'missing':
        return f'<circle class="hollow" cx="{x:.1f}" cy="{y}" r="6">{title}</circle>'
    if kind == 'extra':
        path = f'M{x - 6:.1f} {y - 6}l12 12m0 -12l-12 12'
        return f'<path class="hollow" d="{path}">{title}</path>'
    return f'<rect class="bad" x="{x - 6:.1f}" y="{y - 6}" width="12" height="12">{title}</rect>'
