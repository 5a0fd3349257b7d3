# SPDX-License-Identifier: Apache-2.0
"""P-11 and P-23 over a whole tree: services from callers, attributes of other objects, lazy properties."""

from __future__ import annotations

import pytest

HEAD = 'from nova.image import glance\n\n\n'
OWNER = HEAD + (
    'class Keeper(object):\n    def __init__(self, image_service=None, other=None):\n'
    '        self._svc = image_service or glance.get_default_image_service()\n\n'
    '    def look(self, ctx, ref):\n        return self._svc.show(ctx, ref)\n'
)
MOVES = {
    'nobody gives one': {'b.py': 'from pkg import a\n\n\ndef f():\n    return a.Keeper(other=1)\n'},
    'a caller gives None': {'b.py': 'from pkg.a import Keeper\n\n\ndef f():\n    return Keeper(None, 1)\n'},
    'a caller gives an old service': {
        'b.py': (
            'from nova.image import glance\nfrom pkg import a\n\n\n'
            'def f(ctx):\n    svc = glance.get_default_image_service()\n    svc.delete(ctx, 1)\n    return a.Keeper(svc)\n'
        )
    },
    'a subclass hands on what nobody gives': {
        'b.py': (
            'from pkg import a\n\n\nclass More(a.Keeper):\n    def __init__(self, *args, **kwargs):\n'
            '        super(More, self).__init__(*args, **kwargs)\n\n\ndef f():\n    return More(other=2)\n'
        )
    },
    'a subclass in another file reads it': {
        'b.py': 'from pkg import a\n\n\nclass More(a.Keeper):\n    def drop(self, ctx, ref):\n        self._svc.delete(ctx, ref)\n'
    },
    'another object has it': {
        'b.py': (
            'from pkg import a\n\n\nclass User(object):\n    def __init__(self, keeper=None):\n'
            '        self.keeper = keeper or a.Keeper()\n\n    def go(self, ctx):\n'
            '        svc = self.keeper._svc\n        return svc.show(ctx, 1), self.keeper._svc.detail(ctx)\n'
        )
    },
    'a factory that loads the class by its name': {
        'make.py': (
            'from oslo_utils import importutils\n\n\ndef _name():\n    return "pkg.a.Keeper"\n\n\n'
            'def API(*args, **kwargs):\n    return importutils.import_object(_name(), *args, **kwargs)\n'
        ),
        'b.py': (
            'from pkg import make\n\n\nclass User(object):\n    def __init__(self):\n'
            '        self.keeper = make.API(other=2)\n\n    def go(self, ctx):\n'
            '        return self.keeper._svc.show(ctx, 1)\n'
        ),
    },
    'a word of the same spelling': {'b.py': 'T = {"_svc": 1, "Keeper": 2}\n\n\nclass Other(object):\n    _svc = 1\n'},
    'another class with the same attribute': {
        'b.py': 'class Other(object):\n    def __init__(self, x):\n        self._svc = x\n        self._svc.odd()\n'
    },
}


@pytest.mark.parametrize('name', MOVES)
def test_an_injected_service_moves_with_everything_that_reaches_it(name, migrate):
    files = {f'pkg/{path}': text for path, text in MOVES[name].items()}
    result = migrate({'pkg/__init__.py': '', 'pkg/a.py': OWNER, **files})
    assert result.totals['left'] == 0, [str(site) for site in result.sites]
    assert b'self._svc = image_service or nova_image.api.API()' in result.files['pkg/a.py'].new_bytes
    texts = {path: each.new_bytes.decode() for path, each in result.files.items()}
    assert '.show(' not in ''.join(texts.values()) and '.detail(' not in ''.join(texts.values())


STAYS = {
    'a test gives a fake': ('P-11', 'from pkg import a\n\n\ndef test():\n    a.Keeper(image_service=Fake())\n'),
    'a caller gives what it was given': ('P-11', 'from pkg import a\n\n\ndef f(x):\n    return a.Keeper(x)\n'),
    'a subclass gives something': (
        'P-11',
        'from pkg import a\n\n\nclass More(a.Keeper):\n    def __init__(self):\n        super(More, self).__init__(Fake())\n',
    ),
    'the class is a value': ('P-11', 'from pkg import a\n\nCLASSES = [a.Keeper]\n'),
    'somebody stores something else': ('P-11', 'from pkg import a\nk = a.Keeper()\nk._svc = Fake()\n'),
    'an unknown object is asked': ('P-23', 'def f(x, ctx):\n    return x._svc.show(ctx, 1)\n'),
    'a getattr': ('P-23', "def f(x):\n    return getattr(x, '_svc')\n"),
    'a double of the attribute': ('P-23', "from pkg import a\nmock.patch.object(a.Keeper, '_svc')\n"),
    'a mixin that another class completes': (
        'P-23',
        (
            'from pkg import a\n\n\nclass Mixin(object):\n    def f(self, c):\n        self._svc.show(c, 1)\n\n\n'
            'class Both(Mixin, a.Keeper):\n    pass\n'
        ),
    ),
    'a base that is not in the run': (
        'P-23',
        'from far import Base\n\n\nclass More(Base):\n    def f(self, c):\n        self._svc.show(c, 1)\n',
    ),
    'an odd use elsewhere': (
        'P-37',
        'from pkg import a\n\n\ndef f(ctx):\n    return a.Keeper()._svc._client.call(ctx, 1, "get")\n',
    ),
}


@pytest.mark.parametrize('name', STAYS)
def test_one_unknown_giver_or_reader_leaves_everything(name, migrate):
    pattern, text = STAYS[name]
    result = migrate({'pkg/__init__.py': '', 'pkg/a.py': OWNER, 'pkg/b.py': text})
    assert b'image_service or glance.get_default' in result.files['pkg/a.py'].new_bytes
    assert pattern in {site.pattern for site in result.sites if site.status == 'left'}
    assert any('b.py' in site.file or 'b.py' in site.reason for site in result.sites)


def test_one_file_is_not_the_whole_tree(tmp_path):
    from legacy.migrate import run

    (tmp_path / 'a.py').write_text(OWNER)
    assert any('outside the given paths' in site.reason for site in run([tmp_path / 'a.py'], tmp_path).sites)


def test_a_choice_written_with_is_not_none_keeps_its_form(changes):
    changes(
        HEAD + 'def f(ctx, s=None):\n    s = s if s is not None else glance.get_default_image_service()\n    s.show(ctx, 1)\n',
        'import nova_image.api\n\n\ndef f(ctx, s=None):\n    s = s if s is not None else nova_image.api.API()\n'
        '    s.get(ctx, 1)\n',
        left=0,
    )


LAZY = (
    'class C(object):\n    _kept = None\n\n    @property\n    def svc(self):\n        if self._kept is None:\n'
    '            self._kept = glance.get_default_image_service()\n        return self._kept\n\n'
    '    def f(self, ctx):\n        return self.svc.show(ctx, 1)\n'
)


def test_a_lazy_property_is_followed(changes):
    changes(
        HEAD + LAZY,
        'import nova_image.api\n\n\n'
        + LAZY.replace('glance.get_default_image_service', 'nova_image.api.API').replace('.show', '.get'),
        left=0,
    )


@pytest.mark.parametrize(
    'more', ['def g(x, c):\n    x.svc.show(c, 1)\n', 'class D(C):\n    def svc(self):\n        return 1\n']
)
def test_a_property_that_others_may_reach_is_not(more, stays):
    stays('from legacy import glance\n' + LAZY + more, 'P-10')
