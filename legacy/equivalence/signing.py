# SPDX-License-Identifier: Apache-2.0
"""The faked signature library of a boundary case, where the recordings had theirs.

Stands for ``cursive`` and for one class of ``cryptography``, which need not be installed.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any
from unittest import mock

from legacy.equivalence.decode import World, exception_class


class SignatureVerificationError(Exception):
    """Stands for cursive's class of that name."""


class _Verifier:
    def __init__(self, world: World, given: dict[str, Any]) -> None:
        self._world, self._given = world, given

    def update(self, data: Any) -> None:
        self._world.event('verifier.update', data=self._world.encode(bytes(data)))

    def verify(self) -> None:
        self._world.event('verifier.verify')
        if 'verify_raises' in self._given:
            raise self._world.decode(self._given['verify_raises'])


@contextlib.contextmanager
def installed(world: World, given: dict[str, Any]) -> Iterator[None]:
    """The fakes in place of the modules, where the case says anything of signatures."""
    if 'signature' not in given:
        yield
        return

    def get_verifier(
        context: Any,
        img_signature_certificate_uuid: Any,
        img_signature_hash_method: Any,
        img_signature: Any,
        img_signature_key_type: Any,
    ) -> _Verifier:
        args = [
            context,
            img_signature_certificate_uuid,
            img_signature_hash_method,
            img_signature,
            img_signature_key_type,
        ]
        world.event('get_verifier', args=world.encode(args))
        if 'get_verifier_raises' in given['signature']:
            raise world.decode(given['signature']['get_verifier_raises'])
        return _Verifier(world, given['signature'])

    invalid = exception_class('cryptography.exceptions.InvalidSignature')
    modules: dict[str, dict[str, Any]] = {
        'cursive.signature_utils': {'get_verifier': get_verifier},
        'cursive.exception': {'SignatureVerificationError': SignatureVerificationError},
        'cryptography.exceptions': {'InvalidSignature': invalid},
    }
    with mock.patch.dict(sys.modules, {name: _module(name, held) for name, held in modules.items()}):
        yield


def _module(name: str, held: dict[str, Any]) -> types.ModuleType:
    made = types.ModuleType(name)
    vars(made).update(held)
    return made
