# SPDX-License-Identifier: Apache-2.0
"""Make a snapshot's record first, upload its bytes later, edit its metadata after that.

The way virt drivers and the image proxy worked together. An old caller: the import line and the calls
are those of ``nova.image.glance``; note which updates purge properties and which do not.
"""

import os
import tempfile

import nova.image.glance
from nova import exception
from request import Context


def start_snapshot(context, name, base):
    """The record, queued, with the properties the snapshot takes over from its base image."""
    meta = {
        'name': name,
        'is_public': False,
        'properties': dict(base, image_state='creating', owner_id=context.project_id),
    }
    recv_meta = nova.image.glance.get_default_image_service().create(context, meta)
    return recv_meta['id']


def upload(context, image_href, snapshot_path):
    """Upload: no word about purging, and the properties of the record survive."""
    (image_service, image_id) = nova.image.glance.get_remote_image_service(context, image_href)
    metadata = {
        'is_public': False,
        'status': 'active',
        'disk_format': 'raw',
        'container_format': 'bare',
        'properties': {'image_state': 'available', 'image_location': 'snapshot'},
    }
    with open(snapshot_path, 'rb') as image_file:
        return image_service.update(context, image_id, metadata, image_file)


def describe(context, image_href, **words):
    """Add words to the metadata, keeping what is there."""
    (image_service, image_id) = nova.image.glance.get_remote_image_service(context, image_href)
    return image_service.update(context, image_id, {'properties': words}, purge_props=False)


def replace_metadata(context, image_id, properties):
    """The whole metadata is what is given: read, change, write, with the old default of purging."""
    image_service = nova.image.glance.get_default_image_service()
    image = image_service.show(context, image_id)
    image['properties'] = properties
    return image_service.update(context, image_id, image, None)


def main():
    context = Context('project-of-bob', 'bob')
    image_id = start_snapshot(
        context, 'snapshot ümlaut', {'os_type': 'linux', 'architecture': 'x86_64'}
    )
    queued = nova.image.glance.get_default_image_service().show(context, image_id)
    assert queued['status'] == 'queued', queued

    with tempfile.TemporaryDirectory() as directory:
        snapshot_path = os.path.join(directory, 'snapshot.img')
        with open(snapshot_path, 'wb') as disk:
            disk.write(bytes(range(256)) * 8)
        uploaded = upload(context, image_id, snapshot_path)
    assert uploaded['status'] == 'active', uploaded
    assert uploaded['properties']['os_type'] == 'linux', uploaded
    assert uploaded['properties']['image_state'] == 'available', uploaded

    described = describe(context, image_id, note='before the upgrade', mood='calm')
    assert described['properties']['os_type'] == 'linux', described

    replaced = replace_metadata(context, image_id, {'note': 'kept'})
    assert replaced['properties'] == {'note': 'kept'}, replaced

    try:
        describe(context, 'f3a2b1c0-0000-4000-8000-00000000dead', note='nobody')
    except exception.ImageNotFound as error:
        print(f'snapshot upload: {replaced["size"]} bytes; and as expected: {error}')


if __name__ == '__main__':
    main()
