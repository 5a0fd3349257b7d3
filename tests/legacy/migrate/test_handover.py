# SPDX-License-Identifier: Apache-2.0
"""P-21 and P-22: the caller, the helper and every other caller move together, or none of them does."""

from __future__ import annotations

import pytest

HEAD = 'from nova.image import glance\n'
NEW = 'import nova_image.api\n'
TOGETHER = {
    'a function, the reference instead of the id': (
        """
def build(ctx, image_service, image_id, row):
    try:
        record = image_service.show(ctx, image_id)
    except Exception as err:
        LOG.warning('no image: %s', err)
        return {}
    return record
def f(ctx, ref, row):
    svc, real_id = glance.get_remote_image_service(ctx, ref)
    return build(ctx, svc, real_id, row)
""",
        """
def build(ctx, image_service, image_id, row):
    try:
        record = image_service.get(ctx, image_id)
    except Exception as err:
        LOG.warning('no image: %s', err)
        return {}
    return record
def f(ctx, ref, row):
    svc, real_id = nova_image.api.API(), nova_image.parse_image_ref(ref).image_id
    return build(ctx, svc, ref, row)
""",
    ),
    'a method of an object that a classmethod makes': (
        """
class Disks(object):
    @classmethod
    def of(cls, ctx):
        return filled(cls(), ctx)
    def metadata(self, ctx, image_service):
        return image_service.show(ctx, self.image_id)
def f(ctx):
    disks = Disks.of(ctx)
    return disks.metadata(ctx, glance.get_default_image_service())
""",
        """
class Disks(object):
    @classmethod
    def of(cls, ctx):
        return filled(cls(), ctx)
    def metadata(self, ctx, image_service):
        return image_service.get(ctx, self.image_id)
def f(ctx):
    disks = Disks.of(ctx)
    return disks.metadata(ctx, nova_image.api.API())
""",
    ),
    'a method, two callers, keywords': (
        """
class C(object):
    def one(self, ctx, ref):
        svc, i = glance.get_remote_image_service(ctx, ref)
        svc.show(ctx, i)
        self._last(ctx, image_id=i, image_service=svc)
    def two(self, ctx):
        self._last(ctx, glance.get_default_image_service(), 'x')
    def _last(self, ctx, image_service, image_id):
        image_service.update(ctx, image_id, {})
""",
        """
class C(object):
    def one(self, ctx, ref):
        svc = nova_image.api.API()
        svc.get(ctx, ref)
        self._last(ctx, image_id=ref, image_service=svc)
    def two(self, ctx):
        self._last(ctx, nova_image.api.API(), 'x')
    def _last(self, ctx, image_service, image_id):
        image_service.update(ctx, image_id, {}, purge_props=True)
""",
    ),
    'a nested function that takes the service': (
        """
def f(ctx, ids):
    def drop(svc, image_id):
        svc.delete(ctx, image_id)
    for each in ids:
        drop(glance.get_default_image_service(), each)
""",
        """
def f(ctx, ids):
    def drop(svc, image_id):
        svc.delete(ctx, image_id)
    for each in ids:
        drop(nova_image.api.API(), each)
""",
    ),
    'a helper that makes its own when it gets none': (
        """
def _h(c, s=None):
    s = s or glance.get_default_image_service()
    s.show(c, 1)
def f(c):
    svc = glance.get_default_image_service()
    _h(c, svc)
""",
        """
def _h(c, s=None):
    s = s or nova_image.api.API()
    s.get(c, 1)
def f(c):
    svc = nova_image.api.API()
    _h(c, svc)
""",
    ),
    'a constructor that keeps the service': (
        """
class H:
    def __init__(self, s):
        self.s = s
    def go(self, c):
        self.s.show(c, 1)
def f(c):
    svc = glance.get_default_image_service()
    H(svc).go(c)
""",
        """
class H:
    def __init__(self, s):
        self.s = s
    def go(self, c):
        self.s.get(c, 1)
def f(c):
    svc = nova_image.api.API()
    H(svc).go(c)
""",
    ),
}


@pytest.mark.parametrize('name', TOGETHER)
def test_a_service_and_its_helper_move_together(name, changes):
    before, after = TOGETHER[name]
    changes(HEAD + before, NEW + after, left=0)


SERVICE = '    svc = glance.get_default_image_service()\n'
APART = {
    'another caller passes something else': (
        f'def _h(c, s):\n    s.show(c, 1)\ndef f(c):\n{SERVICE}    _h(c, svc)\ndef g(c, x):\n    _h(c, x)\n'
    ),
    'the helper is used as a value': (
        f'def _h(c, s):\n    s.show(c, 1)\ndef f(c):\n{SERVICE}    _h(c, svc)\n    spawn(_h, c, x)\n'
    ),
    'the helper is named in a string': (
        f'def _h(c, s):\n    s.show(c, 1)\ndef f(c):\n{SERVICE}    _h(c, svc)\npatch("a._h")\n'
    ),
    'the helper is decorated': (
        f'@wrap\ndef _h(c, s):\n    s.show(c, 1)\ndef f(c):\n{SERVICE}    _h(c, svc)\n'
    ),
    'the helper does something odd': (
        f'def _h(c, s):\n    s.odd(c, 1)\ndef f(c):\n{SERVICE}    svc.show(c, 1)\n    _h(c, svc)\n'
    ),
    'the helper uses another context': (
        'def _h(c, s, i):\n    s.show(c.elevated(), i)\n'
        'def f(c, r):\n    s, i = glance.get_remote_image_service(c, r)\n    _h(c, s, i)\n'
    ),
    'another choice in a conditional expression': (
        'def f(c, x):\n    s = glance.get_default_image_service() if x else Other()\n    s.show(c, 1)\n'
    ),
}


@pytest.mark.parametrize('name', APART)
def test_what_cannot_move_together_stays_together(name, stays):
    result = stays('from legacy import glance\n' + APART[name])
    assert result.totals['rewritten'] == 0


HELPER = 'def build(ctx, image_service, image_id):\n    return image_service.show(ctx, image_id)\n'
CALLER = (
    'from nova.image import glance\nfrom pkg import tools\n\n\ndef f(ctx, ref):\n'
    '    svc, i = glance.get_remote_image_service(ctx, ref)\n    return tools.build(ctx, svc, i)\n'
)


def test_a_helper_in_another_file_moves_along(migrate):
    """The helper never mentions the old module."""
    result = migrate({'pkg/__init__.py': '', 'pkg/tools.py': HELPER, 'pkg/caller.py': CALLER})
    assert b'image_service.get(ctx, image_id)' in result.files['pkg/tools.py'].new_bytes
    assert b'tools.build(ctx, svc, ref)' in result.files['pkg/caller.py'].new_bytes
    assert result.totals['left'] == 0


def test_a_helper_with_a_caller_that_is_not_followed_stays(migrate):
    other = 'from pkg import tools\n\n\ndef g(ctx, service):\n    return tools.build(ctx, service, 1)\n'
    result = migrate(
        {'pkg/__init__.py': '', 'pkg/tools.py': HELPER, 'pkg/caller.py': CALLER, 'pkg/other.py': other}
    )
    assert result.changed == ['pkg/caller.py'], 'only its import moves, to the shim'
    assert b'glance.get_remote_image_service' in result.files['pkg/caller.py'].new_bytes
    assert any('other.py:5' in site.reason for site in result.sites)


def test_a_public_helper_is_not_followed_when_one_file_is_given(tmp_path):
    from legacy.migrate import run

    (tmp_path / 'a.py').write_text(HEAD + HELPER + f'def f(ctx):\n{SERVICE}    return build(ctx, svc, 1)\n')
    result = run([tmp_path / 'a.py'], tmp_path)
    assert any('outside the given paths' in site.reason for site in result.sites)
    assert run([tmp_path], tmp_path).totals['left'] == 0


def test_a_group_over_two_files_is_taken_back_in_both(migrate, monkeypatch):
    from legacy.migrate import finishing

    real = finishing._check
    monkeypatch.setattr(
        finishing, '_check', lambda check: 'planted' if b'def build' in check[2] else real(check)
    )
    result = migrate({'pkg/__init__.py': '', 'pkg/tools.py': HELPER, 'pkg/caller.py': CALLER})
    assert not result.changed
