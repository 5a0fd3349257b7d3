# SPDX-License-Identifier: Apache-2.0
"""What has to hold of every call on either side of a twin: where both sides share code, a comparison cannot see it.

Each law looks at one step: the outcome, and on a server that shows what it holds and was asked, that too. A law
that does not know enough says nothing.
"""

from __future__ import annotations

import datetime
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from legacy.equivalence.eras import Later
from legacy.equivalence.outcome import Outcome
from legacy.equivalence.programs import Body, Step
from nova_image import errors


@dataclass(frozen=True)
class Exchange:
    """What a server shows at a moment.

    :ivar images: wire records by id; None: it shows nothing
    :ivar contents: bytes by id
    :ivar asked: all requests so far: ``method``, ``path``, ``route``, ``headers``, ``status``
    :ivar no_hash: what is to be done with an image that has no hash
    """

    images: Mapping[str, Mapping[str, Any]] | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict)
    asked: tuple[Any, ...] = ()
    no_hash: str = 'warn'

    def no_hash_of(self, image_id: str) -> bool:
        """Whether the record of that image has nothing to check its bytes by."""
        record = (self.images or {}).get(image_id)
        return record is not None and not record.get('os_hash_value') and not record.get('checksum')


@dataclass(frozen=True)
class Seen:
    """One step that was done, and the server before and after."""

    step: Step
    outcome: Outcome
    before: Exchange
    after: Exchange

    @property
    def asked(self) -> tuple[Any, ...]:
        """The requests of this step."""
        return self.after.asked[len(self.before.asked) :]


def _left_alone(seen: Seen) -> str | None:
    """C-066, C-158: only a body is read, and only a target written to; whatever else is the caller's stays as it was."""
    out = seen.outcome
    closed = [name for name, state in out.streams.items() if isinstance(state, dict) and state.get('closed')]
    if out.arguments or closed or out.open_files or out.warned:
        return f'changed {dict(out.arguments)}, closed {closed}, left open {out.open_files}, warned {out.warned}'
    return None


def _aware(seen: Seen) -> str | None:
    """C-104: every time of a record is in UTC and says so."""
    records = seen.outcome.result if isinstance(seen.outcome.result, list) else [seen.outcome.result]
    for record in records:
        for name in ('created_at', 'updated_at', 'deleted_at'):
            value = record.get(name) if isinstance(record, dict) else None
            if isinstance(value, datetime.datetime) and value.utcoffset() != datetime.timedelta():
                return f'{name} is {value!r}'
    return None


def _caused(seen: Seen) -> str | None:
    """C-189: an error that an answer of the server was made into has that answer as its cause."""
    error = seen.outcome.error
    if error is None or error.cause is not None or not seen.asked or seen.asked[-1].status < 400:
        return None
    kind = vars(errors).get(error.kind)
    if kind is None or issubclass(kind, errors.ImageTransferError):  # these say what happened on the way
        return None
    return f'{error.kind} without a cause after {seen.asked[-1].status}'


def _well_asked(seen: Seen) -> str | None:
    """C-094: what is no id is asked for nowhere; C-111: what the service keeps about itself is not touched."""
    for request in seen.outcome.requests:
        path = urllib.parse.urlsplit(request['path']).path
        if not path.startswith('/v2/') or any(part in ('', '.', '..') for part in path.split('/')[1:]):
            return f'asked for {path}'
        body = request.get('body')
        for each in body if request['method'] == 'PATCH' and isinstance(body, list) else ():
            if str(each.get('path', '')).startswith('/os_glance'):
                return f'touched {each}'
    return None


def _whole(seen: Seen) -> str | None:
    """C-126, D-8: what is delivered without an error is what the server holds, as far as that can be known."""
    given, into = seen.outcome.delivered, seen.step.arguments.get('into')
    held = seen.after.contents.get(_first_image(seen, 'GET file'))
    if into is None or given is None or held is None or seen.outcome.error is not None:
        return None
    wanted = {'path': (b'path:' + held,), 'both': (held + b'path:' + held, held, b'path:' + held)}.get(into, (held,))
    if seen.before.no_hash_of(_first_image(seen, 'GET file')):
        return None if len(given) in map(len, wanted) else f'delivered {len(given)} bytes of {len(held)}'
    return None if given in wanted else f'delivered {given!r}'


def _first_image(seen: Seen, route: str) -> str:
    return next((urllib.parse.unquote(each.path.split('/')[3]) for each in seen.asked if each.route == route), '')


def _arrived(seen: Seen) -> str | None:
    """C-209, D-5: data that was sent without an error is what the server holds, as far as that can be known."""
    data, result = seen.step.arguments.get('data'), seen.outcome.result
    if not isinstance(data, Body) or not isinstance(result, dict) or seen.after.images is None:
        return None
    held = seen.after.contents.get(result['id'])
    if not data.content or held is None:
        return None
    if seen.after.no_hash_of(result['id']):
        return None if len(held) == len(data.content) else f'{len(held)} bytes of {len(data.content)} arrived'
    return None if held == data.content else f'{held!r} arrived'


def _once(seen: Seen) -> str | None:
    """C-158: a creation makes one image; if an answer was lost, one that nobody knows may stay, and no more."""
    result = seen.outcome.result
    if seen.step.op != 'create' or not isinstance(result, dict) or seen.after.images is None:
        return None
    made = seen.after.images.keys() - (seen.before.images or {}).keys()
    return None if result['id'] in made and len(made) <= 1 + _lost(seen) else f'{len(made)} images were made'


def _lost(seen: Seen) -> bool:
    return any(each.route == 'POST images' and not each.status for each in seen.asked)


def _unhashed(seen: Seen) -> str | None:
    """D-8: bytes that cannot be checked are handed out silently, with a warning, or not at all: as configured."""
    image_id = _first_image(seen, 'GET file')
    if seen.step.op != 'download' or not seen.before.no_hash_of(image_id) or seen.outcome.error is not None:
        return None
    warned = any('carries no hash' in text for _level, text in seen.outcome.logged)
    wanted = seen.after.no_hash
    if wanted == 'refuse':
        return 'handed out unchecked'
    return None if warned is (wanted == 'warn') else f'no_hash is {wanted}, and it was {"" if warned else "not "}said'


def _traced(seen: Seen) -> str | None:
    """C-203: each request tells the id of the caller's own request, if the context has one."""
    wanted = Later.global_id if seen.step.era == '16' else None
    for each in seen.asked:
        told = {name.lower(): value for name, value in each.headers.items()}.get('x-openstack-request-id')
        if told != wanted:
            return f'{each.method} {each.path} tells the request id {told!r}, expected {wanted!r}'
    return None


def _last_words(seen: Seen) -> str | None:
    """C-051: whoever gives up says so, and whoever goes on does not; where servers are no URLs, nobody says so."""
    said = [text for _level, text in seen.outcome.logged if text.startswith('Error contacting glance server')]
    failed = seen.outcome.error is not None and seen.outcome.error.kind == 'GlanceConnectionFailed'
    done = [text for text in said if text.endswith('done trying.')]
    if failed and said and '://' in said[-1] and not done:
        return f'gave up, and said {said[-1]!r}'
    return f'went on, and said {done[0]!r}' if done and seen.outcome.error is None else None


def _healthy_first(seen: Seen) -> str | None:
    """C-045, D-10: whoever failed is asked again only when the others do not answer."""
    state: dict[str, bool] = {}
    for each in seen.before.asked:
        if each.status in (0, 503):
            state[each.headers['Host']] = False
        elif each.status < 400 and each.route != 'GET file':
            state[each.headers['Host']] = True
    if not seen.asked or True not in state.values():
        return None
    first = seen.asked[0].headers['Host']
    return f'{first} was asked, which had failed' if state.get(first) is False else None


Law = Callable[[Seen], str | None]
#: what holds of every call
OF_ANY: tuple[Law, ...] = (
    _left_alone, _aware, _caused, _well_asked, _whole, _arrived, _once, _traced, _last_words,
)  # fmt: skip
#: what holds where no client of the caller's own decides
LAWS = (*OF_ANY, _unhashed, _healthy_first)


def broken(seen: Seen, laws: Iterable[Law] = LAWS) -> Iterator[str]:
    """What a step breaks: the law, and what happened."""
    for law in laws:
        found = law(seen)
        if found is not None:
            yield f'{(law.__doc__ or "").strip()} But {seen.step.op} {found}'
