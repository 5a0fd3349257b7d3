# SPDX-License-Identifier: Apache-2.0
"""The logger of the old module: everything ``legacy.glance`` has to say goes out under that name (C-207)."""

from __future__ import annotations

import logging

LOG = logging.getLogger('legacy.glance')
