# SPDX-License-Identifier: Apache-2.0
"""The old ``file`` plug-in: copies an image from a file system that is mounted here too (C-149 to C-157).

Its options, its refusals and the copy itself are :mod:`nova_image.direct`; here stand the old names.
"""

from __future__ import annotations

import logging
import subprocess
from typing import Any

from oslo_config import cfg

from legacy.deprecation import deprecated
from legacy.download import base as xfer_base
from legacy.urls import settings
from nova_image import direct
from nova_image.direct import mounts
from nova_image.direct.file import FileFetcher

__all__ = ['CONF', 'LOG', 'FileTransfer', 'get_download_handler', 'get_schemes', 'opt_group']

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

_GROUP = mounts.GROUP
opt_group = mounts.FILESYSTEMS
CONF.register_opt(opt_group, group=_GROUP)


def register_filesystem(conf: cfg.ConfigOpts, group: str) -> None:
    """Register the two options of one ``[image_file_url:X]`` group (C-150)."""
    mounts.register_filesystem(conf, group)


class ProcessExecutionError(OSError):
    """The copy failed; the name that the old helper's error had (C-156)."""


def copy_image(src: str, dst: str) -> None:
    """Copy a file with the system's ``cp``, which keeps holes (C-156). Put another in its place, and that copies.

    :raises ProcessExecutionError: with what ``cp`` said in the text
    """
    done = subprocess.run(['cp', '--', src, dst], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.returncode
        raise ProcessExecutionError(f'copying {src} to {dst} failed: {said}')


def copies_itself() -> bool:
    """Whether nobody has put another in the place of :func:`copy_image`."""
    return getattr(copy_image, '__module__', None) == __name__


class FileTransfer(xfer_base.TransferBase):
    """The handler of ``file`` and ``filesystem`` URLs."""

    desc_required_keys = ['id', 'mountpoint']  # noqa: RUF012 - the old attribute, of the old type

    @deprecated('nova.image.download.file.FileTransfer')
    def __init__(self) -> None:
        self.filesystems: Any = None
        mounts.register(CONF)

    @deprecated('nova.image.download.file.FileTransfer._get_options')
    def _get_options(self) -> dict[str, Any]:
        """Configured file systems by their ``id``; of two with the same, the last (C-154).

        :raises ImageDownloadModuleConfigurationError: one has no ``id``
        """
        return mounts.configured(CONF, self)

    @deprecated('nova.image.download.file.FileTransfer._verify_config')
    def _verify_config(self) -> None:
        """Check that every configured file system has what it needs (C-152)."""
        mounts.verify(self.filesystems or {}, self)

    @deprecated('nova.image.download.file.FileTransfer._file_system_lookup')
    def _file_system_lookup(self, metadata: Any, url_parts: Any) -> Any:
        """The configured file system that a location's metadata name (C-153, C-154)."""
        return mounts.lookup(self.filesystems or {}, metadata, url_parts, self)

    @deprecated('nova.image.download.file.FileTransfer._normalize_destination')
    def _normalize_destination(self, nova_mount: str, glance_mount: str, path: str) -> str:
        """``path`` below Glance's mountpoint as the path below ours (C-155).

        :raises ImageDownloadModuleMetaDataError: it does not lie below the advertised mountpoint
        """
        mounts.check_below(glance_mount, path, self)
        return path.replace(glance_mount, nova_mount, 1)

    @deprecated('nova.image.download.file.FileTransfer.download')
    def download(  # type: ignore[override]  # the old parameter name of this plug-in
        self, context: Any, url_parts: Any, dst_file: Any, metadata: Any, **kwargs: Any
    ) -> None:
        """Copy the file that ``url_parts`` names to ``dst_file`` (C-151 to C-156).

        :raises ProcessExecutionError: the copy failed
        """
        if copies_itself():
            try:
                direct.bring(
                    FileFetcher(CONF, self), context, url_parts, metadata, dst_file, None, settings=settings(), logger=LOG
                )
            except OSError as exc:
                raise ProcessExecutionError(f'copying {url_parts.path} to {dst_file} failed: {exc}') from exc
        else:
            copy_image(self._source(url_parts, metadata), dst_file)
        self.said_copied(url_parts, metadata)

    def said_copied(self, url_parts: Any, metadata: Any) -> None:
        """Log a copy that was made (C-156)."""
        source = self._source(url_parts, metadata)
        LOG.info('Copied %(source)s using %(module_str)s', {'source': source, 'module_str': str(self)})

    def _source(self, url_parts: Any, metadata: Any) -> str:
        """The path here: for the log, and for whoever stands in for :func:`copy_image`."""
        self.filesystems = self._get_options()
        if not self.filesystems:
            return str(url_parts.path)
        self._verify_config()
        found = self._file_system_lookup(metadata, url_parts)
        return self._normalize_destination(found['mountpoint'], metadata['mountpoint'], url_parts.path)


@deprecated('nova.image.download.file.get_download_handler')
def get_download_handler(**kwargs: Any) -> FileTransfer:
    """A handler (C-148)."""
    return FileTransfer()


@deprecated('nova.image.download.file.get_download_hander')
def get_download_hander(**kwargs: Any) -> FileTransfer:
    """The name of 2013.2, misspelt there (C-148)."""
    return FileTransfer()


@deprecated('nova.image.download.file.get_schemes')
def get_schemes() -> list[str]:
    """The URL schemes it serves (C-149)."""
    return ['file', 'filesystem']
