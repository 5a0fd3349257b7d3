# SPDX-License-Identifier: Apache-2.0
"""What an upload has to look like: the content checks that Glance 33 makes for container format ``bare``.

A look at a few magic bytes settles nearly every upload. Only content that looks like some disk format is
given to the inspectors of oslo.utils, which are the ones Glance uses.
"""

from __future__ import annotations

import os
from typing import Any

from nova_image.local.refusals import Refused

DISK_FORMATS = ('ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop')
CONTAINER_FORMATS = ('ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed')

# Formats with an inspector: declaring one of them is a promise about the content.
_INSPECTED = frozenset({'raw', 'qcow2', 'vhd', 'vhdx', 'vmdk', 'vdi', 'qed', 'iso', 'gpt', 'luks'})
_MAGIC = (b'QFI\xfb', b'QED\x00', b'conectix', b'vhdxfile', b'KDMV', b'LUKS\xba\xbe')
_CHUNK = 65536
_UNDECIDED = 'undecided'


def virtual_size(fd: int, size: int, disk_format: str, container_format: str) -> int | None:
    """The virtual size of a content that may be stored under these formats; None where there is none.

    :raises Refused: 415, the content is not what ``disk_format`` says, or is not safe to use
    """
    if container_format != 'bare':
        return None
    look = _first_look(fd, size)
    if look == 'raw':
        return _plain(size, disk_format)
    if look == _UNDECIDED:
        return None
    return _inspect(fd, disk_format)


def _plain(size: int, disk_format: str) -> int | None:
    """Content that no inspector recognises."""
    if disk_format == 'raw':
        return size or None
    if disk_format in _INSPECTED:
        raise _mismatch(disk_format, 'raw')
    return None


def _first_look(fd: int, size: int) -> str:
    """``raw`` when no inspector would recognise it, ``undecided`` when theirs give up, else ``maybe``."""
    head = os.pread(fd, _CHUNK, 0)
    sector = head[:512]
    if sector.startswith(_MAGIC):
        return 'maybe'
    if size >= 512 and (sector[510:512] == b'\x55\xaa' or sector[0x40:0x44] == b'\x7f\x10\xda\xbe'):
        return 'maybe'
    if size >= 34816 and os.pread(fd, 5, 32769) in (b'CD001', b'NSR02', b'NSR03'):
        return 'maybe'
    if size >= 64 and _is_text(sector):
        # Might be the text of a VMDK descriptor.
        text = head.partition(b'\x00')[0]
        if not text.isascii():
            return _UNDECIDED
        if b'createtype="' in text.lower():
            return 'maybe'
    return 'raw'


def _is_text(sector: bytes) -> bool:
    if not sector.isascii():
        return False
    return all(char.isprintable() or char.isspace() for char in sector.decode('ascii'))


def _inspect(fd: int, disk_format: str) -> int | None:
    from oslo_utils.imageutils import format_inspector

    with os.fdopen(os.dup(fd), 'rb') as stream:
        stream.seek(0)
        wrapper = format_inspector.InspectWrapper(stream)
        while wrapper.read(_CHUNK):
            pass
        wrapper.close()
    try:
        found = {str(one): one for one in wrapper.formats or ()}
        inspector: Any = found['iso'] if found.keys() == {'iso', 'gpt'} else wrapper.format
        result = _judge(inspector, disk_format)
        inspector.safety_check()
    except AttributeError:
        return None  # as Glance does: an inspector that got stuck halfway is taken as "not inspected"
    except format_inspector.SafetyCheckFailed as exc:
        failed = set(exc.failures) - ({'mbr'} if disk_format in ('aki', 'ari') else set())
        if inspector.NAME == 'gpt' and not failed:
            return result or None
        raise Refused(415, f'Image failed safety checks: {exc}') from exc
    except format_inspector.ImageFormatError as exc:
        raise Refused(415, str(exc)) from exc
    except Refused:
        raise
    except Exception as exc:
        raise Refused(415, f'Image format inspection failed: {exc}') from exc
    return result or None


def _judge(inspector: Any, disk_format: str) -> int:
    found = str(inspector)
    if found == disk_format:
        return int(inspector.virtual_size)
    if found == 'raw' and disk_format not in _INSPECTED:
        return 0
    if disk_format == 'raw':
        return int(inspector.actual_size)
    raise _mismatch(disk_format, found)


def _mismatch(disk_format: str, found: str) -> Refused:
    return Refused(415, f'Image disk_format {disk_format} does not match stream data {found}')
