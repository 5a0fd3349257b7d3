# SPDX-License-Identifier: Apache-2.0
"""Image bytes up and down: counted, checked, whole or not at all (D-8, D-9).

Shared by every driver and knows none of them: a driver hands in an *opener* (:mod:`.bodies`) for a
download and sends an :class:`Upload` for an upload. Files are staged in :mod:`.staging`, hashes are
computed beside the transfer in :mod:`.hashing`, the rules of retry and resume stand in :mod:`.download`.
"""

from nova_image.transfer.bodies import (
    Body,
    ChunksBody,
    Expected,
    FileBody,
    Opener,
    TransferSettings,
)
from nova_image.transfer.checks import DownloadedChunks, SignatureCheck
from nova_image.transfer.download import deliver
from nova_image.transfer.staging import staged_target
from nova_image.transfer.stalling import StallWatch
from nova_image.transfer.upload import Upload, check_upload, upload

__all__ = [
    'Body',
    'ChunksBody',
    'DownloadedChunks',
    'Expected',
    'FileBody',
    'Opener',
    'SignatureCheck',
    'StallWatch',
    'TransferSettings',
    'Upload',
    'check_upload',
    'deliver',
    'staged_target',
    'upload',
]
