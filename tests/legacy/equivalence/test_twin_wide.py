# SPDX-License-Identifier: Apache-2.0
"""The law of D-2 for what callers of every era wrote: references, contexts, wrappers, v1's filters, an own client.

Outcomes include the log records by level, and what the caller holds afterwards. Examples beside the
properties show what each comparison is worth.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from budgets import budget
from hypothesis import given
from hypothesis import strategies as st
from twin_law import same, same_paths, same_stores, untouched

from legacy.equivalence import injected, notes, twin_stores
from legacy.equivalence.eras import ALIKE, ERAS, dressed
from legacy.equivalence.programs import Body, Program, Step
from legacy.equivalence.twin import Side, compare
from legacy.equivalence.twin_calls import Call, new_call
from legacy.equivalence.wide import HREFS, wide_programs
from nova_image import API

if TYPE_CHECKING:
    from nova_image.testing.servers import GlanceServer

pytestmark = pytest.mark.usefixtures('stores_in_memory')

@pytest.mark.contract('D-2', 'C-069', 'C-202', 'C-203', 'C-226', 'C-227', 'C-228', 'C-229', 'C-230', 'C-231')
@budget(200, long=3000)
@given(wide_programs())
def test_an_old_call_of_any_era_equals_its_rewrite(program: Program) -> None:
    same(program, twin_stores.old_on_local(program), twin_stores.new_on_local(program))


@pytest.mark.contract('D-2', 'C-025', 'C-208')
@budget(80, long=1500)
@given(wide_programs())
def test_an_old_call_of_any_era_equals_its_rewrite_where_nobody_has_to_say_who_they_are(
    program: Program,
) -> None:
    same(
        program,
        twin_stores.old_on_local(program, 'noauth'),
        twin_stores.new_on_local(program, 'noauth'),
    )


@pytest.mark.contract('C-203')
@budget(60, long=800)
@given(wide_programs(), st.sampled_from(ALIKE), st.sampled_from(ALIKE))
def test_contexts_of_all_eras_are_the_same_caller(program: Program, one: str, other: str) -> None:
    first, second = ([step._replace(era=era) for step in program] for era in (one, other))
    same(program, twin_stores.new_on_local(first), twin_stores.new_on_local(second))


@pytest.mark.contract('D-15', 'C-058', 'C-224')
@budget(80, long=1200)
@given(wide_programs(), st.sampled_from(injected.WAYS))
def test_a_service_around_a_client_of_the_callers_own_equals_its_rewrite(
    program: Program, way: str
) -> None:
    program = [step._replace(remote=False, href='') for step in program]
    same(program, injected.run_old(program, way), injected.run_new(program, way))


META = {'name': 'one', 'disk_format': 'raw', 'container_format': 'bare'}
MADE = Step('create', 'ann', None, {'image_meta': {**META, 'properties': {'a': 'x'}}})


@pytest.mark.contract('C-019', 'C-021', 'C-022', 'C-023', 'C-024', 'C-025')
@pytest.mark.parametrize('href', HREFS)
def test_every_shape_of_reference_leads_to_the_same_image(href: str) -> None:
    body = Body(b'abcdef', 'file')
    program = [
        MADE,
        Step('show', 'ann', 0, {}, True, href),
        Step('update', 'ann', 0, {'image_meta': {'name': 'two'}, 'data': body}, True, href),
        Step('download', 'ann', 0, {'into': 'both'}, True, href),
        Step('delete', 'ann', 0, {}, True, href),
    ]
    same(program, twin_stores.old_on_local(program), twin_stores.new_on_local(program))


@pytest.mark.contract('C-019', 'C-024')
@pytest.mark.parametrize('tail', ['?x=y', '#z', '?x=y#z', '?x=a#b?c'])
def test_what_follows_the_id_is_no_part_of_it_where_servers_are_urls_either(tail: str) -> None:
    program = [MADE, Step('show', 'ann', 0, {}, True, 'http://h:9292/v2/images/{id}' + tail)]
    with twin_stores.process_settings(glance__api_servers=['http://h:9292']):
        old = twin_stores.old_on_local(program)
    assert old.outcomes[1].error is None
    same(program, old, twin_stores.new_on_local(program))


@pytest.mark.contract('C-202', 'C-204', 'C-205')
@pytest.mark.parametrize('via', ['', 'wrapper', 'host', 'endpoint'])
@pytest.mark.parametrize('era', sorted(ERAS))
def test_a_context_of_each_era_works_with_each_way_to_get_a_service(era: str, via: str) -> None:
    program = [
        MADE,
        Step('show', 'ann', 0, {}, era=era, via=via),
        Step('detail', 'ann', None, {'filters': {'property-a': 'x'}}, era=era, via=via),
        Step('download', 'ann', 0, {'into': 'object'}, era=era, via=via),
    ]
    old = twin_stores.old_on_local(program)
    same(program, old, twin_stores.new_on_local(program))
    seen = [each.error is None for each in old.outcomes[:3]]
    assert seen == [True, era in (*ALIKE, 'get_admin_context'), True]


@pytest.mark.parametrize('era', ALIKE)
def test_a_context_keeps_what_it_says_in_each_era(era: str) -> None:
    before = twin_stores.contexts()['bob']
    after = dressed(before, era)
    for name in ('auth_token', 'is_admin', 'project_id', 'user_id'):
        assert getattr(after, name) == getattr(before, name)


def _talking(api: API) -> Call:
    """Calls that log what the old ones do not."""
    quiet = new_call(api)

    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        logging.getLogger('nova_image').warning('something else')
        return quiet(step, context, arguments)

    return call


def test_a_warning_that_only_one_side_logs_does_not_pass() -> None:
    old, new = (
        twin_stores.old_on_local([MADE]),
        twin_stores.new_on_local([MADE], call=_talking),
    )
    found = compare([MADE], old, new)
    assert found is not None
    assert [each.path for each in found.mismatches] == ['logged[0]']


def test_what_is_known_to_be_said_on_one_side_only_is_still_said() -> None:
    program = [Step('detail', 'ann', None, {'filters': {'bogus': 1}})]
    kept: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record.getMessage())

    handler = Keep(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        old = twin_stores.old_on_local(program)
    finally:
        logging.getLogger().removeHandler(handler)
    assert len(kept) == len(notes.KNOWN) == 1
    assert old.outcomes[0].logged == ()


def test_an_argument_that_was_changed_is_seen() -> None:
    def call(step: Step, context: Any, arguments: dict[str, Any]) -> Any:
        arguments['filters']['is_public'] = 'none'
        context.user_id = 'somebody else'

    program = [Step('detail', 'ann', None, {'filters': {'name': 'one'}}, era='2012')]
    run = Side(twin_stores.contexts(), call, list).run(program)
    assert set(run.outcomes[0].arguments) == {'context', 'filters'}
    with pytest.raises(AssertionError, match='changed'):
        untouched(program, run)


@pytest.mark.contract('D-15')
@pytest.mark.parametrize('way', injected.WAYS)
def test_a_client_that_is_called_otherwise_does_not_pass(way: str) -> None:
    from legacy.clients import V1ClientDriver

    program = [MADE, Step('update', 'ann', 0, {'image_meta': {'name': 'two'}})]

    def never_purging(client: Any) -> API:
        return API(V1ClientDriver(client, purge_props=False))

    old = injected.run_old(program, way)
    assert [each['method'] for each in old.stored[-1]['calls']] == ['create', 'update', 'get']
    same(program, old, injected.run_new(program, way))
    assert compare(program, old, injected.run_new(program, way, never_purging)) is not None


@pytest.mark.glance
@pytest.mark.contract('D-2')
@budget(10, long=400)
@given(program=wide_programs())
def test_an_old_call_of_any_era_equals_its_rewrite_on_a_real_glance(
    noauth: GlanceServer, program: Program
) -> None:
    same_paths([_at(noauth.url, step) for step in program], noauth)


def _at(url: str, step: Step) -> Step:
    """References and wrappers that name a server name the real one."""
    href = step.href
    for server in ('http://h:9292', 'HTTP://H:9292', 'http://u:p@h:9292', 'http://h'):
        if href.startswith(f'{server}/'):
            href = url + href.removeprefix(server)
            break
    else:
        href = f'{url}/v2/images/{{id}}' if href else ''
    return step._replace(href=href.replace('/glance/', '/'), via=step.via and 'wrapper')


@pytest.mark.glance
@budget(10, long=400)
@given(program=wide_programs())
def test_the_local_store_cannot_be_told_from_a_glance_by_callers_of_any_era(
    noauth: GlanceServer, program: Program
) -> None:
    same_stores([_at(noauth.url, step)._replace(via='') for step in program], noauth)
