# SPDX-License-Identifier: Apache-2.0
"""The second run of a boundary case: the same program on the Glance driver, over a scripted wire (D-15).

Compared are results, errors, bytes, files, sinks, handles and arguments as they are; sleeps, error logs,
credentials and servers per attempt; and the calls of the old client in the form of v2 requests.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from legacy.deviating.recordings import SCRIPT, Answer
from legacy.deviating.records import is_unchanged
from legacy.equivalence.boundary import Runner
from legacy.equivalence.boundary_plan import BASE, FIELDS, REFUSED, Action, NotOverHTTP, actions, truthful
from legacy.equivalence.boundary_wire import ScriptedGlance
from legacy.equivalence.decode import World

Form = dict[str, Any]


class DriverRunner(Runner):
    """Runs boundary cases on the Glance driver."""

    def both(self, case: dict[str, Any], expected: Answer) -> tuple[Answer, Answer]:
        """Expectation and answer, both in the form of the driver's requests.

        :raises NotOverHTTP: HTTP cannot express the case
        """
        root = self.next_root()
        plan = actions(case, expected, World(case, root, self._shared))
        glance = ScriptedGlance(plan)
        with glance.installed():
            observed = self.run(case, root, client=False)
        expected = {**expected, 'steps': [_without_wrappers(case, *pair) for pair in enumerate(expected['steps'])]}
        wanted = _common(in_http_words({key: value for key, value in expected.items() if key != SCRIPT}))
        _true_of_uploads(wanted, plan)
        wanted['asked'] = list(_planned(case, plan))
        seen = _common(in_http_words(observed))
        seen['asked'] = list(_said(case, glance.asked))
        seen.update({name: found for name, found in glance.unmatched.items() if found})
        return wanted, seen


def _without_wrappers(case: dict[str, Any], number: int, step: Form) -> Form:
    """Which server an old client's wrapper asked last is not the driver's to tell."""
    after = step.get('args_after')
    if after is None:
        return step
    given = case['input']['steps'][number]
    pairs = [*zip(given.get('args', ()), after['args'], strict=True)]
    pairs += [(given['kwargs'][name], now) for name, now in after['kwargs'].items()]
    if all((isinstance(form, dict) and '$var' in form) or is_unchanged(form, now) for form, now in pairs):
        return {key: value for key, value in step.items() if key != 'args_after'}
    return step


def _true_of_uploads(wanted: Form, plan: list[Action]) -> None:
    """Records of what was uploaded say what is true of it, as the scripted server does."""
    for action in plan:
        record = wanted['steps'][action.step].get('result')
        if action.kind == 'upload' and action.error is None and isinstance(record, dict) and 'size' in record:
            record.update(truthful({}, action.wanted))


def _common(answer: Answer) -> Form:
    """What counts as it is, and of the events what counts on any driver."""
    form = {key: value for key, value in answer.items() if key not in ('steps', 'handles')}
    form['left open'] = [handle['path'] for handle in answer.get('handles', ()) if not handle['closed']]
    form['steps'] = [_step(step) for step in answer['steps']]
    return form


def _step(step: Form) -> Form:
    events = step['events']
    form: Form = {key: _joined(value) for key, value in step.items() if key != 'events'}
    form['sleeps'] = [[int(one) for one in event['args']] for event in events if event['ev'] == 'sleep']
    form['errors'] = sum(event['ev'] == 'log' and event['level'] == 'ERROR' for event in events)
    # Where a copy is staged before it stands at its path is the driver's affair.
    past = [event for event in events if event['ev'] in ('copy_image', 'transfer')]
    form['past the service'] = [{key: event[key] for key in event if key != 'dst'} for event in past]
    form['verified'] = [event for event in events if event['ev'] in ('get_verifier', 'verifier.verify')]
    return form


def in_http_words(value: Any) -> Any:
    """Errors of the client by the classes that it makes of an answer, and no words of the HTTP library's."""
    if isinstance(value, list):
        return [in_http_words(item) for item in value]
    if isinstance(value, str):
        for name in _DEPRECATED:
            value = re.sub(rf'HTTP {name}(?![\w])', f'HTTP HTTP{name}', value)
        return value
    if not isinstance(value, dict):
        return value
    form = {key: in_http_words(item) for key, item in value.items()}
    if 'class' in form and 'mro' in form:
        module, _, name = str(form['class']).rpartition('.')
        if module == 'glanceclient.exc' and name in _DEPRECATED:
            form.update({'class': f'{module}.HTTP{name}', 'mro': [f'HTTP{name}', *form['mro']]})
        if form.get('details') in _DEPRECATED:
            form['details'] = f'HTTP{form["details"]}'
        form.pop('scripted', None)
        if name == 'GlanceConnectionFailed' and 'server' in (form.get('kwargs') or {}):
            form['message'] = form['message'].replace(form['kwargs'].pop('server'), '<server>')
        if name == 'GlanceConnectionFailed' and not _STATUS.match(str(form.get('kwargs', {}).get('reason'))):
            form['kwargs']['reason'] = form['message'] = 'no answer'
    return form


_DEPRECATED = ('BadRequest', 'Unauthorized', 'Forbidden', 'NotFound', 'Conflict', 'OverLimit', 'ServiceUnavailable')
_STATUS = re.compile('HTTP ')


def _joined(value: Any) -> Any:
    """Chunks as their bytes: where one ends is the wire's affair."""
    if isinstance(value, dict) and 'chunks' in value and 'end' in value:
        chunks = b''.join(base64.b64decode(chunk['$bytes']) for chunk in value['chunks'])
        return {'end': value['end'], 'content': base64.b64encode(chunks).decode()}
    if isinstance(value, dict) and ('$backend_iter' in value or value.get('type') in _ITERATORS):
        return 'an iterator of chunks'
    return value


_ITERATORS = ('DownloadedChunks',)


def _planned(case: dict[str, Any], plan: list[Action]) -> Iterator[Form]:
    """What the driver is to ask."""
    base: Form = {}
    before: Action | None = None
    for action in plan:
        form: Form = {'kind': action.kind, 'image': _named(action), 'failed': _failure(action)}
        form.update(_place(case, action.token, action.endpoint, action.insecure))
        if _moves_on(before, action) and form['server'] == _ANY:
            form['server'] = _ANOTHER
        before = action
        if form['failed'] is None:
            info = _info(case['input']['steps'][action.step])
            admin = _is_admin(case, action.step)
            if action.kind == 'create':
                form['fields'] = _fields(action.wanted, info, admin)
            elif action.kind == 'update':
                shown = base if base.get('id') == action.image_id else action.images[0]
                form['after'] = _after(shown, action.wanted, info, admin)
            elif action.kind == 'upload':
                form['content'] = action.wanted.decode('latin-1')
            elif action.kind == 'locate':
                form['url'] = action.wanted
            elif action.kind == 'list':
                form['query'] = _query(action)
        base = action.images[0] if action.kind == 'get' and action.images else {}
        yield form


def _said(case: dict[str, Any], asked: list[tuple[Action, Form, Form]]) -> Iterator[Form]:
    """What it asked, in the same words."""
    again = False
    before: tuple[Action, str] | None = None
    for action, said, base in asked:
        form: Form = {'kind': action.kind, 'image': said['image'], 'failed': _failure(action)}
        form.update(_place(case, said['token'], said['server'], said['insecure']))
        if before is not None and _moves_on(before[0], action) and form['server'] == _ANY:
            form['server'] = _ANOTHER if said['server'] != before[1] else 'the one that failed'
        before = action, said['server']
        if form['failed'] is None:
            if action.kind == 'create':
                form['fields'] = json.loads(said['content'])
                if again:
                    # One that is sent again names an id of its own, so that there are never two.
                    form['fields'].pop('id', None)
            elif action.kind == 'update':
                form['after'] = _patched(base, json.loads(said['content']))
            elif action.kind == 'upload':
                form['content'] = said['content'].decode('latin-1')
            elif action.kind == 'locate':
                form['url'] = _location(said)
            elif action.kind == 'list':
                form['query'] = sorted(map(list, said['query']))
        again = action.kind == 'create' and form['failed'] is not None
        yield form


def _place(case: dict[str, Any], token: Any, server: str, insecure: Any) -> Form:
    """Where it went and with which credential: one of several servers is as good as another, by chance.

    Whether a certificate is looked at says something where there is one only.
    """
    config = case['input']['config']
    servers = config.get('glance_api_servers', config.get('glance.api_servers', ()))
    known = [_url(one) for one in servers or ()]
    place = _url(server)
    form: Form = {'token': token, 'insecure': bool(insecure) and place.startswith('https:')}
    several = len(known) > 1 and place in known
    if several:
        form['insecure'] = False
    return {**form, 'server': _ANY if several else place}


_ANY, _ANOTHER = 'one of the configured', 'another of the configured'


def _moves_on(before: Action | None, action: Action) -> bool:
    """Whether an action asks again for what a server had no answer to (C-048)."""
    if before is None or before.error is None or before.error[0] == 'cut':
        return False
    return (before.step, before.kind) == (action.step, action.kind) and before.error[1] in (0, 503)


def _url(server: str) -> str:
    parts = urlsplit(server if '//' in server else f'http://{server}')
    port = parts.port or (443 if parts.scheme == 'https' else 80)
    return f'{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip("/")}'


def _named(action: Action) -> Any:
    return None if action.kind in ('create', 'list') else action.image_id


def _failure(action: Action) -> Any:
    return None if action.error is None or action.error[0] == 'cut' else list(action.error[:2])


def _info(step: Form) -> Form:
    """The metadata that the step passes."""
    given = [*step.get('args', ()), *step.get('kwargs', {}).values()]
    return next((one for one in given if isinstance(one, dict) and not any(key[:1] == '$' for key in one)), {})


def _is_admin(case: dict[str, Any], number: int) -> bool:
    for argument in case['input']['steps'][number].get('args', ()):
        if isinstance(argument, dict) and '$ctx' in argument:
            return bool((case['input']['contexts'][argument['$ctx']] or {}).get('is_admin'))
    return False


def _fields(kwargs: Form, info: Form, admin: bool) -> Form:
    """The keywords of a client's call as fields of a v2 image (C-239 to C-250, C-329)."""
    fields = {name: value for name, value in kwargs.items() if name in FIELDS}
    for name in ('min_disk', 'min_ram'):
        if name in fields:
            try:
                fields[name] = int(fields[name])
            except (TypeError, ValueError):
                raise NotOverHTTP(REFUSED) from None
    if admin and 'owner' in kwargs:
        fields['owner'] = kwargs['owner']
    if 'is_public' in kwargs and 'visibility' not in kwargs:
        fields['visibility'] = 'public' if kwargs['is_public'] else 'private'
    custom = {**(kwargs.get('properties') or {}), **{k: v for k, v in kwargs.items() if k not in _NO_PROPERTY}}
    for name, value in custom.items():
        if name not in _NO_PROPERTY and name != 'instance_owner':
            fields[name] = value if isinstance(value, str) else str(value)
    return fields


_NO_PROPERTY = BASE | {
    'is_public', 'properties', 'purge_props', 'data', 'location', 'remove_props', 'image_id', 'deleted', 'deleted_at',
    'copy_from', 'store',
}  # fmt: skip


def _after(base: Form, kwargs: Form, info: Form, admin: bool) -> Form:
    """The image after an update of it (C-174, C-177, C-239, C-262)."""
    fields = _fields(kwargs, info, admin)
    fields.pop('id', None)
    if 'is_public' in info and not info['is_public'] and 'visibility' not in info and base['visibility'] != 'public':
        fields.pop('visibility', None)
    gone = set(kwargs.get('remove_props') or ())
    if kwargs.get('purge_props') and 'data' not in kwargs:
        gone |= {name for name in base if name not in BASE}
    gone = {name for name in gone if name not in fields and not name.startswith('os_glance')}
    return {**{name: value for name, value in base.items() if name not in gone}, **fields}


def _patched(base: Form, patch: list[Form]) -> Form:
    after = dict(base)
    for operation in patch:
        name = operation['path'].removeprefix('/').replace('~1', '/').replace('~0', '~')
        if operation['op'] == 'remove':
            del after[name]
        else:
            after[name] = operation['value']
    return after


def _location(said: Form) -> Any:
    sent = json.loads(said['content'])
    return sent['url'] if isinstance(sent, dict) else sent[0]['value']['url']


def _query(action: Action) -> list[list[str]]:
    """v1's or v2's list keywords as query parameters (C-072 to C-076, C-225 to C-234)."""
    asked: Form = action.wanted
    for name, kind in (('limit', int), ('page_size', int), ('filters', dict), ('marker', str)):
        if asked.get(name) and not isinstance(asked[name], kind):
            raise NotOverHTTP(REFUSED)
    if {'', 'property-'}.intersection(asked.get('filters') or ()):
        raise NotOverHTTP(REFUSED)
    size = asked.get('page_size') or 1000
    pairs = [['limit', str(min(size, asked['limit']) if asked.get('limit') else size)]]
    for name in ('marker', 'sort_key', 'sort_dir'):
        if asked.get(name):
            several = asked[name] if isinstance(asked[name], list) else [asked[name]]
            pairs += [[name, str(one)] for one in several]
    filters = dict(asked.get('filters') or {})
    public = str(filters.pop('is_public', 'none')).lower()
    if public in ('true', '1'):
        pairs.append(['visibility', 'public'])
    for name, value in (*filters.pop('properties', {}).items(), *filters.items()):
        if name == 'changes-since':
            name, value = 'updated_at', f'gte:{value}'
        if name != 'deleted':
            if action.version == '1':
                name = name.removeprefix('property-')
            pairs.append([name, str(value).lower() if isinstance(value, bool) else str(value)])
    return sorted(pairs)
