# SPDX-License-Identifier: Apache-2.0
"""The WSGI application that gunicorn serves: Glance behind the recorder and, if asked, the tenants filter.

Importing this module loads Glance's configuration (``OS_GLANCE_CONFIG_DIR``); only the server process
does so.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from nova_image.testing.recorder import Recorder
from nova_image.testing.tenants_filter import SWITCH, TenantsFilter

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def build() -> WSGIApplication:
    """Put the layers together: recorder outside, identities next, Glance inside."""
    app: WSGIApplication = importlib.import_module('glance.wsgi.api').application
    if os.environ.get(SWITCH):
        app = TenantsFilter(app)
    return Recorder(app)


application = build()
