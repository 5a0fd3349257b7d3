# SPDX-License-Identifier: Apache-2.0
"""Real Glances and a real Keystone beside one copy of the tree, for the cases that need one: started once, used by every child.

They run in a process of their own, from the tree as it was before anything was planted; the modules of a Glance
are not under test. A child takes whatever server it makes for one that is there already.
"""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

MODES = ('noauth', 'tenants', 'keystone')
KEYSTONE = 'the Keystone'


class Keeper:
    """The process that the servers live in."""

    def __init__(self) -> None:
        mine, theirs = os.pipe()
        held, self._alive = os.pipe()
        self._child = os.fork()
        if not self._child:
            os.close(mine)
            os.close(self._alive)
            self._keep(theirs, held)
            os._exit(0)
        os.close(theirs)
        os.close(held)
        with os.fdopen(mine) as pipe:
            said = pipe.read()
        #: what is known of each server, by name; empty where the ``glance`` extra is missing
        self.servers: dict[str, Any] = json.loads(said) if said else {}

    def close(self) -> None:
        """Stop the servers."""
        os.close(self._alive)
        os.waitpid(self._child, 0)

    @staticmethod
    def _keep(out: int, held: int) -> None:
        from nova_image.testing.servers import GlanceServer, KeystoneServer, ServerError

        keystone = KeystoneServer()
        servers: dict[str, Any] = {KEYSTONE: keystone}
        try:
            keystone.start()
            for mode in MODES:
                servers[mode] = GlanceServer(mode, keystone=keystone if mode == 'keystone' else None)  # type: ignore[arg-type]
                servers[mode].start()
            told = {
                name: {'root': str(each.root), 'port': each.port, 'blobs': None if each is keystone else each.blobs.port}
                for name, each in servers.items()
            }
            with os.fdopen(out, 'w') as pipe:
                json.dump(told, pipe)
            os.read(held, 1)
        except ServerError as missing:
            print(f'no real Glance: {missing}', file=sys.stderr)
        finally:
            for each in servers.values():
                each.stop()


def attach(known: dict[str, Any]) -> None:
    """In this process, starting a server means taking the one that runs."""
    from nova_image.testing.servers import GlanceServer, KeystoneServer

    def take(self: Any) -> None:
        told = known[getattr(self, 'mode', KEYSTONE)]
        self._root = Path(told['root'])
        self._web = types.SimpleNamespace(port=told['port'], log_tail=lambda lines: '')

    def start(self: Any) -> None:
        take(self)
        self.blobs.port = known[self.mode]['blobs']
        self.reset()

    def stop(self: Any) -> None:
        self._web = self._root = None

    GlanceServer.start, GlanceServer.stop = start, stop  # type: ignore[method-assign]
    KeystoneServer.start, KeystoneServer.stop = take, stop  # type: ignore[method-assign]
