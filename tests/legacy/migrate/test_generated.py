# SPDX-License-Identifier: Apache-2.0
"""Programs made of old calls in random surroundings: the rewrite parses, keeps every comment, is a fixed point.

Each program is valid Python. Covered: the spellings of the import, both acquisitions in every shape, the six
methods, branches, loops, ``try``, ``with``, closures, classes, rebinding. Left out: several files.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from budgets import budget
from hypothesis import given
from hypothesis import strategies as st

from legacy.migrate import run
from legacy.migrate.tree import Source, compiles

IMPORTS = {
    'from nova.image import glance': 'glance',
    'from nova.image import glance as img  # old': 'img',
    'import nova.image.glance': 'nova.image.glance',
    'import os, nova.image.glance as backend': 'backend',
    'from nova.image import (  # several\n    other,\n    glance,  # ours\n)': 'glance',
    'from legacy import glance': 'glance',
}
NAMES = ('ctx', 'ref', 'svc', 'image_id', 'row', 'data')
VALUES = ('ref', 'image_id', "row['id']", '"abc"', 'self', 'None')
CALLS = (
    '{s}.show(ctx, {i})',
    '{s}.show(ctx, {i}, True)',
    '{s}.delete(ctx, {i})',
    '{s}.detail(ctx, filters=row)',
    '{s}.detail(ctx, **row)',
    '{s}.create(ctx, row, data=data)',
    '{s}.update(ctx, {i}, row)',
    '{s}.update(ctx, {i}, row, data)',
    '{s}.update(ctx, image_id={i}, image_meta=row, purge_props=True)',
    '{s}.update(ctx, {i}, row, open("x"))',
    '{s}.download(ctx, {i}, dst_path="/x")',
    '{s}.download(ctx, {i}, data)',
    'helper({s}, {i})',
    '{s}.odd(ctx)',
)
comments = st.sampled_from(('', '', '  # why', '  # glance.get_default_image_service()'))


@st.composite
def simple(draw: st.DrawFn, module: str) -> str:
    """One simple statement."""
    service = draw(
        st.sampled_from(('svc', 'svc', 'svc', 'self.svc', f'{module}.get_default_image_service()'))
    )
    call = draw(st.sampled_from(CALLS)).format(s=service, i=draw(st.sampled_from(VALUES)))
    reference = draw(st.sampled_from(('ref', "row['ref']", 'self.ref', "''")))
    kinds = (
        call,
        f'record = {call}',
        f'svc = {module}.get_default_image_service()',
        f'self.svc = {module}.get_default_image_service()',
        f'svc = {module}.GlanceImageService()',
        f'svc, image_id = {module}.get_remote_image_service(ctx, {reference})',
        f'(svc,\n    ref) = {module}.get_remote_image_service(\n    ctx, {reference})',
        f'svc = {module}.get_remote_image_service(ctx, {reference})[0]',
        f'pair = {module}.get_remote_image_service(ctx, {reference})',
        'svc, image_id = pair',
        f'url = {module}.generate_image_url(ref)',
        'ref = ref + "x"',
        'svc = None',
        f'log(image_id, {call})',
        'del image_id',
        'log(ref, image_id)',
        'ctx = ctx.other',
        "row['ref'] = ref",
    )
    return draw(st.sampled_from(kinds)) + draw(comments)


WRAPPERS = (
    ('{}',),
    ('{}',),
    ('if data:', '    {}'),
    ('for item in (1, 2):', '    {}'),
    ('try:', '    {}', 'except Exception:', '    log("failed")'),
    ('with open("y") as stream:', '    {}'),
    ('def later():', '    return {}', 'later()'),
    ('log([{} for item in (1, 2)])',),
    ('log(image_id)',),
    ('ref = ref + "y"',),
)
METHODS = tuple(each for each in CALLS if '{s}.' in each and '**' not in each and 'odd' not in each)


HELPERS = (
    'return service.show(context, image_id)',
    'try:\n        return service.show(context, image_id)\n    except Exception:\n        return {{}}',
    'log(image_id)\n    service.delete(context, image_id)',
    'service.update(context, image_id, {{}}, data)',
    'if service:\n        service.download(context, image_id, data)',
    'return [service.show(context, image_id) for _ in (1, 2)]',
    'return _last(context, image_id, service=service)',
    'return _last(context.other, image_id, service)',
    'image_id = "x"\n    return service.show(context, image_id)',
    'return service.odd(context)',
    'return "%(image_id)s" % locals()',
)
HANDED = (
    '_helper(ctx, svc, {i})',
    '_helper(ctx, image_id={i}, service=svc)',
    '_helper(ctx, svc, {i}, data)',
    '_helper(ctx, svc, {i})',
    '_helper(ctx, None, {i})',
)


@st.composite
def idiom(draw: st.DrawFn, module: str) -> list[str]:
    """A pair and what is usually done with it."""
    reference = draw(st.sampled_from(('ref', 'ref', "row['ref']", 'self.ref')))
    kept = draw(st.sampled_from(('image_id', 'image_id', 'ref', '_unused')))
    pair = f'{module}.get_remote_image_service(ctx, {reference})'
    shape = draw(st.integers(0, 5))
    if shape == 0:
        lines, kept = [f'svc = {pair}[0]'], reference
    elif shape == 1:
        lines = [f'pair = {pair}', f'svc, {kept} = pair']
    else:
        lines = [f'svc, {kept} = {pair}']
    given = kept if kept != '_unused' else reference
    for _ in range(draw(st.integers(1, 3))):
        call = draw(st.sampled_from(METHODS + HANDED)).format(s='svc', i=given)
        lines += [each.format(call) for each in draw(st.sampled_from(WRAPPERS))]
    return lines


@st.composite
def block(draw: st.DrawFn, module: str, depth: int) -> list[str]:
    """Lines of a block, unindented."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 9)) if depth else 0
        if kind < 2:
            lines += draw(idiom(module))
            continue
        if kind < 5:
            lines += draw(simple(module)).split('\n')
            continue
        body = ['    ' + line for line in draw(block(module, depth - 1))]
        other = ['    ' + line for line in draw(block(module, depth - 1))]
        lines += {
            5: ['if ref:', *body, 'else:', *other],
            6: ['for ref in row:', *body],
            7: ['try:', *body, 'except (ValueError, KeyError):', *other],
            8: ['with open("x") as data:', *body],
            9: ['def inner():', *body, 'inner()'],
        }[kind]
    return lines


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A module with an import and a function or a method."""
    statement = draw(st.sampled_from(sorted(IMPORTS)))
    module = IMPORTS[statement]
    lines = ['"""Uses nova.image.glance."""', *statement.split('\n'), '', '']
    body = draw(block(module, 2))
    signature = 'def function(self, ctx, ref, row, data=None, image_id=None):'
    if draw(st.booleans()):
        lines += ['class Driver(object):', f'    {signature}', *('        ' + each for each in body)]
    else:
        lines += [signature, *('    ' + each for each in body)]
    for name in ('_helper', '_last'):
        parameters = 'context, service, image_id' if name == '_helper' else 'context, image_id, service=None'
        body = draw(st.sampled_from(HELPERS[:6] + HELPERS[8:] if name == '_last' else HELPERS))
        lines += ['', '', f'def {name}({parameters}, data=None):', '    ' + body.replace('{{}}', '{}')]
    text = '\n'.join(lines) + '\n'
    return text.replace('\n', draw(st.sampled_from(('\n', '\n', '\r\n'))))


@budget(60, long=3000)
@given(programs())
def test_a_rewrite_parses_keeps_comments_and_is_a_fixed_point(text: str) -> None:
    """Law: the result compiles if the input did, comments stay, totals add up, a second run changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'a.py')
        path.write_bytes(text.encode())
        result = run([path], folder)
        assert not result.unaccounted
        totals = result.totals
        assert totals['rewritten'] + totals['left'] + totals['not-ours'] == totals['sites']
        assert not any('taken back' in site.reason for site in result.sites), result.sites
        new = result.files['a.py'].new_bytes
        assert compiles(new) or not compiles(text.encode())
        assert Source(new).comments() == Source(text.encode()).comments()
        result.write()
        again = run([path], folder)
        assert not again.changed, again.files['a.py'].new_bytes.decode()
        assert again.totals['left'] <= totals['left'] + totals['rewritten']
