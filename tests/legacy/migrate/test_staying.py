# SPDX-License-Identifier: Apache-2.0
"""P-13, P-15, P-18, P-22, P-61: a service that is used for more than its reference stays at the reference's server.

The parsed id stays what it was. Calls with another context than the acquisition's keep everything as it is.
"""

from __future__ import annotations

import pytest

HEAD = 'from nova.image import glance\n'
NEW = 'import nova_image.api\n'
STAYS = {
    'P-15 another id': (
        """
def f(ctx, ref, other):
    svc, real_id = glance.get_remote_image_service(ctx, ref)  # the base
    base = svc.show(ctx, real_id)
    svc.update(ctx, other, base)
""",
        """
def f(ctx, ref, other):
    svc, real_id = nova_image.api.API.for_reference(ref), nova_image.parse_image_ref(ref).image_id  # the base
    base = svc.get(ctx, real_id)
    svc.update(ctx, other, base, purge_props=True)
""",
    ),
    'P-15 calls that name no image': (
        """
def f(ctx, ref, meta):
    (svc,
     _own) = glance.get_remote_image_service(
        ctx, ref)
    svc.create(ctx, meta)
    return svc.detail(ctx)
""",
        """
def f(ctx, ref, meta):
    (svc,
     _own) = nova_image.api.API.for_reference(
        ref), nova_image.parse_image_ref(ref).image_id
    svc.create(ctx, meta)
    return svc.get_all(ctx)
""",
    ),
    'P-15 the reference changed': (
        """
def f(ctx, ref):
    svc, real_id = glance.get_remote_image_service(ctx, image_href=ref)
    ref = ref + 'x'
    return svc.show(ctx, ref), real_id
""",
        """
def f(ctx, ref):
    svc, real_id = nova_image.api.API.for_reference(ref), nova_image.parse_image_ref(ref).image_id
    ref = ref + 'x'
    return svc.get(ctx, ref), real_id
""",
    ),
    'P-61 the id that is passed is a chance between two': (
        """
def f(ctx, row, x):
    svc, real_id = glance.get_remote_image_service(ctx, row['ref'])
    if x:
        real_id = x
    svc.delete(ctx, real_id)
""",
        """
def f(ctx, row, x):
    svc, real_id = nova_image.api.API.for_reference(row['ref']), nova_image.parse_image_ref(row['ref']).image_id
    if x:
        real_id = x
    svc.delete(ctx, real_id)
""",
    ),
    'P-15 a reference that is computed is computed once': (
        """
def f(ctx, row, other):
    if row:
        svc, real_id = glance.get_remote_image_service(ctx, row.pop())
        svc.delete(ctx, other)
""",
        """
def f(ctx, row, other):
    if row:
        image_ref = row.pop()
        svc, real_id = nova_image.api.API.for_reference(image_ref), nova_image.parse_image_ref(image_ref).image_id
        svc.delete(ctx, other)
""",
    ),
    'P-15 comments inside the call stay': (
        """
def f(ctx, ref, other):
    svc, real_id = glance.get_remote_image_service(
        ctx,  # who asks
        ref)  # for what
    svc.delete(ctx, other)
""",
        """
def f(ctx, ref, other):
    svc, real_id = nova_image.api.API.for_reference(
          # who asks
        ref), nova_image.parse_image_ref(ref).image_id  # for what
    svc.delete(ctx, other)
""",
    ),
    'P-15 the service of a pair': (
        """
def f(ctx, ref, other):
    svc = glance.get_remote_image_service(ctx, ref.lower())[0]
    svc.delete(ctx, other)
""",
        """
def f(ctx, ref, other):
    svc = nova_image.api.API.for_reference(ref.lower())
    svc.delete(ctx, other)
""",
    ),
    'P-15 the pair as a whole': (
        """
def f(ctx, row, other):
    pair = glance.get_remote_image_service(ctx, row['ref'])
    svc, real_id = pair
    svc.delete(ctx, other)
    return real_id
""",
        """
def f(ctx, row, other):
    pair = (nova_image.api.API.for_reference(row['ref']), nova_image.parse_image_ref(row['ref']).image_id)
    svc, real_id = pair
    svc.delete(ctx, other)
    return real_id
""",
    ),
    'P-18 attributes, one of which is read elsewhere': (
        """
class C:
    def f(self, ctx, ref):
        self.svc, self.own = glance.get_remote_image_service(ctx, ref)
        self.svc.show(ctx, self.own)
    def g(self):
        return self.own
""",
        """
class C:
    def f(self, ctx, ref):
        self.svc, self.own = nova_image.api.API.for_reference(ref), nova_image.parse_image_ref(ref).image_id
        self.svc.get(ctx, self.own)
    def g(self):
        return self.own
""",
    ),
    'P-13 a helper does more with the id': (
        """
def build(ctx, image_service, image_id):
    try:
        return image_service.show(ctx, image_id)
    except Exception:
        LOG.warning('no image %s', image_id)
def f(ctx, ref):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    return build(ctx, svc, real_id)
""",
        """
def build(ctx, image_service, image_id):
    try:
        return image_service.get(ctx, image_id)
    except Exception:
        LOG.warning('no image %s', image_id)
def f(ctx, ref):
    svc, real_id = nova_image.api.API.for_reference(ref), nova_image.parse_image_ref(ref).image_id
    return build(ctx, svc, real_id)
""",
    ),
    'one of two services that share a helper is tied, the other one stays': (
        """
def last(ctx, svc, image_id):
    svc.delete(ctx, image_id)
def f(ctx, ref, other):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    last(ctx, svc, other)
def g(ctx):
    last(ctx, glance.get_default_image_service(), 'x')
""",
        """
def last(ctx, svc, image_id):
    svc.delete(ctx, image_id)
def f(ctx, ref, other):
    svc, real_id = nova_image.api.API.for_reference(ref), nova_image.parse_image_ref(ref).image_id
    last(ctx, svc, other)
def g(ctx):
    last(ctx, nova_image.api.API(), 'x')
""",
    ),
}


@pytest.mark.parametrize('name', STAYS)
def test_a_service_stays_at_the_server_of_its_reference(name, changes):
    before, after = STAYS[name]
    result = changes(HEAD + before, NEW + after, left=0)
    said = [site for site in result.sites if site.name == 'get_remote_image_service']
    assert [site.reason for site in said] == ['stays at the server that the reference names, as the old service did']
    assert not name.startswith('P-') or said[0].pattern == name[:4]


def test_a_call_that_is_tied_takes_the_reference_as_before(changes):
    """P-12: staying is for what cannot be tied."""
    changes(
        HEAD + 'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.show(c, i)\n',
        NEW + 'def f(c, r):\n    s = nova_image.api.API()\n    s.get(c, r)\n',
    )


def test_the_fallback_name_is_used_where_the_package_name_is_taken(changes):
    changes(
        HEAD + 'def f(nova_image, c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.detail(c)\n',
        'import nova_image.api as _nova_image_api\n'
        'from nova_image import parse_image_ref as _parse_image_ref\n'
        'def f(nova_image, c, r):\n'
        '    s, i = _nova_image_api.API.for_reference(r), _parse_image_ref(r).image_id\n    s.get_all(c)\n',
    )


def test_a_name_that_is_local_only_through_the_pair_stays_local(changes):
    """Read too early, it fails before and after; a name of the function around does not take its place."""
    changes(
        HEAD + 'def f(c, r):\n    def g():\n        s, r = glance.get_remote_image_service(c, r)\n        s.show(c, r)\n',
        NEW + 'def f(c, r):\n    def g():\n        s, r = nova_image.api.API(), r\n        s.get(c, r)\n',
    )


LEFT = {
    'another context': 'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    s.detail(c.elevated())\n',
    'the context is bound again': (
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    c = g()\n    s.create(c, {})\n'
    ),
    'the helper uses another context': (
        'def _h(c, s, i):\n    log(i)\n    s.show(c.elevated(), i)\n'
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    _h(c, s, i)\n'
    ),
    'the context is computed': (
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c.one(), r)\n    s.detail(c.one())\n'
    ),
    'two targets': 'def f(c, r):\n    p = s, i = glance.get_remote_image_service(c, r)\n    s.detail(c)\n',
    'a computed reference at the level of the module': (
        's, i = glance.get_remote_image_service(c, r())\ns.detail(c)\n'
    ),
    'a computed reference beside another statement': (
        'def f(c, r):\n    x = 1; s, i = glance.get_remote_image_service(c, r())\n    s.detail(c)\n'
    ),
    'no name is free': (
        'def f(c, r, image_ref, image_href, image_reference):\n'
        '    s, i = glance.get_remote_image_service(c, r())\n    s.detail(c)\n'
    ),
    'nothing is used': 'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    glance.odd(s)\n',
}


@pytest.mark.parametrize('name', LEFT)
def test_what_would_behave_differently_is_left_as_a_whole(name, stays):
    assert stays('from legacy import glance\n' + LEFT[name]).totals['rewritten'] == 0
