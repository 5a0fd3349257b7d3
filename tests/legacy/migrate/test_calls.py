# SPDX-License-Identifier: Apache-2.0
"""P-26 to P-35, P-38, P-39, P-42: what each call becomes, and which calls are left."""

from __future__ import annotations

import pytest

CALLS = {
    'svc.show(ctx, x)': 'svc.get(ctx, x)',
    'dict(svc.show(ctx, x))["a"]': 'dict(svc.get(ctx, x))["a"]',
    'svc.show(ctx, x).get("name")': 'svc.get(ctx, x).get("name")',
    'svc.show(context=ctx, image_id=x)': 'svc.get(context=ctx, id_or_uri=x)',
    'svc.show(ctx, x, True, False)': 'svc.get(ctx, x, include_locations=True, show_deleted=False)',
    'svc.show(ctx, x, show_deleted=y)': 'svc.get(ctx, x, show_deleted=y)',
    'svc.show(ctx, x, **kw)': 'svc.get(ctx, x, **kw)',
    'svc.detail(ctx)': 'svc.get_all(ctx)',
    'svc.detail(ctx, filters=f, marker=m, limit=1)': 'svc.get_all(ctx, filters=f, marker=m, limit=1)',
    'svc.detail(ctx, filters=f, colour=1)': 'svc.get_all(ctx, filters=f)',
    'svc.detail(ctx, colour=1, filters=f)': 'svc.get_all(ctx, filters=f)',
    'svc.detail(ctx, **{"filters": f})': 'svc.get_all(ctx, **{"filters": f})',
    'svc.detail(ctx, **kw)': 'svc.get_all(ctx, **nova_image.listing_arguments(kw))',
    'svc.detail(ctx, filters=f, **self.page(x))': (
        'svc.get_all(ctx, filters=f, **nova_image.listing_arguments(self.page(x)))'
    ),
    'svc.create(ctx, meta)': 'svc.create(ctx, meta)',
    'svc.create(ctx, meta, data="")': 'svc.create(ctx, meta, data="")',
    'svc.create(ctx, image_meta=meta, data=d)': 'svc.create(ctx, image_info=meta, data=d)',
    'svc.update(ctx, x, meta)': 'svc.update(ctx, x, meta, purge_props=True)',
    'svc.update(ctx, x, meta,)': 'svc.update(ctx, x, meta, purge_props=True,)',
    'svc.update(ctx, x, meta, None)': 'svc.update(ctx, x, meta, None, purge_props=True)',
    'svc.update(ctx, x, meta, "")': 'svc.update(ctx, x, meta, "", purge_props=True)',
    'svc.update(ctx, x, meta, data=b"")': 'svc.update(ctx, x, meta, data=b"", purge_props=True)',
    'svc.update(ctx, x, meta, "bytes")': 'svc.update(ctx, x, meta, "bytes", purge_props=False)',
    'svc.update(ctx, x, meta, open(p))': 'svc.update(ctx, x, meta, open(p), purge_props=False)',
    'svc.update(ctx, x, meta, maybe)': 'svc.update(ctx, x, meta, maybe, purge_props=not maybe)',
    'svc.update(ctx, x, meta, self.d)': (
        "svc.update(ctx, x, meta, self.d, purge_props=not (self.d or hasattr(self.d, 'read')))"
    ),
    'svc.update(ctx, x, image_meta=read(self), data=r["d"])': (
        "svc.update(ctx, x, image_info=read(self), data=r[\"d\"], purge_props=not (r[\"d\"] or hasattr(r[\"d\"], 'read')))"
    ),
    'svc.update(ctx, x, meta, self.d, True)': (
        "svc.update(ctx, x, meta, self.d, not (self.d or hasattr(self.d, 'read')))"
    ),
    'svc.update(ctx, x, meta, self.d, purge_props=p)': (
        "svc.update(ctx, x, meta, self.d, purge_props=p and not (self.d or hasattr(self.d, 'read')))"
    ),
    'svc.update(ctx, x, meta, data=maybe)': 'svc.update(ctx, x, meta, data=maybe, purge_props=not maybe)',
    'svc.update(ctx, x, meta, d, False)': 'svc.update(ctx, x, meta, d, False)',
    'svc.update(ctx, x, meta, d, purge_props=False)': 'svc.update(ctx, x, meta, d, purge_props=False)',
    'svc.update(ctx, x, meta, purge_props=p)': 'svc.update(ctx, x, meta, purge_props=p)',
    'svc.update(ctx, x, meta, None, p or q)': 'svc.update(ctx, x, meta, None, p or q)',
    'svc.update(ctx, x, meta, d, True)': 'svc.update(ctx, x, meta, d, not d)',
    'svc.update(ctx, x, meta, d, purge_props=True)': 'svc.update(ctx, x, meta, d, purge_props=not d)',
    'svc.update(ctx, x, meta, d, purge_props=p)': 'svc.update(ctx, x, meta, d, purge_props=p and not d)',
    'svc.update(ctx, x, meta, d, purge_props=p or q)': 'svc.update(ctx, x, meta, d, purge_props=(p or q) and not d)',
    'svc.update(ctx, x, meta, open(p), purge_props=True)': 'svc.update(ctx, x, meta, open(p), purge_props=False)',
    'svc.update(ctx, image_id=x, image_meta=m)': 'svc.update(ctx, id_or_uri=x, image_info=m, purge_props=True)',
    'svc.create(ctx, {"properties": {"a": None, "b": b}, "owner": None})': (
        'svc.create(ctx, {"properties": {"a": \'None\', "b": b}, "owner": None})'
    ),
    'svc.create(ctx, **{"image_meta": {"properties": {"a": None}}})': (
        'svc.create(ctx, **{"image_info": {"properties": {"a": \'None\'}}})'
    ),
    'svc.update(ctx, x, {"properties": {"a": None, "kernel_id": None, k: None}}, purge_props=False)': (
        'svc.update(ctx, x, {"properties": {"a": \'None\', "kernel_id": None, k: None}}, purge_props=False)'
    ),
    'svc.delete(ctx, x)': 'svc.delete(ctx, x)',
    'svc.delete(ctx, image_id=x)': 'svc.delete(ctx, id_or_uri=x)',
    'svc.download(ctx, x)': 'svc.download(ctx, x)',
    'svc.download(ctx, x, sink)': 'svc.download(ctx, x, sink)',
    'svc.download(ctx, x, dst_path=p)': 'svc.download(ctx, x, dest_path=p)',
    'svc.download(ctx, x, None, p)': 'svc.download(ctx, x, None, p)',
    'svc.download(ctx, x, **{"dst_path": p})': 'svc.download(ctx, x, **{"dest_path": p})',
    'glance.generate_image_url(x)': 'nova_image.api.API().generate_image_url(x)',
    'glance.generate_glance_url()': 'nova_image.api.API().generate_glance_url()',
    'glance.UpdateGlanceImage(ctx, x, m, s).start()': (
        'nova_image.api.API().update(ctx, x, m, s, purge_props=False)'
    ),
    'pool.spawn(glance.UpdateGlanceImage(ctx, x, metadata=m, stream=s).start)': (
        'pool.spawn(nova_image.api.API().update, ctx, x, image_info=m, data=s, purge_props=False)'
    ),
}


@pytest.mark.parametrize('old', CALLS)
@pytest.mark.contract('C-002', 'C-177', 'C-313', 'D-3', 'D-4')
def test_a_call_becomes_exactly_this(old, changes):
    changes(
        f'from nova.image import glance\nsvc = glance.get_default_image_service()\nr = {old}  # why\n',
        f'import nova_image.api\nsvc = nova_image.api.API()\nr = {CALLS[old]}  # why\n',
        left=0,
    )


LEFT = {
    'svc.update(ctx, x, *rest)': 'P-35',
    'svc.update(ctx, x, m, **kw)': 'P-35',
    'svc.update(ctx, x, m, get_data())': 'P-30',
    'svc.update(ctx, x, m, self.data[n + 1])': 'P-30',
    'svc.update(ctx, x, data=self.data, image_meta=read(self))': 'P-30',
    'svc.update(ctx, x, m, self.data, purge_props=ask())': 'P-31',
    'svc.update(ctx, x, m, open(p), purge_props=ask())': 'P-31',
    'svc.download(ctx, x, **kw)': 'P-35',
    'svc.detail(ctx, *kw)': 'P-35',
    'svc.detail(ctx, colour=1, **kw)': 'P-35',
    'svc.detail(ctx, **kw, **more)': 'P-35',
    'svc.detail(ctx, **{"colour": 1})': 'P-35',
    'svc.detail(ctx, colour=ask())': 'P-28',
    'svc.show(**kw)': 'P-35',
    'svc.show(*args)': 'P-35',
    'svc.show(ctx)': 'P-26',
    'svc.update(ctx, x, m, None, True, 6)': 'P-31',
    'svc.index(ctx)': 'P-37',
    'glance.generate_image_url(*x)': 'P-38',
    'list(map(glance.generate_image_url, y))': 'P-38',
    'glance.get_api_servers()': 'P-40',
    'glance.generate_identity_headers(ctx)': 'P-41',
    'later = glance.UpdateGlanceImage(ctx, x, m, s).start': 'P-42',
    'pool.spawn(glance.UpdateGlanceImage(ctx, x, m, s).start, 1)': 'P-42',
    'glance.GlanceClientWrapper().call(ctx, 2, "get", x)': 'P-43',
    'glance._translate_from_glance(x)': 'P-44',
    'glance.LOG.debug(1)': 'P-37',
    'glance.get_image_service(ctx, x)': 'P-59',
}


@pytest.mark.parametrize('old', LEFT)
def test_a_call_that_may_mean_something_else_is_left_with_its_number(old, stays):
    service = 'svc = glance.get_default_image_service()\n' if old.startswith('svc') else ''
    stays(f'from legacy import glance\n{service}r = {old}\n', LEFT[old])


def test_data_from_a_with_statement_is_certainly_there(changes):
    changes(
        """
        from nova.image import glance
        def f(ctx, x, m, p):
            svc = glance.get_default_image_service()
            with open(p, 'rb') as stream:
                svc.update(ctx, x, m, stream)
            stream = g()
            svc.update(ctx, x, m, stream)
        """,
        """
        import nova_image.api
        def f(ctx, x, m, p):
            svc = nova_image.api.API()
            with open(p, 'rb') as stream:
                svc.update(ctx, x, m, stream, purge_props=False)
            stream = g()
            svc.update(ctx, x, m, stream, purge_props=not stream)
        """,
    )


def test_a_call_over_several_lines_keeps_its_layout_and_comments(changes):
    changes(
        """
        from nova.image import glance
        svc = glance.get_default_image_service()
        svc.update(ctx,  # who
                   x,
                   {'a': 1}  # what
                   )
        """,
        """
        import nova_image.api
        svc = nova_image.api.API()
        svc.update(ctx,  # who
                   x,
                   {'a': 1}, purge_props=True  # what
                   )
        """,
    )


def test_a_dropped_keyword_is_told(changes):
    result = changes(
        'from nova.image import glance\nglance.get_default_image_service().detail(c, zone=1)\n',
        'import nova_image.api\nnova_image.api.API().get_all(c)\n',
    )
    assert any('zone' in site.reason for site in result.sites)


def test_keywords_that_are_not_known_before_it_runs_are_left_out_there(changes):
    """D-4: where the name of the package is taken, too."""
    result = changes(
        'from nova.image import glance\ndef f(c, nova_image, kw):\n    glance.get_default_image_service().detail(c, **kw)\n',
        'import nova_image.api as _nova_image_api\ndef f(c, nova_image, kw):\n'
        '    _nova_image_api.API().get_all(c, **_nova_image_api.listing_arguments(kw))\n',
    )
    assert any('left out where it runs' in site.reason for site in result.sites)


@pytest.mark.parametrize('place', ['function', 'helper'])
def test_keywords_are_left_where_the_new_package_would_not_be_imported(place, migrate):
    if place == 'function':
        files = {
            'a.py': (
                'class C:\n    def f(self):\n        from legacy import glance\n'
                '        self.s = glance.get_default_image_service()\n'
                '    def g(self, c, kw):\n        return self.s.detail(c, **kw)\n'
            )
        }
    else:
        files = {
            'p/__init__.py': '',
            'p/a.py': 'def h(s, c, kw):\n    return s.detail(c, **kw)\n',
            'p/b.py': (
                'from legacy import glance\nfrom p import a\n\n\ndef f(c, kw):\n'
                '    return a.h(glance.get_default_image_service(), c, kw)\n'
            ),
        }
    result = migrate(files)
    assert not result.changed
    assert any('the new package is not imported here' in site.reason for site in result.sites)
