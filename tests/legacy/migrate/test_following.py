# SPDX-License-Identifier: Apache-2.0
"""Following values: each way that a service, or the module, is reached, from both sides."""

from __future__ import annotations

import pytest

HEAD, NEW = 'from nova.image import glance\n', 'import nova_image.api\n'
S = 'glance.get_default_image_service()'
FOLLOWED = {
    'an alias of an alias': f'def f(c):\n    a = {S}\n    b = a\n    d = b\n    return d.show(c, 1)\n',
    'a walrus': f'def f(c):\n    if (a := {S}):\n        a.show(c, 1)\n',
    'a container with literal keys': (
        f"def f(c):\n    d = {{'image': {S}, 'x': 1}}\n    d['x'].show(c, 2)\n    return d['image'].show(c, 1)\n"
    ),
    'a closure': f'def f(c):\n    a = {S}\n    def g():\n        return a.show(c, 1)\n    return g\n',
    'a lambda': f'def f(c):\n    a = {S}\n    return lambda: a.show(c, 1)\n',
    'a comprehension': f'def f(c):\n    a = {S}\n    return [a.show(c, i) for i in c]\n',
    'a default, then a choice': f'def f(c):\n    a = None\n    if c:\n        a = {S}\n    return a.show(c, 1)\n',
    'either way the same': f'def f(c):\n    if c:\n        a = {S}\n    else:\n        a = {S}\n    a.show(c, 1)\n',
    'bound again to something else': f'def f(c, x):\n    a = {S}\n    a.show(c, 1)\n    a = x\n    a.odd(c, 2)\n',
    'deleted afterwards': f'def f(c):\n    a = {S}\n    a.show(c, 1)\n    del a\n',
    'an attribute of self': (
        f'class C:\n    def __init__(self):\n        self.a = {S}\n    def f(self, c):\n        self.a.show(c, 1)\n'
    ),
    'an attribute that a subclass reads': (
        f'class C:\n    def __init__(self):\n        self.a = {S}\n\n\n'
        'class D(C):\n    def f(self, c):\n        self.a.show(c, 1)\n'
    ),
    'an attribute of the class': f'class C:\n    a = {S}\n\n    def f(self, c):\n        self.a.show(c, 1)\n',
    'a shadowing parameter elsewhere': f'def f(c):\n    a = {S}\n    a.show(c, 1)\n\n\ndef g(a):\n    a.odd(1)\n',
}


@pytest.mark.parametrize('name', FOLLOWED)
def test_a_value_is_followed(name, changes):
    after = FOLLOWED[name].replace(S, 'nova_image.api.API()').replace('.show(c, 1)', '.get(c, 1)')
    changes(HEAD + FOLLOWED[name], NEW + after.replace('a.show(c, i)', 'a.get(c, i)'), left=0)


NOT_FOLLOWED = {
    'a container with a computed key': f'def f(c, k):\n    d = {{"image": {S}}}\n    return d[k].show(c, 1)\n',
    'a container that goes elsewhere': f'def f(c):\n    d = {{"image": {S}}}\n    g(d)\n    d["image"].show(c, 1)\n',
    'a container that is stored into': (
        f'def f(c, x):\n    d = {{"image": {S}}}\n    d["image"] = x\n    d["image"].show(c, 1)\n'
    ),
    'a list': f'def f(c):\n    d = [{S}]\n    return d[0].show(c, 1)\n',
    'a choice of two kinds': f'def f(c, x):\n    a = {S}\n    if c:\n        a = x\n    a.show(c, 1)\n',
    'a global that functions bind': (
        f'a = None\n\n\ndef f(x):\n    global a\n    a = x\n\n\ndef g(c):\n    global a\n    a = {S}\n    a.show(c, 1)\n'
    ),
    'a generator': f'def f(c):\n    yield {S}\n',
    'a loop variable': f'def f(c):\n    for a in ({S},):\n        a.show(c, 1)\n',
}


@pytest.mark.parametrize('name', NOT_FOLLOWED)
def test_a_value_that_may_be_something_else_is_left(name, stays):
    result = stays('from legacy import glance\n' + NOT_FOLLOWED[name])
    assert result.totals['rewritten'] == 0 and result.totals['left'] > 1


PASSED_ON = 'from nova.image import glance\nfrom nova.image.glance import get_default_image_service\n'
READERS = {
    'from pkg.images import glance\nglance.get_default_image_service().show(c, 1)\n': True,
    'from pkg.images import glance as g\ng.get_default_image_service().show(c, 1)\n': True,
    'from .images import get_default_image_service\nget_default_image_service().show(c, 1)\n': True,
    'from pkg.other import glance\nglance.get_default_image_service().show(c, 1)\n': False,
    'from pkg.images import *\nget_default_image_service().show(c, 1)\n': False,
}


@pytest.mark.parametrize('text', READERS)
def test_a_name_that_a_module_of_the_tree_passes_on_is_followed(text, migrate):
    result = migrate({'pkg/__init__.py': '', 'pkg/images.py': PASSED_ON, 'pkg/b.py': text})
    new = result.files['pkg/b.py'].new_bytes.decode() if 'pkg/b.py' in result.files else text
    assert (new == NEW + 'nova_image.api.API().get(c, 1)\n') is READERS[text], new
    assert b'import glance' in result.files['pkg/images.py'].new_bytes


@pytest.mark.parametrize(
    'line', ['from nova import image', 'import nova.image', 'from nova import image as i', 'import nova']
)
def test_the_module_is_reached_through_its_package(line, changes):
    name = {'from nova import image': 'image', 'from nova import image as i': 'i'}.get(line, 'nova.image')
    changes(
        f'{line}\n{name}.glance.get_default_image_service().show(c, 1)\n',
        f'{NEW}{line}\nnova_image.api.API().get(c, 1)\n',
    )


def test_a_package_of_the_same_name_is_not_ours(stays):
    stays('from far import image\nimage.glance.generate_image_url(1)\n', status='not-ours')


@pytest.mark.parametrize(
    ('package', 'reader'),
    [
        ('', 'from p.a import *\nprint(s.show(c, 1))\n'),
        ('', 'from .a import *\nprint(s.show(c, 1))\n'),
        ('from p.a import *\n', 'import p\nprint(p.s.show(c, 1))\n'),
        ('from .a import *\n', 'from p import s\nprint(s.show(c, 1))\n'),
        ('', 'from p.a import x, \\\n    s\nprint(s.show(c, 1))\n'),
    ],
)
def test_a_service_of_a_module_that_another_one_gets_by_star_is_left(package, reader, migrate):
    start = 'from legacy import glance\ns = glance.get_default_image_service()\nx = s.show(c, 1)\n'
    result = migrate({'p/__init__.py': package, 'p/a.py': start, 'p/b.py': reader})
    assert not result.changed
    assert {site.pattern for site in result.sites if site.name == 's'} == {'P-23'}


def test_an_import_that_another_module_gets_by_star_points_at_the_shim(migrate):
    use = 'glance.get_default_image_service().show(c, 1)\n'
    result = migrate({'p/__init__.py': '', 'p/a.py': 'from nova.image import glance\n' + use, 'p/b.py': 'from p.a import *\n' + use})
    assert result.changed == ['p/a.py']
    assert b'from legacy import glance\n' in result.files['p/a.py'].new_bytes
