# SPDX-License-Identifier: Apache-2.0
"""P-08 to P-19: how services and pairs become API objects, and when they do not."""

from __future__ import annotations

import pytest

HEAD = 'from nova.image import glance\n'
NEW = 'import nova_image.api\n'
AUTOMATIC = {
    'P-08 default service': (
        """
def f(ctx, wanted):
    svc = glance.get_default_image_service()
    rows = svc.detail(ctx, filters=wanted)
    for row in rows:
        svc.delete(ctx, row['id'])
""",
        """
def f(ctx, wanted):
    svc = nova_image.api.API()
    rows = svc.get_all(ctx, filters=wanted)
    for row in rows:
        svc.delete(ctx, row['id'])
""",
    ),
    'P-08 in a script': (
        """
svc = glance.get_default_image_service()
print(svc.show(ctx, 'x'))
""",
        """
svc = nova_image.api.API()
print(svc.get(ctx, 'x'))
""",
    ),
    'P-09 chained over lines': (
        """
record = glance.\\
    get_default_image_service().\\
    show(ctx, ref)
""",
        """
record = nova_image.api.\\
    API().\\
    get(ctx, ref)
""",
    ),
    'P-10 attribute': (
        """
class C(object):
    _images = None

    def __init__(self):
        self._images = glance.get_default_image_service()

    def f(self, ctx, ref):
        return [self._images.show(ctx, each) for each in ref]
""",
        """
class C(object):
    _images = None

    def __init__(self):
        self._images = nova_image.api.API()

    def f(self, ctx, ref):
        return [self._images.get(ctx, each) for each in ref]
""",
    ),
    'P-12 plain': (
        """
def f(ctx, ref):
    (svc,
     real_id) = glance.get_remote_image_service(ctx, ref)  # a pair
    record = svc.show(ctx, real_id)
    svc.update(ctx, real_id, {})
""",
        """
def f(ctx, ref):
    svc = nova_image.api.API()  # a pair
    record = svc.get(ctx, ref)
    svc.update(ctx, ref, {}, purge_props=True)
""",
    ),
    'P-12 reference is an expression': (
        """
def f(ctx, row):
    svc, real_id = glance.get_remote_image_service(ctx, row['image_ref'])
    return svc.show(ctx, real_id)
""",
        """
def f(ctx, row):
    svc, real_id = nova_image.api.API(), row['image_ref']
    return svc.get(ctx, real_id)
""",
    ),
    'P-12 reference is bound again in between': (
        """
def f(ctx, ref):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    ref = 'other'
    return svc.show(ctx, real_id)
""",
        """
def f(ctx, ref):
    svc, real_id = nova_image.api.API(), ref
    ref = 'other'
    return svc.get(ctx, real_id)
""",
    ),
    'P-12 the id takes the name of the reference': (
        """
def f(ctx, ref):
    svc, ref = glance.get_remote_image_service(ctx, ref)
    return svc.show(ctx, ref)
""",
        """
def f(ctx, ref):
    svc = nova_image.api.API()
    return svc.get(ctx, ref)
""",
    ),
    'P-12 two acquisitions share their names': (
        """
def f(ctx, one, two):
    svc, i = glance.get_remote_image_service(ctx, one)
    a = svc.show(ctx, i)
    svc, i = glance.get_remote_image_service(ctx, two)
    return a, svc.show(ctx, i)
""",
        """
def f(ctx, one, two):
    svc = nova_image.api.API()
    a = svc.get(ctx, one)
    svc = nova_image.api.API()
    return a, svc.get(ctx, two)
""",
    ),
    'P-12 in a loop': (
        """
def f(ctx, refs):
    for ref in refs:
        svc, i = glance.get_remote_image_service(ctx, ref)
        svc.delete(ctx, i)
""",
        """
def f(ctx, refs):
    for ref in refs:
        svc = nova_image.api.API()
        svc.delete(ctx, ref)
""",
    ),
    'P-12 after the loop the reference is another': (
        """
def f(ctx, refs):
    svc = i = None
    for ref in refs:
        if ref.good:
            svc, i = glance.get_remote_image_service(ctx, ref)
    return svc.show(ctx, i)
""",
        """
def f(ctx, refs):
    svc = i = None
    for ref in refs:
        if ref.good:
            svc, image_ref = nova_image.api.API(), ref
            i = nova_image.parse_image_ref(image_ref).image_id
    return svc.get(ctx, image_ref)
""",
    ),
    'P-13 the id escapes': (
        """
def f(ctx, ref):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    record = svc.show(ctx, real_id)
    return real_id, record
""",
        """
def f(ctx, ref):
    svc, real_id = nova_image.api.API(), nova_image.parse_image_ref(ref).image_id
    record = svc.get(ctx, ref)
    return real_id, record
""",
    ),
    'P-13 the id escapes under the name of the reference': (
        """
def f(ctx, ref):
    svc, ref = glance.get_remote_image_service(ctx, ref)
    record = svc.show(ctx, ref)
    return ref, record
""",
        """
def f(ctx, ref):
    svc, image_ref = nova_image.api.API(), ref
    ref = nova_image.parse_image_ref(image_ref).image_id
    record = svc.get(ctx, image_ref)
    return ref, record
""",
    ),
    'P-13 locals() may read the id': (
        """
def f(ctx, ref):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    record = svc.show(ctx, real_id)
    return '%(real_id)s' % locals()
""",
        """
def f(ctx, ref):
    svc, real_id = nova_image.api.API(), nova_image.parse_image_ref(ref).image_id
    record = svc.get(ctx, ref)
    return '%(real_id)s' % locals()
""",
    ),
    'P-14 the reference itself is passed': (
        """
def f(ctx, ref):
    svc, _real = glance.get_remote_image_service(ctx, ref)
    return svc.show(ctx, ref)
""",
        """
def f(ctx, ref):
    svc = nova_image.api.API()
    return svc.get(ctx, ref)
""",
    ),
    'P-15 a literal empty reference asks for the default': (
        """
def f(ctx, meta):
    svc, _ = glance.get_remote_image_service(ctx, '')
    return svc.create(ctx, meta)
""",
        """
def f(ctx, meta):
    svc = nova_image.api.API()
    return svc.create(ctx, meta)
""",
    ),
    'P-15 the empty id is still used': (
        """
def f(ctx, ref):
    svc, ref = glance.get_remote_image_service(ctx, '')
    return svc.show(ctx, ref)
""",
        """
def f(ctx, ref):
    svc, ref = nova_image.api.API(), ''
    return svc.get(ctx, ref)
""",
    ),
    'P-16 only the parse is wanted': (
        """
def f(ctx, ref):
    _svc, real_id = glance.get_remote_image_service(ctx, ref)
    return real_id
""",
        """
def f(ctx, ref):
    real_id = nova_image.parse_image_ref(ref).image_id
    return real_id
""",
    ),
    'P-17 kept whole and subscripted': (
        """
def f(ctx, ref, sink):
    pair = glance.get_remote_image_service(ctx, ref)
    svc, real_id = pair
    svc.delete(ctx, real_id)
    other = glance.get_remote_image_service(ctx, ref)[0]
    other.download(ctx, ref, sink)
    glance.get_remote_image_service(ctx, ref)[0].delete(ctx, ref)
    return glance.get_remote_image_service(ctx, ref)[1]
""",
        """
def f(ctx, ref, sink):
    pair = (nova_image.api.API(), ref)
    svc, real_id = pair
    svc.delete(ctx, real_id)
    other = nova_image.api.API()
    other.download(ctx, ref, sink)
    nova_image.api.API().delete(ctx, ref)
    return nova_image.parse_image_ref(ref).image_id
""",
    ),
    'P-19 constructed': (
        'svc = glance.GlanceImageService()\nsvc.delete(ctx, x)\n',
        'svc = nova_image.api.API()\nsvc.delete(ctx, x)\n',
    ),
    'P-20 around the client of one host': (
        """
def f(ctx, peer):
    svc = glance.GlanceImageService(glance.GlanceClientWrapper(ctx, host=peer, port=9292, use_ssl=True))
    svc.delete(ctx, 'x')
    return glance.GlanceImageService(client=glance.GlanceClientWrapper()).show(ctx, 'x')
""",
        """
def f(ctx, peer):
    svc = nova_image.api.API(endpoint='https://%s:%s' % (peer, 9292))
    svc.delete(ctx, 'x')
    return nova_image.api.API().get(ctx, 'x')
""",
    ),
    'P-36 what passes its arguments on': (
        """
def f(self, ctx, ref, pool):
    svc = glance.get_default_image_service()
    self.addCleanup(svc.update, ctx, ref, {'status': 'active'})
    self.assertRaises(Error, svc.show, ctx, image_id=ref)
    pool.spawn(functools.partial(svc.delete, ctx, ref))
""",
        """
def f(self, ctx, ref, pool):
    svc = nova_image.api.API()
    self.addCleanup(svc.update, ctx, ref, {'status': 'active'}, purge_props=True)
    self.assertRaises(Error, svc.get, ctx, id_or_uri=ref)
    pool.spawn(functools.partial(svc.delete, ctx, ref))
""",
    ),
    'P-18 unpacked into attributes': (
        """
class C(object):
    def __init__(self, ctx, ref):
        self.ctx = ctx
        self._svc, self._id = glance.get_remote_image_service(ctx, ref)

    def look(self):
        return self._svc.show(self.ctx, self._id)
""",
        """
class C(object):
    def __init__(self, ctx, ref):
        self.ctx = ctx
        self._svc, self._id = nova_image.api.API(), ref
        nova_image.parse_image_ref(self._id)

    def look(self):
        return self._svc.get(self.ctx, self._id)
""",
    ),
    'P-18 used where it is made': (
        """
class C(object):
    def f(self, ctx, ref):
        self._svc, self._id = glance.get_remote_image_service(ctx, ref)
        return self._svc.show(ctx, self._id)
""",
        """
class C(object):
    def f(self, ctx, ref):
        self._svc, self._id = nova_image.api.API(), ref
        return self._svc.get(ctx, self._id)
""",
    ),
    'P-36 of a pair': (
        """
def f(self, ctx, ref):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    self.addCleanup(svc.delete, ctx, real_id)
""",
        """
def f(self, ctx, ref):
    svc, real_id = nova_image.api.API(), nova_image.parse_image_ref(ref).image_id
    self.addCleanup(svc.delete, ctx, ref)
""",
    ),
    'P-24 in a decorator': (
        """
def cleanup(func):
    def inner(self, ctx, ref):
        try:
            return func(self, ctx, ref)
        except Exception:
            glance.get_default_image_service().delete(ctx, ref)
            raise
    return inner
""",
        """
def cleanup(func):
    def inner(self, ctx, ref):
        try:
            return func(self, ctx, ref)
        except Exception:
            nova_image.api.API().delete(ctx, ref)
            raise
    return inner
""",
    ),
    'P-24 used in a closure': (
        """
def f(ctx, ref):
    svc, i = glance.get_remote_image_service(ctx, ref)
    def later():
        return svc.show(ctx, i)
    return later
""",
        """
def f(ctx, ref):
    svc, i = nova_image.api.API(), nova_image.parse_image_ref(ref).image_id
    def later():
        return svc.get(ctx, ref)
    return later
""",
    ),
    'P-47 a broad except behind the acquisition': (
        """
def f(ctx, ref):
    svc, i = glance.get_remote_image_service(ctx, ref)
    try:
        svc.delete(ctx, i)
    except Exception:
        pass
""",
        """
def f(ctx, ref):
    svc, i = nova_image.api.API(), nova_image.parse_image_ref(ref).image_id
    try:
        svc.delete(ctx, ref)
    except Exception:
        pass
""",
    ),
    'P-47 a narrow except sees no difference': (
        """
def f(ctx, ref):
    svc, i = glance.get_remote_image_service(ctx, ref)
    try:
        svc.delete(ctx, i)
    except exception.ImageNotFound:
        pass
""",
        """
def f(ctx, ref):
    svc = nova_image.api.API()
    try:
        svc.delete(ctx, ref)
    except exception.ImageNotFound:
        pass
""",
    ),
    'P-61 both branches make a service': (
        """
def f(ctx, a, b, x):
    if x:
        svc, i = glance.get_remote_image_service(ctx, a)
    else:
        svc, i = glance.get_remote_image_service(ctx, b)
    return svc.show(ctx, i)
""",
        """
def f(ctx, a, b, x):
    if x:
        svc, i = nova_image.api.API(), a
    else:
        svc, i = nova_image.api.API(), b
    return svc.get(ctx, i)
""",
    ),
    'comments inside the call survive': (
        """
def f(ctx, ref):
    (svc,  # the service
     i) = glance.get_remote_image_service(  # first
        ctx,  # second
        ref)
    return svc.show(ctx, i)
""",
        """
def f(ctx, ref):
    (svc,  # the service
     i) = nova_image.api.API(  # first
          # second
        ), ref
    return svc.get(ctx, i)
""",
    ),
}


@pytest.mark.parametrize('name', AUTOMATIC)
def test_an_acquisition_becomes_an_api_object(name, changes):
    before, after = AUTOMATIC[name]
    changes(HEAD + before, NEW + after, left=0)


LEFT = {
    'P-11 injected or default': (
        'P-11',
        'def f(ctx, s=None):\n    s = s or glance.get_default_image_service()\n    s.show(ctx, 1)\nf(c, x)\n',
    ),
    'P-11 parameter or default': (
        'P-11',
        (
            'def f(ctx, s=None):\n    if not s:\n        s = glance.get_default_image_service()\n'
            '    s.show(ctx, 1)\nf(c, s=x)\n'
        ),
    ),
    'P-12 another context': (
        'P-12',
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.show(c.elevated(), i)\n',
    ),
    'P-12 the context is bound again': (
        'P-12',
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    c = g()\n    s.show(c, i)\n',
    ),
    'P-16 neither half is used': ('P-16', 'def f(c, r):\n    glance.get_remote_image_service(c, r)\n'),
    'P-17 asked of the whole pair': (
        'P-17',
        'def f(c, r):\n    p = glance.get_remote_image_service(c, r)\n    p.show(c, r)\n',
    ),
    'P-18 the calls use another context': (
        'P-18',
        (
            'class C:\n    def f(self, c, r):\n        self.s, self.i = glance.get_remote_image_service(c, r)\n'
            '    def g(self, c):\n        return self.s.show(c, self.i)\n'
        ),
    ),
    'P-20 around a client': ('P-20', 's = glance.GlanceImageService(client)\ns.show(c, 1)\n'),
    'P-21 handed over': (
        'P-21',
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.show(c, i)\n    g(c, s, i)\n',
    ),
    'P-21 handed over by keyword': ('P-21', 's = glance.get_default_image_service()\ng(image_service=s)\n'),
    'P-22 default of a parameter': (
        'P-22',
        'def f(s=glance.get_default_image_service()):\n    s.show(c, 1)\n',
    ),
    'P-23 read through an unknown object': (
        'P-23',
        """
class C:
    def __init__(self):
        self.images = glance.get_default_image_service()
def f(c, other):
    return other.images.show(c, 1)
""",
    ),
    'P-23 reached by its name': (
        'P-23',
        """
class C:
    def __init__(self):
        self.images = glance.get_default_image_service()
        getattr(self, 'images').show(c, 1)
""",
    ),
    'P-25 returned': ('P-25', 'def f():\n    return glance.get_default_image_service()\n'),
    'P-25 aliased': ('P-25', 'make = glance.get_remote_image_service\ns, i = make(c, r)\n'),
    'P-25 type asked': ('P-25', 's = glance.get_default_image_service()\nt = type(s)\n'),
    'P-36 a bound method stored': ('P-36', 's = glance.get_default_image_service()\nf = s.update\n'),
    'P-36 something that may not pass keywords on': (
        'P-36',
        's = glance.get_default_image_service()\nt.custom(s.update, c, r, {})\n',
    ),
    'P-36 data may come later': ('P-36', 's = glance.get_default_image_service()\npartial(s.update, c, r, {})\n'),
    'P-20 the calls use another context': (
        'P-20',
        's = glance.GlanceImageService(glance.GlanceClientWrapper(c, h, 1))\ns.show(d, 1)\n',
    ),
    'P-37 no counterpart': ('P-37', 's = glance.get_default_image_service()\ns._client.call(c, 2, "get")\n'),
    'P-37 one odd use leaves the group': (
        'P-37',
        's = glance.get_default_image_service()\ns.show(c, 1)\ns.get_locations(c, 1)\n',
    ),
    'P-61 bound to something else too': (
        'P-61',
        'if x:\n    s = glance.get_default_image_service()\nelse:\n    s = Other()\ns.show(c, 1)\n',
    ),
    'P-60 every name is taken': (
        'P-60',
        'nova_image = _nova_image_api = 1\nglance.get_default_image_service().show(c, 1)\n',
    ),
}


@pytest.mark.parametrize('name', LEFT)
def test_what_is_not_safe_is_left_as_a_whole(name, stays):
    pattern, text = LEFT[name]
    text = 'from legacy import glance\n' + text
    result = stays(text, pattern)
    assert result.totals['rewritten'] == 0


def test_a_taken_name_gives_way_to_the_fallback(changes):
    """P-60: nothing of the file's own is shadowed."""
    changes(
        HEAD
        + 'def f(nova_image, c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.show(c, i)\n    return i\n',
        'import nova_image.api as _nova_image_api\n'
        'from nova_image import parse_image_ref as _parse_image_ref\n'
        'def f(nova_image, c, r):\n    s, i = _nova_image_api.API(), _parse_image_ref(r).image_id\n'
        '    s.get(c, r)\n    return i\n',
    )


def test_an_attribute_read_from_another_file_is_left(migrate):
    result = migrate(
        {
            'a.py': HEAD
            + 'class C:\n    def __init__(self):\n        self.images = glance.get_default_image_service()\n',
            'b.py': 'def f(api, c):\n    return api.images.show(c, 1)\n',
        }
    )
    assert [site.pattern for site in result.sites if site.name == 'get_default_image_service'] == ['P-10']
    assert result.totals['rewritten'] == 1, 'only the import moves, to the shim'
    assert any('b.py:2' in site.reason for site in result.sites)


def test_a_global_read_from_another_file_is_left(migrate):
    result = migrate(
        {
            'pkg/a.py': HEAD + 'SERVICE = glance.get_default_image_service()\n',
            'pkg/b.py': 'from pkg import a\n\ndef f(c):\n    return a.SERVICE.show(c, 1)\n',
        }
    )
    assert any(site.pattern == 'P-23' and 'b.py:4' in site.reason for site in result.sites)
