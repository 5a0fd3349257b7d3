# SPDX-License-Identifier: Apache-2.0
"""The old seams: names of ``legacy.glance`` that tests and forks replace, and whether anybody did (C-003 to C-006).

Our own code reaches the old names through :data:`glance`, which looks in the module at each use. Where
nothing is replaced, services take the way of ``nova_image.API`` (D-15).
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ['AS_TOLD', 'CLASS_SEAMS', 'MODULE_SEAMS', 'glance', 'remember_originals', 'replaced']

MODULE_NAME = 'legacy.glance'
#: Replacing one of these changes what a service does.
MODULE_SEAMS = (
    'GlanceClientWrapper',
    '_create_glance_client',
    '_glanceclient_from_endpoint',
    '_translate_from_glance',
    '_translate_to_glance',
    '_extract_attributes',
    '_extract_attributes_v2',
    '_convert_to_v2',
    '_is_image_available',
    '_extract_query_params',
    '_extract_query_params_v2',
    '_reraise_translated_exception',
    '_reraise_translated_image_exception',
    '_translate_image_exception',
    '_translate_plain_exception',
    'get_api_servers',
    'time',
    'random',
)
CLASS_SEAMS = ('call', '_create_static_client', '_create_onetime_client')


#: In place of a purge flag: it goes out as the API gives it.
AS_TOLD: Any = object()


class _Module:
    """``legacy.glance`` as it is at the moment of use."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.modules[MODULE_NAME], name)


#: Typed as Any: whatever a test has put there is what is called.
glance: Any = _Module()

_everything: dict[str, Any] = {}
_originals: dict[str, Any] = {}
_class_originals: dict[str, Any] = {}


def remember_originals(namespace: dict[str, Any]) -> None:
    """Note what stands at each seam; called once, at the end of ``legacy.glance``."""
    _everything.update(namespace)
    _originals.update((name, namespace[name]) for name in MODULE_SEAMS)
    wrapper = vars(namespace['GlanceClientWrapper'])
    _class_originals.update((name, wrapper[name]) for name in CLASS_SEAMS)


def is_original(name: str) -> bool:
    """Whether the module's ``name`` is the one it was made with."""
    return sys.modules[MODULE_NAME].__dict__.get(name) is _everything[name]


def client_class_replaced() -> bool:
    """Whether ``glanceclient.Client``, on our module or on the package, is somebody's fake.

    Never imports glanceclient: what is not loaded is not replaced.
    """
    package = sys.modules.get('glanceclient')
    ours = sys.modules[MODULE_NAME].__dict__.get('glanceclient', package)
    if ours is not package:
        return True
    if package is None:
        return False
    client = package.__dict__.get('Client')
    if client is None and getattr(getattr(package, '__spec__', None), '_initializing', False):
        return False  # another thread is importing it
    return not (inspect.isfunction(client) and client.__module__ == 'glanceclient.client')


def replaced() -> bool:
    """Whether anything at the seams is not the original object."""
    namespace = sys.modules[MODULE_NAME].__dict__
    for name, original in _originals.items():
        if namespace.get(name) is not original:
            return True
    wrapper = _originals['GlanceClientWrapper'].__dict__
    for name, original in _class_originals.items():
        if wrapper.get(name) is not original:
            return True
    return client_class_replaced()
