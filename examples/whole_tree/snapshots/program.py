# SPDX-License-Identifier: Apache-2.0
"""What puts the parts together."""

from nova.image import glance

from snapshots import metadata, rotation


class Program:
    """Takes snapshots, says what they are, lets old ones go."""

    def __init__(self):
        self.rotation = rotation.Rotation(2, prefix='daily')

    def take(self, context, name, data):
        return self.rotation.store(context, name, data)['id']

    def look(self, context, ref):
        image_service, image_id = glance.get_remote_image_service(context, ref)
        metadata.mark(context, image_service, image_id, seen='yes')
        return metadata.describe(context, image_service, image_id)

    def hide(self, context, image_id):
        image_service = self.rotation.image_service
        image_service.update(context, image_id, {'is_public': False})
        return self.rotation.image_service.show(context, image_id)['name']
