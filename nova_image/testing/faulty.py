# SPDX-License-Identifier: Apache-2.0
"""A Glance v2 on loopback that fails on demand, and remembers what it was asked and told.

For client tests: how does a driver behave when a server does *this*, here, now? Faults are made in
:mod:`.faults`, the store behind is :class:`.toy_glance.ToyGlance`; to disturb a real Glance use
:mod:`.disturbance`.

::

    with FaultyGlance() as glance:
        image = glance.store.add(b'bytes')
        glance.inject(faults.cut('GET file', at=2))
        ...
        assert glance.count('GET file') == 2
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Sequence
from typing import Any, Self, cast

from nova_image.testing.faults import Fault
from nova_image.testing.faulty_http import FaultyHandler, FaultyServer, Seen
from nova_image.testing.toy_glance import ToyGlance

__all__ = ['FaultyGlance', 'Seen']


class FaultyGlance:
    """The server; a context manager. Serves any number of connections, each in a thread.

    :param hashes: see :class:`.toy_glance.ToyGlance`
    :param tokens: accepted tokens; None = whoever comes, with or without a token
    :param ranges: whether the store can give parts; if not, a Range is answered with 400
    :param page_size: the most images in one page of a list
    :param tls: speak HTTPS; see :class:`.certificates.Authority`
    """

    def __init__(
        self,
        hashes: Sequence[str] = ('sha512', 'md5'),
        *,
        tokens: set[str] | None = None,
        ranges: bool = True,
        page_size: int = 1000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.store = ToyGlance(hashes)
        self.accepted_tokens = tokens
        self.ranges = ranges
        self.page_size = page_size
        self.requests: list[Seen] = []
        self.stopping = threading.Event()
        self._faults: list[list[Any]] = []
        self._lock = threading.Lock()
        self._server = FaultyServer(('127.0.0.1', 0), FaultyHandler)
        self._server.glance = self
        self._scheme = 'http' if tls is None else 'https'
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name='faulty-glance', daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f'{self._scheme}://127.0.0.1:{self.port}'

    @property
    def tokens(self) -> set[str]:
        """Every credential that was ever sent here, service tokens and Authorization included."""
        names = ('X-Auth-Token', 'X-Service-Token', 'Authorization', 'X-Storage-Token')
        with self._lock:
            return {each.headers[name] for each in self.requests for name in names if each.headers.get(name)}

    def count(self, route: str) -> int:
        """How often this was asked, whatever came of it."""
        with self._lock:
            return sum(each.route == route for each in self.requests)

    def inject(self, *faults: Fault) -> Self:
        """Arm faults. Of several for one request the first armed that is not used up strikes."""
        with self._lock:
            self._faults += [[each, each.after, each.times] for each in faults]
        return self

    def forget(self) -> None:
        """No faults, no requests; the images stay."""
        with self._lock:
            self._faults.clear()
            self.requests.clear()

    def note(self, seen: Seen) -> Fault | None:
        """Keep a request and take the fault that strikes it, if any. For the handler."""
        with self._lock:
            self.requests.append(seen)
            for entry in self._faults:
                fault, after, left = entry
                if fault.on not in (seen.route, '*') or (fault.times and not left):
                    continue
                if after:
                    entry[1] -= 1
                    continue
                entry[2] -= 1
                return cast(Fault, fault)
        return None
