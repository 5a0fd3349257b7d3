# SPDX-License-Identifier: Apache-2.0
"""The WSGI application that gunicorn serves: Glance behind the recorder and, if asked, the tenants filter.

Importing this module loads Glance's configuration (``OS_GLANCE_CONFIG_DIR``); only the server process
does so.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from nova_image.testing.recorder import Recorder
from nova_image.testing.tenants_filter import SWITCH, TenantsFilter

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def build() -> WSGIApplication:
    """Put the layers together: recorder outside, identities next, Glance inside."""
    _take_the_write_lock_first()
    app: WSGIApplication = importlib.import_module('glance.wsgi.api').application
    if os.environ.get(SWITCH):
        app = TenantsFilter(app)
    return Recorder(app)


def _take_the_write_lock_first() -> None:
    """Let concurrent requests wait for sqlite.

    A transaction that begins with reading and then writes gets "database is locked" at once, however
    long the timeout, when another one writes; Glance answers 500 then. A server database has no such
    limit, so no caller should meet it here.
    """
    event = importlib.import_module('sqlalchemy.event')
    engine = importlib.import_module('sqlalchemy.engine').Engine

    def lock(conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return ('BEGIN IMMEDIATE' if statement == 'BEGIN' else statement), parameters

    event.listen(engine, 'before_cursor_execute', lock, retval=True)


application = build()
