# SPDX-License-Identifier: Apache-2.0
"""Is an image signed by whom it should be: its signature, and the certificate behind that (C-145, C-304).

Decides when a signature counts, and makes the :class:`Check` that a transfer runs beside its hashes.
Signatures and certificates themselves are the business of ``cursive``, which comes with the extra
``signatures``, is imported on first use, and fetches certificates through the key manager of ``cfg.CONF``.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from nova_image import errors

LOG = logging.getLogger(__name__)

#: What an image says of its signature; keywords of ``cursive.signature_utils.get_verifier`` too.
PROPERTIES = (
    'img_signature_certificate_uuid',
    'img_signature_hash_method',
    'img_signature',
    'img_signature_key_type',
)


class Options(Protocol):
    """The options that count here; ``nova_image.settings.Settings`` has them."""

    @property
    def verifies_signatures(self) -> bool: ...

    @property
    def enable_certificate_validation(self) -> bool: ...

    @property
    def default_trusted_certificate_ids(self) -> Sequence[str]: ...


class Check:
    """One verification: ``update`` with all bytes in order, then ``verify``.

    :param image_id: named in logs
    :param make: makes a verifier with ``update`` and ``verify``; called at once, and again by ``restart``
    """

    def __init__(self, image_id: Any, make: Callable[[], Any]) -> None:
        self.image_id = image_id
        self._make = make
        self._verifier = make()
        self._is_fresh = True

    def update(self, chunk: bytes | memoryview) -> None:
        """The next bytes of the image."""
        self._is_fresh = False
        self._verifier.update(chunk)

    def restart(self) -> None:
        """Begin again with the first byte; the verifier, and with it the certificate, are got anew."""
        if not self._is_fresh:
            self._verifier = self._make()
            self._is_fresh = True

    def verify(self) -> None:
        """After the last byte.

        :raises SignatureVerificationError: not what was signed; also ``cryptography``'s ``InvalidSignature``
        """
        self._is_fresh = False
        try:
            self._verifier.verify()
        except Exception as exc:
            _log_failure(self.image_id)
            reason = f'image {self.image_id} is not what was signed ({type(exc).__name__}: {exc})'
            raise _as_well(errors.SignatureVerificationError, exc)(reason=reason) from exc
        LOG.info('Image signature verification succeeded for image: %s', self.image_id)


def is_wanted(options: Options, trusted_certs: Any) -> bool:
    """Whether a download has to verify a signature (C-304)."""
    return options.verifies_signatures or _trusted_ids(options, trusted_certs) is not None


def check_for(
    context: Any, image_id: Any, record: Callable[[], Mapping[str, Any]], options: Options, trusted_certs: Any
) -> Check | None:
    """The check of one download, to be made before its bytes are asked for; None when none is wanted.

    :param record: gives the image's record, ours or Glance's own; called only if a check is wanted
    :param trusted_certs: object with ``ids``; honoured even when the options are off
    :raises SignatureVerificationError: metadata missing or unusable; also cursive's class of that name
    :raises CertificateValidationFailed: the certificate is not signed by a trusted one
    """
    if not is_wanted(options, trusted_certs):
        return None
    shown = record()
    signed = {name: _property(shown, name) for name in PROPERTIES}
    ids = _trusted_ids(options, trusted_certs)
    required = options.enable_certificate_validation

    def make() -> Any:
        verifier = _verifier(context, image_id, signed)
        certificate = signed['img_signature_certificate_uuid']
        if ids is not None:
            validate_certificate(context, certificate, ids)
        elif required:
            _refuse_without_ids(image_id, certificate)
        return verifier

    return Check(image_id, make)


def verifier_for(
    context: Any, image_id: Any, record: Callable[[], Mapping[str, Any]], options: Options, trusted_certs: Any
) -> Any:
    """The bare verifier of cursive behind :func:`check_for`, or None."""
    check = check_for(context, image_id, record, options, trusted_certs)
    return None if check is None else check._verifier


def validate_certificate(context: Any, certificate_id: Any, trusted_ids: Sequence[str]) -> None:
    """Whether the chain of a certificate ends at a trusted one.

    :raises CertificateValidationFailed: it does not, or that cannot be found out
    """
    try:
        _cursive('certificate_utils').verify_certificate(
            context=context, certificate_uuid=certificate_id, trusted_certificate_uuids=list(trusted_ids)
        )
    except errors.SignatureVerificationError:
        raise  # cursive is not there
    except Exception as exc:
        LOG.warning('Image signature certificate %s is not to be trusted: %s', certificate_id, exc)
        raise errors.CertificateValidationFailed(cert_uuid=certificate_id, reason=_text(exc)) from exc


def trusted_ids(trusted_certs: Any) -> list[str]:
    """The ids of a caller's trusted certificates.

    :raises BadImageInfo: not an object with ``ids``
    """
    ids = getattr(trusted_certs, 'ids', _ABSENT)
    if ids is _ABSENT or isinstance(ids, str | bytes):
        raise errors.BadImageInfo(
            name='trusted_certs', value=trusted_certs, expected='an object whose attribute ids lists certificate ids'
        )
    return list(ids or ())


_ABSENT: Any = object()


def _trusted_ids(options: Options, trusted_certs: Any) -> list[str] | None:
    """None: nobody named any. The configured ones count only where validation is on."""
    if trusted_certs is not None:
        return trusted_ids(trusted_certs)
    if options.enable_certificate_validation and options.default_trusted_certificate_ids:
        return list(options.default_trusted_certificate_ids)
    return None


def _property(record: Mapping[str, Any], name: str) -> Any:
    """Ours has custom properties below ``properties``, Glance's record at the top."""
    custom = record.get('properties')
    found = custom.get(name) if isinstance(custom, Mapping) else None
    return record.get(name) if found is None else found


def _verifier(context: Any, image_id: Any, signed: Mapping[str, Any]) -> Any:
    try:
        return _cursive('signature_utils').get_verifier(context=context, **signed)
    except Exception as exc:
        _log_failure(image_id)
        if isinstance(exc, errors.SignatureVerificationError):
            raise
        kind = _as_well(errors.SignatureVerificationError, _cursive('exception').SignatureVerificationError)
        if isinstance(exc, _cursive('exception').SignatureVerificationError):
            raise kind(str(exc), **getattr(exc, 'kwargs', {})) from exc
        raise _as_well(kind, exc)(reason=f'image {image_id}: {_text(exc)}') from exc


def _refuse_without_ids(image_id: Any, certificate_id: Any) -> None:
    reason = (
        f'The certificate behind the signature of image {image_id} has to be validated, and there is no trusted '
        'one to validate it with; pass trusted_certs or set [glance] default_trusted_certificate_ids'
    )
    LOG.warning('%s.', reason)
    raise errors.CertificateValidationFailed(cert_uuid=certificate_id, reason=f'{reason}.')


def _cursive(module: str) -> Any:
    try:
        return importlib.import_module(f'cursive.{module}')
    except ImportError as exc:
        raise errors.SignatureVerificationError(
            reason=f'cursive cannot be imported ({exc}); install it with "pip install nova-image[signatures]"'
        ) from exc


def _log_failure(image_id: Any) -> None:
    LOG.error('Image signature verification failed for image: %s', image_id)


def _text(exc: Exception) -> str:
    return str(exc) or type(exc).__name__


def _as_well(ours: type[errors.NovaException], other: Any) -> type[errors.NovaException]:
    """Ours, and what old code caught; ours alone where Python cannot make one class of the two."""
    try:
        return errors.joined(ours, other if isinstance(other, type) else type(other))
    except TypeError:
        return ours
