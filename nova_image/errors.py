# SPDX-License-Identifier: Apache-2.0
"""Every error of the package, one tree (contract section f, D-1).

::

    NovaException
    ├── Invalid (400)
    │   ├── InvalidImageRef
    │   ├── InvalidParameterValue
    │   ├── ImageUnacceptable
    │   ├── ImageBadRequest
    │   ├── ImageImportImpossible
    │   ├── BadFilter
    │   └── BadImageInfo                (also TypeError, AttributeError, ValueError)
    ├── Forbidden (403) = NotAuthorized
    ├── Unauthorized (401)
    ├── NotFound (404)
    │   └── ImageNotFound
    │       ├── ImageNotFoundEC2
    │       └── ImageHasNoData          (also ImageUnacceptable)
    ├── ImageNotAuthorized, ImageNotActive, ImageQuotaExceeded, ImageConflict, ImageDeleteConflict
    ├── GlanceConnectionFailed
    ├── CouldNotFetchImage, CouldNotUploadImage, ImagePaginationFailed
    ├── SignatureVerificationError, CertificateValidationFailed
    ├── ImageDownloadModuleError
    │   ├── ImageDownloadModuleMetaDataError
    │   ├── ImageDownloadModuleNotImplementedError
    │   └── ImageDownloadModuleConfigurationError
    ├── ImageTransferError (also OSError)
    │   ├── ImageDownloadIncomplete, ImageCorrupt, ImageTransferStalled, ImageHashMissing
    │   └── ImageUploadIncomplete, ImageUploadNotRepeatable
    ├── StoreError
    │   └── StoreUnreadable, StoreCorrupt
    ├── ImageServiceError               (what the server answered and no name above stands for)
    ├── UnknownDriver
    └── NotBuilt

Names, codes, templates and parents of the historic ones are those of the contract, so old ``except``
clauses keep working. Where the real ``nova.exception`` is loaded, each instance is also an instance of
``nova.exception.<same name>``; :func:`joined` makes the same kind of class with a client library's.
"""

from __future__ import annotations

import errno
import logging
import sys
from typing import Any, ClassVar, Self, cast

LOG = logging.getLogger(__name__)


class NovaException(Exception):
    """Root of the tree; carries ``msg_fmt``, ``code``, ``kwargs`` and ``message`` (C-295 to C-297).

    :param message: used as it is when truthy; otherwise the class's template is filled from ``kwargs``
    """

    msg_fmt: ClassVar[str] = 'An unknown exception occurred.'
    code: Any = 500
    headers: ClassVar[dict[str, str]] = {}
    safe: ClassVar[bool] = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return cast('Self', super().__new__(_beside_nova(cls), *args))

    def __init__(self, message: Any = None, **kwargs: Any) -> None:
        self.kwargs: dict[str, Any] = kwargs
        self.kwargs.setdefault('code', type(self).code)
        if not message:
            message = self._render()
        self.message = message
        Exception.__init__(self, message)

    def _render(self) -> str:
        try:
            return self._template() % self.kwargs
        except (KeyError, TypeError, ValueError):
            # C-296: a message that cannot be filled must not hide the error it belongs to.
            LOG.exception('Exception in string format operation')
            for name, value in self.kwargs.items():
                LOG.error('%s: %s', name, value)
            return self._template()

    def _template(self) -> str:
        return self.msg_fmt

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ''

    def format_message(self) -> str:
        """The message alone (C-295)."""
        return str(self.args[0])

    def __reduce__(self) -> Any:
        others = []
        cls = type(self)
        while '_joined_from' in vars(cls):
            others.append(vars(cls)['_joined_with'])
            cls = vars(cls)['_joined_from']
        return _rebuild, (cls, tuple(reversed(others)), self.message, self.kwargs)


class Invalid(NovaException):
    msg_fmt = 'Bad Request - Invalid Parameters'
    code = 400


class Forbidden(NovaException):
    msg_fmt = 'Forbidden'
    code = 403
    ec2_code: ClassVar[str] = 'AuthFailure'  # what NotAuthorized carried until 2014.1


NotAuthorized = Forbidden  # one class: the rename of 2014.2 (C-298)


class Unauthorized(NovaException):
    msg_fmt = 'Not authorized.'
    code = 401


class NotFound(NovaException):
    msg_fmt = 'Resource could not be found.'
    code = 404


class ImageNotFound(NotFound):
    msg_fmt = 'Image %(image_id)s could not be found.'


class ImageNotFoundEC2(ImageNotFound):
    msg_fmt = (
        'Image %(image_id)s could not be found. The EC2 API counts images by an id of its own, '
        'given the first time an image is listed through it.'
    )


class ImageNotAuthorized(NovaException):
    """Not a :class:`Forbidden` and not a 403, in any release (C-294, C-326)."""

    msg_fmt = 'Not authorized for image %(image_id)s.'


class InvalidImageRef(Invalid):
    msg_fmt = 'Invalid image href %(image_href)s.'


class InvalidParameterValue(Invalid):
    msg_fmt = '%(err)s'


class ImageUnacceptable(Invalid):
    msg_fmt = 'Image %(image_id)s is unacceptable: %(reason)s'


class ImageBadRequest(Invalid):
    msg_fmt = 'Request of image %(image_id)s got BadRequest response: %(response)s'


class ImageImportImpossible(Invalid):
    msg_fmt = 'Import of image %(image_id)s refused: %(reason)s'


class BadFilter(Invalid):
    msg_fmt = 'Filter %(name)s=%(value)r cannot be used: %(reason)s'


class BadImageInfo(Invalid, TypeError, AttributeError, ValueError):
    """An argument of a wrong type or value; old code saw TypeError, AttributeError or ValueError (C-237, C-266)."""

    msg_fmt = 'Image %(name)s is %(value)r, expected %(expected)s.'


class ImageHasNoData(ImageNotFound, ImageUnacceptable):
    """Nothing was ever uploaded: caught as the 404 of Glance v1 and as the later ImageUnacceptable (C-315)."""

    msg_fmt = 'Image %(image_id)s is unacceptable: %(reason)s'
    code = 404


class ImageNotActive(NovaException):
    msg_fmt = 'Image %(image_id)s is not active.'


class ImageQuotaExceeded(NovaException):
    msg_fmt = 'Quota exceeded or out of space for image %(image_id)s in the image service.'


class ImageConflict(NovaException):
    msg_fmt = 'Conflict with the state of image %(image_id)s: %(reason)s'
    code = 409


class ImageDeleteConflict(NovaException):
    msg_fmt = 'Conflict deleting image. Reason: %(reason)s.'


class GlanceConnectionFailed(NovaException):
    """No server answered; built from ``server=`` or from ``host=`` and ``port=`` (C-298, C-325)."""

    msg_fmt = 'Connection to glance host %(server)s failed: %(reason)s'

    def _template(self) -> str:
        if 'server' not in self.kwargs and 'host' in self.kwargs:
            return 'Connection to glance host %(host)s:%(port)s failed: %(reason)s'
        return self.msg_fmt


class CouldNotFetchImage(NovaException):
    msg_fmt = 'Could not fetch image %(image_id)s'


class CouldNotUploadImage(NovaException):
    msg_fmt = 'Could not upload image %(image_id)s'


class ImagePaginationFailed(NovaException):
    msg_fmt = 'Failed to paginate through images from image service'


class SignatureVerificationError(NovaException):
    """Also cursive's class of that name; cryptography's InvalidSignature when the bytes are not what was signed."""

    msg_fmt = 'Signature verification for the image failed: %(reason)s.'


class CertificateValidationFailed(NovaException):
    msg_fmt = (
        'Image signature certificate validation failed for certificate: %(cert_uuid)s. %(reason)s'
    )


class ImageDownloadModuleError(NovaException):
    msg_fmt = 'There was an error with the download module %(module)s. %(reason)s'


class ImageDownloadModuleMetaDataError(ImageDownloadModuleError):
    msg_fmt = 'The metadata for this location will not work with this module %(module)s.  %(reason)s.'


class ImageDownloadModuleNotImplementedError(ImageDownloadModuleError):
    msg_fmt = 'The method %(method_name)s is not implemented.'


class ImageDownloadModuleConfigurationError(ImageDownloadModuleError):
    msg_fmt = 'The module %(module)s is misconfigured: %(reason)s.'


class ImageTransferError(NovaException, OSError):
    """Bytes did not arrive whole and right. An OSError too: that is what old callers caught (C-132)."""

    msg_fmt = 'Transfer of image %(image_id)s failed: %(reason)s'
    default_errno: ClassVar[int] = errno.EIO

    def __init__(self, message: Any = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.errno = self.default_errno
        self.strerror = str(self.message)


class ImageDownloadIncomplete(ImageTransferError):
    msg_fmt = 'Download of image %(image_id)s ended after %(received)s of %(expected)s bytes.'


class ImageCorrupt(ImageTransferError):
    """Errno EPIPE, as glanceclient reports a bad hash (C-132)."""

    msg_fmt = 'Corrupt image download. Hash was %(actual)s expected %(expected)s'
    default_errno = errno.EPIPE


class ImageTransferStalled(ImageTransferError):
    msg_fmt = (
        'Transfer of image %(image_id)s stalled: %(moved)s bytes in %(seconds)s s, '
        'expected at least %(expected)s.'
    )
    default_errno = errno.ETIMEDOUT


class ImageHashMissing(ImageTransferError):
    msg_fmt = (
        'Image %(image_id)s carries no hash to check its bytes against and [image] no_hash is '
        '"refuse"; set it to "warn" or "accept" to take such images.'
    )


class ImageUploadIncomplete(ImageTransferError):
    msg_fmt = (
        'Upload of image %(image_id)s did not arrive as sent: %(what)s is %(actual)s, '
        'expected %(expected)s.'
    )


class ImageUploadNotRepeatable(ImageTransferError):
    msg_fmt = (
        'Upload of image %(image_id)s was interrupted (%(reason)s) and its data cannot be put back to '
        'the start; nothing was sent a second time. Call again with the data from its beginning.'
    )


class StoreError(NovaException):
    msg_fmt = 'Image store %(path)s: %(reason)s'


class StoreUnreadable(StoreError):
    msg_fmt = 'Image store %(path)s cannot be used: %(reason)s'


class StoreCorrupt(StoreError):
    msg_fmt = 'Image store %(path)s is damaged: %(reason)s'


class ImageServiceError(NovaException):
    """An answer no other name stands for; ``status`` and ``server`` are in ``kwargs``."""

    msg_fmt = 'The image service answered %(status)s: %(reason)s'


class UnknownDriver(NovaException):
    msg_fmt = (
        'Unknown image driver %(name)r. Built in: %(known)s. Others need an entry point in the group '
        '"nova_image.drivers"; set [image] driver to one of them.'
    )


class NotBuilt(NovaException, NotImplementedError):
    """A feature this release does not have was asked for; it is never silently left out."""

    msg_fmt = '%(feature)s is not supported by this release of nova-image: %(advice)s'


def _plain(cls: type[NovaException]) -> type[NovaException]:
    """The class of the tree behind one made by :func:`joined` or beside Nova."""
    while '_joined_from' in vars(cls):
        cls = vars(cls)['_joined_from']
    return cls


def _rebuild(
    cls: type[NovaException], others: tuple[type[BaseException], ...], message: Any, kwargs: dict[str, Any]
) -> NovaException:
    for other in others:
        cls = joined(cls, other)
    return cls(message, **kwargs)


_made: dict[tuple[type, type], type[NovaException]] = {}


def joined(ours: type[NovaException], other: type[BaseException]) -> type[NovaException]:
    """A class that both ``except ours`` and ``except other`` catch, under our name (C-299).

    Construction is ours alone; attributes that the other class's instances would have (``details``, ...)
    are the raiser's to set.
    """
    if issubclass(ours, other):
        return ours
    found = _made.get((ours, other))
    if found is None:
        body = {'_joined_from': ours, '_joined_with': other, '__module__': ours.__module__, '__doc__': ours.__doc__}
        found = _made.setdefault((ours, other), type(ours.__name__, (ours, other), body))
    return found


def _beside_nova(cls: type[NovaException]) -> type[NovaException]:
    """``cls``, or its twin that real Nova's ``except`` clauses catch too (C-300)."""
    nova = sys.modules.get('nova.exception')
    if nova is None or getattr(nova, '__nova_image_standin__', False):
        return cls
    theirs: type[BaseException] | None = getattr(nova, _plain(cls).__name__, None)
    if not isinstance(theirs, type) or issubclass(cls, theirs):
        return cls
    return joined(cls, theirs)
