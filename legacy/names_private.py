# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of old names: underscore names that forks and tests used all the same (C-001, C-007).

Read through ``legacy.names.NAMES``; the meaning of each field stands in ``entry.py``.
"""

from __future__ import annotations

from legacy.entry import OldName
from legacy.names_public import row

__all__ = ['PRIVATE']

_ERRORS = 'nova_image.errors, which the API raises by itself'
_RECORD = 'the dict that nova_image.API() returns, which is translated already'
_CLIENT = 'nova_image.API(), whose driver makes and keeps its clients'
_SERVERS = 'nova_image.parse_image_ref(ref)'
_RULE = 'nova_image.API(), which leaves out what the caller may not see'
_INSIDE = 'the inside of the old module; the driver does it behind the API'
_LOCATIONS = 'nova_image.API().get(context, id_or_uri, include_locations=True)'
_UPLOAD = 'nova_image.API().create or nova_image.API().update with data'
_SIGNED = 'nova_image.API().download(context, id_or_uri, trusted_certs=...)'
_SINK = 'nova_image.API().download(context, id_or_uri, data, dest_path)'

#: (name, what to use, contract numbers); all of pattern P-44, private helpers of the module
_ROWS = (
    ('_parse_image_ref', _SERVERS, 'C-009 C-019 C-022'),
    ('_endpoint_from_image_ref', _SERVERS, 'C-024 C-025'),
    ('_create_glance_client', _CLIENT, 'C-005 C-030'),
    ('_glanceclient_from_endpoint', _CLIENT, 'C-005 C-034'),
    ('_determine_curr_major_version', _CLIENT, 'C-007'),
    ('_session_and_auth', _CLIENT, 'C-034'),
    ('_extract_query_params', 'nova_image.API().get_all(context, filters=...)', 'C-066 C-067'),
    ('_extract_query_params_v2', 'nova_image.API().get_all(context, filters=...)', 'C-225 C-226'),
    ('_is_image_available', _RULE, 'C-079 C-085'),
    ('_translate_to_glance', 'a plain dict given to nova_image.API()', 'C-119'),
    ('_translate_from_glance', _RECORD, 'C-120'),
    ('_extract_attributes', _RECORD, 'C-101'),
    ('_extract_attributes_v2', _RECORD, 'C-108'),
    ('_convert_to_v2', 'a plain dict given to nova_image.API()', 'C-237'),
    ('_remove_read_only', 'a plain dict given to nova_image.API()', 'C-118'),
    ('_limit_attributes', _RECORD, 'C-101'),
    ('_convert_timestamps_to_datetimes', _RECORD, 'C-104 C-121'),
    ('_parse_glance_iso8601_timestamp', _RECORD, 'C-104'),
    ('_convert', _RECORD, 'C-117'),
    ('_convert_from_string', _RECORD, 'C-115 C-117'),
    ('_convert_to_string', 'a plain dict given to nova_image.API()', 'C-114 C-117'),
    ('_json_loads', _RECORD, 'C-115'),
    ('_json_dumps', 'a plain dict given to nova_image.API()', 'C-114'),
    ('_translate_image_exception', _ERRORS, 'C-188 C-189'),
    ('_translate_plain_exception', _ERRORS, 'C-188 C-189'),
    ('_reraise_translated_image_exception', _ERRORS, 'C-189 C-216'),
    ('_reraise_translated_exception', _ERRORS, 'C-189'),
    ('_verify_certs', _SIGNED, 'C-304'),
    ('GlanceClientWrapper._create_static_client', _CLIENT, 'C-044'),
    ('GlanceClientWrapper._create_onetime_client', _CLIENT, 'C-045'),
    ('GlanceImageService._get_locations', _LOCATIONS, 'C-123 C-124'),
    ('GlanceImageService._get_transfer_module', _SINK, 'C-139'),
    (
        'GlanceImageService._extract_query_params',
        'nova_image.API().get_all(context, filters=...)',
        'C-066',
    ),
    ('GlanceImageService._is_image_available', _RULE, 'C-079'),
    ('GlanceImageService._translate_to_glance', 'a plain dict given to nova_image.API()', 'C-119'),
    ('GlanceImageService._translate_from_glance', _RECORD, 'C-120'),
    ('GlanceImageServiceV2._get_transfer_module', _SINK, 'C-139'),
    ('GlanceImageServiceV2._get_transfer_method', _SINK, 'C-305'),
    ('GlanceImageServiceV2._add_location', _UPLOAD, 'C-257'),
    ('GlanceImageServiceV2._add_image_member', _UPLOAD, 'C-259'),
    ('GlanceImageServiceV2._upload_data', _UPLOAD, 'C-254'),
    ('GlanceImageServiceV2._create_v2', _UPLOAD, 'C-252'),
    ('GlanceImageServiceV2._update_v2', _UPLOAD, 'C-261'),
    ('GlanceImageServiceV2._get_image_create_disk_format_default', _UPLOAD, 'C-255'),
    ('GlanceImageServiceV2._safe_fsync', _SINK, 'C-137'),
    ('GlanceImageServiceV2._get_verifier', _SIGNED, 'C-304'),
    ('GlanceImageServiceV2._verify_and_write', _SINK, 'C-146 C-147'),
    ('GlanceImageServiceV2._try_special_handlers', _SINK, 'C-139 C-305'),
    ('nova.image.api.API._get_session', 'nova_image.API()', 'C-278'),
    ('nova.image.api.API._get_session_and_image_id', 'nova_image.parse_image_ref(ref)', 'C-278'),
    ('nova.image.download.file.FileTransfer._get_options', _SINK, 'C-150'),
    ('nova.image.download.file.FileTransfer._verify_config', _SINK, 'C-152'),
    ('nova.image.download.file.FileTransfer._file_system_lookup', _SINK, 'C-153 C-154'),
    ('nova.image.download.file.FileTransfer._normalize_destination', _SINK, 'C-155'),
)

PRIVATE: tuple[OldName, ...] = tuple(
    row(name, new, _INSIDE, contract, 'P-44') for name, new, contract in _ROWS
)
