# SPDX-License-Identifier: Apache-2.0
"""The old ``file`` plug-in: copies an image from a file system that is mounted here too (C-149 to C-157).

Contained: what a location names must lie below the mountpoint it advertises, ``..`` and all (C-155).
"""

from __future__ import annotations

import contextlib
import logging
import os
import posixpath
import secrets
import stat
import subprocess
from typing import Any

from oslo_config import cfg

from legacy.deprecation import deprecated
from legacy.download import base as xfer_base
from nova_image import errors as exception

__all__ = ['CONF', 'LOG', 'FileTransfer', 'get_download_handler', 'get_schemes', 'opt_group']

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

opt_group = cfg.ListOpt(
    'filesystems', default=[], help='Names of the groups that describe file systems.'
)
_FILESYSTEM_OPTS = (
    cfg.StrOpt('id', help='Identifier of the file system, as in the metadata of locations.'),
    cfg.StrOpt('mountpoint', help='Where it is mounted here.'),
)
_GROUP = 'image_file_url'
CONF.register_opt(opt_group, group=_GROUP)


def register_filesystem(conf: cfg.ConfigOpts, group: str) -> None:
    """Register the two options of one ``[image_file_url:X]`` group (C-150)."""
    conf.register_opts(_FILESYSTEM_OPTS, group=group)


class ProcessExecutionError(OSError):
    """The copy failed; the name that the old helper's error had (C-156)."""


def copy_image(src: str, dst: str) -> None:
    """Copy a file with the system's ``cp``, which keeps holes (C-156).

    :raises ProcessExecutionError: with what ``cp`` said in the text
    """
    done = subprocess.run(['cp', '--', src, dst], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.returncode
        raise ProcessExecutionError(f'copying {src} to {dst} failed: {said}')


class FileTransfer(xfer_base.TransferBase):
    """The handler of ``file`` and ``filesystem`` URLs."""

    desc_required_keys = ['id', 'mountpoint']  # noqa: RUF012 - the old attribute, of the old type

    @deprecated('nova.image.download.file.FileTransfer')
    def __init__(self) -> None:
        self.filesystems: Any = None
        self._register()

    def _register(self) -> None:
        for name in CONF.image_file_url.filesystems:
            register_filesystem(CONF, f'{_GROUP}:{name}')

    @deprecated('nova.image.download.file.FileTransfer._get_options')
    def _get_options(self) -> dict[str, Any]:
        """Configured file systems by their ``id``; of two with the same, the last (C-154).

        :raises ImageDownloadModuleConfigurationError: one has no ``id``
        """
        self._register()
        found = {}
        for name in CONF.image_file_url.filesystems:
            group = CONF[f'{_GROUP}:{name}']
            if group.id is None:
                raise exception.ImageDownloadModuleConfigurationError(
                    module=str(self),
                    # The old text, placeholder and all (C-152).
                    reason='The group %s(group_name) must be configured with an id.',
                )
            found[group.id] = group
        return found

    @deprecated('nova.image.download.file.FileTransfer._verify_config')
    def _verify_config(self) -> None:
        """Check that every configured file system has what it needs (C-152)."""
        for group in (self.filesystems or {}).values():
            for key in self.desc_required_keys:
                if group[key] is None:
                    reason = 'The key %s is required in all file system descriptions.'
                    LOG.error(reason)
                    raise exception.ImageDownloadModuleConfigurationError(
                        module=str(self), reason=reason
                    )

    @deprecated('nova.image.download.file.FileTransfer._file_system_lookup')
    def _file_system_lookup(self, metadata: Any, url_parts: Any) -> Any:
        """The configured file system that a location's metadata name (C-153, C-154)."""
        for key in self.desc_required_keys:
            if key not in metadata:
                url = url_parts.geturl()
                reason = (
                    f'The key {key} is required in the location metadata to access the url {url}.'
                )
                LOG.info(reason)
                raise exception.ImageDownloadModuleMetaDataError(module=str(self), reason=reason)
        found = (self.filesystems or {}).get(metadata['id'])
        if found is None:
            reason = f'The ID {metadata["id"]} is unknown.'
            LOG.info(reason)
            raise exception.ImageDownloadModuleError(module=str(self), reason=reason)
        return found

    @deprecated('nova.image.download.file.FileTransfer._normalize_destination')
    def _normalize_destination(self, nova_mount: str, glance_mount: str, path: str) -> str:
        """``path`` below Glance's mountpoint as the path below ours (C-155).

        :raises ImageDownloadModuleMetaDataError: it does not lie below the advertised mountpoint
        """
        inside = posixpath.normpath(path)
        mount = posixpath.normpath(glance_mount)
        below = mount == '/' or inside == mount or inside.startswith(mount + '/')
        if not below or not path.startswith(glance_mount):
            raise exception.ImageDownloadModuleMetaDataError(
                module=str(self),
                reason=f'The mount point advertised by glance: {glance_mount}, '
                f'does not match the URL path: {path}',
            )
        return path.replace(glance_mount, nova_mount, 1)

    @deprecated('nova.image.download.file.FileTransfer.download')
    def download(  # type: ignore[override]  # the old parameter name of this plug-in
        self, context: Any, url_parts: Any, dst_file: Any, metadata: Any, **kwargs: Any
    ) -> None:
        """Copy the file that ``url_parts`` names to ``dst_file`` (C-151 to C-156)."""
        self.filesystems = self._get_options()
        if not self.filesystems:
            source = url_parts.path
        else:
            self._verify_config()
            found = self._file_system_lookup(metadata, url_parts)
            source = self._normalize_destination(
                found['mountpoint'], metadata['mountpoint'], url_parts.path
            )
        _copy_whole(source, dst_file)
        LOG.info(
            'Copied %(source)s using %(module_str)s', {'source': source, 'module_str': str(self)}
        )


def _copy_whole(source: str, target: Any) -> None:
    """Copy under another name first, so that a broken copy is never under the caller's path (D-8)."""
    path = os.path.realpath(os.fspath(target))
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            copy_image(source, path)
            return
    folder, name = os.path.split(path)
    staged = os.path.join(folder, f'.{name}.{secrets.token_hex(8)}.part')
    try:
        copy_image(source, staged)
        if os.path.exists(path):
            os.chmod(staged, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(staged, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(staged)
        raise


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
