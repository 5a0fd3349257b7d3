# SPDX-License-Identifier: Apache-2.0
"""Which bindings of a scope reach which reads: definitions followed through branches, loops and ``try``.

An over-approximation: a binding that may reach a read is always listed. ``watch`` adds facts of the form
"the names this call was given have not been bound again since the call ran".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from legacy.migrate.environment import UNBOUND, Env, merge
from legacy.migrate.scopes import COMPREHENSIONS, SCOPES, Binding, Scope, Scopes, targets
from legacy.migrate.tree import Node

_OK, _STALE = frozenset({'ok'}), frozenset({'stale'})


class Flow:
    """The flow through one module, function or class body.

    :param watch: (call node id, part) -> names whose later binding makes that part of the call stale
    :ivar reads: id of an identifier -> bindings that may reach it, or ``UNBOUND``
    :ivar fresh: id of an identifier -> the watched parts whose names are unchanged there
    """

    def __init__(self, scopes: Scopes, scope: Scope, watch: Mapping[tuple[int, str], frozenset[str]]) -> None:
        self.scopes = scopes
        self.scope = scope
        self.watch = watch
        self.reads: dict[int, set[Any]] = {}
        self.fresh: dict[int, set[tuple[int, str]]] = {}
        self._calls: dict[int, list[tuple[int, str]]] = {}
        for key in watch:
            self._calls.setdefault(key[0], []).append(key)
        self._loops: list[tuple[list[Env], list[Env]]] = []
        self._tries: list[list[Env]] = []
        env: Env = {}
        for name, bindings in scope.bindings.items():
            params = [each for each in bindings if each.kind == 'param']
            env[name] = frozenset(params) if params else frozenset({UNBOUND})
        body = scope.node if scope.node.type == 'module' else scope.node.get('body')
        if body is None:
            return
        if scope.node.type == 'lambda':
            self._read(body, env)
        else:
            self._block(body, env)

    # -- expressions

    def _read(self, node: Node | None, env: Env) -> None:
        if node is None:
            return
        kind = node.type
        if kind == 'identifier':
            self._name(node, env)
        elif kind == 'attribute':
            self._read(node.get('object'), env)
        elif kind == 'keyword_argument':
            self._read(node.get('value'), env)
        elif kind == 'named_expression':
            self._read(node.get('value'), env)
            name = node.get('name')
            if name is not None:
                self._define(name, env)
        elif kind == 'lambda':
            self._read(node.get('parameters'), env)
        elif kind in ('lambda_parameters', 'parameters'):
            for child in node.named:
                self._read(child.get('value'), env)
                self._read(child.get('type'), env)
        elif kind in ('string', 'integer', 'comment', 'string_content'):
            if kind == 'string' and any(each.type == 'interpolation' for each in node.children):
                for child in node.named:
                    self._read(child, env)
        elif kind in COMPREHENSIONS:
            inner = self.scopes.of(node)
            for child in node.walk():
                if child.type == 'identifier' and _is_read(child) and child.text not in inner.bindings:
                    self._name(child, env)
                elif child.type == 'named_expression' and (name := child.get('name')) is not None:
                    self._define(name, env)
        else:
            for child in node.children:
                self._read(child, env)
            for key in self._calls.get(id(node), ()):
                env[key] = _OK

    def _name(self, node: Node, env: Env) -> None:
        name = node.text
        if name not in self.scope.bindings or name in self.scope.outside:
            if self.watch:
                self._record_fresh(node, env)
            return
        self.reads.setdefault(id(node), set()).update(env.get(name, frozenset({UNBOUND})))
        if self.watch:
            self._record_fresh(node, env)

    def _record_fresh(self, node: Node, env: Env) -> None:
        fresh = {each for each in self.watch if env.get(each, _OK) == _OK}
        if id(node) in self.fresh:
            self.fresh[id(node)] &= fresh
        else:
            self.fresh[id(node)] = fresh

    def _define(self, node: Node, env: Env) -> None:
        name = node.text
        binding = self.scope.at.get(id(node))
        if binding is not None:
            self._bound(binding.name, env, binding)
        else:
            self._bound(name, env, None)

    def _bound(self, name: str, env: Env, binding: Binding | None) -> None:
        if binding is not None:
            env[name] = frozenset({UNBOUND if binding.kind == 'del' else binding})
        for key, names in self.watch.items():
            if name in names and key in env:
                env[key] = _STALE

    def _assign(self, target: Node, env: Env) -> None:
        """Bind a target; the bases of attributes and subscripts are read."""
        if target.type == 'identifier':
            self._define(target, env)
        elif target.type in ('attribute', 'subscript'):
            self._read(target, env)
        else:
            for child in target.named:
                self._assign(child, env)

    # -- statements

    def _block(self, block: Node, env: Env | None) -> Env | None:
        for child in block.named:
            if env is None:
                env = {}  # unreachable as far as we can see: still look, with nothing bound
                env.update({name: frozenset({UNBOUND}) for name in self.scope.bindings})
                self._statement(child, env)
                env = None
                continue
            env = self._statement(child, env)
            if env is not None and self._tries:
                for seen in self._tries:
                    seen.append(dict(env))
        return env

    def _statement(self, node: Node, env: Env) -> Env | None:
        method = getattr(self, f'_on_{node.type}', None)
        if method is not None:
            result: Env | None = method(node, env)
            return result
        if node.type in ('function_definition', 'class_definition'):
            for child in node.children:
                if child.field not in ('body', 'name'):
                    self._read(child, env)
            name = node.get('name')
            if name is not None:
                self._define(name, env)
        else:
            self._expression(node, env)
        return env

    def _expression(self, node: Node, env: Env) -> None:
        if node.type == 'assignment':
            right = node.get('right')
            self._read(node.get('type'), env)
            if right is not None:
                if right.type in ('assignment', 'augmented_assignment'):
                    self._expression(right, env)
                else:
                    self._read(right, env)
                left = node.get('left')
                if left is not None:
                    self._assign(left, env)
        elif node.type == 'augmented_assignment':
            left, right = node.get('left'), node.get('right')
            self._read(left, env)
            self._read(right, env)
            if left is not None:
                self._assign(left, env)
        elif node.type == 'expression_statement':
            for child in node.named:
                self._expression(child, env)
        else:
            self._read(node, env)

    def _on_decorated_definition(self, node: Node, env: Env) -> Env | None:
        for child in node.named:
            if child.field == 'definition':
                self._statement(child, env)
            else:
                self._read(child, env)
        return env

    def _on_return_statement(self, node: Node, env: Env) -> Env | None:
        self._read_children(node, env)
        return None

    _on_raise_statement = _on_return_statement

    def _read_children(self, node: Node, env: Env) -> None:
        for child in node.named:
            self._read(child, env)

    def _on_delete_statement(self, node: Node, env: Env) -> Env | None:
        for child in node.named:
            for name in targets(child):
                self._define(name, env)
            for each in child.named if child.type in ('expression_list', 'tuple') else (child,):
                if each.type in ('attribute', 'subscript'):
                    self._read(each, env)
        return env

    def _on_global_statement(self, node: Node, env: Env) -> Env | None:
        return env

    _on_nonlocal_statement = _on_global_statement
    _on_pass_statement = _on_global_statement

    def _on_import_statement(self, node: Node, env: Env) -> Env | None:
        for item in node.all('name'):
            self._define(item.get('alias') or item.named[0], env)
        return env

    def _on_import_from_statement(self, node: Node, env: Env) -> Env | None:
        for item in node.all('name'):
            self._define(item.get('alias') or item, env)
        return env

    _on_future_import_statement = _on_import_from_statement

    def _on_break_statement(self, node: Node, env: Env) -> Env | None:
        if self._loops:
            self._loops[-1][0].append(env)
        return None

    def _on_continue_statement(self, node: Node, env: Env) -> Env | None:
        if self._loops:
            self._loops[-1][1].append(env)
        return None

    def _on_if_statement(self, node: Node, env: Env) -> Env | None:
        self._read(node.get('condition'), env)
        outs: list[Env | None] = []
        current: Env = env
        consequence = node.get('consequence')
        outs.append(self._block(consequence, dict(current)) if consequence else dict(current))
        closed = False
        for clause in node.all('alternative'):
            if clause.type == 'elif_clause':
                self._read(clause.get('condition'), current)
                body = clause.get('consequence')
                outs.append(self._block(body, dict(current)) if body else dict(current))
            else:
                body = clause.get('body')
                outs.append(self._block(body, dict(current)) if body else dict(current))
                closed = True
        if not closed:
            outs.append(current)
        return merge(outs)

    def _loop(self, node: Node, env: Env, forever: bool) -> Env | None:
        body, state = node.get('body'), dict(env)
        breaks: list[Env] = []
        while True:
            current: Env = dict(state)
            if node.type == 'for_statement':
                left = node.get('left')
                if left is not None:
                    self._assign(left, current)
            else:
                self._read(node.get('condition'), current)
            self._loops.append(([], []))
            out = self._block(body, dict(current)) if body else dict(current)
            ends, nexts = self._loops.pop()
            breaks.extend(ends)
            new = merge([state, out, *nexts]) or state
            if new == state:
                break
            state = new
        done: Env | None = None if forever else dict(state)
        alternative = node.get('alternative')
        tail = alternative.get('body') if alternative else None
        if tail is not None and done is not None:
            done = self._block(tail, done)
        return merge([done, *breaks])

    def _on_for_statement(self, node: Node, env: Env) -> Env | None:
        self._read(node.get('right'), env)
        return self._loop(node, env, forever=False)

    def _on_while_statement(self, node: Node, env: Env) -> Env | None:
        condition = node.get('condition')
        forever = condition is not None and condition.text in ('True', '1', '(True)', '(1)')
        return self._loop(node, env, forever)

    def _on_with_statement(self, node: Node, env: Env) -> Env | None:
        for each in node.walk(into=('block', *SCOPES)):
            if each.type == 'with_item':
                value = each.get('value') or (each.named[0] if each.named else None)
                if value is not None and value.type == 'as_pattern':
                    self._read(value.named[0], env)
                    alias = value.get('alias')
                    if alias is not None:
                        self._assign(alias, env)
                else:
                    self._read(value, env)
        body = node.get('body')
        seen: list[Env] = [dict(env)]
        self._tries.append(seen)
        out = self._block(body, env) if body else env
        self._tries.pop()
        # a context manager may swallow the exception that ended the body early
        return merge([out, *seen])

    def _on_try_statement(self, node: Node, env: Env) -> Env | None:
        body = node.get('body')
        seen: list[Env] = [dict(env)]
        self._tries.append(seen)
        out = self._block(body, dict(env)) if body else dict(env)
        self._tries.pop()
        entry = merge(seen) or dict(env)
        everything: list[Env | None] = [entry]
        finals = [each for each in node.named if each.type == 'finally_clause']
        late: list[Env] = []
        if finals:
            self._tries.append(late)
        outs: list[Env | None] = []
        for clause in node.named:
            if clause.type == 'else_clause':
                tail = clause.get('body')
                if out is not None and tail is not None:
                    out = self._block(tail, out)
            elif clause.type in ('except_clause', 'except_group_clause'):
                outs.append(self._handler(clause, dict(entry)))
        if finals:
            self._tries.pop()
        result = merge([out, *outs])
        if not finals:
            return result
        everything += [result, *late]
        block = next((each for each in finals[0].named if each.type == 'block'), None)
        merged = merge(everything) or dict(env)
        after = self._block(block, merged) if block else merged
        if result is None or after is None:
            return None
        # what the finally block binds holds; the rest is what the normal ways out carried
        settled = self._block(block, dict(result)) if block else result
        return settled

    def _handler(self, clause: Node, env: Env) -> Env | None:
        values = clause.all('value')
        for value in values[:1]:
            if value.type == 'as_pattern':
                self._read(value.named[0], env)
                alias = value.get('alias')
                if alias is not None:
                    self._assign(alias, env)
            else:
                self._read(value, env)
        for value in (*values[1:], *clause.all('alias')):
            self._assign(value, env)
        block = next((each for each in clause.named if each.type == 'block'), None)
        return self._block(block, env) if block else env

    def _on_match_statement(self, node: Node, env: Env) -> Env | None:
        for subject in node.all('subject'):
            self._read(subject, env)
        outs: list[Env | None] = [env]
        body = node.get('body')
        for clause in body.named if body else ():
            current = dict(env)
            for each in clause.walk(into=('block',)):
                if id(each) in self.scope.at:
                    self._define(each, current)
            self._read(clause.get('guard'), current)
            block = clause.get('consequence')
            outs.append(self._block(block, current) if block else current)
        return merge(outs)


def _is_read(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.type == 'attribute':
        return node.field == 'object'
    if parent.type == 'keyword_argument':
        return node.field == 'value'
    if parent.type == 'named_expression':
        return node.field == 'value'
    return True
