# SPDX-License-Identifier: Apache-2.0
"""The base class: whoever makes one may bring a service."""

from nova.image import glance


class Keeper:
    """Stores snapshots and looks them up."""

    def __init__(self, image_service=None, prefix='snapshot'):
        self.image_service = image_service or glance.get_default_image_service()
        self.prefix = prefix

    def store(self, context, name, data):
        meta = {'name': f'{self.prefix}-{name}', 'disk_format': 'raw', 'container_format': 'bare'}
        return self.image_service.create(context, meta, data)

    def names(self, context):
        return sorted(image['name'] for image in self.image_service.detail(context))
