# SPDX-License-Identifier: Apache-2.0
"""The suite that says what an image driver has to do.

A driver's author inherits from it in a test file and says how to make the driver::

    class TestMine(DriverConformance, TenantConformance):
        @pytest.fixture
        def driver(self, tmp_path):
            return MyDriver(make_conf(mine__path=str(tmp_path)))

        @pytest.fixture
        def contexts(self):
            return tenant_contexts()

``DriverConformance`` is for every driver, with any caller. ``TenantConformance`` is for drivers that
tell projects apart. ``HTTPConformance`` and ``HTTPSConformance`` are for drivers that speak image API v2 themselves, and
stand in a class of their own (:mod:`.http`). The smaller mixins stand for what not every driver offers; a driver that does not
offer it inherits the mixin that checks the refusal. Each test names the statement it stands on: a number
of the behavioural contract (C-...), a decision (D-...), or Glance's API.
"""

from __future__ import annotations

from nova_image.testing.conformance.changes import ChangeConformance
from nova_image.testing.conformance.creation import CreationConformance
from nova_image.testing.conformance.damage import DamageConformance
from nova_image.testing.conformance.deletion import DeletionConformance, InUseConformance, WithoutInUse
from nova_image.testing.conformance.downloads import DownloadConformance
from nova_image.testing.conformance.filters import FilterConformance
from nova_image.testing.conformance.http_answers import HTTPAnswerConformance
from nova_image.testing.conformance.http_identity import HTTPIdentityConformance, HTTPSConformance
from nova_image.testing.conformance.http_limits import HTTPLimitConformance
from nova_image.testing.conformance.http_resumed import HTTPResumeConformance
from nova_image.testing.conformance.http_transfers import HTTPTransferConformance
from nova_image.testing.conformance.language import LanguageConformance
from nova_image.testing.conformance.limits import LimitConformance
from nova_image.testing.conformance.listing import ListingConformance
from nova_image.testing.conformance.places import (
    LocationConformance,
    PlaceConformance,
    StoreConformance,
    WithoutLocations,
    WithoutStores,
)
from nova_image.testing.conformance.records import RecordConformance
from nova_image.testing.conformance.signatures import SignatureConformance
from nova_image.testing.conformance.tenants import TenantConformance
from nova_image.testing.conformance.uploads import UploadConformance

__all__ = [
    'DamageConformance',
    'DriverConformance',
    'HTTPConformance',
    'HTTPSConformance',
    'InUseConformance',
    'LocationConformance',
    'StoreConformance',
    'TenantConformance',
    'WithoutInUse',
    'WithoutLocations',
    'WithoutStores',
]


class DriverConformance(
    RecordConformance,
    CreationConformance,
    UploadConformance,
    ChangeConformance,
    DeletionConformance,
    DownloadConformance,
    ListingConformance,
    FilterConformance,
    LanguageConformance,
    LimitConformance,
    PlaceConformance,
    SignatureConformance,
):
    """What every driver has to do. Override ``driver``, and ``contexts`` or ``member``."""


class HTTPConformance(
    HTTPTransferConformance,
    HTTPResumeConformance,
    HTTPLimitConformance,
    HTTPIdentityConformance,
    HTTPAnswerConformance,
):
    """What a driver does when the server, or the way to it, is bad. Override ``make_driver``."""
