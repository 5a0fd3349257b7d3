# SPDX-License-Identifier: Apache-2.0
"""A subclass in a module of its own, which uses what the base class keeps."""

from snapshots import keeper


class Rotation(keeper.Keeper):
    """Keeps a few snapshots and lets the others go."""

    def __init__(self, kept, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept = kept

    def rotate(self, context):
        rows = self.image_service.detail(context, filters={'status': 'active'})
        rows = sorted(rows, key=lambda row: row['name'], reverse=True)
        for row in rows[self.kept:]:
            self.image_service.delete(context, row['id'])
        return len(rows[self.kept:])
