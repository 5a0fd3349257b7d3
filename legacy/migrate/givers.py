# SPDX-License-Identifier: Apache-2.0
"""P-11, P-21, P-22: what the callers of a function, or of a class, give for one of its parameters.

The caller, the helper and every other caller move together or not at all, so that every mention of the name
has to be understood. A call that cannot give the parameter is understood whatever it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from legacy.migrate.arguments import Arguments
from legacy.migrate.call_words import DOUBLES, LOADERS, called_by
from legacy.migrate.classes import class_around
from legacy.migrate.handover import callee, parameters
from legacy.migrate.lineage import Definition, Lineage, definition, method
from legacy.migrate.tree import Node, outer
from legacy.migrate.unit import Unit

_HARMLESS = ('isinstance', 'issubclass', 'super', 'type', 'hasattr', *DOUBLES)


@dataclass(eq=False)
class Given:
    """What is known of one parameter.

    :ivar values: the expressions that callers give for it
    :ivar unseen: why there may be more, or ''
    """

    values: list[Definition] = field(default_factory=list)
    unseen: str = ''


@dataclass(frozen=True)
class _Wanted:
    """The parameter as callers give it: by keyword, or from a position on."""

    name: str
    position: int


class Givers:
    """Asks every caller in the run."""

    def __init__(
        self,
        containing: Callable[[bytes], list[tuple[str, bytes]]],
        parsed: Callable[[str], Unit | None],
        lineage: Lineage,
    ) -> None:
        self._containing = containing
        self._parsed = parsed
        self._lineage = lineage
        self._known: dict[tuple[int, str], Given] = {}

    def given(self, unit: Unit, function: Node, name: str) -> Given:
        """What callers give for the parameter ``name`` of a function or a constructor."""
        key = (id(function), name)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Given()
            names = [each.text for each in parameters(function)]
            wanted = _Wanted(name, names.index(name) if name in names else len(names))
            known.unseen = self._function(known, unit, function, wanted)
        return known

    def _function(self, known: Given, unit: Unit, function: Node, wanted: _Wanted) -> str:
        name = (function.get('name') or function).text
        owner = class_around(function)
        if owner is not None:
            wanted = _Wanted(wanted.name, wanted.position - 1)
        if name == '__init__' and owner is not None:
            return self._class(known, unit, owner, wanted, [])
        nested = unit.scopes.around(function).is_function
        if not nested and not name.startswith('_') and not unit.whole:
            return f'{name}() may be called from outside the given paths'
        if name.startswith('__'):
            return f'{name}() is called by Python itself'
        if function.parent is not None and function.parent.type == 'decorated_definition':
            return f'{name}() is decorated'
        return self._everywhere(name, unit if nested else None, lambda other, node: self._of_function(
            known, other, node, (unit, function), wanted
        ))  # fmt: skip

    def _everywhere(self, name: str, only: Unit | None, judge: Callable[[Unit, Node], str]) -> str:
        for path in [only.path] if only else [path for path, _ in self._containing(name.encode())]:
            other = self._parsed(path)
            if other is None:
                return f'{path} mentions {name} and cannot be looked into'
            for span in other.words(name):
                node = other.source.at(*span)
                why = '' if node.type == 'comment' else judge(other, node)
                if why:
                    return f'{path}:{node.line} {why}'
        return ''

    # -- functions and methods

    def _of_function(
        self, known: Given, unit: Unit, node: Node, wanted: Definition, parameter: _Wanted
    ) -> str:
        name, parent = node.text, node.parent
        if node.type in ('string_content', 'string', 'string_start', 'string_end'):
            return self._in_string(unit, node, wanted)
        if parent is None or node.type != 'identifier':
            return f'uses {name} in a way that is not followed'
        if parent.type == 'function_definition' and node.field == 'name':
            mine = parent is wanted[1] or class_around(wanted[1]) is None or class_around(parent) is None
            return '' if mine else f'defines another {name}'
        if _is_only_named(node, parent):
            return ''
        if renamed := _renamed(parent):
            return f'imports {name} as {renamed}'
        place = _dotted(node)
        call = place.parent
        if call is None or call.type != 'call' or place.field != 'function':
            return '' if self._other(unit, place, wanted) else f'uses {name} as a value'
        value = _passes(call, parameter)
        if value is None:
            return ''
        found = callee(unit, call, self._lineage)
        if found is None:
            return '' if self._other(unit, place, wanted) else f'calls {name}() with something else'
        if found.function is wanted[1]:
            return self._note(known, unit, value)
        return ''

    @staticmethod
    def _in_string(unit: Unit, node: Node, wanted: Definition) -> str:
        """A string that may name a function: alone, or dotted if its module may be that of the function.

        Not one inside of the function: what it could call that way has only its own arguments.
        """
        name = (wanted[1].get('name') or wanted[1]).text
        module, _, last = node.text.strip('\'"').rpartition('.')
        elsewhere = module and class_around(wanted[1]) is None and not _may_be(module, wanted[0])
        inside = unit is wanted[0] and wanted[1].start <= node.start < wanted[1].end
        return '' if last != name or elsewhere or inside else f'names {name} in a string'

    def _other(self, unit: Unit, place: Node, wanted: Definition) -> bool:
        """Whether a name certainly stands for something else."""
        found = definition(unit, place, self._lineage.resolver)
        if found is not None:
            return found[1] is not wanted[1]
        ref = unit.resolve(place)
        if ref is not None and ref.kind == 'other' and not ref.doubt:
            module = ref.dotted.rpartition('.')[0]
            return self._lineage.resolver(module) is None and not _may_be(module, wanted[0])
        return False

    @staticmethod
    def _note(known: Given, unit: Unit, value: Node) -> str:
        if value.type in ('list_splat', 'dictionary_splat'):
            return 'passes * or ** arguments, which may hold it'
        known.values.append((unit, value))
        return ''

    # -- constructors

    def _class(self, known: Given, unit: Unit, owner: Node, wanted: _Wanted, seen: list[Node]) -> str:
        """Every construction of a class, and of the classes that inherit its constructor."""
        if owner in seen:
            return ''
        seen.append(owner)
        name = (owner.get('name') or owner).text
        nested = unit.scopes.around(owner).is_function
        if not nested and not name.startswith('_') and not unit.whole:
            return f'{name}() may be called from outside the given paths'
        return self._everywhere(name, unit if nested else None, lambda other, node: self._of_class(
            known, other, node, (unit, owner), wanted, seen
        ))  # fmt: skip

    def _of_class(
        self, known: Given, unit: Unit, node: Node, wanted: Definition, parameter: _Wanted, seen: list[Node]
    ) -> str:
        name, parent = (wanted[1].get('name') or wanted[1]).text, node.parent
        if node.type in ('string_content', 'string', 'string_start', 'string_end'):
            return self._by_string(known, unit, node, wanted, parameter)
        if parent is None or node.type != 'identifier' or _is_only_named(node, parent):
            return ''
        if parent.type in ('class_definition', 'function_definition') and node.field == 'name':
            return ''
        if renamed := _renamed(parent):
            return f'imports {name} as {renamed}'
        place = _dotted(node)
        if self._other(unit, place, wanted):
            return ''
        above = outer(place).parent
        if above is not None and above.type == 'call' and place.field == 'function':
            value = _passes(above, parameter)
            if value is None:
                return ''
            if value.type in ('list_splat', 'dictionary_splat'):
                return self._forwarded(known, unit, above, parameter)
            if definition(unit, place, self._lineage.resolver) is None:
                return f'calls {name}() with something else'
            return self._note(known, unit, value)
        if above is not None and above.type == 'argument_list' and above.field == 'superclasses':
            heir = above.parent
            assert heir is not None
            return self._heir(known, unit, heir, parameter, seen)
        if above is not None and above.type == 'attribute':
            call = above.parent
            if above.text.endswith('.__init__') and call is not None and call.type == 'call':
                value = _passes(call, _Wanted(parameter.name, parameter.position + 1))
                return self._note(known, unit, value) if value is not None else ''
            return ''
        word, call = called_by(place)
        return '' if call is not None and word in _HARMLESS else f'uses {name} as a value'

    def _heir(self, known: Given, unit: Unit, heir: Node, wanted: _Wanted, seen: list[Node]) -> str:
        own = method(heir, '__init__')
        if own is None:
            return self._class(known, unit, heir, wanted, seen)
        for each in own.walk():
            function = each.get('function') if each.type == 'call' else None
            if function is None or function.type != 'attribute' or not function.text.endswith('__init__'):
                continue
            through_super = (function.get('object') or function).text.startswith('super')
            value = _passes(each, _Wanted(wanted.name, wanted.position + (0 if through_super else 1)))
            if value is None:
                continue
            if value.type not in ('list_splat', 'dictionary_splat'):
                self._note(known, unit, value)
                continue
            names = [parameter.text for parameter in parameters(own)]
            if wanted.name in names:
                return f'passes * or ** arguments to {wanted.name}'
            why = self._class(known, unit, heir, _Wanted(wanted.name, wanted.position + len(names) - 1), seen)
            if why:
                return why
        return ''

    def _forwarded(self, known: Given, unit: Unit, call: Node, wanted: _Wanted) -> str:
        """A call that hands on the ``*args`` and ``**kwargs`` of its function: that function's callers decide."""
        function = call.closest('function_definition')
        listed = function.get('parameters') if function is not None else None
        if function is None or listed is None or class_around(function) is not None:
            return 'passes * or ** arguments, which may hold it'
        own = {each.text for each in listed.named if 'splat' in each.type}
        if any(each.text not in own for each in Arguments(call).splats):
            return 'passes * or ** arguments, which may hold it'
        names = [each.text for each in parameters(function)]
        return self._function(known, unit, function, _Wanted(wanted.name, wanted.position + len(names)))

    def _by_string(
        self, known: Given, unit: Unit, node: Node, wanted: Definition, parameter: _Wanted
    ) -> str:
        name = (wanted[1].get('name') or wanted[1]).text
        words = node.text.strip('\'"')
        string = node if node.type == 'string' else node.closest('string') or node
        if not words.endswith(f'.{name}') or called_by(string)[0] in DOUBLES:
            return ''
        if not _may_be(words.rpartition('.')[0], wanted[0]):
            return ''
        loading = [
            call
            for word in LOADERS
            for span in unit.words(word)
            if (call := _dotted(unit.source.at(*span)).parent) is not None and call.type == 'call'
        ]
        for call in loading:
            value = _passes(call, _Wanted(parameter.name, parameter.position + 1))
            why = self._forwarded(known, unit, call, parameter) if value is not None else ''
            if why:
                return why
        return '' if loading else f'names {name} in a string'


def _passes(call: Node, wanted: _Wanted) -> Node | None:
    """What a call gives for a parameter: the expression, a splat that may hold it, or None if it cannot."""
    arguments = Arguments(call)
    if arguments.generator:
        return arguments.list
    if any(each.type == 'list_splat' for each in arguments.splats):
        return arguments.splats[0]
    value = arguments.value(wanted.position, wanted.name)
    return value if value is not None else next(iter(arguments.splats), None)


def _dotted(node: Node) -> Node:
    above = node.parent
    return above if above is not None and above.type == 'attribute' and node.field == 'attribute' else node


def _is_only_named(node: Node, parent: Node) -> bool:
    """An import under the same name, or the name of a keyword."""
    if parent.type == 'keyword_argument' and node.field == 'name':
        return True
    return parent.type == 'dotted_name' and (parent.parent is None or parent.parent.type != 'aliased_import')


def _renamed(parent: Node) -> str:
    """The other name under which an import binds, or ''."""
    item = parent if parent.type == 'aliased_import' else parent.parent
    alias = item.get('alias') if item is not None and item.type == 'aliased_import' else None
    return alias.text if alias is not None else ''


def _may_be(module: str, unit: Unit) -> bool:
    """Whether a dotted module name may mean a file."""
    path = f'/{unit.path}'.removesuffix('.py').removesuffix('/__init__')
    return path.endswith('/' + module.replace('.', '/')) or not module

