# SPDX-License-Identifier: Apache-2.0
"""P-08 to P-10, P-19, P-20: the acquisition stays where it is and becomes an API object."""

from __future__ import annotations

from legacy.migrate import catalogue
from legacy.migrate.arguments import Arguments
from legacy.migrate.edits import Edit
from legacy.migrate.rules.names import NewNames
from legacy.migrate.rules.outcome import CHAIN, is_simple
from legacy.migrate.rules.ties import Plan
from legacy.migrate.tree import Node, inner, outer
from legacy.migrate.unit import Unit
from legacy.migrate.values import Acquisition


def default(acquisition: Acquisition, names: NewNames) -> Plan:
    """P-08, P-09, P-10, P-19: a service of the default server."""
    node, arguments = acquisition.node, Arguments(acquisition.node)
    is_class = acquisition.ref.dotted in catalogue.SERVICE_CLASSES
    above = outer(node).parent
    pattern = 'P-08'
    if is_class:
        pattern = 'P-19'
    elif above is not None and _instead_of_another(above, outer(node)):
        pattern = 'P-11'
    elif above is not None and above.type == 'attribute':
        pattern = 'P-09'
    elif above is not None and above.type == 'assignment':
        left = above.get('left')
        pattern = 'P-10' if left is not None and left.type == 'attribute' else 'P-08'
    if arguments.items:
        if is_class:
            return around_client(acquisition, arguments, names)
        return Plan(pattern, problem='the old function took no argument', problem_pattern=pattern)
    return Plan(pattern, function_edits(acquisition.unit, node, names.api))


def _instead_of_another(above: Node, node: Node) -> bool:
    """Whether a service stands in for one that may be given: ``x or S``, ``x if x is not None else S``."""
    if above.type == 'conditional_expression':
        return any(inner(each).type == 'identifier' for each in above.named[::2] if each is not node)
    return above.type == 'boolean_operator'


def around_client(acquisition: Acquisition, arguments: Arguments, names: NewNames) -> Plan:
    """P-20: a service around the client of one host becomes an API object with that host as its endpoint."""
    unit, node = acquisition.unit, acquisition.node
    client = inner(arguments.value(0, 'client') or node)
    ref = unit.resolve(client.get('function') or client) if client.type == 'call' else None
    wrapper = ref is not None and ref.dotted == 'GlanceClientWrapper' and not ref.doubt
    if not wrapper or len(arguments.items) != 1 or any(each.type == 'comment' for each in node.walk()):
        return Plan('P-20', problem='the service is built around a client of its own', problem_pattern='P-20')
    given = Arguments(client)
    context, host, port = given.value(0, 'context'), given.value(1, 'host'), given.value(2, 'port')
    secure = given.value(3, 'use_ssl')
    known = {'context', 'host', 'port', 'use_ssl'}
    if given.splats or set(given.keywords) - known or len(given.positional) > len(known):
        return Plan('P-20', problem='the client is given more than a host', problem_pattern='P-20')
    edits = function_edits(unit, node, names.api)
    listed = node.get('arguments')
    assert listed is not None
    if not given.items:
        return Plan('P-20', [*edits, Edit(listed.start, listed.end, '()')])
    plain = all(each is not None and CHAIN.match(each.text) for each in (context, host))
    if not plain or context is None or host is None or port is None or not (is_simple(port) or CHAIN.match(port.text)):
        return Plan('P-20', problem='context, host and port are not given plainly', problem_pattern='P-20')
    if secure is not None and inner(secure).type not in ('true', 'false'):
        return Plan('P-20', problem='whether TLS is used is computed', problem_pattern='P-20')
    for use in acquisition.uses:
        said = Arguments(use.call, use.skip).value(0, 'context') if use.kind == 'call' and use.call else context
        if said is None or not _one_value(unit, context, said):
            reason = 'the client was bound to one context, and the calls may use another'
            return Plan('P-20', problem=reason, problem_pattern='P-20')
    scheme = 'https' if secure is not None and inner(secure).type == 'true' else 'http'
    endpoint = f"(endpoint='{scheme}://%s:%s' % ({host.text}, {port.text}))"
    return Plan('P-20', [*edits, Edit(listed.start, listed.end, endpoint)])


def _one_value(unit: Unit, first: Node, second: Node) -> bool:
    """Whether two plain names are the same one, which is bound only once."""
    if first.text != second.text or inner(first).type != 'identifier':
        return False
    home = unit.scopes.lookup(first.text, unit.scopes.around(first))
    other = unit.scopes.lookup(first.text, unit.scopes.around(second))
    return home is other and (home is None or len(unit.scopes.all_bindings(first.text, home)) == 1)


def function_edits(unit: Unit, call: Node, new: str) -> list[Edit]:
    """The dotted function of a call becomes ``new``; what stands between its parts stays."""
    function = inner(call.get('function') or call)
    if function.type != 'attribute' or '.' not in new:
        return [Edit(function.start, function.end, new)]
    owner, name = function.get('object'), function.get('attribute')
    assert owner is not None and name is not None
    head, _, tail = new.rpartition('.')
    return [Edit(owner.start, owner.end, head), Edit(name.start, name.end, tail)]
