# SPDX-License-Identifier: Apache-2.0
"""An image straight from where the service keeps it, past the service (C-138 to C-143, C-151 to C-156).

:mod:`.fetching` walks an image's locations and delivers what a fetcher opens: checked, staged and put in
place as bytes over HTTP are. :mod:`.file` is the fetcher of mounted file systems, :mod:`.plugins` finds those
of third parties and shows how to write one.
"""

from nova_image.direct.fetching import (
    already_tried,
    begins_again,
    bring,
    fetch,
    first_that_works,
    locations_of,
)
from nova_image.direct.places import Fetcher, Location

__all__ = ['Fetcher', 'Location', 'already_tried', 'begins_again', 'bring', 'fetch', 'first_that_works', 'locations_of']
