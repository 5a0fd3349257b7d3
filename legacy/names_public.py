# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of old names: what was public in any release, module by module.

Read through ``legacy.names.NAMES``; the meaning of each field stands in ``entry.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

from legacy.entry import Class, OldName, Rewrite

__all__ = ['PUBLIC', 'row']

SINCE, REMOVED_IN = '1.0', '3.0'
LIST_KEYWORDS = ('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir')
IDS: Mapping[str, str] = {'image_id': 'id_or_uri'}
META: Mapping[str, str] = {'image_id': 'id_or_uri', 'image_meta': 'image_info'}
ONE_API = 'one API object serves every image and every server; there is no service object any more'
NONE_TEXT = (
    "a custom property None is stored as the text 'None' (kernel_id, ramdisk_id: left out) (C-313)"
)
KEYS_16 = 'the result is cut down to the 16 standard keys (D-2)'
TYPE_ERROR = 'an unknown top-level key is a TypeError (C-160)'


def row(
    name: str,
    new: str,
    why: str,
    contract: str,
    pattern: str,
    to: str | None = None,
    how: Class = 'MANUAL',
    **more: object,
) -> OldName:
    """One entry in the releases that hold for the whole table."""
    rewrite = Rewrite(pattern=pattern, to=to, how=how, **more)  # type: ignore[arg-type]
    return OldName(
        name=name,
        new=new,
        since=SINCE,
        removed_in=REMOVED_IN,
        why=why,
        rewrite=rewrite,
        contract=tuple(contract.split()),
    )


_FUNCTIONS = (
    row(
        'get_default_image_service',
        'nova_image.API()',
        ONE_API,
        'C-198 C-193',
        'P-08',
        'API',
        'AUTOMATIC',
    ),
    row(
        'get_remote_image_service',
        'nova_image.API(), whose methods take the reference itself',
        'the new API resolves a reference on its own, so nobody has to carry a pair around',
        'C-193 C-194 C-195',
        'P-12',
        'API',
        'AUTOMATIC',
        positional=('image_href',),
        bridges=(
            'the parsed id is dropped; calls get the reference',
            'for more than the one image: nova_image.API.for_reference(image_ref), which stays at its server',
        ),
    ),
    row(
        'get_image_service',
        'nova_image.API(), whose methods take the reference itself',
        'the name of get_remote_image_service before Folsom, whose other calls are as old and stay for a person',
        'C-010',
        'P-59',
    ),
    row(
        'generate_glance_url',
        'nova_image.API().generate_glance_url(context)',
        'the servers belong to the configured driver, which the API asks',
        'C-014 C-322',
        'P-39',
        'generate_glance_url',
        'ASSISTED',
        positional=('context',),
    ),
    row(
        'generate_image_url',
        'nova_image.API().generate_image_url(image_ref, context)',
        'the servers belong to the configured driver, which the API asks',
        'C-016 C-018 C-322',
        'P-38',
        'generate_image_url',
        'ASSISTED',
        positional=('image_ref', 'context'),
    ),
    row(
        'get_api_servers',
        'nova_image.API(), which chooses among the servers itself',
        "choosing a server and trying the next one is the driver's work",
        'C-036 C-041 C-309',
        'P-40',
    ),
    row(
        'generate_identity_headers',
        'a keystoneauth session made from the context',
        'identity headers forge an identity where a server trusts them; sessions carry the token instead',
        'C-026 C-028 C-029',
        'P-41',
    ),
    row(
        'get_glance_client',
        'nova_image.API(), or glanceclient.Client directly',
        "the client is the Glance driver's business; the name is gone since Folsom",
        'C-010',
        'P-43',
    ),
    row(
        'pick_glance_api_server',
        'nova_image.API(), which chooses among the servers itself',
        "choosing a server is the driver's work; the name is gone since Folsom",
        'C-010 C-036',
        'P-40',
    ),
)

_SERVICE_METHODS: tuple[
    tuple[str, str, str, str, str, str | None, Class, dict[str, object]], ...
] = (
    (
        'show',
        'nova_image.API().get(context, id_or_uri)',
        'the verbs of every Nova API class are get, get_all, create, update, delete',
        'C-091 C-095 C-097',
        'P-26',
        'get',
        'AUTOMATIC',
        {
            'params': IDS,
            'positional': ('image_id', 'include_locations', 'show_deleted'),
            'keywords': ('include_locations', 'show_deleted'),
        },
    ),
    (
        'detail',
        'nova_image.API().get_all(context, filters=...)',
        'the verbs of every Nova API class are get, get_all, create, update, delete',
        'C-066 C-072 C-317',
        'P-28',
        'get_all',
        'AUTOMATIC',
        {'known': LIST_KEYWORDS},
    ),
    (
        'create',
        'nova_image.API().create(context, image_info, data)',
        ONE_API,
        'C-158 C-160 C-313',
        'P-29',
        'create',
        'AUTOMATIC',
        {'params': META, 'positional': ('image_meta', 'data')},
    ),
    (
        'update',
        'nova_image.API().update(context, id_or_uri, image_info, data, purge_props=...)',
        'the new update never drops properties unless purge_props says so at the call',
        'C-173 C-177 C-320',
        'P-30',
        'update',
        'AUTOMATIC',
        {
            'params': META,
            'positional': ('image_id', 'image_meta', 'data', 'purge_props'),
            'purge': 'unless-data',
        },
    ),
    (
        'delete',
        'nova_image.API().delete(context, id_or_uri)',
        ONE_API,
        'C-184 C-185',
        'P-32',
        'delete',
        'AUTOMATIC',
        {'params': IDS, 'positional': ('image_id',)},
    ),
    (
        'download',
        'nova_image.API().download(context, id_or_uri, data, dest_path)',
        'the new download checks every byte and leaves nothing wrong behind',
        'C-126 C-127 C-128',
        'P-33',
        'download',
        'AUTOMATIC',
        {
            'params': {'image_id': 'id_or_uri', 'dst_path': 'dest_path'},
            'positional': ('image_id', 'data', 'dst_path', 'trusted_certs'),
        },
    ),
)

_BRIDGES: Mapping[str, tuple[str, ...]] = {
    'show': (KEYS_16,),
    'detail': (
        KEYS_16,
        'unknown keywords are dropped, as nova_image.listing_arguments does (C-066)',
        'unknown filters are dropped with a warning (D-16)',
    ),
    'create': (KEYS_16, NONE_TEXT, TYPE_ERROR),
    'update': (
        KEYS_16,
        NONE_TEXT,
        TYPE_ERROR,
        'properties are purged by default, never when data is sent (D-3)',
    ),
    'delete': (),
    'download': (),
}
_BRIDGES_V2: Mapping[str, tuple[str, ...]] = {
    'detail': ('unknown keywords are dropped, as nova_image.listing_arguments does (C-066)',),
    'create': (NONE_TEXT,),
    'update': (NONE_TEXT, 'properties are purged by default, never when data is sent (D-3)'),
}


def _service(class_name: str, bridges: Mapping[str, tuple[str, ...]]) -> tuple[OldName, ...]:
    return tuple(
        row(f'{class_name}.{name}', *words, **more, bridges=bridges.get(name, ()))  # type: ignore[arg-type]
        for name, *words, more in _SERVICE_METHODS
    )


_CLASSES = (
    row(
        'GlanceImageService', 'nova_image.API()', ONE_API, 'C-062 C-065', 'P-19', 'API', 'AUTOMATIC'
    ),
    *_service('GlanceImageService', _BRIDGES),
    row(
        'GlanceImageService.index',
        'nova_image.API().get_all(context)',
        'the short listing is gone since Folsom; the full one costs the same request',
        'C-010',
        'P-37',
    ),
    row(
        'GlanceImageService.show_by_name',
        "nova_image.API().get_all(context, filters={'name': name})",
        'names are not unique; the caller has to choose among the answers',
        'C-010',
        'P-37',
    ),
    row(
        'GlanceImageService.get',
        'nova_image.API().get and nova_image.API().download',
        'one call that fetched the record and the bytes; the new verbs do one thing each',
        'C-010',
        'P-37',
    ),
    row(
        'GlanceImageService.delete_all',
        'nothing: it never did anything',
        'it was empty in every release that had it',
        'C-010',
        'P-37',
    ),
    row(
        'GlanceImageService.get_location',
        'nova_image.API().get(context, id_or_uri, include_locations=True)',
        'locations come with the record',
        'C-122',
        'P-37',
    ),
    row(
        'GlanceImageService.get_locations',
        'nova_image.API().get(context, id_or_uri, include_locations=True)',
        'locations come with the record',
        'C-123',
        'P-37',
    ),
    row(
        'GlanceImageServiceV2', 'nova_image.API()', ONE_API, 'C-062 D-2', 'P-19', 'API', 'AUTOMATIC'
    ),
    *_service('GlanceImageServiceV2', _BRIDGES_V2),
    row(
        'GlanceImageServiceV2.rbd_download',
        'nova_image.API().download(context, id_or_uri, dest_path=...)',
        'direct fetchers are plug-ins of the driver',
        'C-305',
        'P-37',
    ),
    row(
        'GlanceImageServiceV2.image_import_copy',
        'nova_image.API().copy_image_to_store(context, image_id, store)',
        'the API class has had this verb since Victoria',
        'C-306',
        'P-37',
    ),
    row(
        'GlanceClientWrapper',
        'nova_image.API(), or glanceclient.Client directly',
        "the client is the Glance driver's business",
        'C-044 C-045 C-323',
        'P-43',
    ),
    row(
        'GlanceClientWrapper.call',
        'the method of nova_image.API() that does it, or glanceclient.Client directly',
        'raw calls tie the caller to one version of the client',
        'C-047 C-056 C-311',
        'P-43',
    ),
    row(
        'UpdateGlanceImage',
        'nova_image.API().update(context, id_or_uri, image_info, data, purge_props=False)',
        "a call held back for later is functools.partial's work",
        'C-201',
        'P-42',
        'update',
        'ASSISTED',
        params={'image_id': 'id_or_uri', 'metadata': 'image_info', 'stream': 'data'},
        positional=('image_id', 'metadata', 'stream'),
        purge='never',
    ),
    row(
        'UpdateGlanceImage.start',
        'nova_image.API().update(context, id_or_uri, image_info, data, purge_props=False)',
        "a call held back for later is functools.partial's work",
        'C-201',
        'P-42',
    ),
)

_GLANCE_OPTS = row(
    'glance_opts',
    'nova_image.options.list_opts()',
    'the options belong to nova_image, which accepts every old name of them',
    'C-012 D-14',
    'P-07',
)

_API_METHODS = (
    ('get_all', 'C-277 C-279', 'get_all(context, filters=...)'),
    ('get', 'C-278', 'get(context, id_or_uri)'),
    ('create', 'C-278', 'create(context, image_info, data)'),
    ('update', 'C-280 C-282', 'update(context, id_or_uri, image_info, data, purge_props=...)'),
    ('delete', 'C-278', 'delete(context, id_or_uri)'),
    ('download', 'C-283', 'download(context, id_or_uri, data, dest_path)'),
    ('generate_image_url', 'C-018', 'generate_image_url(image_ref, context)'),
    ('copy_image_to_store', 'C-284', 'copy_image_to_store(context, image_id, store)'),
)
_SAME_API = 'the class lives on in nova_image with the same methods'
_API = (
    row('nova.image.API', 'nova_image.API()', _SAME_API, 'C-277', 'P-56', 'API', 'ASSISTED'),
    row('nova.image.api.API', 'nova_image.API()', _SAME_API, 'C-277', 'P-56', 'API', 'ASSISTED'),
    *(
        row(
            f'nova.image.api.API.{name}',
            f'nova_image.API().{call}',
            _SAME_API,
            contract,
            'P-56',
            name,
            'ASSISTED',
            known=LIST_KEYWORDS if name == 'get_all' else (),
        )
        for name, contract, call in _API_METHODS
    ),
)

_PLUG_IN = 'direct transfers are plug-ins of the driver now; old plug-ins are still loaded where schemes are allowed'
_DOWNLOAD = tuple(
    row(
        f'nova.image.download.{name}',
        'nova_image.API().download(context, id_or_uri, dest_path=...)',
        _PLUG_IN,
        contract,
        'P-37',
    )
    for name, contract in (
        ('load_transfer_modules', 'C-148 C-331'),
        ('base.TransferBase', 'C-149'),
        ('base.TransferBase.download', 'C-149'),
        ('file.FileTransfer', 'C-149 C-150'),
        ('file.FileTransfer.download', 'C-151 C-155'),
        ('file.get_download_handler', 'C-148'),
        ('file.get_download_hander', 'C-148'),
        ('file.get_schemes', 'C-148 C-149'),
    )
)

PUBLIC: tuple[OldName, ...] = (*_FUNCTIONS, *_CLASSES, _GLANCE_OPTS, *_API, *_DOWNLOAD)
