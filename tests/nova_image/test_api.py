# SPDX-License-Identifier: Apache-2.0
"""The front door, over a driver that writes down what reaches it."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import types
from typing import Any

import pytest
from oslo_config import cfg

import nova_image
from nova_image import errors, options
from nova_image.driver import ImageDriver, build, load

CTX = types.SimpleNamespace(auth_token='t', is_admin=False, project_id='p', user_id='u')
NOBODY = types.SimpleNamespace(is_admin=False, project_id='p', user_id='u')


class NotedDriver(ImageDriver):
    """Writes down each call; answers with one public and one private record."""

    name = 'noted'

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__(conf)
        self.calls: list[tuple[Any, ...]] = []

    def list(self, context: Any, **params: Any) -> list[dict[str, Any]]:
        self.calls.append(('list', params))
        return [{'id': 'a', 'is_public': True, 'properties': {}}, {'id': 'b', 'is_public': False, 'properties': {}}]

    def show(self, context: Any, image_id: str, *flags: Any, server: str | None = None) -> dict[str, Any]:
        self.calls.append(('show', image_id, flags, server))
        return {'id': image_id, 'is_public': False, 'properties': {}}

    def create(self, context: Any, image_info: dict[str, Any], data: Any = None) -> dict[str, Any]:
        self.calls.append(('create', copy.deepcopy(image_info), data))
        image_info['properties']['touched'] = True
        return {'id': 'new'}

    def update(self, context: Any, image_id: str, image_info: Any, data: Any = None, purge_props: bool = False, *,
               server: str | None = None) -> dict[str, Any]:  # fmt: skip
        self.calls.append(('update', image_id, image_info, data, purge_props, server))
        return {'id': image_id}

    def delete(self, context: Any, image_id: str, *, server: str | None = None) -> bool:
        self.calls.append(('delete', image_id, server))
        return True

    def download(self, context: Any, image_id: str, data: Any = None, dest_path: Any = None,
                 trusted_certs: Any = None, *, server: str | None = None) -> Any:  # fmt: skip
        self.calls.append(('download', image_id, data, dest_path, server))
        return iter(()) if data is None and dest_path is None else None


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf([])
    return options.register(conf)


@pytest.fixture
def driver(conf: cfg.ConfigOpts) -> NotedDriver:
    return NotedDriver(conf)


@pytest.fixture
def api(driver: NotedDriver, conf: cfg.ConfigOpts) -> nova_image.API:
    return nova_image.API(driver, conf=conf)


@pytest.mark.contract('C-289', 'C-280')
def test_signatures_are_those_of_the_historic_class() -> None:
    def signature(name: str) -> str:
        parameters = inspect.signature(getattr(nova_image.API, name)).parameters.values()
        return ', '.join(f'{p.name}={p.default!r}' if p.default is not p.empty else p.name for p in parameters)

    assert signature('get') == 'self, context, id_or_uri, include_locations=False, show_deleted=True'
    assert signature('create') == 'self, context, image_info, data=None'
    assert signature('update') == 'self, context, id_or_uri, image_info, data=None, purge_props=False'
    assert signature('delete') == 'self, context, id_or_uri'
    assert signature('download') == 'self, context, id_or_uri, data=None, dest_path=None, trusted_certs=None'
    assert signature('copy_image_to_store') == 'self, context, image_id, store'
    assert signature('generate_image_url') == 'self, image_ref, context=None'
    assert signature('generate_glance_url') == 'self, context=None'


@pytest.mark.contract('C-066', 'C-067')
def test_get_all_passes_on_what_is_truthy_and_refuses_other_keywords(api: nova_image.API, driver: NotedDriver) -> None:
    api.get_all(CTX, filters={}, marker='', limit=0, sort_key='name')
    assert driver.calls == [('list', {'sort_key': 'name'})]
    with pytest.raises(TypeError):
        api.get_all(CTX, bogus=1)  # type: ignore[call-arg]


@pytest.mark.contract('C-070')
def test_filters_that_are_no_dict_are_one_clear_error(api: nova_image.API) -> None:
    with pytest.raises(AttributeError, match='expected a dict') as caught:
        api.get_all(CTX, filters=['x'])  # type: ignore[arg-type]
    assert isinstance(caught.value, errors.BadFilter)


@pytest.mark.contract('C-090', 'C-073')
def test_the_availability_rule_hides_images_from_a_caller_without_a_token(api: nova_image.API) -> None:
    assert [record['id'] for record in api.get_all(NOBODY)] == ['a']
    assert [record['id'] for record in api.get_all(CTX)] == ['a', 'b']
    with pytest.raises(errors.ImageNotFound):
        api.get(NOBODY, 'b')
    assert api.delete(NOBODY, 'b') is True


@pytest.mark.contract('C-278')
def test_a_reference_is_resolved_into_server_and_id(api: nova_image.API, driver: NotedDriver) -> None:
    ref = 'https://other:1/images/ID'
    api.get(CTX, ref, True, False)
    api.update(CTX, ref, {}, purge_props=True)
    api.delete(CTX, ref)
    api.download(CTX, ref, dest_path='/x')
    assert driver.calls == [
        ('show', 'ID', (True, False), 'https://other:1'),
        ('update', 'ID', {}, None, True, 'https://other:1'),
        ('delete', 'ID', 'https://other:1'),
        ('download', 'ID', None, '/x', 'https://other:1'),
    ]


def test_uris_can_be_refused(driver: NotedDriver, conf: cfg.ConfigOpts) -> None:
    with pytest.raises(errors.InvalidImageRef, match='allow_uris'):
        nova_image.API(driver, conf=conf, allow_uris=False).get(CTX, 'http://h/images/ID')


@pytest.mark.contract('C-094')
@pytest.mark.contract('D-4', 'C-066')
def test_what_a_listing_does_not_take_is_left_out_of_what_a_caller_passes_on(
    api: nova_image.API, driver: NotedDriver
) -> None:
    given = {'filters': {'a': 'b'}, 'limit': 3, 'colour': 1, 'page_size': None}
    assert nova_image.listing_arguments(given) == {'filters': {'a': 'b'}, 'limit': 3, 'page_size': None}
    api.get_all(CTX, **nova_image.listing_arguments(given))
    assert driver.calls == [('list', {'filters': {'a': 'b'}, 'limit': 3})]


@pytest.mark.contract('D-4')
@pytest.mark.parametrize('given', [{'context': 1}, {'self': 1}, {'filters': 1}])
def test_what_is_given_twice_is_still_refused(api: nova_image.API, given: Any) -> None:
    with pytest.raises(TypeError, match='multiple values'):
        api.get_all(CTX, filters=None, **nova_image.listing_arguments(given))


@pytest.mark.parametrize('given', [5, None, {1: 2}, [('filters', 1)]])
def test_what_two_stars_would_refuse_is_refused(given: Any) -> None:
    with pytest.raises(TypeError):
        nova_image.listing_arguments(given)


@pytest.mark.contract('D-6', 'D-7', 'C-208')
def test_an_api_object_for_a_reference_stays_at_its_server(conf: cfg.ConfigOpts) -> None:
    class Elsewhere(NotedDriver):
        def create(self, context: Any, image_info: dict[str, Any], data: Any = None, *, server: str | None = None) -> Any:
            self.calls.append(('create', server))

    driver = Elsewhere(conf)
    api = nova_image.API.for_reference('https://cloud/image/v2/images/a', driver=driver, conf=conf)
    api.get_all(CTX)
    api.create(CTX, {})
    api.get(CTX, 'b')
    api.delete(CTX, 'http://other/images/c')
    here = 'https://cloud/image'
    assert driver.calls == [
        ('list', {'server': here}), ('create', here), ('show', 'b', (False, True), here), ('delete', 'c', here)
    ]  # fmt: skip
    assert api.generate_image_url('d') == f'{here}/images/d'
    assert copy.deepcopy(api).generate_glance_url() == here
    plain = pickle.loads(pickle.dumps(nova_image.API.for_reference('https://cloud/image/v2/images/a')))
    assert plain.generate_glance_url() == here


@pytest.mark.contract('C-193', 'C-208')
def test_an_api_object_for_an_id_stays_at_the_configured_servers(driver: NotedDriver, conf: cfg.ConfigOpts) -> None:
    api = nova_image.API.for_reference('a', driver=driver, conf=conf)
    api.get_all(CTX)
    api.create(CTX, {'properties': {}})
    api.delete(CTX, 'http://other/images/c')
    assert driver.calls == [('list', {}), ('create', {'properties': {}}, None), ('delete', 'c', None)]


@pytest.mark.contract('C-195', 'C-094')
@pytest.mark.parametrize('reference', ['http://[bad/images/a', 'ftp://h/images/a', 'a/b', 'http://h/images/'])
def test_an_api_object_for_a_bad_reference_is_refused(reference: str) -> None:
    with pytest.raises(errors.InvalidImageRef) as caught:
        nova_image.API.for_reference(reference)
    assert reference in str(caught.value)


def test_an_unsafe_id_reaches_no_driver(api: nova_image.API, driver: NotedDriver) -> None:
    for call in (api.get, api.delete, api.download, lambda c, i: api.update(c, i, {})):
        with pytest.raises(errors.ImageNotFound):
            call(CTX, 'x?y')
    assert driver.calls == []


@pytest.mark.contract('C-094', 'C-195')
def test_an_id_with_a_slash_is_both_an_invalid_reference_and_not_found(
    api: nova_image.API, driver: NotedDriver
) -> None:
    for expected in (errors.InvalidImageRef, errors.ImageNotFound):
        with pytest.raises(expected, match='Invalid image href a/b'):
            api.get(CTX, 'a/b')
    with pytest.raises(errors.InvalidImageRef) as caught:
        api.get(CTX, 'http://h:port/images/x')
    assert not isinstance(caught.value, errors.ImageNotFound)
    assert driver.calls == []


@pytest.mark.parametrize(
    ('data', 'sent'), [(None, None), ('', None), (b'', None), (b'x', b'x'), ('x', 'x'), ([], None), (0, None)]
)
def test_none_and_whatever_is_empty_mean_no_data(
    api: nova_image.API, driver: NotedDriver, data: Any, sent: Any
) -> None:
    api.create(CTX, {'properties': {}}, data)
    assert driver.calls[0][2] is sent or driver.calls[0][2] == sent


@pytest.mark.contract('C-217')
def test_a_falsy_stream_is_still_data(api: nova_image.API, driver: NotedDriver) -> None:
    class Falsy:
        def __len__(self) -> int:
            return 0

        def read(self, size: int = -1) -> bytes:
            return b''

    stream = Falsy()
    api.create(CTX, {'properties': {}}, stream)
    assert driver.calls[0][2] is stream


@pytest.mark.contract('C-158', 'C-174')
def test_the_callers_metadata_is_never_modified(api: nova_image.API) -> None:
    info = {'properties': {'a': '1'}}
    api.create(CTX, info)
    assert info == {'properties': {'a': '1'}}


@pytest.mark.parametrize('info', [None, [], 'text', 5])
def test_metadata_of_a_wrong_type_is_one_clear_error(api: nova_image.API, driver: NotedDriver, info: Any) -> None:
    with pytest.raises(errors.BadImageInfo, match='expected a dict'):
        api.create(CTX, info)
    with pytest.raises(errors.BadImageInfo, match='expected a dict'):
        api.update(CTX, 'x', info)
    assert driver.calls == []


@pytest.mark.contract('C-304')
def test_security_features_that_nobody_provides_are_errors_and_never_ignored(
    api: nova_image.API, driver: NotedDriver, conf: cfg.ConfigOpts
) -> None:
    with pytest.raises(errors.NotBuilt, match="signature verification by the driver 'noted'"):
        api.download(CTX, 'x', trusted_certs=types.SimpleNamespace(ids=['c']))
    conf.set_override('verify_glance_signatures', True, 'glance')
    with pytest.raises(errors.NotBuilt, match='verify_glance_signatures'):
        api.download(CTX, 'x')
    conf.clear_override('verify_glance_signatures', 'glance')
    conf.set_override('enable_certificate_validation', True, 'glance')
    api.download(CTX, 'x')
    driver.calls.clear()
    conf.set_override('default_trusted_certificate_ids', ['c'], 'glance')
    with pytest.raises(errors.NotBuilt, match='default_trusted_certificate_ids'):
        api.download(CTX, 'x')
    conf.clear_override('default_trusted_certificate_ids', 'glance')
    conf.set_override('enable_rbd_download', True, 'glance')
    with pytest.raises(errors.NotBuilt, match='enable_rbd_download'):
        api.download(CTX, 'x')
    assert driver.calls == []


@pytest.mark.contract('C-288')
def test_optional_operations_name_the_driver(api: nova_image.API) -> None:
    with pytest.raises(NotImplementedError, match='noted'):
        api.copy_image_to_store(CTX, 'x', 'fast')
    with pytest.raises(NotImplementedError, match='noted'):
        api.generate_glance_url(CTX)


def test_an_unknown_driver_says_which_there_are(conf: cfg.ConfigOpts) -> None:
    conf.set_override('driver', 'nothing', 'image')
    with pytest.raises(errors.UnknownDriver, match="'nothing'.*glance, local"):
        nova_image.API(conf=conf).get(CTX, 'x')


@pytest.mark.parametrize('name', [3, NotedDriver])
def test_a_driver_of_a_wrong_type_is_one_clear_error(conf: cfg.ConfigOpts, name: Any) -> None:
    with pytest.raises(errors.UnknownDriver, match='expected a name or an ImageDriver object'):
        nova_image.API(name, conf=conf).get(CTX, 'x')


def test_an_api_object_can_be_pickled_and_copied_as_the_old_services_could(driver: NotedDriver) -> None:
    made = nova_image.API('local', endpoint='http://h', allow_uris=False)
    assert vars(pickle.loads(pickle.dumps(made))) == vars(made)
    assert vars(copy.deepcopy(made)) == vars(made)
    assert copy.deepcopy({'image_api': nova_image.API(driver)})['image_api'].driver is driver


def test_the_abstract_driver_cannot_be_made() -> None:
    with pytest.raises(TypeError, match='abstract'):
        ImageDriver()  # type: ignore[abstract]


@pytest.mark.parametrize('name', ['glance', 'local'])
def test_built_in_drivers_load_by_name(name: str) -> None:
    assert load(name).name == name


def test_a_fork_while_a_driver_is_made_does_not_block_the_child() -> None:
    from nova_image import api as module

    with module._shared_lock:
        child = os.fork()
        if not child:
            os._exit(not module._shared_lock.acquire(timeout=5))
    assert os.waitpid(child, 0)[1] == 0


def test_drivers_are_shared_between_api_objects(conf: cfg.ConfigOpts, tmp_path: Any) -> None:
    conf.set_override('driver', 'local', 'image')
    conf.set_override('local_path', str(tmp_path), 'image')
    assert nova_image.API(conf=conf).driver is nova_image.API(conf=conf).driver


def test_endpoints_without_end_do_not_pile_up_drivers(conf: cfg.ConfigOpts) -> None:
    from nova_image import api as module

    for number in range(2 * module.MOST_SHARED):
        assert nova_image.API(conf=conf, endpoint=f'http://h{number}').driver.endpoint == f'http://h{number}'
    assert len(module._shared) <= module.MOST_SHARED


def test_recording_wraps_the_configured_driver(conf: cfg.ConfigOpts, tmp_path: Any) -> None:
    conf.set_override('local_path', str(tmp_path), 'image')
    conf.set_override('recording', str(tmp_path / 'trace'), 'image')
    assert type(build(conf, 'local')).__name__ == 'RecordingDriver'
