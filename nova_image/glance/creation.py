# SPDX-License-Identifier: Apache-2.0
"""Making the record of an image, once, although the answer may be lost.

The first request is the old one, without an id. When its answer is lost nobody can tell whether an image was
made; from then on the request carries an id of ours, so that the server itself refuses to make a third one.
"""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from nova_image.glance import retries
from nova_image.glance.wire import Wire, image_path

LOG = logging.getLogger(__name__)


class Creation:
    """The attempts of one ``POST /v2/images``."""

    def __init__(self, wire: Wire, fields: dict[str, Any]) -> None:
        self._wire = wire
        self._fields = dict(fields)
        self._id_is_ours = False

    def make(self) -> Any:
        """The new image as the server shows it."""
        return self._wire.ask('create', self._attempt)

    def _attempt(self, server: str) -> Any:
        try:
            return self._wire.send(server, 'POST', '/v2/images', json.dumps(self._fields))
        except Exception as exc:
            if self._id_is_ours and getattr(exc, 'status', None) == 409:
                return self._wire.send(server, 'GET', image_path(self._fields['id']))
            if 'id' not in self._fields and retries.is_lost(exc):
                self._fields['id'] = str(uuid.uuid4())
                self._id_is_ours = True
                LOG.warning(
                    'The answer to the creation of an image named %r was lost. If the server has made it, it stays '
                    'there, queued and used by nobody; a further attempt makes image %s.',
                    self._fields.get('name'),
                    self._fields['id'],
                )
            raise
