# SPDX-License-Identifier: Apache-2.0
"""Keep the newest backups of a server and delete the others, as compute managers did it for years.

An old caller: the import lines and the calls are those of ``nova.image.glance``.
"""

import uuid

from nova import exception
from nova.image import glance
from request import Context


def backup(context, instance_uuid, backup_type, number):
    """Store one backup; the bytes stand for a disk."""
    image_service = glance.get_default_image_service()
    return image_service.create(
        context,
        {
            'name': f'{backup_type}-{number}',
            'is_public': False,
            'disk_format': 'raw',
            'container_format': 'bare',
            'properties': {
                'image_type': 'backup',
                'backup_type': backup_type,
                'instance_uuid': instance_uuid,
                'mappings': [{'virtual': 'root', 'device': 'vda'}],
            },
        },
        b'disk contents of day %d' % number,
    )


def rotate(context, instance_uuid, backup_type, rotation):
    """Delete all but the ``rotation`` newest backups of that type; returns the names deleted."""
    image_service = glance.get_default_image_service()
    filters = {
        'property-image_type': 'backup',
        'property-backup_type': backup_type,
        'property-instance_uuid': instance_uuid,
    }
    images = image_service.detail(context, filters=filters, sort_key='created_at', sort_dir='desc')
    deleted = []
    while len(images) > rotation:
        image = images.pop()
        try:
            image_service.delete(context, image['id'])
        except exception.ImageNotFound:
            continue  # somebody else rotates too
        deleted.append(image['name'])
    return deleted


def remaining(context, instance_uuid):
    """Names of the backups that are left, by name."""
    return [
        image['name']
        for image in glance.get_default_image_service().detail(
            context,
            filters={'property-instance_uuid': instance_uuid},
            sort_key='name',
            sort_dir='asc',
            page_size=2,
        )
    ]


def main():
    context = Context('project-of-ann', 'ann')
    ours, other = str(uuid.uuid4()), str(uuid.uuid4())
    for number in range(1, 5):
        backup(context, ours, 'daily', number)
    backup(context, ours, 'weekly', 1)
    backup(context, other, 'daily', 1)

    deleted = rotate(context, ours, 'daily', rotation=2)
    assert sorted(deleted) == ['daily-1', 'daily-2'], deleted
    assert rotate(context, ours, 'daily', rotation=2) == []
    assert remaining(context, ours) == ['daily-3', 'daily-4', 'weekly-1']
    assert remaining(context, other) == ['daily-1']
    print(f'backup rotation: {len(deleted)} deleted, 3 of this server kept')


if __name__ == '__main__':
    main()
