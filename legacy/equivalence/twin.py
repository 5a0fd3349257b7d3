# SPDX-License-Identifier: Apache-2.0
"""Run one program twice, on twin stores, and compare: the law of D-2.

A :class:`Side` runs programs: through the old module, or through ``nova_image.API`` by the calls that the
rewrite rules of ``names.py`` make of the old ones. What a rewrite cannot say in the call itself (texts
for None, keys, filters and ids that only the old names refuse or drop) is bridged here, as that table says.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from legacy.equivalence.eras import dressed
from legacy.equivalence.outcome import Outcome, outcome
from legacy.equivalence.pairing import Mismatch, Pairing, texts
from legacy.equivalence.programs import ABSENT, Body, Program, Reads, Step
from legacy.names import NAMES
from nova_image import API, errors, images

#: Top-level keys that the old ``create`` took; ``update`` all but two of them (C-160, C-178).
CREATE_KEYS = frozenset((
    'name', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'owner', 'size', 'is_public', 'protected',
    'location', 'checksum', 'copy_from', 'properties', 'deleted', 'id', 'store', 'status', 'created_at',
    'updated_at', 'deleted_at',
))  # fmt: skip
_SERVICE = 'GlanceImageService'


@dataclass
class Run:
    """One run of a program: the outcome of each step, and the records in the store afterwards."""

    outcomes: list[Outcome] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Divergence:
    """Where two runs part: the step (None: the stores at the end) and the places that differ."""

    step: Step | None
    mismatches: tuple[Mismatch, ...]

    def __str__(self) -> str:
        lines = [f'after {self.step!r}' if self.step else 'in the stores at the end']
        lines += [f'  {each.path}: {each.old!r} | {each.new!r}' for each in self.mismatches]
        return '\n'.join(lines)


Call = Callable[[Step, Any, dict[str, Any]], Any]


class Side:
    """Something that runs programs.

    :param contexts: the callers by name
    :param call: makes the call of a step for a context, with arguments by old names
    :param stored: gives all records of the store
    """

    def __init__(
        self,
        contexts: Mapping[str, Any],
        call: Call,
        stored: Callable[[], list[dict[str, Any]]],
        *,
        restrict: bool = True,
    ) -> None:
        self._contexts = contexts
        self._call = call
        self._stored = stored
        self._restrict = restrict

    def run(self, program: Program) -> Run:
        """Run all steps, whatever comes out of them."""
        found = Run()
        made: list[str] = []
        with tempfile.TemporaryDirectory() as directory:
            for step in program:
                result = self._step(step, made, os.path.join(directory, 'target'))
                if step.op == 'create' and isinstance(result.result, dict):
                    made.append(result.result['id'])
                found.outcomes.append(result)
        found.stored = self._stored()
        return found

    def _step(self, step: Step, made: Sequence[str], path: str) -> Outcome:
        arguments = {name: _resolved(name, value, made) for name, value in step.arguments.items()}
        if step.image is not None:
            arguments['image_id'] = _image(step.image, made)
        into = arguments.pop('into', None)
        sink = io.BytesIO() if into in ('object', 'both') else None
        if sink is not None:
            arguments['data'] = sink
        if into in ('path', 'both'):
            arguments['dst_path'] = path
        context = dressed(self._contexts[step.who], step.era)
        before = _held(context, arguments)
        got: list[bytes] = []

        def call() -> Any:
            result = self._call(step, context, arguments)
            if into == 'iterator':
                got.extend(result)
                return None
            return result

        def delivered() -> bytes | None:
            if into is None:
                return None
            arrived = b''.join(got) if sink is None else sink.getvalue()
            with contextlib.suppress(FileNotFoundError):
                with open(path, 'rb') as target:
                    arrived += b'path:' + target.read()
                os.unlink(path)
            return arrived

        def changed() -> dict[str, Any]:
            """What is not as it was: read positions and closed files of a body, and by no means anything else."""
            after = _held(context, arguments)
            return {name: value for name, value in after.items() if value != before[name]}

        return outcome(call, restrict=self._restrict, delivered=delivered, arguments=changed)


def _held(context: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's objects as they are now."""
    return {
        'context': copy.deepcopy(getattr(context, '__dict__', None)),
        **{name: _state(value) for name, value in arguments.items()},
    }


def _state(value: Any) -> Any:
    if isinstance(value, io.BytesIO):
        return {'closed': value.closed, 'at': None if value.closed else value.tell()}
    if isinstance(value, Reads):
        return value.position()
    return copy.deepcopy(value) if isinstance(value, dict | list) else value


def _image(image: int | str, made: Sequence[str]) -> str:
    if isinstance(image, int):
        return made[image % len(made)] if made else ABSENT
    return image


def _resolved(name: str, value: Any, made: Sequence[str]) -> Any:
    if isinstance(value, Body):
        return value.open()
    return _image(value, made) if name == 'marker' else value


def old_call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
    """The call through ``legacy.glance``, as an old caller wrote it."""
    from legacy import glance

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        given = dict(arguments)
        if step.remote:
            href = (step.href or '{id}').replace('{id}', str(given['image_id']))
            service, given['image_id'] = glance.get_remote_image_service(context, href)
        else:
            service = _service(step.via, context)
        return getattr(service, step.op)(context, **given)


def own_service(make: Callable[[Any], Any]) -> Call:
    """Calls on a service that the caller made: ``make`` gets the old module."""

    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        from legacy import glance

        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return getattr(make(glance), step.op)(context, **arguments)

    return call


def _service(via: str, context: Any) -> Any:
    """A service as old callers built it: by the factory, or around a client wrapper of their own."""
    from legacy import glance

    if not via:
        return glance.get_default_image_service()
    if via == 'wrapper':
        return glance.GlanceImageService(glance.GlanceClientWrapper())
    if via == 'host':
        client = glance.GlanceClientWrapper(context, 'images.example', 9292, False, 1)
    else:
        client = glance.GlanceClientWrapper(context=context, endpoint='http://images.example:9292')
    return glance.GlanceImageService(client=client)


def new_call(api: API) -> Call:
    """Calls through the new API: what the rewrite in ``names.py`` makes of the old ones."""

    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        rule = NAMES[f'{_SERVICE}.{step.op}'].rewrite
        given = {rule.params.get(name, name): value for name, value in arguments.items()}
        if rule.known:
            given = {name: value for name, value in given.items() if name in rule.known}
        if rule.purge == 'unless-data':
            given['purge_props'] = bool(given.get('purge_props', True)) and not given.get('data')
        elif rule.purge == 'never':
            given['purge_props'] = False
        assert rule.to is not None, f'{step.op} has a method to go to'
        if step.remote and step.href:
            given['id_or_uri'] = _bridged_ref(step.href.replace('{id}', str(given['id_or_uri'])))
        elif '/' in str(given.get('id_or_uri', '')) and not step.remote:
            # An id with a slash was no image (C-094); for the new API it is a reference, and a bad one.
            raise errors.ImageNotFound(image_id=given['id_or_uri'])
        return getattr(api, rule.to)(context, **_bridged(step.op, given))

    return call


def _bridged_ref(href: str) -> str:
    """A reference that the old parser read and the new one refuses, in the new one's words (C-019, D-11)."""
    path = href.partition('#')[0].partition('?')[0]
    try:
        parts = urlsplit(href)
        _ = parts.port
    except ValueError:
        return href
    if '/' not in href:
        return href
    if path.endswith('/'):
        raise errors.ImageNotFound(image_id='')  # C-019: nothing after the last slash
    if not parts.hostname:
        # The old parser found no host and went on; the server of that name is what is refused.
        last = path.rpartition('/')[2]
        raise errors.InvalidImageRef(image_href=f'http://:80/images/{last}')
    if parts.scheme not in ('http', 'https'):
        return f'http://{parts.netloc}{parts.path}'  # C-019: whatever is not https is http
    return href


def _bridged(op: str, given: dict[str, Any]) -> dict[str, Any]:
    """What only the old names did, done by the caller of the new ones."""
    if 'image_info' in given:
        return {**given, 'image_info': _bridged_info(op, given['image_info'])}
    if given.get('filters'):
        return {**given, 'filters': {k: v for k, v in given['filters'].items() if _known_filter(k)}}
    return given


def _bridged_info(op: str, image_info: Mapping[str, Any]) -> dict[str, Any]:
    allowed = CREATE_KEYS if op == 'create' else CREATE_KEYS - {'store'}
    for name in image_info:
        if name not in allowed:
            raise TypeError(f'{op}() got an unexpected keyword argument {name!r}')  # C-160
    bridged = dict(image_info)
    if isinstance(bridged.get('properties'), Mapping):
        keep = (*images.IMAGE_ID_PROPERTIES, *images.JSON_PROPERTIES)
        bridged['properties'] = {
            name: 'None' if value is None and name not in keep else value  # C-313
            for name, value in bridged['properties'].items()
        }
    return bridged


_FILTERS = images.BASE_FIELDS | {
    'is_public', 'properties', 'changes-since', 'size_min', 'size_max', 'tag', 'deleted',
}  # fmt: skip


def _known_filter(name: str) -> bool:
    return name in _FILTERS or name.startswith('property-')  # D-16


def compare(
    program: Program, old: Run, new: Run, *, across_services: bool = False
) -> Divergence | None:
    """The first place where two runs part, or None.

    :param across_services: the runs are on different image services: the words of an error (C-190) and
        the names of their stores are their own
    """
    if across_services:
        old, new = _without_own_words(old), _without_own_words(new)
    pairing = Pairing.between(texts(_texts(old)), texts(_texts(new)))
    for step, left, right in zip(program, old.outcomes, new.outcomes, strict=True):
        found = pairing.compare(left.plain, right.plain)
        if found:
            return Divergence(step, tuple(found))
    twins = {record['id']: record for record in new.stored}
    pairs = [
        (each, twins.pop(pairing.to_new.get(each['id'], each['id']), None)) for each in old.stored
    ]
    rest: Iterator[tuple[Any, Any]] = ((None, each) for each in twins.values())
    for each, twin in (*pairs, *rest):
        found = pairing.compare(each, twin, 'record')
        if found:
            return Divergence(None, tuple(found))
    return None


def _without_own_words(run: Run) -> Run:
    return Run(
        [
            dataclasses.replace(
                each,
                result=_without_stores(each.result),
                error=each.error and (*each.error[:2], ''),
                logged=(),
                arguments=None,
            )
            for each in run.outcomes
        ],
        _without_stores(run.stored),
    )


def _without_stores(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_stores(each) for each in value]
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if key != 'stores'}
    return value


def _texts(run: Run) -> list[Any]:
    return [[each.plain for each in run.outcomes], run.stored]
