# SPDX-License-Identifier: Apache-2.0
"""File systems that the image service and this host have both mounted, and files below them (C-150 to C-155).

A location names a file as the service sees it. What is opened lies below the mount point of this host, by
its resolved path: no ``..``, no symbolic link on the way, and none that is put there meanwhile.
"""

from __future__ import annotations

import errno
import logging
import os
import posixpath
import stat
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nova_image import errors

LOG = logging.getLogger(__name__)
GROUP = 'image_file_url'
FILESYSTEMS = cfg.ListOpt('filesystems', default=[], help='Names of the groups that describe file systems.')
FILESYSTEM_OPTS = (
    cfg.StrOpt('id', help='Identifier of the file system, as in the metadata of locations.'),
    cfg.StrOpt('mountpoint', help='Where it is mounted here.'),
)
KEYS = ('id', 'mountpoint')


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator; each name in ``filesystems`` has a group ``[image_file_url:<name>]`` of two options."""
    return [(GROUP, [FILESYSTEMS]), (f'{GROUP}:<name>', list(FILESYSTEM_OPTS))]


def register_filesystem(conf: cfg.ConfigOpts, group: str) -> None:
    """Register the two options of one ``[image_file_url:X]`` group (C-150)."""
    conf.register_opts(FILESYSTEM_OPTS, group=group)


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of all configured file systems."""
    conf.register_opt(FILESYSTEMS, group=GROUP)
    for name in conf[GROUP].filesystems:
        register_filesystem(conf, f'{GROUP}:{name}')


def configured(conf: cfg.ConfigOpts, module: Any) -> dict[str, Any]:
    """Configured file systems by their ``id``; of two with the same, the last (C-154).

    :param module: named in errors
    :raises ImageDownloadModuleConfigurationError: one has no ``id``
    """
    register(conf)
    found = {}
    for name in conf[GROUP].filesystems:
        group = conf[f'{GROUP}:{name}']
        if group.id is None:
            raise errors.ImageDownloadModuleConfigurationError(
                module=str(module),
                # The old text, placeholder and all (C-152).
                reason='The group %s(group_name) must be configured with an id.',
            )
        found[group.id] = group
    return found


def verify(filesystems: Mapping[str, Any], module: Any) -> None:
    """:raises ImageDownloadModuleConfigurationError: a file system lacks what it needs (C-152)"""
    for group in filesystems.values():
        for key in KEYS:
            if group[key] is None:
                reason = 'The key %s is required in all file system descriptions.'
                LOG.error(reason)
                raise errors.ImageDownloadModuleConfigurationError(module=str(module), reason=reason)


def lookup(filesystems: Mapping[str, Any], metadata: Mapping[str, Any], url: Any, module: Any) -> Any:
    """The configured file system that a location's metadata name (C-153, C-154).

    :raises ImageDownloadModuleMetaDataError: they name none; ImageDownloadModuleError: one that is not listed
    """
    for key in KEYS:
        if key not in metadata:
            reason = f'The key {key} is required in the location metadata to access the url {url.geturl()}.'
            LOG.info(reason)
            raise errors.ImageDownloadModuleMetaDataError(module=str(module), reason=reason)
    found = filesystems.get(metadata['id'])
    if found is None:
        reason = f'The ID {metadata["id"]} is unknown.'
        LOG.info(reason)
        raise errors.ImageDownloadModuleError(module=str(module), reason=reason)
    return found


def check_below(advertised: str, path: str, module: Any) -> None:
    """:raises ImageDownloadModuleMetaDataError: ``path`` does not lie below the mount point advertised (C-155)"""
    inside, mount = posixpath.normpath(path), posixpath.normpath(advertised)
    below = mount == '/' or inside == mount or inside.startswith(mount + '/')
    if not below or not path.startswith(advertised):
        raise errors.ImageDownloadModuleMetaDataError(
            module=str(module),
            reason=f'The mount point advertised by glance: {advertised}, does not match the URL path: {path}',
        )


def place(conf: cfg.ConfigOpts, url: Any, metadata: Mapping[str, Any], module: Any) -> tuple[str, str]:
    """The mount point here, and the path below it. Without any file system configured, the path as it is (C-151).

    :raises ImageDownloadModuleError: as the functions above
    """
    filesystems = configured(conf, module)
    if not filesystems:
        # Nothing to be contained in; links of the host's own layout are resolved, none may come afterwards.
        return '/', os.path.realpath(url.path)
    verify(filesystems, module)
    found = lookup(filesystems, metadata, url, module)
    advertised = metadata['mountpoint']
    check_below(advertised, url.path, module)
    return found['mountpoint'], url.path[len(advertised) :]


def open_below(root: str, path: str) -> int:
    """A descriptor, for reading, of the plain file ``path`` below the directory ``root``.

    :raises OSError: it is not there, is no plain file, or the way to it leaves ``root`` or has a symbolic link
    """
    parts = [part for part in path.split('/') if part not in ('', '.')]
    if '..' in parts or not parts:
        raise OSError(errno.EPERM, f'the path leaves the mount point {root}, or names it; expected a file below it', path)
    way = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            step = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=way)
            os.close(way)
            way = step
            mode = os.fstat(way).st_mode
            if not (stat.S_ISREG(mode) if last else stat.S_ISDIR(mode)):
                what = 'a symbolic link' if stat.S_ISLNK(mode) else f'of type {stat.S_IFMT(mode):o}'
                expected = 'a plain file' if last else 'a directory'
                raise OSError(errno.EPERM, f'{part!r} below {root} is {what}; expected {expected}', path)
        # The very file that was looked at, whatever has its name by now.
        return os.open(f'/proc/self/fd/{way}', os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(way)
