# SPDX-License-Identifier: Apache-2.0
"""What users of the image API and authors of drivers import in their tests.

``conformance`` has the suite that a driver inherits, ``servers`` a real Glance and a real Keystone on
loopback, ``faulty`` a Glance that fails on demand (``faults`` names how), ``disturbance`` a proxy that
disturbs a real one, ``contexts`` callers, ``plugin`` the pytest fixtures. Nothing here is imported by the API.
"""
