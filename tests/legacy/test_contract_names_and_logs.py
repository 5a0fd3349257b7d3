# SPDX-License-Identifier: Apache-2.0
"""Statements about factories, errors, log records and the shape of the API: what a caller sees without a server."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import glanceclient
import pytest

import nova_image.api
import nova_image.driver
from legacy import download, glance, testing
from legacy.api import new_api
from nova_image import API, errors
from nova_image.glance.driver import GlanceDriver
from nova_image.local.driver import LocalDriver

pytestmark = pytest.mark.filterwarnings('ignore::legacy.deprecation.LegacyImageAPIWarning')
META = {'name': 'n', 'disk_format': 'raw', 'container_format': 'bare'}


def failing(error: BaseException) -> Any:
    """A wrapper whose client fails."""
    wrapper = glance.GlanceClientWrapper()
    calls = dict.fromkeys(('get', 'list', 'delete'), mock.Mock(side_effect=error))
    wrapper.client = SimpleNamespace(images=SimpleNamespace(**calls))
    wrapper.host, wrapper.port = 'h', 9292
    return wrapper


@pytest.mark.contract('C-189')
@pytest.mark.parametrize('image', [True, False])
def test_translators_return_and_reraisers_raise_with_the_original_traceback(image: bool) -> None:
    def translate(error: Any) -> Any:
        if image:
            return glance._translate_image_exception('i', error)
        return glance._translate_plain_exception(error)

    def reraise() -> None:
        if image:
            glance._reraise_translated_image_exception('i')
        glance._reraise_translated_exception()

    def where_it_happens(error: Exception) -> None:
        raise error

    for same in (KeyError('x'), errors.GlanceConnectionFailed(server='s', reason='r'), SystemExit(1)):
        assert translate(same) is same
    assert isinstance(translate(glanceclient.exc.HTTPNotFound()), errors.NotFound)
    for error, expected in ((glanceclient.exc.HTTPNotFound(), errors.NotFound), (KeyError('x'), KeyError)):
        with pytest.raises(expected) as caught:
            try:
                where_it_happens(error)
            except Exception:  # noqa: BLE001 - what is handled is the subject
                reraise()
        frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert 'where_it_happens' in frames
        assert (caught.value is error) == (expected is KeyError)


@pytest.mark.contract('C-196')
@pytest.mark.parametrize('host', ['h:9292', '[::1]:9292'])
def test_references_may_be_any_text_and_any_object_with_a_text(host: str, ctx: Any) -> None:
    class Ref:
        def __str__(self) -> str:
            return f'http://{host}/v1/images/bild-ü'

    for href in (str(Ref()), Ref()):
        service, image_id = glance.get_remote_image_service(ctx, href)
        assert image_id == 'bild-ü'
        assert service._client.api_server == f'http://{host}'
    assert glance.get_remote_image_service(ctx, 'bild-ü')[1] == 'bild-ü'


@pytest.mark.contract('C-197')
@pytest.mark.parametrize('ref', ['i', 'http://configured:9292/v1/images/i'])
def test_looking_up_a_service_logs_nothing_even_at_debug(
    ref: str, ctx: Any, conf: Any, caplog: pytest.LogCaptureFixture
) -> None:
    conf.set_override('glance_api_servers', ['configured:9292'])
    with caplog.at_level(logging.DEBUG):
        glance.get_remote_image_service(ctx, ref)
    assert [record for record in caplog.records if record.name.startswith(('legacy', 'nova_image'))] == []


@pytest.mark.contract('C-204')
@pytest.mark.parametrize('era', ['2014.1', '18'])
def test_no_context_is_enough_for_the_factory_and_for_the_fakes(era: Any) -> None:
    service, image_id = glance.get_remote_image_service(None, 'i')
    assert isinstance(service, glance.GlanceImageService)
    assert image_id == 'i'
    with testing.installed_over_new_api(era):
        service, image_id = glance.get_remote_image_service(None, testing.get_valid_image_id())
        assert service.show(None, image_id)['id'] == image_id == API().get(None, image_id)['id']
        assert len(service.detail(None)) == 7
        service.delete(None, service.create(None, dict(META))['id'])
    testing.FakeImageService_reset()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """What our loggers said so far at INFO or above: (logger, level, has a traceback)."""
    caplog.set_level(logging.INFO)

    def records() -> list[tuple[str, str, bool]]:
        found = [
            (record.name, record.levelname, bool(record.exc_info))
            for record in caplog.records
            if record.name.startswith(('legacy', 'nova_image'))
        ]
        caplog.clear()
        return found

    yield records


@pytest.mark.contract('C-206', 'C-207')
@pytest.mark.usefixtures('local')
def test_what_goes_well_is_not_logged_and_the_rest_as_it_always_was(
    ctx: Any, conf: Any, tmp_path: Path, said: Any
) -> None:
    service = glance.GlanceImageService()
    made = service.create(ctx, META, b'bytes')
    service.detail(ctx, filters={'name': 'n'})
    service.update(ctx, made['id'], service.show(ctx, made['id']))
    service.download(ctx, made['id'], dst_path=str(tmp_path / 'target'))
    with pytest.raises(errors.ImageNotFound):
        service.show(ctx, 'nothing')
    assert said() == []

    conf.set_override('allowed_direct_url_schemes', ['file'])
    handler = mock.Mock()
    service._download_handlers['file'] = handler
    locations = [{'url': 'file:///x', 'metadata': {}}]
    with mock.patch.object(type(service), '_locations', lambda *args: locations):
        service.download(ctx, made['id'], dst_path=str(tmp_path / 'target'))
        assert said() == [('legacy.glance', 'INFO', False)]
        handler.download.side_effect = OSError('broken')
        service.download(ctx, made['id'], dst_path=str(tmp_path / 'target'))
        assert said() == [('legacy.glance', 'ERROR', True)]
    conf.clear_override('allowed_direct_url_schemes')
    service.delete(ctx, made['id'])

    conf.set_override('glance_num_retries', 1)
    with mock.patch('time.sleep'), pytest.raises(errors.GlanceConnectionFailed):
        failing(glanceclient.exc.ServiceUnavailable()).call(ctx, 1, 'get', 'i')
    assert said() == [('legacy.glance', 'ERROR', True)] * 2
    assert glance.LOG.name == 'legacy.glance'


@pytest.mark.contract('C-325')
def test_a_failed_connection_tells_the_words_it_was_made_with(ctx: Any, conf: Any) -> None:
    conf.set_override('glance_num_retries', 0)
    with pytest.raises(errors.GlanceConnectionFailed) as caught:
        failing(glanceclient.exc.CommunicationError('down')).call(ctx, 1, 'get', 'i')
    assert {**caught.value.kwargs, 'code': 0} == {'host': 'h', 'port': 9292, 'reason': 'down', 'code': 0}
    assert str(caught.value) == 'Connection to glance host h:9292 failed: down'
    error = errors.GlanceConnectionFailed(server='https://s/image', reason='r')
    assert str(error) == 'Connection to glance host https://s/image failed: r'


@pytest.mark.contract('C-326', 'C-294')
def test_an_image_that_may_not_be_had_is_no_forbidden(ctx: Any, conf: Any) -> None:
    service = glance.GlanceImageService(failing(glanceclient.exc.HTTPForbidden()))
    for call in (service.show, service.delete):
        with pytest.raises(errors.ImageNotAuthorized) as caught:
            call(ctx, 'i')
        assert not isinstance(caught.value, errors.Forbidden)
        assert caught.value.code == 500
    assert errors.ImageNotAuthorized.__bases__ == (errors.NovaException,)


@pytest.mark.contract('C-277')
def test_the_old_api_class_takes_no_arguments_and_keeps_nothing() -> None:
    first, second = new_api(), new_api()
    assert isinstance(first, glance.API)
    assert first is not second
    assert vars(first) == vars(glance.API()) == {}
    for arguments in ((1,), (None,)):
        with pytest.raises(TypeError):
            glance.API(*arguments)


@pytest.mark.contract('C-286', 'C-288')
def test_the_blueprint_is_there_an_api_with_a_driver_that_subclasses_the_base() -> None:
    for method in ('get_all', 'get', 'create', 'update', 'delete'):
        parameters = list(inspect.signature(getattr(nova_image.api.API, method)).parameters)
        assert parameters[:2] == ['self', 'context']
    assert inspect.isabstract(nova_image.driver.ImageDriver)
    for name, cls in (('glance', GlanceDriver), ('local', LocalDriver)):
        assert issubclass(cls, nova_image.driver.ImageDriver)
        assert type(API(name).driver) is cls


@pytest.mark.contract('C-293')
def test_the_flags_of_the_first_releases_are_the_options_of_today(conf: Any) -> None:
    assert glance.FLAGS is glance.CONF is conf
    conf.set_override('glance_api_servers', ['flagged:1'])
    assert glance.FLAGS.glance_api_servers == ['flagged:1']
    assert list(next(glance.get_api_servers())) == ['flagged', 1, False]


@pytest.mark.contract('C-331')
def test_plug_ins_of_third_parties_are_loaded_when_a_scheme_is_allowed_and_only_then(conf: Any) -> None:
    asked: list[str] = []
    theirs = SimpleNamespace(get_schemes=lambda: ['theirs'], get_download_handler=lambda **kwargs: 'handler')

    def entry_points(*, group: str) -> Any:
        asked.append(group)
        return [SimpleNamespace(load=lambda: theirs)]

    with mock.patch.object(download, 'entry_points', entry_points):
        assert glance.GlanceImageService()._download_handlers == {}
        conf.set_override('allowed_direct_url_schemes', ['theirs'])
        assert glance.GlanceImageService()._download_handlers == {'theirs': 'handler'}
    assert set(asked) == {'nova.image.download.modules'}
