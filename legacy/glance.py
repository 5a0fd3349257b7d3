# SPDX-License-Identifier: Apache-2.0
"""The old module ``nova.image.glance``, every name of every release, over ``nova_image.API``.

Each use of an old name warns once per call site and says what to write instead. The code is in the
modules beside this one; here the names stand together, since callers and tests look them up, and replace
them, on this module (C-001 to C-007).
"""

# ruff: noqa: F401 - the names are here to be looked up
from __future__ import annotations

import copy
import importlib
import inspect
import itertools
import json
import logging
import os
import random
import re
import shutil
import stat
import sys
import time
import urllib.parse as urlparse
from typing import Any

from oslo_config import cfg

from legacy import seams as _seams
from legacy.api import API
from legacy.connect import (
    _create_glance_client,
    _determine_curr_major_version,
    _glanceclient_from_endpoint,
    _session_and_auth,
    generate_identity_headers,
    get_glance_client,
)
from legacy.deprecation import LEDGER_OPT, STAGE_OPT
from legacy.factories import (
    UpdateGlanceImage,
    get_default_image_service,
    get_image_service,
    get_remote_image_service,
)
from legacy.faults import (
    _reraise_translated_exception,
    _reraise_translated_image_exception,
    _translate_image_exception,
    _translate_plain_exception,
)
from legacy.inside_v2 import _verify_certs
from legacy.log import LOG
from legacy.services import GlanceImageService, GlanceImageServiceV2
from legacy.translation import (
    _CONVERT_PROPS,
    _convert,
    _convert_from_string,
    _convert_timestamps_to_datetimes,
    _convert_to_string,
    _convert_to_v2,
    _extract_attributes,
    _extract_attributes_v2,
    _extract_query_params,
    _extract_query_params_v2,
    _is_image_available,
    _json_dumps,
    _json_loads,
    _limit_attributes,
    _parse_glance_iso8601_timestamp,
    _remove_read_only,
    _translate_from_glance,
    _translate_to_glance,
)
from legacy.urls import (
    _endpoint_from_image_ref,
    _parse_image_ref,
    generate_glance_url,
    generate_image_url,
    get_api_servers,
    pick_glance_api_server,
)
from legacy.wrapper import GlanceClientWrapper
from nova_image import errors as exception
from nova_image import options

CONF = FLAGS = cfg.CONF
glance_opts = options.DEFAULT_OPTS
supported_glance_versions = (1, 2)
_SESSION = None

#: Modules that were attributes of the old one; imported when somebody asks (C-003).
_ON_DEMAND = {
    'certificate_utils': 'cursive.certificate_utils',
    'cryptography': 'cryptography',
    'cursive_exception': 'cursive.exception',
    'excutils': 'oslo_utils.excutils',
    'glance_utils': 'glanceclient.common.utils',
    'glanceclient': 'glanceclient',
    'greenthread': 'eventlet.greenthread',
    'image_xfers': 'legacy.download',
    'http': 'glanceclient.common.http',
    'jsonutils': 'oslo_serialization.jsonutils',
    'ks_loading': 'keystoneauth1.loading',
    'netutils': 'oslo_utils.netutils',
    'schemas': 'glanceclient.v2.schemas',
    'service_auth': 'nova.service_auth',
    'signature_utils': 'cursive.signature_utils',
    'six': 'six',
    'timeutils': 'oslo_utils.timeutils',
    'utils': 'nova.utils',
}


def __getattr__(name: str) -> Any:
    path = _ON_DEMAND.get(name)
    if path is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        return importlib.import_module(path)
    except ImportError as exc:
        raise AttributeError(
            f'{__name__}.{name} was the module {path}, which is not installed here ({exc})'
        ) from exc


def _(text: str) -> str:
    """The translation marker of the old module: the text itself."""
    return text


_LE = _LI = _LW = _
range = range  # noqa: PLW0127 - the old module had it from six

options.register().register_opts([STAGE_OPT, LEDGER_OPT], group='image')
_seams.remember_originals(globals())

__all__ = [
    'API', 'CONF', 'FLAGS', 'LOG', 'GlanceClientWrapper', 'GlanceImageService', 'GlanceImageServiceV2',
    'UpdateGlanceImage', 'generate_glance_url', 'generate_identity_headers', 'generate_image_url',
    'get_api_servers', 'get_default_image_service', 'get_glance_client', 'get_image_service',
    'get_remote_image_service', 'glance_opts', 'pick_glance_api_server', 'supported_glance_versions',
]  # fmt: skip
