# SPDX-License-Identifier: Apache-2.0
"""P-49: tests that run on Nova's own fake image service (C-218, C-219).

It stands in for the two factories of the old module only. Where their callers are rewritten it goes inert, though
its users name nothing old (D-20), so they are reported as long as the tree has such a caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from legacy.migrate.files import Found
from legacy.migrate.result import FileResult, Result, Site

_FAKE = re.compile(
    rb'^[ \t]*(from[ \t]+nova\.tests(?:\.unit)?\.image[ \t]+import[ \t]+[(\w, \t]*\bfake\b'
    rb'|(?:from|import)[ \t]+nova\.tests(?:\.unit)?\.image\.fake\b)'
    rb'|(fixtures\.GlanceFixture\b)',
    re.MULTILINE,
)
_STANDS_IN = re.compile(rb'stub_out_image_service|FakeImageService|GlanceFixture')


def report(result: Result, looked_at: Iterable[Found], texts: Mapping[str, bytes]) -> None:
    """One site for each file that uses the fake, at its first mention of it."""
    if not any(site.status == 'rewritten' and site.pattern != 'P-46' for site in result.sites):
        return  # an error class calls nothing
    for found in looked_at:
        data = texts.get(found.path, b'')
        match = _FAKE.search(data)
        if match is None or not _STANDS_IN.search(data):
            continue
        start = match.start(match.lastindex or 0)
        line, column = data.count(b'\n', 0, start) + 1, start - data.rfind(b'\n', 0, start)
        entry = result.files.setdefault(found.path, FileResult(found.path, found.absolute, data, data))
        entry.sites.append(
            Site(
                found.path, line, column, 'nova.tests.image.fake', 'P-49', 'left',
                "Nova's fake image service stands in for the old factories only; it goes inert for callers that are rewritten",
                'legacy.testing.installed_over_new_api()', line, entry.map_line(line), entry.map_line(line),
            )
        )  # fmt: skip
