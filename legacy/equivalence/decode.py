# SPDX-License-Identifier: Apache-2.0
"""From the recorded answers to Python objects.

Knows the value forms of ``golden/FORMAT.md`` section 1 and nothing of how a case runs; the way back is in
:mod:`legacy.equivalence.encode`. A ``World`` holds what one case names (contexts, sinks, sources,
variables), so that identity survives the way out.
"""

from __future__ import annotations

import base64
import builtins
import datetime
import gzip
import importlib
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from legacy.equivalence import encode

_EMPTY = {'$bytes': ''}
GOLDEN = Path(__file__).with_name('golden')


def load(path: Path) -> Iterator[dict[str, Any]]:
    """The cases of one file, in order.

    :raises ValueError: no gzip file of JSON lines
    """
    try:
        with gzip.open(path, 'rt', encoding='utf-8') as lines:
            for line in lines:
                yield json.loads(line)
    except (gzip.BadGzipFile, zlib.error, EOFError, RecursionError) as exc:
        raise ValueError(f'{path} is no golden file: {exc}') from exc


def common() -> dict[str, Any]:
    """What the cases share: schema, identities, data vectors."""
    shared: dict[str, Any] = json.loads((GOLDEN / 'common.json').read_text(encoding='utf-8'))
    return shared


class Context:
    """A caller's context: exactly the recorded attributes."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)

    def golden_form(self, world: World) -> Any:
        names = [name for name, context in world.contexts.items() if context is self]
        return {'$ctx': names[0]} if names else {'$repr': 'copied context', 'type': 'Context'}


class V1Image:
    """An image as the v1 client modelled it: exactly these attributes."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)

    def golden_form(self, world: World) -> Any:
        return {'$image': world.encode(vars(self))}


class V2Image(dict[str, Any]):
    """An image as the v2 client modelled it: keys that are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def golden_form(self, world: World) -> Any:
        return {'$image': world.encode(dict(self)), 'model': 'v2'}


class Opaque:
    """Identity and nothing else: not JSON, and its own deep copy."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __deepcopy__(self, memo: object) -> Opaque:
        return self

    def golden_form(self, world: World) -> Any:
        return {'$opaque': self.name}


class Sch:
    """What the schema controller answered; the name is the recorded one."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    def raw(self) -> dict[str, Any]:
        return self._raw


class ScriptedIterator:
    """One-shot iterator that counts what was taken from it."""

    def __init__(self, number: int, chunks: list[Any], then_raise: BaseException | None) -> None:
        self.number, self.consumed = number, 0
        self._chunks, self._then_raise = chunks, then_raise

    def __iter__(self) -> ScriptedIterator:
        return self

    def __next__(self) -> Any:
        if self.consumed < len(self._chunks):
            self.consumed += 1
            return self._chunks[self.consumed - 1]
        if self._then_raise is not None:
            raise self._then_raise
        raise StopIteration

    def __len__(self) -> int:
        return sum(len(chunk) for chunk in self._chunks)

    def golden_form(self, world: World) -> Any:
        return {'$backend_iter': self.number, 'consumed': self.consumed}


class Source(io.BytesIO):
    """Image data handed in, recognised when it comes out again."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.source_name = name

    def __deepcopy__(self, memo: object) -> Source:
        return self

    def golden_form(self, world: World) -> Any:
        return {'$source': self.source_name}


class Sink:
    """A writable object of the caller's: every write is an event."""

    def __init__(self, name: str, world: World, form: dict[str, Any]) -> None:
        self.sink_name, self._world = name, world
        self._fail_at, self._fail_with = form.get('fail_at'), form.get('fail_with')
        self._falsy = bool(form.get('falsy'))
        self._writes, self.close_calls, self.written = 0, 0, bytearray()

    def __bool__(self) -> bool:
        return not self._falsy

    def write(self, data: bytes) -> int:
        self._world.event('write', to={'$sink': self.sink_name}, data=self._world.encode(data))
        number, self._writes = self._writes, self._writes + 1
        if number == self._fail_at:
            raise self._world.decode(self._fail_with)
        self.written += data
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.close_calls += 1

    def truncate(self, *args: Any) -> None:
        self._world.event('truncate', of={'$sink': self.sink_name}, args=list(args))

    def golden_form(self, world: World) -> Any:
        return {'$sink': self.sink_name}


class Unbound(KeyError):
    """A variable whose step raised."""


class World:
    """The objects of one case, both ways."""

    def __init__(self, case: dict[str, Any], root: str, shared: dict[str, Any]) -> None:
        self.root, self.release, self.shared = root, case['release'], shared
        self.contexts = {
            name: None if form is None else Context(self.decode(form))
            for name, form in case['input'].get('contexts', {}).items()
        }
        self.variables: dict[str, Any] = {}
        self.iterators: list[ScriptedIterator] = []
        self.sinks: dict[str, Sink] = {}
        self.sources: dict[str, Source] = {}
        self.opaque: dict[str, Opaque] = {}
        self.clients: list[Any] = []
        self.scripted: list[BaseException] = []
        self.events: list[dict[str, Any]] = []

    def encode(self, value: Any) -> Any:
        """The recorded form of ``value``."""
        return encode.encode(self, value)

    def text(self, value: str) -> str:
        """``value`` without what differs from run to run."""
        return encode.text(self, value)

    def event(self, kind: str, **fields: Any) -> None:
        """Something crossed the boundary."""
        self.events.append({'ev': kind, **fields})

    def decode(self, form: Any) -> Any:
        """The object that ``form`` stands for, built anew.

        :raises ValueError: a tagged form that says nothing
        """
        if isinstance(form, list):
            return [self.decode(item) for item in form]
        if not isinstance(form, dict):
            return form
        for tag, build in _BUILDERS.items():
            if tag in form:
                try:
                    return build(self, form)
                except Unbound:
                    raise
                except (LookupError, TypeError, AttributeError, ImportError, ValueError, OverflowError) as exc:
                    raise ValueError(f'{form!r:.200} is no golden form: {exc!r}') from exc
        return {key: self.decode(value) for key, value in form.items()}

    def _image(self, form: dict[str, Any]) -> Any:
        attributes = self.decode(form['$image'])
        if form.get('model') != 'v2':
            return V1Image(attributes)
        image = V2Image(attributes)
        if self.release == '14.0.0':
            image.__dict__['schema'] = self.shared['shared']['schema-image']
        return image

    def _iterator(self, form: dict[str, Any]) -> ScriptedIterator:
        then_raise = self.decode(form['then_raise']) if 'then_raise' in form else None
        made = ScriptedIterator(len(self.iterators), self.decode(form['$iter']), then_raise)
        self.iterators.append(made)
        return made

    def _exception(self, form: dict[str, Any]) -> BaseException:
        cls = exception_class(form['$exc'])
        made: BaseException = cls(
            *self.decode(form.get('args', [])), **self.decode(form.get('kwargs', {}))
        )
        self.scripted.append(made)
        return made

    def _variable(self, form: dict[str, Any]) -> Any:
        if form['$var'] not in self.variables:
            raise Unbound(form['$var'])
        value = self.variables[form['$var']]
        for step in form.get('path', ()):
            value = value[step]
        return value

    def _source(self, form: dict[str, Any]) -> Source:
        name = form['$source']
        if name not in self.sources:
            self.sources[name] = Source(name, self.decode(form.get('content', _EMPTY)))
        return self.sources[name]

    def _sink(self, form: dict[str, Any]) -> Sink:
        name = form['$sink']
        if name not in self.sinks:
            self.sinks[name] = Sink(name, self, form)
        return self.sinks[name]

def exception_class(name: str) -> type[BaseException]:
    """The class that a recorded name means here; old image errors are ours by the last part."""
    module, _, last = name.rpartition('.')
    if not module:
        found = getattr(builtins, last, None)
        if found is None and last == 'ProcessExecutionError':
            found = importlib.import_module('legacy.download.file').ProcessExecutionError
    elif module == 'nova.exception':
        found = getattr(importlib.import_module('nova_image.errors'), last)
    elif module == 'cryptography.exceptions':
        found = _InvalidSignature
    else:
        found = getattr(importlib.import_module(module), last)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise TypeError(f'{name} is no class of exceptions')
    return found


class _InvalidSignature(Exception):
    """Stands for the class of that name in ``cryptography``, which need not be installed."""


_InvalidSignature.__name__ = 'InvalidSignature'
_InvalidSignature.__module__ = 'cryptography.exceptions'


def _when(world: World, form: dict[str, Any]) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(form['$datetime'])
    if form['offset'] is None:
        return moment
    return moment.replace(tzinfo=_zone(form['offset']))


def _zone(offset_s: float) -> datetime.timezone:
    return datetime.timezone(datetime.timedelta(seconds=offset_s))


def _opaque(world: World, form: dict[str, Any]) -> Opaque:
    return world.opaque.setdefault(form['$opaque'], Opaque(form['$opaque']))


_BUILDERS: dict[str, Any] = {
    '$tuple': lambda world, form: tuple(world.decode(form['$tuple'])),
    '$set': lambda world, form: set(world.decode(form['$set'])),
    '$bytes': lambda world, form: base64.b64decode(form['$bytes']),
    '$dict': lambda world, form: {world.decode(k): world.decode(v) for k, v in form['$dict']},
    '$datetime': _when,
    '$float': lambda world, form: float(form['$float']),
    '$image': World._image,
    '$iter': World._iterator,
    '$exc': World._exception,
    '$ctx': lambda world, form: world.contexts[form['$ctx']],
    '$var': World._variable,
    '$path': lambda world, form: f'{world.root}/{form["$path"]}',
    '$url': lambda world, form: form['$url'].replace('<root>', world.root),
    '$source': World._source,
    '$sink': World._sink,
    '$opaque': _opaque,
    '$schema': lambda world, form: Sch(world.decode(form['$schema'])),
}
