# SPDX-License-Identifier: Apache-2.0
"""P-12 to P-15, P-30: what is written twice or later has to be the same value there, whoever may bind its name."""

from __future__ import annotations

import pytest

HEAD = 'from nova.image import glance\n'
NEW = 'import nova_image.api\n'
CHANGED = {
    'two references that both need a variable get one each': (
        """
def f(c, r):
    s1, i1 = glance.get_remote_image_service(c, r.pop())
    s2, i2 = glance.get_remote_image_service(c, r.pop())
    try:
        s1.show(c, i1)
        s2.show(c, i2)
    finally:
        s1.show(c, i1)
""",
        """
def f(c, r):
    s1, image_ref = nova_image.api.API(), r.pop()
    i1 = nova_image.parse_image_ref(image_ref).image_id
    s2, image_href = nova_image.api.API(), r.pop()
    i2 = nova_image.parse_image_ref(image_href).image_id
    try:
        s1.get(c, image_ref)
        s2.get(c, image_href)
    finally:
        s1.get(c, image_ref)
""",
    ),
    'one that stays at its server does not take the variable of one that is tied': (
        """
def f(c, r, other):
    s1, i1 = glance.get_remote_image_service(c, r.pop())
    s2, i2 = glance.get_remote_image_service(c, r.pop())
    print(i1)
    s2.show(c, other)
    s1.show(c, i1)
""",
        """
def f(c, r, other):
    s1, image_ref = nova_image.api.API(), r.pop()
    i1 = nova_image.parse_image_ref(image_ref).image_id
    image_href = r.pop()
    s2, i2 = nova_image.api.API.for_reference(image_href), nova_image.parse_image_ref(image_href).image_id
    print(i1)
    s2.get(c, other)
    s1.get(c, image_ref)
""",
    ),
    'other functions have variables of their own': (
        """
def f(c, r):
    s, i = glance.get_remote_image_service(c, r.pop())
    return s.show(c, i), i
def g(c, r):
    s, i = glance.get_remote_image_service(c, r.pop())
    return s.show(c, i), i
""",
        """
def f(c, r):
    s, image_ref = nova_image.api.API(), r.pop()
    i = nova_image.parse_image_ref(image_ref).image_id
    return s.get(c, image_ref), i
def g(c, r):
    s, image_ref = nova_image.api.API(), r.pop()
    i = nova_image.parse_image_ref(image_ref).image_id
    return s.get(c, image_ref), i
""",
    ),
    'a reference that another function binds again': (
        """
def f(c, r, work):
    def after():
        nonlocal r
        r = 'another'
    s, i = glance.get_remote_image_service(c, r)
    work(after)
    s.show(c, i)
""",
        """
def f(c, r, work):
    def after():
        nonlocal r
        r = 'another'
    s, i = nova_image.api.API(), r
    work(after)
    s.get(c, i)
""",
    ),
    'a reference in a global that changes': (
        """
REF = 'x'
def after():
    global REF
    REF = 'another'
def f(c, work):
    s, i = glance.get_remote_image_service(c, REF)
    work(after)
    s.show(c, i)
""",
        """
REF = 'x'
def after():
    global REF
    REF = 'another'
def f(c, work):
    s, i = nova_image.api.API(), REF
    work(after)
    s.get(c, i)
""",
    ),
    'a function that outlives one turn of a loop': (
        """
def f(c, refs, later):
    for r in refs:
        later.run()
        s, i = glance.get_remote_image_service(c, r)
        later.append(lambda: s.show(c, i))
""",
        """
def f(c, refs, later):
    for r in refs:
        later.run()
        s, image_ref = nova_image.api.API(), r
        i = nova_image.parse_image_ref(image_ref).image_id
        later.append(lambda: s.get(c, image_ref))
""",
    ),
    'open() of the file itself may give nothing': (
        """
def open(path):
    return ''
def f(c, i, m):
    with open('p') as data:
        glance.get_default_image_service().update(c, i, m, data)
""",
        """
def open(path):
    return ''
def f(c, i, m):
    with open('p') as data:
        nova_image.api.API().update(c, i, m, data, purge_props=not data)
""",
    ),
}


@pytest.mark.parametrize('name', CHANGED)
def test_a_value_that_may_change_is_kept_where_it_was(name, changes):
    before, after = CHANGED[name]
    changes(HEAD + before, NEW + after, left=0)


LEFT = {
    'a context that another function binds again': """
def f(c, r, work):
    def after():
        nonlocal c
        c = 'another'
    s, i = glance.get_remote_image_service(c, r)
    work(after)
    s.show(c, i)
""",
    'no line of its own behind a backslash, in a file that only Python 2 compiles': """
def f(c, r, o):
    print o
    if o: \\
        s, i = glance.get_remote_image_service(c, r.pop())
    s.delete(c, i)
    print i
""",
    'no line of its own before it either': """
def f(c, r, o):
    if o: \\
        s, i = glance.get_remote_image_service(c, r.pop())
    s.delete(c, o)
""",
    'data bound again in the call': """
def f(c, i, m, d):
    glance.get_default_image_service().update(c, i, data=d, image_meta=(d := m))
""",
    'hasattr() is something else here': """
def f(c, i, m, d, hasattr):
    glance.get_default_image_service().update(c, i, m, d.body)
""",
    'quotes inside quotes': """
def f(c, i, m, d):
    return f'{glance.get_default_image_service().update(c, i, m, d.body)}'
""",
}


@pytest.mark.parametrize('name', LEFT)
def test_what_cannot_be_kept_is_left(name, stays):
    result = stays('from legacy import glance' + LEFT[name])
    assert not any('taken back' in site.reason for site in result.sites)


CLASSES = {
    'calls': ('x = s.detail(C)\n', 'x = s.get_all(C)\n'),
    'an alias': ('t = s\n    def f(self): self.t.show(C, 1)\n', 't = s\n    def f(self): self.t.get(C, 1)\n'),
    'a comprehension': ('x = [i for i in s.detail(C)]\n', 'x = [i for i in s.get_all(C)]\n'),
}


@pytest.mark.parametrize('name', CLASSES)
def test_a_service_is_followed_in_the_body_of_its_class(name, changes):
    """P-10: not only where it is an attribute."""
    before, after = CLASSES[name]
    start = 'class K:\n    s = {}\n    '
    changes(
        HEAD + start.format('glance.get_default_image_service()') + before,
        NEW + start.format('nova_image.api.API()') + after,
        left=0,
    )


@pytest.mark.parametrize('read', ['def f(self, s=s): s.show(C, 1)', 'x = wrap(s)', 'show = s.show', 'y = [s for _ in C]'])
def test_a_service_that_the_body_of_its_class_hands_on_is_left(read, stays):
    stays(f'from legacy import glance\nclass K:\n    s = glance.get_default_image_service()\n    {read}\n')


def test_the_parsed_id_of_a_pair_in_a_class_stays_what_it_was(changes):
    """P-18: an attribute of a class may be read from anywhere."""
    changes(
        HEAD + 'class K:\n    s, i = glance.get_remote_image_service(C, REF)\n    rows = s.show(C, i)\n',
        NEW
        + 'class K:\n    s, i = nova_image.api.API.for_reference(REF), nova_image.parse_image_ref(REF).image_id\n'
        + '    rows = s.get(C, i)\n',
        left=0,
    )
