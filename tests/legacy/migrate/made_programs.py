# SPDX-License-Identifier: Apache-2.0
"""Programs with old calls in random surroundings, made to run: each method, each way to a service, each trap.

Plain ``random`` with a seed, so that ten thousand take seconds to make. What the new API widens on purpose (an id
that is a URI, given to the default service) is not asked; everything else may fail, alike on both sides.
"""

from __future__ import annotations

import random

IMPORTS = (
    ('from nova.image import glance', 'glance'),
    ('from nova.image import glance  # the images', 'glance'),
    ('from nova.image import (\n    glance,\n)', 'glance'),
    ('from nova.image import glance as img', 'img'),
    ('import nova.image.glance as backend', 'backend'),
    ('import nova.image.glance', 'nova.image.glance'),
    ('import os, nova.image.glance', 'nova.image.glance'),
    ('from legacy import glance', 'glance'),
)
NAMES = 'from nova.image.glance import get_default_image_service, get_remote_image_service as pair_of'
CALLS = (
    'log({s}.show(ctx, {i}))',
    'log({s}.show(ctx, {i}))',
    'log(dict({s}.show(ctx, {i}))["status"])',
    'log({s}.show(ctx, {i}, True, False))',
    'log({s}.show(ctx, {i}, include_locations=False))',
    'log({s}.show(context=ctx, image_id={i}))',
    'log({s}.delete(ctx, {i}))',
    '{s}.delete(ctx, {i})  # gone',
    'log({s}.delete(ctx, image_id={i}))',
    'log({s}.update(ctx, {i}, {{"properties": {{"a": "1"}}}}))',
    'log({s}.update(ctx, {i}, {{"min_ram": 5, "properties": {{"c": "3"}}}}, None))',
    'log({s}.update(ctx, {i}, row["meta"], data))',
    'log({s}.update(ctx, {i}, row["meta"], row["data"]))',
    'log({s}.update(ctx, {i}, row["meta"], data=row["data"], purge_props=flag))',
    'log({s}.update(ctx, {i}, row["meta"], data=data))',
    'log({s}.update(ctx, {i}, {{"properties": {{"a": None}}}}, ""))',
    'log({s}.update(ctx, {i}, row["meta"], purge_props=False))',
    'log({s}.update(ctx, {i}, row["meta"], None, flag))',
    'log({s}.update(ctx, {i}, row["meta"], data, True))',
    'log({s}.update(ctx, {i}, row["meta"], data, purge_props=flag))',
    'log({s}.update(ctx, image_id={i}, image_meta=row["meta"], purge_props=True))',
    'log({s}.update(ctx, {i}, **{{"image_meta": row["meta"]}}))',
    'with open(path + ".in", "rb") as stream:\n    log({s}.update(ctx, {i}, row["meta"], stream))',
    'log(b"".join({s}.download(ctx, {i})))',
    'with open(path, "wb") as sink:\n    log({s}.download(ctx, {i}, sink))',
    'log({s}.download(ctx, {i}, dst_path=path))',
    'log({s}.download(ctx, {i}, **{{"dst_path": path}}))',
)
ON_DEFAULT = (
    'log({s}.detail(ctx, filters={{"name": row["name"]}}))',
    'log({s}.detail(ctx, filters=row["filters"], limit=3))',
    'log({s}.detail(ctx, filters=row["filters"], colour=1))',
    'log({s}.detail(ctx, **row["asked"]))',
    'log({s}.detail(ctx, limit=5, **row["asked"]))',
    'log({s}.create(ctx, row["new"]))',
    'log({s}.create(ctx, row["new"], data=data))',
    'log({s}.create(ctx, row["new"], data=""))',
    'log({s}.create(ctx, image_meta=row["new"], data=data))',
)
WRAPPERS = (
    '{}', '{}', '{}',
    'if flag:\n    {}\nelse:\n    log("not")',
    'for each in (1, 2):\n    {}',
    'try:\n    {}\nexcept Exception as err:\n    log(type(err).__name__)',
    'try:\n    {}\nexcept (KeyError, ValueError):\n    log("other")\nfinally:\n    log("done")',
    'with open(path + ".in", "rb"):\n    {}',
    'def later():\n    {}\nlater()',
    'while True:\n    {}\n    break',
)  # fmt: skip
PAIRS = (
    'svc, image_id = {pair}(ctx, {r})',
    'svc, image_id = {pair}(ctx, {r})',
    '(svc,\n image_id) = {pair}(\n    ctx, {r})  # both',
    'svc, image_id = {pair}(ctx, image_href={r})',
    'svc = image_id = None\nif row:\n    svc, image_id = {pair}(ctx, {r})',
)

OTHERS = ('row["other"]', 'str(row["other"])', '(row["other"] + "")')


def indented(text: str, template: str) -> str:
    """A piece of code in the place of the braces of a template, at their indentation."""
    lines = []
    for line in template.split('\n'):
        if line.strip() == '{}':
            depth = line[: len(line) - len(line.lstrip())]
            lines += [depth + each for each in text.split('\n')]
        else:
            lines.append(line)
    return '\n'.join(lines)


class Maker:
    """Makes one program after the other."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def program(self) -> str:
        """The text of a module with a class ``Driver`` whose ``run`` makes the calls."""
        pick = self.random.choice
        statement, module = pick(IMPORTS)
        self.default = f'{module}.get_default_image_service'
        self.made = f'{module}.GlanceImageService'
        self.pair = f'{module}.get_remote_image_service'
        if self.random.random() < 0.08:
            statement, self.default, self.pair = NAMES, 'get_default_image_service', 'pair_of'
            self.made = self.default
        head = ['"""Made."""', *statement.split('\n')]
        if self.random.random() < 0.08:
            head.append('nova_image = "taken"')
        body = '\n'.join(self.piece() for _ in range(self.random.randint(1, 3)))
        lines = [*head, '', '', 'class Driver(object):']
        if 'self.images' in body:
            lines += ['    def __init__(self):', f'        self.images = {self.default}()', '']
        elif 'self.lazy' in body:
            lines += [
                '    _kept = None', '', '    @property', '    def lazy(self):', '        if self._kept is None:',
                f'            self._kept = {self.default}()', '        return self._kept', '',
            ]  # fmt: skip
        lines += ['    def run(self, ctx, ref, row, data, flag, path, log):']
        lines += ['        ' + line if line else line for line in body.split('\n')]
        if '_helper(' in body:
            call = pick(('service.show(ctx, image_id)', 'service.delete(ctx, image_id)'))
            lines += ['', '', 'def _helper(ctx, service, image_id):', f'    return {call}']
        if '_telling(' in body:
            lines += ['', '', 'def _telling(ctx, service, image_id):']
            lines += ['    return [str(image_id), service.show(ctx, image_id)]']
        return '\n'.join(lines) + '\n'

    def calls(self, service: str, image: str, more: tuple[str, ...] = ()) -> str:
        """One to three calls on a service, each in a surrounding."""
        made = []
        for _ in range(self.random.randint(1, 3)):
            call = self.random.choice(CALLS + more * 3).format(s=service, i=image)
            made.append(indented(call, self.random.choice(WRAPPERS)))
        return '\n'.join(made)

    def piece(self) -> str:
        """One service, and what is done with it."""
        return str(self.random.choice(
            (self.local, self.chained, self.attribute, self.class_made, self.pairs, self.pairs, self.by_reference,
             self.unused, self.kept, self.two, self.in_class, self.stays, self.stays, self.closure, self.helper, self.chosen, self.passed_on, self.urls, self.injected,
             self.on_self)
        )())  # fmt: skip

    def local(self) -> str:
        return f'svc = {self.default}()\n' + self.calls('svc', 'row["id"]', ON_DEFAULT)

    def chained(self) -> str:
        return self.calls(self.random.choice((f'{self.default}()', f'{self.default}(  # here\n    )')), 'row["id"]', ON_DEFAULT)

    def attribute(self) -> str:
        return self.calls(self.random.choice(('self.images', 'self.images', 'self.lazy')), 'row["id"]', ON_DEFAULT)

    def class_made(self) -> str:
        return f'svc = {self.made}()\n' + self.calls('svc', 'row["id"]', ON_DEFAULT)

    def pairs(self) -> str:
        reference = self.random.choice(('ref', 'ref', "row['ref']", "''"))
        pair = self.random.choice(PAIRS).format(pair=self.pair, r=reference)
        tail = self.random.choice(('', '', '', '\nlog(image_id)', '\nref = "other"\nlog(svc.show(ctx, image_id))'))
        return pair + '\n' + self.calls('svc', 'image_id') + tail

    def by_reference(self) -> str:
        return f'svc, _own = {self.pair}(ctx, row["id"])\n' + self.calls('svc', 'row["id"]')

    def stays(self) -> str:
        """A service that is used for more than its reference."""
        reference = self.random.choice(('ref', "row['ref']", '(row["ref"] + "")', 'row["id"]', 'str(ref)'))
        if self.random.random() < 0.2:
            return f'svc = {self.pair}(ctx, {reference})[0]\n' + self.calls('svc', 'row["id"]', ON_DEFAULT)
        if self.random.random() < 0.2:
            return f'svc, image_id = {self.pair}(ctx, {reference})\nlog(_telling(ctx, svc, image_id))'
        pair = self.random.choice(PAIRS).format(pair=self.pair, r=reference)
        return '\n'.join((pair, self.calls('svc', 'image_id'), self.calls('svc', 'row["id"]', ON_DEFAULT)))

    def two(self) -> str:
        """Two services of two references at the same time."""
        pick = self.random.choice
        first = pick(PAIRS[:2]).format(pair=self.pair, r=pick(('ref', 'str(ref)', '(row["ref"] + "")')))
        second = f'svc2, other_id = {self.pair}(ctx, {pick(OTHERS)})'
        calls = [self.calls('svc', 'image_id'), self.calls('svc2', 'other_id'), self.calls('svc', 'image_id')]
        tails = [pick(('', 'log(image_id)')), pick(('', 'log(other_id)', 'log(svc2.show(ctx, row["id"]))'))]
        return '\n'.join(each for each in (first, second, *calls, *tails) if each)

    def in_class(self) -> str:
        """A service in the body of a class, and what else stands there."""
        if self.random.random() < 0.5:
            made = f'images = {self.default}()'
            inside = self.calls('images', 'row["id"]', ON_DEFAULT)
        else:
            made, inside = f'images, own = {self.pair}(ctx, ref)', self.calls('images', 'own')
        return indented(f'{made}\n{inside}', 'class Inner(object):\n    {}\nlog(Inner.images.show(ctx, row["id"]))')

    def unused(self) -> str:
        first = self.random.choice(('_svc, image_id', '_, image_id'))
        return f'{first} = {self.pair}(ctx, ref)\nlog(image_id)'

    def kept(self) -> str:
        shape = self.random.randrange(3)
        if shape == 0:
            return f'pair = {self.pair}(ctx, ref)\nsvc, image_id = pair\n' + self.calls('svc', 'image_id')
        if shape == 1:
            return f'svc = {self.pair}(ctx, row["id"])[0]\n' + self.calls('svc', 'row["id"]')
        return f'log({self.pair}(ctx, ref)[1])'

    def closure(self) -> str:
        if self.random.random() < 0.5:
            inside = self.calls(f'{self.default}()', 'row["id"]')
            return indented(inside, 'def again():\n    {}\nagain()')
        inside = self.calls('svc', 'image_id')
        return f'svc, image_id = {self.pair}(ctx, ref)\n' + indented(inside, 'def again():\n    {}\nagain()')

    def helper(self) -> str:
        if self.random.random() < 0.5:
            return f'svc = {self.default}()\nlog(_helper(ctx, svc, row["id"]))'
        return f'svc, image_id = {self.pair}(ctx, ref)\nlog(_helper(ctx, image_id=image_id, service=svc))'

    def chosen(self) -> str:
        lines = ['if flag:', f'    svc, image_id = {self.pair}(ctx, ref)', 'else:']
        lines.append(f"    svc, image_id = {self.pair}(ctx, row['ref'])")
        return '\n'.join(lines) + '\n' + self.calls('svc', 'image_id')

    def passed_on(self) -> str:
        call = self.random.choice(
            ('svc.show, ctx, row["id"]', 'svc.update, ctx, row["id"], row["meta"]', 'svc.delete, ctx, row["id"]')
        )
        return f'svc = {self.default}()\nlog(spawn({call}))'

    def urls(self) -> str:
        module = self.default.rpartition('.')[0]
        if not module:
            return self.local()
        late = f'spawn({module}.UpdateGlanceImage(ctx, row["id"], row["meta"], data).start)'
        soon = f'{module}.UpdateGlanceImage(ctx, row["id"], row["meta"], data).start()'
        return self.random.choice((f'log({module}.generate_image_url(row["id"]))', late, soon))

    def on_self(self) -> str:
        return f'self._svc, self._own = {self.pair}(ctx, ref)\n' + self.calls('self._svc', 'self._own')

    def injected(self) -> str:
        lines = ['def inner(svc=None):', f'    svc = svc or {self.default}()', '    {}', 'inner()']
        return indented(self.calls('svc', 'row["id"]'), '\n'.join(lines))
