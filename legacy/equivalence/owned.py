# SPDX-License-Identifier: Apache-2.0
"""A driver that keeps to its own images in somebody's cloud: what a suite makes there is listed, and goes again.

Each image gets its id here and is noted before it is asked for, so that an interrupted request leaves nothing unknown.
Each carries a tag; listings are narrowed to it; changing or deleting any other image is refused. Nothing is published.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

from nova_image import errors
from nova_image.driver import ImageDriver

#: on every image that a suite makes
TAG = 'nova-image-equivalence'


class OwnedDriver(ImageDriver):
    """``inner``, within the images that this object made.

    :param inner: the driver of the user's cloud
    :ivar made: id of each image that may be there -> whether the service has answered the request that makes it
    """

    name: ClassVar[str] = 'owned'

    def __init__(self, inner: ImageDriver) -> None:
        # No super().__init__(): configuration and endpoint are those of the driver inside.
        self.inner = inner
        self.conf, self.endpoint = inner.conf, inner.endpoint
        self.verifies_signatures = inner.verifies_signatures
        self.made: dict[str, bool] = {}
        self._mark = uuid.uuid4().hex

    def _check(self, image_id: str) -> None:
        if image_id not in self.made:
            raise errors.ImageNotFound(image_id=image_id)

    @property
    def is_settled(self) -> bool:
        """Whether no request that makes an image can still be under way."""
        return all(self.made.values())

    def list(self, context: Any, **query: Any) -> list[dict[str, Any]]:
        """Own images only: the tag narrows the service's listing."""
        filters = {**(query.pop('filters', None) or {}), 'tag': self._mark}
        found = self.inner.list(context, filters=filters, **query)
        return [record for record in found if record['id'] in self.made]

    def show(self, context: Any, image_id: str, *args: Any, **given: Any) -> dict[str, Any]:
        """As the driver inside, for an image of its own."""
        self._check(image_id)
        return self.inner.show(context, image_id, *args, **given)

    def create(
        self, context: Any, image_info: dict[str, Any], data: Any = None, **given: Any
    ) -> dict[str, Any]:
        """A private, tagged image with an id that was noted before."""
        image_id = str(uuid.uuid4())
        self.made[image_id] = False
        info = {name: value for name, value in image_info.items() if name != 'is_public'}
        info |= {'visibility': 'private', 'id': image_id, 'tags': [TAG, self._mark], 'protected': False}
        try:
            record = self.inner.create(context, info, data, **given)
        except errors.GlanceConnectionFailed:
            raise
        except errors.NovaException:
            self.made[image_id] = True
            raise
        self.made[image_id] = True
        return record

    def update(
        self, context: Any, image_id: str, image_info: dict[str, Any], *args: Any, **given: Any
    ) -> dict[str, Any]:
        """As the driver inside, for an image of its own; never protected, so that it can go again."""
        self._check(image_id)
        ours = ('protected', 'tags', 'is_public', 'visibility')
        info = {name: value for name, value in image_info.items() if name not in ours}
        return self.inner.update(context, image_id, info, *args, **given)

    def delete(self, context: Any, image_id: str, **given: Any) -> bool:
        """As the driver inside, for an image of its own."""
        self._check(image_id)
        return self.inner.delete(context, image_id, **given)

    def download(self, context: Any, image_id: str, *args: Any, **given: Any) -> Iterator[bytes] | None:
        """As the driver inside, for an image of its own."""
        self._check(image_id)
        return self.inner.download(context, image_id, *args, **given)

    def glance_url(self, context: Any = None) -> str:
        """As the driver inside."""
        return self.inner.glance_url(context)

    def clean(self, context: Any) -> tuple[str, ...]:
        """Delete all that was made and is still there.

        :returns: the ids that could not be deleted, each with why
        """
        left = []
        for image_id, is_answered in list(self.made.items()):
            try:
                self.inner.delete(context, image_id)
            except errors.ImageNotFound:
                if not is_answered:
                    continue  # it may come to be yet
            except errors.NovaException as error:
                left.append(f'{image_id}: {error}')
                continue
            del self.made[image_id]
        return tuple(left)
