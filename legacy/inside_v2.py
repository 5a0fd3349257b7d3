# SPDX-License-Identifier: Apache-2.0
"""Private steps of ``GlanceImageServiceV2`` that forks call one by one (C-007), on the service's own client.

The service itself goes another way (``service.py``); nothing of ours comes through here.
"""

from __future__ import annotations

import os
import stat
from typing import Any, ClassVar

from legacy.deprecation import deprecated
from legacy.seams import glance
from nova_image import errors, signatures

__all__ = ['InsideV2']


@deprecated('_verify_certs')
def _verify_certs(context: Any, img_sig_cert_uuid: Any, trusted_certs: Any) -> None:
    """Validate a signing certificate (C-304). :raises CertificateValidationFailed: it is not to be trusted"""
    signatures.validate_certificate(
        context, img_sig_cert_uuid, signatures.trusted_ids(trusted_certs)
    )


class InsideV2:
    """The steps, for the class of that name to inherit."""

    _client: Any
    _direct: Any
    _SHARED: ClassVar[str] = 'image_members'

    @deprecated('GlanceImageServiceV2._add_location')
    def _add_location(self, context: Any, image_id: Any, location: Any) -> Any:
        """Register a location; the client's image (C-257)."""
        try:
            return self._client.call(context, 2, 'add_location', args=(image_id, location, {}))
        except Exception:  # noqa: BLE001 - whatever it is, it is raised again
            glance._reraise_translated_exception()

    @deprecated('GlanceImageServiceV2._add_image_member')
    def _add_image_member(self, context: Any, image_id: Any, member_id: Any) -> Any:
        """Share an image with a project (C-259)."""
        try:
            return self._client.call(
                context, 2, 'create', controller=self._SHARED, args=(image_id, member_id)
            )
        except Exception:  # noqa: BLE001 - whatever it is, it is raised again
            glance._reraise_translated_exception()

    @deprecated('GlanceImageServiceV2._upload_data')
    def _upload_data(self, context: Any, image_id: Any, data: Any) -> Any:
        """Upload, and the client's image afterwards (C-254)."""
        self._client.call(context, 2, 'upload', args=(image_id, data))
        return self._client.call(context, 2, 'get', args=(image_id,))

    @deprecated('GlanceImageServiceV2._get_image_create_disk_format_default')
    def _get_image_create_disk_format_default(self, context: Any) -> str:
        """``raw``: what the inspection of today's Glance lets be empty (C-255, C-256)."""
        return 'raw'

    @deprecated('GlanceImageServiceV2._create_v2')
    def _create_v2(
        self,
        context: Any,
        sent_service_image_meta: Any,
        data: Any = None,
        force_activate: bool = False,
        sharing_member_id: Any = None,
    ) -> Any:
        """Create from flat v2 metadata; the translated image (C-252)."""
        sent = dict(sent_service_image_meta)
        location = sent.pop('location', None)
        if force_activate:
            data = ''
            sent.setdefault('disk_format', self._get_image_create_disk_format_default(context))
            sent.setdefault('container_format', 'bare')
        image = self._client.call(context, 2, 'create', kwargs=sent)
        return self._completed(context, image, location, data, sharing_member_id)

    @deprecated('GlanceImageServiceV2._update_v2')
    def _update_v2(self, context: Any, sent_service_image_meta: Any, data: Any = None) -> Any:
        """Update from flat v2 metadata with ``image_id`` in it; the translated image (C-261)."""
        sent = dict(sent_service_image_meta)
        location = sent.pop('location', None)
        image = self._client.call(context, 2, 'update', kwargs=sent)
        return self._completed(context, image, location, data, None)

    def _completed(self, context: Any, image: Any, location: Any, data: Any, member: Any) -> Any:
        image_id = image['id']
        if location:
            image = self._add_location(context, image_id, location)
        if member:
            self._add_image_member(context, image_id, member)
        if data is not None:
            image = self._upload_data(context, image_id, data)
        return glance._translate_from_glance(image)

    @staticmethod
    @deprecated('GlanceImageServiceV2._safe_fsync')
    def _safe_fsync(fh: Any) -> None:
        """Flush a file to disk; a device, pipe or socket has nothing to be flushed to (C-137)."""
        if stat.S_ISREG(os.fstat(fh.fileno()).st_mode):
            os.fsync(fh.fileno())

    @deprecated('GlanceImageServiceV2._get_verifier')
    def _get_verifier(self, context: Any, image_id: Any, trusted_certs: Any) -> Any:
        """What verifies an image's signature, or None where none is to be verified (C-304)."""
        from legacy.urls import settings

        return signatures.verifier_for(
            context,
            image_id,
            lambda: self.show(context, image_id),  # type: ignore[attr-defined]
            settings(),
            trusted_certs,
        )

    @deprecated('GlanceImageServiceV2._verify_and_write')
    def _verify_and_write(
        self,
        context: Any,
        image_id: Any,
        verifier: Any = None,
        image_chunks: Any = (),
        data: Any = None,
        dst_path: Any = None,
        trusted_certs: Any = None,
    ) -> Any:
        """Write the chunks to ``data`` or ``dst_path``, or hand them back (C-126 to C-128).

        :param verifier: from ``_get_verifier``; until 29 ``trusted_certs`` stood in its place, which is understood
        :param trusted_certs: the name it had then; without either the options decide
        """
        check = self._check(context, image_id, verifier, trusted_certs)
        if check is None and data is None and not dst_path:
            return image_chunks
        from legacy.urls import settings
        from nova_image import transfer

        return transfer.deliver(
            lambda offset: transfer.ChunksBody(image_chunks),
            None,
            settings=settings(),
            data=data,
            dest_path=dst_path,
            try_again=False,
            signature=check,
        )

    def _check(
        self, context: Any, image_id: Any, verifier: Any, trusted_certs: Any = None
    ) -> signatures.Check | None:
        if verifier is not None and not hasattr(verifier, 'verify'):
            trusted_certs = verifier
            verifier = None
        if verifier is None:
            verifier = self._get_verifier(context, image_id, trusted_certs)
        return None if verifier is None else signatures.Check(image_id, lambda: verifier)

    @deprecated('GlanceImageServiceV2._try_special_handlers')
    def _try_special_handlers(
        self, context: Any, image_id: Any, dst_path: Any, verifier: Any
    ) -> bool:
        """Fetch from a location by a plug-in; whether that worked (C-139)."""
        check = None if verifier is None else self._check(context, image_id, verifier)
        found = self.show(context, image_id, include_locations=True)['locations']  # type: ignore[attr-defined]
        return bool(self._direct.fetch(context, found, dst_path, check))

    @deprecated('GlanceImageServiceV2.rbd_download')
    def rbd_download(
        self, context: Any, url_parts: Any, dst_path: Any, metadata: Any = None
    ) -> None:
        """Fetch from Ceph directly (C-305). :raises NotBuilt: always, in this release"""
        raise errors.NotBuilt(
            feature='Direct download from Ceph (rbd_download)',
            advice='use download(); the image is then fetched over HTTP.',
        )
