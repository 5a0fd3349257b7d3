# SPDX-License-Identifier: Apache-2.0
"""The statements of contract.md that no test cites, each with the reason why none can."""

from __future__ import annotations

UNCITED = {
    'C-162': '2012.2 and 2013.1.0 let the errors of create through untranslated; the shim follows 2014.1, '
    'where C-161 holds',
    'C-167': 'a rule of the Glance v1 server, which no longer exists; names are kept as given (C-314)',
    'C-182': 'refusals of the Glance v1 server, which no longer exists; size and checksum are not sent, a '
    'deleted image is not found',
    'C-186': 'C-191 has the base classes of the client recognised everywhere, so in delete too',
    'C-285': 'tracing hooks without effect on behaviour; this package has none',
    'C-287': 'history of what Nova delivered and what it did not; nothing to hold code to',
    'C-305': 'images are not fetched from Ceph by this release: a download with enable_rbd_download is '
    'refused (NotBuilt)',
}
