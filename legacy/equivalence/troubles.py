# SPDX-License-Identifier: Apache-2.0
"""What programs on a failing server have beside calls: faults, and configurations that lead to it in many spellings.

``plain`` is what a step comes to when everything that must not matter is gone: how the servers are written down, and
the kind of object that bytes come in. A side that runs plain steps has to do the same as one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from legacy.equivalence.programs import Body, Program, Step

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

#: ways to write down which server is meant, as options by their names
SPELLINGS = (
    'plain', 'slash', 'user', 'bare', 'version', 'override', 'empty override', 'unused override', 'host',
    'oldest', 'oldest host',
)  # fmt: skip
NOBODY = 'http://127.0.0.1:1'


#: what an operation asks for
ASKED: Mapping[str, tuple[str, ...]] = {
    'create': ('POST images', 'PUT file', 'PUT file'), 'show': ('GET image',), 'delete': ('DELETE image',),
    'update': ('GET image', 'PATCH image', 'PUT file', 'PUT file'), 'download': ('GET image', 'GET file', 'GET file'),
    'detail': ('GET images',),
}  # fmt: skip


def faults() -> SearchStrategy[Step]:
    """Steps that make a server fail at what comes next (``nova_image.testing.faults``); only such a server takes them."""
    from hypothesis import strategies as st

    places = st.sampled_from(sorted({'*', *(place for places in ASKED.values() for place in places)}))
    by_itself = st.sampled_from(({'kind': 'zoneless'}, {'kind': 'copying'}))
    return st.one_of(places.flatmap(_fault), by_itself.map(lambda fault: Step('fault', 'ann', None, fault)))


def aimed(op: str, steps: SearchStrategy[Step]) -> SearchStrategy[Program]:
    """A fault, and a step that it strikes."""
    from hypothesis import strategies as st

    fault = st.sampled_from(ASKED[op]).flatmap(_fault)
    return st.builds(lambda one, other: [one, other], fault, steps)


def _fault(place: str) -> SearchStrategy[Step]:
    from hypothesis import strategies as st

    codes = st.sampled_from((400, 401, 403, 404, 408, 409, 410, 413, 429, 500, 502, 503, 503))
    times = st.sampled_from((1, 1, 2))
    waits = st.sampled_from(({}, {}, {'Retry-After': '5'}, {'Retry-After': 'soon'}, {'Retry-After': '99999'}))
    kinds: list[SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries({'kind': st.just('status'), 'code': codes, 'times': times, 'headers': waits}),
        st.fixed_dictionaries({'kind': st.sampled_from(('cut', 'reset', 'lost')), 'times': times}),
        st.fixed_dictionaries({'kind': st.just('redirect'), 'location': st.sampled_from(('{path}', NOBODY))}),
    ]
    if place.endswith('file'):
        spoilt = ('cut', 'short', 'corrupt') if place == 'PUT file' else ('cut', 'short', 'unterminated', 'corrupt')
        at = st.sampled_from((0, 1, 3, 5))
        kinds += [st.fixed_dictionaries({'kind': st.sampled_from(spoilt), 'at': at, 'times': times})] * 2
    return st.one_of(kinds).map(lambda fault: Step('fault', 'ann', None, {'on': place, **fault}))


def configurations(*without: str) -> SearchStrategy[Step]:
    """Steps that configure a side; what is not named is as it was at the start.

    :param without: what is left as it is
    """
    from hypothesis import strategies as st

    given: dict[str, SearchStrategy[Any]] = {
        'spelled': st.sampled_from(SPELLINGS),
        'servers': st.just(2),
        'num_retries': st.sampled_from((0, 1, 2)),
        'no_hash': st.sampled_from(('warn', 'accept', 'refuse')),
        'hashes': st.sampled_from((('sha512',), ('md5',), ('sha256', 'md5'), ('sha256',), (), ())),
    }
    some = {name: values for name, values in given.items() if name not in without}
    return st.builds(lambda chosen: Step('configure', 'ann', None, chosen), st.fixed_dictionaries({}, optional=some))


def traced(steps: SearchStrategy[Step]) -> SearchStrategy[Step]:
    """The steps, some of them by a caller whose context knows the id of its request."""
    from hypothesis import strategies as st

    return st.builds(lambda step, era: step._replace(era=era), steps, st.sampled_from(('', '', '16')))


def options_of(configuration: Mapping[str, Any], urls: Sequence[str]) -> dict[str, Any]:
    """The options of a configuration, as ``twin_stores.settings`` takes them.

    :param urls: addresses of the servers; the second one is for configurations with two
    """
    asked = urls[: configuration.get('servers', 1)]
    return {
        'image__driver': 'glance', 'api__auth_strategy': 'noauth', 'image__first_byte_timeout': 5,
        'glance__num_retries': configuration.get('num_retries', 1),
        'image__no_hash': configuration.get('no_hash', 'warn'),
        **_spelled(configuration.get('spelled', 'plain'), list(asked)),
    }  # fmt: skip


def _spelled(spelling: str, urls: list[str]) -> dict[str, Any]:
    places = [urlsplit(url).netloc for url in urls]
    if spelling in ('host', 'oldest host', 'override', 'empty override') and len(urls) > 1:
        spelling = 'plain'  # these have room for one server
    host, _, port = places[0].partition(':')
    spelled: dict[str, dict[str, Any]] = {
        'slash': {'glance__api_servers': [f'{url}/' for url in urls]},
        'user': {'glance__api_servers': [url.replace('//', '//user:password@') for url in urls]},
        'bare': {'glance__api_servers': places},
        'version': {'glance__api_servers': [f'{url}/v2/' for url in urls]},
        'override': {'glance__endpoint_override': urls[0]},
        'empty override': {'glance__endpoint_override': '', 'glance__host': host, 'glance__port': int(port)},
        'unused override': {'glance__api_servers': urls, 'glance__endpoint_override': NOBODY},
        'host': {'glance__host': host, 'glance__port': int(port)},
        'oldest': {'DEFAULT__glance_api_servers': places},
        'oldest host': {'DEFAULT__glance_host': host, 'DEFAULT__glance_port': int(port)},
    }
    return spelled.get(spelling, {'glance__api_servers': urls})


#: kinds of bodies that are sent alike: those that can be sent again, and those that cannot
_ALIKE = {'file': 'bytes', 'iterator': 'pipe'}


def plain(step: Step) -> Step:
    """The step without what must not matter."""
    given = dict(step.arguments)
    given.pop('spelled', None) if step.op == 'configure' else None
    data = given.get('data')
    if isinstance(data, Body) and data.content:
        given['data'] = data._replace(kind=_ALIKE.get(data.kind, data.kind))
    return step._replace(arguments=given)
