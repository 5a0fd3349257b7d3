# SPDX-License-Identifier: Apache-2.0
"""A cache of images on disk, filled by reference: an image's id or its URL.

An old caller: the import lines and the calls are those of ``nova.image.glance``, the errors those of
``nova.exception``. All four ways to download are here.
"""

import hashlib
import io
import os
import tempfile

from nova import exception
from nova.image import glance as image_backend
from request import Context


class ImageCache:
    """Images by reference, each fetched once."""

    def __init__(self, directory):
        self.directory = directory
        self.misses = 0

    def path(self, image_href):
        return os.path.join(self.directory, hashlib.sha1(image_href.encode()).hexdigest())

    def fetch(self, context, image_href):
        """Path of the image's bytes."""
        path = self.path(image_href)
        if not os.path.exists(path):
            self.misses += 1
            (image_service, image_id) = image_backend.get_remote_image_service(context, image_href)
            image_service.download(context, image_id, dst_path=path)
        return path

    def checksum(self, context, image_href):
        """Checksum of the bytes as they pass; nothing is stored."""
        (image_service, image_id) = image_backend.get_remote_image_service(context, image_href)
        md5 = hashlib.md5()
        for chunk in image_service.download(context, image_id):
            md5.update(chunk)
        return md5.hexdigest()

    def copy_into(self, context, image_href, target):
        """Write the bytes to an open file."""
        (image_service, image_id) = image_backend.get_remote_image_service(context, image_href)
        image_service.download(context, image_id, target)

    def copy_and_name(self, context, image_href, target, path):
        """Both a file object and a path: the object wins, and the path is only a name."""
        (image_service, image_id) = image_backend.get_remote_image_service(context, image_href)
        image_service.download(context, image_id, data=target, dst_path=path)

    def try_fetch(self, context, image_href):
        """The path, or the name of what went wrong."""
        try:
            return self.fetch(context, image_href)
        except (exception.ImageNotFound, exception.InvalidImageRef) as error:
            return type(error).__name__
        except exception.ImageUnacceptable:
            return 'unusable'


def main():
    context = Context('project-of-eve', 'eve')
    images = image_backend.get_default_image_service()
    contents = bytes(range(256)) * 512
    record = images.create(
        context,
        {'name': 'cirros', 'disk_format': 'raw', 'container_format': 'bare', 'is_public': False},
        io.BytesIO(contents),
    )
    queued = images.create(context, {'name': 'not there yet', 'is_public': False})
    href = image_backend.generate_image_url(record['id'])

    with tempfile.TemporaryDirectory() as directory:
        cache = ImageCache(directory)
        for reference in (record['id'], href, record['id']):
            with open(cache.fetch(context, reference), 'rb') as image_file:
                assert image_file.read() == contents
        assert cache.misses == 2

        assert cache.checksum(context, href) == record['checksum']

        with open(os.path.join(directory, 'copy'), 'w+b') as target:
            cache.copy_into(context, record['id'], target)
            target.seek(0)
            assert target.read() == contents

        target, unused = io.BytesIO(), os.path.join(directory, 'unused')
        cache.copy_and_name(context, href, target, unused)
        assert target.getvalue() == contents
        assert not os.path.exists(unused)

        failures = [
            cache.try_fetch(context, 'f3a2b1c0-0000-4000-8000-00000000dead'),
            cache.try_fetch(context, 'http://glance.example:port/images/' + record['id']),
            cache.try_fetch(context, queued['id']),
        ]
        assert failures == ['ImageNotFound', 'InvalidImageRef', 'ImageHasNoData'], failures
    print(f'image cache: {len(contents)} bytes four ways, {len(failures)} failures caught by name')


if __name__ == '__main__':
    main()
