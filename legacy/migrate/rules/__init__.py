# SPDX-License-Identifier: Apache-2.0
"""The rules, one pattern family a file. Each turns a place in the tree into edits, or says why not.

A rule never searches: ``trace.py`` and ``find.py`` bring it the place. It reads names and parameters
from ``legacy.migrate.catalogue``.
"""

from __future__ import annotations

from collections.abc import Callable

from legacy.migrate.rules import create, delete, detail, download, show, update
from legacy.migrate.rules.outcome import MethodCall, Outcome

#: Method of the old service -> the rule that rewrites its calls.
METHODS: dict[str, Callable[[MethodCall], Outcome]] = {
    'show': show.rewrite,
    'detail': detail.rewrite,
    'create': create.rewrite,
    'update': update.rewrite,
    'delete': delete.rewrite,
    'download': download.rewrite,
}
