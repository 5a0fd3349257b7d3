# SPDX-License-Identifier: Apache-2.0
"""The arguments of wire programs, built for a server of this run, and bodies in one form.

Forms are those of ``golden/FORMAT.md`` section 3.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from legacy.equivalence.decode import Context


class NotRun(Exception):
    """The step refers to the result of a step that raised."""


@functools.lru_cache(maxsize=8)
def image_data(seed: int, size: int) -> bytes:
    """Bytes that only depend on ``seed``: the raw digests of ``<seed>:0``, ``<seed>:1``, ... cut to size."""
    parts = [
        hashlib.sha256(f'{seed}:{number}'.encode('ascii')).digest() for number in range(-(-size // 32))
    ]
    return b''.join(parts)[:size]


class Arguments:
    """Builds what a program's steps pass, from forms and from what earlier steps returned."""

    def __init__(self, case: dict[str, Any], glance_url: str, blobs_url: str) -> None:
        self.glance_url, self._blobs_url = glance_url, blobs_url
        self.address = urlsplit(glance_url).netloc
        self.variables: dict[str, Any] = {}
        self.contexts = {
            name: None if form is None else Context(form)
            for name, form in case['input']['contexts'].items()
        }

    def build(self, form: Any) -> Any:
        """The object that ``form`` stands for.

        :raises NotRun: it refers to a step that raised
        """
        if isinstance(form, str):
            return form.replace('<blobs>', self._blobs_url).replace('<glance>', self.address)
        if isinstance(form, list):
            return [self.build(item) for item in form]
        if not isinstance(form, dict):
            return form
        for tag, make in _MAKERS.items():
            if tag in form:
                return make(self, form)
        return {key: self.build(value) for key, value in form.items()}

    def path(self, text: str) -> str:
        """A request path with its ``<ref:name.key>`` filled in."""
        head, mark, tail = text.partition('<ref:')
        if not mark:
            return text
        reference, _, rest = tail.partition('>')
        return head + str(self.referred(reference.split('.'))) + rest

    def referred(self, steps: list[str]) -> Any:
        """The value of an earlier step."""
        name, *keys = steps
        if name not in self.variables:
            raise NotRun(name)
        value = self.variables[name]
        for key in keys:
            value = value[key]
        return value

    def _isotime(self, form: dict[str, Any]) -> str:
        name, key, seconds = form['$isotime']
        moment = self.referred([name, key]) + datetime.timedelta(seconds=seconds)
        return str(moment.strftime('%Y-%m-%dT%H:%M:%SZ'))

    def _href(self, form: dict[str, Any]) -> str:
        return self.glance_url + str(form['$href']).replace('<ref>', str(self.referred(form['of'])))


def _chunks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def _moment(form: dict[str, Any]) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(form['$datetime'])
    if form.get('offset') is None:
        return moment
    return moment.replace(tzinfo=datetime.timezone(datetime.timedelta(seconds=form['offset'])))


_MAKERS: dict[str, Any] = {
    '$ref': lambda args, form: args.referred(form['$ref']),
    '$isotime': Arguments._isotime,
    '$href': Arguments._href,
    '$text': lambda args, form: form['$text'] * form['times'],
    '$data': lambda args, form: image_data(**form['$data']),
    '$file': lambda args, form: io.BytesIO(image_data(**form['$file'])),
    '$gen': lambda args, form: _chunks(
        image_data(form['$gen']['seed'], form['$gen']['size']),
        form.get('chunk') or form['$gen'].get('chunk'),
    ),
    '$bytes': lambda args, form: base64.b64decode(form['$bytes']),
    '$tuple': lambda args, form: tuple(args.build(form['$tuple'])),
    '$datetime': lambda args, form: _moment(form),
}


def digest(content: bytes) -> dict[str, Any]:
    """Image data as size and md5."""
    return {'size': len(content), 'md5': hashlib.md5(content, usedforsecurity=False).hexdigest()}


def body(form: dict[str, Any] | None, content_type: str | None) -> Any:
    """A request body, recorded or observed, in one form: parsed JSON, or size and md5."""
    if form is None:
        return None
    if 'json' in form:
        return _json(form['json'])
    if 'digest' in form:
        return {'size': form['digest']['size'], 'md5': form['digest']['md5']}
    content = form['text'].encode() if 'text' in form else base64.b64decode(form['base64'])
    if content_type and 'json' in content_type:
        return _json(json.loads(content))
    return digest(content)


def _json(parsed: Any) -> Any:
    """Operations of a JSON patch come in no particular order: glanceclient makes them from sets."""
    if isinstance(parsed, list):
        return sorted(parsed, key=lambda operation: json.dumps(operation, sort_keys=True))
    return parsed
