# SPDX-License-Identifier: Apache-2.0
"""The quick look at an upload decides as the inspectors do that Glance uses."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_image.local import formats
from nova_image.local.refusals import Refused

QCOW2 = b'QFI\xfb' + (3).to_bytes(4, 'big') + bytes(16) + (1 << 20).to_bytes(8, 'big') + bytes(600)
BACKED = b'QFI\xfb' + (3).to_bytes(4, 'big') + (512).to_bytes(8, 'big') + bytes(700)
VHD = b'conectix' + bytes(32) + (4096).to_bytes(8, 'big') + bytes(600)
VDI = bytes(0x40) + b'\x7f\x10\xda\xbe' + bytes(600)
ISO = bytes(32769) + b'CD001' + bytes(4000)
BOOT = bytes(510) + b'\x55\xaa' + bytes(100)
DESCRIPTOR = b'# Disk DescriptorFile\ncreateType="monolithicFlat"\n' * 4


def size_of(content: bytes, disk_format: str, container_format: str = 'bare') -> int | None:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return formats.virtual_size(file.fileno(), len(content), disk_format, container_format)


@pytest.mark.contract('C-256')
@pytest.mark.parametrize(
    ('content', 'disk_format', 'virtual_size'),
    [
        (b'anything', 'raw', 8),
        (b'', 'raw', None),
        (b'anything', 'ami', None),
        (b'anything', 'ploop', None),
        (QCOW2, 'qcow2', 1 << 20),
        (QCOW2, 'raw', len(QCOW2)),
        (VHD, 'vhd', 4096),
        (ISO, 'iso', None),
        (b'hello ' * 20, 'raw', 120),
    ],
)
def test_content_that_fits_is_taken(content: bytes, disk_format: str, virtual_size: int | None) -> None:
    assert size_of(content, disk_format) == virtual_size


@pytest.mark.contract('C-256')
@pytest.mark.parametrize(
    ('content', 'disk_format'),
    [
        (b'anything', 'qcow2'),
        (b'', 'qcow2'),
        (b'anything', 'iso'),
        (QCOW2, 'vhd'),
        (QCOW2, 'ami'),
        (BACKED, 'qcow2'),
        (BACKED, 'raw'),
        (VDI, 'qcow2'),
        (BOOT, 'raw'),
        (DESCRIPTOR, 'raw'),
    ],
)
def test_content_that_does_not_fit_is_refused(content: bytes, disk_format: str) -> None:
    with pytest.raises(Refused) as caught:
        size_of(content, disk_format)
    assert caught.value.status == 415


def test_only_bare_content_is_looked_at() -> None:
    assert size_of(b'no qcow2', 'qcow2', 'ovf') is None


def answer(look: Callable[[], int | None]) -> int | str | None:
    try:
        return look()
    except Refused as exc:
        return f'{exc.status}'


PIECES = st.sampled_from(
    [b'QFI\xfb', b'QED\x00', b'KDMV', b'conectix', b'vhdxfile', b'LUKS\xba\xbe', b'createType="x"', b'text ' * 40]
    + [b'\x00' * 64, b'\x7f\x10\xda\xbe', b'\xff', b'\x00' * 507, b'\x55\xaa', b'\n', b'CD001', b'a' * 70]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=6).map(b''.join), st.sampled_from(['raw', 'qcow2', 'vmdk', 'vhd', 'ami']))
def test_the_quick_look_changes_no_answer(content: bytes, disk_format: str) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        quick = answer(lambda: formats.virtual_size(file.fileno(), len(content), disk_format, 'bare'))
        full = answer(lambda: formats._inspect(file.fileno(), disk_format))
    assert quick == full
