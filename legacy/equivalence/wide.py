# SPDX-License-Identifier: Apache-2.0
"""Strategies for programs as callers of every era wrote them.

They are short, and go where ``programs`` does not: references in every shape (C-019 to C-025), contexts of
every era (C-202 to C-205), services around a client wrapper of the caller's own, and filters in v1's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from legacy.equivalence.eras import ERAS
from legacy.equivalence.programs import Program, Step, callers, programs

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

#: Shapes of references: versions and none, ports and none, userinfo, IPv6, queries, prefixes, and nonsense.
HREFS = (
    'http://h:9292/v1/images/{id}',
    'http://h:9292/v2/images/{id}',
    'http://h:9292/v2.15/images/{id}',
    'http://h:9292/images/{id}',
    'https://h/v1/images/{id}',
    'http://h/{id}',
    'http://u:p@h:9292/v1/images/{id}',
    'http://[::1]:9292/v1/images/{id}',
    'http://[::1]/images/{id}',
    'http://h:9292/glance/v2/images/{id}',
    'http://h:9292/glance/images/{id}',
    'http://h:9292/v1/images/{id}?x=y',
    'http://h:9292/v1/images/{id}#z',
    'HTTP://H:9292/images/{id}',
    'http://h:/images/{id}',
    'http://h:9292//images/{id}',
    '//h:9292/images/{id}',
    'ftp://h/images/{id}',
    'h/{id}',
    'h:9292/v1/images/{id}',
    '/{id}',
    'images/{id}',
    'http:///images/{id}',
    'http://h:9292/v1/images/{id}/',
    'http://h:9292/v1/images/',
    'http://h:abc/images/{id}',
    'http://h:99999/images/{id}',
    'http://[::1/images/{id}',
    'http://h:9292/v2/images/{id}/file',
)


def wide_programs(*, longest: int = 4) -> SearchStrategy[Program]:
    """Short programs with everything in them that callers of some era could write."""
    from hypothesis import strategies as st

    return st.builds(
        lambda program, more: [_widened(step, how) for step, how in zip(program, more, strict=False)],
        st.one_of(*[programs(longest=longest)] * 2, _listing_programs(longest)),
        st.lists(_widenings(), min_size=longest + 1, max_size=longest + 1),
    )


def _widenings() -> SearchStrategy[tuple[str, str, str]]:
    from hypothesis import strategies as st

    return st.tuples(
        st.sampled_from(HREFS),
        st.sampled_from(('', '', *list(ERAS)[:4], *ERAS)),
        st.sampled_from(('', '', 'wrapper', 'host', 'endpoint')),
    )


def _widened(step: Step, how: tuple[str, str, str]) -> Step:
    href, era, via = how
    if step.remote and isinstance(step.image, int):
        return step._replace(href=href, era=era)
    return step._replace(era=era, via='' if step.remote else via)


def _listing_programs(longest: int) -> SearchStrategy[Program]:
    """A few images, then listings by v1's filters."""
    from hypothesis import strategies as st

    made = st.builds(
        lambda who, meta, data: Step(
            'create', who, None, {'image_meta': meta, **({'data': data} if data else {})}
        ),
        st.sampled_from(('ann', 'ann', 'root')),
        _plain_meta(),
        st.sampled_from((None, b'abcdef', b'\0' * 70)),
    )
    asked = st.builds(
        lambda who, arguments: Step('detail', who, None, arguments),
        st.sampled_from(callers()),
        _asked(),
    )
    return st.builds(
        lambda images, listings: [*images, *listings],
        st.lists(made, min_size=1, max_size=2),
        st.lists(asked, min_size=1, max_size=max(1, longest - 1)),
    )


def _plain_meta() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    names = st.sampled_from(('os_type', 'type', 'project_id', 'ramdisk_id', 'image_type', 'a'))
    return st.fixed_dictionaries({
        'name': st.sampled_from(('one', 'two', 'a,b', 'in:one')),
        'disk_format': st.just('raw'),
        'container_format': st.just('bare'),
        'is_public': st.sampled_from((True, False)),
        'min_ram': st.sampled_from((0, 64)),
        'properties': st.dictionaries(names, st.sampled_from(('x', 'linux', 'None')), max_size=3),
    })


def _asked() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    order = {
        'sort_key': st.sampled_from(('name', 'size', ['name'], ['status', 'name'], ['size', 'created_at'])),
        'sort_dir': st.sampled_from(('asc', 'desc', ['asc'], ['asc', 'desc'])),
        'limit': st.sampled_from((1, 2)),
        'page_size': st.just(1),
    }
    return st.builds(
        lambda filters, more: {'filters': filters, **more},
        _v1_filters(),
        st.one_of(st.just({}), st.fixed_dictionaries({}, optional=order)),
    )


def _v1_filters() -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    texts = st.sampled_from(('x', 'linux', 'None', None, '', 7, True))
    properties = {
        f'property-{name}': texts
        for name in ('os_type', 'type', 'project_id', 'ramdisk_id', 'image_type', 'owner_id', 'a', '')
    }
    times = (
        '2014-01-01T00:00:00Z', '2014-01-01', '2014-01-01T00:00:00+02:00', '2999-01-01T00:00:00Z', 'never', '', None,
    )  # fmt: skip
    sizes = st.sampled_from((0, 1, 6, 70, '6', '0', -1, 'six', '', None))
    public = (
        True, False, None, 'True', 'true', 'TRUE', 'False', 'false', '1', '0', 1, 0, 'none', 'None', '', 'yes', ' true ',
    )  # fmt: skip
    filters: dict[str, SearchStrategy[Any]] = {
        **properties,
        'is_public': st.sampled_from(public),
        'properties': st.one_of(
            st.dictionaries(st.sampled_from(('os_type', 'type', 'a')), texts, max_size=2), st.just('os_type')
        ),
        'changes-since': st.sampled_from(times),
        'size_min': sizes,
        'size_max': sizes,
        'name': st.sampled_from(('one', 'in:one,two', 'in:"a,b"', 'eq:one', 'neq:one', ['one', 'a,b'])),
        'status': st.sampled_from(('active', 'in:active,queued', ['queued'])),
        'created_at': st.sampled_from(('gt:2014-01-01', 'lte:2014-01-01T00:00:00Z', 'like:2014', 'neq:2014-01-01')),
        'deleted': st.sampled_from((True, False, 'none')),
        'owner': st.sampled_from(('p-one', 'p-two')),
        'bogus': st.just(1),
    }
    names = st.lists(st.sampled_from(sorted({*filters} - {*properties})), unique=True, max_size=3)
    some = st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=1)
    return st.builds(lambda a, b: [*a, *b], names, some).flatmap(
        lambda chosen: st.fixed_dictionaries({name: filters[name] for name in chosen})
    )
